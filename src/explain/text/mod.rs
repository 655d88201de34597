//! FORMAT TEXT to the normal form: what it says under the keys of FORMAT JSON. The tree is in the indentation.

mod details;
mod indent;
mod label;
mod open;
mod reader;
mod shape;
mod torn;
mod wrapped;

use std::borrow::Cow;

use super::{
    error::{Error, Kind},
    paste::Damage,
    plan::Plan,
};
pub(super) use indent::unindented;
pub(super) use label::{MEASURES, is_node};
use reader::Reader;
use wrapped::Layout;

/// A line of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// Its number in the input, from 1.
    pub(super) number: usize,
    /// Columns before it.
    indent: usize,
    /// As it stands there.
    raw: &'t str,
    /// The same without spaces around it.
    pub(super) text: &'t str,
}

impl<'t> Line<'t> {
    /// The line of this number.
    pub(super) fn new(number: usize, raw: &'t str) -> Self {
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

/// A plan that was read.
pub(super) struct Read {
    pub(super) plan: Plan,
    /// Number of its lines.
    pub(super) lines: usize,
    pub(super) damage: Damage,
}

/// Lines that a broken one is looked for in to see whether it is that of a node.
const MOST_BROKEN: usize = 16;

/// Whether a plan begins with `line`, which these lines follow, those that are empty left out; a part of one may begin with an arrow.
pub(super) fn begins<'t, I: Iterator<Item = &'t str>>(line: &str, following: impl FnOnce() -> I) -> bool {
    let arrow = line.strip_prefix("->").map(str::trim_start);
    let name = arrow.unwrap_or(line);
    if !label::begins_as_node(name) {
        return false;
    }
    if label::has_measures(name) && label::node(name).is_some() {
        return true;
    }
    let mut following = following().take(MOST_BROKEN);
    let Some(next) = following.next() else { return false };
    let is_of_plan = |next: &str| next.starts_with("->") || is_statement_line(next) || is_detail(next);
    if is_node(name) && !label::has_measures(name) && is_of_plan(next) {
        return arrow.is_none();
    }
    // Its line may be broken anywhere.
    let mut whole = String::new();
    squeeze(&mut whole, name);
    for next in std::iter::once(next).chain(following) {
        if next.starts_with("->") {
            return false;
        }
        squeeze(&mut whole, next);
        let is_measured = whole.contains("(cost=") || whole.contains("(actualtime=") || whole.contains("(actualrows=");
        if is_measured && whole.matches('(').count() == whole.matches(')').count() {
            return true;
        }
    }
    false
}

/// Adds a line to those above it, without the spaces in it and psql's marks of a broken line.
pub(super) fn squeeze(above: &mut String, line: &str) {
    let line = match wrapped::mark(above, line) {
        Some((ends, begin)) => {
            above.truncate(above.len() - ends);
            begin
        }
        None => line,
    };
    above.extend(line.chars().filter(|c| !c.is_whitespace()));
}

/// Whether a whole plan begins with `line`.
fn is_root(line: &str) -> bool {
    label::has_measures(line) && is_node(line)
}

/// Lines of a statement as a whole, which follow the nodes.
const STATEMENT_KEYS: [&str; 8] = [
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
pub(super) fn is_statement_line(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| STATEMENT_KEYS.contains(&key) || key.starts_with("Trigger "))
        || matches!(line, "Planning:" | "JIT:")
}

fn is_detail(line: &str) -> bool {
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

/// Reads the plan that `first` begins, which `rest` follows.
pub(super) fn read<'t>(first: Line<'t>, rest: impl Iterator<Item = Line<'t>> + Clone) -> Result<Read, Error> {
    let tabs = indent::Tabs::of(first, rest.clone());
    let mut rest = rest.map(|line| tabs.measured(line));
    let first = tabs.measured(first);
    let layout = Layout::of(first, rest.clone());
    let damage =
        Damage { is_fragment: first.text.starts_with("->"), is_rebuilt: layout.is_folded, is_followed_by_cut: false };
    let mut reader = Reader::new(first.indent, damage);
    let mut read = 0;
    let mut next = Some(first);
    while let Some(line) = next {
        let (text, more) = layout
            .joined(line, rest.clone())
            .map_or((Cow::Borrowed(line.text), 0), |(text, more)| (Cow::Owned(text), more));
        let whole = Line { text: text.trim(), ..line };
        if reader.is_empty() {
            let name = whole.text.strip_prefix("->").unwrap_or(whole.text);
            reader.node(whole, name.trim_start(), whole.indent)?;
        } else if !whole.text.is_empty() && !reader.line(whole)? {
            if !damage.is_fragment {
                torn::refuse_torn(line, rest, first.indent, reader.is_timed())?;
            }
            break;
        }
        read += 1 + more;
        next = rest.nth(more);
    }
    Ok(Read { plan: reader.finish()?, lines: read, damage })
}

fn pasted(message: String, hint: &'static str) -> Error {
    Kind::Pasted { message, hint: Some(hint) }.into()
}
