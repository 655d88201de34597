//! Runs in rounds through the real program on a real server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by it, as it should")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A scenario whose operations take about a millisecond, so that a short block has many.
const SCENARIO: &str = r#"
title = "Rows of a key"
dataset.schema = "CREATE TABLE items (id int NOT NULL, owner int NOT NULL)"
dataset.tables.items.rows = 20_000
dataset.tables.items.columns.id = { sequence = {} }
dataset.tables.items.columns.owner = { uniform = { min = 1, max = 500 } }
workload.statements.of_owner.sql = "SELECT id FROM items WHERE owner = $1 ORDER BY id"
workload.statements.of_owner.parameters = [{ uniform = { min = 1, max = 500 } }]
load.clients = 2
"#;
const INDEX: &str = r#"
[fix]
title = "index on owner"
up = "CREATE INDEX items_owner ON items (owner)"
down = "DROP INDEX items_owner"
"#;

/// A folder with a server that ends with the test.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new(fix: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The server's own account must reach its files.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("items.toml"), format!("{SCENARIO}{fix}")).unwrap();
        let site = Self { folder };
        assert!(site.run(&["server", "start"]).status.success());
        site
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_latclinic"))
            .current_dir(self.folder.path())
            .env("LATCLINIC_DATA_DIR", self.folder.path().join("data"))
            .env_remove("LATCLINIC_DATABASE_URL")
            .args(args)
            .output()
            .unwrap()
    }

    /// Runs it, and gives stdout.
    fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn json(&self, name: &str) -> Value {
        json(&self.path(name))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.run(&["server", "destroy", "--yes"]);
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn metric<'c>(comparison: &'c Value, name: &str) -> &'c Value {
    let metrics = comparison["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name && metric["statement"].is_null()).unwrap()
}

/// Without the line ends that the width of the terminal put in.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_run_measures_in_turns_and_judges_over_the_rounds() {
    let site = Site::new(INDEX);
    let shown = site.done(&["run", "items.toml", "--rounds", "6", "--block", "200ms", "--output", "out"]);
    assert!(shown.contains(", 6 rounds"), "{shown}");
    let (before, after) = (site.json("out/before/record.json"), site.json("out/after/record.json"));
    assert_eq!(before["run"], after["run"]);
    assert_eq!((&before["run"]["rounds"], &before["run"]["aa"]), (&6.into(), &false.into()));
    let first: Vec<&str> =
        before["run"]["first"].as_array().unwrap().iter().map(|phase| phase.as_str().unwrap()).collect();
    assert!(first.chunks(2).all(|pair| pair[0] != pair[1]), "each phase is first as often: {first:?}");
    let started = |record: &Value, round: usize| record["blocks"][round]["started_at"].as_str().unwrap().to_owned();
    for (round, first) in first.iter().enumerate() {
        let (before, after) = (started(&before, round), started(&after, round));
        assert_eq!(*first == "before", before < after, "round {round}: {before}, {after}");
    }
    for record in [&before, &after] {
        let blocks = record["blocks"].as_array().unwrap();
        assert_eq!(blocks.len(), 6);
        let operations: u64 = blocks.iter().map(|block| block["totals"]["operations"].as_u64().unwrap()).sum();
        assert_eq!(record["totals"]["operations"], operations);
        assert!(blocks.iter().all(|block| block["server_activity"]["database"]["commits"].as_u64() > Some(0)));
        assert!((record["measured_s"].as_f64().unwrap() - 1.2).abs() < 0.3, "{}", record["measured_s"]);
    }

    let comparison = site.json("out/comparison.json");
    assert_eq!((&comparison["method"], &comparison["results_identical"]), (&"rounds".into(), &true.into()));
    let p50 = metric(&comparison, "p50");
    let effects: Vec<f64> = p50["effects"].as_array().unwrap().iter().map(|ratio| ratio.as_f64().unwrap()).collect();
    let mean = (effects.iter().map(|ratio| ratio.ln()).sum::<f64>() / 6.0).exp();
    let ratio = p50["ratio"].as_f64().unwrap();
    assert!((mean / ratio - 1.0).abs() < 1e-9 && ratio < 0.7, "{effects:?}, {ratio}");
    let (low, high) = (p50["ci_low"].as_f64().unwrap(), p50["ci_high"].as_f64().unwrap());
    assert!(low < ratio && ratio < high && p50["confidence"] == 0.95, "{p50}");

    // What was written says the same when it is read again.
    site.done(&["compare", "out/before", "out/after", "--output", "again"]);
    assert_eq!(site.json("again/comparison.json")["metrics"], comparison["metrics"]);
    site.done(&["compare", "out", "--output", "once-more"]);
    assert_eq!(site.json("once-more/comparison.json")["metrics"], comparison["metrics"]);
    // The fix stays applied, and a second run begins by taking it back.
    site.done(&["run", "items.toml", "--rounds", "2", "--block", "100ms", "--output", "two"]);
    let two = site.json("two/comparison.json");
    assert_eq!((&two["verdict"], &two["notes"][0]["id"]), (&"inconclusive".into(), &"few-rounds".into()));
    assert!(metric(&two, "p50")["ci_low"].is_number());
    // The records of two runs are not of one.
    site.done(&["compare", "out", "two", "--output", "runs"]);
    let runs = site.json("runs/comparison.json");
    assert_eq!((&runs["method"], &runs["notes"][0]["id"]), (&"blocks".into(), &"not-interleaved".into()));
}

