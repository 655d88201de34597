//! From records on disk to what `latclinic compare` prints, writes and exits with.

#![expect(clippy::unwrap_used, reason = "a test fails by it, as it should")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};
use serde_json::{Value, json};

/// A `record.json` as docs/records.md describes it.
fn record(phase: &str, p99_ms: f64) -> Value {
    let latency = json!({
        "min": p99_ms / 10.0, "mean": p99_ms / 4.0, "p50": p99_ms / 4.0, "p90": p99_ms / 2.0, "p95": p99_ms / 1.5,
        "p99": p99_ms, "p999": null, "max": p99_ms * 2.0, "samples": 2700,
    });
    let none = json!({
        "min": null, "mean": null, "p50": null, "p90": null, "p95": null, "p99": null, "p999": null, "max": null,
        "samples": 0,
    });
    let totals = json!({ "operations": 2700, "errors": 0, "throughput_per_s": 90.0, "error_rate": 0.0 });
    json!({
        "format": 1, "scenario": "events", "phase": phase, "started_at": "2026-11-21T01:23:45Z",
        "interrupted": false, "interrupted_by": null,
        "tool": { "version": "0.1.0", "commit": null },
        "machine": { "os": "Linux", "kernel": "6", "cpu": "x", "cores": 2, "memory_bytes": 8_589_934_592_u64 },
        "server": { "version": "15.18", "managed": true, "settings": { "fsync": "on" } },
        "dataset": { "recipe": "ab", "rows": { "events": 1_000_000 }, "bytes": 215_000_000 },
        "fix": { "title": "an index", "up_sha256": "aa", "down_sha256": "bb" },
        "load": {
            "model": "closed", "clients": 8, "threads": 2, "rate": null, "duration_s": 30.0, "warmup_s": 5.0,
            "random_seed": 1,
        },
        "measured_s": 30.0, "sending_s": 30.0, "totals": totals, "latency_ms": latency, "service_ms": latency, "lag_ms": none,
        "statements": [{
            "name": "latest", "sql": "SELECT 1", "weight": 1.0, "totals": totals, "latency_ms": latency,
            "service_ms": latency, "lag_ms": none,
        }],
        "errors": [], "slices": [], "client": { "cpu_s": 1.0, "cpu_share": 0.02 },
        "plans": [{
            "statement": "latest", "class": "typical", "parameters": ["1"], "shape": "Seq Scan on events",
            "scans": ["Seq Scan on events"], "planning_ms": 0.1, "execution_ms": p99_ms, "rows_read": 1000,
            "rows_returned": 20, "buffers_hit": 10, "buffers_read": 0,
        }],
        "warnings": [],
    })
}

struct Reports(tempfile::TempDir);

impl Reports {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn save(&self, folder: &str, text: impl ToString) -> PathBuf {
        let folder = self.path(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("record.json"), text.to_string()).unwrap();
        folder
    }

    fn pair(&self) -> (PathBuf, PathBuf) {
        (
            self.save("events/20261121T010000Z-before", record("before", 307.0)),
            self.save("events/20261121T010100Z-after", record("after", 0.4)),
        )
    }

    fn compare(&self) -> Command {
        let mut command = Command::cargo_bin("latclinic").unwrap();
        command.args(["compare", "--reports"]).arg(self.0.path());
        command
    }
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}

fn written(stdout: &str) -> &Path {
    Path::new(stdout.lines().last().unwrap().strip_prefix("written: ").unwrap())
}

#[test]
fn the_newest_two_records_are_compared_and_the_last_line_names_the_folder() {
    let reports = Reports::new();
    reports.save("events/20261120T010000Z-before", record("before", 1.0));
    reports.pair();
    let text = stdout(&mut reports.compare());
    assert!(text.starts_with("p99 307 ms -> 400 µs, 768x faster\n"), "{text}");
    let folder = written(&text);
    assert!(folder.starts_with(reports.path("events")), "{text}");
    let json: Value = serde_json::from_slice(&fs::read(folder.join("comparison.json")).unwrap()).unwrap();
    assert_eq!((&json["verdict"], &json["results_identical"]), (&json!("inconclusive"), &Value::Null));
    let markdown = fs::read_to_string(folder.join("comparison.md")).unwrap();
    assert!(markdown.contains("| p99 | 307 ms | 400 µs | -99.9 % | 768x faster |"), "{markdown}");
}

#[test]
fn the_phases_of_a_run_are_found_and_compared_again_without_overwriting() {
    let reports = Reports::new();
    reports.save("events/20261121T020000Z-run/before", record("before", 307.0));
    reports.save("events/20261121T020000Z-run/after", record("after", 0.4));
    let (first, second) = (stdout(&mut reports.compare()), stdout(&mut reports.compare()));
    assert_ne!(written(&first), written(&second));
}

