//! `latclinic run`

use clap::Args;

use super::{
    consent::{ConsentArgs, WayBackArgs},
    exit::{CommandError, Exit},
    format::FormatArgs,
    gates::{GateArgs, GateFiles},
    judging::JudgingArgs,
    load::LoadArgs,
    output::Output,
    reports::ReportsArgs,
    rounds::RoundsArgs,
    scenario::ScenarioArgs,
    session,
    target::TargetArgs,
    undecided::UndecidedArgs,
};
use crate::{
    clinic::{self, Job, LoadOptions, RunPlan, SeedOptions},
    render,
};

/// Seed if needed, measure without and with the fix in turns, round by round, and compare
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Make the dataset again, even where another one is under this name
    #[arg(long)]
    reseed: bool,
    #[command(flatten)]
    rounds: RoundsArgs,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    gates: GateArgs,
    #[command(flatten)]
    undecided: UndecidedArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    reports: ReportsArgs,
    #[command(flatten)]
    consent: ConsentArgs,
    #[command(flatten)]
    way_back: WayBackArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn run(args: &RunArgs, output: &mut Output) -> Result<Exit, CommandError> {
    args.gates.telling(args.undecided, output, |output, files| measure(args, output, files))
}

fn measure(args: &RunArgs, output: &mut Output, files: &mut GateFiles) -> Result<Exit, CommandError> {
    let mut scenario = args.scenario.load()?;
    args.rounds.results(&mut scenario.results);
    files.about(&scenario);
    let mut plan = RunPlan::new(
        &scenario,
        &LoadOptions { gates: args.gates.gates.clone(), ..args.load.options() },
        &args.rounds.options(),
    )?;
    plan.way_back = args.way_back.way_back();
    let judging = args.judging.judging(&args.gates.gates);
    let reports = args.reports.reports();
    let place = args.target.place(plan.load.most_connections())?;
    let seed = SeedOptions { reseed: args.reseed, connections: None };
    let markdown = |comparison: &_| render::markdown(&render::comparison(comparison));
    let (outcome, interrupted) = session::at(place, "latclinic run", async |clinic| {
        args.consent.ask(clinic, &scenario, Job::Run { reseed: args.reseed, aa: plan.aa }).await?;
        clinic::run(clinic, &scenario, &seed, &plan, &judging, &reports, &markdown).await
    })?;
    if let Some(folder) = &outcome.folder {
        files.saved(folder);
    }
    match &outcome.comparison {
        Some(comparison) => {
            // First, for a pipe may keep stdout waiting as long as its reader likes.
            let told = files.compared(output, comparison);
            args.format.format.show_saved(
                output,
                &render::comparison(comparison),
                comparison,
                outcome.folder.as_deref(),
            )?;
            told?;
        }
        None => {
            output.note("no round was completed: there is no comparison");
            if let Some(folder) = &outcome.folder {
                output.saved(&format!("written: {}", folder.display()));
            }
        }
    }
    match (outcome.failure, outcome.comparison) {
        (Some(failure), _) => Err(session::failure(failure, interrupted)),
        (None, Some(comparison)) => Ok(args.undecided.exit(comparison.outcome())),
        (None, None) => Err(CommandError::new(Exit::Undecided, anyhow::anyhow!("no round was completed"))),
    }
}
