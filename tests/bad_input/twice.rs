//! What is done already is not done again, and is said once.

use serde_json::{Value as Json, json};

use crate::site::{QUICK, Site};

#[test]
fn a_seed_and_a_fix() {
    let site = Site::with_server();
    let rows = |command| [command, "--rows", "2000"];
    let seconds = |result: &Json, parts: &str| {
        let taken = |of: &Json| of["seconds"].as_f64().unwrap();
        let sum: f64 = result[parts].as_array().unwrap().iter().map(taken).sum();
        assert!(0.0 < sum && sum <= taken(result), "{result}");
    };
    let json = |command| {
        let told = site.done(&[&rows(command)[..], &["--format", "json"]].concat());
        (serde_json::from_str::<Json>(&told.stdout).unwrap(), told.stderr)
    };
    let again = |command, words: &str| {
        let told = site.done(&rows(command));
        assert!(told.stdout.lines().next().unwrap().ends_with(words), "{}", told.stdout);
        assert_eq!(told.stderr, "");
        let (result, stderr) = json(command);
        assert_eq!((&result["changed"], &result["seconds"]), (&json!(false), &Json::Null));
        assert_eq!(stderr, "");
    };

    let (seeded, _) = json("seed");
    assert_eq!((&seeded["changed"], &seeded["rows"]), (&json!(true), &json!({ "events": 2000 })));
    seconds(&seeded, "steps");
    again("seed", ", already complete");
    let (applied, _) = json("apply-fix");
    assert_eq!((&applied["changed"], &applied["state"]), (&json!(true), &json!("applied")));
    assert!(applied["statements"][0]["sql"].as_str().unwrap().starts_with("CREATE INDEX"), "{applied}");
    seconds(&applied, "statements");
    again("apply-fix", ": is already applied");
    let (reverted, _) = json("revert-fix");
    assert_eq!((&reverted["changed"], &reverted["state"]), (&json!(true), &json!("absent")));
    again("revert-fix", ": is not applied");

    let run = site.done(&[&["run"][..], &QUICK].concat());
    let first = run.stderr.lines().next();
    assert_eq!(first, Some("the dataset of events is complete: events 2 000 rows"));
    assert!(!run.stderr.contains("nothing to do"), "{}", run.stderr);
}
