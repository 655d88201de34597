//! Plans of a statement: executed several times, in transactions that are rolled back, for no longer than they may take.

pub(crate) mod given;
pub(crate) mod run;

use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::{catalog::check_writable, seed_session::stoppable, tables::tables};
use crate::pg::link::{
    Fault, Scope, Timeout,
    error::{Error, Result},
    user_session::UserSession,
};
use crate::pg::site::capture::run::Form;
pub use crate::pg::site::capture::{given::Given, run::lock_limit};
use crate::{catalog::Tables, plan::Plan, scenario::Value};

/// Executions after the first, whose median is kept.
const WARM: usize = 3;

/// How long planning alone may take, and each question about the statement, unless executions may take less.
const PLANNING: Duration = Duration::from_secs(30);

/// How long that may take at least.
const LEAST_PLANNING: Duration = Duration::from_secs(1);

/// What is explained, and what it is called where it cannot be.
#[derive(Debug, Clone, Copy)]
pub struct Explained<'a> {
    /// One statement.
    pub sql: &'a str,
    /// Its place: `events.toml:3: statement latest`.
    pub place: &'a str,
}

/// What an explained statement may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Write: each execution is rolled back. What is not transactional stays, such as how far a sequence has come.
    RolledBack,
    /// Nothing but read.
    ReadOnly,
    /// Write, within a transaction that the session is in: each execution is rolled back to where it was.
    Within,
}

/// How long executions may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// One execution; one that takes longer is given up, and the statement explained without it. 0 executes nothing.
    pub execution: Duration,
    /// All executions of a plan: how often it is repeated depends on it.
    pub plan: Duration,
}

/// A plan of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct CapturedPlan {
    /// `EXPLAIN (ANALYZE, BUFFERS)` as PostgreSQL prints it, of an execution of its own, without a line end after the last line.
    /// Without ANALYZE where there was no time for that.
    pub text: String,
    /// Whether the text was executed.
    pub text_executed: bool,
    /// `EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, WAL, FORMAT JSON)`: of the executions after the first the one of median time, or
    /// the first where there was no time for more. Without ANALYZE where the first took too long.
    pub json: Json,
    /// Milliseconds of the first execution, with whatever was cached; `None` where it took too long or met a lock.
    pub first_ms: Option<f64>,
    /// Milliseconds of those after it that have JSON, in their order.
    pub executions_ms: Vec<f64>,
    /// Whether it was not executed because another session held a lock that it needs.
    pub locked: bool,
    /// The session's own `statement_timeout`, where it is shorter than what an execution may take, and ended it.
    pub ended_by: Option<Duration>,
}

impl CapturedPlan {
    /// Whether the statement was executed; otherwise it took longer than it may, or another session held a lock.
    pub fn was_executed(&self) -> bool {
        self.first_ms.is_some()
    }
}

/// A session that explains statements. Names resolve as the session has it.
#[derive(Clone, Copy)]
pub struct Explainer<'a> {
    session: &'a UserSession,
    stop: &'a CancellationToken,
    access: Access,
    planning: Duration,
}

impl<'a> Explainer<'a> {
    /// On this session, until `stop` is given.
    pub fn new(session: &'a UserSession, stop: &'a CancellationToken, access: Access) -> Self {
        Self { session, stop, access, planning: PLANNING }
    }

    /// The same, whose planning and questions take no longer than an execution may.
    #[must_use]
    pub fn within(self, execution: Duration) -> Self {
        // Without executions nobody has said how long anything may take.
        let limit = if execution.is_zero() { PLANNING } else { execution };
        Self { planning: limit.clamp(LEAST_PLANNING, PLANNING), ..self }
    }

    /// Why the session's transactions cannot write, if they cannot.
    pub async fn why_read_only(&self) -> Option<Error> {
        let own = self.session.own().await.ok()?;
        check_writable(own).await.err()
    }

    /// The plan for these values.
    ///
    /// # Errors
    /// The statement does not prepare or fails (the message names its place), a value is none of its parameter's type, their
    /// number differs, or it was told to stop.
    pub async fn custom(
        &self,
        statement: &Explained<'_>,
        values: &[Given],
        limits: TimeLimits,
    ) -> Result<CapturedPlan> {
        self.capture(statement, &Form::Custom(values), limits).await
    }

    /// The plan for any values, executed with these.
    ///
    /// # Errors
    /// As of [`custom`](Self::custom).
    pub async fn generic(
        &self,
        statement: &Explained<'_>,
        values: &[Given],
        limits: TimeLimits,
    ) -> Result<CapturedPlan> {
        self.as_generic(statement, async || self.capture(statement, &Form::Generic(Some(values)), limits).await).await
    }

    /// The plan for any values, not executed.
    ///
    /// # Errors
    /// As of [`custom`](Self::custom).
    pub async fn generic_estimate(&self, statement: &Explained<'_>) -> Result<CapturedPlan> {
        self.as_generic(statement, async || self.estimate(statement, &Form::Generic(None)).await).await
    }

