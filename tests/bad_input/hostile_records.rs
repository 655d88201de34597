//! Records and histograms that were mixed up, changed, or are of nothing: refused, and the message says which file and why.

use std::{fs, path::Path};

use serde_json::{Value as Json, json};

use crate::site::{Site, record};

/// The committed sample as the folder of a run in the reports of a site.
fn sample(site: &Site) -> &'static str {
    const RUN: &str = "reports/events/20261130T232219Z-run";
    for side in ["before", "after"] {
        copy(&Path::new("reports/sample").join(side), &site.path(RUN).join(side));
    }
    RUN
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn swap(site: &Site, one: &str, other: &str) {
    fs::rename(site.path(one), site.path("aside")).unwrap();
    fs::rename(site.path(other), site.path(one)).unwrap();
    fs::rename(site.path("aside"), site.path(other)).unwrap();
}

/// Changes the record of a folder.
fn change(site: &Site, folder: &str, change: impl FnOnce(&mut Json)) {
    let mut changed = record(&site.path(folder));
    change(&mut changed);
    site.write(&format!("{folder}/record.json"), &changed.to_string());
}

/// Every way in which the files of a run are mixed up or changed, and what is said of it.
#[test]
fn what_does_not_belong_together_is_refused_with_the_file_and_the_reason() {
    type Act = fn(&Site, &str);
    let cases: [(&str, Act, &str); 12] = [
        (
            "histograms swapped",
            |site, run| swap(site, &format!("{run}/before/latency.hlog"), &format!("{run}/after/latency.hlog")),
            "latency.hlog does not belong to its record",
        ),
        (
            "records swapped",
            |site, run| swap(site, &format!("{run}/before/record.json"), &format!("{run}/after/record.json")),
            "before/record.json is of phase after of scenario events, in a folder for phase before",
        ),
        (
            "folders swapped",
            |site, run| swap(site, &format!("{run}/before"), &format!("{run}/after")),
            "before/record.json is of phase after of scenario events, in a folder for phase before",
        ),
        (
            "phase changed",
            |site, run| change(site, &format!("{run}/after"), |record| record["phase"] = json!("before")),
            "after/record.json is of phase before",
        ),
        (
            "another run's side",
            |site, run| change(site, &format!("{run}/after"), |record| record["run"]["id"] = json!("another")),
            "are of different runs",
        ),
        (
            "another scenario's side",
            |site, run| change(site, &format!("{run}/after"), |record| record["scenario"] = json!("orders")),
            "after/latency.hlog does not belong to its record: the log says [Measured: phase after of scenario events]",
        ),
        (
            "p99 made better",
            |site, run| change(site, &format!("{run}/after"), |record| record["latency_ms"]["p99"] = json!(0.45)),
            "after/latency.hlog does not belong to its record: p99 of all operations is 0.4500 ms in the record",
        ),
        (
            "p99 made impossible",
            |site, run| change(site, &format!("{run}/after"), |record| record["latency_ms"]["p99"] = json!(0.001)),
            "after/record.json is a record with contradictory figures: percentiles that do not ascend",
        ),
        (
            "a block's p99 made better",
            |site, run| {
                change(site, &format!("{run}/after"), |record| record["blocks"][2]["latency_ms"]["p99"] = json!(0.4));
            },
            "p99 of the block of round 3 is 0.4000 ms in the record",
        ),
        (
            "throughput made better",
            |site, run| {
                change(site, &format!("{run}/after"), |record| record["totals"]["throughput_per_s"] = json!(1e6));
            },
            "operations without error in 12 s of all operations",
        ),
        (
            "another statement",
            |site, run| {
                change(site, &format!("{run}/after"), |record| record["statements"][0]["name"] = json!("other"));
            },
            "other statements in the block of round 1",
        ),
        (
            "plans of another",
            |site, run| {
                change(site, &format!("{run}/after"), |record| record["plans"][0]["statement"] = json!("other"));
            },
            "a plan of the statement other, which it does not have",
        ),
    ];
    for (what, act, words) in cases {
        let site = Site::new();
        let run = sample(&site);
        site.done(&["compare", run, "--output", "sound"]);
        act(&site, run);
        let refusal = site.refused(4, &["compare", run]);
        assert!(refusal.contains(words), "{what}: {refusal}");
        assert!(
            !site
                .path("reports/events")
                .read_dir()
                .unwrap()
                .any(|entry| { entry.unwrap().file_name().to_string_lossy().contains("compare") })
        );
    }
}

