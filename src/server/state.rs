//! `server.json`: how the running server was started, for the latclinic processes that did not start it.

use std::{collections::BTreeMap, fs, os::unix::net::UnixStream, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    error::{Error, Result},
    folder::{self, Cluster, Folder},
    postmaster_pid::PostmasterPid,
    process::{self, Holder},
    socket,
};
use crate::files::{self, MIB};

/// How a server was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) pid: u32,
    pub(super) started_at: i64,
    /// Whether `server start` left it running.
    pub(super) kept: bool,
    pub(super) version: String,
    pub(super) bin_dir: PathBuf,
    pub(super) socket_dir: PathBuf,
    pub(super) max_connections: u32,
    pub(super) settings: BTreeMap<String, String>,
}

/// A server that works in a cluster, and what is known about it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) cluster: Cluster,
    pub(super) pid: u32,
    /// Absent while the server writes it.
    pub(super) postmaster: Option<PostmasterPid>,
    /// Absent when the server is not the one that `server.json` is about.
    pub(super) state: Option<State>,
}

/// A server that takes connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The postmaster's process id.
    pub pid: u32,
    /// When it was started, in seconds since 1970-01-01T00:00:00Z.
    pub started_at: i64,
    /// Folder of the socket: what libpq calls the host.
    pub socket_dir: PathBuf,
    /// Port that names the socket.
    pub port: u16,
    /// PostgreSQL's data directory.
    pub cluster: PathBuf,
    /// The version as PostgreSQL writes it, such as `15.18`.
    pub version: String,
    /// Folder of its binaries.
    pub bin_dir: PathBuf,
    /// Whether it goes on when no command needs it, for `server start` began it.
    pub kept: bool,
    /// Connections it takes.
    pub max_connections: u32,
    /// What it was started with, by name.
    pub settings: BTreeMap<String, String>,
}

impl State {
    pub(super) fn write(&self, folder: &Folder) -> Result<()> {
        let path = folder.state();
        let text = serde_json::to_string_pretty(self).map_err(|cause| Error::io("write", &path, cause.into()))?;
        folder::write_whole(&path, &text, 0o644)
    }

    fn read(folder: &Folder) -> Option<Self> {
        serde_json::from_slice(&files::read(&folder.state(), MIB).ok()?).ok()
    }

    /// Forgets a server that has ended, and takes the folder of its socket away.
    pub(super) fn forget(folder: &Folder) {
        // Stale ones are harmless: the file names a process and its begin, which no other server has, and the folder is
        // emptied at the next start.
        if let Some(state) = Self::read(folder) {
            socket::remove(&state.socket_dir);
        }
        let _ = fs::remove_file(folder.state());
    }
}

impl Found {
    /// The server that works in one of the clusters of a folder, if any.
    pub(super) fn look(folder: &Folder) -> Result<Option<Self>> {
        for cluster in folder.clusters()? {
            let Some(pid) = PostmasterPid::read_pid(&cluster.path) else { continue };
            if process::holder(pid, &cluster.path) != Holder::Server {
                continue;
            }
            let postmaster = PostmasterPid::read(&cluster.path).filter(|postmaster| postmaster.pid == pid);
            let state = State::read(folder).filter(|state| {
                postmaster.as_ref().is_some_and(|found| (found.pid, found.started_at) == (state.pid, state.started_at))
            });
            return Ok(Some(Self { cluster, pid, postmaster, state }));
        }
        Ok(None)
    }

    /// Whether the process is still there.
    pub(super) fn is_gone(&self) -> bool {
        process::holder(self.pid, &self.cluster.path) != Holder::Server
    }

    /// The server, if it takes connections and was started by latclinic.
    pub(super) fn running(&self) -> Option<Running> {
        let postmaster = self.postmaster.clone().filter(|found| found.ready)?;
        Some(self.state.clone()?.running(postmaster, &self.cluster))
    }
}

impl State {
    pub(super) fn running(self, postmaster: PostmasterPid, cluster: &Cluster) -> Running {
        Running {
            pid: self.pid,
            started_at: self.started_at,
            socket_dir: postmaster.socket_dir,
            port: postmaster.port,
            cluster: cluster.path.clone(),
            version: self.version,
            bin_dir: self.bin_dir,
            kept: self.kept,
            max_connections: self.max_connections,
            settings: self.settings,
        }
    }
}

impl Running {
    /// Whether somebody listens at its socket: the end of a login session may take XDG_RUNTIME_DIR away under a server
    /// that goes on, and one that is dying has closed it.
    pub(super) fn answers(&self) -> bool {
        UnixStream::connect(socket::socket_path(&self.socket_dir)).is_ok()
    }
}
