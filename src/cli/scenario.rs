//! The scenario that a command is about.

use clap::Args;

use super::{exit::CommandError, load::RowsArgs};
use crate::scenario::{self, Scenario};

/// The scenario that a command is about.
#[derive(Debug, Args)]
pub(super) struct ScenarioArgs {
    /// Bundled scenario, or path of a scenario file
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
        let scenario = scenario::load(&self.scenario)?;
        Ok(match self.rows.rows {
            Some(rows) => scenario.with_rows(rows),
            None => scenario,
        })
    }
}
