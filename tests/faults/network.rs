//! Networks that are cut, silent or garbled.

use std::{
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    proxy::{Proxy, Trouble},
    site::{File, MEASURING, Site, Told, record},
};

/// Words of the driver's, which nobody can make anything of.
const DRIVERS: [&str; 5] =
    ["bytes remaining", "connection closed", "unexpected message", "error communicating", "db error"];

/// How a command ended through a proxy, and how long it took.
fn through(site: &Site, proxy: &Proxy, args: &[&str]) -> (Told, Duration) {
    let begin = Instant::now();
    let told = site.run(&[args, &["--database-url", &proxy.url()]].concat());
    for words in DRIVERS {
        assert!(!told.stderr.contains(words), "{}", told.stderr);
    }
    (told, begin.elapsed())
}

/// All at once, each with a proxy of its own.
fn each(site: &Site, troubles: &[Trouble], args: &[&str], check: impl Fn(Trouble, &Told, Duration) + Sync) {
    let socket_dir = site.socket_dir();
    thread::scope(|scope| {
        for trouble in troubles {
            let (check, socket_dir) = (&check, &socket_dir);
            scope.spawn(move || {
                let proxy = Proxy::start(socket_dir, *trouble, "");
                let (told, took) = through(site, &proxy, args);
                check(*trouble, &told, took);
            });
        }
    });
}

#[test]
fn silence_ends_an_explain_soon_after_its_time_limit() {
    let site = Site::with_server();
    site.sql("CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) n");
    let explain = ["explain", "--query", "SELECT * FROM t WHERE a = $1", "--parameter", "7", "--time-limit", "2s"];
    let silent: Vec<Trouble> = [60, 420, 700, 1_500, 2_500]
        .into_iter()
        .map(Trouble::SilentDown)
        .chain([150, 300, 500, 900].into_iter().map(Trouble::SilentUp))
        .collect();
    each(&site, &silent, &explain, |trouble, told, took| {
        assert_eq!(told.exit, 1, "{trouble:?}: {}{}", told.stdout, told.stderr);
        assert!(told.stderr.contains("no answer"), "{trouble:?}: {}", told.stderr);
        // The limit, or the least that connecting and silence are given; what the server's word of it may take; ending the session.
        assert!(took < Duration::from_secs(12), "{trouble:?}: {took:?}, {}", told.stderr);
    });
}

/// Every question of a command, not only the execution, with nothing that reaches the server any more.
#[test]
fn silence_ends_every_question_soon_after_the_time_limit() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    let silent: Vec<Trouble> = [1_000, 2_000, 4_000, 8_000, 16_000].into_iter().map(Trouble::SilentDown).collect();
    let explain = ["explain", "--phase", "before", "--rows", "2000", "--time-limit", "5s"];
    each(&site, &silent, &explain, |trouble, told, took| {
        if told.exit != 0 {
            assert!(told.stderr.contains("no answer"), "{trouble:?}: {}", told.stderr);
        }
        assert!(took < Duration::from_secs(20), "{trouble:?}: {took:?}, {}", told.stderr);
    });
}

/// The question whether a pooler is in between is part of connecting: the network is silent right after the sign-in.
#[test]
fn the_first_question_has_the_time_of_connecting() {
    let site = Site::with_server();
    let socket_dir = site.socket_dir();
    thread::scope(|scope| {
        for after in [380, 400, 420, 440, 460] {
            let (site, socket_dir) = (&site, &socket_dir);
            scope.spawn(move || {
                let proxy = Proxy::start(socket_dir, Trouble::SilentDown(after), "");
                let begin = Instant::now();
                let url = format!("{}?connect_timeout=2", proxy.url());
                let told = site.run(&["explain", "--query", "SELECT 1", "--database-url", &url]);
                assert_eq!(told.exit, 1, "{after}: {}", told.stderr);
                assert!(told.stderr.contains("no answer within 2 s"), "{after}: {}", told.stderr);
                assert!(begin.elapsed() < Duration::from_secs(8), "{after}: {:?}", begin.elapsed());
            });
        }
    });
}

#[test]
fn what_is_cut_or_garbled_is_said_at_once() {
    let site = Site::with_server();
    site.sql("CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) n");
    let explain = ["explain", "--query", "SELECT * FROM t WHERE a = $1", "--parameter", "7"];
    let cuts = [10, 420, 700, 1_500].into_iter().map(Trouble::Cut);
    let long = b"D\x7f\xff\xff\xffwhat follows";
    let garbage: [&[u8]; 3] = [long, b"D\0\0\0\0", b"\x00\xff\x17\x99\x42\x42\x42\x42"];
    let garbled = [0, 500, 1_500].into_iter().flat_map(|after| garbage.map(|bytes| Trouble::Garbage(after, bytes)));
    let all: Vec<Trouble> = cuts.chain(garbled).collect();
    each(&site, &all, &explain, |trouble, told, took| {
        assert_eq!(told.exit, 1, "{trouble:?}: {}{}", told.stdout, told.stderr);
        let words = match trouble {
            Trouble::Cut(_) => "the server closed the connection",
            _ => "what the server sent is not PostgreSQL's protocol",
        };
        assert!(told.stderr.contains(words), "{trouble:?}: {}", told.stderr);
        assert!(took < Duration::from_secs(8), "{trouble:?}: {took:?}");
    });
}

