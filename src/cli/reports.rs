//! `--reports` and `--output`: where records land.

use std::path::PathBuf;

use clap::Args;

use crate::clinic::Reports;

/// The flags.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct ReportsArgs {
    /// Folder for reports; each command writes into SCENARIO/TIME-COMMAND below it
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(super) reports: PathBuf,
    /// Write into exactly this folder, which must not exist [default: a new folder below --reports]
    #[arg(long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
}

impl ReportsArgs {
    /// What the flags ask for.
    pub(super) fn reports(&self) -> Reports {
        Reports { root: self.reports.clone(), output: self.output.clone() }
    }
}
