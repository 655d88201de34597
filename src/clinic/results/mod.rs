//! Whether the results are the same before and after the fix.
//!
//! A [`Collector`] draws the parameters once. [`Collector::collect`] executes every statement for them in the state that is there,
//! [`Collector::compare`] judges two collections, in the state of the second one.

mod agenda;
mod judge;
mod rows;
mod sample;
mod tally;

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::time::{interval, sleep_until};
use tokio_util::sync::CancellationToken;

use self::{
    agenda::{Agenda, Job, REPEATED},
    sample::Set,
    tally::Tally,
};
use super::{Clinic, Error, ErrorKind, machine};
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

/// How often it is told how far it is.
const TOLD: Duration = Duration::from_secs(5);

/// Share of the time that the first phase may take: the second one executes the same, and what differs once more.
const FIRST_PHASE: f64 = 0.7;

/// Most sessions that execute at once.
const MOST_SESSIONS: usize = 8;

/// Collects the results of a workload for a fixed sample of parameters.
#[derive(Debug)]
pub struct Collector<'a> {
    clinic: &'a Clinic,
    sample: u32,
    /// How long both phases and their comparison may take.
    time_limit: Duration,
    /// As which each operation is executed: first as the session's own.
    roles: Vec<Option<String>>,
    /// Of each script.
    sets: Vec<Vec<Set>>,
    /// Of the statements.
    names: Vec<String>,
}

/// What an operation returned for each of its sets; `None` where there was no time for one.
type OfSets = Vec<Option<Vec<Executed>>>;

