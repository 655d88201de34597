//! `latclinic explain --plan` and `--rule`, as a person calls them: no database, no scenario.

#![expect(clippy::unwrap_used, reason = "a test fails by it, as it should")]

use std::fs;

use assert_cmd::Command;
use latclinic::plan::MAX_BYTES;
use serde_json::Value;

fn latclinic() -> Command {
    let mut command = Command::cargo_bin("latclinic").unwrap();
    // Where a managed server would be looked for: nothing here starts one.
    command.env("LATCLINIC_DATA_DIR", "/nonexistent").arg("explain");
    command
}

/// Exit code, stdout and stderr.
fn told(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn refused(command: &mut Command, exit: i32) -> String {
    let (code, stdout, stderr) = told(command);
    assert_eq!((code, stdout.as_str()), (exit, ""), "{stderr}");
    stderr
}

const FILE: &str = "tests/fixtures/plans/15/seq_scan_sort.json";

#[test]
fn a_pasted_plan_gets_an_answer() {
    let (code, table, _) = told(latclinic().args(["--plan", FILE]));
    assert_eq!(code, 0);
    assert!(
        table.contains("--rule seq-scan-filter") && table.contains("Seq Scan on events read 100 000 rows"),
        "{table}"
    );
    // A statement to copy is not broken.
    let mut prose = table.lines().filter(|line| !line.trim_start().starts_with("CREATE "));
    assert!(prose.all(|line| line.chars().count() <= 80), "{table}");

    let text = fs::read_to_string("tests/fixtures/plans/15/seq_scan_sort.txt").unwrap();
    let pasted = format!("QUERY PLAN\n----------\n{text}(22 rows)\n");
    let (code, markdown, _) = told(latclinic().args(["--plan", "-", "--format", "markdown"]).write_stdin(pasted));
    assert!(code == 0 && markdown.starts_with("# ") && markdown.contains("seq-scan-filter"), "{markdown}");

    let (code, json, _) = told(latclinic().args(["--plan", FILE, "--format", "json"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, 0);
    assert_eq!(json[0]["findings"][0]["rule"], "seq-scan-filter");
    assert_eq!(json[0]["plans"][0]["nodes"].as_array().unwrap().len(), 3);
}

#[test]
fn each_of_several_plans_is_told() {
    let plan = fs::read_to_string(FILE).unwrap();
    let (code, table, _) = told(latclinic().args(["--plan", "-"]).write_stdin(format!("{plan}\nand\n{plan}")));
    assert_eq!(code, 0);
    let second = plan.lines().count() + 3;
    assert!(table.contains("stdin, line 1:") && table.contains(&format!("stdin, line {second}:")), "{table}");
}

#[test]
fn a_log_is_grouped_by_statement_and_the_longest_in_all_comes_first() {
    let entry = |ms: f64, table: &str, value: u32| {
        format!(
            "2026-01-02 03:04:05 UTC [7] LOG:  duration: {ms:.3} ms  plan:\n\tQuery Text: SELECT * FROM {table} WHERE owner = {value} AND password = 'hunter2'\n\
             \tSeq Scan on {table}  (cost=0.00..9999.00 rows=9 width=12) (actual time=0.010..{ms:.3} rows=9 loops=1)\n\
             \t  Filter: (owner = {value})\n\t  Rows Removed by Filter: 900000\n"
        )
    };
    let log = [entry(300.0, "rare", 1), entry(150.0, "often", 2), entry(250.0, "often", 3), entry(140.0, "often", 4)]
        .concat();
    let (code, table, _) = told(latclinic().args(["--plan", "-"]).write_stdin(log.clone()));
    assert_eq!(code, 0);
    let place = |text: &str| table.find(text).unwrap_or_else(|| panic!("{text}: {table}"));
    assert!(place("FROM often") < place("FROM rare"), "{table}");
    assert!(table.contains("The slowest of 3 plans of this statement, which took 540 ms in all."), "{table}");
    assert!(place("owner = 3") > 0 && !table.contains("owner = 2") && !table.contains("hunter2"), "{table}");
    let end = &table[place("All statements advised, each once")..];
    assert_eq!(end.matches("CREATE INDEX").count(), 2, "{table}");

    let (_, json, _) = told(latclinic().args(["--plan", "-", "--format", "json"]).write_stdin(log));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json.as_array().unwrap().len(), json[0]["slowest_of"]["plans"].as_u64()), (2, Some(3)));
    assert!(json[1].get("slowest_of").is_none());
}

#[test]
fn whose_the_plan_is_and_what_was_damaged_is_said() {
    let plan = "  ->  Seq Scan on jobs  (cost=20.00..1004.50 rows=1000 width=72) (actual time=3.208..80.440 rows=400 loops=1)\n        \
                Storage Filter: (queue = 30)\n        Storage Table Rows Scanned: 4700000\n";
    let (code, table, _) = told(latclinic().args(["--plan", "-"]).write_stdin(plan));
    let words = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, 0);
    for said in
        ["the plan is YugabyteDB's", "the plan is a fragment", "Storage Table Rows Scanned: 4700000", "seq-scan-filter"]
    {
        assert!(words.contains(said), "{said}: {table}");
    }
    let unknown = "Seq Scan on t  (cost=0.00..9.00 rows=1 width=4) (actual time=0.1..88.3 rows=1 loops=1)\n  \
                   Odd Thing: 7\n  Worker 0: odd words\n";
    let (code, table, _) = told(latclinic().args(["--plan", "-"]).write_stdin(unknown));
    let words = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in ["2 lines of the plan are unknown", "Odd Thing: 7", "Worker 0: odd words"] {
        assert!(code == 0 && words.contains(said), "{said}: {table}");
    }
    let folded = "Limit (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..88.4 rows=1 loops=1)\n -> Seq Scan on t \
                  (cost=0.00..9.00 rows=1 width=4) (actual time=0.1..88.3 rows=1 loops=1)\n Filter: (a = 1)\n";
    let (code, table, _) = told(latclinic().args(["--plan", "-"]).write_stdin(folded));
    assert!(code == 0 && table.contains("lost their indentation"), "{table}");
}

