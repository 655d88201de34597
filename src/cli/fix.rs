//! `latclinic apply-fix` and `latclinic revert-fix`

use clap::Args;

use super::{
    exit::{CommandError, Exit},
    output::Output,
    scenario::ScenarioArgs,
    session,
    target::{ConsentArgs, TargetArgs},
};
use crate::{
    clinic::{self, Direction, Error, ErrorKind, FixOutcome, FixPlan},
    render,
};

/// Apply or revert the fix of a scenario.
#[derive(Debug, Args)]
pub(super) struct FixArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    #[command(flatten)]
    consent: ConsentArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn run(args: &FixArgs, direction: Direction, output: &mut Output) -> Result<Exit, CommandError> {
    let scenario = args.scenario.load()?;
    let command = match direction {
        Direction::Up => "latclinic apply-fix",
        Direction::Down => "latclinic revert-fix",
    };
    let (outcome, _) = session::at(args.target.place(0)?, command, async |clinic| {
        let plan = clinic::plan_fix(clinic, &scenario, direction).await?;
        if !plan.managed && !plan.statements.is_empty() {
            output.note(&announcement(&plan));
            if !args.consent.yes {
                return Err(Error::new(ErrorKind::Usage, format!("nothing was run on {}", plan.place))
                    .with_hint("pass --yes to run these statements there"));
            }
        }
        match direction {
            Direction::Up => clinic::apply_fix(clinic, &scenario).await,
            Direction::Down => clinic::revert_fix(clinic, &scenario).await,
        }
    })?;
    let (done, already) = match direction {
        Direction::Up => ("applied", "is applied already"),
        Direction::Down => ("reverted", "is not applied"),
    };
    output.result(&match outcome {
        FixOutcome::Done { duration } => {
            format!("{}: {done} in {}", scenario.fix.title, render::milliseconds(duration.as_secs_f64() * 1e3))
        }
        FixOutcome::Nothing => format!("{}: {already}", scenario.fix.title),
    });
    Ok(Exit::Done)
}

fn announcement(plan: &FixPlan) -> String {
    let mut text = format!("to be run on {}, with a lock_timeout of {:?}:", plan.place, plan.lock_timeout);
    for statement in &plan.statements {
        text.push_str("\n  ");
        text.push_str(&statement.replace('\n', "\n  "));
        text.push(';');
    }
    text
}
