//! Behind PgBouncer: in transaction and statement mode every command is refused before it leaves anything on the pool's
//! connections, in session mode all work.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod own_server;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output},
    thread,
    time::{Duration, Instant},
};

use own_server::OwnServer;

const SCENARIO: &str = "
title = 'orders'
dataset.schema = 'CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int NOT NULL)'
dataset.tables.orders.rows = 2000
dataset.tables.orders.columns.id = { sequence = {} }
dataset.tables.orders.columns.customer_id = { uniform = { min = 1, max = 500 } }
workload.statements.orders.sql = 'SELECT id FROM orders WHERE customer_id = $1'
workload.statements.orders.parameters = [{ uniform = { min = 1, max = 500 } }]
fix.title = 'index'
fix.up = 'CREATE INDEX CONCURRENTLY orders_customer_id ON orders (customer_id)'
fix.down = 'DROP INDEX CONCURRENTLY orders_customer_id'
";

/// What a command leaves on a pool's connections, which the next client has: none of it is the server's own.
const LEFT: [&str; 6] = [
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
    "SELECT count(*) FROM pg_prepared_statements",
    "SHOW search_path",
    "SHOW lock_timeout",
    "SHOW synchronous_commit",
    "SHOW client_min_messages",
];

/// A server with a pooler in front of it.
struct Pooled {
    _server: OwnServer,
    folder: tempfile::TempDir,
    pooler: Child,
    port: u16,
}

impl Pooled {
    fn start(mode: &str, size: u32) -> Self {
        let server = OwnServer::start();
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        // Started by root, it becomes another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let (pooler, port) = loop {
            // Somebody else may take the port before PgBouncer does, which ends then.
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if let Some(pooler) = listening(folder.path(), &address(&server), port, mode, size) {
                break (pooler, port);
            }
        };
        fs::write(folder.path().join("orders.toml"), SCENARIO).unwrap();
        Self { _server: server, folder, pooler, port }
    }

    fn run(&self, args: &[&str]) -> Output {
        run(self.folder.path(), self.port, args)
    }

    /// What a client of the pool finds.
    fn left(&self) -> Vec<String> {
        let url = format!("postgres://latclinic@127.0.0.1:{}/latclinic", self.port);
        let ask = |sql: &&str| {
            let asked = Command::new("psql").args(["-XAtw", "-d", &url, "-c", sql]).output().unwrap();
            assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
            String::from_utf8(asked.stdout).unwrap().trim().to_owned()
        };
        LEFT.iter().map(ask).collect()
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let _ = self.pooler.kill();
        let _ = self.pooler.wait();
    }
}

/// PgBouncer on this port, once it listens; `None` if it cannot.
fn listening(folder: &Path, server: &(String, String), port: u16, mode: &str, size: u32) -> Option<Child> {
    let (socket_dir, server_port) = server;
    let log = folder.join(format!("log.{port}"));
    let config = format!(
        "[databases]\n* = host={socket_dir} port={server_port} user=latclinic\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         auth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\nunix_socket_dir =\nlogfile = {}\n",
        log.display(),
    );
    let file = folder.join("pgbouncer.ini");
    fs::write(&file, config).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = Command::new(pgbouncer());
    if nix::unistd::geteuid().is_root() {
        command.args(["-u", "postgres"]);
    }
    let mut pooler = command.arg("-q").arg(&file).spawn().unwrap();
    let begin = Instant::now();
    // Its own word for it: on the port itself another one may answer.
    while !fs::read_to_string(&log).unwrap_or_default().contains(&format!("listening on 127.0.0.1:{port}")) {
        if pooler.try_wait().unwrap().is_some() {
            return None;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "PgBouncer does not listen");
        thread::sleep(Duration::from_millis(20));
    }
    Some(pooler)
}

/// The folder of a server's socket, and its port.
fn address(server: &OwnServer) -> (String, String) {
    let place = server.connector().place();
    let (address, _) = place.rsplit_once('/').unwrap();
    let (folder, port) = address.rsplit_once(':').unwrap();
    (folder.to_owned(), port.to_owned())
}

fn pgbouncer() -> &'static str {
    // Debian's is where only root looks.
    if Path::new("/usr/sbin/pgbouncer").exists() { "/usr/sbin/pgbouncer" } else { "pgbouncer" }
}

fn run(folder: &Path, port: u16, args: &[&str]) -> Output {
    let url = format!("postgres://latclinic@127.0.0.1:{port}/latclinic");
    Command::new(env!("CARGO_BIN_EXE_latclinic"))
        .args(args)
        .args(["--database-url", &url])
        .current_dir(folder)
        .env_remove("LATCLINIC_DATABASE_URL")
        .output()
        .unwrap()
}

