//! `latclinic run`

use clap::Args;

use super::{
    exit::{CommandError, Exit},
    format::FormatArgs,
    load::LoadArgs,
    output::Output,
    reports::ReportsArgs,
    scenario::ScenarioArgs,
    session,
    target::{ConsentArgs, TargetArgs},
};
use crate::{
    clinic::{self, SeedOptions},
    render,
};

/// Seed if needed, measure without the fix, apply it, measure with it, compare
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Make the dataset again, even where another one is under this name
    #[arg(long)]
    reseed: bool,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    reports: ReportsArgs,
    #[command(flatten)]
    consent: ConsentArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn run(args: &RunArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let scenario = args.scenario.load()?;
    let plan = args.load.options().plan(&scenario)?;
    let reports = args.reports.reports();
    let place = args.target.place(plan.most_connections())?;
    args.consent.ask_for_run(&place, &scenario)?;
    let seed = SeedOptions { reseed: args.reseed, connections: None };
    let markdown = |comparison: &_| render::markdown(&render::comparison(comparison));
    let (outcome, interrupted) = session::at(place, "latclinic run", async |clinic| {
        clinic::run(clinic, &scenario, &seed, &plan, &reports, &markdown).await
    })?;
    match (outcome.comparison, outcome.failure) {
        (Some(comparison), None) => {
            args.format.format.show_saved(output, &render::comparison(&comparison), &comparison, &outcome.folder)?;
            Ok(comparison.outcome().into())
        }
        (_, failure) => {
            if failure.is_none() {
                output.note("interrupted: what was measured so far is saved, and there is no comparison");
            }
            output.result(&format!("written: {}", outcome.folder.display()));
            failure.map_or(Ok(interrupted), |failure| Err(session::failure(failure, interrupted)))
        }
    }
}
