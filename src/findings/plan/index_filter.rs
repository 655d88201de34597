//! An index finds rows most of which are thrown away.

use super::index_not_used;
use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::{Scan, Waste},
    },
    record::Confidence,
};

pub(crate) const RULE: Rule = Rule {
    id: "index-filter",
    title: "An index finds far more rows than are wanted",
    sees: "an Index Scan, Index Only Scan or Bitmap Heap Scan that read over 1 000 rows and removed over 50 % of them by its filter; critical over 90 %",
    why: "The index narrows the search by some of the conditions only. Each row that it finds is fetched from the table, mostly from a page of its own, just to \
          be thrown away: such a scan is slower than it looks, and slower still when those pages are not in memory.",
    advice: "Extend the index by the columns of the filter, so that it finds only the rows that are wanted.",
    source: "shares as in https://github.com/dalibo/pev2; https://www.postgresql.org/docs/current/indexes-multicolumn.html",
    shown_by: &["https://codenotes.tech/blog/why-database-indexes-didnt-fix-your-slow-query"],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let wasteful = case.wasteful().filter(|(scan, _)| scan.node.node_type != "Seq Scan");
    let advice = |columns: &str| format!("extend its index by {columns}, so that it finds only the rows kept");
    let sighting = |scan: &Scan<'_>, waste: &Waste| {
        let sighting = scan.to_be_indexed(case, waste, advice);
        match index_not_used::rewritten(case, scan).filter(|_| sighting.confidence < Confidence::High) {
            Some((advice, statements)) => Sighting { advice, statements, confidence: Confidence::Medium, ..sighting },
            None => sighting,
        }
    };
    wasteful.map(|(scan, waste)| sighting(scan, waste)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_on_top, assert_silent, told};

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        assert_on_top(RULE.id, "index_on_one_of_two");
        insta::assert_snapshot!(told(RULE.id, "index_on_one_of_two"), @"
        critical: Bitmap Heap Scan on actions read 30 038 rows to keep 30 (99.90 % removed), 1 547 buffers
        give actions an index on (user_id, kind): it finds the rows by user_id, kind; this follows from the plan alone, which does not say whether there is such an index already
        CREATE INDEX CONCURRENTLY actions_user_id_kind_idx ON planted_index_on_one_of_two.actions (user_id, kind)
        ");
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_bitmap_scan", "healthy_in_list", "wrong_index_for_order", "missing_index"]);
    }
}
