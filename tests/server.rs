//! The managed server against a real PostgreSQL: each test has a data folder of its own and waits for conditions.
//!
//! They hold for root, whose server runs as another user, and for an ordinary user.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs::{self, File, Permissions},
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use latclinic::server::{self, Lease, Options};
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::{Pid, User, chown, geteuid},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A data folder whose server ends with the test.
struct Site {
    temp: TempDir,
    data_dir: PathBuf,
}

impl Site {
    fn new() -> Self {
        Self::at(Path::new("data"))
    }

    fn at(below: &Path) -> Self {
        // The server of root runs as another user, who has to pass.
        let temp = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
        let data_dir = temp.path().join(below);
        Self { temp, data_dir }
    }

    fn options(&self) -> Options {
        Options { data_dir: Some(self.data_dir.clone()), pg_bin: None, max_connections: 10 }
    }

    fn lease(&self) -> server::Result<Lease> {
        Lease::acquire(&self.options(), "test", &|_| {}, &CancellationToken::new())
    }

    /// `latclinic server` with these arguments.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latclinic"));
        command.arg("server").args(args).env("LATCLINIC_DATA_DIR", &self.data_dir).env_remove("LATCLINIC_PG_BIN");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command that has to end well and gives its stdout.
    fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Starts psql with a query that takes longer than any test and waits until the server works on it.
    fn sleeping_psql(&self) -> Program {
        let mut command = self.command(&["psql", "--", "-c", "SELECT pg_sleep(1000)"]);
        let program = Program(command.process_group(0).spawn().unwrap());
        wait_for("the server is ready", || {
            server::status(&self.options()).is_ok_and(|status| status.running.is_some())
        });
        let asleep = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1000)'";
        wait_for("the query runs", || text(&self.run(&["psql", "--", "-Atc", asleep]).stdout).trim() == "1");
        program
    }

    /// The cluster that the newest binaries of this machine made.
    fn cluster(&self) -> PathBuf {
        self.data_dir.join(format!("pg{}", server::find(None).unwrap().major))
    }

    /// Whether no process of a server has the cluster open: each holds this lock.
    fn is_free(&self) -> bool {
        File::open(self.cluster().with_extension("lock")).map_or(true, |file| file.try_lock_shared().is_ok())
    }
}

/// A latclinic that is told to end with the test, so that a failed test waits for nobody.
struct Program(Child);

impl Program {
    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn signal(&self, what: Signal) {
        signal(self.pid(), what);
    }

    fn end(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }

