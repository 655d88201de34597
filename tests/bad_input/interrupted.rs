//! Ctrl-C, SIGTERM, a closed terminal and a server that dies: at any moment, with nothing lost and nothing left running.

use std::{
    thread,
    time::{Duration, Instant},
};

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::site::{BEFORE_FIRST, File, MEASURING, ONE_ROUND, QUICK, Running, Site, Told, record, wait_for};

/// Sends a signal once the program has said `words`, and makes sure of its exit code and that no process is left.
fn signalled(site: &Site, args: &[&str], words: &str, signal: Signal) -> Told {
    let mut running = site.start(args);
    running.hear(words);
    running.signal(signal);
    let told = running.end(site);
    assert_eq!(told.exit, 128 + signal as i32, "{}", told.stderr);
    // initdb's own child reads its end from a pipe, and ends a moment after it.
    wait_for("no process is left", || !site.has_processes());
    told
}

/// A measurement of the phase before.
fn bench<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["bench", "--phase", "before", "--rows", "2000", "--clients", "2"][..], more].concat()
}

#[test]
fn while_the_server_is_made_and_while_seeding() {
    let site = Site::new();
    let made = signalled(&site, &["run"], "creating a PostgreSQL", Signal::SIGINT);
    assert!(made.stderr.contains("error: "), "{}", made.stderr);
    assert!(!site.path("reports/events").exists() || site.path("reports/events").read_dir().unwrap().count() == 0);

    for (words, signal) in [
        ("creating the tables", Signal::SIGINT),
        ("loading the rows", Signal::SIGTERM),
        ("building keys", Signal::SIGINT),
    ] {
        let seeded = signalled(&site, &["seed", "--rows", "300000"], words, signal);
        let words =
            "error: making the dataset of events was interrupted\n  help: run `latclinic seed` again; it starts over";
        assert_eq!(seeded.refusal(), words);
    }
    let words = site.refused(2, &bench(&[]));
    assert_snapshot!(words, @"
    error: the dataset of events on SOCKET:5432/latclinic is incomplete: an earlier seed was not completed
      help: make it with: latclinic seed events --rows 2000
    ");
    let over = site.done(&["seed", "--rows", "2000"]);
    assert!(over.stderr.contains("an earlier seed of events was not completed; starting over\n"), "{}", over.stderr);
    assert!(over.stdout.contains("latclinic_events.events   2 000\n"), "{}", over.stdout);
}

#[test]
fn while_measuring() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    let warm_up = bench(&["--warmup", "2m", "--output", "warm-up"]);
    signalled(&site, &warm_up, "before, warm-up", Signal::SIGINT);
    let record_of = |name: &str| record(&site.path(name));
    assert_eq!(record_of("warm-up")["interrupted"], true);
    assert_eq!(record_of("warm-up")["totals"]["operations"], 0);

    for (signal, name) in [
        (Signal::SIGINT, "ctrl-c"),
        (Signal::SIGTERM, "sigterm"),
        (Signal::SIGHUP, "sighup"),
        (Signal::SIGQUIT, "sigquit"),
    ] {
        let measuring = bench(&["--warmup", "100ms", "--duration", "2m", "--output", name]);
        let told = signalled(&site, &measuring, MEASURING, signal);
        assert!(told.stdout.ends_with(&format!("written: {name}\n")), "{}", told.stdout);
        let record = record_of(name);
        assert_eq!((&record["interrupted"], &record["interrupted_by"]), (&true.into(), &"stopped by a signal".into()));
        assert!(record["totals"]["operations"].as_u64().unwrap() > 0);
        assert!(site.path(name).join("latency.hlog").exists());
    }
    let summary = ["--summary", "summary.md"];
    let run = [&["run", "--output", "run"][..], &QUICK[..6], &["--block", "2m"], &BEFORE_FIRST, &summary].concat();
    let told = signalled(&site, &run, MEASURING, Signal::SIGINT);
    assert_eq!(told.stdout, "written: run\n");
    assert_eq!(record_of("run/before")["interrupted_by"], "stopped by a signal in round 1");
    assert!(!site.path("run/comparison.json").exists());
    assert_snapshot!(std::fs::read_to_string(site.path("summary.md")).unwrap(), @"
    ## latclinic events: stopped by a signal in round 1

    Nothing was compared, and no gate was decided.

    The results are in run.
    ");

    let comparing = [&["run", "--output", "results"][..], &QUICK[..6]].concat();
    let told = signalled(&site, &comparing, "results before", Signal::SIGINT);
    assert_eq!(told.refusal(), "error: interrupted before anything was measured; nothing was saved");
    assert!(!site.path("results").exists());

    let compared = site.done(&["compare", "ctrl-c", "sigterm"]);
    assert!(compared.stdout.contains("was interrupted (stopped by a signal)"), "{}", compared.stdout);
    site.done(&[&["run", "--output", "whole", "--rows", "2000"], &ONE_ROUND[..]].concat());
    assert_eq!(record_of("whole/after")["interrupted"], false);
}

/// `timeout` and some supervisors signal the program and then its whole group, so that it hears the signal several times.
#[test]
fn by_a_signal_that_comes_several_times() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let name = signal.as_str();
        let mut running = site.start(&bench(&["--warmup", "100ms", "--duration", "2m", "--output", name]));
        running.hear(MEASURING);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(300) {
            running.signal(signal);
            thread::sleep(Duration::from_millis(1));
        }
        let told = running.end(&site);
        assert_eq!(told.exit, 128 + signal as i32, "{}", told.stderr);
        assert!(told.stdout.ends_with(&format!("written: {name}\n")), "{}", told.stdout);
        assert_eq!(record(&site.path(name))["interrupted"], true);
    }
}

