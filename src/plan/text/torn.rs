//! A plan that ends at a line which is none of its own, though more of it follows.

use super::{
    begins::begins,
    label::{self, MEASURES},
    line::{Line, is_detail, pasted},
};
use crate::plan::error::Error;

/// Last words of keys of several words, and words within a line: what begins so was broken off.
const TAILS: &[&str] = &[
    "Cond:",
    "Key:",
    "Keys:",
    "Method:",
    "Methods:",
    "Usage:",
    "Memory:",
    "Disk:",
    "Timings:",
    "Searches:",
    "Fetches:",
    "Blocks:",
    "Launched:",
    "Average Memory:",
    "Peak Memory:",
    "Memory Usage:",
    "Misses:",
    "Evictions:",
    "Overflows:",
    "Optimization ",
    "Emission ",
    "Inlining ",
    "Deforming ",
    "Expressions ",
    "Generation ",
    "Total ",
];

/// Whether a line that is none of PostgreSQL's is a part of a broken one rather than a relative's: these begin with a key or
/// with words.
pub(crate) fn is_part(line: &str) -> bool {
    let key = line.split_once(':').map_or("", |(key, _)| key);
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_ -".contains(&byte));
    let rest = line.trim_start_matches(['(', '*', ' ']);
    let is_word = rest.starts_with(|c: char| c.is_alphabetic());
    let is_lower = rest.starts_with(|c: char| c.is_lowercase());
    MEASURES.iter().any(|measure| line.contains(measure))
        || TAILS.iter().any(|tail| line.starts_with(tail))
        || !is_word
        || line.matches(')').count() > line.matches('(').count()
        || (is_lower && (!is_key || line.contains('=')) && !rest.starts_with("slice"))
}

/// The refusal of such a line.
pub(crate) fn part(line: Line<'_>) -> Error {
    let message = format!("line {}: {:?} is no line of a plan, but a part of a broken one", line.number, line.text);
    pasted(message, "put broken lines together, or use EXPLAIN (FORMAT JSON)")
}

/// Refuses a plan that ends at `end`, a line that is none of its own, where more of it follows.
///
/// # Errors
/// More of it follows, before another plan begins.
pub(crate) fn refuse_torn<'t>(
    end: Line<'t>,
    following: impl Iterator<Item = Line<'t>> + Clone,
    root_indent: usize,
    is_timed: bool,
) -> Result<(), Error> {
    let mut lines = std::iter::once(end).chain(following).filter(|line| !line.text.is_empty());
    while let Some(line) = lines.next() {
        if !line.text.starts_with("->") && begins(line.text, || lines.clone().map(|line| line.text)) {
            return Ok(());
        }
        let is_arrow = line.text.starts_with("->") && label::has_measures(line.text);
        let is_of_node = line.indent > root_indent && is_detail(line.text);
        let is_measure = MEASURES.iter().any(|measure| line.text.starts_with(measure));
        let is_time = !is_timed && ["Planning Time: ", "Execution Time: "].iter().any(|key| line.text.starts_with(key));
        if is_arrow || is_of_node || is_measure || is_time {
            let message = format!(
                "line {}: {:?} is no line of a plan, but line {} goes on with the one above: {:?}",
                end.number, end.text, line.number, line.text
            );
            return Err(pasted(
                message,
                "take away what does not belong to it, put broken lines together, or use EXPLAIN (FORMAT JSON)",
            ));
        }
    }
    Ok(())
}