/// The results of one phase.
#[derive(Debug)]
pub struct Collected {
    phase: Phase,
    took: Duration,
    shapes: Vec<Shape>,
    /// By role and script.
    executed: Vec<Vec<OfSets>>,
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
            time_limit: scenario.results.time_limit,
            roles: std::iter::once(None).chain(scenario.results.roles.iter().cloned().map(Some)).collect(),
            sets: sets.collect::<Result<_, _>>()?,
            names: scenario.statements.iter().map(|statement| statement.name.clone()).collect(),
        })
    }

    /// Executes every operation of `scenario`, which is that of `phase`, for the sample as each role, in transactions that are rolled
    /// back, as far as there is time: for the classes of values first. The first sets are executed twice. Of a workload that only reads
    /// several are executed at once. The database stays as it was, but for sequences and dead rows.
    ///
    /// `earlier` is what was collected in the other state: only that is executed again.
    ///
    /// # Errors
    /// The server cannot be reached, a statement does not prepare, a role does not exist or may not be taken, the statements are not
    /// those of the sample, or stopped by a signal.
    pub async fn collect(
        &self,
        phase: Phase,
        scenario: &Scenario,
        earlier: Option<&Collected>,
    ) -> Result<Collected, Error> {
        let begun = Instant::now();
        let limit = match earlier {
            None => self.time_limit.mul_f64(FIRST_PHASE),
            Some(earlier) => self.time_limit.saturating_sub(earlier.took),
        };
        let sets: Vec<usize> = self.sets.iter().map(Vec::len).collect();
        let was_executed =
            |job: &Job| earlier.is_none_or(|earlier| earlier.executed[job.role][job.script][job.set].is_some());
        let jobs: Vec<Job> = agenda::jobs(self.roles.len(), &sets).into_iter().filter(was_executed).collect();
        let least = jobs.iter().take_while(|job| job.set == 0 && !job.again).count();
        // Cancelled when there is no time for what is under way either.
        let over = self.clinic.stop().child_token();
        let sessions = self.sessions(scenario, jobs.len(), &over).await?;
        let agenda = Agenda::new(jobs, limit, least);
        self.work(phase, &sessions, &agenda, &over).await?;

        let mut executed: Vec<Vec<OfSets>> =
            self.roles.iter().map(|_| sets.iter().map(|sets| (0..*sets).map(|_| None).collect()).collect()).collect();
        let (first, again): (Vec<_>, Vec<_>) = agenda.end().into_iter().partition(|(job, _)| !job.again);
        for (job, result) in first {
            executed[job.role][job.script][job.set] = Some(result);
        }
        let mut sessions = sessions.into_iter();
        let Some(session) = sessions.next() else { return Err(Error::new(ErrorKind::Failed, "no session")) };
        let mut unstable = vec![vec![None; self.names.len()]; self.roles.len()];
        for (job, again) in again {
            if let Some(first) = &executed[job.role][job.script][job.set] {
                let both = (first.as_slice(), again.as_slice());
                note_unstable(phase, scenario, job.script, session.shapes(), both, &mut unstable[job.role]);
            }
        }
        Ok(Collected { phase, took: begun.elapsed(), shapes: session.into_shapes(), executed, unstable })
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
        let session = self.open(scenario, self.clinic.stop()).await?;
        self.clinic.step("comparing results");
        let mut tallies: Vec<Vec<Tally>> = Vec::with_capacity(self.roles.len());
        let mut not_compared = 0;
        for (at, role) in self.roles.iter().enumerate() {
            let mut unstable = after.unstable[at].clone();
            for (why, earlier) in unstable.iter_mut().zip(&before.unstable[at]) {
                *why = earlier.clone().or(why.take());
            }
            let mut of_role: Vec<Tally> = self.names.iter().map(|_| Tally::default()).collect();
            for (script, sets) in self.sets.iter().enumerate() {
                let mut repeated = 0;
                for (number, set) in sets.iter().enumerate() {
                    let both = (&before.executed[at][script][number], &after.executed[at][script][number]);
                    let (Some(one), Some(other)) = both else {
                        not_compared += 1;
                        scenario.scripts[script].steps.iter().for_each(|step| of_role[step.statement].left_out += 1);
                        continue;
                    };
                    let mut suspect = false;
                    for step in &scenario.scripts[script].steps {
                        let index = step.statement;
                        let (one, other) =
                            ((&before.shapes[index], of(one, index)), (&after.shapes[index], of(other, index)));
                        suspect |= !of_role[index].add(one, other) && unstable[index].is_none();
                    }
                    if suspect && repeated < REPEATED {
                        repeated += 1;
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
        let check = ResultsCheck::new(self.sample, statements);
        Ok(ResultsCheck { not_compared, time_limit_s: Some(self.time_limit.as_secs_f64()), ..check })
    }

    /// Sessions for `jobs` executions: several where they cannot get into each other's way.
    async fn sessions(
        &self,
        scenario: &Scenario,
        jobs: usize,
        over: &CancellationToken,
    ) -> Result<Vec<ResultsSession>, Error> {
        let first = self.open(scenario, over).await?;
        for role in self.roles.iter().flatten() {
            first.check_role(role).await?;
        }
        let several = match first.shapes().iter().all(|shape| shape.rules.only_reads) {
            true => (machine::cores().max(2) as usize).min(scenario.load.clients as usize).min(MOST_SESSIONS).min(jobs),
            false => 1,
        };
        let mut sessions = vec![first];
        for _ in 1..several {
            // What the server has no room for is done by the others.
            let Ok(session) = self.open(scenario, over).await else { break };
            sessions.push(session);
        }
        self.clinic.check_stop()?;
        Ok(sessions)
    }

    /// Has the sessions work through the agenda, each taking the next job when it is free.
    async fn work(
        &self,
        phase: Phase,
        sessions: &[ResultsSession],
        agenda: &Agenda<Vec<Executed>>,
        over: &CancellationToken,
    ) -> Result<(), Error> {
        let worker = async |session: &ResultsSession| {
            let mut budget = Budget::new(ROOM / sessions.len());
            let mut repeated = Budget::new(ROOM_FOR_REPEATED / sessions.len());
            while let Some(job) = agenda.next() {
                self.clinic.check_stop()?;
                let budget = if job.again { &mut repeated } else { &mut budget };
                let set = &self.sets[job.script][job.set];
                match session.execute(job.script, self.roles[job.role].as_deref(), set, budget).await {
                    Ok(executed) => agenda.put(job, executed),
                    // The time is over, not the run.
                    Err(_) if over.is_cancelled() && !self.clinic.stop().is_cancelled() => break,
                    Err(error) => return Err(self.interrupted(error)),
                }
            }
            Ok::<_, Error>(())
        };
        let mut work = std::pin::pin!(try_join_all(sessions.iter().map(worker)));
        let mut told = interval(TOLD);
        // An execution that is under way at the deadline may take as long again as all of them may.
        let patience = tokio::time::Instant::from_std(agenda.deadline() + self.time_limit);
        loop {
            tokio::select! {
                done = &mut work => return done.map(drop),
                _ = told.tick() => {
                    let (done, all) = agenda.progress();
                    self.clinic.step(format!("results {phase}: {done} of {all} executions"));
                }
                () = sleep_until(patience), if !over.is_cancelled() => over.cancel(),
            }
        }
    }

    async fn open(&self, scenario: &Scenario, stop: &CancellationToken) -> Result<ResultsSession, Error> {
        self.clinic.check_stop()?;
        let names = scenario.statements.iter().map(|statement| &statement.name);
        if !names.eq(&self.names) || scenario.scripts.len() != self.sets.len() {
            let message = "the results of the phases cannot be compared: their statements differ";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let opened = ResultsSession::open(self.clinic.connector(), scenario, stop).await;
        opened.map_err(|error| self.interrupted(error))
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