/// A terminal that closes sends SIGHUP by its shell and by the kernel; what `nohup` starts has it ignored.
#[test]
fn by_a_terminal_that_closes() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    let endless = |name: &'static str| bench(&["--warmup", "100ms", "--duration", "2m", "--output", name]);
    let mut running = site.start(&endless("twice"));
    running.hear(MEASURING);
    running.signal(Signal::SIGHUP);
    let told = running.end(&site);
    assert_eq!(told.exit, 129, "{}", told.stderr);
    assert_eq!(record(&site.path("twice"))["interrupted_by"], "stopped by a signal");

    let mut running = Running::new(site.shell("trap '' HUP; exec \"$@\"", &endless("nohup")));
    running.hear(MEASURING);
    running.signal(Signal::SIGHUP);
    running.hear(MEASURING);
    running.signal(Signal::SIGTERM);
    let told = running.end(&site);
    assert_eq!(told.exit, 143, "{}", told.stderr);
}

#[test]
fn while_explaining() {
    let site = Site::new();
    let statement = "sql = \"SELECT pg_sleep($1)\"\nparameters = [{ constant = 0 }]\nclasses = { hot = [0], typical = [0], absent = [600] }";
    site.write("sleepy.toml", &File { statement, ..File::default() }.text());
    site.done(&["seed", "sleepy.toml"]);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let name = signal.as_str();
        let bench = ["bench", "sleepy.toml", "--phase", "before", "--warmup", "0s", "--duration", "200ms"];
        let told = signalled(&site, &[&bench[..], &["--output", name]].concat(), "explaining latest", signal);
        assert!(told.stdout.ends_with(&format!("written: {name}\n")), "{}", told.stdout);
        let record = record(&site.path(name));
        assert_eq!(record["interrupted"], true);
        assert!(record["interrupted_by"].as_str().unwrap().contains("while its plans were captured"), "{record}");
        assert!(record["totals"]["operations"].as_u64().unwrap() > 0);
    }
    // Results are compared before anything is measured, so there is nothing to save.
    signalled(&site, &["run", "sleepy.toml", "--output", "run"], "results before", Signal::SIGINT);
    assert!(!site.path("run").exists());
}

#[test]
fn between_the_phases() {
    let site = Site::new();
    let slow = File {
        up: "CREATE TABLE slow AS SELECT 1 AS n FROM pg_sleep(600)",
        down: "DROP TABLE slow",
        ..File::default()
    };
    site.write("slow.toml", &slow.text());
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let name = signal.as_str();
        signalled(&site, &["run", "slow.toml", "--output", name], "fix up 1/1", signal);
        assert!(!site.path(name).exists());
    }
    site.write("slow.toml", &File::default().text());
    site.done(&[&["run", "slow.toml", "--output", "mended"], &ONE_ROUND[..]].concat());
}
