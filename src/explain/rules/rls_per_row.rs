//! A function is called for every row, as policies of row-level security do.

use super::Rule;
use crate::{
    explain::{
        advice, condition,
        diagnose::{Case, Sighting},
        scans::Scan,
        words::count,
    },
    record::{Confidence, Severity},
};

/// Rows from which calling a function for each counts.
const MIN_ROWS: f64 = 1_000.0;
/// Share of a scan's time that the calls are taken to be, where its filter keeps most rows: they are not timed apart.
const CALLS_SHARE: f64 = 0.5;
/// Functions of PostgreSQL that are computed anew at execution but cost next to nothing, or are meant to differ by row.
const CHEAP: &[&str] = &[
    "COALESCE",
    "EXTRACT",
    "GREATEST",
    "LEAST",
    "NULLIF",
    "ROW",
    "age",
    "clock_timestamp",
    "concat",
    "date",
    "date_part",
    "date_trunc",
    "format",
    "gen_random_uuid",
    "length",
    "lower",
    "make_interval",
    "now",
    "phraseto_tsquery",
    "plainto_tsquery",
    "random",
    "statement_timestamp",
    "timezone",
    "to_char",
    "to_date",
    "to_number",
    "to_timestamp",
    "to_tsquery",
    "transaction_timestamp",
    "upper",
    "websearch_to_tsquery",
];

pub(super) const RULE: Rule = Rule {
    id: "rls-per-row",
    title: "A function is called for every row",
    sees: "a scan that read over 1 000 rows with a filter that calls current_setting or a function of the user's own: one that needs no column or, where \
           the catalog says that the table has row-level security, one that alone decides on a row",
    why: "The function gives the same answer for every row, or could be asked once for all of them, but is called for each. As long as it is not known to be \
          stable, no index is looked up by its result either.",
    advice: "Write the call as a scalar subquery, (SELECT f()), so that it runs once and an index can be looked up by its result; mark the function STABLE where it is; turn \
             a function that decides row by row into a comparison with a list that it returns.",
    source: "https://www.postgresql.org/docs/current/xfunc-volatility.html, https://www.postgresql.org/docs/current/ddl-rowsecurity.html",
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter", "hot-node"],
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for scan in case.scans().into_iter().filter(|scan| scan.rows_read() > MIN_ROWS) {
        let called = scan.filter().into_iter().find_map(|term| called_per_row(case, &scan, term));
        let Some((name, takes_column)) = called else { continue };
        let waste = case.waste(&scan);
        let at_stake_ms = match &waste {
            Some(waste) => waste.at_stake_ms,
            None => scan.own_ms().map(|ms| ms * CALLS_SHARE),
        };
        let index = if waste.is_some() { scan.index(case) } else { None };
        let policy = if has_policies(case, &scan) { " (the table has row-level security)" } else { "" };
        let cost = case.cost(scan.buffers(), scan.own_ms());
        seen.push(Sighting {
            severity: waste.map_or_else(|| case.by_share(at_stake_ms), |waste| waste.severity.max(Severity::Warning)),
            node: Some(scan.at),
            evidence: format!(
                "{} called {name}() for each of {} rows to keep {}{policy}{cost}",
                scan.label(),
                count(scan.rows_read()),
                count(scan.rows())
            ),
            at_stake_ms,
            advice: if takes_column {
                format!("have {name}() return what is allowed, once, and compare the column with that, instead of calling it for each row")
            } else {
                format!("write the call of {name}() as a subquery, (SELECT ...), so that it runs once and its result can be looked up in an index")
            },
            statements: index.map(advice::IndexAdvice::statements).unwrap_or_default(),
            confidence: Confidence::Medium,
        });
    }
    seen
}

/// The function that the term calls for each row, and whether it takes columns of the table.
fn called_per_row<'a>(case: &Case<'_>, scan: &Scan<'a>, term: &'a str) -> Option<(&'a str, bool)> {
    let takes_column = |arguments| !condition::columns(arguments, scan.alias()).is_empty();
    let calls = condition::calls(term);
    let own = calls.iter().find(|(name, arguments)| !CHEAP.contains(name) && !takes_column(arguments));
    if let Some((name, _)) = own {
        return Some((name, false));
    }
    let negated = condition::bare(term.strip_prefix("NOT ").unwrap_or(term));
    let (name, arguments) = condition::calls(negated).into_iter().next()?;
    let decides_alone = negated == format!("{name}({arguments})") && takes_column(arguments);
    (decides_alone && has_policies(case, scan)).then_some((name, true))
}

fn has_policies(case: &Case<'_>, scan: &Scan<'_>) -> bool {
    let relation = scan.node.relation.as_deref().unwrap_or_default();
    case.statement.tables.find(scan.node.schema.as_deref(), relation).is_some_and(|table| table.row_security)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::rules::captured::{assert_on_top, assert_silent, told};

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        for name in ["row_level_security", "volatile_policy"] {
            assert_on_top(RULE.id, name);
        }
        insta::assert_snapshot!(told(RULE.id, "row_level_security"), @"
        critical: Seq Scan on notes called tenant() for each of 60 000 rows to keep 30 000, 383 buffers
        write the call of tenant() as a subquery, (SELECT ...), so that it runs once and its result can be looked up in an index
        ");
        insta::assert_snapshot!(told(RULE.id, "volatile_policy"), @"
        critical: Seq Scan on invoices called current_tenant() for each of 50 000 rows to keep 100, 271 buffers
        write the call of current_tenant() as a subquery, (SELECT ...), so that it runs once and its result can be looked up in an index
        ");
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_row_level_security", "recent_without_index", "function_on_column"]);
    }
}