    /// The text forms of a scenario's values for the statement's parameters.
    ///
    /// # Errors
    /// It does not prepare, their number differs, a value is none of its parameter's type, or it was told to stop.
    pub async fn given(&self, statement: &Explained<'_>, values: &[Value]) -> Result<Vec<Given>> {
        let prepared = self.prepare(statement, |cause| run::failed(statement, cause)).await?;
        Given::of(values, prepared.params()).map_err(|cause| Error::new(format!("{}: {cause}", statement.place)))
    }

    /// Number of the statement's parameters.
    ///
    /// # Errors
    /// It does not prepare, or it was told to stop.
    pub async fn parameters(&self, statement: &Explained<'_>) -> Result<usize> {
        let failed =
            |cause| Error::from_statement(format!("{}: it does not prepare", statement.place), statement.sql, cause);
        self.prepare(statement, failed).await.map(|prepared| prepared.params().len())
    }

    async fn prepare(
        &self,
        statement: &Explained<'_>,
        failed: impl Fn(Fault) -> Error,
    ) -> Result<tokio_postgres::Statement> {
        self.bounded(self.planning, "", async { self.session.prepare(statement.sql).await.map_err(failed) }).await
    }

    /// What the catalog says of the tables of these plans.
    ///
    /// # Errors
    /// The server cannot be asked, does not answer in time, or it was told to stop.
    pub async fn tables<'p>(&self, plans: impl IntoIterator<Item = &'p Plan>) -> Result<Tables> {
        let own = self.session.own().await?;
        let failed = |cause| Error::from_server("cannot set the timeouts of a session", cause);
        let limit = own.theirs().set(Scope::Session, &[(Timeout::Statement, Some(self.planning))]);
        own.batch_execute(&limit).await.map_err(failed)?;
        stoppable(own, self.stop, tables(self.session, plans)).await
    }

    async fn capture(&self, statement: &Explained<'_>, form: &Form<'_>, limits: TimeLimits) -> Result<CapturedPlan> {
        let begin = Instant::now();
        let first = match limits.execution.is_zero() {
            true => Ok(None),
            false => self.json(statement, form, true, limits.execution).await,
        };
        let locked = first.as_ref().is_err_and(Error::is_locked);
        let Some(first) = unless_locked(first)? else {
            let ended_by = self.stricter(limits.execution).filter(|_| !locked && !limits.execution.is_zero());
            return Ok(CapturedPlan { locked, ended_by, ..self.estimate(statement, form).await? });
        };
        // The text needs an execution too.
        let one = begin.elapsed();
        let is_time_for = |count: u32| begin.elapsed() + one * count <= limits.plan;
        let first_ms = execution_ms(&first);
        let mut warm: Vec<(f64, Json)> = Vec::new();
        while warm.len() < WARM && is_time_for(2) {
            let plan = self.json(statement, form, true, limits.execution).await;
            let Some(plan) = unless_locked(plan)? else { break };
            warm.push((execution_ms(&plan).unwrap_or(0.0), plan));
        }
        let text = match is_time_for(1) {
            true => unless_locked(self.text(statement, form, true, limits.execution).await)?,
            false => None,
        };
        let (text, text_executed) = match text {
            Some(text) => (text, true),
            None => (self.planned_text(statement, form).await?, false),
        };
        let executions_ms = warm.iter().map(|(ms, _)| *ms).collect();
        warm.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let median = warm.len() / 2;
        let json = warm.into_iter().nth(median).map_or(first, |(_, plan)| plan);
        Ok(CapturedPlan { text, text_executed, json, first_ms, executions_ms, locked, ended_by: None })
    }

    async fn estimate(&self, statement: &Explained<'_>, form: &Form<'_>) -> Result<CapturedPlan> {
        let json =
            self.json(statement, form, false, self.planning).await?.ok_or_else(|| self.too_long_to_plan(statement))?;
        let text = self.planned_text(statement, form).await?;
        let (first_ms, executions_ms) = (None, Vec::new());
        Ok(CapturedPlan { text, text_executed: false, json, first_ms, executions_ms, locked: false, ended_by: None })
    }

    async fn planned_text(&self, statement: &Explained<'_>, form: &Form<'_>) -> Result<String> {
        self.text(statement, form, false, self.planning).await?.ok_or_else(|| self.too_long_to_plan(statement))
    }

    fn too_long_to_plan(&self, statement: &Explained<'_>) -> Error {
        let limit = self.planning;
        Error::new(format!("{}: to plan it takes more than {limit:?}, without executing it", statement.place))
    }
}

/// What met a lock was not executed, as what took too long.
fn unless_locked<T>(execution: Result<Option<T>>) -> Result<Option<T>> {
    match execution {
        Err(error) if error.is_locked() => Ok(None),
        execution => execution,
    }
}

fn execution_ms(plan: &Json) -> Option<f64> {
    plan.get(0)?.get("Execution Time")?.as_f64()
}
