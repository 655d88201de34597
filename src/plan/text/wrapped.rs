//! Lines that are broken into several: PostgreSQL prints the newlines of a constant as they are, terminals break at a column, also in the
//! middle of a word, mails break between words.

use super::{
    label::{self, is_node},
    line::{Line, is_arrow, is_detail, is_root, is_statement_line},
    open::{Open, is_closed},
};

/// Lines more that the line of a node is looked for in.
const MOST_OF_NODE: usize = 24;
/// Places in the line of a node that both ways are tried at.
const MOST_TRIED: usize = 5;
/// Different widths of lines that go on, from which on none of them is that of a terminal.
const RAGGED: usize = 4;
/// Spaces at the end of a line that are lost where it is broken at a column.
const MOST_LOST: usize = 2;

/// What begins other lines of a node than those of [`is_detail`].
const BEGINNINGS: [&str; 18] = [
    "InitPlan ",
    "SubPlan ",
    "CTE ",
    "Worker ",
    "Workers ",
    "Rows Removed by ",
    "Sort Method:",
    "Full-sort Groups:",
    "Pre-sorted Groups:",
    "Buffers:",
    "I/O Timings:",
    "WAL:",
    "Heap ",
    "Index Searches:",
    "Buckets:",
    "Batches:",
    "Hits:",
    "Cache ",
];

/// How the lines of a plan are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Layout {
    /// Columns of the widest line.
    width: usize,
    /// Whether each broken line is as wide as that: it was broken at a column, not between words.
    is_hard: bool,
    /// Lines that begin as none of a plan does: broken off from those above.
    broken: usize,
    /// Whether lines of many widths go on: they were broken between words.
    is_ragged: bool,
    /// Whether broken lines end with a mark that the next begins with, as psql's `\pset format wrapped` prints them.
    is_marked: bool,
    has_costs: bool,
    is_analyzed: bool,
    root_indent: usize,
    /// Whether arrows stand no deeper than the first node.
    pub(crate) is_folded: bool,
}

/// What stood between the parts of a broken line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    /// What follows from the widths of the lines.
    Likely,
    Nothing,
    Space,
    /// Nothing but psql's marks.
    Mark,
}

/// Columns that the text takes.
fn width(text: &str) -> usize {
    text.trim_end().chars().count()
}

