//! Lines that are broken into several: PostgreSQL prints the newlines of a constant as they are, terminals break at a column, also in the
//! middle of a word, mails break between words.

use super::{
    Error, Line, begins, is_detail, is_root, is_statement_line,
    label::{self, MEASURES, is_node},
    pasted,
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
pub(super) struct Layout {
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
    pub(super) is_folded: bool,
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
    pub(super) fn of<'t>(first: Line<'t>, rest: impl Iterator<Item = Line<'t>>) -> Self {
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
    pub(super) fn joined<'t>(
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
        text.push_str(if has_space { next.raw } else { next.text });
    }

    /// Of a line that is none of a node it is seen where it ends: by its brackets and quotes, or by the width that it was broken at. What
    /// is looked through ends where another of them begins: nothing is twice.
    fn detail<'t>(&self, line: Line<'t>, following: impl Iterator<Item = Line<'t>>) -> Option<(String, usize)> {
        let is_statement = is_statement_line(line.text);
        if !self.is_inside(line) && !self.is_folded && !is_statement {
            return None;
        }
        let may_be_open = is_detail(line.text);
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

/// Whether nothing can follow: a condition in brackets, a time.
fn is_closed(text: &str) -> bool {
    let text = text.trim_end();
    let Some((_, value)) = text.split_once(": ") else { return false };
    text.ends_with(" ms") || (value.starts_with('(') && value.ends_with(')') && !Open::of(value).is_open())
}

/// Whether the text ends with a word that another follows.
fn ends_with_word(text: &str) -> bool {
    let last = text.rsplit([' ', '(']).next().unwrap_or_default();
    ["AND", "OR", "NOT", "IS", "on", "using", "Join", "Scan", "Key:", "Cond:", "Filter:"].contains(&last)
        || text.ends_with([',', ':', '='])
}

/// Bytes of the mark at the end of a broken line, and what follows the mark in the next.
fn mark<'t>(last: &str, next: &'t str) -> Option<(usize, &'t str)> {
    ['.', '…'].into_iter().find_map(|mark| {
        let begin = next.strip_prefix(mark)?;
        last.ends_with(mark).then_some((mark.len_utf8(), begin))
    })
}

/// Whether a line is one of a table's border.
fn is_rule(text: &str) -> bool {
    text.chars().all(|c| "-+|= ─━═│┃┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬".contains(c))
}

/// Whether a line of a log, which is no part of a plan.
fn is_log(text: &str) -> bool {
    ["LOG:  ", "STATEMENT:  ", "ERROR:  ", "DETAIL:  "].iter().any(|sign| text.contains(sign))
}

/// Refuses a plan that ends at `end`, a line that is none of its own, where more of it follows.
///
/// # Errors
/// More of it follows, before another plan begins.
pub(super) fn refuse_torn<'t>(
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

/// Whether the line is one of those below `JIT:` or `Planning:`.
pub(super) fn is_of_block(line: &str) -> bool {
    ["Functions:", "Options:", "Timing:", "Inlining:", "Optimization:", "Buffers:", "I/O Timings:", "Memory:"]
        .iter()
        .any(|beginning| line.starts_with(beginning))
}

/// Whether the line begins with the arrow of a node: in conditions, `->` stands before other things than a name.
pub(super) fn is_arrow(line: &str) -> bool {
    line.strip_prefix("->").is_some_and(|rest| {
        let name = rest.trim_start();
        name.is_empty() || name.starts_with(|c: char| c.is_ascii_uppercase())
    })
}

