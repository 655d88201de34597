//! `latclinic seed`

use clap::Args;

use super::{exit::CommandError, exit::Exit, output::Output, scenario::ScenarioArgs, session, target::TargetArgs};
use crate::{
    clinic::{self, SeedOptions, SeedOutcome},
    render,
    scenario::Scenario,
};

/// Make the dataset of a scenario
#[derive(Debug, Args)]
pub(super) struct SeedArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Make it again, even where another dataset is under this name
    #[arg(long)]
    reseed: bool,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn run(args: &SeedArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let scenario = args.scenario.load()?;
    let options = SeedOptions { reseed: args.reseed, connections: None };
    let (outcome, _) = session::at(args.target.place(0)?, "latclinic seed", async |clinic| {
        clinic::seed(clinic, &scenario, &options).await
    })?;
    output.result(&describe(&scenario, &outcome));
    Ok(Exit::Done)
}

/// One line for each table, and one for the whole.
fn describe(scenario: &Scenario, outcome: &SeedOutcome) -> String {
    let (facts, how) = match outcome {
        SeedOutcome::AlreadyComplete(facts) => (facts, "complete already: nothing to do".to_owned()),
        SeedOutcome::Loaded(seeded) => {
            (&seeded.facts, format!("loaded in {}", render::milliseconds(seeded.elapsed.as_secs_f64() * 1e3)))
        }
    };
    let mut text = String::new();
    for (table, rows) in &facts.rows {
        text.push_str(&format!("{}.{table}: {} rows\n", scenario.schema_name(), render::count(*rows)));
    }
    text.push_str(&format!("{}, {how}", render::bytes(facts.bytes)));
    text
}
