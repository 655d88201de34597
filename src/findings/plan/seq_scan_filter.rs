//! A table is read whole and most of it thrown away.

use super::index_not_used;
use crate::{
    advice,
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::{Scan, Waste},
    },
    plan::Node,
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// By the estimates alone: rows of the table, the share of them that is dropped, and of the plan's cost that the scan is.
const MIN_ROWS: f64 = 10_000.0;
const MIN_REMOVED: f64 = 0.9;
const MIN_COST: f64 = 0.1;

pub(crate) const RULE: Rule = Rule {
    id: "seq-scan-filter",
    title: "A table is read whole and most of it thrown away",
    sees: "a Seq Scan, or those of a table's partitions together, that read over 10 000 rows and removed over 50 % of them by its filter; critical over 90 %, good to \
           know up to 75 %, where an index would hardly be faster. Of a plan that was not executed, a Seq Scan that is expected to keep under a tenth of over 10 000 rows, as \
           the catalog counts them, and is a tenth of the plan's cost, unless a LIMIT may end it early",
    why: "Every execution reads every row of the table to find the few that it wants: it takes as long for one row as for all, grows with the table, and \
          under concurrent load it takes the processor and the cache from everything else.",
    advice: "Give the filter an index, so that only the rows it keeps are read; where its comparison is none that an index serves, such as <>, a partial index, or \
             write it as one that is.",
    source: "shares as in https://github.com/dalibo/pev2; a row by an index is taken to cost 4 read in passing, as \
             random_page_cost: https://www.postgresql.org/docs/current/runtime-config-query.html",
    shown_by: &[
        "https://dba.stackexchange.com/questions/287056/postgres-chooses-seq-scan-over-index-scan/287061#287061",
    ],
    reads_estimates: true,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    if !case.plan.is_analyzed() {
        let nodes = case.plan.nodes().iter().enumerate();
        return nodes.filter_map(|(at, node)| estimated(case, at, node)).collect();
    }
    let wasteful = case.wasteful().filter(|(scan, _)| scan.node.node_type == "Seq Scan");
    let advice = |columns: &str| format!("give {columns} an index, so that only the rows kept are read");
    let sighting = |scan: &Scan<'_>, waste: &Waste| {
        let sighting = scan.to_be_indexed(case, waste, advice);
        match index_not_used::rewritten(case, scan).filter(|_| sighting.confidence < Confidence::High) {
            Some((advice, statements)) => Sighting { advice, statements, confidence: Confidence::Medium, ..sighting },
            None => sighting,
        }
    };
    wasteful.map(|(scan, waste)| sighting(scan, waste)).collect()
}

/// By the estimates alone: the rows that the planner expects to be kept, of those that the catalog counts.
fn estimated(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    if node.node_type != "Seq Scan" {
        return None;
    }
    let filter = node.conditions.filter.as_deref()?;
    let table = case.statement.tables.find(node.schema.as_deref(), node.relation.as_deref()?)?;
    let kept = node.plan_rows;
    let removed = 1.0 - kept / table.rows;
    let is_much = table.rows > MIN_ROWS && removed > MIN_REMOVED;
    let is_worth = node.total_cost.zip(case.plan.root().total_cost).is_none_or(|(own, all)| own >= MIN_COST * all);
    if !is_much || !is_worth || may_end_early(case, node) {
        return None;
    }
    let sighting = Sighting {
        severity: Severity::Warning,
        node: Some(at),
        evidence: format!(
            "{} is expected to read {} rows to keep {} ({} removed), by {filter}; it was not executed",
            node.label(),
            count(table.rows),
            count(kept),
            percent(removed)
        ),
        at_stake_ms: None,
        advice: "give the columns of its filter an index, so that only the rows kept are read".to_owned(),
        statements: Vec::new(),
        confidence: Confidence::Low,
    };
    let sighting = sighting.with_index(advice::index_for(&case.planned, at));
    Some(Sighting { confidence: sighting.confidence.min(Confidence::Medium), ..sighting })
}

