//! The index that follows from what a node asks.

use super::key::{Key, OrderKey};

/// Share of the rows that an index has to leave out to be read instead of the table.
pub(crate) const MOST_READ: f64 = 0.3;

/// An index to make.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Index {
    /// `btree`, `gin`, `gist`, `brin` or `hash`.
    pub(crate) method: String,
    pub(crate) keys: Vec<IndexKey>,
    /// How many of the first keys are looked up, so that their order does not matter.
    pub(crate) lookups: usize,
    /// What the keys after those are for.
    pub(crate) tail: Tail,
    /// How many of the last keys only leave out rows before the table is visited.
    pub(crate) filters: usize,
    pub(crate) include: Vec<String>,
    /// Conditions that it holds the rows of.
    pub(crate) predicate: Vec<String>,
    /// Share of the table's rows that these are, as far as it is known.
    pub(crate) share: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexKey {
    pub(crate) key: Key,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
    pub(crate) operator_class: Option<String>,
}

/// What the keys after the looked up ones are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    None,
    Range,
    Order,
}

pub(crate) fn plain(key: &Key) -> IndexKey {
    IndexKey { key: key.clone(), descending: false, nulls_first: false, operator_class: None }
}

pub(crate) fn ordered(key: &OrderKey) -> IndexKey {
    IndexKey { key: key.key.clone(), descending: key.descending, nulls_first: key.nulls_first, operator_class: None }
}
