//! The scenario that a command is about.

use clap::Args;

use super::{
    exit::{CommandError, Exit},
    hide_password,
    load::RowsArgs,
};
use crate::scenario::{self, Scenario};

/// The scenario that a command is about.
#[derive(Debug, Args)]
pub(super) struct ScenarioArgs {
    /// Id of a bundled scenario (see `latclinic scenarios list`), or path of a scenario file
    #[arg(default_value = "events")]
    scenario: String,
    #[command(flatten)]
    rows: RowsArgs,
}

impl ScenarioArgs {
    /// The checked scenario, scaled as asked.
    ///
    /// # Errors
    /// Every fault of the file, or the nearest id to one that does not exist.
    pub(super) fn load(&self) -> Result<Scenario, CommandError> {
        let scenario = load(&self.scenario)?;
        Ok(match self.rows.rows {
            Some(rows) => scenario.with_rows(rows),
            None => scenario,
        })
    }
}

/// The checked scenario of an id or path. A URL, in which there may be a password, is not repeated.
///
/// # Errors
/// As of [`ScenarioArgs::load`], or it names a database.
pub(super) fn load(id_or_path: &str) -> Result<Scenario, CommandError> {
    if hide_password::names_database(id_or_path) {
        let message = anyhow::anyhow!("a database URL was given as the scenario");
        return Err(CommandError::new(Exit::Usage, message)
            .with_hint("pass a database with --database-url; a scenario is a bundled id or the path of a file"));
    }
    Ok(scenario::load(id_or_path)?)
}
