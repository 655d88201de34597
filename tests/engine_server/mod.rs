//! A PostgreSQL of a test's own: in a temporary folder, reached through a socket, gone at the end.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use latclinic::pg::Connector;
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid, User},
};
use tempfile::TempDir;

/// A running server.
pub(crate) struct Server {
    folder: TempDir,
    child: Child,
}

impl Server {
    /// Starts one that takes `max_connections` and waits until it answers.
    pub(crate) async fn start(max_connections: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("latclinic").tempdir_in("/tmp").unwrap();
        let account = Uid::effective().is_root().then(|| User::from_name("postgres").unwrap().unwrap());
        if let Some(account) = &account {
            chown(folder.path(), Some(account.uid.as_raw()), Some(account.gid.as_raw())).unwrap();
        }
        let command = |program: &str| {
            let mut command = Command::new(binaries().join(program));
            command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if let Some(account) = &account {
                command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
            }
            command
        };
        let initialized = command("initdb").args(["-D", "data", "-U", "postgres", "-E", "UTF8", "--locale=C"]).status();
        assert!(initialized.unwrap().success(), "initdb failed");
        let socket = format!("unix_socket_directories={}", folder.path().display());
        let connections = format!("max_connections={max_connections}");
        let child = command("postgres")
            .args(["-D", "data", "-c", "listen_addresses=", "-c", &socket, "-c", &connections])
            .spawn()
            .unwrap();
        let server = Self { folder, child };
        while server.connector().connect("test").await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// How to reach it.
    pub(crate) fn connector(&self) -> Connector {
        Connector::managed(self.folder.path(), 5432, "postgres", "postgres")
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn shut_down(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        if self.child.try_wait().unwrap().is_none() {
            kill(pid, Signal::SIGQUIT).unwrap();
            self.child.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shut_down();
    }
}

fn binaries() -> PathBuf {
    let candidates = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = candidates.map(|entry| entry.path().join("bin")).filter(|path| path.join("initdb").exists()).max();
    newest.unwrap_or_else(|| {
        let output = Command::new("pg_config").arg("--bindir").output().unwrap();
        Path::new(String::from_utf8(output.stdout).unwrap().trim()).to_owned()
    })
}