impl Layout {
    /// That of the plan which `first` begins, as far as `rest` is of it.
    pub(crate) fn of<'t>(first: Line<'t>, rest: impl Iterator<Item = Line<'t>>) -> Self {
        let is_fragment = first.text.starts_with("->");
        let mut layout = Self { width: width(first.raw), root_indent: first.indent, ..Self::default() };
        let (mut last, mut marked) = (first, 0);
        // The narrowest of the lines that go on, and how many are the widest so far.
        let mut widths = (usize::MAX, 0);
        let mut seen = Vec::new();
        let (mut arrows, mut details) = ((0, 0), (0, 0));
        layout.see(first.text);
        for line in rest {
            if line.indent <= first.indent && (is_root(line.text) || is_log(line.text)) {
                break;
            }
            let is_arrow = is_arrow(line.text);
            if is_arrow && line.indent <= first.indent + 1 {
                if is_fragment && line.indent <= first.indent {
                    break;
                }
                arrows.0 += 1;
            }
            arrows.1 += usize::from(is_arrow);
            details.0 += usize::from(is_detail(line.text) && line.indent <= first.indent);
            details.1 += usize::from(is_detail(line.text) && line.indent > first.indent);
            layout.see(line.text);
            layout.width = layout.width.max(width(line.raw));
            if !line.text.is_empty() && !last.text.is_empty() && line.indent <= first.indent + 1 && !is_own(line.text) {
                layout.broken += 1;
                widths.0 = widths.0.min(width(last.raw));
                widths.1 += usize::from(width(last.raw) >= layout.width);
                if seen.len() < RAGGED && !seen.contains(&width(last.raw)) {
                    seen.push(width(last.raw));
                }
                marked += usize::from(mark(last.text, line.text).is_some());
            }
            last = line;
        }
        let is_narrow = layout.broken > 0 && widths.0 + MOST_LOST < layout.width;
        layout.is_hard = !is_narrow && 2 * widths.1 >= layout.broken;
        layout.is_ragged = !layout.is_hard && seen.len() >= RAGGED;
        layout.is_marked = marked > 1 && 2 * marked >= layout.broken;
        layout.is_folded = arrows.0 == arrows.1 && (arrows.0 > 0 || (details.0 > 0 && details.1 == 0));
        layout
    }

    /// Whether the line stands where EXPLAIN puts those below the first node: two columns deeper, or more.
    fn is_inside(&self, line: Line<'_>) -> bool {
        line.indent > self.root_indent + 1
    }

    fn see(&mut self, text: &str) {
        self.has_costs |= text.contains("(cost=");
        self.is_analyzed |= text.contains("(actual ");
    }

    /// The line with those that it goes on in, and how many they are; `None` where it is whole, or its end is nowhere.
    pub(crate) fn joined<'t>(
        &self,
        line: Line<'t>,
        following: impl Iterator<Item = Line<'t>>,
    ) -> Option<(String, usize)> {
        if line.text.is_empty() {
            return None;
        }
        let is_root = line.indent == self.root_indent && label::begins_as_node(line.text);
        if is_root || is_arrow(line.text) || line.text == "-" || label::has_measures(line.text) && is_node(line.text) {
            return self.node(line, following);
        }
        self.detail(line, following)
    }

    /// What is measured of a node stands in brackets, and may stand in the next line, as may a part of its name.
    fn node<'t>(&self, line: Line<'t>, following: impl Iterator<Item = Line<'t>>) -> Option<(String, usize)> {
        if self.is_whole(line.text) || (line.text == "-" && width(line.raw) < self.width) {
            return None;
        }
        let mut parts = vec![line];
        for next in following.take(MOST_OF_NODE) {
            if next.text.is_empty() && !label::has_measures(line.text) {
                continue;
            }
            let is_next = is_arrow(next.text) || (is_own(next.text) && self.is_inside(next));
            if next.text.is_empty() || is_next || is_statement_line(next.text) {
                break;
            }
            parts.push(next);
            if let Some(read) = self.reading(&parts) {
                return read.map(|whole| (whole, parts.len() - 1));
            }
        }
        None
    }

    /// The line of a node that these are the parts of; within, `None` where it may be several, whose names differ.
    fn reading(&self, parts: &[Line<'_>]) -> Option<Option<String>> {
        let names = |text: &str| {
            let name = text.strip_prefix("->").unwrap_or(text).trim_start();
            label::node_below(name).filter(|_| self.is_whole(text)).map(|draft| draft.node.names())
        };
        let likely = self.put_together(parts, |_| Between::Likely);
        let names_likely = names(&likely);
        let mut ends = parts[..parts.len() - 1].iter().map(|part| width(part.raw) == self.width);
        let is_certain = self.is_marked
            || if self.is_hard {
                self.broken > 2 && ends.all(|is_full| is_full)
            } else {
                self.is_ragged && !ends.any(|is_full| is_full)
            };
        if names_likely.is_some() && is_certain {
            return Some(Some(likely));
        }
        // Each place may have been one in a word or one between two.
        let places = parts.len() - 1;
        let ways = 0..1_usize << places.min(MOST_TRIED);
        let of = |way: usize| {
            move |place: usize| if way >> place.min(MOST_TRIED) & 1 == 1 { Between::Space } else { Between::Nothing }
        };
        let tried = ways.map(|way| self.put_together(parts, of(way)));
        let marked = self.put_together(parts, |_| Between::Mark);
        let mut readings = names_likely
            .map(|names| (names, likely))
            .into_iter()
            .chain(tried.chain([marked]).filter_map(|text| Some((names(&text)?, text))));
        let (first, whole) = readings.next()?;
        Some(readings.all(|(others, _)| others == first).then_some(whole))
    }

    /// Whether the line of a node has all that the nodes of this plan have.
    fn is_whole(&self, text: &str) -> bool {
        let end = text.trim_end_matches(['"', '\'', ',', ' ']);
        let is_measured = !self.is_analyzed || text.contains("(actual ") || text.contains("(never executed)");
        let has_costs = !self.has_costs || text.contains("(cost=");
        let is_measured = is_measured && has_costs && (end.ends_with(')') || !(self.is_analyzed || self.has_costs));
        // What Citus shows of its tasks has none.
        is_measured || text.ends_with("Task") || text.contains("Distributed Subplan ")
    }

    fn put_together(&self, parts: &[Line<'_>], between: impl Fn(usize) -> Between) -> String {
        let mut text = String::new();
        for (place, pair) in parts.windows(2).enumerate() {
            self.add(&mut text, pair[0], pair[1], between(place));
        }
        text
    }

    /// Adds `next` to `text`, which ends with `last`.
    fn add(&self, text: &mut String, last: Line<'_>, next: Line<'_>, between: Between) {
        if text.is_empty() {
            text.push_str(last.raw.trim_start());
        }
        let is_marked = self.is_marked || between == Between::Mark;
        if let Some((ends, begin)) = mark(last.text, next.text).filter(|_| is_marked) {
            text.truncate(text.trim_end().len() - ends);
            text.push_str(begin);
            return;
        }
        let has_space = text.ends_with(char::is_whitespace) || next.raw.starts_with(char::is_whitespace);
        text.push_str(match between {
            _ if has_space => "",
            Between::Nothing | Between::Mark => "",
            Between::Space => " ",
            Between::Likely if width(last.raw) < self.width || !self.is_hard => " ",
            Between::Likely if self.broken < 2 && ends_with_word(last.text) => " ",
            Between::Likely => "",
        });
        // What goes on may hang below its beginning.
        if has_space && next.indent > MOST_LOST {
            if !text.ends_with(char::is_whitespace) {
                text.push(' ');
            }
            text.push_str(next.text);
        } else {
            text.push_str(if has_space { next.raw } else { next.text });
        }
    }

    /// Of a line that is none of a node it is seen where it ends: by its brackets and quotes, or by the width that it was broken at. What
    /// is looked through ends where another of them begins: nothing is twice.
    fn detail<'t>(&self, line: Line<'t>, following: impl Iterator<Item = Line<'t>>) -> Option<(String, usize)> {
        let is_statement = is_statement_line(line.text);
        if !self.is_inside(line) && !self.is_folded && !is_statement {
            return None;
        }
        let may_be_open = is_detail(line.text) || line.text.starts_with("Settings: ");
        let mut open = Open::of(line.text);
        let mut text = line.raw.trim_start().to_owned();
        let mut found = None;
        let mut last = line;
        for (number, next) in (1..).zip(following) {
            let fits = self.goes_on(&text, last, next);
            let is_open = may_be_open && open.is_open();
            let is_below = self.is_inside(next) || self.is_folded || is_statement_line(next.text);
            let is_other = is_arrow(next.text) || is_root(next.text) || (is_own(next.text) && (is_below || !fits));
            if is_other || !(fits || is_open) {
                break;
            }
            open.take(next.text);
            if is_open && !fits && open.quote.is_some() {
                text.truncate(text.trim_end().len());
                text.push('\n');
                text.push_str(next.text);
            } else {
                // Two dots in a row stand between figures only.
                self.add(
                    &mut text,
                    last,
                    next,
                    if mark(last.text, next.text).is_some() { Between::Mark } else { Between::Likely },
                );
            }
            if !may_be_open || !open.is_open() {
                found = Some((text.trim_end().to_owned(), number));
            }
            last = next;
        }
        found
    }

    /// Whether `next` can be what did not fit into the line `last`, the end of `text`.
    fn goes_on(&self, text: &str, last: Line<'_>, next: Line<'_>) -> bool {
        if next.text.is_empty() || is_closed(text) || is_log(next.text) || is_rule(next.text) {
            return false;
        }
        let wide = width(last.raw);
        let word = next.text.split_whitespace().next().map_or(0, |word| word.chars().count());
        match self.is_inside(next) {
            true => self.is_hard && wide == self.width,
            false => wide + 1 + word > self.width,
        }
    }
}

