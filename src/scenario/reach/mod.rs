//! How far a statement reaches: what its words say of what it reads, writes and calls, and whether it is certain that nothing
//! outside of one schema is written.
//!
//! It is an allow-list: a statement of a kind that is not known here, or that is written in a way that is not, may reach anywhere.
//! What functions, views, triggers do that a statement names without showing them, only a server can tell: [`Reading`] has their names.

mod changed;
mod ddl;
mod known;
mod mentioned;
mod name;
mod reading;
mod settings;
mod words;
mod writes;

use self::words::Words;
pub use self::{
    changed::changed_tables,
    known::{Known, RelationKind},
    name::Name,
    reading::{Beyond, Reading},
    settings::stays_within,
};

/// Reads a statement that was checked, one of several that are executed in their order; `known` is what is in the schema before it, and
/// then what is there after it.
pub fn reach(sql: &str, known: &mut Known) -> Reading {
    let words = Words::new(sql);
    let mut reading = mentioned::mentioned(&words, known);
    let beyond = ddl::read(&words, known, &mut reading).err();
    reading.ended(beyond)
}

/// Reads a statement that was checked and is executed any number of times, in any order, beside others.
pub fn reach_unordered(sql: &str, known: &Known) -> Reading {
    let words = Words::new(sql);
    let mut reading = mentioned::mentioned(&words, known);
    let beyond = ddl::read_unordered(&words, known, &mut reading).err();
    reading.ended(beyond)
}

#[cfg(test)]
mod tests;
