//! Gates: what a person and a CI system read, and the exit code.

use std::fs;

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::site::{File, QUICK, Site};

/// The flags of all forms.
const FORMS: [&str; 8] =
    ["--junit", "j.xml", "--summary", "s.md", "--code-quality", "q.json", "--annotations", "github"];

fn run<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["run"][..], &QUICK, more].concat()
}

#[test]
fn gates_that_do_not_parse_or_name_what_is_not_there_are_marked() {
    let site = Site::new();
    let mut told = Vec::new();
    for expression in ["p90 improves by 2x", "p99 improves 2x", "latest_event.p99 improves by 2x"] {
        let words = site.refused(2, &["run", "--gate", expression]);
        told.push(words.split("\n\nFor more").next().unwrap().to_owned());
    }
    assert_snapshot!(told.join("\n"), @"
    error: invalid value 'p90 improves by 2x' for '--gate <EXPR>': unknown metric `p90`, expected `p50`, `p95`, `p99` or `throughput`
      p90 improves by 2x
      ^^^
    error: invalid value 'p99 improves 2x' for '--gate <EXPR>': unknown word `2x`, expected `by`
      p99 improves 2x
                   ^^
    error: --gate: no operation `latest_event`, did you mean `latest_events`?
      latest_event.p99 improves by 2x
      ^^^^^^^^^^^^
    ");
}

#[test]
fn files_that_cannot_be_written_are_told_before_anything_is_measured() {
    let site = Site::new();
    site.write("file", "");
    assert_snapshot!(site.refused(1, &run(&["--junit", "file/junit.xml"])), @"
    error: cannot write file/junit.xml: Not a directory (os error 20)
      help: name a file in a folder that exists and can be written to
    ");
    assert_snapshot!(site.refused(1, &run(&["--summary", "none/summary.md"])), @"
    error: cannot write none/summary.md: No such file or directory (os error 2)
      help: name a file in a folder that exists and can be written to
    ");
    assert_snapshot!(site.refused(1, &run(&["--code-quality", "."])), @"
    error: cannot write .: is a directory
      help: name a file in a folder that exists and can be written to
    ");
    assert!(!site.path("reports").exists());
}

#[test]
fn what_came_of_gates_is_told_in_every_form_before_the_exit_code() {
    let site = Site::with_server();
    let gates = "[[gates]]\nexpression = \"results identical\"\n";
    site.write("mine.toml", &(File::default().text() + gates));
    site.done(&["seed", "mine.toml"]);
    site.done(&["bench", "mine.toml", "--phase", "before", "--output", "before"]);
    site.done(&["apply-fix", "mine.toml"]);
    site.done(&["bench", "mine.toml", "--phase", "after", "--output", "after", "--threshold", "p(50)<1min"]);

    // The gate stands in the record of the phase after; only a run compares the results.
    let compare = ["compare", "before", "after"];
    let told = site.run(&[&compare[..], &FORMS].concat());
    assert_eq!(told.exit, 4, "{}", told.stderr);
    let read = |name: &str| fs::read_to_string(site.path(name)).unwrap();
    let junit = read("j.xml");
    assert!(junit.contains("tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"0\""), "{junit}");
    assert!(
        junit.contains("name=\"p(50)&lt;1min\"") && junit.contains("<error message=\"the results of the phases"),
        "{junit}"
    );
    let issues: serde_json::Value = serde_json::from_str(&read("q.json")).unwrap();
    assert_eq!(issues[0]["location"]["path"], "scenarios/mine.toml");
    assert_eq!((&issues[0]["severity"], issues.as_array().unwrap().len()), (&"major".into(), 1));
    assert!(
        told.stderr.contains("::warning title=latclinic mine%3A gate undecided::results identical: "),
        "{}",
        told.stderr
    );
    assert!(told.stdout.contains("\nGates:\n"), "{}", told.stdout);
    let once = read("s.md");
    assert!(once.contains("| results identical | - | undecided: "), "{once}");

    // Where a job may not fail for noise, what is undecided is said and passes.
    let told = site.run(&[&compare[..], &FORMS, &["--undecided", "pass"]].concat());
    assert_eq!(told.exit, 0, "{}", told.stderr);
    let junit = read("j.xml");
    assert!(junit.contains("tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"1\""), "{junit}");
    assert!(junit.contains("<skipped message=\"the results of the phases"), "{junit}");
    assert!(told.stderr.contains("::notice title=latclinic mine%3A gate undecided::"), "{}", told.stderr);
    assert!(read("q.json").contains("\"severity\": \"info\""), "{}", read("q.json"));
    assert!(told.stdout.contains("undecided: the results of the phases"), "{}", told.stdout);
    site.write("s.md", &once);

    // A gate of a flag that the record has already is the same one; the summary grows, the other files are replaced.
    let told = site.run(&[&compare[..], &FORMS, &["--gate", "results  identical"]].concat());
    assert_eq!(told.exit, 4, "{}", told.stderr);
    assert_eq!((read("j.xml").matches("<testcase").count(), read("s.md").matches("## Gates").count()), (2, 2));
    assert_snapshot!(site.refused(2, &[&compare[..], &["--gate", "lates.p99 improves by 2x"]].concat()), @"
    error: --gate: no operation `lates`, did you mean `latest`?
      lates.p99 improves by 2x
      ^^^^^
    ");
}

#[test]
fn a_whole_interval_passes_or_fails_a_gate_and_the_rest_is_undecided() {
    let site = Site::with_server();
    let statement = "sql = \"SELECT pg_sleep(CASE WHEN to_regclass('events_user') IS NULL THEN 0.012 ELSE 0.002 END)\"";
    site.write("sleepy.toml", &File { statement, ..File::default() }.text());
    let rounds = ["--rounds", "6", "--block", "300ms", "--warmup", "100ms", "--output", "out"];
    let run = ["run", "sleepy.toml", "--gate", "p50 improves by 2x", "--gate", "latest.throughput improves by 2x"];
    let told = site.run(&[&run[..], &rounds].concat());
    assert_eq!(told.exit, 0, "{}{}", told.stdout, told.stderr);

    // The record keeps its gates: compare judges them again, and more.
    let gates = |more: &[&str]| {
        let told = site.run(&[&["compare", "out/before", "out/after", "--format", "json"][..], more].concat());
        let json: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        let gates = json["gates"].as_array().unwrap().iter();
        (told.exit, gates.map(|gate| gate["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
    };
    let passed = ["passed", "passed"].map(str::to_owned).to_vec();
    assert_eq!(gates(&[]), (0, passed.clone()));
    let (exit, outcomes) = gates(&["--gate", "p50 improves by 50x", "--gate", "p50 regresses less than 10%"]);
    assert_eq!((exit, outcomes[2..].to_vec()), (3, ["failed", "passed"].map(str::to_owned).to_vec()));
    // A p99 needs more samples than a block has.
    let (exit, outcomes) = gates(&["--gate", "p99 improves by 2x"]);
    assert_eq!((exit, outcomes[2].as_str()), (4, "undecided"));
}

#[test]
fn a_plan_for_the_worse_fails_its_gate_whatever_the_times_say() {
    let site = Site::with_server();
    let file = File {
        schema: "CREATE TABLE events (id bigint PRIMARY KEY, user_id int NOT NULL); CREATE INDEX events_user ON events (user_id)",
        rows: "50000",
        user_id: "{ uniform = { min = 1, max = 10000 } }",
        statement: "sql = \"SELECT * FROM events WHERE user_id = $1\"\nparameters = [{ uniform = { min = 1, max = 10000 } }]",
        up: "DROP INDEX events_user",
        down: "CREATE INDEX events_user ON events (user_id)",
        ..File::default()
    };
    site.write("mine.toml", &file.text());
    site.done(&["seed", "mine.toml"]);
    site.done(&["bench", "mine.toml", "--phase", "before", "--output", "before"]);
    site.done(&["apply-fix", "mine.toml"]);
    site.done(&["bench", "mine.toml", "--phase", "after", "--output", "after"]);
    let compare = ["compare", "before", "after", "--gate", "findings none worse"];
    let told = site.run(&[&compare[..], &FORMS].concat());
    assert_eq!(told.exit, 3, "{}{}", told.stdout, told.stderr);
    let read = |name: &str| fs::read_to_string(site.path(name)).unwrap();
    for form in ["j.xml", "s.md", "q.json"] {
        assert!(read(form).contains("Seq Scan on events (critical)"), "{}", read(form));
    }
    assert!(
        told.stderr.contains("::error title=latclinic mine%3A gate failed::findings none worse: "),
        "{}",
        told.stderr
    );
    assert!(told.stdout.contains("worse: "), "{}", told.stdout);

    // What an earlier build did not keep cannot be judged.
    let path = "before/record.json";
    let mut record: serde_json::Value = serde_json::from_str(&read(path)).unwrap();
    record["findings"] = serde_json::Value::Null;
    record["plans"][0]["nodes"] = serde_json::json!([]);
    record["plans"].as_array_mut().unwrap().truncate(1);
    site.write(path, &record.to_string());
    let told = site.run(&compare);
    assert_eq!(told.exit, 4, "{}{}", told.stdout, told.stderr);
    assert!(told.stdout.contains("the plans of the two phases were not"), "{}", told.stdout);
}

/// Files of an earlier job, all of whose gates passed.
fn passed_earlier(site: &Site) {
    site.write("j.xml", "<testsuites tests=\"1\" failures=\"0\" errors=\"0\"/>");
    site.write("s.md", "");
    site.write("q.json", "[]");
}

#[test]
fn what_fails_without_a_comparison_is_an_error_in_every_form() {
    let site = Site::new();
    site.write("wrong.toml", "title = 1");
    let nowhere = ["run", "--database-url", "postgresql://me@127.0.0.1:1/db", "--yes"];
    let cases: [(&[&str], i32, &str); 4] = [
        (&nowhere, 1, "events"),
        (&["run", "wrong.toml"], 2, ""),
        (&["run", "--gate", "lates.p99 improves by 2x"], 2, "events"),
        (&["compare", "--scenario", "events"], 2, "events"),
    ];
    for (command, exit, scenario) in cases {
        passed_earlier(&site);
        let told = site.run(&[command, &FORMS].concat());
        assert_eq!(told.exit, exit, "{}", told.stderr);
        let read = |name: &str| fs::read_to_string(site.path(name)).unwrap();
        let junit = read("j.xml");
        assert!(junit.contains("tests=\"1\" failures=\"0\" errors=\"1\""), "{junit}");
        assert!(junit.contains("name=\"measured and compared\"") && junit.contains("<error message=\""), "{junit}");
        let of = if scenario.is_empty() { String::new() } else { format!(" {scenario}") };
        assert!(read("s.md").starts_with(&format!("## latclinic{of}: ")), "{}", read("s.md"));
        assert!(told.stderr.contains(&format!("::error title=latclinic{of}%3A failed::")), "{}", told.stderr);
        let issues: serde_json::Value = serde_json::from_str(&read("q.json")).unwrap();
        let description = issues[0]["description"].as_str().unwrap();
        assert!(description.starts_with("measured and compared: failed: "), "{description}");
    }
}

#[test]
fn a_run_that_ended_early_is_not_green() {
    let site = Site::with_server();
    site.write("mine.toml", &File::default().text());
    site.done(&["seed", "mine.toml"]);
    passed_earlier(&site);
    let run = ["run", "mine.toml", "--rounds", "3", "--block", "1s", "--output", "out", "--threshold", "p(50)<1min"];
    let mut running = site.start(&[&run[..], &FORMS].concat());
    running.hear("round 2 of 3");
    running.signal(Signal::SIGTERM);
    let told = running.end(&site);
    assert_eq!(told.exit, 143, "{}", told.stderr);
    let read = |name: &str| fs::read_to_string(site.path(name)).unwrap();
    let early = "the run ended early: stopped by a signal";
    let junit = read("j.xml");
    assert!(junit.contains("tests=\"2\" failures=\"0\" errors=\"1\""), "{junit}");
    assert!(junit.contains(&format!("<error message=\"{early}")), "{junit}");
    assert!(read("s.md").starts_with(&format!("## latclinic mine: {early}")), "{}", read("s.md"));
    assert!(read("q.json").contains(early) && told.stderr.contains(&format!("failed::{early}")), "{}", told.stderr);

    // The exit code of a comparison is that of its gates; what it tells is the same.
    passed_earlier(&site);
    let told = site.run(&[&["compare", "out"][..], &FORMS].concat());
    assert_eq!(told.exit, 0, "{}", told.stderr);
    assert!(read("s.md").starts_with(&format!("## latclinic mine: {early}")), "{}", read("s.md"));
    assert!(read("j.xml").contains("errors=\"1\""), "{}", read("j.xml"));
}

#[test]
fn the_jobs_of_the_guide_use_flags_that_there_are() {
    let guide = fs::read_to_string("docs/ci.md").unwrap();
    let example = fs::read_to_string("docs/ci/orders.toml").unwrap();
    let excerpt = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    for part in excerpt.split("\n\n") {
        assert!(example.contains(part.trim_end()), "docs/ci/orders.toml lacks\n{part}");
    }
    // Folded lines of YAML, to the end of their block.
    let jobs: Vec<String> = guide
        .split("latclinic run bench/orders.toml")
        .skip(1)
        .map(|rest| rest.lines().take_while(|line| !line.trim().is_empty() && !line.contains("artifacts:")).collect())
        .collect();
    assert_eq!(jobs.len(), 2);
    let site = Site::new();
    for job in jobs {
        let script = format!("exec \"$PROGRAM\" run {job} --help");
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", &script])
            .env("PROGRAM", env!("CARGO_BIN_EXE_latclinic"))
            .env("GITHUB_STEP_SUMMARY", "s.md");
        let output = command.current_dir(site.path("")).output().unwrap();
        assert!(output.status.success(), "{job}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
