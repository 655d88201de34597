//! Whether the results are the same before and after the fix.
//!
//! A [`Collector`] draws the parameters once. [`Collector::collect`] executes every statement for them in the state that is there,
//! [`Collector::compare`] judges two collections, in the state of the second one.

mod judge;
mod rows;
mod sample;
mod tally;

use std::time::{Duration, Instant};

use self::{sample::Set, tally::Tally};
use super::{Clinic, Error, ErrorKind};
use crate::{
    load::Workload,
    pg::{Budget, Executed, ResultsSession, Shape},
    record::{Phase, ResultsCheck},
    scenario::Scenario,
};

/// Room for the rows of one phase, in bytes; of what does not fit only digests are kept.
const ROOM: usize = 32 << 20;

/// Room for the rows of executions that are repeated, in bytes.
const ROOM_FOR_REPEATED: usize = 16 << 20;

/// Sets that are executed a second time in each state.
const REPEATED: usize = 20;

/// How often it is told how far it is.
const TOLD: Duration = Duration::from_secs(5);

/// Collects the results of a workload for a fixed sample of parameters.
#[derive(Debug)]
pub struct Collector<'a> {
    clinic: &'a Clinic,
    sample: u32,
    /// As which each operation is executed: first as the session's own.
    roles: Vec<Option<String>>,
    /// Of each script.
    sets: Vec<Vec<Set>>,
    /// Of the statements.
    names: Vec<String>,
}

/// The results of one phase.
#[derive(Debug)]
pub struct Collected {
    phase: Phase,
    shapes: Vec<Shape>,
    /// By role, script and set.
    executed: Vec<Vec<Vec<Vec<Executed>>>>,
    /// By role and statement: why two executions in this phase differed.
    unstable: Vec<Vec<Option<String>>>,
}

impl<'a> Collector<'a> {
    /// Draws the sample of `scenario` from `workload`.
    ///
    /// # Errors
    /// The scenario names another number of values for a class than a statement has parameters.
    pub fn new(clinic: &'a Clinic, scenario: &Scenario, workload: &Workload) -> Result<Self, Error> {
        let sample = scenario.results.sample;
        let sets = (0..scenario.scripts.len()).map(|script| sample::sets(scenario, workload, script, sample));
        Ok(Self {
            clinic,
            sample,
            roles: std::iter::once(None).chain(scenario.results.roles.iter().cloned().map(Some)).collect(),
            sets: sets.collect::<Result<_, _>>()?,
            names: scenario.statements.iter().map(|statement| statement.name.clone()).collect(),
        })
    }

    /// Executes every operation of `scenario`, which is that of `phase`, for the whole sample as each role, in transactions that are
    /// rolled back. The first sets are executed twice. The database stays as it was, but for sequences and dead rows.
    ///
    /// # Errors
    /// The server cannot be reached, a statement does not prepare, a role does not exist or may not be taken, the statements are not
    /// those of the sample, or it was told to stop.
    pub async fn collect(&self, phase: Phase, scenario: &Scenario) -> Result<Collected, Error> {
        let session = self.open(scenario).await?;
        for role in self.roles.iter().flatten() {
            session.check_role(role).await?;
        }
        let mut budget = Budget::new(ROOM);
        let mut executed = Vec::with_capacity(self.roles.len());
        let mut unstable = vec![vec![None; self.names.len()]; self.roles.len()];
        for (role, unstable) in self.roles.iter().zip(&mut unstable) {
            let mut of_role = Vec::with_capacity(self.sets.len());
            for (script, sets) in self.sets.iter().enumerate() {
                let of_script = self.execute(&session, phase, scenario, script, role.as_deref(), &mut budget).await?;
                for (set, first) in sets.iter().zip(&of_script).take(REPEATED) {
                    let again = self.again(&session, script, role.as_deref(), set).await?;
                    note_unstable(phase, scenario, script, session.shapes(), (first, &again), unstable);
                }
                of_role.push(of_script);
            }
            executed.push(of_role);
        }
        Ok(Collected { phase, shapes: session.into_shapes(), executed, unstable })
    }

