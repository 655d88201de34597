//! Lines that are broken into several: PostgreSQL prints the newlines of a constant as they are, terminals and mails break long lines.

use super::{
    Error, Line, begins, is_detail, is_statement_line,
    label::{self, MEASURES},
    pasted,
};

/// Lines more that the line of a node is looked for in.
const MOST_OF_NODE: usize = 3;

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

/// The line with those that it goes on in, and how many they are; `None` where it is whole, or its end is nowhere.
pub(super) fn joined<'t>(line: &str, following: impl Iterator<Item = Line<'t>>) -> Option<(String, usize)> {
    if is_node(line) {
        return joined_node(line, following);
    }
    // Of these it is seen where they end. What is looked through ends where another of them begins: nothing is twice.
    if !is_detail(line) {
        return None;
    }
    let mut open = Open::of(line);
    if !open.is_open() {
        return None;
    }
    let mut text = line.to_owned();
    for (number, next) in (1..).zip(following) {
        if is_own(next.text) {
            return None;
        }
        open.take(next.text);
        text.push('\n');
        text.push_str(next.text);
        if !open.is_open() {
            return Some((text, number));
        }
    }
    None
}

/// What is measured stands in brackets, and may stand in the next line.
fn joined_node<'t>(line: &str, following: impl Iterator<Item = Line<'t>>) -> Option<(String, usize)> {
    let mut open = Open::of(line);
    let mut found = None;
    let mut text = line.to_owned();
    for (number, next) in (1..=MOST_OF_NODE).zip(following) {
        let goes_on = open.depth > 0 || MEASURES.iter().any(|measure| next.text.starts_with(measure));
        if !goes_on || is_own(next.text) {
            break;
        }
        open.take(next.text);
        text.push(' ');
        text.push_str(next.text);
        if open.depth == 0 {
            found = Some((text.clone(), number));
        }
    }
    found
}

/// Refuses a plan that ends at `end`, a line that is none of its own, where more of it follows.
///
/// # Errors
/// More of it follows, before another plan begins.
pub(super) fn refuse_torn<'t>(
    end: Line<'t>,
    following: impl Iterator<Item = Line<'t>>,
    root_indent: usize,
    is_timed: bool,
) -> Result<(), Error> {
    let mut lines = std::iter::once(end).chain(following).filter(|line| !line.text.is_empty()).peekable();
    while let Some(line) = lines.next() {
        if begins(line.text, || lines.peek().map(|next| next.text)) {
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

fn is_node(line: &str) -> bool {
    line.starts_with("->") || label::has_measures(line) && label::is_node(line)
}

/// Whether the line is one of a plan for itself.
fn is_own(line: &str) -> bool {
    is_node(line)
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
