//! A scan of a table, and what is compared there.

use std::cell::OnceCell;

use crate::{advice::IndexAdvice, plan::Node, record::Severity, sqltext::condition::Side};

/// What reads a table: one scan, or the scans of its partitions under one Append.
#[derive(Debug, Clone)]
pub(crate) struct Scan<'a> {
    /// Place of the scan, of several the first.
    pub(crate) at: usize,
    /// That scan.
    pub(crate) node: &'a Node,
    /// All of them.
    pub(crate) nodes: Vec<&'a Node>,
    /// Their places.
    pub(crate) places: Vec<usize>,
    /// What they are parts of, where there are several.
    pub(crate) parts: Parts<'a>,
    /// What its filter drops, where that is wasteful.
    pub(crate) waste: Option<Waste>,
    pub(crate) comparisons: OnceCell<Vec<Compared<'a>>>,
    pub(crate) index: OnceCell<Option<IndexAdvice>>,
}

/// What the scans that are taken together are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts<'a> {
    /// Partitions, as far as it is known.
    Partitions,
    /// Chunks of the TimescaleDB hypertable of this name.
    Chunks(&'a str),
    /// Tables that inherit from one that is not partitioned: each has indexes of its own only.
    Heirs,
}

/// Rows that a scan read and dropped by its filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Waste {
    /// Share of the rows read that was dropped, at least.
    pub(crate) removed: f64,
    pub(crate) severity: Severity,
    /// `Seq Scan on events read 1 000 000 rows to keep 98 (99.99 % removed), 14 706 buffers, 96 % of the time`
    pub(crate) evidence: String,
    /// Milliseconds that reading only the rows kept, through an index, could save.
    pub(crate) at_stake_ms: Option<f64>,
}

/// A comparison of the scan's filter: what it takes from the table, with a value from elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compared<'a> {
    pub(crate) side: Side<'a>,
    /// That side as printed.
    pub(crate) expression: &'a str,
    pub(crate) operator: &'a str,
    pub(crate) value: &'a str,
}

impl Compared<'_> {
    /// Whether an index in order serves the operator.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(self.operator, "=" | "<" | ">" | "<=" | ">=" | "= ANY")
    }
}
