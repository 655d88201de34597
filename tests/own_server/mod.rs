//! A managed server of the test's own, in a temporary folder, gone at the end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;

use latclinic::{
    clinic,
    pg::Connector,
    server::{Lease, Options},
};
use tokio_util::sync::CancellationToken;

/// A running server.
pub(crate) struct OwnServer {
    /// The lease on it.
    pub(crate) lease: Lease,
    _folder: tempfile::TempDir,
}

impl OwnServer {
    /// Starts one and waits until it is ready.
    pub(crate) fn start() -> Self {
        Self::of(std::env::var_os("LATCLINIC_PG_BIN").map(Into::into))
    }

    /// Starts one of the binaries in this folder, or of the newest found, and waits until it is ready.
    pub(crate) fn of(pg_bin: Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let data_dir = Some(folder.path().join("server"));
        let options = Options { data_dir, pg_bin, max_connections: 20 };
        let lease = Lease::acquire(&options, "test", &|_| {}, &CancellationToken::new()).unwrap();
        Self { lease, _folder: folder }
    }

    /// The way to it.
    pub(crate) fn connector(&self) -> Connector {
        clinic::managed::connector(self.lease.running())
    }
}
