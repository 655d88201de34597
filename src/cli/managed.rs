//! The flags of every command that may use the managed server.

use std::{ffi::OsStr, path::PathBuf};

use crate::clinic::managed::Options;

/// Where the managed server lives and which binaries it runs.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Managed server")]
pub(crate) struct ManagedArgs {
    /// Folder of the managed server's data [default: the user's data folder; /var/lib/latclinic for root]
    #[arg(long, env = "LATCLINIC_DATA_DIR", hide_env_values = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Folder of the PostgreSQL binaries to run, 14 to 18 [default: the newest found]
    #[arg(long, env = "LATCLINIC_PG_BIN", hide_env_values = true, value_name = "DIR")]
    pg_bin: Option<PathBuf>,
}

impl ManagedArgs {
    /// The first of these flags that `differs` from its environment variable.
    pub(crate) fn flag_given(&self, differs: impl Fn(Option<&OsStr>, &str) -> bool) -> Option<&'static str> {
        let flags =
            [("--data-dir", &self.data_dir, "LATCLINIC_DATA_DIR"), ("--pg-bin", &self.pg_bin, "LATCLINIC_PG_BIN")];
        let is_given = |(_, value, variable): &(_, &Option<PathBuf>, &str)| {
            differs(value.as_ref().map(|path| path.as_os_str()), variable)
        };
        flags.into_iter().find(is_given).map(|(flag, ..)| flag)
    }

    /// The managed server for a command that opens `connections` at once.
    pub(crate) fn options(&self, connections: u32) -> Options {
        Options { data_dir: self.data_dir.clone(), pg_bin: self.pg_bin.clone(), max_connections: connections }
    }
}