#[test]
fn a_run_without_a_fix_finds_the_noise_that_later_verdicts_show() {
    let site = Site::new(INDEX);
    let blocks = ["--rounds", "6", "--block", "100ms"];
    let shown = site.done(&[&["run", "items.toml", "--aa"], &blocks[..]].concat());
    assert!(one_line(&shown).contains("the smallest differences that this machine could show: p50 "), "{shown}");
    let written = PathBuf::from(shown.lines().last().unwrap().strip_prefix("written: ").unwrap());
    let folder = site.path(written.to_str().unwrap());
    let (a, b) = (json(&folder.join("a/record.json")), json(&folder.join("b/record.json")));
    assert_eq!((&a["phase"], &b["phase"], &a["run"]["aa"]), (&"before".into(), &"before".into(), &true.into()));

    let shown = site.done(&[&["run", "items.toml", "--output", "out"], &blocks[..]].concat());
    assert!(one_line(&shown).contains("Noise of this machine, over 6 rounds without a fix"), "{shown}");
    let comparison = site.json("out/comparison.json");
    assert_eq!(comparison["noise"]["rounds"], 6);
    // Half of the interval without the fix, beyond the tolerance.
    let floor = |metric: &Value| {
        let end = |name: &str| metric[name].as_f64().unwrap().ln();
        ((end("ci_high") - end("ci_low")) / 2.0).exp() * 1.02 - 1.0
    };
    let noise = json(&folder.join("comparison.json"));
    let shown_floor = metric(&comparison, "p50")["noise_floor"].as_f64().unwrap();
    assert!((shown_floor / floor(metric(&noise, "p50")) - 1.0).abs() < 1e-9, "{shown_floor}");
    // Another load has other noise.
    let shown = site.done(&[&["run", "items.toml", "--clients", "1"], &blocks[..]].concat());
    assert!(!shown.contains("Noise of this machine"), "{shown}");
}

