//! A bitmap that did not fit in work_mem.

use super::Rule;
use crate::{
    explain::{
        diagnose::{Case, Sighting},
        plan::Node,
        words::{count, percent},
    },
    record::Confidence,
};

/// Share of the pages that were named whole.
const MIN_SHARE: f64 = 0.1;
/// Rows checked in vain below which it does not matter.
const MIN_ROWS: f64 = 1_000.0;
/// Bytes that a bitmap takes of memory for a page.
const BYTES_A_PAGE: f64 = 64.0;

pub(super) const RULE: Rule = Rule {
    id: "lossy-bitmap",
    title: "A bitmap of rows did not fit in work_mem",
    sees: "a Bitmap Heap Scan of which over 10 % of the pages were lossy and which dropped over 1 000 rows on rechecking them",
    why: "A bitmap scan first notes which rows an index names. Where work_mem does not hold the notes, only the pages are kept, and every row of such a page has \
          to be checked again.",
    advice: "Raise work_mem for this statement, or narrow the condition of the index so that fewer pages are named.",
    source: "https://pganalyze.com/docs/explain/insights/lossy-bitmaps; 64 bytes a page: tbm_calculate_entries of https://github.com/postgres/postgres/blob/master/src/backend/nodes/tidbitmap.c",
    reads_estimates: false,
    explains: &["read-efficiency", "hot-node"],
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
        let pages = scan.nodes.iter().map(|node| pages(node)).fold(0.0, f64::max);
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

/// Pages of one execution.
fn pages(node: &Node) -> f64 {
    (node.lossy_blocks.unwrap_or(0.0) + node.exact_blocks.unwrap_or(0.0)) / node.loops().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::rules::captured::{assert_on_top, assert_silent, told};

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
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_bitmap_scan", "dead_index_entries"]);
    }
}
