//! Flags that say where to work.

use std::{env, ffi::OsStr};

use clap::Args;

use super::{
    exit::{CommandError, Exit},
    managed::ManagedArgs,
};
use crate::{clinic::Place, render, scenario::Scenario};

/// Flags that say where to work.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct TargetArgs {
    /// Database to work on; without it latclinic starts a PostgreSQL of its own
    #[arg(long, value_name = "URL", env = "LATCLINIC_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    #[command(flatten)]
    managed: ManagedArgs,
}

/// Consent to change a server that is not latclinic's own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct ConsentArgs {
    /// Apply or revert the fix on a server that is not latclinic's own
    #[arg(long)]
    pub(super) yes: bool,
}

impl ConsentArgs {
    /// Makes sure that a person has agreed to what a run changes on a server that is not latclinic's own.
    ///
    /// # Errors
    /// They have not; the message says what would be done, and where.
    pub(super) fn ask_for_run(&self, place: &Place, scenario: &Scenario, aa: bool) -> Result<(), CommandError> {
        let Place::Given(connector) = place else { return Ok(()) };
        if self.yes {
            return Ok(());
        }
        let rolled_back = "it would run each operation for some parameters in transactions that it rolls back";
        let mut message = format!(
            "nothing was done: this would make the schema {} on {}, load {} rows, and measure the workload there, with a \
             CHECKPOINT before each block where the role may; {}",
            scenario.schema_name(),
            connector.place(),
            render::count(scenario.rows_by_table().values().sum()),
            match (aa, scenario.fix.changes_database()) {
                (true, _) => "a fix that is applied there would be taken back".to_owned(),
                (false, true) => format!(
                    "{rolled_back}, and between the blocks try writes that it rolls back, VACUUM, and apply the fix and take it \
                     back, again and again:"
                ),
                (false, false) => rolled_back.to_owned(),
            },
        );
        if aa {
            return Err(CommandError::new(Exit::Usage, anyhow::Error::msg(message)).with_hint("pass --yes to do it"));
        }
        for statement in scenario.fix.up.statements.iter().chain(&scenario.fix.down.statements) {
            message.push_str("\n  ");
            message.push_str(&statement.text.replace('\n', "\n  "));
            message.push(';');
        }
        Err(CommandError::new(Exit::Usage, anyhow::Error::msg(message)).with_hint("pass --yes to do it"))
    }
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
            Some(url) => Ok(Place::from_url(url)?),
            None => Ok(Place::Managed(self.managed.options(connections))),
        }
    }
}
