//! `latclinic explain`

use clap::Args;

use super::{
    bench::PhaseArgs,
    exit::{CommandError, Exit},
    format::FormatArgs,
    output::Output,
    reports::ReportsArgs,
    scenario::ScenarioArgs,
    session,
    target::TargetArgs,
};
use crate::{clinic, render::Document};

/// Capture the plans of one phase
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    #[command(flatten)]
    phase: PhaseArgs,
    /// Seed that the classes of parameter values are drawn from
    #[arg(long, value_name = "N")]
    random_seed: Option<u64>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    reports: ReportsArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn run(args: &ExplainArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let scenario = args.scenario.load()?;
    let seed = args.random_seed.unwrap_or(scenario.load.seed);
    let reports = args.reports.reports();
    let (outcome, _) = session::at(args.target.place(0)?, "latclinic explain", async |clinic| {
        clinic::explain(clinic, &scenario, args.phase.phase(), seed, clinic::TIME_LIMIT, &reports).await
    })?;
    args.format.format.show_saved(
        output,
        &Document::verbatim(&outcome.captured.text),
        &outcome.captured.json,
        &outcome.folder,
    )?;
    Ok(Exit::Done)
}
