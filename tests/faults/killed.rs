//! The managed server, or a process of it, is killed or stopped: it is noticed at once, said, saved, and nothing is left.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::site::{File, MEASURING, ONE_ROUND, QUICK, Running, Site, Told, record, wait_for};

/// Its name, what is done to the server, and what is said then.
type Act<'a> = (&'a str, &'a dyn Fn(&Server), String);

const RESTARTED: &str = "; it restarted";

/// A small measurement.
const BENCH: [&str; 10] =
    ["bench", "--phase", "before", "--rows", "2000", "--clients", "2", "--warmup", "100ms", "--duration"];

/// The running server's processes.
struct Server {
    postmaster: i32,
    socket_dir: PathBuf,
    cluster: PathBuf,
}

impl Server {
    fn of(site: &Site) -> Self {
        let server = site.server();
        let path = |name: &str| PathBuf::from(server[name].as_str().unwrap());
        let postmaster = i32::try_from(server["pid"].as_i64().unwrap()).unwrap();
        Self { postmaster, socket_dir: path("socket_dir"), cluster: path("cluster") }
    }

    /// Kills the first child whose title has these words, once there is one.
    fn kill_child(&self, words: &str) {
        let mut pid = None;
        wait_for(&format!("there is a process of {words}"), || {
            pid = self.child(words);
            pid.is_some()
        });
        signal(pid.unwrap(), Signal::SIGKILL);
    }

    fn child(&self, words: &str) -> Option<i32> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.postmaster)).unwrap_or_default();
        let title = |pid: &str| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        children
            .split_whitespace()
            .find(|pid| String::from_utf8_lossy(&title(pid)).contains(words))
            .map(|pid| pid.parse().unwrap())
    }
}

fn signal(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

/// Waits for the end, which has to come soon, with exit code 1 and these words, and leave no process.
fn ends_with(running: Running, site: &Site, words: &[&str]) -> Told {
    let begin = Instant::now();
    let told = running.end(site);
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}: {}", begin.elapsed(), told.stderr);
    assert_eq!(told.exit, 1, "{}{}", told.stdout, told.stderr);
    let refusal = told.refusal();
    for words in words {
        assert!(refusal.contains(words), "{words}: {}", told.stderr);
    }
    wait_for("no process is left", || !site.has_processes());
    told
}

/// The next command works, and does not wait.
fn goes_on(site: &Site) {
    let begin = Instant::now();
    let told = site.done(&[&BENCH[..], &["300ms"]].concat());
    assert!(begin.elapsed() < Duration::from_secs(25), "{:?}: {}", begin.elapsed(), told.stderr);
}

#[test]
fn a_backend_while_measuring() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    let mut running = site.start(&[&BENCH[..], &["2m", "--output", "killed"]].concat());
    running.hear(MEASURING);
    Server::of(&site).kill_child("[local]");
    let crashed = [
        "the measurement stopped early: the server crashed: a ",
        "backend (pid ",
        ") was killed by signal 9",
        RESTARTED,
    ];
    let told = ends_with(running, &site, &crashed);
    assert!(told.stdout.ends_with("written: killed\n"), "{}", told.stdout);
    let record = record(&site.path("killed"));
    assert_eq!(record["interrupted"], true);
    assert!(record["interrupted_by"].as_str().unwrap().starts_with("the server crashed: a "), "{record}");
    assert!(record["totals"]["operations"].as_u64().unwrap() > 0);
    goes_on(&site);
}

#[test]
fn a_backend_while_all_else_is_done() {
    let site = Site::new();
    // The first time that the statement runs, the second that the fix is applied.
    let statement = "sql = \"SELECT pg_sleep($1)\"\nparameters = [{ constant = 0 }]\nclasses = { hot = [0], typical = [0], absent = [600] }";
    site.write("sleepy.toml", &File { statement, ..File::default() }.text());
    let slow = File {
        up: "CREATE TABLE slow AS SELECT 1 AS n FROM pg_sleep(600)",
        down: "DROP TABLE slow",
        ..File::default()
    };
    site.write("slow.toml", &slow.text());
    site.done(&["seed", "sleepy.toml"]);
    site.done(&["seed", "slow.toml"]);
    let bench =
        ["bench", "sleepy.toml", "--phase", "before", "--warmup", "0s", "--duration", "200ms", "--output", "plans"];
    let crashed = ["the server crashed: a ", "backend (pid ", RESTARTED];
    for (args, words) in [
        (&bench[..], "explaining latest"),
        (&["run", "sleepy.toml"], "results before"),
        (&["apply-fix", "slow.toml"], "fix up 1/1"),
        (&["run", "slow.toml", "--output", "run"], "fix up 1/1"),
        (&["seed", "--rows", "3000000"], "loading the rows"),
    ] {
        let mut running = site.start(args);
        running.hear(words);
        Server::of(&site).kill_child("[local]");
        let told = ends_with(running, &site, &crashed);
        if args[0] == "run" && args[1] == "slow.toml" {
            let state = "the fix is half applied: 0 of 1 statements; `latclinic revert-fix slow.toml` reverts it";
            assert!(told.stderr.contains(state), "{}", told.stderr);
        }
    }
    assert_eq!(record(&site.path("plans"))["totals"]["errors"], 0);
    site.done(&["revert-fix", "slow.toml"]);
    goes_on_after_seed(&site);
}

