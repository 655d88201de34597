//! Which managed server, and who works in it.

use std::path::PathBuf;

/// The superuser that latclinic works as.
pub const USER: &str = "latclinic";

/// The database that latclinic works in.
pub const DATABASE: &str = "latclinic";

/// Which managed server, and what it has to bear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The data folder; none is the user's own, or `/var/lib/latclinic` for root.
    pub data_dir: Option<PathBuf>,
    /// Folder of the binaries; none searches for the newest.
    pub pg_bin: Option<PathBuf>,
    /// Connections that the command will open at once; the server gets some more.
    pub max_connections: u32,
}
