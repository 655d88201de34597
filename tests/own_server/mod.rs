//! A PostgreSQL of the test's own: a temporary folder, a Unix socket, gone at the end.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use latclinic::pg::Connector;
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, chown},
};

/// A running server. `secret` is a role that needs a password, which is `right`.
pub(crate) struct OwnServer {
    folder: tempfile::TempDir,
    postgres: Child,
}

impl OwnServer {
    /// Starts one and waits until it is ready.
    pub(crate) fn start() -> Self {
        let bin = newest_bin();
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let run_as = nix::unistd::geteuid().is_root().then(|| User::from_name("postgres").unwrap().unwrap());
        let command = |program: &str| {
            let mut command = Command::new(bin.join(program));
            command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
            if let Some(user) = &run_as {
                command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
            }
            command
        };
        if let Some(user) = &run_as {
            chown(folder.path(), Some(user.uid), Some(user.gid)).unwrap();
        }
        let data = folder.path().join("data");
        let args = ["-U", "clinic", "-E", "UTF8", "--locale=C", "--auth=trust", "--no-sync", "-D"];
        assert!(command("initdb").args(args).arg(&data).status().unwrap().success());
        fs::write(data.join("pg_hba.conf"), "local all secret scram-sha-256\nlocal all all trust\n").unwrap();
        let socket = format!("unix_socket_directories={}", folder.path().display());
        let mut postgres = command("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", &socket])
            .spawn()
            .unwrap();
        let patience = Instant::now() + Duration::from_secs(30);
        let is_ready = || fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|pid| pid.contains("\nready"));
        while !is_ready() {
            assert!(postgres.try_wait().unwrap().is_none(), "the server ended");
            assert!(Instant::now() < patience, "the server is not ready");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { folder, postgres }
    }

    /// Folder of its socket.
    pub(crate) fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// The way to it as latclinic takes to a server of its own.
    pub(crate) fn connector(&self) -> Connector {
        Connector::managed(self.socket(), 5432, "clinic", "postgres")
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.postgres.id().try_into().unwrap()), Signal::SIGINT);
        let _ = self.postgres.wait();
    }
}

fn newest_bin() -> PathBuf {
    if let Some(bin) = std::env::var_os("LATCLINIC_PG_BIN") {
        return bin.into();
    }
    let mut found: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path().join("bin")).collect();
    found.sort();
    found.pop().expect("a PostgreSQL under /usr/lib/postgresql")
}
