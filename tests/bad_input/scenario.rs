//! Flags and scenarios that are wrong.

use insta::assert_snapshot;

use crate::site::{BEFORE_FIRST, File, ONE_ROUND, QUICK, Site, record};

#[test]
fn counts_and_times_that_cannot_be() {
    let site = Site::new();
    let mut told = Vec::new();
    for flags in [
        ["--rows", "0"],
        ["--rows", "-1"],
        ["--clients", "-1"],
        ["--clients", "0"],
        ["--threads", "-2"],
        ["--duration", "0s"],
        ["--duration", "-3s"],
        ["--duration", "30"],
        ["--warmup", "-1s"],
    ] {
        let words = site.refused(2, &["run", flags[0], flags[1]]);
        told.push(words.lines().next().unwrap().to_owned());
    }
    assert_snapshot!(told.join("\n"), @"
    error: invalid value '0' for '--rows <N>': expected a whole number from 1 to 1000000000000 (1000, 1_000, 1k and 1e3 are the same)
    error: invalid value '-1' for '--rows <N>': expected a whole number from 1 to 1000000000000 (1000, 1_000, 1k and 1e3 are the same)
    error: invalid value '-1' for '--clients <N>': expected a whole number from 1 to 100000 (1000, 1_000, 1k and 1e3 are the same)
    error: invalid value '0' for '--clients <N>': expected a whole number from 1 to 100000 (1000, 1_000, 1k and 1e3 are the same)
    error: invalid value '-2' for '--threads <N>': expected a whole number from 1 to 1024 (1000, 1_000, 1k and 1e3 are the same)
    error: invalid value '0s' for '--duration <TIME>': must be above 0
    error: invalid value '-3s' for '--duration <TIME>': a time cannot be negative
    error: invalid value '30' for '--duration <TIME>': expected a time with its unit, such as 500ms, 30s or 2m
    error: invalid value '-1s' for '--warmup <TIME>': a time cannot be negative
    ");
}

#[test]
fn loads_that_cannot_be() {
    let site = Site::new();
    let mut told = Vec::new();
    for flags in [
        &["--rate", "0/s"][..],
        &["--rate", "-5/s"],
        &["--rate", "500"],
        &["--rate", "10000001/s"],
        &["--rate", "5/s", "--think-time", "5ms"],
        &["--arrivals", "constant"],
        &["--arrivals", "uniform"],
        &["--latency-limit", "1s"],
        &["--pool", "0"],
        &["--pool", "9", "--clients", "8"],
        &["--pool", "2", "--connect"],
        &["--pool-wait-timeout", "1s"],
        &["--protocol", "binary"],
        &["--retries", "-1"],
        &["--error-limit", "200%"],
        &["--threshold", "p(95)<50"],
        &["--threshold", "latest_event:p(95)<50ms"],
    ] {
        let words = site.refused(2, &[&["bench", "--phase", "before"], flags].concat());
        let words: Vec<&str> = words.split("\nFor more information").next().unwrap().lines().collect();
        let words: Vec<&str> =
            words.into_iter().filter(|line| !line.trim().is_empty() && !line.starts_with("Usage:")).collect();
        told.push(words.join("\n"));
    }
    assert_snapshot!(told.join("\n"), @r"
error: invalid value '0/s' for '--rate <RATE>': `0/s` is out of range, expected above 0/s, at most 10000000/s
error: invalid value '-5/s' for '--rate <RATE>': `-5/s` is out of range, expected above 0/s, at most 10000000/s
error: invalid value '500' for '--rate <RATE>': `500` is not a rate, expected something like 500/s or 30/min
error: invalid value '10000001/s' for '--rate <RATE>': `10000001/s` is out of range, expected above 0/s, at most 10000000/s
error: the argument '--rate <RATE>' cannot be used with '--think-time <TIME>'
error: --arrivals: a closed load has no arrivals
  help: make it an open load with --rate, such as --rate 500/s
error: invalid value 'uniform' for '--arrivals <SPREAD>'
  [possible values: poisson, constant]
error: --latency-limit: a closed load has no arrivals
  help: make it an open load with --rate, such as --rate 500/s
error: invalid value '0' for '--pool <N>': expected a whole number from 1 to 100000 (1000, 1_000, 1k and 1e3 are the same)
error: --pool 9: the pool has more connections than there are clients (8)
  help: each client uses one connection at a time: use a smaller --pool, or more --clients
error: the argument '--pool <N>' cannot be used with '--connect'
error: --pool-wait-timeout: there is no pool
  help: let the clients share a pool with --pool N
error: invalid value 'binary' for '--protocol <PROTOCOL>'
  [possible values: simple, extended, prepared]
error: invalid value '-1' for '--retries <N>': expected a whole number from 0 to 1000 (1000, 1_000, 1k and 1e3 are the same)
error: invalid value '200%' for '--error-limit <SHARE>': expected a share of 0% to 100%, such as 10%
error: invalid value 'p(95)<50' for '--threshold <EXPR>': a time without its unit, expected a time like 50ms
  p(95)<50
        ^^
error: --threshold: no operation `latest_event`, did you mean `latest_events`?
  latest_event:p(95)<50ms
  ^^^^^^^^^^^^
");
}

#[test]
fn flags_that_contradict_the_stages() {
    let site = Site::new();
    let stages = "[[load.stages]]\nduration = \"1s\"\n";
    site.write("closed.toml", &format!("{}\n{stages}clients = 2\n", File::default().text().replace("duration", "#")));
    let mut told = Vec::new();
    for flags in [["--clients", "2"], ["--duration", "1s"], ["--rate", "5/s"]] {
        told.push(site.refused(2, &["bench", "closed.toml", "--phase", "before", flags[0], flags[1]]));
    }
    assert_snapshot!(told.join("\n"), @r"
error: --clients: the load of the scenario has stages, which set the clients
  help: omit --clients, or change [load] in your own copy of the scenario file
error: --duration: the load of the scenario has stages, each with a duration of its own
  help: omit --duration, or change [load] in your own copy of the scenario file
error: --rate: the load of the scenario has stages, which set the clients of a closed load
  help: omit --rate, or change [load] in your own copy of the scenario file
");
}

#[test]
fn a_file_with_faults() {
    let site = Site::new();
    let mut told = Vec::new();
    for (name, file) in [
        ("misspelt", File { user_id: "{ zpif = { min = 1, max = 10 } }", ..File::default() }),
        ("unknown", File { user_id: "{ fibonacci = {} }", ..File::default() }),
        ("types", File { rows: "\"many\"", clients: "2.5", ..File::default() }),
        ("counts", File { rows: "-1", clients: "0", ..File::default() }),
        (
            "few",
            File {
                statement: "sql = \"SELECT $1::int + $2::int\"\nparameters = [{ constant = 1 }]",
                ..File::default()
            },
        ),
        ("sql", File { statement: "sql = \"SELECT 1 FROM (\"\nparam = []", ..File::default() }),
        ("open", File { user_id: "{ choice = { values = [1, 2 } }", ..File::default() }),
    ] {
        site.write(&format!("{name}.toml"), &file.text());
        told.push(site.refused(2, &["run", &format!("{name}.toml")]));
    }
    told.push(site.refused(2, &["run", "evnts"]));
    told.push(site.refused(2, &["run", "nowhere/mine.toml"]));
    assert_snapshot!(told.join("\n"), @r#"
    error: misspelt.toml has 1 fault

    error: unknown key `zpif`
     --> misspelt.toml:8:13
      |
    8 | user_id = { zpif = { min = 1, max = 10 } }
      |             ^^^^
      |
      = help: did you mean `zipf`?
    error: unknown.toml has 1 fault

    error: unknown key `fibonacci`
     --> unknown.toml:8:13
      |
    8 | user_id = { fibonacci = {} }
      |             ^^^^^^^^^
      |
      = note: expected `null`, `sequence`, `constant`, `uniform`, `zipf`,
              `normal`, `choice`, `timestamp`, `text`, `pattern`, `uuid`,
              `json`, `array`, `foreign_key`, `bytes`, `inet` or `boolean`
    error: types.toml has 2 faults

    error: wrong type: a string
     --> types.toml:5:8
      |
    5 | rows = "many"
      |        ^^^^^^ expected an integer from 1 to 10000000000

    error: wrong type: a float
      --> types.toml:13:11
       |
    13 | clients = 2.5
       |           ^^^ expected an integer from 1 to 10000
    error: counts.toml has 2 faults

    error: -1 is out of range
     --> counts.toml:5:8
      |
    5 | rows = -1
      |        ^^ expected an integer from 1 to 10000000000

    error: 0 is out of range
      --> counts.toml:13:11
       |
    13 | clients = 0
       |           ^ expected an integer from 1 to 10000
    error: few.toml has 1 fault

    error: `$2` has no parameter: 1 source given
      --> few.toml:10:25
       |
    10 | sql = "SELECT $1::int + $2::int"
       |                         ^^
       |
       = help: `parameters` needs a generator or query for each `$n`
    error: sql.toml has 2 faults

    error: SQL: a parenthesis that is never closed
      --> sql.toml:10:22
       |
    10 | sql = "SELECT 1 FROM ("
       |                      ^

    error: unknown key `param`
      --> sql.toml:11:1
       |
    11 | param = []
       | ^^^^^
       |
       = note: expected `sql`, `sql_file`, `weight`, `parameters` or `classes`
    error: open.toml has 1 fault

    error: missing comma between array elements, expected `,`
     --> open.toml:8:39
      |
    8 | user_id = { choice = { values = [1, 2 } }
      |                                       ^
    error: no scenario `evnts`, did you mean `events`?
      help: `latclinic scenarios list` shows them; a path with a `/` or `.toml` names a file
    error: cannot read the scenario nowhere/mine.toml: No such file or directory (os error 2)
    "#);
    assert!(!site.path("reports").exists());
}

#[test]
fn sql_that_postgresql_does_not_take() {
    let site = Site::with_server();
    let mut told = Vec::new();
    for (name, statement) in [
        ("parse", "sql = \"SELEC 1\""),
        ("missing", "sql = \"SELECT *\\nFROM nowhere\""),
        ("types", "sql = \"SELECT record_out($1)\"\nparameters = [{ constant = 1 }]"),
        ("empty", "sql = \"SELECT $1::int\"\nparameters = [{ query = \"SELECT 1 WHERE false\" }]"),
    ] {
        let file = format!("{name}.toml");
        site.write(&file, &File { statement, ..File::default() }.text());
        told.push(site.refused(2, &["run", &file]));
        assert_eq!(site.path(&format!("reports/{name}")).read_dir().unwrap().count(), 0);
    }
    let schema = "CREATE TABLE events (id bigint PRIMARY KEY, user_id int REFERENCES nowhere)";
    site.write("schema.toml", &File { schema, ..File::default() }.text());
    told.push(site.refused(2, &["seed", "schema.toml"]));
    assert_snapshot!(told.join("\n"), @r#"
    error: parse.toml: workload.statements.latest.sql:1:1: statement latest does not prepare: syntax error at or near "SELEC" (SQLSTATE 42601)
    error: missing.toml: workload.statements.latest.sql:2:6: statement latest does not prepare: relation "nowhere" does not exist (SQLSTATE 42P01)
      help: tables without a schema are those of the scenario's dataset, then those in public
    error: types.toml: workload.statements.latest.sql: statement latest: no values can be made for parameter $1 of type record
      help: give it a type in the SQL, as in $1::text
    error: empty.toml: workload.statements.latest.parameters[0].query: the query for parameter $1 of statement latest returns no rows
      help: seed the dataset first, or let the query return the values to draw from
    error: cannot seed schema on SOCKET:5432/latclinic: schema.toml: dataset.schema:1: relation "nowhere" does not exist (SQLSTATE 42P01)
      help: correct that, then run `latclinic seed schema.toml`; it starts over
    "#);

    site.write("schema.toml", &File::default().text());
    let mended = site.done(&["seed", "schema.toml"]);
    assert!(
        mended.stderr.starts_with("an earlier seed of schema was not completed; starting over\n"),
        "{}",
        mended.stderr
    );
}

#[test]
fn an_operation_that_always_fails_is_counted_and_no_result() {
    let site = Site::with_server();
    let statement = "sql = \"SELECT 1 / (id - id) FROM events\"";
    site.write("division.toml", &File { statement, ..File::default() }.text());
    let words = site.refused(1, &[&["run", "division.toml", "--output", "out"], &BEFORE_FIRST[..]].concat());
    let operations = words.split(' ').nth(3).unwrap().to_owned();
    assert_snapshot!(words.replace(&operations, "N"), @"
    error: each of N operations of phase before failed: division by zero (SQLSTATE 22012)
      help: the saved record counts the errors by SQLSTATE
    ");
    let record = record(&site.path("out/before"));
    assert_eq!(record["errors"][0]["sqlstate"], "22012");
    assert_eq!(record["errors"][0]["count"], record["totals"]["operations"]);
    assert_eq!(record["totals"]["error_rate"], 1.0);
    for name in ["min", "p50", "p99", "p999", "max"] {
        assert!(record["latency_ms"][name].is_null(), "{name}: {}", record["latency_ms"]);
    }
    assert_eq!((&record["interrupted"], &record["latency_ms"]["samples"]), (&true.into(), &0.into()));
    assert!(!site.path("out/after").exists());
}

#[test]
fn a_window_too_short_for_a_single_operation() {
    let site = Site::with_server();
    let statement = "sql = \"SELECT pg_sleep($1)\"\nparameters = [{ constant = 0.3 }]";
    site.write("sleepy.toml", &File { statement, ..File::default() }.text());
    let short = ["--block", "50ms", "--warmup", "0s", "--clients", "1"];
    let words = site.refused(1, &[&["run", "sleepy.toml", "--output", "out"][..], &short, &BEFORE_FIRST].concat());
    assert_snapshot!(words, @"
    error: no operation of phase before was sent in the 0.05 s of the measurement: each takes longer than that, or none was due
      help: measure longer (--duration) or at a higher --rate
    ");
    assert_eq!(record(&site.path("out/before"))["totals"]["operations"], 0);
    assert!(!site.path("out/after").exists());
}

#[test]
fn a_fix_that_fails_is_found_before_anything_is_measured() {
    let site = Site::with_server();
    site.write("broken.toml", &File { up: "CREATE INDEX i ON events (nope)", ..File::default() }.text());
    assert_snapshot!(site.refused(2, &["run", "broken.toml", "--output", "out"]), @r#"
    error: broken.toml: fix.up:1: statement 1 of 1 failed: column "nope" does not exist (SQLSTATE 42703)
      help: nothing of the fix is left; `latclinic apply-fix broken.toml` tries again
    "#);
    assert!(!site.path("out").exists());
    assert_eq!(site.sql("SELECT count(*) FROM latclinic_broken.events"), "500");

    site.write("broken.toml", &File::default().text());
    site.done(&[&["run", "broken.toml", "--output", "mended"], &ONE_ROUND[..]].concat());
}

#[test]
fn a_phase_whose_fix_is_not_so() {
    let site = Site::with_server();
    let bench = |phase| [&["bench", "--phase", phase][..], &QUICK].concat();
    assert_snapshot!(site.refused(2, &bench("before")), @"
    error: the dataset of events on SOCKET:5432/latclinic is not there
      help: make it with: latclinic seed events --rows 2000
    ");
    site.done(&["seed", "--rows", "2000"]);
    assert_snapshot!(site.refused(2, &bench("after")), @"
    error: cannot measure phase after of events: the fix is absent
      help: run `latclinic apply-fix events --rows 2000` first
    ");
    site.done(&["apply-fix", "--rows", "2000"]);
    assert_snapshot!(site.refused(2, &bench("before")), @"
    error: cannot measure phase before of events: the fix is applied
      help: run `latclinic revert-fix events --rows 2000` first
    ");
    assert_snapshot!(site.refused(2, &["explain", "--phase", "before", "--rows", "2000"]), @"
    error: cannot measure phase before of events: the fix is applied
      help: run `latclinic revert-fix events --rows 2000` first
    ");
    let words = site.refused(2, &["bench", "--phase", "after", "--rows", "3000"]);
    assert!(
        words.ends_with(
            "help: use the existing rows (--rows 2000), or replace it with: latclinic seed events --rows 3000 --reseed"
        ),
        "{words}"
    );
    let words = site.refused(2, &["bench", "--phase", "after"]);
    assert!(
        words
            .ends_with("help: use the existing rows (--rows 2000), or replace it with: latclinic seed events --reseed"),
        "{words}"
    );
    assert_eq!(site.path("reports/events").read_dir().unwrap().count(), 0, "what measured nothing leaves nothing");
    site.done(&bench("after"));
}
