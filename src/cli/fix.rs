//! `latclinic apply-fix` and `latclinic revert-fix`

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::{
    consent::{ConsentArgs, WayBackArgs},
    exit::{CommandError, Exit},
    format::FormatArgs,
    output::Output,
    scenario::ScenarioArgs,
    session,
    target::TargetArgs,
};
use crate::{
    clinic::{self, Direction, FixOutcome, WayBack},
    render::{Block, Document, Table},
    scenario::Scenario,
    text,
};

/// Apply or revert the fix of a scenario.
#[derive(Debug, Args)]
pub(super) struct FixArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    consent: ConsentArgs,
    #[command(flatten)]
    target: TargetArgs,
}

/// Revert the fix of a scenario.
#[derive(Debug, Args)]
pub(super) struct RevertArgs {
    #[command(flatten)]
    fix: FixArgs,
    #[command(flatten)]
    way_back: WayBackArgs,
}

pub(super) fn apply(args: &FixArgs, output: &mut Output) -> Result<Exit, CommandError> {
    run(args, Direction::Up, WayBack::OfFile, output)
}

pub(super) fn revert(args: &RevertArgs, output: &mut Output) -> Result<Exit, CommandError> {
    run(&args.fix, Direction::Down, args.way_back.way_back(), output)
}

fn run(args: &FixArgs, direction: Direction, way_back: WayBack, output: &mut Output) -> Result<Exit, CommandError> {
    let scenario = args.scenario.load()?;
    let command = match direction {
        Direction::Up => "latclinic apply-fix",
        Direction::Down => "latclinic revert-fix",
    };
    let (outcome, _) = session::at(args.target.place(0)?, command, async |clinic| {
        let plan = clinic::plan_fix(clinic, &scenario, direction).await?;
        args.consent.ask_for_fix(clinic, &plan)?;
        match direction {
            Direction::Up => clinic::apply_fix(clinic, &scenario).await,
            Direction::Down => clinic::revert_fix(clinic, &scenario, way_back).await,
        }
    })?;
    let result = FixResult::new(&scenario, direction, &outcome);
    args.format.format.show(output, &result.document(), &result)?;
    Ok(Exit::Done)
}

/// Where the fix stands, and what was done for it.
#[derive(Debug, Serialize)]
struct FixResult<'a> {
    scenario: &'a str,
    fix: &'a str,
    state: State,
    /// Whether it was brought there now; otherwise it stood there.
    changed: bool,
    /// `None` where nothing was done.
    seconds: Option<f64>,
    /// Those that were run.
    statements: Vec<Statement<'a>>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Applied,
    Absent,
    /// There is nothing to apply.
    Rewrite,
}

#[derive(Debug, Serialize)]
struct Statement<'a> {
    sql: &'a str,
    seconds: f64,
}

impl<'a> FixResult<'a> {
    fn new(scenario: &'a Scenario, direction: Direction, outcome: &'a FixOutcome) -> Self {
        let (seconds, statements) = match outcome {
            FixOutcome::Done { duration, statements } => (Some(duration.as_secs_f64()), statements.as_slice()),
            FixOutcome::Nothing | FixOutcome::Rewrite => (None, [].as_slice()),
        };
        let statement = |(sql, taken): &'a (String, Duration)| Statement { sql, seconds: taken.as_secs_f64() };
        Self {
            scenario: &scenario.id,
            fix: &scenario.fix.title,
            state: match (outcome, direction) {
                (FixOutcome::Rewrite, _) => State::Rewrite,
                (_, Direction::Up) => State::Applied,
                (_, Direction::Down) => State::Absent,
            },
            changed: seconds.is_some(),
            seconds,
            statements: statements.iter().map(statement).collect(),
        }
    }

    fn document(&self) -> Document {
        let what = match (self.state, self.seconds) {
            (State::Applied, Some(seconds)) => format!("applied in {}", text::milliseconds(seconds * 1e3)),
            (State::Absent, Some(seconds)) => format!("reverted in {}", text::milliseconds(seconds * 1e3)),
            (State::Applied, None) => "is already applied".to_owned(),
            (State::Absent, None) => "is not applied".to_owned(),
            (State::Rewrite, _) => "a rewrite, used in phase after; nothing to apply".to_owned(),
        };
        let mut blocks = vec![Block::Headline(format!("{}: {what}", self.fix))];
        if !self.statements.is_empty() {
            let mut statements = Table::of_figures(&["statement", "time"]);
            for statement in &self.statements {
                statements.row([statement.sql.to_owned(), text::milliseconds(statement.seconds * 1e3)]);
            }
            blocks.push(Block::Table(statements));
        }
        Document { blocks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(direction: Direction, outcome: &FixOutcome) -> (String, String) {
        let scenario = Scenario::bundled("events").unwrap();
        let result = FixResult::new(&scenario, direction, outcome);
        (crate::render::terminal(&result.document(), 80, false), serde_json::to_string(&result).unwrap())
    }

    #[test]
    fn what_was_run() {
        let statement = |sql: &str, ms| (sql.to_owned(), Duration::from_millis(ms));
        let statements = vec![statement("CREATE INDEX a\n  ON events (id)", 1250), statement("ANALYZE events", 500)];
        let outcome = FixOutcome::Done { duration: Duration::from_millis(2000), statements };
        let (text, json) = shown(Direction::Up, &outcome);
        insta::assert_snapshot!(text, @"
        index on (user_id, created_at DESC): applied in 2.00 s

         statement                         time
        ────────────────────────────────────────
         CREATE INDEX a ON events (id)   1.25 s
         ANALYZE events                  500 ms
        ");
        insta::assert_snapshot!(json, @r#"{"scenario":"events","fix":"index on (user_id, created_at DESC)","state":"applied","changed":true,"seconds":2.0,"statements":[{"sql":"CREATE INDEX a\n  ON events (id)","seconds":1.25},{"sql":"ANALYZE events","seconds":0.5}]}"#);
        let (text, json) = shown(Direction::Down, &outcome);
        assert!(text.starts_with("index on (user_id, created_at DESC): reverted in 2.00 s\n"), "{text}");
        assert!(json.contains(r#""state":"absent","changed":true"#), "{json}");
    }

    #[test]
    fn nothing_to_do() {
        let (text, json) = shown(Direction::Up, &FixOutcome::Nothing);
        insta::assert_snapshot!(text, @"index on (user_id, created_at DESC): is already applied");
        insta::assert_snapshot!(json, @r#"{"scenario":"events","fix":"index on (user_id, created_at DESC)","state":"applied","changed":false,"seconds":null,"statements":[]}"#);
        let (text, json) = shown(Direction::Down, &FixOutcome::Nothing);
        assert_eq!(text, "index on (user_id, created_at DESC): is not applied");
        assert!(json.contains(r#""state":"absent","changed":false"#), "{json}");
    }
}
