//! Scripts and the parameters of their steps.

use insta::assert_snapshot;
use latclinic::scenario::{ClassShares, ParameterSource, Scenario};

use super::{DATASET, FIX, WORKLOAD, latclinic, lines, read};

const SCRIPT: &str = r#"[workload.scripts.page]
weight = 3
transaction = true
[[workload.scripts.page.steps]]
name = "events"
sql = "SELECT id, user_id FROM events WHERE user_id = $1"
parameters = [{ uniform = { min = 1, max = 10 } }]
[[workload.scripts.page.steps]]
name = "user"
for_each = "events"
sql = "SELECT $1, $2"
parameters = [{ result = { step = "events", column = "user_id" } }, { constant = 1, null = 0.25 }]
[[workload.scripts.page.steps]]
name = "all"
sql = "SELECT $1"
parameters = [{ result = { step = "events", column = "id", all = true } }]
"#;

fn text(workload: &str) -> String {
    format!("title = \"t\"\n{FIX}{DATASET}{workload}")
}

fn scenario(workload: &str) -> Scenario {
    read(&text(workload)).unwrap_or_else(|error| panic!("{error}"))
}

/// Faults; the workload begins with line 13.
fn faults(workload: &str) -> String {
    lines(read(&text(workload)))
}

/// Faults of one script's steps, given as inline tables, a line each from line 14 on.
fn steps(steps: &[&str]) -> String {
    faults(&format!("[workload.scripts.page]\nsteps = [\n{}\n]\n", steps.join(",\n")))
}

#[test]
fn operations_are_statements_and_scripts_in_name_order() {
    let scenario = scenario(&format!("{SCRIPT}{WORKLOAD}"));
    let statements: Vec<_> = scenario.statements.iter().map(|statement| statement.name.as_str()).collect();
    assert_eq!(statements, ["latest", "page.events", "page.user", "page.all"]);
    let [latest, page] = scenario.scripts.as_slice() else { panic!("two operations") };
    assert_eq!(
        (latest.name.as_str(), latest.weight, latest.transaction, latest.steps.len()),
        ("latest", 1.0, false, 1)
    );
    assert_eq!((page.name.as_str(), page.weight, page.transaction), ("page", 3.0, true));
    let steps: Vec<_> = page.steps.iter().map(|step| (step.statement, step.for_each)).collect();
    assert_eq!(steps, [(1, None), (2, Some(0)), (3, None)]);
    assert_eq!(
        scenario.statements[2].parameters[0].source,
        ParameterSource::Result { step: 0, column: "user_id".to_owned(), all: false }
    );
    assert_eq!(scenario.statements[2].parameters[1].null_share, 0.25);
    assert!(matches!(scenario.statements[3].parameters[0].source, ParameterSource::Result { all: true, .. }));
    assert!(scenario.statements[1].sql.source.ends_with("mine.toml: workload.scripts.page.steps[0].sql"));
}

#[test]
fn scripts_need_no_statements_beside_them() {
    assert_eq!(scenario(SCRIPT).scripts.len(), 1);
    assert_snapshot!(faults("[workload]\n"), @r"mine.toml:13:1: the workload is empty, expected `statements`, `scripts` or both");
    assert_snapshot!(faults("[workload]\nscripts = {}\n"), @r"mine.toml:14:11: an empty table, expected at least one entry");
}

