//! The index that would serve a node of a plan.

mod btree;
mod choose;
mod condition;
mod existing;
mod foreign_key;
mod index;
mod index_for;
mod key;
mod methods;
mod name;
mod node;
mod parse;
mod planned;
mod query;
mod sorted;
mod statistics;

pub(crate) use foreign_key::index_for_key;
pub use index_for::IndexAdvice;
pub(crate) use index_for::{index_for, index_for_each, invalid_index, is_asked};
pub(crate) use planned::Planned;
