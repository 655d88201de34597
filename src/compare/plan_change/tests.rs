use std::{fs, path::PathBuf};

use proptest::prelude::*;

use super::*;
use crate::{
    plan::{Plan, figures},
    record::{Phase, sample},
};

fn node(depth: usize, node_type: &str, relation: Option<&str>, ms: f64) -> PlanNode {
    let label = relation.map_or_else(|| node_type.to_owned(), |relation| format!("{node_type} on {relation}"));
    PlanNode {
        depth,
        label,
        node_type: node_type.into(),
        relation: relation.map(Into::into),
        alias: relation.map(Into::into),
        index: None,
        details: Vec::new(),
        own_ms: Some(ms),
        total_ms: Some(ms),
        ..sample::record(Phase::Before).plans[0].nodes[0].clone()
    }
}

fn plan(nodes: Vec<PlanNode>) -> PlanFigures {
    PlanFigures { nodes, ..sample::plan("it", true) }
}

/// As if it had not been executed.
fn estimated(nodes: Vec<PlanNode>) -> PlanFigures {
    let bare = |node| PlanNode {
        own_ms: None,
        total_ms: None,
        rows: None,
        rows_removed: None,
        loops: None,
        own_buffers: None,
        share: None,
        ..node
    };
    plan(nodes.into_iter().map(bare).collect())
}

