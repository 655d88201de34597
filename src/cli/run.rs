//! `latclinic run`

use clap::Args;

use super::{
    consent::{ConsentArgs, WayBackArgs},
    exit::{CommandError, Exit},
    format::{DetailsArgs, FormatArgs},
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

/// Measure without and with the fix in interleaved rounds, and compare; makes the dataset first if needed
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  latclinic run                                # the bundled case `events`
  latclinic run ./orders.toml --rows 100k --clients 32
  latclinic run events --rounds 12 --block 10s --gate 'p99 improves by 2x'")]
pub(super) struct RunArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Drop the dataset of this scenario and make it again
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
    details: DetailsArgs,
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
            let (fix_left, folder) = (outcome.fix_left.as_deref(), outcome.folder.as_deref());
            args.format.format.show_comparison(output, comparison, args.details, fix_left, folder)?;
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
