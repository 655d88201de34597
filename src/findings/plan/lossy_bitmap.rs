//! A bitmap that did not fit in work_mem.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
    },
    plan::Node,
    record::Confidence,
    text::{part as percent, rounded as count},
};

/// Share of the pages that were named whole.
const MIN_SHARE: f64 = 0.1;
/// Rows checked in vain below which it does not matter.
const MIN_ROWS: f64 = 1_000.0;
/// Bytes that a bitmap takes of memory for a page.
const BYTES_A_PAGE: f64 = 64.0;

pub(crate) const RULE: Rule = Rule {
    id: "lossy-bitmap",
    title: "A bitmap of rows did not fit in work_mem",
    sees: "a Bitmap Heap Scan of which over 10 % of the pages were lossy and which dropped over 1 000 rows on rechecking them; not where all were lossy, as \
           with BRIN, unless the catalog says that its indexes are of another method",
    why: "A bitmap scan first notes which rows an index names. Where work_mem does not hold the notes, only the pages are kept, and every row of such a page has \
          to be checked again.",
    advice: "Raise work_mem for this statement, or narrow the condition of the index so that fewer pages are named.",
    source: "https://pganalyze.com/docs/explain/insights/lossy-bitmaps; 64 bytes a page: tbm_calculate_entries of https://github.com/postgres/postgres/blob/master/src/backend/nodes/tidbitmap.c",
    shown_by: &["https://thesev1database.com/cookbook/bitmap-heap-scan-rechecking-excessive-rows-lossy/"],
    reads_estimates: false,
    explains: &["read-efficiency", "hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for scan in case.scans() {
        let (lossy, exact) =
            (scan.sum(|node| node.lossy_blocks.unwrap_or(0.0)), scan.sum(|node| node.exact_blocks.unwrap_or(0.0)));
        let rechecked = scan.sum(|node| node.removed.recheck * node.loops());
        if lossy <= MIN_SHARE * (lossy + exact) || rechecked - scan.sum(Node::rounding) < MIN_ROWS {
            continue;
        }
        // BRIN names whole pages with any work_mem.
        if of_brin(case, scan).unwrap_or(exact == 0.0) {
            continue;
        }
        let pages = scan.nodes.iter().map(|node| pages(case, node)).fold(0.0, f64::max);
        // Room for half as much again: the bitmap grows with the table.
        let mib = ((pages * BYTES_A_PAGE * 1.5) / 1_048_576.0).ceil().max(1.0);
        let at_stake_ms = scan.own_ms().map(|ms| ms * rechecked / scan.rows_read().max(1.0));
        let setting = case.plan.settings.get("work_mem").map(|set| format!(" with work_mem {set}")).unwrap_or_default();
        seen.push(Sighting {
            severity: case.by_share(at_stake_ms),
            node: Some(scan.at),
            evidence: format!(
                "{} had {} of {} pages lossy ({}){setting} and checked {} rows in vain to keep {}{}",
                scan.label(),
                count(lossy),
                count(lossy + exact),
                percent(lossy / (lossy + exact)),
                count(rechecked),
                count(scan.rows()),
                case.cost(scan.buffers(), scan.own_ms())
            ),
            at_stake_ms,
            advice: format!("raise work_mem for this statement to {mib:.0} MB or more, so that the bitmap names rows instead of pages"),
            statements: vec![format!("SET work_mem = '{mib:.0}MB'")],
            confidence: Confidence::High,
        });
    }
    seen
}

/// Pages of one execution, in a bitmap that workers share.
fn pages(case: &Case<'_>, node: &Node) -> f64 {
    (node.lossy_blocks.unwrap_or(0.0) + node.exact_blocks.unwrap_or(0.0)) / case.executions(node).max(1.0)
}

/// Whether an index that the bitmap is made of is a BRIN index; `None` where the catalog does not say.
fn of_brin(case: &Case<'_>, scan: &Scan<'_>) -> Option<bool> {
    let table = case.statement.tables.find(scan.node.schema.as_deref(), scan.node.relation.as_deref()?)?;
    let indexes = case.plan.subtree(scan.at).iter().filter_map(|node| node.index.as_deref());
    let is_brin = |name| Some(table.indexes.iter().find(|index| index.name == name)?.method == "brin");
    let known: Option<Vec<bool>> = indexes.map(is_brin).collect();
    known.map(|brin| brin.contains(&true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{IndexFacts, TableFacts, Tables},
        findings::plan::captured::{assert_on_top, assert_silent, findings_beside, findings_of_text, rules_of, told},
    };

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        assert_on_top(RULE.id, "lossy_bitmap");
        insta::assert_snapshot!(told(RULE.id, "lossy_bitmap"), @"
        critical: Bitmap Heap Scan on ticks had 2 580 of 3 333 pages lossy (77 %) with work_mem 64kB and checked 123 840 rows in vain to keep 3 333, 3 333 buffers
        raise work_mem for this statement to 1 MB or more, so that the bitmap names rows instead of pages
        SET work_mem = '1MB'
        ");
    }

    #[test]
    fn brin_names_whole_pages_with_any_work_mem() {
        let plan = "\
Bitmap Heap Scan on logs  (cost=50.00..90000.00 rows=50000 width=80) (actual time=2.3..64.5 rows=50000 loops=1)
  Recheck Cond: (at >= '2024-01-01'::date)
  Rows Removed by Index Recheck: 12000
  Heap Blocks: lossy=1024
  Buffers: shared hit=1060
  ->  Bitmap Index Scan on logs_at  (cost=0.00..50.00 rows=50000 width=0) (actual time=1.3..1.3 rows=10240 loops=1)
        Index Cond: (at >= '2024-01-01'::date)
        Buffers: shared hit=36
Execution Time: 66.0 ms";
        assert_eq!(rules_of(&findings_of_text(plan)), ["hot-node"]);
        let of_method = |plan: &str, method: &str| {
            let index = IndexFacts { name: "logs_at".into(), method: method.into(), ..Default::default() };
            let table = TableFacts { name: "logs".into(), indexes: vec![index], ..Default::default() };
            findings_beside(plan, &Tables { tables: vec![table] })
        };
        assert_eq!(rules_of(&of_method(plan, "btree")), [RULE.id]);
        let some_exact = plan.replace("lossy=1024", "exact=100 lossy=924");
        assert_eq!(rules_of(&findings_of_text(&some_exact)), [RULE.id]);
        assert_eq!(rules_of(&of_method(&some_exact, "brin")), ["hot-node"]);
    }

    #[test]
    fn workers_share_a_bitmap() {
        let findings = findings_of_text(
            "\
Gather  (cost=1000.00..90000.00 rows=900000 width=80) (actual time=50.0..900.0 rows=900000 loops=1)
  Workers Planned: 2
  Workers Launched: 2
  Buffers: shared hit=90000
  ->  Parallel Bitmap Heap Scan on ticks  (cost=1000.00..80000.00 rows=375000 width=80) (actual time=50.0..800.0 rows=300000 loops=3)
        Recheck Cond: (kind = 5)
        Rows Removed by Index Recheck: 700000
        Heap Blocks: exact=10000 lossy=20000
        Buffers: shared hit=90000
        ->  Bitmap Index Scan on ticks_kind_idx  (cost=0.00..1000.00 rows=900000 width=0) (actual time=45.0..45.0 rows=900000 loops=1)
              Index Cond: (kind = 5)
Execution Time: 905.0 ms",
        );
        assert_eq!(findings[0].statements, ["SET work_mem = '3MB'"]);
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_bitmap_scan", "dead_index_entries"]);
    }
}
