//! Whether a line begins a plan, as far as what follows shows.

use super::{
    label::{self, is_node},
    line::{is_detail, is_statement_line},
    wrapped,
};

/// Lines that a broken one is looked for in to see whether it is that of a node.
const MOST_BROKEN: usize = 16;

/// Whether a plan begins with `line`, which these lines follow, those that are empty left out; a part of one may begin with an arrow.
pub(crate) fn begins<'t, I: Iterator<Item = &'t str>>(line: &str, following: impl FnOnce() -> I) -> bool {
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
pub(crate) fn squeeze(above: &mut String, line: &str) {
    let line = match wrapped::mark(above, line) {
        Some((ends, begin)) => {
            above.truncate(above.len() - ends);
            begin
        }
        None => line,
    };
    above.extend(line.chars().filter(|c| !c.is_whitespace()));
}
