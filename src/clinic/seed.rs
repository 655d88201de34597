//! Makes a scenario's dataset.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Clinic, Error, ErrorKind, Event, Events};
pub use crate::pg::DatasetFacts;
use crate::{
    pg::{self, DatasetState, Seeding},
    record::DatasetInfo,
    scenario::Scenario,
    text::{self, Field},
};

/// Most connections that a seed opens unless told otherwise; more only contend for the table's end.
const MOST_CONNECTIONS: usize = 4;
/// How often progress is told.
const PROGRESS_PERIOD: Duration = Duration::from_millis(100);

/// How to seed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeedOptions {
    /// Replace a complete dataset of whatever recipe.
    pub reseed: bool,
    /// Connections that load at once; by default as many as there are cores, at most 4.
    pub connections: Option<usize>,
}

/// What a seed did.
#[derive(Debug, Clone, PartialEq)]
pub enum SeedOutcome {
    /// The dataset was there; nothing was done.
    AlreadyComplete(DatasetFacts),
    /// It was made.
    Loaded(Seeded),
}

/// A dataset that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Seeded {
    /// What is there now.
    pub facts: DatasetFacts,
    /// Time from the first statement to the last commit.
    pub elapsed: Duration,
    /// Steps in their order, with the time each took.
    pub steps: Vec<(String, Duration)>,
}

/// Makes the dataset of `scenario`, unless a complete one of the same recipe is there.
///
/// A seed that was interrupted or failed leaves a ledger that says `loading`; the next one notices, says so and starts over.
/// Two seeds of one scenario at once wait for each other.
///
/// # Errors
/// `Usage` when the schema is not latclinic's or holds another recipe and `reseed` is not set; `Interrupted` when `stop` was
/// cancelled; `Failed` when the server or the machine fails.
pub async fn seed(clinic: &Clinic, scenario: &Scenario, options: &SeedOptions) -> Result<SeedOutcome, Error> {
    let (connector, events, stop) = (clinic.connector(), &**clinic.events(), clinic.stop());
    let recipe = scenario.recipe();
    let schema = scenario.schema_name();
    let place = connector.place();
    let failed = |error: pg::Error| failure(scenario, &place, error, stop.is_cancelled());
    let connections = options.connections.unwrap_or_else(default_connections).max(1);
    let wait = || {
        events.event(Event::Note(format!("another latclinic is making the dataset of {}; waiting for it", scenario.id)))
    };
    let seeding = Seeding::begin(connector, &schema, connections, stop, wait).await.map_err(failed)?;

    let replace = match seeding.state().await.map_err(failed)? {
        DatasetState::Absent => false,
        DatasetState::Foreign => return Err(not_ours(&schema, &place)),
        DatasetState::Others(other) => return Err(other.refusal(&schema, Some(&place)).into()),
        DatasetState::Incomplete => {
            let note = format!("an earlier seed of {} was not completed; starting over", scenario.id);
            events.event(Event::Note(note));
            true
        }
        DatasetState::Complete(facts) if options.reseed => {
            events.event(Event::Note(format!("replacing the dataset of {}: {}", scenario.id, rows_text(&facts.rows))));
            true
        }
        DatasetState::Complete(facts) if facts.recipe == recipe => {
            return Ok(SeedOutcome::AlreadyComplete(facts));
        }
        DatasetState::Complete(facts) => return Err(other_recipe(scenario, &facts, &recipe, &place)),
    };

    let started = Instant::now();
    let mut steps = Steps { events, taken: Vec::new() };
    let rows = scenario.rows_by_table();
    let tables = steps
        .step("creating the tables", async {
            seeding.create_schema(&scenario.id, &recipe, &rows, replace).await?;
            seeding.create_tables(&scenario.dataset).await
        })
        .await
        .map_err(failed)?;
    let sent = Arc::new(AtomicU64::new(0));
    let load = watched(seeding.load(tables, &sent), &sent, rows.values().sum(), events);
    let tables = steps.step("loading the rows", load).await.map_err(failed)?;
    steps.step("building keys and indexes", seeding.build_keys(&tables)).await.map_err(failed)?;
    let hidden = steps.step("vacuuming and analyzing", seeding.vacuum(&tables)).await.map_err(failed)?;
    if !hidden.is_empty() {
        events.event(Event::Note(format!(
            "pages of {} are not marked as visible to all: a transaction of another session was open while VACUUM ran; index-only \
             scans visit the table for them until the next VACUUM",
            hidden.join(", ")
        )));
    }
    match seeding.complete().await.map_err(failed)? {
        DatasetState::Complete(facts) => {
            Ok(SeedOutcome::Loaded(Seeded { facts, elapsed: started.elapsed(), steps: steps.taken }))
        }
        _ => Err(Error::new(
            ErrorKind::Failed,
            format!("the dataset in {schema} on {place} was dropped while it was being made"),
        )),
    }
}

