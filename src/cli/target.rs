//! Flags that say where to work.

use std::{env, ffi::OsStr};

use clap::Args;

use super::{exit::CommandError, hide_password, managed::ManagedArgs};
use crate::clinic::Place;

/// Flags that say where to work.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct TargetArgs {
    /// Database to work on, such as postgres://user@host:5432/db [default: a PostgreSQL that latclinic starts by itself]
    #[arg(long, value_name = "URL", env = "LATCLINIC_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    #[command(flatten)]
    managed: ManagedArgs,
}

impl TargetArgs {
    /// The first of these flags that the command line gives; what the environment says is for all commands, and is no flag.
    pub(super) fn flag_given(&self) -> Option<&'static str> {
        let differs =
            |given: Option<&OsStr>, variable: &str| given.is_some() && given != env::var_os(variable).as_deref();
        let url = self.database_url.as_deref().map(OsStr::new);
        differs(url, "LATCLINIC_DATABASE_URL").then_some("--database-url").or_else(|| self.managed.flag_given(differs))
    }

    /// The place to work, for a command that opens `connections` at once.
    ///
    /// # Errors
    /// A URL that does not parse, without echoing it.
    pub(super) fn place(&self, connections: u32) -> Result<Place, CommandError> {
        match &self.database_url {
            Some(url) => Ok(Place::from_url(&hide_password::revealed(url).unwrap_or_default())?),
            None => Ok(Place::Managed(self.managed.options(connections))),
        }
    }
}