#[test]
fn a_rewrite_is_switched_without_touching_the_database() {
    let site = Site::new(
        "[fix]\ntitle = \"fewer columns\"\nstatements.of_owner.sql = \"SELECT id FROM items WHERE owner = $1 + 0 ORDER BY id\"",
    );
    let output = site.run(&["run", "items.toml", "--rounds", "2", "--block", "100ms", "--output", "out"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !stderr.contains("fix up"), "{stderr}");
    let sql = |name: &str| site.json(name)["statements"][0]["sql"].as_str().unwrap().to_owned();
    assert!(!sql("out/before/record.json").contains("+ 0") && sql("out/after/record.json").contains("+ 0"));
    let shown = site.done(&["apply-fix", "items.toml"]);
    assert_eq!(shown, "fewer columns: a rewrite, used in phase after; nothing to apply\n");
    site.done(&["bench", "items.toml", "--phase", "after", "--duration", "200ms", "--warmup", "0s"]);
}

#[test]
fn a_rewrite_with_other_rows_is_a_failed_run_that_shows_the_first_difference() {
    let site = Site::new(
        "[fix]\ntitle = \"off by one\"\nstatements.of_owner.sql = \"SELECT id + 1 FROM items WHERE owner = $1 ORDER BY id\"",
    );
    let output = site.run(&["run", "items.toml", "--rounds", "2", "--block", "100ms", "--output", "out"]);
    assert_eq!(output.status.code(), Some(3));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.starts_with("DIFFERENT ROWS than before, p"), "{shown}");
    let comparison = site.json("out/comparison.json");
    assert_eq!(comparison["results_identical"], false);
    let difference = &comparison["results"]["statements"][0]["difference"];
    let id = |side: &str| difference[side][0].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(id("before") + 1, id("after"), "{difference}");
    assert_eq!(difference["parameters"].as_array().unwrap().len(), 1, "{difference}");
}

#[test]
fn an_automatic_run_ends_once_everything_is_decided() {
    let site = Site::new(INDEX);
    let gate = ["--gate", "p50 improves by 1.1x"];
    let run = ["run", "items.toml", "--rounds", "auto:30", "--block", "200ms", "--output", "out"];
    let output = site.run(&[&run[..], &gate].concat());
    assert!(output.status.success());
    let comparison = site.json("out/comparison.json");
    let rounds = comparison["run"]["rounds"].as_u64().unwrap();
    assert!((6..30).contains(&rounds) && rounds.is_multiple_of(2), "{rounds}");
    assert_eq!(comparison["gates"][0]["outcome"], "passed");
    // A look at fewer rounds than the most has only a part of the error rate.
    assert!(metric(&comparison, "p50")["confidence"].as_f64().unwrap() > 0.95);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains(&format!("every gate is decided after {rounds} rounds; stopping early")), "{stderr}");
}

#[test]
fn the_whole_rounds_of_an_interrupted_run_are_compared() {
    let site = Site::new(INDEX);
    let mut running = Command::new(env!("CARGO_BIN_EXE_latclinic"))
        .current_dir(site.folder.path())
        .env("LATCLINIC_DATA_DIR", site.path("data"))
        .args(["run", "items.toml", "--rounds", "50", "--block", "200ms", "--output", "out"])
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(running.stderr.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().starts_with("round 3 of 50, ")));
    let pid = nix::unistd::Pid::from_raw(i32::try_from(running.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    lines.for_each(drop);
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let comparison = site.json("out/comparison.json");
    let rounds = comparison["run"]["rounds"].as_u64().unwrap();
    assert!((2..50).contains(&rounds), "{rounds}");
    assert_eq!(comparison["sides"]["before"]["interrupted"], true);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(one_line(&shown).contains("was interrupted (stopped by a signal in round "), "{shown}");
}

#[test]
fn a_setting_that_changes_while_it_is_measured_speaks_against_the_run() {
    let site = Site::new(INDEX);
    let mut running = Command::new(env!("CARGO_BIN_EXE_latclinic"))
        .current_dir(site.folder.path())
        .env("LATCLINIC_DATA_DIR", site.path("data"))
        .args(["run", "items.toml", "--rounds", "4", "--block", "200ms", "--output", "out"])
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(running.stderr.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().starts_with("round 2 of 4, ")));
    let change = ["-c", "ALTER SYSTEM SET work_mem = '9MB'", "-c", "SELECT pg_reload_conf()"];
    site.done(&[&["server", "psql", "--"], &change[..]].concat());
    lines.for_each(drop);
    assert!(running.wait().unwrap().success());
    for name in ["out/before/record.json", "out/after/record.json"] {
        let record = site.json(name);
        let warnings = record["warnings"].as_array().unwrap();
        let changed = warnings.iter().find(|warning| warning["id"] == "settings-changed").unwrap();
        assert!(changed["message"].as_str().unwrap().contains("work_mem 4MB -> 9MB"), "{changed}");
    }
}

