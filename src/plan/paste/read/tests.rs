use std::{fs, path::PathBuf};

use proptest::prelude::*;

use super::*;
use crate::plan::{
    model::{Buffers, Node},
    relatives::Relative,
};

fn fixture(name: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plans").join(name)).unwrap()
}

fn plans(text: &str) -> Vec<PastedPlan> {
    read_plans(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[track_caller]
fn only(text: &str) -> Plan {
    let mut plans = plans(text);
    assert_eq!(plans.len(), 1, "{text}");
    plans.remove(0).plan
}

fn refused(text: &str) -> String {
    let error = read_plans(text.as_bytes()).unwrap_err();
    match error.hint() {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    }
}

/// All captured plans: major, name, JSON, text.
fn captured() -> Vec<(u32, String, String, String)> {
    let mut found = Vec::new();
    for major in 14..=18 {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/plans/{major}"));
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let text = fs::read_to_string(path.with_extension("txt")).unwrap();
                found.push((major, name, fs::read_to_string(&path).unwrap(), text));
            }
        }
    }
    assert!(found.len() > 300);
    found
}

/// The node without what another execution measures anew, and what text leaves out.
fn lasting(node: &Node, is_parallel: bool) -> Node {
    let mut node = node.clone();
    let happened = |ms: Option<f64>| ms.map(|_| 0.0);
    if let Some(actual) = &mut node.actual {
        actual.startup_ms = happened(actual.startup_ms);
        actual.total_ms = happened(actual.total_ms);
    }
    (node.own_ms, node.total_ms, node.own_buffers) = (happened(node.own_ms), happened(node.total_ms), None);
    // Text does not say of nothing whether it was counted.
    node.buffers = node.buffers.filter(|buffers| *buffers != Buffers::default()).map(|_| Buffers::default());
    node.inner_unique = false;
    for figure in [&mut node.exact_blocks, &mut node.lossy_blocks, &mut node.subplans_removed] {
        *figure = figure.filter(|figure| *figure > 0.0);
    }
    if is_parallel {
        // Which process took which rows differs.
        if let Some(actual) = &mut node.actual {
            actual.loops = 1.0;
            actual.rows = 0.0;
        }
        node.removed = Default::default();
        for blocks in [&mut node.exact_blocks, &mut node.lossy_blocks, &mut node.heap_fetches] {
            *blocks = happened(*blocks);
        }
        node.index_searches = happened(node.index_searches);
        node.sort = node.sort.map(|sort| crate::plan::model::Sort { kib: 0.0, ..sort });
        node.hash = node.hash.map(|hash| crate::plan::model::HashTable { peak_kib: 0.0, ..hash });
        node.hash_aggregate =
            node.hash_aggregate.map(|hash| crate::plan::model::HashAggregate { peak_kib: 0.0, ..hash });
    }
    node
}