    /// Waits for its next line on stderr.
    fn next_words(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.signal(Signal::SIGTERM);
            let _ = self.0.wait();
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.run(&["destroy", "--yes"]);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn query(running: &server::Running, sql: &str) -> String {
    let output = server::psql(running).unwrap().args(["-AtXc", sql]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
}

/// A user who is neither root nor the owner of anything here; none unless root runs the tests.
fn somebody() -> Option<User> {
    geteuid().is_root().then(|| User::from_name("nobody").unwrap().unwrap())
}

#[test]
fn from_nothing_to_ready_and_again_with_the_same_data() {
    let site = Site::new();
    let lease = site.lease().unwrap();
    assert!(lease.started_it());
    query(lease.running(), "CREATE TABLE kept AS SELECT 42 AS answer");
    assert_eq!(query(lease.running(), "SHOW listen_addresses"), "");
    assert_eq!(query(lease.running(), "SHOW server_version").split(' ').next(), Some(lease.version()));
    let settings = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
                    WHERE name IN ('fsync', 'autovacuum', 'max_connections', 'server_encoding', 'lc_collate')";
    assert!(query(lease.running(), settings).starts_with("autovacuum=on fsync=on "));
    assert_eq!(
        query(lease.running(), "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'latclinic'"),
        "UTF8"
    );
    let socket_dir = lease.socket_dir().to_path_buf();
    assert_eq!(fs::metadata(&socket_dir).unwrap().permissions().mode() & 0o777, 0o700);
    lease.release(&|_| {}).unwrap();
    assert!(site.is_free());
    assert!(!socket_dir.exists());
    assert!(!site.cluster().join("postmaster.pid").exists());

    let lease = site.lease().unwrap();
    assert_eq!(query(lease.running(), "SELECT answer FROM kept"), "42");
    drop(lease);
    assert!(site.is_free());
}

#[test]
fn the_server_outlives_the_thread_that_took_the_lease() {
    let site = Site::new();
    let lease = thread::scope(|scope| scope.spawn(|| site.lease()).join().unwrap()).unwrap();
    assert_eq!(query(lease.running(), "SELECT pg_sleep(0.2)::text"), "");
    assert_eq!(query(lease.running(), "SELECT 1"), "1");
}

#[test]
fn settings_of_the_user_win_and_those_that_reach_the_server_do_not_yield() {
    let site = Site::new();
    let lease = site.lease().unwrap();
    query(lease.running(), "ALTER SYSTEM SET work_mem = '7MB'");
    query(lease.running(), "ALTER SYSTEM SET maintenance_work_mem = '77MB'");
    query(lease.running(), "ALTER SYSTEM SET listen_addresses = '*'");
    lease.release(&|_| {}).unwrap();
    let lease = site.lease().unwrap();
    let shown = ["work_mem", "maintenance_work_mem", "listen_addresses"];
    assert_eq!(shown.map(|name| query(lease.running(), &format!("SHOW {name}"))), ["7MB", "77MB", ""]);
}

#[test]
fn started_looked_at_stopped_and_destroyed_from_the_command_line() {
    let site = Site::new();
    assert!(site.done(&["status"]).starts_with("server    not running"));
    let started = site.done(&["start"]);
    assert!(started.contains("is running (pid "), "{started}");
    assert!(site.done(&["start"]).contains("runs already (pid "));

    let status: serde_json::Value = serde_json::from_str(&site.done(&["status", "--format", "json"])).unwrap();
    assert_eq!(status["running"]["kept"], true);
    assert_eq!(status["running"]["settings"]["fsync"], "on");
    assert!(status["size_bytes"].as_u64().unwrap() > 10_000_000);
    let pid = status["running"]["pid"].as_u64().unwrap();

    assert_eq!(site.done(&["psql", "--", "-Atc", "SELECT current_database(), current_user"]), "latclinic|latclinic\n");
    let lease = site.lease().unwrap();
    assert!(!lease.started_it());
    assert_eq!(u64::from(lease.running().pid), pid);
    lease.release(&|_| {}).unwrap();
    assert!(!site.is_free(), "a server that was started to stay goes on after a lease");

    assert_eq!(site.done(&["stop"]), format!("the server (pid {pid}) has stopped; its data are kept\n"));
    assert!(site.is_free());
    assert_eq!(site.done(&["stop"]), "no server was running\n");

    let refused = site.run(&["destroy"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("help: pass --yes to delete without asking"));
    assert!(site.data_dir.exists());
    site.done(&["start"]);
    assert!(site.done(&["destroy", "--yes"]).starts_with("deleted "));
    assert!(!site.data_dir.exists());
    assert_eq!(site.done(&["destroy", "--yes"]), "there is no data folder\n");
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_latclinic_leaves_no_server_and_the_next_one_works() {
    let site = Site::new();
    let mut program = site.sleeping_psql();
    program.signal(Signal::SIGKILL);
    program.end();
    // At once, while the server may still be shutting down.
    let lease = site.lease().unwrap();
    assert_eq!(query(lease.running(), "SELECT 1"), "1");
    lease.release(&|_| {}).unwrap();

    let mut program = site.sleeping_psql();
    program.signal(Signal::SIGKILL);
    program.end();
    wait_for("the server has gone with latclinic", || {
        site.is_free() && !site.cluster().join("postmaster.pid").exists()
    });
}

#[test]
fn ctrl_c_and_sigterm_leave_no_server() {
    let site = Site::new();
    for (what, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut program = site.sleeping_psql();
        // As a terminal does it: to the whole foreground group, psql and latclinic, but not the server.
        killpg(Pid::from_raw(program.pid().cast_signed()), what).unwrap();
        assert_eq!(program.end().code(), Some(code));
        assert!(site.is_free());
        assert!(!site.cluster().join("postmaster.pid").exists(), "the server was shut down in order");
    }
}

#[test]
fn a_crashed_server_starts_again() {
    let site = Site::new();
    let lease = site.lease().unwrap();
    query(lease.running(), "CREATE TABLE kept AS SELECT 42 AS answer");
    signal(lease.running().pid, Signal::SIGKILL);
    // Still a zombie here: this process has not reaped it.
    drop(lease);
    let lease = site.lease().unwrap();
    assert_eq!(query(lease.running(), "SELECT answer FROM kept"), "42");
    lease.release(&|_| {}).unwrap();

    site.done(&["start"]);
    let server::Running { pid, socket_dir, port, .. } = server::status(&site.options()).unwrap().running.unwrap();
    let socket = socket_dir.join(format!(".s.PGSQL.{port}"));
    signal(pid, Signal::SIGKILL);
    wait_for("it has died", || UnixStream::connect(&socket).is_err());
    assert!(site.done(&["start"]).contains("is running"));
}

#[test]
fn a_stale_pid_file_whose_number_somebody_else_has_now_is_no_obstacle() {
    let site = Site::new();
    site.lease().unwrap().release(&|_| {}).unwrap();
    let mut stranger = Command::new("sleep");
    stranger.arg("1000");
    let owner = fs::metadata(site.cluster()).unwrap();
    if geteuid().is_root() {
        // PostgreSQL takes only a process of its own user for a rival.
        stranger.uid(std::os::unix::fs::MetadataExt::uid(&owner));
    }
    let mut stranger = stranger.spawn().unwrap();
    let stale = format!("{}\n{}\n1700000000\n5432\n/tmp\n\n  1 1\nready   \n", stranger.id(), site.cluster().display());
    fs::write(site.cluster().join("postmaster.pid"), stale).unwrap();
    let status = server::status(&site.options()).unwrap();
    assert_eq!((status.running, status.unsettled), (None, None));
    let outcome = site.lease().map(|lease| query(lease.running(), "SELECT 1"));
    let lives = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert_eq!(outcome.unwrap(), "1");
    assert!(lives, "a stranger is never signalled");
}

#[test]
fn the_second_command_waits_and_says_so_but_looking_does_not_wait() {
    let site = Site::new();
    let mut first = site.sleeping_psql();
    let mut second = Program(site.command(&["stop"]).spawn().unwrap());
    let waiting = format!(
        "waiting for `latclinic server psql` (pid {}) to end, because two measurements at once would disturb each other\n",
        first.pid()
    );
    assert_eq!(second.next_words(), waiting);

    let status = server::status(&site.options()).unwrap();
    assert_eq!(status.job.map(|job| job.pid), Some(first.pid()));
    let looked = site.run(&["psql", "--", "-Atc", "SELECT 1"]);
    assert_eq!((text(&looked.stdout).as_str(), looked.status.code()), ("1\n", Some(0)));
    assert!(text(&looked.stderr).contains("stops when that ends"));

    let mut third = Program(site.command(&["start"]).spawn().unwrap());
    assert_eq!(third.next_words(), waiting);
    third.signal(Signal::SIGINT);
    assert_eq!(third.end().code(), Some(130), "a wait can be interrupted");

    first.signal(Signal::SIGTERM);
    assert_eq!(first.end().code(), Some(143));
    assert!(second.end().success());
    assert!(site.is_free());
}

#[test]
fn many_at_once_from_nothing_take_turns() {
    let site = Site::new();
    let served = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| site.lease().map(|lease| query(lease.running(), "SELECT 1")))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(served, ["1"; 4]);
}

#[test]
fn an_interrupted_start_leaves_neither_server_nor_half_a_cluster() {
    let site = Site::new();
    let cancel = CancellationToken::new();
    let notes = |note: &str| {
        assert!(note.starts_with("creating a PostgreSQL "), "{note}");
        cancel.cancel();
    };
    let error = Lease::acquire(&site.options(), "test", &notes, &cancel).unwrap_err();
    assert!(error.is_interrupted(), "{error}");
    assert!(!site.cluster().exists());
    assert!(site.is_free());
    assert_eq!(query(site.lease().unwrap().running(), "SELECT 1"), "1");
}

#[test]
fn a_running_server_with_too_few_connections_is_an_error_with_both_ways_out() {
    let site = Site::new();
    site.done(&["start", "--clients", "10"]);
    let options = Options { max_connections: 200, ..site.options() };
    let error = Lease::acquire(&options, "test", &|_| {}, &CancellationToken::new()).unwrap_err();
    assert_eq!(error.to_string(), "the running server allows 100 connections, but a load of 200 needs 220");
    assert_eq!(
        error.hint(),
        Some("ask for fewer clients, or `latclinic server stop` to let this command start its own")
    );
    site.done(&["stop"]);
    let lease = Lease::acquire(&options, "test", &|_| {}, &CancellationToken::new()).unwrap();
    assert_eq!(query(lease.running(), "SHOW max_connections"), "220");
}

#[test]
fn the_environment_of_the_user_does_not_reach_the_server() {
    let site = Site::new();
    let output = site
        .command(&["psql", "--", "-AtXc", "SHOW port", "-c", "SHOW timezone", "-c", "SHOW work_mem"])
        .envs([("PGPORT", "1"), ("PGDATA", "/nowhere"), ("PGHOST", "/nowhere"), ("PGOPTIONS", "-c work_mem=1MB")])
        .envs([("PGUSER", "eve"), ("PGSERVICE", "none"), ("TZ", "Asia/Tokyo"), ("LANG", "de_DE.UTF-8")])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "5432\nUTC\n4MB\n", "{}", text(&output.stderr));
}

#[test]
fn a_long_and_odd_data_folder_works() {
    let site = Site::at(&Path::new(&"long".repeat(40)).join("with space, comma and 'quote'"));
    assert!(site.data_dir.as_os_str().len() > 160);
    assert_eq!(query(site.lease().unwrap().running(), "SELECT 1"), "1");
}

#[test]
fn a_data_folder_that_cannot_be_written_is_said_in_words() {
    let site = Site::at(Path::new("file/data"));
    fs::write(site.temp.path().join("file"), "").unwrap();
    let output = site.run(&["start"]);
    assert_eq!(output.status.code(), Some(1));
    let words = text(&output.stderr);
    assert!(words.contains("cannot create") && words.contains("--data-dir"), "{words}");
}

#[test]
fn an_ordinary_user_has_a_server_of_its_own_and_keeps_out_of_others() {
    let Some(user) = somebody() else { return };
    let site = Site::new();
    let program = site.temp.path().join("latclinic");
    fs::copy(env!("CARGO_BIN_EXE_latclinic"), &program).unwrap();
    let own = site.temp.path().join("own");
    fs::create_dir(&own).unwrap();
    chown(&own, Some(user.uid), Some(user.gid)).unwrap();
    let run = |data_dir: &Path, args: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("server").args(args).env("LATCLINIC_DATA_DIR", data_dir).env_remove("LATCLINIC_PG_BIN");
        command.env("XDG_RUNTIME_DIR", &own).uid(user.uid.as_raw()).gid(user.gid.as_raw()).output().unwrap()
    };
    let data_dir = own.join("data");
    let output = run(&data_dir, &["psql", "--", "-Atc", "SELECT 1"]);
    assert_eq!(text(&output.stdout), "1\n", "{}", text(&output.stderr));
    assert_eq!(fs::metadata(&data_dir).unwrap().permissions().mode() & 0o777, 0o700);

    let unwritable = run(&site.data_dir, &["start"]);
    assert_eq!(unwritable.status.code(), Some(1));
    let words = text(&unwritable.stderr);
    assert!(words.contains("ermission denied") && words.contains("help: make it writable"), "{words}");

    // Root works in a user's folder as that user, and leaves nothing there that the user cannot use.
    let roots = Site { temp: tempfile::tempdir().unwrap(), data_dir: data_dir.clone() };
    assert_eq!(roots.done(&["psql", "--", "-Atc", "SELECT 2"]), "2\n");
    let output = run(&data_dir, &["psql", "--", "-Atc", "SELECT 3"]);
    assert_eq!(text(&output.stdout), "3\n", "{}", text(&output.stderr));
}

#[test]
fn a_folder_on_the_way_that_is_closed_to_the_servers_user_is_named() {
    if somebody().is_none() {
        return;
    }
    let site = Site::at(Path::new("closed/data"));
    let closed = site.temp.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let output = site.run(&["start"]);
    assert_eq!(output.status.code(), Some(2));
    let words = text(&output.stderr);
    assert!(words.contains(&format!("{} is closed to it", closed.display())), "{words}");
    assert!(words.contains("help: `chmod o+x "), "{words}");
}

#[test]
fn a_destroy_that_is_killed_leaves_nothing_that_the_next_command_cannot_use() {
    let site = Site::new();
    site.done(&["start"]);
    site.done(&["stop"]);
    let cluster = fs::read_dir(&site.data_dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("PG_VERSION").exists())
        .unwrap();
    let mut destroy = site.command(&["destroy", "--yes"]).spawn().unwrap();
    wait_for("the deletion has begun", || !cluster.exists());
    let _ = destroy.kill();
    destroy.wait().unwrap();
    site.done(&["start"]);
    let left = |name: &str| name.contains(".new-");
    let names = || fs::read_dir(&site.data_dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names().any(|name| left(&name)), "the next command removes what was left");

    // What an earlier build left half deleted is told with the way out.
    site.done(&["stop"]);
    fs::remove_file(cluster.join("PG_VERSION")).unwrap();
    let refused = site.run(&["start"]);
    assert_eq!(refused.status.code(), Some(1));
    let stderr = text(&refused.stderr);
    assert!(stderr.contains("PG_VERSION is missing") && stderr.contains("`latclinic server destroy`"), "{stderr}");
    site.done(&["destroy", "--yes"]);
    site.done(&["start"]);
    site.done(&["stop"]);
    fs::remove_file(cluster.join("global/pg_control")).unwrap();
    let stderr = text(&site.run(&["start"]).stderr);
    assert!(stderr.contains("data are missing: `latclinic server destroy`"), "{stderr}");
}

#[test]
fn a_folder_of_somebody_else_is_neither_used_nor_destroyed() {
    let site = Site::new();
    fs::create_dir(&site.data_dir).unwrap();
    fs::write(site.data_dir.join("thesis.txt"), "years of work").unwrap();
    for args in [&["start"][..], &["destroy", "--yes"], &["status"], &["psql"]] {
        let output = site.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains("is not empty and not a folder of latclinic's"));
    }
    assert_eq!(fs::read_dir(&site.data_dir).unwrap().count(), 1);
}

#[test]
fn data_of_another_major_version_are_said_in_words() {
    let site = Site::new();
    site.lease().unwrap().release(&|_| {}).unwrap();
    fs::write(site.cluster().join("PG_VERSION"), "13\n").unwrap();
    let output = site.run(&["start"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("are of PostgreSQL 13, not "), "{}", text(&output.stderr));
}

#[test]
fn a_server_that_dies_at_start_says_why() {
    let site = Site::new();
    let lease = site.lease().unwrap();
    query(lease.running(), "ALTER SYSTEM SET shared_buffers = '4000GB'");
    let socket_dir = lease.socket_dir().to_path_buf();
    lease.release(&|_| {}).unwrap();
    let output = site.run(&["start"]);
    assert_eq!(output.status.code(), Some(1));
    let words = text(&output.stderr);
    assert!(words.contains("starting PostgreSQL ") && words.contains("shared memory"), "{words}");
    assert!(words.contains("help: ") && words.contains("postgresql.log"), "{words}");
    assert!(site.is_free());
    assert!(!socket_dir.exists());
}

#[test]
fn binaries_that_are_no_good_are_a_usage_error() {
    let site = Site::new();
    let output = site.run(&["start", "--pg-bin", "/usr/share"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: --pg-bin /usr/share holds no postgres\n"));
}
