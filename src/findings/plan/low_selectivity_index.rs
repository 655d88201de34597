//! A large part of a table fetched row by row.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
    },
    record::Confidence,
    text::{part as percent, rounded as count},
};

/// Rows of an execution below which fetching them one by one is cheap.
const MIN_ROWS: f64 = 10_000.0;
/// Pages visited for a row: 1 where each row is on another page than the one before.
const PAGES_A_ROW: f64 = 0.5;
/// Share of the table's rows from which an index on a few of its columns is no way to them.
const LARGE_SHARE: f64 = 0.2;
/// What reading the table in passing costs against fetching a page for each row.
const PASSING_SHARE: f64 = 0.25;

pub(crate) const RULE: Rule = Rule {
    id: "low-selectivity-index",
    title: "A large part of a table is fetched row by row",
    sees: "an Index Scan that in one execution fetched over 10 000 rows and kept over half of them, visiting over one page for every two rows: \
           over 20 % of the table's rows by the catalog; without one only if the plan's settings have enable_seqscan off",
    why: "An index leads to rows one at a time, and neighbours in the index lie on pages all over the table. For a few rows that is the fastest way, for a large \
          part of the table each page is visited again and again, where reading the table once would visit it once.",
    advice: "Where only a few columns are needed, hold them in the index (INCLUDE), so that the table is not visited; otherwise let the planner read the table \
             whole: check random_page_cost, effective_cache_size and enable_seqscan, and fresh statistics; or store the rows in the index's order (CLUSTER).",
    source: "random_page_cost, 4 by default: https://www.postgresql.org/docs/current/runtime-config-query.html",
    shown_by: &["https://postgrespro.com/list/id/op.u6c8l3xucke6l8@soyouz"],
    reads_estimates: false,
    explains: &["hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for scan in case.scans().iter().filter(|scan| scan.node.node_type == "Index Scan") {
        let read = scan.rows_read();
        let executions = scan.nodes.iter().map(|node| case.executions(node)).fold(1.0, f64::max);
        let kept = scan.rows() >= read / 2.0;
        let Some(pages) = scan.buffers() else { continue };
        if read / executions < MIN_ROWS || !kept || (pages as f64) < PAGES_A_ROW * read {
            continue;
        }
        let of_table = rows_of_table(case, scan).map(|rows| (read / executions / rows).min(1.0));
        // Without the table's size it may be a small part of it, unless the planner was kept from reading it whole.
        let is_forced = || case.plan.settings.get("enable_seqscan").is_some_and(|set| set == "off");
        if of_table.map_or_else(|| !is_forced(), |share| share < LARGE_SHARE) {
            continue;
        }
        let at_stake_ms = scan.own_ms().map(|ms| ms * (1.0 - PASSING_SHARE));
        let part = of_table.map(|share| format!(", {} of the table,", percent(share))).unwrap_or_default();
        seen.push(Sighting {
            severity: case.by_share(at_stake_ms),
            node: Some(scan.at),
            evidence: format!(
                "{} fetched {} rows{part} one by one, {:.1} pages visited for each{}",
                scan.label(),
                count(read),
                pages as f64 / read,
                case.cost(Some(pages), scan.own_ms())
            ),
            at_stake_ms,
            advice: "hold the columns that the statement needs in the index (INCLUDE), or let the planner read the table whole (random_page_cost, statistics)"
                .to_owned(),
            statements: Vec::new(),
            confidence: if of_table.is_some() { Confidence::Medium } else { Confidence::Low },
        });
    }
    seen
}

fn rows_of_table(case: &Case<'_>, scan: &Scan<'_>) -> Option<f64> {
    let rows = scan.nodes.iter().map(|node| {
        let table = case.statement.tables.find(node.schema.as_deref(), node.relation.as_deref()?)?;
        (table.rows > 0.0).then_some(table.rows)
    });
    rows.sum()
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
        assert_on_top(RULE.id, "row_by_row");
        insta::assert_snapshot!(told(RULE.id, "row_by_row"), @"
        critical: Index Scan using meters_station on meters fetched 105 253 rows one by one, 1.0 pages visited for each, 105 344 buffers
        hold the columns that the statement needs in the index (INCLUDE), or let the planner read the table whole (random_page_cost, statistics)
        ");
    }

    #[test]
    fn what_part_of_the_table_it_is_has_to_be_known() {
        let plan = "\
Index Scan using events_account_id_idx on events  (cost=0.57..40000.00 rows=20000 width=200) (actual time=0.05..25.0 rows=20000 loops=1)
  Index Cond: (account_id = 7)
  Buffers: shared hit=18000
Execution Time: 26.5 ms";
        assert_eq!(rules_of(&findings_of_text(plan)), ["hot-node"]);
        let of_rows = |rows| {
            let table = TableFacts { name: "events".into(), rows, ..Default::default() };
            findings_beside(plan, &Tables { tables: vec![table] })
        };
        assert_eq!(rules_of(&of_rows(5_000_000.0)), ["hot-node"]);
        assert_eq!(rules_of(&of_rows(40_000.0)), [RULE.id]);
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(
            RULE.id,
            &[
                "healthy_index_in_table_order",
                "wrong_index_for_order",
                "offset_pagination",
                "partitions_by_another_column",
            ],
        );
    }
}