#[test]
fn what_is_missing_or_empty_is_said() {
    let site = Site::new();
    let run = sample(&site);
    // The figures alone are compared, and that is said.
    fs::remove_file(site.path(run).join("before/latency.hlog")).unwrap();
    let told = site.done(&["compare", run]);
    assert!(told.stdout.contains("latency.hlog is missing in"), "{}", told.stdout);

    // A measurement that was stopped before it measured anything is not the newest.
    let empty = "reports/events/20271122T000000Z-before";
    copy(&site.path(run).join("before"), &site.path(empty));
    let none = json!({ "operations": 0, "errors": 0, "throughput_per_s": 0.0, "error_rate": 0.0 });
    let no_times = json!({
        "min": null, "mean": null, "p50": null, "p90": null, "p95": null, "p99": null, "p999": null, "max": null,
        "samples": 0,
    });
    change(&site, empty, |record| {
        record["run"] = Json::Null;
        record["blocks"] = json!([]);
        record["slices"] = json!([]);
        for figures in ["totals", "latency_ms"] {
            let value = if figures == "totals" { &none } else { &no_times };
            record[figures] = value.clone();
            record["statements"][0][figures] = value.clone();
        }
    });
    let told = site.done(&["compare", "--details"]);
    assert!(told.stderr.contains(&format!("skipped, because nothing was measured in it: {empty}")), "{}", told.stderr);
    assert!(told.stdout.contains(&format!("- before: {run}/before\n")), "{}", told.stdout);
    let refusal = site.refused(2, &["baseline", "save", "x", empty]);
    assert!(refusal.contains("nothing was measured in the record in"), "{refusal}");

    // A record in the reports of another scenario, or of the other phase, is not taken for the newest.
    let misplaced = "reports/events/20271123T000000Z-before";
    copy(&site.path(run).join("after"), &site.path(misplaced));
    let refusal = site.refused(4, &["compare"]);
    assert!(refusal.contains("in a folder for phase before of scenario events"), "{refusal}");
}

#[test]
fn a_baseline_is_checked_as_a_record_is() {
    let site = Site::new();
    let run = sample(&site);
    let after = format!("{run}/after");
    site.done(&["baseline", "save", "sound", &after]);
    let path = site.path("reports/baselines/sound.json");
    let sound: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let forged = |change: &dyn Fn(&mut Json)| {
        let mut forged = sound.clone();
        change(&mut forged);
        site.write("forged.json", &forged.to_string());
        site.refused(4, &["compare", "--baseline", "./forged.json", &after])
    };
    let refusal = forged(&|baseline| baseline["record"]["latency_ms"]["p99"] = json!(0.45));
    assert!(refusal.contains("forged.json does not belong to its record: p99 of all operations"), "{refusal}");
    let other = fs::read_to_string(site.path(run).join("before/latency.hlog")).unwrap();
    let refusal = forged(&|baseline| baseline["latency_hlog"] = json!(other));
    assert!(refusal.contains("does not belong to its record"), "{refusal}");
    let refusal = forged(&|baseline| baseline["record"]["totals"]["errors"] = json!(5));
    assert!(refusal.contains("forged.json is a baseline with contradictory figures"), "{refusal}");

    swap(&site, &format!("{run}/before/latency.hlog"), &format!("{run}/after/latency.hlog"));
    let refusal = site.refused(4, &["baseline", "save", "mixed", &after]);
    assert!(refusal.contains("does not belong to its record"), "{refusal}");
    assert!(!site.path("reports/baselines/mixed.json").exists());
}
