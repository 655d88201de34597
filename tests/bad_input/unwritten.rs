//! Results and messages that nobody can read: a full disk, a closed stream, a reader that has gone away.

use std::{fs, io::pipe, os::fd::OwnedFd, process::Stdio};

use serde_json::{Value as Json, json};

use crate::site::{File, ONE_ROUND, QUICK, Site};

/// What stdout may be, as a shell says it, and why nothing can be written there.
const UNWRITABLE: [(&str, &str); 3] = [
    ("exec \"$@\" >/dev/full", "No space left on device"),
    ("exec \"$@\" >&-", "Bad file descriptor"),
    ("exec \"$@\" 1<input", "Bad file descriptor"),
];

/// The exit code where stdout is the write end of a pipe that nobody reads.
fn unread(site: &Site, args: &[&str]) -> (i32, String) {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let told = site.tell(site.command(args).stdout(Stdio::from(OwnedFd::from(writer))));
    (told.exit, told.stderr)
}

/// Records of both phases, from the fixtures, and one of the phase after with a threshold that failed.
fn records(site: &Site) {
    let fixture = fs::read_to_string("tests/fixtures/records/earlier/record.json").unwrap();
    let before: Json = serde_json::from_str(&fixture).unwrap();
    let mut after = before.clone();
    after["phase"] = json!("after");
    let mut failed = after.clone();
    failed["thresholds"] = json!([{
        "expression": "p(50)<1ns", "statement": null, "value": 1.0, "limit": 0.000001, "unit": "ms", "outcome": "failed",
        "reason": null,
    }]);
    for (folder, record) in [("before", before), ("after", after), ("failed", failed)] {
        fs::create_dir_all(site.path(folder)).unwrap();
        site.write(&format!("{folder}/record.json"), &record.to_string());
    }
}

/// Commands that need no server, with their exit codes.
fn without_server() -> Vec<(Vec<&'static str>, i32)> {
    let mut commands: Vec<(Vec<&str>, i32)> = [
        &["--help"][..],
        &["--version"],
        &["help", "run"],
        &["run", "--help"],
        &["baseline", "save", "--help"],
        &["scenarios", "list"],
        &["scenarios", "show"],
        &["scenarios", "check", "events"],
        &["scenarios", "check", "events", "--format", "json"],
        &["scenarios", "schema"],
        &["explain", "--rules"],
        &["explain", "--rules", "--format", "json"],
        &["explain", "--rule", "sort-spill"],
        &["explain", "--plan", "plan.txt"],
        &["baseline", "save", "main", "before", "--replace"],
        &["baseline", "show", "main"],
        &["baseline", "list"],
        &["baseline", "list", "--format", "json"],
        &["server", "status"],
        &["server", "stop"],
        &["compare", "before", "after"],
        &["compare", "before", "after", "--format", "markdown"],
    ]
    .into_iter()
    .map(|args| (args.to_vec(), 0))
    .collect();
    commands.push((vec!["compare", "before", "failed"], 3));
    commands.push((vec!["compare", "before", "after", "--gate", "p99 improves by 2x"], 4));
    commands
}

