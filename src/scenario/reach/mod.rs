//! How far a statement reaches: what its words say of what it reads, writes and calls, and whether it is certain that nothing
//! outside of one schema is written.
//!
//! It is an allow-list: a statement of a kind that is not known here, or that is written in a way that is not, may reach anywhere.
//! What functions, views, triggers do that a statement names without showing them, only a server can tell: [`Reading`] has their names.

mod changed;
mod ddl;
mod known;
mod mentioned;
mod settings;
mod words;
mod writes;

use std::{collections::BTreeSet, fmt};

use self::words::Words;
pub use self::{
    changed::changed_tables,
    known::{Known, RelationKind},
    settings::stays_within,
};

/// A name in a statement, as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The schema; none if the search path decides.
    pub schema: Option<String>,
    /// The name in it.
    pub name: String,
}

impl Name {
    /// Of the parts that stand between periods; `None` if there are too many.
    fn of(parts: &[&str]) -> Option<Self> {
        let named =
            |schema: Option<&str>, name: &str| Self { schema: schema.map(str::to_owned), name: name.to_owned() };
        match parts {
            [name] => Some(named(None, name)),
            // The database can only be the one that is connected to.
            [schema, name] | [_, schema, name] => Some(named(Some(schema), name)),
            _ => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Why a statement may write outside of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beyond {
    /// It writes to, changes or drops this, which is not known to be in the schema.
    Names(Name),
    /// It is of a kind that can do anything, or that is not known.
    Anything,
}

/// What the words of a statement say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Why it may write outside of the schema; `None` if all that it writes by itself is in it.
    pub beyond: Option<Beyond>,
    /// The tables whose rows it writes.
    pub targets: BTreeSet<Name>,
    /// The tables that it makes another table like.
    pub templates: BTreeSet<Name>,
    /// Whether it locks rows that it reads.
    pub locks: bool,
    /// Every name in it that may be a relation's or a type's.
    pub names: BTreeSet<Name>,
    /// Every name in it that may be a function's.
    pub calls: BTreeSet<Name>,
    /// Every name after a period: `row.name` calls the function `name` if the row has no such column.
    pub attributes: BTreeSet<String>,
    /// Whether it has names that are not read, because they are written by the numbers of their characters.
    pub coded: bool,
}

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

impl Reading {
    /// Takes names out that need not be looked up.
    pub fn forget(&mut self, is_known: impl Fn(&Name) -> bool) {
        for names in [&mut self.names, &mut self.targets, &mut self.templates] {
            names.retain(|name| !is_known(name));
        }
    }

    /// What is read of this statement and another one.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.targets.extend(other.targets.iter().cloned());
        self.templates.extend(other.templates.iter().cloned());
        self.names.extend(other.names.iter().cloned());
        self.calls.extend(other.calls.iter().cloned());
        self.attributes.extend(other.attributes.iter().cloned());
        self.locks |= other.locks;
        self
    }

    fn ended(mut self, beyond: Option<Beyond>) -> Self {
        self.beyond = if self.coded { Some(Beyond::Anything) } else { beyond };
        self
    }
}

#[cfg(test)]
mod tests;
