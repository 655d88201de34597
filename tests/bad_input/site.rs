//! The program in folders of a test's own, and what it says there.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value as Json;

/// A password that must never be seen.
pub(crate) const PASSWORD: &str = "s3cret";

/// How the name of a socket's folder begins; a hash of the data folder follows.
const SOCKET: &str = "/latclinic-";

/// What the program tells once it measures the phase before.
pub(crate) const MEASURING: &str = "before  ";

/// A seed with which a run measures the phase before first.
pub(crate) const BEFORE_FIRST: [&str; 2] = ["--random-seed", "2"];

/// A run of a moment, where its figures do not matter.
pub(crate) const ONE_ROUND: [&str; 6] = ["--rounds", "1", "--block", "300ms", "--warmup", "100ms"];

/// Flags of a small and quick measurement.
pub(crate) const QUICK: [&str; 8] = ["--rows", "2000", "--clients", "2", "--warmup", "100ms", "--duration", "500ms"];

/// Folders whose server ends with the test.
pub(crate) struct Site {
    folder: tempfile::TempDir,
}

/// How a program ended and what it said.
pub(crate) struct Told {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Site {
    /// Empty folders; a server is started by the command that needs it, and stopped again.
    pub(crate) fn new() -> Self {
        // The server of root runs as another user, who has to pass.
        let permissions = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(permissions).tempdir_in("/tmp").unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder }
    }

    /// The same, with a server that runs until the end of the test.
    pub(crate) fn with_server() -> Self {
        let site = Self::new();
        site.done(&["server", "start"]);
        site
    }

    /// Where the program works and writes.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The program, apart from this process' environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latclinic"));
        command.args(args).current_dir(self.path("")).env("LATCLINIC_DATA_DIR", self.data_dir());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("PG") || name == "LATCLINIC_DATABASE_URL" {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The program as this script of a shell runs it, as `"$@"`.
    pub(crate) fn shell(&self, script: &str, args: &[&str]) -> Command {
        let program = self.command(args);
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(program.get_program()).args(program.get_args());
        copy_surroundings(&program, &mut command);
        command
    }

    /// The program with a file system of `kilobytes` in its folder `disk`, which nobody else sees. None where this is not allowed.
    #[expect(clippy::print_stderr, reason = "a test that was not made has to say so")]
    pub(crate) fn on_a_small_disk(&self, kilobytes: u32, args: &[&str]) -> Option<Command> {
        let allowed = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]).output();
        if !allowed.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: no file system may be mounted here");
            return None;
        }
        fs::create_dir_all(self.path("disk")).unwrap();
        let shell = self.shell(&format!("mount -t tmpfs -o size={kilobytes}k tmpfs disk && exec \"$@\""), args);
        let mut command = Command::new("unshare");
        command.arg("-m").arg(shell.get_program()).args(shell.get_args());
        copy_surroundings(&shell, &mut command);
        Some(command)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Told {
        self.told(self.command(args).output().unwrap())
    }

    /// Runs what has to end well and gives what it said.
    pub(crate) fn done(&self, args: &[&str]) -> Told {
        let told = self.run(args);
        assert_eq!(told.exit, 0, "{args:?}: {}", told.stderr);
        told
    }

    /// Runs what has to be refused with an exit code, and gives the words of the refusal.
    pub(crate) fn refused(&self, exit: i32, args: &[&str]) -> String {
        let told = self.run(args);
        assert_eq!(told.exit, exit, "{args:?}: {}{}", told.stdout, told.stderr);
        told.refusal()
    }

    /// Runs a command of this site's.
    pub(crate) fn tell(&self, command: &mut Command) -> Told {
        self.told(command.output().unwrap())
    }

    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running::new(self.command(args))
    }

    /// Runs SQL in the managed server as its superuser, and gives the rows as lines.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.done(&["server", "psql", "--", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql]).stdout.trim().to_owned()
    }

    /// What `server status` says of the running server.
    pub(crate) fn server(&self) -> Json {
        let status = self.done(&["server", "status", "--format", "json"]).stdout;
        serde_json::from_str::<Json>(&status).unwrap()["running"].clone()
    }

    pub(crate) fn socket_dir(&self) -> String {
        self.server()["socket_dir"].as_str().unwrap().to_owned()
    }

    /// The kept server as somebody else's: over its socket, as this user (and password) in this database.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        format!("postgresql://{user}@/{database}?host={}", self.socket_dir())
    }

    /// Makes a role that has to give [`PASSWORD`].
    pub(crate) fn add_role(&self, name: &str) {
        self.sql(&format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"));
        let rules = Path::new(self.server()["cluster"].as_str().unwrap()).join("pg_hba.conf");
        let old = fs::read_to_string(&rules).unwrap();
        fs::write(&rules, format!("local all {name} scram-sha-256\n{old}")).unwrap();
        self.sql("SELECT pg_reload_conf()");
        let heard = format!("SELECT count(*) FROM pg_hba_file_rules WHERE '{name}' = ANY (user_name)");
        wait_for("the rule is read", || self.sql(&heard) == "1");
    }

    /// Whether a process works in the data folder, as each of a server does.
    pub(crate) fn has_processes(&self) -> bool {
        let Ok(processes) = fs::read_dir("/proc") else { return false };
        let data_dir = self.data_dir();
        processes
            .flatten()
            .any(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|folder| folder.starts_with(&data_dir)))
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What a program said; on stderr this test's folders go by names of their own.
    fn told(&self, output: Output) -> Told {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            for forbidden in ["panicked", "BACKTRACE", PASSWORD] {
                assert!(!text.contains(forbidden), "{text}");
            }
            text
        };
        let mut stderr = text(&output.stderr).replace(&*self.folder.path().to_string_lossy(), "SITE");
        if let Some(middle) = stderr.find(SOCKET) {
            let begin = stderr[..middle].rfind([' ', '"']).map_or(0, |place| place + 1);
            let end = middle + SOCKET.len() + stderr[middle + SOCKET.len()..].find([':', '/']).unwrap();
            stderr = stderr.replace(&stderr[begin..end].to_owned(), "SOCKET");
        }
        Told { exit: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr }
    }
}

