//! `latclinic seed`

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use serde::Serialize;

use super::{
    consent::ConsentArgs, exit::CommandError, exit::Exit, format::FormatArgs, output::Output, scenario::ScenarioArgs,
    session, target::TargetArgs,
};
use crate::{
    clinic::{self, Job, SeedOptions, SeedOutcome},
    render::{Block, Document, Table},
    scenario::Scenario,
    text,
};

/// Make the dataset of a scenario
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  latclinic seed
  latclinic seed events --rows 100k --reseed
  latclinic seed ./orders.toml --database-url postgres://user@host:5432/db")]
pub(super) struct SeedArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Drop the dataset of this scenario and make it again
    #[arg(long)]
    reseed: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    consent: ConsentArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn run(args: &SeedArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let scenario = args.scenario.load()?;
    let options = SeedOptions { reseed: args.reseed, connections: None };
    let (outcome, _) = session::at(args.target.place(0)?, "latclinic seed", async |clinic| {
        args.consent.ask(clinic, &scenario, Job::Seed { reseed: args.reseed }).await?;
        clinic::seed(clinic, &scenario, &options).await
    })?;
    let result = SeedResult::new(&scenario, &outcome);
    args.format.format.show(output, &result.document(), &result)?;
    Ok(Exit::Done)
}

/// The dataset that is there, and what was done for it.
#[derive(Debug, Serialize)]
struct SeedResult<'a> {
    scenario: &'a str,
    schema: String,
    /// Whether it was made now; otherwise it was there.
    changed: bool,
    recipe: &'a str,
    /// By table.
    rows: &'a BTreeMap<String, u64>,
    bytes: u64,
    /// `None` where nothing was done.
    seconds: Option<f64>,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Serialize)]
struct Step<'a> {
    name: &'a str,
    seconds: f64,
}

impl<'a> SeedResult<'a> {
    fn new(scenario: &'a Scenario, outcome: &'a SeedOutcome) -> Self {
        let (facts, seeded) = match outcome {
            SeedOutcome::AlreadyComplete(facts) => (facts, None),
            SeedOutcome::Loaded(seeded) => (&seeded.facts, Some(seeded)),
        };
        let step = |(name, taken): &'a (String, Duration)| Step { name, seconds: taken.as_secs_f64() };
        Self {
            scenario: &scenario.id,
            schema: scenario.schema_name(),
            changed: seeded.is_some(),
            recipe: &facts.recipe,
            rows: &facts.rows,
            bytes: facts.bytes,
            seconds: seeded.map(|seeded| seeded.elapsed.as_secs_f64()),
            steps: seeded.map_or_else(Vec::new, |seeded| seeded.steps.iter().map(step).collect()),
        }
    }

    fn document(&self) -> Document {
        let (id, size) = (self.scenario, text::bytes(self.bytes));
        let headline = match self.seconds {
            Some(seconds) => format!("dataset of {id}: {size}, made in {}", text::milliseconds(seconds * 1e3)),
            None => format!("dataset of {id}: {size}, already complete"),
        };
        let mut tables = Table::of_figures(&["table", "rows"]);
        for (table, rows) in self.rows {
            tables.row([format!("{}.{table}", self.schema), text::count(*rows)]);
        }
        let mut blocks = vec![Block::Headline(headline), Block::Table(tables)];
        if !self.steps.is_empty() {
            let mut steps = Table::of_figures(&["step", "time"]);
            for step in &self.steps {
                steps.row([step.name.to_owned(), text::milliseconds(step.seconds * 1e3)]);
            }
            blocks.push(Block::Table(steps));
        }
        Document { blocks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clinic::{DatasetFacts, Seeded};

    fn facts() -> DatasetFacts {
        let rows = [("events".to_owned(), 1_000_000), ("users".to_owned(), 10_000)].into();
        DatasetFacts { recipe: "a1b2".into(), rows, bytes: 3 << 20 }
    }

    #[test]
    fn what_was_made() {
        let step = |name: &str, ms| (name.to_owned(), Duration::from_millis(ms));
        let steps = vec![step("creating the tables", 500), step("loading the rows", 2000)];
        let outcome = SeedOutcome::Loaded(Seeded { facts: facts(), elapsed: Duration::from_millis(2750), steps });
        let scenario = Scenario::bundled("events").unwrap();
        let result = SeedResult::new(&scenario, &outcome);
        insta::assert_snapshot!(crate::render::terminal(&result.document(), 80, false), @"
        dataset of events: 3.00 MB, made in 2.75 s

         table                          rows
        ─────────────────────────────────────
         latclinic_events.events   1 000 000
         latclinic_events.users       10 000

         step                    time
        ──────────────────────────────
         creating the tables   500 ms
         loading the rows      2.00 s
        ");
        insta::assert_snapshot!(serde_json::to_string(&result).unwrap(), @r#"{"scenario":"events","schema":"latclinic_events","changed":true,"recipe":"a1b2","rows":{"events":1000000,"users":10000},"bytes":3145728,"seconds":2.75,"steps":[{"name":"creating the tables","seconds":0.5},{"name":"loading the rows","seconds":2.0}]}"#);
    }

    #[test]
    fn what_was_there() {
        let outcome = SeedOutcome::AlreadyComplete(facts());
        let scenario = Scenario::bundled("events").unwrap();
        let result = SeedResult::new(&scenario, &outcome);
        insta::assert_snapshot!(crate::render::markdown(&result.document()), @r"
        # dataset of events: 3.00 MB, already complete

        | table | rows |
        | --- | ---: |
        | latclinic\_events.events | 1 000 000 |
        | latclinic\_events.users | 10 000 |
        ");
        insta::assert_snapshot!(serde_json::to_string(&result).unwrap(), @r#"{"scenario":"events","schema":"latclinic_events","changed":false,"recipe":"a1b2","rows":{"events":1000000,"users":10000},"bytes":3145728,"seconds":null,"steps":[]}"#);
    }
}
