//! `latclinic bench`

use clap::{Args, ValueEnum};

use super::{
    consent::ConsentArgs,
    exit::{CommandError, Exit},
    format::FormatArgs,
    load::{self, LoadArgs},
    output::Output,
    reports::ReportsArgs,
    scenario::ScenarioArgs,
    session,
    target::TargetArgs,
    undecided::UndecidedArgs,
};
use crate::{
    clinic::{self, CapacityPlan, Job},
    record::Phase,
    render,
    scenario::Threshold,
};

/// Measure one phase and save its record
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  latclinic bench --phase before --duration 1m --clients 32
  latclinic bench --phase after --rate 500/s --threshold 'p(95)<50ms'
  latclinic bench --phase after --find-capacity 'p(95)<50ms'")]
pub(super) struct BenchArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Phase to measure: `before` requires that the fix is absent, `after` that it is applied
    #[arg(long, value_name = "PHASE")]
    phase: PhaseName,
    #[command(flatten)]
    load: LoadArgs,
    /// Find the highest rate that meets this threshold, such as 'p(95)<50ms', then measure the phase at that rate. The search
    /// starts at --rate, or at what a closed load achieves; --duration and --warmup also apply to each probe
    /// [default: 5s and 1s]
    #[arg(long, value_name = "EXPR", help_heading = "Load", allow_hyphen_values = true, value_parser = load::threshold)]
    find_capacity: Option<Threshold>,
    #[command(flatten)]
    undecided: UndecidedArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    reports: ReportsArgs,
    #[command(flatten)]
    consent: ConsentArgs,
    #[command(flatten)]
    target: TargetArgs,
}

/// As `--phase` names it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum PhaseName {
    Before,
    After,
}

impl PhaseName {
    pub(super) fn phase(self) -> Phase {
        match self {
            Self::Before => Phase::Before,
            Self::After => Phase::After,
        }
    }
}

pub(super) fn run(args: &BenchArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let scenario = args.scenario.load()?;
    let options = args.load.options();
    let reports = args.reports.reports();
    let phase = args.phase.phase();
    let command = "latclinic bench";
    let (outcome, interrupted) = match &args.find_capacity {
        None => {
            let plan = options.plan(&scenario)?;
            let place = args.target.place(plan.most_connections())?;
            session::at(place, command, async |clinic| {
                args.consent.ask(clinic, &scenario, Job::Execute(phase)).await?;
                clinic::bench(clinic, &scenario, phase, &plan, &reports).await
            })?
        }
        Some(threshold) => {
            let plan = CapacityPlan::new(&options, &scenario, threshold.clone())?;
            let place = args.target.place(plan.most_connections())?;
            session::at(place, command, async |clinic| {
                args.consent.ask(clinic, &scenario, Job::Execute(phase)).await?;
                clinic::find_capacity(clinic, &scenario, phase, &plan, &reports).await
            })?
        }
    };
    args.format.format.show_saved(
        output,
        &render::record(&outcome.record),
        &outcome.record,
        outcome.folder.as_deref(),
    )?;
    match outcome.failure {
        Some(failure) => {
            let mut error = session::failure(failure, interrupted);
            // Nothing measured, or nothing that worked: the thresholds say what that is worth.
            let gates = args.undecided.exit(outcome.record.outcome());
            if error.exit == Exit::Failed && !outcome.record.interrupted && gates != Exit::Done {
                error.exit = gates;
            }
            Err(error)
        }
        None if outcome.record.interrupted => Ok(interrupted),
        None => Ok(args.undecided.exit(outcome.record.outcome())),
    }
}
