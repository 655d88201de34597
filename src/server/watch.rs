//! Looks after a server while a command works with it.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    process::Child,
};

use super::{
    folder::Folder,
    mishap::{self, Mishap, What},
    process::{self, Holder},
    socket,
    state::Running,
};

/// The most that is read of the log at a look.
const MOST: u64 = 1 << 20;

/// Looks after one server.
#[derive(Debug)]
pub(super) struct Watch {
    log: PathBuf,
    /// How far the log was read.
    read: u64,
    /// The begin of a line whose end is not written yet, and the lines before it that may belong to a mishap.
    unsettled: String,
    pid: u32,
    cluster: PathBuf,
    socket: PathBuf,
}

impl Watch {
    /// From now on.
    pub(super) fn begin(folder: &Folder, running: &Running) -> Self {
        let log = folder.log();
        let read = fs::metadata(&log).map_or(0, |found| found.len());
        let socket = socket::socket_path(&running.socket_dir);
        Self { log, read, unsettled: String::new(), pid: running.pid, cluster: running.cluster.clone(), socket }
    }

    /// What has befallen the server since the last look. `child` is its postmaster, if it is this process' child.
    pub(super) fn look(&mut self, child: Option<&mut Child>) -> Option<Mishap> {
        let told = self.told();
        let ended = match child {
            Some(child) => child.try_wait().ok().flatten().map(|status| Some(mishap::ended(status))),
            None => (process::holder(self.pid, &self.cluster) != Holder::Server).then_some(None),
        };
        let what = match (told, ended) {
            (Some(told), _) => told,
            (None, Some(how)) => What::Ended(how),
            (None, None) if !self.cluster.join("postmaster.pid").exists() => What::DataGone(self.cluster.clone()),
            (None, None) if !self.socket.exists() => What::SocketGone(self.socket.clone()),
            (None, None) => return None,
        };
        Some(Mishap { what, log: self.log.clone() })
    }

    /// What new lines of the log tell.
    fn told(&mut self) -> Option<What> {
        let mut file = File::open(&self.log).ok()?;
        if file.metadata().ok()?.len() <= self.read {
            return None;
        }
        file.seek(SeekFrom::Start(self.read)).ok()?;
        let mut new = Vec::new();
        self.read += file.take(MOST).read_to_end(&mut new).ok()? as u64;
        self.unsettled.push_str(&String::from_utf8_lossy(&new));
        let told = mishap::told(&self.unsettled);
        // Who died is told some lines before that all sessions end.
        let kept = self.unsettled.char_indices().rev().nth(KEPT).map_or(0, |(at, _)| at);
        self.unsettled.drain(..kept);
        told
    }
}

/// Characters of the log that are looked at again.
const KEPT: usize = 8192;