#[test]
fn named_records_go_into_a_named_folder_once() {
    let reports = Reports::new();
    let (before, after) = reports.pair();
    let output = reports.path("mine");
    let mut command = reports.compare();
    command.arg(&before).arg(after.join("record.json")).arg("--output").arg(&output);
    assert_eq!(written(&stdout(&mut command)), output);
    let first = fs::read(output.join("comparison.json")).unwrap();
    command.assert().code(2).stderr(contains("mine already exists").and(contains("help: ")));
    assert_eq!(fs::read(output.join("comparison.json")).unwrap(), first);
}

#[test]
fn json_on_stdout_is_nothing_but_json() {
    let reports = Reports::new();
    reports.pair();
    let assert = reports.compare().args(["--format", "json"]).assert().success().stderr(contains("written: "));
    let json: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(json["metrics"][2]["name"], "p99");
}

#[test]
fn what_does_not_belong_together_is_an_error_with_every_reason_and_writes_nothing() {
    let reports = Reports::new();
    reports.pair();
    let mut other = record("after", 0.4);
    other["load"]["clients"] = json!(16);
    other["load"]["random_seed"] = json!(9);
    other["dataset"]["recipe"] = json!("cd");
    reports.save("events/20261121T030000Z-after", other);
    reports
        .compare()
        .assert()
        .code(4)
        .stdout("")
        .stderr(contains("clients: 8 before, 16 after").and(contains("recipes")))
        .stderr(contains("random seed: 1 before, 9 after"));
    assert!(
        !fs::read_dir(reports.path("events"))
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().contains("compare") })
    );
}

#[test]
fn records_that_are_missing_cut_off_foreign_or_newer_are_refused_and_named() {
    let reports = Reports::new();
    reports.compare().assert().code(2).stderr(contains("there are no records"));
    reports.compare().args(["--scenario", "events"]).assert().code(2).stderr(contains("bench events --phase before"));

    let (before, after) = reports.pair();
    let whole = record("after", 0.4).to_string();
    let cut = reports.save("cut", &whole[..whole.len() / 2]);
    let foreign = reports.save("foreign", "{}");
    let newer = reports.save("newer", json!({ "format": 2 }));
    for (folder, words) in
        [(cut, "is truncated"), (foreign, "not a latclinic record"), (newer, "has format 2; this latclinic reads")]
    {
        let file = folder.join("record.json").display().to_string();
        reports.compare().arg(&before).arg(&folder).assert().code(4).stderr(contains(words).and(contains(file)));
    }
    reports.compare().arg(&after).arg(&before).assert().code(4).stderr(contains("the first record is of phase after"));
    reports.compare().arg(&before).assert().code(2);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let reports = Reports::new();
    let (before, after) = reports.pair();
    fs::write(reports.path("file"), "").unwrap();
    let mut command = reports.compare();
    command.arg(before).arg(after).arg("--output").arg(reports.path("file/below"));
    command.assert().code(1).stderr(contains("cannot create the folder").and(contains("file/below")));
}

#[test]
fn every_field_is_documented() {
    let reports = Reports::new();
    let mut before = record("before", 307.0);
    before["errors"] = json!([{ "sqlstate": "57014", "count": 1, "sample": "x" }]);
    before["slices"] = json!([{
        "start_s": 0.0, "length_s": 1.0, "totals": before["totals"], "latency_ms": before["latency_ms"],
    }]);
    before["server"]["settings"] = json!({});
    before["dataset"]["rows"] = json!({});
    let mut after = record("after", 0.4);
    after["dataset"]["rows"] = json!({});
    after["thresholds"] = json!([{
        "expression": "p(95)<50ms", "statement": null, "value": 1.0, "limit": 50.0, "unit": "ms", "outcome": "passed",
        "reason": null,
    }]);
    after["load"]["threads"] = json!(1);
    after["server"]["settings"] = json!({});
    let (from, to) = (reports.save("before", &before), reports.save("after", &after));
    let compared = stdout(reports.compare().arg(from).arg(to).args(["--format", "json"]));
    let docs = fs::read_to_string("docs/records.md").unwrap();
    for file in [before, serde_json::from_str(&compared).unwrap()] {
        let undocumented: Vec<String> =
            keys(&file).into_iter().filter(|key| !docs.contains(&format!("`{key}`"))).collect();
        assert!(undocumented.is_empty(), "docs/records.md lacks {undocumented:?}");
    }
}

fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| std::iter::once(key.clone()).chain(keys(value))).collect()
        }
        Value::Array(values) => values.iter().flat_map(keys).collect(),
        _ => Vec::new(),
    }
}