#[test]
fn a_session_that_is_ended_gives_the_servers_words() {
    let site = Site::with_server();
    let mut explain = site.start(&[
        "explain",
        "--query",
        "SELECT pg_sleep(60)",
        "--database-url",
        &site.url("latclinic", "latclinic"),
    ]);
    explain.hear("explaining");
    let terminated = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE application_name = 'latclinic explain' AND query LIKE 'EXPLAIN%'";
    crate::site::wait_for("it is executed", || site.sql(terminated) == "1");
    let told = explain.end(&site);
    assert_eq!(told.exit, 1);
    let words = "the server ended the session: terminating connection due to administrator command (SQLSTATE 57P01)";
    assert!(told.stderr.contains(words), "{}", told.stderr);
}

/// A measurement through a network that goes silent in its window.
fn silenced(site: &Site, name: &str, more: &[&str], act: impl FnOnce(&crate::site::Running)) -> (Told, Duration) {
    let proxy = Proxy::start(&site.socket_dir(), Trouble::None, "");
    let bench =
        ["bench", "--phase", "before", "--rows", "2000", "--clients", "2", "--warmup", "100ms", "--output", name];
    let url = proxy.url();
    let mut running = site.start(&[&bench[..], more, &["--database-url", &url]].concat());
    running.hear(MEASURING);
    proxy.fall_silent();
    let begin = Instant::now();
    act(&running);
    let told = running.end(site);
    (told, begin.elapsed())
}

#[test]
fn a_measurement_ends_in_silence_and_is_saved() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    thread::scope(|scope| {
        scope.spawn(|| {
            let limits = ["--duration", "1s", "--statement-timeout", "500ms"];
            let (told, took) = silenced(&site, "silent", &limits, |_| {});
            assert_eq!(told.exit, 1, "{}", told.stderr);
            assert!(told.stderr.contains("no answer"), "{}", told.stderr);
            assert!(took < Duration::from_secs(60), "{took:?}");
            let record = record(&site.path("silent"));
            assert_eq!(record["totals"]["errors"], 2, "{}", record["errors"]);
            assert_eq!(record["errors"][0]["sqlstate"], "timeout", "{}", record["errors"]);
        });
        for (name, signal) in [("ctrl-c", Signal::SIGINT), ("sigterm", Signal::SIGTERM)] {
            let site = &site;
            scope.spawn(move || {
                let (told, took) = silenced(site, name, &["--duration", "2m"], |running| running.signal(signal));
                assert!(took < Duration::from_secs(10), "{took:?}");
                assert!(told.stdout.ends_with(&format!("written: {name}\n")), "{}", told.stdout);
                assert_eq!(record(&site.path(name))["interrupted"], true);
            });
        }
    });
}

#[test]
fn a_seed_whose_rows_do_not_arrive_ends() {
    let site = Site::with_server();
    let socket_dir = site.socket_dir();
    let seed = ["seed", "--rows", "200000", "--reseed"];
    for trouble in [Trouble::SilentUp(300_000), Trouble::SilentDown(700)] {
        let proxy = Proxy::start(&socket_dir, trouble, "latclinic seed");
        let (told, took) = through(&site, &proxy, &seed);
        assert_eq!(told.exit, 1, "{trouble:?}: {}", told.stderr);
        // Also if it is a connection beside the silent one, which latclinic ends then, that fails first.
        assert!(told.stderr.contains("and the server is not at work on it"), "{trouble:?}: {}", told.stderr);
        assert!(!told.stderr.contains("57P01"), "{trouble:?}: {}", told.stderr);
        assert!(took < Duration::from_secs(30), "{trouble:?}: {took:?}");
    }
    site.done(&["seed", "--rows", "2000"]);
}

#[test]
fn a_fix_may_take_its_time_but_not_when_its_answer_is_lost() {
    let site = Site::with_server();
    // Longer than the server is silent until it is asked for the first time.
    let slow =
        File { up: "CREATE TABLE slow AS SELECT 1 AS n FROM pg_sleep(7)", down: "DROP TABLE slow", ..File::default() };
    site.write("slow.toml", &slow.text());
    site.done(&["seed", "slow.toml"]);
    let socket_dir = site.socket_dir();
    let whole = Proxy::start(&socket_dir, Trouble::None, "");
    let (told, took) = through(&site, &whole, &["apply-fix", "slow.toml", "--yes"]);
    assert_eq!(told.exit, 0, "{}", told.stderr);
    assert!(took > Duration::from_secs(7) && whole.accepted() > 2, "it was looked for: {}", whole.accepted());
    site.done(&["revert-fix", "slow.toml"]);

    let proxy = Proxy::start(&socket_dir, Trouble::None, "");
    let url = proxy.url();
    let mut running = site.start(&["apply-fix", "slow.toml", "--yes", "--database-url", &url]);
    running.hear("fix up 1/1");
    proxy.forget_connections();
    let told = running.end(&site);
    assert_eq!(told.exit, 1, "{}", told.stderr);
    assert!(told.stderr.contains("and the server is not at work on it"), "{}", told.stderr);
    assert!(told.stderr.contains("`latclinic apply-fix slow.toml` cleans up and continues"), "{}", told.stderr);
    assert!(told.stderr.contains("`latclinic revert-fix slow.toml` reverts it"), "{}", told.stderr);
    // Its session was ended, which would keep the fix locked.
    crate::site::wait_for("the statement has ended", || {
        site.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE TABLE slow%' AND state = 'active'")
            == "0"
    });
    site.done(&["apply-fix", "slow.toml"]);
}