/// Each change in a line.
fn told(before: &PlanFigures, after: &PlanFigures) -> String {
    let line = |PlanChange { kind, effect, severity, what, .. }: PlanChange| {
        format!("{kind:?} {effect:?} {}: {what}", severity.as_str())
    };
    changes(before, after).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A plan that `tests/fixtures/plans/make.sh` captured.
fn captured(major: u32, name: &str) -> PlanFigures {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/plans/{major}/{name}.json"));
    figures(&Plan::parse(&fs::read_to_string(path).unwrap()).unwrap(), "it", "hot", Vec::new())
}

#[test]
fn a_scan_of_the_table_that_becomes_one_of_an_index_is_better_and_back_is_critical() {
    for major in [14, 15, 16, 17, 18] {
        let (slow, fast) = (captured(major, "seq_scan_sort"), captured(major, "index_scan"));
        let better = told(&slow, &fast);
        assert!(better.contains("Sort Better info: Sort is gone"), "{major}: {better}");
        assert!(better.contains("Scan Better info: Seq Scan became Index Scan"), "{major}: {better}");
        let worse = told(&fast, &slow);
        assert!(worse.contains("Sort Worse warning: Sort is new"), "{major}: {worse}");
        assert!(worse.contains("Scan Worse critical: Index Scan became Seq Scan"), "{major}: {worse}");
        assert_eq!(told(&slow, &slow), "");
    }
}

#[test]
fn the_times_decide_where_both_were_executed_and_the_kind_where_not() {
    let scan = |node_type, ms| vec![node(0, node_type, Some("t"), ms)];
    let (index, whole, only) = ("Index Scan", "Seq Scan", "Index Only Scan");
    let by_times = |before, after| told(&plan(before), &plan(after));
    assert_eq!(by_times(scan(index, 9.0), scan(whole, 2.0)), "Scan Better info: Index Scan became Seq Scan");
    assert_eq!(by_times(scan(index, 2.0), scan(whole, 2.2)), "Scan Neither info: Index Scan became Seq Scan");
    assert_eq!(by_times(scan(index, 0.01), scan(whole, 0.05)), "Scan Neither info: Index Scan became Seq Scan");
    assert_eq!(by_times(scan(index, 2.0), scan(whole, 9.0)), "Scan Worse critical: Index Scan became Seq Scan");
    assert_eq!(by_times(scan(only, 2.0), scan(index, 9.0)), "Scan Worse warning: Index Only Scan became Index Scan");
    assert_eq!(by_times(scan(whole, 2.0), scan(index, 9.0)), "Scan Worse info: Seq Scan became Index Scan");
    let by_kind = |before, after| told(&estimated(before), &plan(after));
    assert_eq!(by_kind(scan(index, 9.0), scan(whole, 2.0)), "Scan Worse critical: Index Scan became Seq Scan");
    assert_eq!(by_kind(scan(whole, 9.0), scan(only, 9.0)), "Scan Better info: Seq Scan became Index Only Scan");
}

#[test]
fn time_alone_is_no_change_within_what_a_single_execution_varies_by() {
    let scan = |node_type, ms, rows: f64| PlanNode { rows: Some(rows), ..node(0, node_type, Some("t"), ms) };
    let of = |before: (f64, f64), after: (f64, f64)| {
        let (before, after) = (scan("Index Scan", before.0, before.1), scan("Bitmap Heap Scan", after.0, after.1));
        told(&plan(vec![before]), &plan(vec![after]))
    };
    let neither = "Scan Neither info: Index Scan became Bitmap Heap Scan";
    // 0.6 ms and 1.7 times, with the same rows and buffers.
    assert_eq!(of((0.9, 20.0), (1.5, 20.0)), neither);
    assert_eq!(of((20.0, 20.0), (39.0, 20.0)), neither);
    assert_eq!(of((0.1, 20.0), (0.9, 20.0)), neither);
    assert_eq!(of((20.0, 20.0), (41.0, 20.0)), "Scan Worse info: Index Scan became Bitmap Heap Scan");
    // With more rows it is no noise.
    assert_eq!(of((0.9, 20.0), (1.5, 90_000_000.0)), "Scan Worse info: Index Scan became Bitmap Heap Scan");
}

#[test]
fn a_join_by_another_method_is_worse_only_where_it_is_slower() {
    let join = |method, ms, cost| {
        let own = PlanNode { cost: Some(cost), ..node(0, method, None, ms) };
        vec![own, node(1, "Seq Scan", Some("a"), 1.0), node(1, "Seq Scan", Some("b"), 1.0)]
    };
    let (hash, nested) = (|ms, cost| join("Hash Join", ms, cost), |ms, cost| join("Nested Loop", ms, cost));
    assert_eq!(told(&plan(hash(5.0, 1.0)), &plan(nested(2.0, 9.0))), "Join Better info: Hash Join became Nested Loop");
    assert_eq!(
        told(&plan(hash(2.0, 9.0)), &plan(nested(5.0, 1.0))),
        "Join Worse warning: Hash Join became Nested Loop"
    );
    let (cheap, dear) = (estimated(hash(1.0, 100.0)), estimated(nested(1.0, 200.0)));
    assert_eq!(told(&cheap, &dear), "Join Worse warning: Hash Join became Nested Loop");
    assert_eq!(told(&dear, &cheap), "Join Better info: Nested Loop became Hash Join");
}

#[test]
fn joins_are_known_by_what_they_join_whatever_their_order() {
    let (a, b, c) = (Some("a"), Some("b"), Some("c"));
    let before = plan(vec![
        node(0, "Hash Join", None, 9.0),
        node(1, "Nested Loop", None, 5.0),
        node(2, "Seq Scan", a, 1.0),
        node(2, "Index Scan", b, 1.0),
        node(1, "Hash", None, 1.0),
        node(2, "Seq Scan", c, 1.0),
    ]);
    let after = plan(vec![
        node(0, "Hash Join", None, 9.0),
        node(1, "Seq Scan", c, 1.0),
        node(1, "Merge Join", None, 5.0),
        node(2, "Index Scan", b, 1.0),
        node(2, "Seq Scan", a, 1.0),
    ]);
    assert_eq!(told(&before, &after), "Join Neither info: Nested Loop became Merge Join");
    let [only] = changes(&before, &after).try_into().unwrap();
    assert_eq!((only.before, only.after), (Some(1), Some(2)));
}

#[test]
fn a_join_of_other_relations_is_another_join() {
    let scan = |depth, alias: &str, table: &str| PlanNode {
        alias: Some(alias.into()),
        ..node(depth, "Seq Scan", Some(table), 0.1)
    };
    // The inner join is of the first two, or of the last two.
    let joined = |ms, inner, inner_ms, tables: [(&str, &str); 3]| {
        let [outer, one, other] = tables.map(|(alias, table)| scan(2, alias, table));
        let outer = PlanNode { depth: 1, ..outer };
        plan(vec![node(0, "Hash Join", None, ms), node(1, inner, None, inner_ms), one, other, outer])
    };
    let other_join = "Node Neither info: Merge Join is new\nNode Neither info: Nested Loop is gone";
    let [a, b, c] = [("a", "a"), ("b", "b"), ("c", "c")];
    let before = joined(100.0, "Nested Loop", 0.2, [c, a, b]);
    assert_eq!(told(&before, &joined(10.0, "Merge Join", 5.0, [a, b, c])), other_join);
    assert_eq!(told(&before, &joined(100.0, "Merge Join", 5.0, [a, b, c])), other_join);
    // Of one table under several names the names tell, and else the table, whatever a rewritten query calls it.
    let [x, y, z] = [("x", "t"), ("y", "t"), ("z", "t")];
    let before_self = joined(100.0, "Nested Loop", 0.2, [z, x, y]);
    assert_eq!(told(&before_self, &joined(100.0, "Merge Join", 5.0, [x, y, z])), other_join);
    let renamed = joined(100.0, "Merge Join", 5.0, [c, ("first", "a"), ("second", "b")]);
    assert_eq!(told(&before, &renamed), "Join Worse warning: Nested Loop became Merge Join");
}

#[test]
fn what_is_slower_in_a_plan_that_is_faster_is_no_cause_for_alarm() {
    let limited = |ms, scan, scan_ms| plan(vec![node(0, "Limit", None, ms), node(1, scan, Some("t"), scan_ms)]);
    let before = limited(51.0, "Index Scan", 1.0);
    let told_of = |ms| told(&before, &limited(ms, "Seq Scan", 3.0));
    assert_eq!(told_of(4.0), "Scan Worse info: Index Scan became Seq Scan");
    // Not clearly faster.
    assert_eq!(told_of(45.0), "Scan Worse critical: Index Scan became Seq Scan");
    assert_eq!(told_of(60.0), "Scan Worse critical: Index Scan became Seq Scan");
}

#[test]
fn names_conditions_and_workers_are_told_and_constants_are_not() {
    let scan = |index: &str, condition: &str| {
        let details = vec![condition.to_owned(), "Heap Fetches: 3".into()];
        PlanNode { index: Some(index.into()), details, ..node(1, "Index Scan", Some("t"), 1.0) }
    };
    let of = |gather: &str, scan| plan(vec![node(0, gather, None, 1.0), scan]);
    let before = of("Limit", scan("t_a", "Index Cond: (a = 42)"));
    assert_eq!(told(&before, &of("Limit", scan("t_a", "Index Cond: (a = 7)"))), "");
    for generic in ["Index Cond: (a = $1)", "Index Cond: (a = '42'::bigint)"] {
        assert_eq!(told(&before, &of("Limit", scan("t_a", generic))), "");
    }
    insta::assert_snapshot!(told(&before, &of("Limit", scan("t_a", "Filter: (a = 42)"))), @"Details Neither info: other conditions or keys");
    insta::assert_snapshot!(told(&before, &of("Gather", scan("t_b", "Index Cond: (a = 7)"))), @"
    Node Neither info: Limit is gone
    Parallel Neither info: Gather is new
    Index Neither info: by t_b instead of t_a
    ");
}

#[test]
fn the_same_node_that_reads_twice_as_much_is_told_where_it_counts() {
    let scan = |rows, share| {
        plan(vec![PlanNode {
            rows: Some(rows),
            rows_removed: Some(0.0),
            share: Some(share),
            ..node(0, "Seq Scan", Some("t"), 1.0)
        }])
    };
    assert_eq!(told(&scan(100.0, 1.0), &scan(250.0, 1.0)), "Figures Neither info: the same node, other figures");
    assert_eq!(told(&scan(100.0, 1.0), &scan(150.0, 1.0)), "");
    assert_eq!(told(&scan(100.0, 0.001), &scan(250.0, 0.001)), "");
}

#[test]
fn a_plan_without_nodes_has_no_changes() {
    assert_eq!(changes(&plan(Vec::new()), &sample::plan("it", false)), []);
}

#[test]
fn ten_thousand_nodes_are_matched_at_once() {
    let wide = |node_type: &str| {
        let scans = (0..10_000).map(|part| node(1, node_type, Some(&format!("part_{part}")), 1.0));
        plan([node(0, "Append", None, 10_000.0)].into_iter().chain(scans).collect())
    };
    let (before, after) = (wide("Seq Scan"), wide("Index Scan"));
    let begin = std::time::Instant::now();
    assert_eq!(changes(&before, &after).len(), 10_000);
    assert!(begin.elapsed().as_secs_f64() < 2.0);
}

fn any_nodes() -> impl Strategy<Value = Vec<PlanNode>> {
    let types =
        prop::sample::select(vec!["Seq Scan", "Index Scan", "Hash Join", "Nested Loop", "Sort", "Hash", "Limit"]);
    prop::collection::vec((0_usize..6, types, 0..3), 1..30).prop_map(|nodes| {
        let of = |(depth, node_type, table): (usize, &str, i32)| {
            node(depth, node_type, node_type.ends_with("Scan").then(|| ["a", "b", "c"][table as usize]), 1.0)
        };
        nodes.into_iter().map(of).collect()
    })
}

proptest! {
    #[test]
    fn every_node_is_matched_once_and_a_plan_matches_itself(before in any_nodes(), after in any_nodes()) {
        let pairs = aligned(&before, &after);
        let mut places: [Vec<usize>; 2] = [pairs.iter().filter_map(|pair| pair.0).collect(), pairs.iter().filter_map(|pair| pair.1).collect()];
        places.iter_mut().for_each(|side| side.sort_unstable());
        prop_assert_eq!(places, [(0..before.len()).collect::<Vec<_>>(), (0..after.len()).collect()]);
        prop_assert!(aligned(&before, &before).iter().all(|(one, other)| one == other && one.is_some()));
        prop_assert!(changes(&plan(before.clone()), &plan(before)).is_empty());
    }
}
