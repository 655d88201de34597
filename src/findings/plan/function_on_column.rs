//! A filter compares what a function makes of a column.

use super::index_not_used;
use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Compared,
    },
    sqltext::condition::{self, Side},
};

/// Functions and types that make a coarser time of a column: a range of the column says the same.
const TIMES: &[&str] = &["EXTRACT", "date", "date_part", "date_trunc", "timezone", "to_char"];

pub(crate) const RULE: Rule = Rule {
    id: "function-on-column",
    title: "A function around a column keeps its index from being used",
    sees: "a scan as in seq-scan-filter or index-filter whose filter compares an expression made of a column, such as `lower(email) = ...` or \
           `created_at::date = ...`",
    why: "An index on a column holds the column's values, not what a function makes of them. The database has to compute the expression for every row to \
          compare it.",
    advice: "Compare the column itself, as with a range of times; where that cannot be, index the expression.",
    source: "https://www.postgresql.org/docs/current/indexes-expressional.html; thresholds as in seq-scan-filter",
    shown_by: &["https://stackoverflow.com/questions/27493284", "https://stackoverflow.com/questions/32706868"],
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter", "hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for (scan, waste) in case.wasteful() {
        let Some(compared) = scan.comparisons().iter().find(|compared| compared.is_ordered() && is_wrapped(compared))
        else {
            continue;
        };
        let expression = condition::unqualified(condition::bare(compared.expression), scan.alias());
        let columns = condition::columns(compared.expression, scan.alias());
        let rewritten = index_not_used::rewritten(case, scan);
        let (advice, index) = match (columns.as_slice(), is_time(compared)) {
            _ if rewritten.is_some() => (String::new(), None),
            ([column], true) => (
                format!(
                    "compare {column} itself with a range ({column} >= start AND {column} < end), and give it an index"
                ),
                None,
            ),
            (columns, _) if let Some(name) = unstable(&expression) => (
                format!(
                    "compare {} instead, each with its part of the value: no index can hold {expression}, since {name}() may depend on the session",
                    columns.join(" and ")
                ),
                None,
            ),
            _ => (
                format!("index the expression {expression}, or rewrite the condition to compare the column itself"),
                scan.index(case),
            ),
        };
        let sighting = Sighting {
            evidence: format!(
                "{}; the filter compares {expression}, which an index on {} does not hold",
                waste.evidence,
                columns.join(", ")
            ),
            advice,
            ..scan.wasted(waste)
        };
        seen.push(match rewritten {
            Some((advice, statements)) => Sighting { advice, statements, ..sighting },
            None => sighting.with_index(index),
        });
    }
    seen
}

/// Functions that PostgreSQL takes to depend on settings of the session, so that no index can hold what they give.
const UNSTABLE: &[&str] = &["age", "concat", "concat_ws", "format", "to_char", "to_date", "to_timestamp"];

/// The function in an expression by which no index can hold it.
fn unstable(expression: &str) -> Option<&str> {
    condition::calls(expression).into_iter().map(|(name, _)| name).find(|name| UNSTABLE.contains(name))
}

fn is_wrapped(compared: &Compared<'_>) -> bool {
    match compared.side {
        // A row is compared by its columns.
        Side::Expression => !["SubPlan", "InitPlan", "ROW("].iter().any(|part| compared.expression.contains(part)),
        Side::Cast { .. } => is_time(compared),
        _ => false,
    }
}

/// Whether the expression makes a time of a column coarser.
pub(crate) fn is_time(compared: &Compared<'_>) -> bool {
    match compared.side {
        Side::Cast { to, .. } => matches!(to, "date" | "time without time zone" | "time with time zone"),
        _ => condition::calls(compared.expression).iter().any(|(name, _)| TIMES.contains(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_on_top, assert_silent, findings_of_text, rules_of, told};

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        for name in ["function_on_column", "day_of_a_timestamp", "json_key"] {
            assert_on_top(RULE.id, name);
        }
        insta::assert_snapshot!(told(RULE.id, "function_on_column"), @"
        critical: Seq Scan on people read 100 000 rows to keep 1 (99.99 % removed), 925 buffers; the filter compares lower(email), which an index on email does not hold
        give people an index on (lower(email)): it finds the rows by lower(email); this follows from the plan alone, which does not say whether there is such an index already
        CREATE INDEX CONCURRENTLY people_lower_idx ON planted_function_on_column.people (lower(email))
        ");
        insta::assert_snapshot!(told(RULE.id, "day_of_a_timestamp"), @"
        critical: Seq Scan on bookings read 150 000 rows to keep 288 (99.8 % removed), 956 buffers; the filter compares (booked_at)::date, which an index on booked_at does not hold
        write the condition as booked_at >= '2026-03-05'::date AND booked_at < '2026-03-05'::date + interval '1 day', and give booked_at an index
        CREATE INDEX CONCURRENTLY ON planted_day_of_a_timestamp.bookings (booked_at)
        ");
    }

    #[test]
    fn a_row_is_no_function() {
        let findings = findings_of_text(
            "\
Seq Scan on t  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..90.0 rows=100 loops=1)
  Filter: (ROW(created_at, id) > ROW($1, $2))
  Rows Removed by Filter: 900000
Execution Time: 90.5 ms",
        );
        assert_eq!(rules_of(&findings), ["seq-scan-filter"]);
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(
            RULE.id,
            &["missing_index", "recent_without_index", "varchar_without_index", "implicit_cast", "leading_wildcard"],
        );
    }
}