fn prepared() -> (Site, Vec<(Vec<&'static str>, i32)>) {
    let site = Site::new();
    site.write("plan.txt", "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n");
    site.write("input", "");
    records(&site);
    site.done(&["baseline", "save", "main", "before"]);
    let commands = without_server();
    (site, commands)
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure_of_every_command() {
    let (site, commands) = prepared();
    for (args, exit) in commands {
        assert_eq!(site.run(&args).exit, exit, "{args:?}");
        for (script, why) in UNWRITABLE {
            let told = site.tell(&mut site.shell(script, &args));
            assert_eq!(told.exit, 1, "{args:?} {script}: {}", told.stderr);
            let words = format!("error: cannot write the result to stdout: {why}");
            assert!(told.refusal().starts_with(&words), "{args:?} {script}: {}", told.stderr);
        }
    }
}

#[test]
fn a_reader_that_has_gone_away_changes_no_exit_code() {
    let (site, commands) = prepared();
    for (args, exit) in commands {
        let (code, stderr) = unread(&site, &args);
        assert_eq!(code, exit, "{args:?}: {stderr}");
        assert!(!stderr.contains("error: "), "{args:?}: {stderr}");
    }
}

#[test]
fn a_stderr_that_cannot_be_written_changes_no_exit_code() {
    let (site, mut commands) = prepared();
    commands.push((vec!["run", "--nonsense"], 2));
    commands.push((vec!["compare", "nowhere", "nothing"], 2));
    commands.push((vec!["scenarios", "check", "plan.txt"], 2));
    for (args, exit) in commands {
        let stdout = site.run(&args).stdout;
        for script in ["exec \"$@\" 2>/dev/full", "exec \"$@\" 2>&-", "exec \"$@\" 2<input"] {
            let told = site.tell(&mut site.shell(script, &args));
            assert_eq!(told.exit, exit, "{args:?} {script}: {}", told.stdout);
            // A comparison names its folder.
            let lines = |text: &str| text.lines().filter(|line| !line.starts_with("written: ")).count();
            assert_eq!(lines(&told.stdout), lines(&stdout), "{args:?} {script}");
        }
    }
}

#[test]
fn the_work_is_done_before_the_exit_code_whatever_becomes_of_the_result() {
    let site = Site::with_server();
    site.write("mine.toml", &File::default().text());
    site.done(&["seed", "mine.toml"]);
    let folder = |name: &str| site.path(name).join("comparison.json");
    let run = |name: &'static str, junit: &'static str| {
        let gate = ["--gate", "p50 improves by 100000x", "--output", name, "--junit", junit];
        [&["run", "mine.toml"][..], &ONE_ROUND, &gate].concat()
    };
    let told = site.tell(&mut site.shell("exec \"$@\" >/dev/full", &run("full", "full.xml")));
    assert_eq!(told.exit, 1, "{}", told.stderr);
    // Where it was saved stood on stdout.
    assert!(told.stderr.contains("\nwritten: full\n"), "{}", told.stderr);
    let expected = site.run(&run("read", "read.xml")).exit;
    assert!([3, 4].contains(&expected));
    let (code, stderr) = unread(&site, &run("unread", "unread.xml"));
    assert_eq!(code, expected, "{stderr}");
    for name in ["full", "read", "unread"] {
        assert!(folder(name).is_file(), "{name}");
        let junit = fs::read_to_string(site.path(&format!("{name}.xml"))).unwrap();
        assert!(junit.contains("p50 improves by 100000x"), "{junit}");
    }

    let bench = |name: &'static str| [&["bench", "--phase", "before", "--output", name][..], &QUICK].concat();
    site.done(&["seed", "--rows", "2000"]);
    let commands: [(&[&str], i32); 6] = [
        (&["seed", "--rows", "2000"], 0),
        (&["apply-fix", "--rows", "2000"], 0),
        (&["revert-fix", "--rows", "2000"], 0),
        (&["explain", "--rows", "2000", "--phase", "before"], 0),
        (&["explain", "--query", "SELECT 1"], 0),
        (&["server", "start"], 0),
    ];
    let benches = [bench("b-full"), bench("b-unread")];
    let unwritten = |args: &[&str]| {
        let told = site.tell(&mut site.shell("exec \"$@\" >/dev/full", args));
        assert_eq!(told.exit, 1, "{args:?}: {}", told.stderr);
        assert!(told.stderr.contains("cannot write the result to stdout"), "{args:?}: {}", told.stderr);
    };
    for (args, exit) in commands {
        unwritten(args);
        assert_eq!(unread(&site, args).0, exit, "{args:?}");
    }
    unwritten(&benches[0]);
    assert_eq!(unread(&site, &benches[1]).0, 0);
    for name in ["b-full", "b-unread"] {
        assert!(site.path(name).join("record.json").is_file(), "{name}");
    }
}
