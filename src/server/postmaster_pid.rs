//! `postmaster.pid`, the file in which a server says who it is and how far it has come.

use std::path::{Path, PathBuf};

use crate::files::{self, MIB};

/// What `postmaster.pid` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PostmasterPid {
    /// Line 1.
    pub(super) pid: u32,
    /// Line 3: begin of the server in seconds since 1970-01-01T00:00:00Z.
    pub(super) started_at: i64,
    /// Line 4.
    pub(super) port: u16,
    /// Line 5: the folder of the socket.
    pub(super) socket_dir: PathBuf,
    /// Line 8: whether it takes connections.
    pub(super) ready: bool,
}

impl PostmasterPid {
    /// Path of the file in a cluster.
    pub(super) fn path(cluster: &Path) -> PathBuf {
        cluster.join("postmaster.pid")
    }

    /// Reads the file of a cluster; none while it is absent or half written.
    pub(super) fn read(cluster: &Path) -> Option<Self> {
        Self::parse(&files::read_text(&Self::path(cluster), MIB).ok()?)
    }

    /// Reads only the first line, which PostgreSQL writes before all others.
    pub(super) fn read_pid(cluster: &Path) -> Option<u32> {
        files::read_text(&Self::path(cluster), MIB).ok()?.lines().next()?.trim().parse().ok()
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        Some(Self {
            pid: lines.first()?.parse().ok()?,
            started_at: lines.get(2)?.parse().ok()?,
            port: lines.get(3)?.parse().ok()?,
            socket_dir: lines.get(4).filter(|line| !line.is_empty()).map(PathBuf::from)?,
            ready: lines.get(7).is_some_and(|status| *status == "ready"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "14162\n/data/pg15\n1795225669\n5432\n/run/latclinic-1\n\n 10018852        18\nready   \n";

    #[test]
    fn all_lines_are_read() {
        let found = PostmasterPid::parse(TEXT).unwrap();
        let expected = PostmasterPid {
            pid: 14162,
            started_at: 1_795_225_669,
            port: 5432,
            socket_dir: PathBuf::from("/run/latclinic-1"),
            ready: true,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_server_that_is_not_ready_is_not_taken_for_one() {
        assert!(!PostmasterPid::parse(&TEXT.replace("ready   ", "starting")).unwrap().ready);
        let before_the_status = TEXT.lines().take(7).collect::<Vec<_>>().join("\n");
        assert!(!PostmasterPid::parse(&before_the_status).unwrap().ready);
        assert_eq!(PostmasterPid::parse("14162\n/data/pg15\n"), None);
        assert_eq!(PostmasterPid::parse(""), None);
    }
}