#[test]
fn text_and_json_of_every_captured_plan_say_the_same() {
    let mut differences = Vec::new();
    for (major, name, json, text) in captured() {
        let (of_json, of_text) = (only(&json), only(&text));
        let is_parallel = of_json.nodes().iter().any(|node| node.workers_planned.is_some());
        let writes = of_json.nodes().iter().any(Node::writes);
        assert_eq!(of_json.nodes().len(), of_text.nodes().len(), "{major}/{name}");
        for (json, text) in of_json.nodes().iter().zip(of_text.nodes()) {
            let (mut one, mut other) = (lasting(json, is_parallel), lasting(text, is_parallel));
            if writes {
                // What was rolled back made the table larger.
                for node in [&mut one, &mut other] {
                    (node.startup_cost, node.total_cost, node.plan_rows) = (None, None, 0.0);
                }
            }
            if one != other || json.label() != text.label() {
                differences.push(format!("{major}/{name}: {one:?}\n{other:?}\n"));
            }
        }
        let of_all = |plan: &Plan| {
            let triggers: Vec<_> = plan
                .triggers
                .iter()
                .map(|trigger| {
                    (trigger.name.clone(), trigger.constraint.clone(), trigger.calls, trigger.time_ms.is_some())
                })
                .collect();
            let jit = plan.jit.map(|jit| (jit.functions, jit.total_ms > 0.0));
            let times = (plan.planning_ms.is_some(), plan.execution_ms.is_some());
            (times, plan.settings.clone(), jit, triggers, plan.shape())
        };
        if of_all(&of_json) != of_all(&of_text) {
            differences.push(format!("{major}/{name}: {:?}\n{:?}\n", of_all(&of_json), of_all(&of_text)));
        }
        // Buffers of the whole: a few more or less for what is looked up in the catalog.
        if let (Some(json), Some(text)) = (of_json.root().buffers, of_text.root().buffers) {
            assert!(json.shared().abs_diff(text.shared()) <= 10 + json.shared() / 20, "{major}/{name}");
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.concat());
}

#[test]
fn every_captured_plan_is_read_however_it_is_wrapped() {
    // Every version's are read plain by the test above.
    for (major, name, json, text) in captured().into_iter().filter(|(major, ..)| *major == 18) {
        let expected = only(&json);
        assert_eq!(expected, Plan::parse(&json).unwrap());
        for (way, wrapped) in wrappings(&json) {
            assert!(only(&wrapped) == expected, "{major}/{name} {way}:\n{wrapped}");
        }
        let expected = only(&text);
        for (way, wrapped) in wrappings(&text) {
            assert!(only(&wrapped) == expected, "{major}/{name} {way}:\n{wrapped}");
        }
    }
}

/// A plan as programs print it.
fn wrappings(plan: &str) -> Vec<(&'static str, String)> {
    let plan = plan.trim_end();
    let is_json = plan.starts_with('[');
    let width = plan.lines().map(|line| line.chars().count()).max().unwrap();
    let rows =
        |begin: &str, end: &str| plan.lines().map(|line| format!("{begin}{line:width$}{end}\n")).collect::<String>();
    let rule = "-".repeat(width + 2);
    let mut ways = vec![
        ("crlf and bom", format!("\u{feff}{}\r\n", plan.replace('\n', "\r\n"))),
        ("indented", format!("see:\n\n{}\nthat is all", rows("        ", ""))),
        ("markdown", format!("The plan is\n\n```json\n{plan}\n```\n\nand it is slow [1].\n")),
        ("quoted mail", rows("> ", "")),
        ("box", format!("┌{rule}┐\n│ QUERY PLAN │\n├{rule}┤\n{}└{rule}┘\n(3 rows)\n", rows("│ ", " │"))),
        ("border 2", format!("+{rule}+\n| QUERY PLAN |\n+{rule}+\n{}+{rule}+\n(12 rows)\n\n", rows("| ", " |"))),
    ];
    if is_json {
        let expanded: String = plan
            .lines()
            .enumerate()
            .map(|(at, line)| format!("{:11}| {line:width$}+\n", if at == 0 { "QUERY PLAN " } else { "" }))
            .collect();
        let escaped = serde_json::to_string(plan).unwrap();
        ways.extend([
            ("psql", format!("   QUERY PLAN   \n{rule}\n{} \n(1 row)\n\nTime: 1.5 ms\n", rows(" ", "+"))),
            ("psql unicode", format!("   QUERY PLAN   \n{rule}\n{}\n(1 row)\n", rows(" ", "↵"))),
            ("psql border 2", format!("+{rule}+\n|   QUERY PLAN   |\n+{rule}+\n{}+{rule}+\n(1 row)\n", rows("| ", "+|"))),
            ("expanded", format!("-[ RECORD 1 ]----\n{expanded}\n")),
            ("csv", format!("\"QUERY PLAN\"\n\"{}\"\n", plan.replace('"', "\"\""))),
            ("log in csv", format!("2026-01-02 03:04:05.678 UTC,\"me\",\"db\",42,\"[local]\",64,1,\"SELECT\",,0,LOG,00000,\"plan:\n{}\",,,,\"psql\"\n", plan.replace('"', "\"\""))),
            ("text of json", escaped.clone()),
            ("in an api's answer", format!("{{\"status\": \"ok\", \"rows\": [{{\"QUERY PLAN\": {escaped}}}]}}")),
            ("array of arrays", format!("[[{plan}]]")),
            ("object of rows", format!("[{{\"QUERY PLAN\": {plan}}}]")),
            ("in one line", serde_json::from_str::<serde_json::Value>(plan).unwrap().to_string()),
        ]);
    } else {
        let lines: Vec<&str> = plan.lines().collect();
        let objects: Vec<_> = lines.iter().map(|line| serde_json::json!({ "QUERY PLAN": line })).collect();
        ways.extend([
            ("psql", format!("   QUERY PLAN   \n{rule}\n{}(12 rows)\n\nTime: 1.5 ms\n", rows(" ", ""))),
            ("log", format!("2026-01-02 03:04:05 UTC [1] LOG:  plan:\n{}2026-01-02 03:04:05 UTC [1] LOG:  checkpoint starting: time\n", rows("\t", ""))),
            ("rows of csv", lines.iter().map(|line| format!("\"{}\"\n", line.replace('"', "\"\""))).collect()),
            ("rows of json", serde_json::to_string_pretty(&objects).unwrap()),
            ("rows of json, as arrays", serde_json::to_string(&lines.iter().map(|line| [line]).collect::<Vec<_>>()).unwrap()),
        ]);
    }
    ways
}

#[test]
fn auto_explain_tells_the_statement_and_its_time() {
    let log = "\
2026-01-02 03:04:05.123 UTC [71] postgres@shop LOG:  duration: 12.345 ms  plan:
\tQuery Text: SELECT *
\t  FROM users
\tWHERE id = $1
\tQuery Parameters: $1 = '7'
\tSeq Scan on users  (cost=0.00..18.50 rows=1 width=12) (actual time=0.010..12.300 rows=1 loops=1)
\t  Filter: (id = 7)
\t  Rows Removed by Filter: 999
2026-01-02 03:04:06.123 UTC [71] postgres@shop LOG:  duration: 1.5 ms  plan:
\t{
\t  \"Query Text\": \"SELECT 1\",
\t  \"Plan\": {
\t    \"Node Type\": \"Result\",
\t    \"Plan Rows\": 1
\t  }
\t}
2026-01-02 03:04:07.123 UTC [71] postgres@shop LOG:  duration: 0.200 ms
";
    let plans = plans(log);
    let [first, second] = plans.as_slice() else { panic!("{plans:?}") };
    assert_eq!((first.line, second.line), (6, 10));
    assert_eq!(first.plan.query.as_deref(), Some("SELECT *\nFROM users\nWHERE id = $1"));
    assert_eq!(first.plan.execution_ms, Some(12.345));
    assert_eq!((first.plan.root().rows_read(), first.plan.root().label()), (1000.0, "Seq Scan on users".to_owned()));
    assert_eq!(second.plan.query.as_deref(), Some("SELECT 1"));
    assert_eq!((second.plan.is_analyzed(), second.plan.execution_ms), (false, None));
}

