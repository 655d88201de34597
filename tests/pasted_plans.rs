//! `latclinic explain --plan` and `--rule`, as a person calls them: no database, no scenario.

#![expect(clippy::unwrap_used, reason = "a test fails by it, as it should")]

use std::fs;

use assert_cmd::Command;
use latclinic::explain::MAX_BYTES;
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
    assert!(too_large.contains("the input is larger than 64 MiB"), "{too_large}");
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