/// Whether a LIMIT above takes its rows as they come.
fn may_end_early(case: &Case<'_>, node: &Node) -> bool {
    let mut below = node;
    while let Some(parent) = case.plan.parent(below) {
        match parent.node_type.as_str() {
            "Limit" => return true,
            "Sort" | "Incremental Sort" | "Hash" | "Aggregate" => return false,
            _ => below = parent,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{TableFacts, Tables},
        findings::plan::captured::{assert_on_top, assert_silent, findings_beside, findings_of_text, rules_of, told},
    };

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        for name in [
            "missing_index",
            "missing_index_parallel",
            "missing_index_partitions",
            "latest_of_a_user",
            "recent_without_index",
            "varchar_without_index",
            "prefix_without_index",
        ] {
            assert_on_top(RULE.id, name);
        }
        insta::assert_snapshot!(told(RULE.id, "missing_index"), @"
        critical: Seq Scan on events read 200 000 rows to keep 40 (99.98 % removed), 2 470 buffers
        give events an index on (user_id): it finds the rows by user_id; this follows from the plan alone, which does not say whether there is such an index already
        CREATE INDEX CONCURRENTLY events_user_id_idx ON planted_missing_index.events (user_id)
        ");
        insta::assert_snapshot!(told(RULE.id, "missing_index_parallel"), @"
        critical: Parallel Seq Scan on readings read 199 998 rows to keep 39 (99.97 % removed), 2 470 buffers
        give readings an index on (device_id): it finds the rows by device_id; this follows from the plan alone, which does not say whether there is such an index already
        CREATE INDEX CONCURRENTLY readings_device_id_idx ON planted_missing_index_parallel.readings (device_id)
        ");
        insta::assert_snapshot!(told(RULE.id, "missing_index_partitions"), @"
        critical: Seq Scan on 8 partitions of clicks read 120 000 rows to keep 24 (99.98 % removed), 652 buffers
        give user_id an index, so that only the rows kept are read
        ");
    }

    #[test]
    fn an_index_is_only_advised_where_it_serves() {
        let advice = |filter: &str| {
            let findings = findings_of_text(&format!(
                "\
Seq Scan on tasks  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..90.0 rows=100 loops=1)
  Filter: {filter}
  Rows Removed by Filter: 900000
Execution Time: 90.5 ms"
            ));
            assert_eq!(findings[0].rule, RULE.id, "{filter}");
            (findings[0].advice.clone(), findings[0].confidence)
        };
        for (filter, partial) in [("(state <> 'done'::text)", "state <> 'done'::text"), ("(a = b)", "a = b")] {
            let expected = format!(
                "no index on a column serves such a comparison: where the filter is always the same, give the rows that it keeps a partial index, WHERE {partial}"
            );
            assert_eq!(advice(filter), (expected, Confidence::Low));
        }
        assert_eq!(
            advice("(NOT (hashed SubPlan 1))"),
            (
                "no index serves the filter as it is: write its subquery as a join, EXISTS or NOT EXISTS".to_owned(),
                Confidence::Low
            )
        );
        let (of_one, confidence) = advice("((state <> 'done'::text) AND (user_id = 7))");
        assert!(of_one.starts_with("give tasks an index on (user_id): ") && confidence == Confidence::High, "{of_one}");
    }

    #[test]
    fn what_was_not_executed_is_told_by_the_rows_expected() {
        let of = |plan: &str, rows: f64| {
            let table = TableFacts { name: "parcels".into(), rows, ..Default::default() };
            rules_of(&findings_beside(plan, &Tables { tables: vec![table] }))
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let scan = "Seq Scan on parcels  (cost=0.00..2000.00 rows=2 width=80)\n  Filter: (code = $1)";
        assert_eq!(of(scan, 100_000.0), [RULE.id]);
        assert!(of(scan, 900.0).is_empty());
        assert!(of(&scan.replace("rows=2 ", "rows=60000 "), 100_000.0).is_empty());
        let limited = "Limit  (cost=0.00..20.00 rows=1 width=80)\n  ->  Seq Scan on parcels  (cost=0.00..2000.00 rows=200 width=80)\n        Filter: (code = $1)";
        assert!(of(limited, 100_000.0).is_empty());
    }

    #[test]
    fn without_buffers_the_time_says_what_is_worth_a_word() {
        let of = |ms: f64| {
            let found = findings_of_text(&format!(
                "Append  (cost=0.00..20000.00 rows=1000000 width=80) (actual time=0.05..9000.0 rows=1000010 loops=1)
  ->  Seq Scan on big  (cost=0.00..2000.00 rows=1000000 width=80) (actual time=0.05..4000.0 rows=1000000 loops=1)
  ->  Seq Scan on small  (cost=0.00..2000.00 rows=10 width=80) (actual time=0.05..{ms:.1} rows=10 loops=1)
        Filter: (name = 'id'::text)
        Rows Removed by Filter: 40000
Execution Time: 9010.5 ms"
            ));
            found.iter().any(|finding| finding.rule == RULE.id)
        };
        assert_eq!((of(2.0), of(2000.0)), (false, true));
    }

    #[test]
    fn a_system_catalog_gets_no_index() {
        let of = |table: &str| {
            let found = findings_of_text(&format!(
                "Seq Scan on {table}  (cost=0.00..2000.00 rows=10 width=80) (actual time=0.05..9.0 rows=10 loops=1)
  Filter: (attname = 'id'::name)
  Rows Removed by Filter: 40000
Execution Time: 9.5 ms"
            ));
            found.into_iter().map(|finding| finding.statements.len()).sum::<usize>()
        };
        assert_eq!((of("attributes"), of("pg_attribute"), of("information_schema.sql_parts")), (1, 0, 0));
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(
            RULE.id,
            &[
                "healthy_aggregate_over_most",
                "healthy_small_table",
                "function_on_column",
                "implicit_cast",
                "leading_wildcard",
                "or_across_columns",
                "volatile_policy",
            ],
        );
    }
}