/// Whether the text ends with a word that another follows.
fn ends_with_word(text: &str) -> bool {
    let last = text.rsplit([' ', '(']).next().unwrap_or_default();
    ["AND", "OR", "NOT", "IS", "on", "using", "Join", "Scan", "Key:", "Cond:", "Filter:"].contains(&last)
        || text.ends_with([',', ':', '='])
}

/// Bytes of the mark at the end of a broken line, and what follows the mark in the next.
pub(crate) fn mark<'t>(last: &str, next: &'t str) -> Option<(usize, &'t str)> {
    ['.', '…'].into_iter().find_map(|mark| {
        let begin = next.strip_prefix(mark)?;
        last.ends_with(mark).then_some((mark.len_utf8(), begin))
    })
}

/// Whether a line is one of a table's border.
pub(crate) fn is_rule(text: &str) -> bool {
    text.chars().all(|c| "-+|= ─━═│┃┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬".contains(c))
}

/// Whether a line of a log, which is no part of a plan.
fn is_log(text: &str) -> bool {
    ["LOG:  ", "STATEMENT:  ", "ERROR:  ", "DETAIL:  "].iter().any(|sign| text.contains(sign))
}

/// Whether the line is one of those below `JIT:` or `Planning:`.
pub(crate) fn is_of_block(line: &str) -> bool {
    ["Functions:", "Options:", "Timing:", "Inlining:", "Optimization:", "Buffers:", "I/O Timings:", "Memory:"]
        .iter()
        .any(|beginning| line.starts_with(beginning))
}

/// Whether the line is one of a plan for itself.
pub(crate) fn is_own(line: &str) -> bool {
    is_arrow(line)
        || label::has_measures(line) && is_node(line)
        || is_detail(line)
        || is_statement_line(line)
        || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

#[cfg(test)]
mod tests;