#[test]
fn what_cannot_be_read_is_told_with_the_way_out() {
    let errors = ["", "hello", "[{\"Plan\": {\"Node Type\": \"Limit\",", "{\"query_block\": {}}"]
        .map(|input| refused(latclinic().args(["--plan", "-"]).write_stdin(input), 1))
        .concat();
    insta::assert_snapshot!(errors, @r#"
    error: cannot read a plan from stdin: there is no plan: the input is empty
      help: paste what EXPLAIN printed
    error: cannot read a plan from stdin: it is neither EXPLAIN's JSON nor its text
      help: use EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or its text
    error: cannot read a plan from stdin: the JSON ends in the middle, at line 1: it was cut off
      help: copy all of it, from the first `[` to the last `]`
    error: cannot read a plan from stdin: the plan is MySQL's or MariaDB's: latclinic reads PostgreSQL's
      help: run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
    "#);
    assert!(
        refused(latclinic().args(["--plan", "/nonexistent/plan"]), 2)
            .contains("cannot read a plan from /nonexistent/plan")
    );
    assert!(
        refused(latclinic().args(["--plan", "tests"]), 2).contains("cannot read a plan from tests: it is a folder")
    );
    let too_large = refused(latclinic().args(["--plan", "-"]).write_stdin(vec![b'['; MAX_BYTES + 1]), 1);
    assert!(too_large.contains("the input is larger than 128 MiB"), "{too_large}");
}

#[test]
fn one_thing_is_asked_at_a_time() {
    for asked in [
        &["--plan", FILE, "--phase", "before"][..],
        &["--plan", FILE, "--rules"],
        &["events", "--plan", FILE],
        &["--rule", "seq-scan-filter", "--plan", FILE],
        &["--plan", FILE, "--rows", "10"],
        &["--plan", FILE, "--output", "x"],
        &["--plan", FILE, "--time-limit", "1s"],
        &["--rule", "jit", "--time-limit", "1s"],
        &["--plan", FILE, "--database-url", "postgres://x"],
        &["--rule", "jit", "--database-url", "postgres://x"],
        &["--rules", "--data-dir", "x"],
        &["--rules", "--pg-bin", "x"],
    ] {
        let error = refused(latclinic().args(asked), 2);
        assert!(error.contains("cannot be used with"), "{error}");
    }
    // What the environment says is for other commands.
    let (code, ..) = told(latclinic().env("LATCLINIC_DATABASE_URL", "postgres://x").args(["--rule", "jit"]));
    assert_eq!(code, 0);
    let missing = refused(&mut latclinic(), 2);
    assert!(missing.contains("--phase <PHASE>"), "{missing}");
}

#[test]
fn rules_are_told() {
    let (code, all, _) = told(latclinic().arg("--rules"));
    assert!(code == 0 && all.contains("seq-scan-filter"), "{all}");
    let (code, one, _) = told(latclinic().args(["--rule", "seq-scan-filter", "--format", "json"]));
    assert_eq!((code, serde_json::from_str::<Value>(&one).unwrap()["id"].clone()), (0, "seq-scan-filter".into()));
    let error = refused(latclinic().args(["--rule", "seqscan-filter"]), 2);
    assert!(error.contains("did you mean seq-scan-filter"), "{error}");
}
