//! Tests: broken lines are put together, and a plan in parts is refused.

use crate::plan::{model::Plan, paste::read::read_plans};

fn only(text: &str) -> Plan {
    let mut plans = read_plans(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(plans.len(), 1, "{text}");
    plans.remove(0).plan
}

fn refused(text: &str) -> String {
    let error = read_plans(text.as_bytes()).unwrap_err();
    format!("{error} ({})", error.hint().unwrap())
}

fn append(filter: &str) -> String {
    format!(
        "Append  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..900.0 rows=100 loops=1)
  ->  Seq Scan on a  (cost=0.00..200.00 rows=100 width=80) (actual time=0.05..1.0 rows=50 loops=1)
        Filter: {filter}
        Rows Removed by Filter: 10
  ->  Seq Scan on b  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..890.0 rows=50 loops=1)
        Filter: (kind = 5)
        Rows Removed by Filter: 900000
Execution Time: 901.5 ms
"
    )
}

#[test]
fn newlines_in_a_constant_end_no_plan() {
    let filters = [
        "(note = 'line one\nline two'::text)",
        "(note = 'it''s (\n\n  Limit: 1 -> x\n)'::text)",
        "((state = ANY ('{new,\nopen}'::text[])) AND (kind = 5))",
        "((kind = 5) AND\n(state = 3))",
    ];
    for filter in filters {
        let plan = only(&append(filter));
        assert_eq!(plan.nodes().len(), 3);
        let read = plan.nodes()[1].conditions.filter.as_deref().unwrap().replace(char::is_whitespace, "");
        assert_eq!(read, filter.replace(char::is_whitespace, ""));
        assert_eq!((plan.nodes()[1].removed.filter, plan.nodes()[2].removed.filter), (10.0, 900_000.0));
        assert_eq!(plan.execution_ms, Some(901.5));
    }
    // What is cut off takes nothing of what follows.
    assert_eq!(only(&append("(note = 'line on")), {
        let mut plan = only(&append("(note = 5)"));
        plan.nodes[1].conditions.filter = Some("(note = 'line on".to_owned());
        plan
    });
}

#[test]
fn broken_lines_are_put_together() {
    let whole = "\
Sort  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..91.0 rows=100 loops=1)
  Sort Key: t.a, t.b
  ->  Seq Scan on t  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..90.0 rows=100 loops=1)
        Filter: (a = 5)
Execution Time: 90.5 ms
";
    for at in
        ["(actual time=0.05..91.0", "rows=100 loops=1)\n  S", "t.b", "(actual time=0.05..90.0", "loops=1)\n        F"]
    {
        let (before, after) = whole.split_once(at).unwrap();
        assert_eq!(only(&format!("{}\n{at}{after}", before.trim_end())), only(whole), "{at}");
    }
}

#[test]
fn a_plan_in_parts_is_refused() {
    let whole = append("(kind = 5)");
    let torn = |at: &str| whole.replacen(at, &format!("a page ends here\n{at}"), 1);
    let told = ["  ->  Seq Scan on b", "        Filter", "Execution"].map(|at| refused(&torn(at)) + "\n").concat();
    insta::assert_snapshot!(told, @r#"
    line 5: "a page ends here" is no line of a plan, but line 6 goes on with the one above: "->  Seq Scan on b  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..890.0 rows=50 loops=1)" (take away what does not belong to it, put broken lines together, or use EXPLAIN (FORMAT JSON))
    line 3: "a page ends here" is no line of a plan, but line 4 goes on with the one above: "Filter: (kind = 5)" (take away what does not belong to it, put broken lines together, or use EXPLAIN (FORMAT JSON))
    line 8: "a page ends here" is no line of a plan, but line 9 goes on with the one above: "Execution Time: 901.5 ms" (take away what does not belong to it, put broken lines together, or use EXPLAIN (FORMAT JSON))
    "#);
    // Another plan may follow, and what is said of both.
    let two = format!("{whole}and then\n{whole}\nThe first is\nExecution Time: 901.5 ms\n");
    assert_eq!(read_plans(two.as_bytes()).unwrap().len(), 2);
}