#[test]
fn scripts_that_mean_nothing() {
    assert_snapshot!(faults("[workload.scripts.page]\nweight = 0\ntransaction = 1\n"), @r"
mine.toml:13:1: missing key `steps`
mine.toml:14:10: 0 is out of range, expected a number above 0
mine.toml:15:15: wrong type: an integer, expected true or false
");
    assert_snapshot!(steps(&[]), @r"mine.toml:14:9: an empty array, expected at least 1");
    assert_snapshot!(steps(&[r#"{ sql = "SELECT $1" }"#, r#"{ name = "a", sql = "x", sql_file = "y", parameters = [] }"#]), @r"
mine.toml:15:1: missing key `name`
mine.toml:15:17: `$1` has no parameter: 0 sources given (`parameters` needs a generator or query for each `$n`)
mine.toml:16:26: `sql_file` beside `sql`, expected only one of them
");
    assert_snapshot!(steps(&[r#"{ name = "a", sql = "SELECT 1" }"#, r#"{ name = "a", sql = "SELECT 2; SELECT 3" }"#]), @r"
mine.toml:16:10: a second step `a`, expected another name
mine.toml:16:32: 2 statements, expected exactly one
");
    let clash = WORKLOAD.replace("latest", "page") + &WORKLOAD.replace("latest", "\"page.user\"");
    assert_snapshot!(faults(&format!("{SCRIPT}{clash}")), @r"
mine.toml:13:19: `page` is a statement already, expected another name
mine.toml:21:8: `page.user` is a statement already, expected another name
");
}

#[test]
fn steps_take_from_earlier_ones_only() {
    let result = |name: &str, step: &str, rest: &str| {
        format!(
            r#"{{ name = "{name}", sql = "SELECT $1", parameters = [{{ result = {{ step = "{step}", column = "x" }} }}]{rest} }}"#
        )
    };
    let first = r#"{ name = "comments", sql = "SELECT 1" }"#;
    assert_snapshot!(steps(&[first, &result("b", "coments", "")]), @r"mine.toml:16:68: no step `coments` before this one (did you mean `comments`?)");
    assert_snapshot!(steps(&[&result("a", "comments", ""), first]), @r"mine.toml:15:68: `comments` is a later step, expected an earlier step");
    assert_snapshot!(steps(&[first, &result("b", "b", ", for_each = \"b\"")]), @r"
mine.toml:16:68: step `b` itself, expected an earlier step
mine.toml:16:103: step `b` itself, expected an earlier step
");
    assert_snapshot!(steps(&[&result("a", "zzz", ", for_each = \"zzz\"")]), @r"
mine.toml:15:68: no step `zzz` before this one (it is the first step: there is no result yet)
mine.toml:15:105: no step `zzz` before this one (it is the first step: there is no result yet)
");
    let all = r#"{ name = "b", for_each = "comments", sql = "SELECT $1", parameters = [{ result = { step = "comments", column = "x", all = true } }] }"#;
    assert_snapshot!(steps(&[first, all]), @r"mine.toml:16:117: `all` rows of `comments` for each of them (remove `all` or `for_each`: one row, or all in one array)");
    let null = r#"{ name = "b", sql = "SELECT $1", parameters = [{ result = { step = "comments", colum = "" }, null = 0.5 }] }"#;
    assert_snapshot!(steps(&[first, null]), @r"
mine.toml:16:80: unknown key `colum` (did you mean `column`?)
mine.toml:16:88: empty text
");
    let null = r#"{ name = "b", sql = "SELECT $1", parameters = [{ result = { step = "comments", column = "x" }, null = 0.5 }] }"#;
    assert_snapshot!(steps(&[first, null]), @r"mine.toml:16:96: `null` beside `result` (the value is that of the result, NULL where it is)");
    let statement = WORKLOAD.replace("uniform = { min = 1, max = 10 }", "result = { step = \"a\", column = \"x\" }");
    assert_snapshot!(faults(&statement), @r"mine.toml:15:17: `result` outside of a script (only a step of a script in `workload.scripts` has earlier steps)");
}

#[test]
fn shares_of_a_query() {
    let with = |parameter: &str| format!("[workload.statements.s]\nsql = \"SELECT $1\"\nparameters = [{parameter}]\n");
    let query = scenario(&with("{ query = \"SELECT 1\", shares = { hot = 0.2, cold = 0.8 }, null = 0.5 }"));
    let parameter = &query.statements[0].parameters[0];
    let ParameterSource::Query { shares, .. } = &parameter.source else { panic!("a query") };
    assert_eq!((*shares, parameter.null_share), (Some(ClassShares { hot: 0.2, typical: 0.0, cold: 0.8 }), 0.5));
    assert_snapshot!(faults(&with("{ query = \"SELECT 1\", shares = { hot = 0.2, typical = 0.6 } }")), @r"mine.toml:15:46: shares with a sum of 0.8, expected a sum of 1");
    assert_snapshot!(faults(&with("{ query = \"SELECT 1\", shares = { hot = 2, warm = 0 }, null = 2 }")), @r"
mine.toml:15:46: shares with a sum of 2, expected a sum of 1
mine.toml:15:54: 2 is out of range, expected a number from 0 to 1
mine.toml:15:57: unknown key `warm`, expected `hot`, `typical` or `cold`
mine.toml:15:76: 2 is out of range, expected a number from 0 to 1
");
    assert_snapshot!(faults(&with("{ constant = 1, shares = { hot = 1 } }")), @r"mine.toml:15:31: `shares` without a `query` (only the rows of a query are drawn by class)");
    assert_snapshot!(faults(&with("{ constant = 1, query = \"SELECT 1\" }")), @r"mine.toml:15:31: `query` beside `constant`, expected only one of them");
    assert_snapshot!(faults(&with("{ null = 0.5 }")), @r"mine.toml:15:15: missing generator, expected `query`, `result`, `sequence`, `constant`, `uniform`, `zipf`, `normal`, `choice`, `timestamp`, `text`, `pattern`, `uuid`, `json`, `array`, `foreign_key`, `bytes`, `inet` or `boolean`");
}

#[test]
fn a_person_sees_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let load = "[load]\nrate = \"5/s\"\nlatency_limit = \"1s\"\nstages = [{ duration = \"1m\", rate = \"50/s\" }]\n\
                statement_timeout = \"2s\"\nretries = 1\nerror_limit = 0.1\npool = { size = 2, wait_timeout = \"1s\" }\n\
                settings = { jit = \"off\" }\n[results]\nsample = 50\nroles = [\"tenant_a\"]\n";
    let thresholds = "thresholds = [\"page.user:p(95)<5ms\"]";
    std::fs::write(&path, format!("title = \"t\"\n{thresholds}\n{DATASET}{SCRIPT}{WORKLOAD}{load}{FIX}")).unwrap();
    let (_, shown, stderr) = latclinic(&["scenarios", "show", path.to_str().unwrap()]);
    let shown = shown.split("\nWorkload\n").nth(1).unwrap_or_else(|| panic!("{stderr}"));
    assert_snapshot!(shown.split("\nFix:").next().unwrap(), @"
      latest, weight 1
        SELECT * FROM events WHERE user_id = $1;
        $1  uniform from 1 to 10
      page, weight 3, in a transaction
        page.events
          SELECT id, user_id FROM events WHERE user_id = $1;
          $1  uniform from 1 to 10
        page.user, for each row of page.events
          SELECT $1, $2;
          $1  user_id of the row of page.events
          $2  always 1; NULL 25 %
        page.all
          SELECT $1;
          $1  id of all rows of page.events

    Load
      open, up to 50/s, Poisson arrivals, 8 clients, skipped when 1s late
      60s from 5 to 50/s
      60 s after 5 s of warm-up, seed 1
      a pool of 2 connections, waited for 1s at most, protocol prepared
      statement timeout 2s
      jit = 'off'
      up to 1 retry after a serialization failure or a deadlock
      stopped if more than 10 % of the operations fail

    Thresholds
      page.user:p(95)<5ms

    Results
      compared before and after for 50 parameter sets per operation, also as
      tenant_a
    ");
}
