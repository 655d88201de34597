use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalog::Tables;

const QUERY: &str = "SELECT * FROM t JOIN u ON t.a = u.b WHERE t.a = 5 AND u.b > 3 ORDER BY t.a LIMIT 5";

/// What the rules find in a plan as JSON, of several classes and with the statement's text where `sql` is given.
fn found(root: &Value, sql: Option<&str>) -> Vec<Finding> {
    let plan = Plan::from_json(&json!([{ "Plan": root, "Planning Time": 1.0, "Execution Time": 100.0 }])).unwrap();
    let plans = ["hot", "absent"].map(|class| ClassPlan { class: class.to_owned(), plan: plan.clone() });
    diagnose(&Examined { name: None, sql, plans: &plans, tables: &Tables::default(), executions: None })
}

#[test]
fn a_bitmap_where_none_belongs_is_passed_over() {
    for above in ["Append", "Gather", "Limit", "BitmapAnd", "Bitmap Heap Scan"] {
        let bitmap = json!({ "Node Type": "Bitmap Index Scan", "Index Name": "t_a", "Index Cond": "(a = 5)", "Actual Loops": 1,
            "Actual Rows": 1, "Total Cost": 5000, "Shared Hit Blocks": 1000 });
        let above = json!({ "Node Type": above, "Actual Loops": 1, "Plans": [bitmap] });
        found(
            &json!({ "Node Type": "Bitmap Heap Scan", "Relation Name": "t", "Actual Loops": 1, "Plans": [above] }),
            None,
        );
    }
}

#[test]
fn a_statement_is_read_once_however_many_tables_it_has() {
    let scans: Vec<Value> = (0..2_000)
        .map(|table| {
            json!({ "Node Type": "Seq Scan", "Relation Name": format!("t{table}"), "Alias": format!("t{table}"), "Filter": "(a = 5)",
                "Actual Loops": 1, "Actual Rows": 10, "Actual Startup Time": 0, "Actual Total Time": 1, "Shared Hit Blocks": 100,
                "Rows Removed by Filter": 20_000 })
        })
        .collect();
    let sql = format!("SELECT * FROM t0 WHERE a = 5{}", " AND c > 1".repeat(250));
    let begin = std::time::Instant::now();
    let findings = found(&json!({ "Node Type": "Append", "Actual Loops": 1, "Plans": scans }), Some(&sql));
    assert_eq!(findings.iter().filter(|finding| finding.rule == "seq-scan-filter").count(), 2_000);
    // Minutes where the text is read for each of them.
    assert!(begin.elapsed().as_secs() < 30, "{:?}", begin.elapsed());
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => 0.0..100.0_f64,
        3 => 1e3..1e7_f64,
        1 => Just(0.0),
        2 => Just(1.0),
        1 => prop::sample::select(vec![f64::MAX, f64::MIN_POSITIVE, 1e300, 9.007_199_254_740_993e15, 1.844_674_407_370_955_2e19]),
    ]
}

fn pick(of: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(of)
}

const TYPES: &[&str] = &[
    "Seq Scan",
    "Index Scan",
    "Index Only Scan",
    "Bitmap Heap Scan",
    "Bitmap Index Scan",
    "BitmapAnd",
    "BitmapOr",
    "Sort",
    "Incremental Sort",
    "Limit",
    "Gather",
    "Gather Merge",
    "Append",
    "Merge Append",
    "Nested Loop",
    "Hash Join",
    "Merge Join",
    "Hash",
    "Materialize",
    "Memoize",
    "Aggregate",
    "WindowAgg",
    "Unique",
    "SetOp",
    "Result",
    "Subquery Scan",
    "CTE Scan",
    "Function Scan",
    "LockRows",
    "ModifyTable",
    "Recursive Union",
    "Foreign Scan",
    "Task",
];

