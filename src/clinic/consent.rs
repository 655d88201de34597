//! What a command would run of a scenario on a server that is not latclinic's own, and which of it may write outside of the
//! scenario's schema.
//!
//! A role without rights elsewhere would be the surest fence, but on a server of somebody else's there is none, and to make one is
//! itself a write outside of the schema. What was done elsewhere cannot be looked for afterwards either: a program that COPY started, a
//! sequence that moved or a message to another server is not taken back, and what other sessions change meanwhile looks the same. So a
//! statement's words are read and the server is asked what its names stand for, before anything is run: what is not known to stay in
//! the schema needs a person's consent.

use super::{Clinic, Error, fix::in_phase, seed};
use crate::{
    pg::{self, DatasetState, Effect, fix::Direction},
    record::Phase,
    scenario::{self, Beyond, Known, Name, ParameterSource, Reading, Scenario, SqlText, Value},
};

/// What is to be done with a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Its dataset is made.
    Seed {
        /// Also if it is there.
        reseed: bool,
    },
    /// The statements of a phase are executed: measured, or explained.
    Execute(Phase),
    /// All of it: the dataset is made if it is not there, and both phases are measured.
    Run {
        /// The dataset is made again if it is there.
        reseed: bool,
        /// No fix is applied.
        aa: bool,
    },
}

/// What a command would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undertaking {
    /// Host, port and database.
    pub place: String,
    /// The scenario's schema.
    pub schema: String,
    /// Each statement once, in the order in which they are run.
    pub statements: Vec<Undertaken>,
}

/// A statement that would be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undertaken {
    /// File and line.
    pub place: String,
    /// Its text.
    pub sql: String,
    /// Why it may write outside the schema; empty if it does not.
    pub reaches: Vec<Reaches>,
}

/// Why a statement may write outside of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaches {
    /// It changes this, which is not known to be in the schema.
    Named(Name),
    /// It is of a kind that may do anything.
    Anything,
    /// What it calls, or what the tables that it names have called.
    Effect(Effect),
}

impl Undertaking {
    /// Those statements that may write outside the schema, or only those that do not.
    pub fn reaching(&self, beyond: bool) -> impl Iterator<Item = &Undertaken> {
        self.statements.iter().filter(move |statement| statement.reaches.is_empty() != beyond)
    }
}

/// What `job` would run of the scenario; `None` on latclinic's own server, and if it would run nothing. Nothing is run for that.
///
/// # Errors
/// The server cannot be reached or asked.
pub async fn undertaking(clinic: &Clinic, scenario: &Scenario, job: Job) -> Result<Option<Undertaking>, Error> {
    let connector = clinic.connector();
    if connector.is_managed() {
        return Ok(None);
    }
    let place = connector.place();
    let schema = scenario.schema_name();
    let stopped = || clinic.stop().is_cancelled();
    let failed = |error: pg::Error| match job {
        Job::Seed { .. } | Job::Run { .. } => seed::failure(scenario, &place, error, stopped()),
        Job::Execute(_) => Error::from(error).interrupted_if(stopped()),
    };
    let session = pg::UserSession::in_schema(connector, "check", &schema).await.map_err(failed)?;
    let client = session.own().await.map_err(failed)?;
    let state = pg::dataset_state(client, &schema).await.map_err(failed)?;
    let is_there = matches!(&state, DatasetState::Complete(facts) if facts.recipe == scenario.recipe());
    let makes = match job {
        Job::Seed { reseed } | Job::Run { reseed, .. } => {
            reseed || matches!(state, DatasetState::Absent | DatasetState::Incomplete)
        }
        Job::Execute(_) => false,
    };
    // Without a dataset, or with another one, the command refuses.
    if !makes && (!is_there || matches!(job, Job::Seed { .. })) {
        return Ok(None);
    }
    let effects = pg::Effects::new(&session, clinic.stop()).await.map_err(failed)?;
    let mut list = List { schema: &schema, is_there: !makes, found: Vec::new() };
    let mut known = Known::new(schema.clone(), []);
    if makes {
        list.in_order(&scenario.dataset.schema, &mut known);
    } else {
        known = Known::new(schema.clone(), effects.relations(&schema).await.map_err(failed)?);
    }
    let fix = &scenario.fix;
    match job {
        Job::Seed { .. } => {}
        Job::Execute(phase) => list.workload(&in_phase(scenario, phase), &known),
        Job::Run { aa, .. } => {
            if !makes && fix.changes_database() {
                let recorded = pg::fix::statements(client, scenario, Direction::Down).await.map_err(failed)?;
                list.recorded(recorded, &fix.down, &known);
            }
            list.workload(scenario, &known);
            if !aa {
                list.in_order(&fix.up, &mut known);
                fix.rewrites.iter().for_each(|rewrite| list.unordered(&rewrite.sql, &known));
                list.in_order(&fix.down, &mut known);
            }
        }
    }
    let statements = list.looked_up(&effects).await.map_err(failed)?;
    Ok(Some(Undertaking { place, schema, statements }))
}

