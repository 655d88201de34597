//! `latclinic bench`

use clap::{Args, ValueEnum};

use super::{
    exit::{CommandError, Exit},
    format::FormatArgs,
    load::LoadArgs,
    output::Output,
    reports::ReportsArgs,
    scenario::ScenarioArgs,
    session,
    target::TargetArgs,
};
use crate::{clinic, record::Phase, render};

/// Measure one phase and save its record
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    #[command(flatten)]
    phase: PhaseArgs,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    reports: ReportsArgs,
    #[command(flatten)]
    target: TargetArgs,
}

/// The phase that a command is about.
#[derive(Debug, Args)]
pub(super) struct PhaseArgs {
    /// `before` needs the fix to be absent, `after` needs it to be present
    #[arg(long, value_name = "PHASE")]
    phase: PhaseName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PhaseName {
    Before,
    After,
}

impl PhaseArgs {
    pub(super) fn phase(&self) -> Phase {
        match self.phase {
            PhaseName::Before => Phase::Before,
            PhaseName::After => Phase::After,
        }
    }
}

pub(super) fn run(args: &BenchArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let scenario = args.scenario.load()?;
    let plan = args.load.options().plan(&scenario)?;
    let reports = args.reports.reports();
    let phase = args.phase.phase();
    let place = args.target.place(plan.most_connections())?;
    let (outcome, interrupted) = session::at(place, "latclinic bench", async |clinic| {
        clinic::bench(clinic, &scenario, phase, &plan, &reports).await
    })?;
    args.format.format.show_saved(
        output,
        &render::record(&outcome.found.record),
        &outcome.found.record,
        &outcome.found.folder,
    )?;
    match outcome.failure {
        Some(failure) => Err(session::failure(failure, interrupted)),
        None if outcome.found.record.interrupted => Ok(interrupted),
        None => Ok(outcome.found.record.outcome().into()),
    }
}
