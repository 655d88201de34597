//! Flags and scenarios that are wrong.

use insta::assert_snapshot;

use crate::site::{File, QUICK, Site, record};

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
    error: invalid value '0' for '--rows <N>': 0 is not in 1..=1000000000000
    error: invalid value '-1' for '--rows <N>': -1 is not in 1..=1000000000000
    error: invalid value '-1' for '--clients <N>': -1 is not in 1..=100000
    error: invalid value '0' for '--clients <N>': 0 is not in 1..=100000
    error: invalid value '-2' for '--threads <N>': -2 is not in 1..=1024
    error: invalid value '0s' for '--duration <TIME>': must be above 0
    error: invalid value '-3s' for '--duration <TIME>': a time cannot be negative
    error: invalid value '30' for '--duration <TIME>': expected a time with its unit, such as 500ms, 30s or 2m
    error: invalid value '-1s' for '--warmup <TIME>': a time cannot be negative
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
    assert_snapshot!(told.join("\n"), @"");
    assert!(!site.path("reports").exists());
}

#[test]
fn sql_that_postgresql_does_not_take() {
    let site = Site::with_server();
    let mut told = Vec::new();
    for (name, statement) in [
        ("parse", "sql = \"SELEC 1\""),
        ("missing", "sql = \"SELECT *\\nFROM nowhere\""),
        ("types", "sql = \"SELECT $1::interval\"\nparameters = [{ constant = 1 }]"),
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
    assert_snapshot!(told.join("\n"), @"");

    site.write("schema.toml", &File::default().text());
    let mended = site.done(&["seed", "schema.toml"]);
    assert!(mended.stderr.starts_with("a seed of schema did not end: starting over\n"), "{}", mended.stderr);
}

#[test]
fn an_operation_that_always_fails_is_counted_and_no_result() {
    let site = Site::with_server();
    let statement = "sql = \"SELECT 1 / (id - id) FROM events\"";
    site.write("division.toml", &File { statement, ..File::default() }.text());
    let words = site.refused(1, &["run", "division.toml", "--output", "out"]);
    let operations = words.split(' ').nth(3).unwrap().to_owned();
    assert_snapshot!(words.replace(&operations, "N"), @"
    error: each of N operations of phase before failed: division by zero (SQLSTATE 22012)
      help: the record that was saved counts them by SQLSTATE
    ");
    let record = record(&site.path("out/before"));
    assert_eq!(record["errors"][0]["sqlstate"], "22012");
    assert_eq!(record["errors"][0]["count"], record["totals"]["operations"]);
    assert_eq!(record["totals"]["error_rate"], 1.0);
    for name in ["min", "p50", "p99", "p999", "max"] {
        assert!(record["latency_ms"][name].is_null(), "{name}: {}", record["latency_ms"]);
    }
    assert_eq!((&record["interrupted"], &record["latency_ms"]["samples"]), (&false.into(), &0.into()));
    assert!(!site.path("out/after").exists());
}

#[test]
fn a_fix_that_fails_keeps_what_was_measured_before_it() {
    let site = Site::with_server();
    site.write("broken.toml", &File { up: "CREATE INDEX i ON events (nope)", ..File::default() }.text());
    assert_snapshot!(site.refused(2, &["run", "broken.toml", "--output", "out"]), @"");
    assert_eq!(record(&site.path("out/before"))["interrupted"], false);
    assert_eq!(site.sql("SELECT count(*) FROM latclinic_broken.events"), "500");

    site.write("broken.toml", &File::default().text());
    site.done(&["run", "broken.toml", "--output", "mended"]);
}

#[test]
fn a_phase_whose_fix_is_not_so() {
    let site = Site::with_server();
    let bench = |phase| [&["bench", "--phase", phase][..], &QUICK].concat();
    assert_snapshot!(site.refused(2, &bench("before")), @"");
    site.done(&["seed", "--rows", "2000"]);
    assert_snapshot!(site.refused(2, &bench("after")), @"");
    site.done(&["apply-fix", "--rows", "2000"]);
    assert_snapshot!(site.refused(2, &bench("before")), @"");
    assert_snapshot!(site.refused(2, &["explain", "--phase", "before", "--rows", "2000"]), @"");
    assert_snapshot!(site.refused(2, &["bench", "--phase", "after", "--rows", "3000"]), @"");
    assert_snapshot!(site.refused(2, &["bench", "--phase", "after"]), @"");
    assert_eq!(site.path("reports/events").read_dir().unwrap().count(), 0, "what measured nothing leaves nothing");
    site.done(&bench("after"));
}