/// Folder, environment and streams of one command for another.
fn copy_surroundings(from: &Command, to: &mut Command) {
    to.current_dir(from.get_current_dir().unwrap());
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
    to.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.command(&["server", "destroy", "--yes"]).output();
    }
}

impl Told {
    /// The error and its way out.
    pub(crate) fn refusal(&self) -> String {
        let begin = self.stderr.find("error: ").unwrap_or_else(|| panic!("no error: {}", self.stderr));
        self.stderr[begin..].trim_end().to_owned()
    }
}

/// A program that is told to end with the test.
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    pub(crate) fn new(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr, said: String::new() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line on stderr that has these words.
    pub(crate) fn hear(&mut self, words: &str) {
        loop {
            let begin = self.said.len();
            let read = self.stderr.read_line(&mut self.said).unwrap();
            assert!(read > 0, "ended without `{words}`: {}", self.said);
            if self.said[begin..].contains(words) {
                return;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self, site: &Site) -> Told {
        let mut stderr = std::mem::take(&mut self.said);
        self.stderr.read_to_string(&mut stderr).unwrap();
        let mut stdout = Vec::new();
        self.child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        site.told(Output { status: self.child.wait().unwrap(), stdout, stderr: stderr.into_bytes() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::SIGTERM);
            let _ = self.child.wait();
        }
    }
}

/// Reads a record.
pub(crate) fn record(folder: &Path) -> Json {
    serde_json::from_slice(&fs::read(folder.join("record.json")).unwrap()).unwrap()
}

/// Looks at a condition until it holds.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A scenario file of one table, each part of which can be replaced.
pub(crate) struct File<'a> {
    pub(crate) schema: &'a str,
    pub(crate) rows: &'a str,
    pub(crate) user_id: &'a str,
    pub(crate) statement: &'a str,
    pub(crate) clients: &'a str,
    pub(crate) up: &'a str,
    pub(crate) down: &'a str,
}

impl Default for File<'_> {
    fn default() -> Self {
        Self {
            schema: "CREATE TABLE events (id bigint PRIMARY KEY, user_id int NOT NULL)",
            rows: "500",
            user_id: "{ zipf = { min = 1, max = 10 } }",
            statement: "sql = \"SELECT * FROM events WHERE user_id = $1\"\nparameters = [{ zipf = { min = 1, max = 10 } }]",
            clients: "2",
            up: "CREATE INDEX events_user ON events (user_id)",
            down: "DROP INDEX events_user",
        }
    }
}

impl File<'_> {
    pub(crate) fn text(&self) -> String {
        let Self { schema, rows, user_id, statement, clients, up, down } = self;
        format!(
            "title = \"a test\"
[dataset]
schema = \"{schema}\"
[dataset.tables.events]
rows = {rows}
[dataset.tables.events.columns]
id = {{ sequence = {{}} }}
user_id = {user_id}
[workload.statements.latest]
{statement}
[load]
clients = {clients}
warmup = \"100ms\"
duration = \"300ms\"
[fix]
title = \"an index\"
up = \"{up}\"
down = \"{down}\"
"
        )
    }
}