    /// Compares two collections, and executes again what differs, in the state of `after`, which has to be there still. `scenario` is
    /// that of `after`.
    ///
    /// # Errors
    /// As of [`collect`](Self::collect).
    pub async fn compare(
        &self,
        before: &Collected,
        after: &Collected,
        scenario: &Scenario,
    ) -> Result<ResultsCheck, Error> {
        let session = self.open(scenario).await?;
        self.clinic.step("comparing results");
        let mut tallies: Vec<Vec<Tally>> = Vec::with_capacity(self.roles.len());
        for (at, role) in self.roles.iter().enumerate() {
            let mut unstable = after.unstable[at].clone();
            for (why, earlier) in unstable.iter_mut().zip(&before.unstable[at]) {
                *why = earlier.clone().or(why.take());
            }
            let mut of_role: Vec<Tally> = self.names.iter().map(|_| Tally::default()).collect();
            for (script, sets) in self.sets.iter().enumerate() {
                for (number, set) in sets.iter().enumerate() {
                    let (one, other) = (&before.executed[at][script][number], &after.executed[at][script][number]);
                    let mut suspect = false;
                    for step in &scenario.scripts[script].steps {
                        let index = step.statement;
                        let (one, other) =
                            ((&before.shapes[index], of(one, index)), (&after.shapes[index], of(other, index)));
                        suspect |= !of_role[index].add(one, other) && unstable[index].is_none();
                    }
                    if suspect {
                        let again = self.again(&session, script, role.as_deref(), set).await?;
                        note_unstable(after.phase, scenario, script, &after.shapes, (other, &again), &mut unstable);
                    }
                }
            }
            of_role.iter_mut().zip(unstable).for_each(|(tally, why)| tally.unstable = why);
            tallies.push(of_role);
        }
        let mut statements = Vec::new();
        let mut by_role: Vec<_> = tallies.into_iter().map(Vec::into_iter).collect();
        for (index, name) in self.names.iter().enumerate() {
            let shape = &before.shapes[index];
            let volatile = shape.rules.volatile.as_deref().or(after.shapes[index].rules.volatile.as_deref());
            for (role, tallies) in self.roles.iter().zip(&mut by_role) {
                statements.extend(tallies.next().map(|tally| tally.end(name, role.as_deref(), shape, volatile)));
            }
        }
        Ok(ResultsCheck::new(self.sample, statements))
    }

    async fn open(&self, scenario: &Scenario) -> Result<ResultsSession, Error> {
        self.clinic.check_stop()?;
        let names = scenario.statements.iter().map(|statement| &statement.name);
        if !names.eq(&self.names) || scenario.scripts.len() != self.sets.len() {
            let message = "the results of the phases cannot be compared: they have other statements";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let opened = ResultsSession::open(self.clinic.connector(), scenario, self.clinic.stop()).await;
        opened.map_err(|error| self.interrupted(error))
    }

    /// Executes a script for all of its sets.
    async fn execute(
        &self,
        session: &ResultsSession,
        phase: Phase,
        scenario: &Scenario,
        script: usize,
        role: Option<&str>,
        budget: &mut Budget,
    ) -> Result<Vec<Vec<Executed>>, Error> {
        let sets = &self.sets[script];
        let name = &scenario.scripts[script].name;
        let role_words = role.map_or_else(String::new, |role| format!(" as {role}"));
        let tell = |done: usize| {
            let of = if done == 0 { String::new() } else { format!("{done} of ") };
            self.clinic.step(format!("results {phase}: {name}{role_words} for {of}{} parameter sets", sets.len()));
        };
        tell(0);
        let mut told = Instant::now();
        let mut executed = Vec::with_capacity(sets.len());
        for (number, set) in sets.iter().enumerate() {
            if told.elapsed() >= TOLD {
                tell(number);
                told = Instant::now();
            }
            self.clinic.check_stop()?;
            executed.push(session.execute(script, role, set, budget).await.map_err(|error| self.interrupted(error))?);
        }
        Ok(executed)
    }

    /// Executes a script for one of its sets once more.
    async fn again(
        &self,
        session: &ResultsSession,
        script: usize,
        role: Option<&str>,
        set: &Set,
    ) -> Result<Vec<Executed>, Error> {
        self.clinic.check_stop()?;
        let mut budget = Budget::new(ROOM_FOR_REPEATED);
        session.execute(script, role, set, &mut budget).await.map_err(|error| self.interrupted(error))
    }

    fn interrupted(&self, error: crate::pg::Error) -> Error {
        Error::from(error).interrupted_if(self.clinic.stop().is_cancelled())
    }
}

/// The executions of a statement.
fn of(executed: &[Executed], statement: usize) -> Vec<&Executed> {
    executed.iter().filter(|executed| executed.statement == statement).collect()
}

/// Compares two executions of a script in the same state, and notes for each statement whose results differ why.
fn note_unstable(
    phase: Phase,
    scenario: &Scenario,
    script: usize,
    shapes: &[Shape],
    (first, again): (&[Executed], &[Executed]),
    unstable: &mut [Option<String>],
) {
    for step in &scenario.scripts[script].steps {
        let (index, shape) = (step.statement, &shapes[step.statement]);
        let mut tally = Tally::default();
        tally.add((shape, of(first, index)), (shape, of(again, index)));
        if let Some(why) = tally.instability() {
            let state = match phase {
                Phase::Before => "before the fix",
                Phase::After => "after the fix",
            };
            let why = if why.is_empty() { why } else { format!(": {why}") };
            unstable[index].get_or_insert_with(|| format!("two executions {state} gave different results{why}"));
        }
    }
}
