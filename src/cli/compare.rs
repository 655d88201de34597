//! `latclinic compare`.

use std::path::PathBuf;

use clap::Args;

use super::{CommandError, Exit, Output, format::FormatArgs, judging::JudgingArgs, reports::ReportsArgs};
use crate::{
    clinic::{self, CompareRequest},
    render,
};

/// Compare a record of each phase: what changed, by how much, and what stands behind it
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Folder or record.json of the phase before; without it the newest
    #[arg(requires = "after")]
    before: Option<PathBuf>,
    /// Folder or record.json of the phase after; without it the newest
    after: Option<PathBuf>,
    /// Scenario whose newest records are compared; without it the one measured last
    #[arg(long, value_name = "ID", conflicts_with = "before")]
    scenario: Option<String>,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    reports: ReportsArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// Runs it.
///
/// # Errors
/// As [`clinic::compare`]; exit 4 when there is nothing that can be compared.
pub(super) fn run(args: &CompareArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let judging = args.judging.judging();
    let request = CompareRequest {
        judging: &judging,
        before: args.before.as_deref(),
        after: args.after.as_deref(),
        reports: &args.reports.reports,
        scenario: args.scenario.as_deref(),
        output: args.reports.output.as_deref(),
    };
    let compared = clinic::compare(&request, |comparison| render::markdown(&render::comparison(comparison)))?;
    let document = render::comparison(&compared.comparison);
    args.format.format.show_saved(output, &document, &compared.comparison, &compared.folder)?;
    Ok(compared.comparison.outcome().into())
}