const CONDITIONS: &[&str] = &[
    "(a = 5)",
    "((t.a = 5) AND (t.b > 3))",
    "((t.a = 5) OR (u.b = 6))",
    "(t.a = u.b)",
    "((t.a)::text = 'x'::text)",
    "(lower(t.name) = 'x'::text)",
    "(name ~~ '%x'::text)",
    "(NOT (hashed SubPlan 1))",
    "(SubPlan 1)",
    "(a = $0)",
    "(a <> ALL ('{1,2}'::integer[]))",
    "(a = ANY ('{1,2}'::integer[]))",
    "true",
    "",
    "((",
    "'",
];

const CONDITION_KEYS: &[&str] =
    &["Filter", "Index Cond", "Recheck Cond", "Join Filter", "Hash Cond", "Merge Cond", "One-Time Filter"];

const FIGURES: &[&str] = &[
    "Actual Rows",
    "Actual Loops",
    "Actual Startup Time",
    "Actual Total Time",
    "Plan Rows",
    "Plan Width",
    "Startup Cost",
    "Total Cost",
    "Rows Removed by Filter",
    "Rows Removed by Index Recheck",
    "Rows Removed by Join Filter",
    "Shared Hit Blocks",
    "Shared Read Blocks",
    "Temp Written Blocks",
    "Heap Fetches",
    "Exact Heap Blocks",
    "Lossy Heap Blocks",
    "Index Searches",
    "Workers Planned",
    "Workers Launched",
    "Subplans Removed",
    "Cache Hits",
    "Cache Misses",
    "Cache Evictions",
    "Hash Batches",
    "Original Hash Batches",
    "Peak Memory Usage",
];

/// A node of any type, with any conditions and figures, above any others.
fn node() -> impl Strategy<Value = Value> {
    let names = (
        prop::option::of(pick(&["t", "u", "t_1", "Größe"])),
        prop::option::of(pick(&["t", "t_1", "t_2", "u"])),
        prop::option::of(pick(&["t_pkey", "t_a"])),
        pick(&["Outer", "Inner", "Member", "InitPlan", "SubPlan", "Subquery"]),
        prop::option::of(pick(&["SubPlan 1", "InitPlan 1", "CTE x"])),
        pick(&["Inner", "Left", "Semi", "Anti"]),
    );
    let conditions = prop::collection::vec((pick(CONDITION_KEYS), pick(CONDITIONS)), 0..4);
    let keys = prop::collection::vec(pick(&["a", "t.a DESC", "u.b NULLS FIRST", "(count(*))", ""]), 0..3);
    let figures = prop::collection::vec((pick(FIGURES), number()), 0..8);
    let ran = (number(), number(), number(), number());
    let sort = prop::option::of(pick(&["top-N heapsort", "external merge", "quicksort"]));
    let bare = (pick(TYPES), names, conditions, keys, sort, figures, ran).prop_map(
        |(node_type, names, conditions, keys, sort, figures, (rows, loops, ms, removed))| {
            let (relation, alias, index, relationship, subplan, join) = names;
            let mut node = json!({ "Node Type": node_type, "Parent Relationship": relationship, "Join Type": join, "Actual Rows": rows,
                "Actual Loops": loops, "Actual Startup Time": 0.0, "Actual Total Time": ms, "Rows Removed by Filter": removed });
            let named = [("Relation Name", relation), ("Alias", alias), ("Index Name", index), ("Subplan Name", subplan)];
            for (key, text) in named.into_iter().chain(conditions.into_iter().map(|(key, text)| (key, Some(text)))) {
                if let Some(text) = text {
                    node[key] = text.into();
                }
            }
            if !keys.is_empty() {
                node["Sort Key"] = keys.into();
            }
            if let Some(method) = sort {
                node["Sort Method"] = method.into();
                node["Sort Space Used"] = 25.into();
                node["Sort Space Type"] = if method == "external merge" { "Disk" } else { "Memory" }.into();
            }
            for (key, figure) in figures {
                node[key] = figure.into();
            }
            node
        },
    );
    let bare = bare.boxed();
    bare.clone().prop_recursive(6, 24, 3, move |inner| {
        (bare.clone(), prop::collection::vec(inner, 1..4)).prop_map(|(mut node, plans)| {
            node["Plans"] = plans.into();
            node
        })
    })
}