/// The statements of an undertaking as they are found.
struct List<'a> {
    schema: &'a str,
    /// Whether the schema is there as it will be.
    is_there: bool,
    found: Vec<(Undertaken, Reading)>,
}

impl List<'_> {
    /// Adds statements that are executed one after the other.
    fn in_order(&mut self, sql: &SqlText, known: &mut Known) {
        for statement in &sql.statements {
            let before = known.clone();
            let mut reading = scenario::reach(&statement.text, known);
            if !self.is_there {
                // Not what has such a name elsewhere.
                reading.forget(|name| before.has(name) || known.has(name));
            }
            self.add(format!("{}:{}", sql.source, statement.line), &statement.text, reading);
        }
    }

    /// Adds a statement that is executed beside others.
    fn unordered(&mut self, sql: &SqlText, known: &Known) {
        let mut reading = scenario::reach_unordered(sql.only(), known);
        if !self.is_there {
            reading.forget(|name| known.has(name));
        }
        self.add(format!("{}:{}", sql.source, sql.line()), sql.only(), reading);
    }

    /// Adds the way back of a fix as it was recorded, if it is another one than the scenario's.
    fn recorded(&mut self, recorded: Vec<String>, down: &SqlText, known: &Known) {
        if recorded.iter().eq(down.statements.iter().map(|statement| &statement.text)) {
            return;
        }
        let mut known = known.clone();
        for (sql, number) in recorded.iter().zip(1..) {
            let reading = scenario::reach(sql, &mut known);
            self.add(format!("the ledger's revert statement {number}"), sql, reading);
        }
    }

    /// Adds the statements of a workload, the queries for its parameters, and the settings that change what these mean.
    fn workload(&mut self, scenario: &Scenario, known: &Known) {
        for (name, value) in &scenario.load.connections.settings {
            if !scenario::stays_within(name) {
                let sql = format!("SET {name} = {}", Value::Text(value.clone()));
                let beyond = Reading { beyond: Some(Beyond::Anything), ..Reading::default() };
                self.add(format!("the load's setting {name}"), &sql, beyond);
            }
        }
        for statement in &scenario.statements {
            for parameter in &statement.parameters {
                if let ParameterSource::Query { sql, .. } = &parameter.source {
                    self.unordered(sql, known);
                }
            }
            self.unordered(&statement.sql, known);
        }
    }

    fn add(&mut self, place: String, sql: &str, reading: Reading) {
        let reaches = reading.beyond.iter().map(|beyond| match beyond {
            Beyond::Names(name) => Reaches::Named(name.clone()),
            Beyond::Anything => Reaches::Anything,
        });
        let statement = Undertaken { place, sql: sql.to_owned(), reaches: reaches.collect() };
        if self.found.iter().all(|(other, _)| *other != statement) {
            self.found.push((statement, reading));
        }
    }

    /// The statements, with what the server says of those whose words say that they stay in the schema.
    async fn looked_up(mut self, effects: &pg::Effects<'_>) -> pg::Result<Vec<Undertaken>> {
        let beyond = pg::Beyond::Schema(self.schema);
        let mut open: Vec<&mut (Undertaken, Reading)> =
            self.found.iter_mut().filter(|(statement, _)| statement.reaches.is_empty()).collect();
        // Most often there is nothing, and one question is enough for any number of statements.
        let all = open.iter().fold(Reading::default(), |all, (_, reading)| all.with(reading));
        let texts: Vec<&str> = open.iter().map(|(statement, _)| statement.sql.as_str()).collect();
        if !effects.of(&texts.join("\n"), &all, beyond).await?.is_empty() {
            for (statement, reading) in &mut open {
                let found = effects.of(&statement.sql, reading, beyond).await?;
                statement.reaches = found.into_iter().map(Reaches::Effect).collect();
            }
        }
        Ok(self.found.into_iter().map(|(statement, _)| statement).collect())
    }
}