#[test]
fn a_fix_that_helps_one_statement_and_hurts_another_says_so_on_top() {
    let fix = "
[workload.statements.count]
sql = \"SELECT count(*) FROM items WHERE id < $1\"
parameters = [{ constant = 10 }]

[fix]
title = \"index on owner, and a nap\"
up = \"CREATE INDEX items_owner ON items (owner)\"
down = \"DROP INDEX items_owner\"
statements.count.sql = \"SELECT count(*) FROM items, pg_sleep(0.05) WHERE id < $1\"
";
    let site = Site::new(fix);
    let run = ["run", "items.toml", "--rows", "200000", "--rounds", "6", "--block", "1s", "--output", "out"];
    let shown = site.done(&run);
    let headline = one_line(shown.split("\n\n").next().unwrap());
    assert!(headline.contains("; but not the same for all statements: of_owner p"), "{shown}");
    assert!(headline.contains("; count p"), "{headline}");
    let comparison = site.json("out/comparison.json");
    let verdict = |name: &str| {
        let statements = comparison["statements"].as_array().unwrap();
        let found = statements.iter().find(|statement| statement["name"] == name).unwrap();
        let metrics = found["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == "p50").unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!((verdict("of_owner"), verdict("count")), ("improved".into(), "regressed".into()));
}

#[test]
fn a_slow_side_is_measured_until_it_has_a_p99_and_a_fast_one_no_longer_than_asked() {
    let site =
        Site::new("[fix]\ntitle = \"no wait\"\nstatements.wait = { sql = \"SELECT pg_sleep($1::float8 * 0)\" }\n");
    let scenario = "title = \"A wait\"\n[dataset]\nschema = \"CREATE TABLE t (id int)\"\ntables.t = { rows = 1, columns = { id = { constant = 1 } } }\n\
        [workload.statements.wait]\nsql = \"SELECT pg_sleep($1::float8)\"\nparameters = [{ constant = 0.03 }]\n[load]\nclients = 4\n\
        [results]\nsample = 4\n[fix]\ntitle = \"no wait\"\nstatements.wait = { sql = \"SELECT pg_sleep($1::float8 * 0)\" }\n";
    fs::write(site.path("wait.toml"), scenario).unwrap();
    let run = ["run", "wait.toml", "--rounds", "3", "--block", "200ms..20s", "--warmup", "50ms", "--output", "out"];
    let output = site.run(&run);
    assert!(
        output.status.code().is_some_and(|code| code != 1 && code != 2),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (before, after) = (site.json("out/before/record.json"), site.json("out/after/record.json"));
    let blocks = |record: &Value, of: fn(&Value) -> f64| -> Vec<f64> {
        record["blocks"].as_array().unwrap().iter().map(of).collect()
    };
    let samples = |block: &Value| block["latency_ms"]["samples"].as_f64().unwrap();
    let length = |block: &Value| block["sending_s"].as_f64().unwrap();
    assert!(blocks(&before, samples).iter().all(|samples| (100.0..500.0).contains(samples)), "{before}");
    assert!(blocks(&before, length).iter().all(|length| *length > 0.6), "{before}");
    assert!(blocks(&after, samples).iter().all(|samples| *samples >= 100.0));
    assert!(!metric(&site.json("out/comparison.json"), "p99")["before"].is_null());
    assert_eq!((&before["load"]["enough"]["samples"], &before["load"]["duration_s"]), (&100.into(), &60.0.into()));
    let time = before["run"]["time_s"].as_object().unwrap();
    assert!(
        ["seed", "results", "around", "warm_up", "measured", "plans"].iter().all(|on| time[*on].as_f64() > Some(0.0)),
        "{time:?}"
    );
}