/// Whether the line is one of a plan for itself.
fn is_own(line: &str) -> bool {
    is_arrow(line)
        || label::has_measures(line) && is_node(line)
        || is_detail(line)
        || is_statement_line(line)
        || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

/// What is open at the end of a text.
#[derive(Debug, Default)]
struct Open {
    /// The quote that text stands in. A double one may be that of a row of CSV, and keeps nothing open.
    quote: Option<char>,
    depth: usize,
    /// Whether another part of a list has to follow.
    comma: bool,
}

impl Open {
    fn of(text: &str) -> Self {
        let mut open = Self::default();
        open.take(text);
        open
    }

    fn take(&mut self, text: &str) {
        for c in text.chars() {
            match (self.quote, c) {
                (Some(quote), c) if c == quote => self.quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => self.quote = Some(c),
                (None, '(') => self.depth += 1,
                (None, ')') => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        self.comma = self.quote.is_none() && text.ends_with(',');
    }

    fn is_open(&self) -> bool {
        self.quote == Some('\'') || self.depth > 0 || self.comma
    }
}

#[cfg(test)]
mod tests {
    use crate::explain::{Plan, read_plans};

    fn only(text: &str) -> Plan {
        let mut plans = read_plans(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(plans.len(), 1, "{text}");
        plans.remove(0).plan
    }

    fn refused(text: &str) -> String {
        let error = read_plans(text.as_bytes()).unwrap_err();
        format!("{error} ({})", error.hint().unwrap())
    }

    fn append(filter: &str) -> String {
        format!(
            "Append  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..900.0 rows=100 loops=1)
  ->  Seq Scan on a  (cost=0.00..200.00 rows=100 width=80) (actual time=0.05..1.0 rows=50 loops=1)
        Filter: {filter}
        Rows Removed by Filter: 10
  ->  Seq Scan on b  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..890.0 rows=50 loops=1)
        Filter: (kind = 5)
        Rows Removed by Filter: 900000
Execution Time: 901.5 ms
"
        )
    }

    #[test]
    fn newlines_in_a_constant_end_no_plan() {
        let filters = [
            "(note = 'line one\nline two'::text)",
            "(note = 'it''s (\n\n  Limit: 1 -> x\n)'::text)",
            "((state = ANY ('{new,\nopen}'::text[])) AND (kind = 5))",
            "((kind = 5) AND\n(state = 3))",
        ];
        for filter in filters {
            let plan = only(&append(filter));
            assert_eq!(plan.nodes().len(), 3);
            let read = plan.nodes()[1].conditions.filter.as_deref().unwrap().replace(char::is_whitespace, "");
            assert_eq!(read, filter.replace(char::is_whitespace, ""));
            assert_eq!((plan.nodes()[1].removed.filter, plan.nodes()[2].removed.filter), (10.0, 900_000.0));
            assert_eq!(plan.execution_ms, Some(901.5));
        }
        // What is cut off takes nothing of what follows.
        assert_eq!(only(&append("(note = 'line on")), {
            let mut plan = only(&append("(note = 5)"));
            plan.nodes[1].conditions.filter = Some("(note = 'line on".to_owned());
            plan
        });
    }

    #[test]
    fn broken_lines_are_put_together() {
        let whole = "\
Sort  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..91.0 rows=100 loops=1)
  Sort Key: t.a, t.b
  ->  Seq Scan on t  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..90.0 rows=100 loops=1)
        Filter: (a = 5)
Execution Time: 90.5 ms
";
        for at in [
            "(actual time=0.05..91.0",
            "rows=100 loops=1)\n  S",
            "t.b",
            "(actual time=0.05..90.0",
            "loops=1)\n        F",
        ] {
            let (before, after) = whole.split_once(at).unwrap();
            assert_eq!(only(&format!("{}\n{at}{after}", before.trim_end())), only(whole), "{at}");
        }
    }

    #[test]
    fn a_plan_in_parts_is_refused() {
        let whole = append("(kind = 5)");
        let torn = |at: &str| whole.replacen(at, &format!("a page ends here\n{at}"), 1);
        let told = ["  ->  Seq Scan on b", "        Filter", "Execution"].map(|at| refused(&torn(at)) + "\n").concat();
        insta::assert_snapshot!(told, @r#"
        line 5: "a page ends here" is no line of a plan, but line 6 goes on with the one above: "->  Seq Scan on b  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..890.0 rows=50 loops=1)" (take away what does not belong to it, put broken lines together, or use EXPLAIN (FORMAT JSON))
        line 3: "a page ends here" is no line of a plan, but line 4 goes on with the one above: "Filter: (kind = 5)" (take away what does not belong to it, put broken lines together, or use EXPLAIN (FORMAT JSON))
        line 8: "a page ends here" is no line of a plan, but line 9 goes on with the one above: "Execution Time: 901.5 ms" (take away what does not belong to it, put broken lines together, or use EXPLAIN (FORMAT JSON))
        "#);
        // Another plan may follow, and what is said of both.
        let two = format!("{whole}and then\n{whole}\nThe first is\nExecution Time: 901.5 ms\n");
        assert_eq!(read_plans(two.as_bytes()).unwrap().len(), 2);
    }
}