const QUICK: [&str; 6] = ["--clients", "2", "--warmup", "100ms", "--duration", "300ms"];

#[test]
fn what_shares_backends_is_refused_and_keeps_nothing() {
    for (mode, size) in [("transaction", 1), ("transaction", 2), ("statement", 2)] {
        let pooled = Pooled::start(mode, size);
        let before = pooled.left();
        for args in [
            &["seed", "orders.toml"][..],
            &["run", "orders.toml", "--yes"],
            &["bench", "orders.toml", "--phase", "before"],
            &["explain", "orders.toml", "--phase", "before"],
            &["explain", "--query", "SELECT 1"],
            &["apply-fix", "orders.toml", "--yes"],
            &["revert-fix", "orders.toml", "--yes"],
        ] {
            let refused = pooled.run(args);
            let said = String::from_utf8_lossy(&refused.stderr);
            assert_eq!(refused.status.code(), Some(2), "{mode} {size} {args:?}: {said}");
            assert!(said.contains("a pooler (such as PgBouncer) in transaction or statement mode"), "{said}");
            assert!(said.contains("help: use the server's own address, or a pool in session mode"), "{said}");
        }
        assert_eq!(pooled.left(), before, "{mode} {size}");
    }
}

#[test]
fn a_pool_that_keeps_sessions_together_works() {
    let pooled = Pooled::start("session", 15);
    let before = pooled.left();
    for args in [
        &["seed", "orders.toml"][..],
        &[&["bench", "orders.toml", "--phase", "before"], &QUICK[..]].concat(),
        &["explain", "orders.toml", "--phase", "before"],
        &["explain", "--query", "SELECT count(*) FROM latclinic_orders.orders"],
        &["apply-fix", "orders.toml", "--yes"],
        &[&["bench", "orders.toml", "--phase", "after", "--connect"], &QUICK[..]].concat(),
        &["revert-fix", "orders.toml", "--yes"],
        &["run", "orders.toml", "--yes", "--rounds", "1", "--block", "300ms", "--clients", "2"],
    ] {
        let done = pooled.run(args);
        let said = String::from_utf8_lossy(&done.stderr);
        // Too few samples decide nothing.
        assert!(matches!(done.status.code(), Some(0 | 4)), "{args:?}: {said}");
        assert!(!said.contains("pooler"), "{said}");
    }
    assert_eq!(pooled.left(), before);
}

#[test]
fn a_pool_without_room_for_a_second_session_is_refused_soon() {
    let pooled = Pooled::start("session", 1);
    for args in [&["explain", "--query", "SELECT 1"][..], &["seed", "orders.toml"]] {
        let begin = Instant::now();
        let refused = pooled.run(args);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}: {said}", begin.elapsed());
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("gives no second session") && said.contains("default_pool_size"), "{said}");
    }
}

/// Each command works, or is told soon what to change.
#[test]
fn a_pool_without_room_for_all_sessions_is_named() {
    let mut refused = 0;
    for size in 2..=4 {
        let pooled = Pooled::start("session", size);
        for args in [
            &["explain", "--query", "SELECT 1"][..],
            &["seed", "orders.toml"],
            &[
                "bench",
                "orders.toml",
                "--phase",
                "before",
                "--clients",
                "8",
                "--warmup",
                "100ms",
                "--duration",
                "300ms",
            ],
        ] {
            let begin = Instant::now();
            let done = pooled.run(args);
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(begin.elapsed() < Duration::from_secs(40), "{size} {args:?} {:?}: {said}", begin.elapsed());
            if done.status.code() != Some(0) {
                refused += 1;
                assert!(said.contains("default_pool_size"), "{size} {args:?}: {said}");
                // What comes later needs what was refused.
                break;
            }
        }
    }
    // Eight clients never have room.
    assert_eq!(refused, 3);
}

/// A tunnel or proxy changes addresses and ports, and passes everything else on.
#[test]
fn a_tunnel_is_no_pooler() {
    let server = OwnServer::start();
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let (socket_dir, server_port) = address(&server);
    let socket = format!("{socket_dir}/.s.PGSQL.{server_port}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = std::os::unix::net::UnixStream::connect(&socket) else { continue };
            let (to_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || pass(client, to_server));
            thread::spawn(move || pass(server, to_client));
        }
    });
    let done = run(folder.path(), port, &["explain", "--query", "SELECT 1"]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
}

fn pass(mut from: impl Read, mut to: impl Write) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
}