#[test]
fn all_plans_of_an_input_are_read_in_its_order() {
    let (json, text) = (fixture("15/seq_scan_sort.json"), fixture("15/hash_join.txt"));
    let input = format!("before:\n{text}\nafter:\n{json}\nplain:\n{}{text}{text}", fixture("18/costs_off.txt"));
    let shapes: Vec<(usize, String)> =
        plans(&input).into_iter().map(|found| (found.line, found.plan.root().label())).collect();
    assert_eq!(shapes.len(), 5);
    assert_eq!(
        shapes.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>(),
        ["HashAggregate", "Limit", "Limit", "HashAggregate", "HashAggregate"]
    );
    assert!(shapes.is_sorted() && shapes[0].0 == 2, "{shapes:?}");
    assert_eq!(only(&json.replacen('{', "{\"Query Text\": \"a\", ", 1)).query.as_deref(), Some("a"));
}

#[test]
fn utf_16_is_read() {
    let text = fixture("16/hash_join.txt");
    let mut wide = vec![0xff, 0xfe];
    wide.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(read_plans(&wide).unwrap()[0].plan, only(&text));
}

#[test]
fn what_is_cut_off_is_told_with_its_line() {
    let json = fixture("17/hash_join.json");
    let half = &json[..json.len() / 2];
    let told = refused(half);
    assert!(told.starts_with("the JSON ends in the middle, at line "), "{told}");
    assert!(told.ends_with("copy all of it, from the first `[` to the last `]`)"), "{told}");
    assert!(told.contains(&format!("line {}:", half.trim_end().lines().count())), "{told}");

    let text = fixture("17/hash_join.txt");
    let cut = text.find("Seq Scan").unwrap();
    insta::assert_snapshot!(refused(&text[..cut]), @"line 11: nothing stands behind the arrow: the plan is cut off (copy all of it, from the first line to the last)");
    insta::assert_snapshot!(refused(&text[..cut + 40]), @r#"line 11: "Seq Scan on public.events e  (cost=0.00." is no node that EXPLAIN prints whole: the plan is cut off, or not PostgreSQL's (copy all of it, from the first line to the last)"#);
    let hash = text.find("        ->  Hash  (").unwrap();
    insta::assert_snapshot!(refused(&text[..hash]), @r#"line 6: nothing stands below "Hash Left Join" that it could read from: the plan is cut off (copy all of it, from the first line to the last)"#);
}

/// All blanks in a row as one, as web pages show them.
fn folded(text: &str) -> String {
    text.lines().map(|line| format!(" {}\n", line.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

#[test]
fn lost_indentation_is_rebuilt_where_no_doubt_is_left() {
    for name in ["17/hash_join", "15/seq_scan_sort", "17/memoize", "16/merge_join", "18/partitions"] {
        let text = fixture(&format!("{name}.txt"));
        let found = plans(&folded(&text)).remove(0);
        assert!(found.damage.is_rebuilt && found.plan.has_shape_of(&only(&text)), "{name}");
    }
    for name in ["17/init_plan_shared", "16/sub_plan", "15/cte_of_cte"] {
        let told = refused(&folded(&fixture(&format!("{name}.txt"))));
        assert!(told.contains("the lines have lost their indentation, which says what is below what"), "{told}");
    }
}

#[test]
fn a_tree_that_cannot_be_is_refused() {
    let scan = |table: &str, ms: &str| {
        format!("Seq Scan on {table}  (cost=0.00..9.00 rows=5 width=4) (actual time=0.1..{ms} rows=5 loops=1)\n")
    };
    let head = |name: &str, ms: &str| {
        format!("{name}  (cost=0.00..20.00 rows=9 width=4) (actual time=0.1..{ms} rows=9 loops=1)\n")
    };
    let (a, b) = (scan("a", "4.0"), scan("b", "5.0"));
    let told = [
        format!("{}  ->  {}  ->  {a}  ->  {b}", head("Aggregate", "9.9"), head("Append", "9.5")),
        format!("{}  ->  {a}  ->  {b}", head("Sort", "9.9")),
        format!("{}  ->  {a}        ->  {b}", head("Append", "9.9")),
        format!("{}  ->  {}", head("Sort", "9.9"), scan("a", "900.0")),
        format!("{}  ->  {a}  ->  {b}  ->  {a}", head("Nested Loop", "9.9")),
    ]
    .map(|text| refused(&text) + "\n")
    .concat();
    insta::assert_snapshot!(told, @r#"
    line 3: "Seq Scan on a" stands below "Aggregate" of line 1, which takes one only: the indentation of the lines is damaged (copy the plan as it was printed, or use EXPLAIN (FORMAT JSON))
    line 3: "Seq Scan on b" stands below "Sort" of line 1, which takes one only: the indentation of the lines is damaged (copy the plan as it was printed, or use EXPLAIN (FORMAT JSON))
    line 3: "Seq Scan on b" stands below "Seq Scan on a" of line 2, which takes none: the indentation of the lines is damaged (copy the plan as it was printed, or use EXPLAIN (FORMAT JSON))
    line 2: "Seq Scan on a" took 900 ms, but stands below "Sort" of line 1, which took 10 ms in all: the indentation of the lines is damaged (copy the plan as it was printed, or use EXPLAIN (FORMAT JSON))
    line 4: "Seq Scan on a" stands below "Nested Loop" of line 1, which takes 2 only: the indentation of the lines is damaged (copy the plan as it was printed, or use EXPLAIN (FORMAT JSON))
    "#);
}

#[test]
fn a_part_of_a_plan_is_read_as_one() {
    let text = fixture("17/hash_join.txt");
    let from = text.find("        ->  Hash  (").unwrap();
    let found = plans(&text[from..]);
    assert_eq!(found.len(), 1);
    assert!(found[0].damage.is_fragment);
    assert_eq!(found[0].plan.shape(), "Hash > Seq Scan on users");
    // Two that stand side by side are two.
    let from = text.find("        ->  Seq Scan").unwrap();
    let shapes: Vec<_> =
        plans(&text[from..]).iter().map(|found| (found.damage.is_fragment, found.plan.shape())).collect();
    assert_eq!(shapes, [(true, "Seq Scan on events".into()), (true, "Hash > Seq Scan on users".into())]);
}

#[test]
fn old_and_odd_lines_are_read() {
    let scan = "Seq Scan on t  (cost=0.00..9.00 rows=5 width=4) (actual time=0.1..4.0 rows=5 loops=1)";
    let old = only(&format!(
        "Subquery Scan recent  (cost=0.00..9.90 rows=5 width=4) (actual time=0.1..4.4 rows=5 loops=1)\n  ->  {scan}\nTotal runtime: 4.600 ms\n"
    ));
    assert_eq!((old.root().alias.as_deref(), old.execution_ms), (Some("recent"), Some(4.6)));
    assert_eq!(only(&format!("{scan}\n(1 Zeile)\nnot of it")).nodes().len(), 1);
    // Tabs in the place of some of the spaces, and the first line without the space before it.
    let join = "Hash Join  (cost=1.00..9.00 rows=4 width=25)\n   Hash Cond: (a.area = c.id)\n   CTE counted\n \t->  Limit  \
                (cost=1.00..2.00 rows=1 width=12)\n       \t->  Seq Scan on x  (cost=0.00..1.00 rows=9 width=4)\n   ->  Seq Scan \
                on a  (cost=0.00..2.00 rows=5 width=18)\n   ->  Hash  (cost=5.00..5.00 rows=1 width=19)\n     \t->  Seq Scan on c  \
                (cost=0.00..4.00 rows=2 width=15)\n";
    let parents: Vec<_> = only(join).nodes().iter().map(|node| node.parent).collect();
    assert_eq!(parents, [None, Some(0), Some(1), Some(0), Some(0), Some(4)]);
    // The list of what a node returns goes on in lines of its own.
    let broken = format!(
        "Sort  (cost=0.00..20.00 rows=9 width=4) (actual time=0.1..9.9 rows=9 loops=1)\n  Output: one, another_column_of_it, the_third_of_its_columns, a_fourth_and_long, the_fifth_and_last, \
         fif\nth, sixth\n  ->  {scan}\nExecution Time: 9.95 ms"
    );
    assert_eq!((only(&broken).nodes().len(), only(&broken).execution_ms), (2, Some(9.95)));
}

#[test]
fn what_is_no_plan_is_told_apart() {
    let told = [
        "",
        "\n \n",
        "hello",
        "{}",
        "[1, 2]",
        r#"[{"Plan": 1}]"#,
        "select * from users",
        "<explain xmlns=\"http://www.postgresql.org/2009/explain\"><Query></Query></explain>",
        "- Plan:\n    Node Type: \"Seq Scan\"\n",
        "[({'Plan': {'Node Type': 'Seq Scan'}},)]",
        r#"{"query_block": {"select_id": 1, "table": {"table_name": "t", "access_type": "ALL"}}}"#,
        r#"{"query": "select 1", "query_plan": {"operation": "Filter: (x = 1)"}, "json_schema_version": "2.0"}"#,
        "+----+-------------+-------+\n| id | select_type | table |\n+----+-------------+-------+\n",
        "-> Table scan on t  (cost=0.55 rows=3) (actual time=0.03..0.04 rows=3 loops=1)",
        "EXPLAIN: -> Filter: (t.a = 1)  (cost=0.55 rows=1)\n    -> Table scan on t  (cost=0.55 rows=3)",
        "  ->  Seq Scan on t  (cost=0.00..1.00 rows=1 wid",
        "[{\"Plan\": {\"Node Type\": \"Limit\", \"Plans\": [{\"Node Type\": 1}]}}]",
        "Seq Scan on t  (cost=0.00..1.0 rows=9 width=0)\n  Rows Removed by Filter: many",
        "x\n[{\"Plan\": {\"Node Type\": \"Limit\" \"Plans\"",
    ]
    .map(|text| format!("{}\n", refused(text)))
    .concat();
    insta::assert_snapshot!(told, @r#"
    there is no plan: the input is empty (paste what EXPLAIN printed)
    there is no plan: the input is empty (paste what EXPLAIN printed)
    it is neither EXPLAIN's JSON nor its text (use EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or its text)
    the JSON holds no plan: no object in it has "Plan" (use EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or its text)
    the JSON holds no plan: no object in it has "Plan" (use EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or its text)
    the JSON holds no plan: no object in it has "Plan" (use EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or its text)
    it is a statement, not its plan (`latclinic explain --query SQL --database-url URL` explains a statement)
    the plan is in XML, which is not read (use EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or its text)
    the plan is in YAML, which is not read (use EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or its text)
    the plan is printed as Python or JavaScript shows it, which is no JSON (print it as JSON, such as with json.dumps)
    the plan is MySQL's or MariaDB's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is MySQL's or MariaDB's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is MySQL's or MariaDB's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is MySQL's or MariaDB's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is MySQL's or MariaDB's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the first line of the plan is missing, or is none that EXPLAIN prints (copy all of it, from the first line to the last)
    line 1: the plan's Plan.Plans[0]."Node Type" is not text (give the JSON of EXPLAIN (FORMAT JSON), unchanged)
    line 2: "Rows Removed by Filter: many" does not say a number (copy the plan as it was printed, or use EXPLAIN (FORMAT JSON))
    it is not JSON: line 2, column 33 (give the JSON as EXPLAIN printed it, unchanged, or EXPLAIN's text)
    "#);
    let error = read_plans(&[0, 159, 146, 150, 0, 1, 2]).unwrap_err().to_string();
    assert_eq!(error, "it is no text: the input is binary");
    assert_eq!(read_plans(&vec![b' '; MAX_BYTES + 1]).unwrap_err().to_string(), "the input is larger than 128 MiB");
}

mod clients;
mod hostile;
mod relatives;