proptest! {
    #[test]
    fn whatever_the_plan_it_is_diagnosed(root in node(), with_text in any::<bool>()) {
        let findings = found(&root, with_text.then_some(QUERY));
        for finding in findings {
            prop_assert!(finding.share.is_none_or(|share| (0.0..=1.0).contains(&share)), "{finding:?}");
            prop_assert!(finding.at_stake_ms.is_none_or(|ms| !ms.is_nan() && ms >= 0.0), "{finding:?}");
        }
    }
}

/// A plan of one node beside others of the statement.
fn plan_of(root: &Value) -> Plan {
    Plan::from_json(&json!([{ "Plan": root, "Planning Time": 1.0, "Execution Time": 100.0 }])).unwrap()
}

#[test]
fn a_cause_is_one_finding_in_whatever_plans_and_under_whatever_rules() {
    let scan = |extra: Value| {
        let mut scan = json!({ "Node Type": "Seq Scan", "Relation Name": "t", "Alias": "t", "Filter": "(a = 5)", "Actual Loops": 1,
            "Actual Rows": 10, "Actual Startup Time": 0, "Actual Total Time": 90, "Shared Hit Blocks": 1000,
            "Rows Removed by Filter": 200_000 });
        scan.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        scan
    };
    let custom = plan_of(&scan(json!({})));
    let generic =
        plan_of(&json!({ "Node Type": "Gather", "Workers Planned": 1, "Workers Launched": 0, "Actual Loops": 1,
        "Actual Rows": 10, "Actual Startup Time": 0, "Actual Total Time": 95, "Plans": [scan(json!({}))] }));
    let found = |first: &str, second: &str| {
        let plans = [(first, &custom), (second, &generic)]
            .map(|(class, plan)| ClassPlan { class: class.to_owned(), plan: plan.clone() });
        let tables = Tables::default();
        let mut found = diagnose(&Examined { name: None, sql: None, plans: &plans, tables: &tables, executions: None });
        found.retain(|finding| finding.rule == "seq-scan-filter");
        found
    };
    let [one] = &found("hot", "generic")[..] else { panic!("one finding") };
    assert_eq!(one.classes.len(), 2);
    // Values that somebody gave have no class: it is not of the generic plan alone.
    let [one] = &found("", "generic")[..] else { panic!("one finding") };
    assert!(one.classes.is_empty(), "{one:?}");
}

#[test]
fn what_is_thrown_away_further_up_explains_what_making_it_took() {
    let spilled = json!({ "Node Type": "Sort", "Sort Key": ["t.a"], "Sort Method": "external merge", "Sort Space Used": 90_000,
        "Sort Space Type": "Disk", "Actual Loops": 1, "Actual Rows": 300_000, "Plan Rows": 300_000, "Actual Startup Time": 0, "Actual Total Time": 90,
        "Temp Written Blocks": 10_000, "Plans": [{ "Node Type": "Seq Scan", "Relation Name": "t", "Alias": "t", "Actual Loops": 1,
        "Actual Rows": 300_000, "Plan Rows": 300_000, "Actual Startup Time": 0, "Actual Total Time": 10 }] });
    let rules = |kept: u32| {
        let root = json!({ "Node Type": "Subquery Scan", "Alias": "s", "Filter": "(s.b = 5)", "Actual Loops": 1, "Actual Rows": kept, "Plan Rows": kept,
            "Rows Removed by Filter": 300_000 - kept, "Actual Startup Time": 0, "Actual Total Time": 98,
            "Plans": [spilled.clone()] });
        found(&root, None).into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(3), ["late-filter"]);
    assert!(rules(299_000).contains(&"sort-spill".to_owned()));
}
