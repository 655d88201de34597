//! Thresholds and the search for capacity: what a person reads, and the exit code.

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::site::{File, ONE_ROUND, QUICK, Site, Told, record};

/// A quick measurement of the phase before with these flags.
fn bench<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["bench", "--phase", "before"][..], &QUICK, more].concat()
}

/// The rows of the table of thresholds.
fn thresholds(told: &Told) -> Vec<Vec<String>> {
    let (_, table) = told.stdout.split_once("\nThresholds:\n").unwrap();
    let rows = table.lines().skip(2).take_while(|line| !line.is_empty());
    rows.map(|row| row.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect())
        .collect()
}

#[test]
fn thresholds_decide_the_exit_code() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    let told = site.done(&bench(&["--threshold", "p(50)<1min", "--threshold", "latest_events:error_rate<1%"]));
    let outcomes: Vec<_> = thresholds(&told).iter().map(|row| (row[0].clone(), row[2].clone())).collect();
    let pass = |expression: &str| (expression.to_owned(), "PASS".to_owned());
    assert_eq!(outcomes, [pass("p(50)<1min"), pass("latest_events:error_rate<1%")]);

    let both = ["--threshold", "p(50)<1ns", "--threshold", "p(99.9999)<1min", "--output", "failed"];
    let told = site.run(&bench(&both));
    assert_eq!(told.exit, 3, "{}", told.stderr);
    let rows = thresholds(&told);
    assert_eq!((rows[0][0].as_str(), rows[0][2].as_str()), ("p(50)<1ns", "FAIL"));
    assert!(rows[1][2].starts_with("undecided: needs 2995731 samples;"), "{rows:?}");
    assert_eq!(record(&site.path("failed"))["thresholds"][0]["outcome"], "failed");

    let told = site.run(&bench(&["--threshold", "p(50)<1min", "--threshold", "p(99.9999)<1min", "--format", "json"]));
    assert_eq!(told.exit, 4, "{}", told.stderr);
    let json: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let told = site.done(&bench(&["--threshold", "p(99.9999)<1min", "--undecided", "pass"]));
    assert!(thresholds(&told)[0][2].starts_with("undecided: "), "{}", told.stdout);
    let told = site.run(&bench(&["--threshold", "p(50)<1ns", "--undecided", "pass"]));
    assert_eq!(told.exit, 3, "{}", told.stderr);
    assert_eq!((&json["thresholds"][1]["outcome"], &json["thresholds"][1]["value"]), (&"undecided".into(), &().into()));
}

#[test]
fn in_a_run_the_thresholds_of_the_phase_after_decide() {
    let site = Site::new();
    let run = |more: &[&str]| site.run(&[&["run", "--rows", "2000"], &ONE_ROUND[..], more].concat());
    // So sick that no measurement before the fix can keep it, and so healthy that each one after it does.
    let scenario = "sql = \"SELECT pg_sleep(CASE WHEN to_regclass('events_user') IS NULL THEN 0.05 ELSE 0 END)\"";
    site.write("sick.toml", &File { statement: scenario, ..File::default() }.text());
    let told =
        site.run(&[&["run", "sick.toml", "--threshold", "p(50)<50ms", "--output", "healed"], &ONE_ROUND[..]].concat());
    assert_eq!(told.exit, 0, "{}", told.stderr);
    assert_eq!(record(&site.path("healed/before"))["thresholds"][0]["outcome"], "failed");
    let rows = thresholds(&told);
    assert_eq!((rows[0].len(), rows[0][3].as_str()), (4, "PASS"), "{rows:?}");

    let told = run(&["--threshold", "p(50)<1ns", "--output", "out"]);
    assert_eq!((told.exit, thresholds(&told)[0][3].as_str()), (3, "FAIL"), "{}", told.stderr);
    assert!(told.stdout.ends_with("written: out\n"), "{}", told.stdout);
    let compared = site.run(&["compare", "out/before", "out/after"]);
    assert_eq!((compared.exit, thresholds(&compared)), (3, thresholds(&told)), "{}", compared.stderr);
    let told = run(&["--threshold", "p(99.9999)<1min"]);
    assert_eq!(told.exit, 4, "{}", told.stderr);
    let told = run(&["--threshold", "p(99.9999)<1min", "--undecided", "pass"]);
    assert_eq!(told.exit, 0, "{}", told.stderr);
}

