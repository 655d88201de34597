//! What a record keeps of a plan.

use std::collections::HashSet;

use super::{
    model::{Node, Plan},
    tree::tree,
};
use crate::record::PlanFigures;

/// Figures of the plan of `statement` with parameters of `class`, shown as `parameters`.
///
/// Rows are totals over loops and workers; PostgreSQL rounds them by loop, so that with `n` loops each node's total may
/// be off by `n / 2`. Buffers are those of the execution, planning left out.
pub fn figures(plan: &Plan, statement: &str, class: &str, parameters: Vec<String>) -> PlanFigures {
    let mut known = HashSet::new();
    let labels = plan.nodes().iter().filter(|node| node.scans_relation()).map(Node::label);
    let scans: Vec<String> = labels.filter(|label| known.insert(label.clone())).collect();
    let is_analyzed = plan.is_analyzed();
    let buffers = plan.root().buffers.filter(|_| is_analyzed);
    PlanFigures {
        statement: statement.to_owned(),
        class: class.to_owned(),
        parameters,
        shape: plan.shape(),
        scans,
        planning_ms: plan.planning_ms.unwrap_or(0.0),
        execution_ms: plan.execution_ms,
        rows_read: is_analyzed.then(|| whole(plan.nodes().iter().map(Node::rows_read).sum())),
        rows_returned: is_analyzed.then(|| whole(plan.root().rows())),
        buffers_hit: buffers.map(|buffers| buffers.hit),
        buffers_read: buffers.map(|buffers| buffers.read),
        nodes: tree(plan),
        values_from: Vec::new(),
        value_rows: Vec::new(),
        first_ms: None,
        executions_ms: Vec::new(),
        generic_is_same: None,
        note: None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and no rows are negative")]
fn whole(rows: f64) -> u64 {
    rows.round() as u64
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    /// A plan that `tests/fixtures/plans/make.sh` captured.
    fn captured(major: u32, name: &str) -> Plan {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/plans/{major}/{name}.json"));
        Plan::parse(&fs::read_to_string(&path).unwrap()).unwrap()
    }

    fn of(major: u32, name: &str) -> PlanFigures {
        figures(&captured(major, name), "latest", "hot", vec!["42".into()])
    }

    fn buffers(figures: &PlanFigures) -> u64 {
        figures.buffers_hit.unwrap() + figures.buffers_read.unwrap()
    }

    const MAJORS: [u32; 5] = [14, 15, 16, 17, 18];

    #[test]
    fn every_captured_plan_of_every_version_is_read() {
        for major in MAJORS {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/plans/{major}"));
            let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let of_json: Vec<_> =
                paths.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
            assert!(of_json.len() >= 70, "{major}: {of_json:?}");
            for path in of_json {
                let plan = Plan::parse(&fs::read_to_string(&path).unwrap()).unwrap();
                let executed = plan.nodes().iter().filter(|node| node.actual.is_some()).count();
                let nodes = plan.nodes().len();
                assert_eq!(executed, if plan.is_analyzed() { nodes } else { 0 }, "{}", path.display());
                assert_eq!(plan.planning_ms.is_some(), plan.execution_ms.is_some(), "{}", path.display());
            }
        }
    }

    #[test]
    fn a_seq_scan_reads_the_table_and_an_index_scan_what_it_returns() {
        for major in MAJORS {
            let before = of(major, "seq_scan_sort");
            assert_eq!(before.shape, "Limit > Sort > Seq Scan on events");
            assert_eq!(before.scans, ["Seq Scan on events"]);
            assert_eq!((before.rows_read, before.rows_returned), (Some(100_000), Some(20)));
            // 736 pages of the table, and what sorting looks up in the catalogue.
            assert!((736..760).contains(&buffers(&before)), "{major}: {before:?}");

            let after = of(major, "index_scan");
            assert_eq!(after.shape, "Limit > Index Scan using events_user_id_created_at_idx on events");
            assert_eq!((after.rows_read, after.rows_returned), (Some(20), Some(20)));
            assert!((3..60).contains(&buffers(&after)), "{major}: {after:?}");
        }
    }

    #[test]
    fn rows_are_totals_over_loops_and_workers() {
        for major in MAJORS {
            let plan = captured(major, "parallel_seq_scan");
            let scan = plan.nodes().iter().find(|node| node.scans_relation()).unwrap();
            assert_eq!(scan.label(), "Parallel Seq Scan on events");
            assert_eq!(scan.loops(), 3.0);
            // 100 returned and 99 900 removed by three, rounded by loop.
            assert!((scan.rows_read() - 100_000.0).abs() <= 2.0 * scan.rounding(), "{}", scan.rows_read());
            let gather = plan.nodes().iter().find(|node| node.workers_planned.is_some()).unwrap();
            assert_eq!((gather.workers_planned, gather.workers_launched), (Some(2), Some(2)));

            let plan = captured(major, "nested_loop");
            let inner = plan.nodes().iter().find(|node| node.loops() == 500.0).unwrap();
            assert_eq!(inner.label(), "Index Scan using events_pkey on events");
            assert!((inner.rows() - 499.0).abs() <= inner.rounding());
            // All 1 000 users are read, and an event a loop.
            assert!(of(major, "nested_loop").rows_read.unwrap().abs_diff(1_500) <= 250);
        }
    }

    #[test]
    fn a_node_that_never_ran_is_told_apart_from_one_without_rows() {
        for major in MAJORS {
            let plan = captured(major, "never_executed");
            let [without_rows, never_ran] = ["users", "events"]
                .map(|relation| plan.nodes().iter().find(|node| node.relation.as_deref() == Some(relation)).unwrap());
            assert!(never_ran.never_executed() && !without_rows.never_executed());
            assert_eq!((without_rows.rows(), never_ran.rows_read()), (0.0, 0.0));
        }
    }

    #[test]
    fn shapes_read_as_explain_prints_them() {
        let shapes: String =
            ["update", "init_plan", "partitions", "hash_join", "cte", "bitmap_scan", "index_only_scan"]
                .map(|name| format!("{}\n", of(15, name).shape))
                .concat();
        insta::assert_snapshot!(shapes, @"
        Update on events > Seq Scan on events
        Seq Scan on events
        Aggregate > Append > Seq Scan on parts_1
        HashAggregate > Hash Left Join > Seq Scan on events
        Merge Join > Sort > CTE Scan
        Bitmap Heap Scan on events > Bitmap Index Scan on events_user_id_created_at_idx
        Limit > Index Only Scan using events_user_id_created_at_idx on events
        ");
    }

    #[test]
    fn scans_are_told_once_and_a_bitmap_heap_scan_counts_once() {
        assert_eq!(of(15, "partitions").scans, ["Seq Scan on parts_1", "Seq Scan on parts_2"]);
        let bitmap = of(15, "bitmap_scan");
        assert_eq!(bitmap.scans, ["Bitmap Heap Scan on events"]);
        assert_eq!(bitmap.rows_read, Some(100));
        // The CTE is read from events once, however often it is scanned.
        assert_eq!(of(15, "cte").rows_read, Some(1_000));
    }

    #[test]
    fn decimals_of_version_18_are_kept() {
        let plan = captured(18, "parallel_seq_scan");
        assert!(plan.nodes().iter().any(|node| node.actual.is_some_and(|actual| actual.rows.fract() != 0.0)));
    }
}