fn goes_on_after_seed(site: &Site) {
    site.done(&[&["run", "--reseed", "--output", "after"], &QUICK[..6], &ONE_ROUND[..4]].concat());
}

#[test]
fn the_postmaster_and_what_works_beside_it() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    let crashed = |who: &str| format!("the server crashed: a {who} (pid ");
    let acts: [Act; 7] = [
        (
            "postmaster",
            &|server| signal(server.postmaster, Signal::SIGKILL),
            "its postmaster was killed by signal 9; it was started again".into(),
        ),
        ("checkpointer", &|server| server.kill_child("checkpointer"), crashed("checkpointer")),
        ("sigint", &|server| signal(server.postmaster, Signal::SIGINT), "received fast shutdown request".into()),
        ("sigterm", &|server| signal(server.postmaster, Signal::SIGTERM), "received smart shutdown request".into()),
        ("sigquit", &|server| signal(server.postmaster, Signal::SIGQUIT), "received immediate shutdown request".into()),
        (
            "socket",
            &|server| fs::remove_file(server.socket_dir.join(".s.PGSQL.5432")).unwrap(),
            "the server's socket was removed".into(),
        ),
        ("folder", &|server| move_away(&server.cluster), "the server's data folder was removed".into()),
    ];
    for (name, act, words) in &acts {
        let mut running = site.start(&[&BENCH[..], &["2m", "--output", name]].concat());
        running.hear(MEASURING);
        let server = Server::of(&site);
        act(&server);
        let told = ends_with(running, &site, &[words]);
        assert!(told.stdout.ends_with(&format!("written: {name}\n")), "{}", told.stdout);
        assert_eq!(record(&site.path(name))["interrupted"], true);
        if *name != "folder" {
            goes_on(&site);
        }
    }
}

fn move_away(folder: &Path) {
    fs::rename(folder, folder.with_extension("away")).unwrap();
}

#[test]
fn a_server_that_was_left_running_runs_again_when_its_postmaster_was_killed() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    site.done(&["server", "start"]);
    let mut running = site.start(&[&BENCH[..], &["2m", "--output", "kept"]].concat());
    running.hear(MEASURING);
    let before = Server::of(&site).postmaster;
    signal(before, Signal::SIGKILL);
    let begin = Instant::now();
    let told = running.end(&site);
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}: {}", begin.elapsed(), told.stderr);
    assert_eq!(told.exit, 1, "{}", told.stderr);
    assert!(told.refusal().contains("the server ended; it was started again"), "{}", told.stderr);
    assert_eq!(record(&site.path("kept"))["interrupted"], true);
    assert_ne!(Server::of(&site).postmaster, before);
    assert_eq!(site.server()["kept"], true);
    goes_on(&site);
    site.done(&["server", "stop"]);
    wait_for("no process is left", || !site.has_processes());
}

#[test]
fn one_who_does_not_wait_for_the_recovery_leaves_nothing() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    let mut running = site.start(&[&BENCH[..], &["2m"]].concat());
    running.hear(MEASURING);
    Server::of(&site).kill_child("[local]");
    running.hear("the server crashed");
    // Asked until it ends: what follows the first request at once belongs to it.
    let pid = Pid::from_raw(running.pid().cast_signed());
    let impatient = thread::spawn(move || {
        while kill(pid, Signal::SIGINT).is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    running.end(&site);
    impatient.join().unwrap();
    wait_for("no process is left", || !site.has_processes());
    goes_on(&site);
}