#[test]
fn thresholds_that_do_not_parse_are_marked() {
    let site = Site::new();
    let mut told = Vec::new();
    for expression in ["p95<50ms", "p(95)<50 parsecs", "latest_event:p(95)<50ms"] {
        for command in [&["run"][..], &["bench", "--phase", "before"]] {
            let words = site.refused(2, &[command, &["--threshold", expression]].concat());
            told.push(words.split("\n\nFor more").next().unwrap().to_owned());
        }
    }
    told.dedup();
    assert_snapshot!(told.join("\n"), @"
    error: invalid value 'p95<50ms' for '--threshold <EXPR>': unknown metric `p95`, expected `p(95)`, `mean`, `max`, `error_rate` or `throughput`, did you mean `p(95)`?
      p95<50ms
      ^^^
    error: invalid value 'p(95)<50 parsecs' for '--threshold <EXPR>': unknown unit `parsecs`, expected `us`, `ms`, `s` or `min`
      p(95)<50 parsecs
               ^^^^^^^
    error: --threshold: no operation `latest_event`, did you mean `latest_events`?
      latest_event:p(95)<50ms
      ^^^^^^^^^^^^
    ");
}

/// A scenario of a statement that takes 10 ms, whose 4 clients so have a capacity of just under 400/s.
fn sleepy(site: &Site) {
    let statement = "sql = \"SELECT pg_sleep(0.01)\"";
    site.write("sleepy.toml", &File { statement, clients: "4", ..File::default() }.text());
    site.done(&["seed", "sleepy.toml"]);
}

/// A search for capacity.
fn search<'a>(threshold: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let flags = ["--phase", "before", "--find-capacity", threshold, "--warmup", "200ms"];
    [&["bench", "sleepy.toml"][..], &flags, more].concat()
}

#[test]
fn the_capacity_of_a_known_statement_is_found() {
    let site = Site::with_server();
    sleepy(&site);
    let told =
        site.done(&search("p(95)<100ms", &["--arrivals", "constant", "--duration", "1500ms", "--output", "out"]));
    let record = record(&site.path("out"));
    let capacity = &record["capacity"];
    let rate = capacity["rate_per_s"].as_f64().unwrap();
    assert!((250.0..420.0).contains(&rate), "{}", told.stderr);
    assert_eq!((&record["load"]["model"], record["load"]["rate"].as_f64().unwrap()), (&"open".into(), rate));
    assert_eq!(record["thresholds"][0]["outcome"], "passed");
    let curve = capacity["curve"].as_array().unwrap();
    let rates: Vec<f64> = curve.iter().map(|point| point["rate_per_s"].as_f64().unwrap()).collect();
    assert!(rates.is_sorted() && rates.len() > 3, "{rates:?}");
    let failed = curve.iter().find(|point| point["passed"] == false).unwrap();
    let near = failed["rate_per_s"].as_f64().unwrap() / rate;
    assert!(near > 1.0 && near <= 1.05, "{curve:?}");
    assert!(told.stderr.contains("capacity: a closed load of 4 clients achieves "), "{}", told.stderr);
    let tried = told.stderr.matches(" keeps p(95)<100ms: ").count()
        + told.stderr.matches(" does not keep p(95)<100ms: ").count();
    assert_eq!(tried, curve.len(), "{}", told.stderr);
    assert!(told.stdout.contains("\nCapacity: ") && told.stdout.contains("keep p(95)<100ms:\n"), "{}", told.stdout);
}

#[test]
fn a_search_without_a_rate_that_is_kept_or_without_an_end() {
    let site = Site::with_server();
    sleepy(&site);
    let told = site.run(&search("p(95)<5ms", &["--rate", "90/s", "--duration", "1s", "--output", "none"]));
    assert_eq!(told.exit, 3, "{}", told.stderr);
    let none = record(&site.path("none"));
    assert_eq!((&none["capacity"]["rate_per_s"], none["capacity"]["curve"].as_array().unwrap().len()), (&().into(), 2));
    assert_eq!(none["load"]["rate"], none["capacity"]["curve"][0]["rate_per_s"]);
    assert!(told.stdout.contains("Capacity: no rate that was tried keeps p(95)<5ms:"), "{}", told.stdout);

    let mut running = site.start(&search("p(95)<100ms", &["--rate", "100/s", "--duration", "2s", "--output", "cut"]));
    running.hear("capacity: 100/s keeps p(95)<100ms: ");
    running.signal(Signal::SIGINT);
    let told = running.end(&site);
    assert_eq!(told.exit, 130, "{}", told.stderr);
    let cut = record(&site.path("cut"));
    assert_eq!((&cut["interrupted"], &cut["capacity"]["rate_per_s"]), (&true.into(), &100.0.into()));
    assert!(told.stdout.ends_with("written: cut\n"), "{}", told.stdout);
}
