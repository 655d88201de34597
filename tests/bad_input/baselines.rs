//! Baselines: kept in one file, compared later, and refused when they are not what they should be.

use std::fs;

use insta::assert_snapshot;

use crate::site::{QUICK, Site};

#[test]
fn a_record_is_kept_in_one_file_and_compared_with_later() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    let bench = |more: &[&str]| site.done(&[&["bench", "--phase", "before"][..], &QUICK, more].concat());
    bench(&["--output", "first"]);
    assert_snapshot!(site.refused(2, &["baseline", "save", "main"]), @"
    error: there are no records in reports
      help: measure both phases: latclinic run
    ");
    site.done(&["baseline", "save", "main", "first"]);
    let told = site.done(&["baseline", "save", "main", "first", "--output", "main.json"]);
    assert!(told.stdout.ends_with("written: main.json\n"), "{}", told.stdout);
    assert_snapshot!(site.refused(2, &["baseline", "save", "main", "first"]), @"
    error: reports/baselines/main.json already exists
      help: choose another name, or replace it with --replace
    ");
    site.done(&["baseline", "save", "main", "first", "--replace"]);
    let listed: serde_json::Value =
        serde_json::from_str(&site.done(&["baseline", "list", "--format", "json"]).stdout).unwrap();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["scenario"], &listed[0]["phase"]),
        (&"main".into(), &"events".into(), &"before".into())
    );
    let shown = site.done(&["baseline", "show", "main.json"]).stdout;
    assert!(shown.contains("- main: main.json") && shown.contains("Scenario events"), "{shown}");

    // The record is compared as it was, from the file alone.
    fs::remove_dir_all(site.path("first")).unwrap();
    bench(&["--output", "second"]);
    let told = site.done(&["compare", "--baseline", "main", "second"]);
    assert!(told.stdout.contains("\nRecords   before reports/baselines/main.json, after second\n"), "{}", told.stdout);
    site.done(&["compare", "--baseline", "main.json", "second", "--gate", "findings none worse"]);
}

#[test]
fn baselines_that_are_none_are_told_apart() {
    let site = Site::new();
    let record = fs::read_to_string("tests/fixtures/records/earlier/record.json").unwrap();
    let baseline = format!(
        "{{\"format\": 1, \"name\": \"b\", \"saved_at\": \"2026-11-21T01:02:03Z\", \"record\": {record}, \"latency_hlog\": null}}"
    );
    site.write("cut.json", &baseline[..baseline.len() / 2]);
    site.write("newer.json", &baseline.replacen("\"format\": 1", "\"format\": 2", 1));
    site.write("foreign.json", "{\"name\": \"left-pad\", \"version\": \"1.0.0\"}");
    site.write("record.json", &record);
    let files = ["cut.json", "newer.json", "foreign.json", "record.json", "none", "../x", "no name"];
    let told: Vec<String> = files
        .map(|file| {
            let exit = if ["none", "../x", "no name"].contains(&file) { 2 } else { 4 };
            site.refused(exit, &["compare", "--baseline", file])
        })
        .to_vec();
    assert_snapshot!(told.join("\n"), @"
    error: cut.json is truncated: EOF while parsing an object at line 365 column 4
    error: newer.json has format 2; this latclinic reads a baseline up to format 1
      help: use the latclinic version that wrote it, or a newer one
    error: foreign.json is not a latclinic baseline: it has no `record`
    error: record.json is a record, not a baseline
      help: save it as a baseline (`latclinic baseline save NAME record.json`), or compare it as a record (`latclinic compare record.json AFTER`)
    error: there is no reports/baselines/none.json
      help: list the baselines: latclinic baseline list
    error: there is no ../x
      help: list the baselines: latclinic baseline list
    error: `no name` is not a valid name of a baseline: use A-Z, a-z, 0-9, `.`, `_` and `-` only
    ");
    assert_snapshot!(site.refused(2, &["compare", "only-one"]), @"
    error: only one record is given, and a comparison needs two
      help: name two records, the folder of one run, or none to compare the newest two
    ");
    assert_snapshot!(site.refused(2, &["compare", "--baseline", "x", "a", "b"]), @"
    error: --baseline conflicts with a first record (both are the side before)
      help: with --baseline, name only the record after the fix
    ");
}
