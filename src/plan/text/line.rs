//! A line of a plan in text, and what kind of line it is.

use super::label::{self, is_node};
use crate::plan::error::{Error, Kind};

/// A line of a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'t> {
    /// Its number in the input, from 1.
    pub(crate) number: usize,
    /// Columns before it.
    pub(crate) indent: usize,
    /// As it stands there.
    pub(crate) raw: &'t str,
    /// The same without spaces around it.
    pub(crate) text: &'t str,
}

impl<'t> Line<'t> {
    /// The line of this number.
    pub(crate) fn new(number: usize, raw: &'t str) -> Self {
        let raw = in_cell(raw);
        let rest = unindented(raw);
        Self { number, indent: raw[..raw.len() - rest.len()].chars().count(), raw, text: rest.trim_end() }
    }
}

/// The line without the fields of CSV that follow the cell which ends in it, as in a log: `",,,psql,0`.
fn in_cell(raw: &str) -> &str {
    match raw.find("\",,") {
        Some(end) if raw[..end].matches('"').count().is_multiple_of(2) => &raw[..end],
        _ => raw,
    }
}

/// Whether a whole plan begins with `line`.
pub(crate) fn is_root(line: &str) -> bool {
    label::has_measures(line) && is_node(line)
}

/// Lines of a statement as a whole, which follow the nodes.
pub(crate) const STATEMENT_KEYS: [&str; 8] = [
    "Planning Time",
    "Execution Time",
    "Planning time",
    "Execution time",
    "Total runtime",
    "Settings",
    "Query Identifier",
    "Serialization",
];

/// Whether the line is one of a statement as a whole.
pub(crate) fn is_statement_line(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| STATEMENT_KEYS.contains(&key) || key.starts_with("Trigger "))
        || matches!(line, "Planning:" | "JIT:")
}

pub(crate) fn is_detail(line: &str) -> bool {
    let key = line.split_once(": ").map_or("", |(key, _)| key);
    [
        "Filter",
        "Index Cond",
        "Recheck Cond",
        "TID Cond",
        "Join Filter",
        "Hash Cond",
        "Merge Cond",
        "Output",
        "Sort Key",
        "Presorted Key",
        "Group Key",
        "Order By",
        "Cache Key",
        "Function Call",
        "One-Time Filter",
    ]
    .contains(&key)
}

pub(crate) fn pasted(message: String, hint: &'static str) -> Error {
    Kind::Pasted { message, hint: Some(hint) }.into()
}

/// The line without the space before it. Most of a deep plan is space, which costs less byte by byte than as characters.
pub(crate) fn unindented(line: &str) -> &str {
    let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
    line[spaces..].trim_start()
}

/// Whether the line begins with the arrow of a node: in conditions, `->` stands before other things than a name.
pub(crate) fn is_arrow(line: &str) -> bool {
    line.strip_prefix("->").is_some_and(|rest| {
        let name = rest.trim_start();
        name.is_empty() || name.starts_with(|c: char| c.is_ascii_uppercase())
    })
}
