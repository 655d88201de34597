//! A function is called for every row, as policies of row-level security do.

use crate::{
    advice,
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
    },
    record::{Confidence, Severity},
    sqltext::condition,
    text::rounded as count,
};

/// Rows from which calling a function for each counts.
const MIN_ROWS: f64 = 1_000.0;
/// Share of a scan's time that the calls are taken to be, where its filter keeps most rows: they are not timed apart.
const CALLS_SHARE: f64 = 0.5;
/// Functions of PostgreSQL that may be computed anew at execution but cost next to nothing, or are meant to differ by row.
const BUILT_IN: &[&str] = &[
    "COALESCE",
    "EXTRACT",
    "GREATEST",
    "LEAST",
    "NULLIF",
    "OVERLAY",
    "POSITION",
    "ROW",
    "SUBSTRING",
    "TRIM",
    "abs",
    "age",
    "btrim",
    "ceil",
    "chr",
    "clock_timestamp",
    "concat",
    "concat_ws",
    "convert_from",
    "convert_to",
    "date",
    "date_bin",
    "date_part",
    "date_trunc",
    "daterange",
    "decode",
    "encode",
    "floor",
    "format",
    "gen_random_uuid",
    "int4range",
    "int8range",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_time",
    "make_timestamp",
    "make_timestamptz",
    "md5",
    "mod",
    "now",
    "nullif",
    "numrange",
    "overlay",
    "phraseto_tsquery",
    "plainto_tsquery",
    "position",
    "power",
    "random",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "sha256",
    "split_part",
    "statement_timestamp",
    "string_to_array",
    "strpos",
    "substr",
    "substring",
    "timeofday",
    "timestamptz",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "transaction_timestamp",
    "translate",
    "trunc",
    "tsrange",
    "tstzrange",
    "upper",
    "websearch_to_tsquery",
];
/// What names of further such functions begin with, those of PostGIS among them.
const BUILT_IN_PREFIXES: &[&str] = &["array_", "json_", "jsonb_", "pg_", "regexp_", "st_"];

pub(crate) const RULE: Rule = Rule {
    id: "rls-per-row",
    title: "A function is called for every row",
    sees: "a scan that read over 1 000 rows with a filter that calls current_setting or a function of the user's own: one that needs no column or, where \
           the catalog says that the table has row-level security, one that alone decides on a row",
    why: "The function gives the same answer for every row, or could be asked once for all of them, but is called for each. As long as it is not known to be \
          stable, no index is looked up by its result either.",
    advice: "Write the call as a scalar subquery, (SELECT f()), so that it runs once and an index can be looked up by its result; mark the function STABLE where it is; turn \
             a function that decides row by row into a comparison with a list that it returns.",
    source: "https://www.postgresql.org/docs/current/xfunc-volatility.html, https://www.postgresql.org/docs/current/ddl-rowsecurity.html",
    shown_by: &["https://coderapp.vercel.app/answer/76340485"],
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter", "hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for scan in case.scans().iter().filter(|scan| scan.rows_read() > MIN_ROWS) {
        let called = scan.filter().into_iter().find_map(|term| called_per_row(case, scan, term));
        let Some((name, takes_column)) = called else { continue };
        let waste = scan.waste.as_ref();
        let at_stake_ms = match waste {
            Some(waste) => waste.at_stake_ms,
            None => scan.own_ms().map(|ms| ms * CALLS_SHARE),
        };
        let index = if waste.is_some() { scan.index(case) } else { None };
        let policy = if has_policies(case, scan) { " (the table has row-level security)" } else { "" };
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
    // What takes a column of another table is computed for the row of that.
    let own = calls.iter().find(|(name, arguments)| !is_built_in(name) && !condition::has_columns(arguments));
    if let Some((name, _)) = own {
        return Some((name, false));
    }
    let negated = condition::bare(term.strip_prefix("NOT ").unwrap_or(term));
    let (name, arguments) = condition::calls(negated).into_iter().next()?;
    let decides_alone = negated == format!("{name}({arguments})") && takes_column(arguments);
    (decides_alone && has_policies(case, scan)).then_some((name, true))
}

fn is_built_in(name: &str) -> bool {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    BUILT_IN.contains(&name) || BUILT_IN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn has_policies(case: &Case<'_>, scan: &Scan<'_>) -> bool {
    let relation = scan.node.relation.as_deref().unwrap_or_default();
    case.statement.tables.find(scan.node.schema.as_deref(), relation).is_some_and(|table| table.row_security)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_on_top, assert_silent, findings_of_text, told};

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
    fn only_what_no_row_decides_is_called_for_each_in_vain() {
        let finds = |filter: &str| {
            let findings = findings_of_text(&format!(
                "\
Seq Scan on payments p  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..90.0 rows=100 loops=1)
  Filter: {filter}
  Rows Removed by Filter: 900000
Execution Time: 90.5 ms"
            ));
            findings[0].rule == RULE.id
        };
        for filter in [
            "((code)::text = substr((o.ref)::text, 1, 8))",
            "(code = app_code(o.ref))",
            "(code = substr($1, 1, 8))",
            "(valid && tstzrange(now(), $1))",
        ] {
            assert!(!finds(filter), "{filter}");
        }
        for filter in ["(tenant = app.tenant())", "(tenant = (current_setting('app.tenant'::text))::integer)"] {
            assert!(finds(filter), "{filter}");
        }
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_row_level_security", "recent_without_index", "function_on_column"]);
    }
}