/// Makes sure that the dataset of `scenario` is there, whole and of this recipe.
///
/// # Errors
/// It is not, and the hint names the command that makes it; or the server could not tell.
pub(super) async fn require(connector: &pg::Connector, scenario: &Scenario) -> Result<DatasetInfo, Error> {
    let client = connector.connect("check").await?;
    let schema = scenario.schema_name();
    let place = connector.place();
    let recipe = scenario.recipe();
    let missing = |what: &str| {
        Error::new(ErrorKind::Usage, format!("the dataset of {} on {place} {what}", scenario.id))
            .with_hint(format!("make it with: {}", pg::command("seed", scenario)))
    };
    match pg::dataset_state(&client, &schema).await? {
        DatasetState::Absent => Err(missing("is not there")),
        DatasetState::Incomplete => Err(missing("is incomplete: an earlier seed was not completed")),
        DatasetState::Foreign => Err(not_ours(&schema, &place)),
        DatasetState::Others(other) => Err(other.refusal(&schema, Some(&place)).into()),
        DatasetState::Complete(facts) if facts.recipe == recipe => Ok(facts.into()),
        DatasetState::Complete(facts) => Err(other_recipe(scenario, &facts, &recipe, &place)),
    }
}

impl From<DatasetFacts> for DatasetInfo {
    fn from(facts: DatasetFacts) -> Self {
        Self { recipe: facts.recipe, rows: facts.rows, bytes: facts.bytes }
    }
}

/// Tells how a load goes until it ends.
async fn watched<T>(load: impl Future<Output = T>, sent: &AtomicU64, total: u64, events: &dyn Events) -> T {
    let mut load = std::pin::pin!(load);
    let mut ticks = tokio::time::interval(PROGRESS_PERIOD);
    let tell = || events.event(Event::Seeding { rows: sent.load(Ordering::Relaxed), total });
    loop {
        tokio::select! {
            result = &mut load => {
                tell();
                return result;
            }
            _ = ticks.tick() => tell(),
        }
    }
}

struct Steps<'a> {
    events: &'a dyn Events,
    taken: Vec<(String, Duration)>,
}

impl Steps<'_> {
    async fn step<T>(&mut self, name: &str, work: impl Future<Output = T>) -> T {
        self.events.event(Event::Step(name.into()));
        let started = Instant::now();
        let result = work.await;
        self.taken.push((name.into(), started.elapsed()));
        result
    }
}

fn default_connections() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MOST_CONNECTIONS)
}

pub(super) fn failure(scenario: &Scenario, place: &str, error: pg::Error, stopped: bool) -> Error {
    // What was cancelled may say so in the server's words.
    if stopped || error.is_stopped() {
        return Error::new(ErrorKind::Interrupted, format!("making the dataset of {} was interrupted", scenario.id))
            .with_hint("run `latclinic seed` again; it starts over");
    }
    let hint = match error.hint() {
        Some(hint) => hint.to_owned(),
        None => format!("correct that, then run `{}`; it starts over", pg::command("seed", scenario)),
    };
    let error = Error::from(error);
    let doing = format!("cannot seed {} on {place}", scenario.id);
    // A place that could not be reached is named there already.
    match error.to_string().contains(place) {
        true => error,
        false => Error::new(error.kind(), doing).with_source(error),
    }
    .with_hint(hint)
}

fn not_ours(schema: &str, place: &str) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!("the schema {schema} on {place} was not made by latclinic, so latclinic does not touch it"),
    )
    .with_hint(format!(
        "rename it (ALTER SCHEMA {schema} RENAME TO ..), or give the scenario another id by renaming its file"
    ))
}

fn other_recipe(scenario: &Scenario, facts: &DatasetFacts, recipe: &str, place: &str) -> Error {
    let short = |recipe: &str| recipe.chars().take(12).collect::<String>();
    let message = format!(
        "a different dataset of {} exists on {place}: {} (recipe {}), but {} (recipe {}) were asked for",
        scenario.id,
        rows_text(&facts.rows),
        short(&facts.recipe),
        rows_text(&scenario.rows_by_table()),
        short(recipe),
    );
    let there = facts.rows.values().copied().max().unwrap_or(0);
    let replace = format!("replace it with: {} --reseed", pg::command("seed", scenario));
    Error::new(ErrorKind::Usage, message).about(&[Field::Rows]).with_hint(
        match scenario.clone().with_rows(there).recipe() == facts.recipe {
            true => format!("use the existing rows ({} {there}), or {replace}", Field::Rows),
            false => replace,
        },
    )
}

/// `events 1 000 000 rows, users 10 000 rows`.
pub(super) fn rows_text(rows: &BTreeMap<String, u64>) -> String {
    let tables: Vec<String> =
        rows.iter().map(|(table, rows)| format!("{table} {}", text::counted(*rows, "row"))).collect();
    tables.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_readable() {
        let rows = [("events".into(), 1_000_000), ("users".into(), 999), ("z".into(), 12_345)].into();
        assert_eq!(rows_text(&rows), "events 1 000 000 rows, users 999 rows, z 12 345 rows");
    }
}
