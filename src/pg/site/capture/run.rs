//! One execution of EXPLAIN.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use serde_json::Value as Json;
use tokio_postgres::Row;

use super::{Access, Explained, Explainer, given::Given};
use crate::pg::{
    link::{
        Fault, Limit, Long, Scope, Timeout,
        error::{Error, Result},
    },
    site::seed_session::stoppable,
};

/// SQLSTATE `query_canceled`.
const QUERY_CANCELED: &str = "57014";

/// How long a statement may wait for a lock: of less time than twice this, half.
const LOCK: Duration = Duration::from_secs(5);

/// How long locks are waited for by what may take this long.
pub fn lock_limit(time: Duration) -> Duration {
    LOCK.min(time / 2)
}

/// The name under which a statement is prepared for its generic plan.
const GENERIC: &str = "latclinic_generic";

/// Which plan of a statement is wanted.
pub(crate) enum Form<'a> {
    /// That for these values.
    Custom(&'a [Given]),
    /// That for any values, executed with these; with NULLs where there are none.
    Generic(Option<&'a [Given]>),
}

impl Explainer<'_> {
    /// The plan as JSON; `None` where it took longer than `limit`.
    pub(crate) async fn json(
        &self,
        statement: &Explained<'_>,
        form: &Form<'_>,
        analyze: bool,
        limit: Duration,
    ) -> Result<Option<Json>> {
        let options = match analyze {
            true => "ANALYZE, BUFFERS, VERBOSE, SETTINGS, WAL, FORMAT JSON",
            false => "VERBOSE, SETTINGS, FORMAT JSON",
        };
        let Some(rows) = self.explain(statement, form, options, limit).await? else { return Ok(None) };
        match rows.first() {
            Some(row) => row.try_get(0).map(Some).map_err(|cause| unreadable(statement, cause.into())),
            None => Err(Error::new(format!("{}: EXPLAIN returned nothing", statement.place))),
        }
    }

    /// The plan as PostgreSQL prints it; `None` where it took longer than `limit`.
    pub(crate) async fn text(
        &self,
        statement: &Explained<'_>,
        form: &Form<'_>,
        analyze: bool,
        limit: Duration,
    ) -> Result<Option<String>> {
        let options = if analyze { "ANALYZE, BUFFERS" } else { "VERBOSE FALSE" };
        let Some(rows) = self.explain(statement, form, options, limit).await? else { return Ok(None) };
        let lines: std::result::Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        lines.map(|lines| Some(lines.join("\n"))).map_err(|cause| unreadable(statement, cause.into()))
    }

    /// Does `work` while the statement is prepared, and plans for its execution are made for any values.
    pub(crate) async fn as_generic<T>(
        &self,
        statement: &Explained<'_>,
        work: impl AsyncFnOnce() -> Result<T>,
    ) -> Result<T> {
        let failed = |cause| failed(statement, cause);
        // The end of a transaction leaves what is prepared in it.
        let sql = format!("PREPARE {GENERIC} AS {}", statement.sql);
        self.bounded(self.planning, "", async { self.session.run(&sql).await.map_err(failed) }).await?;
        let done = work().await;
        if !done.as_ref().is_err_and(Error::is_stopped) {
            let sql = format!("DEALLOCATE {GENERIC}");
            let free = async { self.session.run(&sql).await.map_err(failed) };
            stoppable(self.session, self.stop, free).await?;
        }
        done
    }

    /// Executes EXPLAIN in a transaction that is rolled back; `None` where it took longer than `limit`.
    async fn explain(
        &self,
        statement: &Explained<'_>,
        form: &Form<'_>,
        options: &str,
        limit: Duration,
    ) -> Result<Option<Vec<Row>>> {
        let settings = match form {
            Form::Custom(_) => "",
            Form::Generic(_) => "SET LOCAL plan_cache_mode = force_generic_plan",
        };
        let _long = self.session.with_long(Long::Plans);
        let mut sent = Instant::now();
        let work = async {
            sent = Instant::now();
            match form {
                Form::Custom(values) => self.explain_custom(statement, options, values).await,
                Form::Generic(values) => self.explain_generic(statement, options, *values).await,
            }
        };
        match self.bounded(limit, settings, work).await {
            Err(error) if error.sqlstate() == Some(QUERY_CANCELED) => {
                let limit = self.stricter(limit).unwrap_or(limit);
                if sent.elapsed() >= limit { Ok(None) } else { Err(error) }
            }
            rows => rows.map(Some),
        }
    }

    /// The session's own `statement_timeout`, where it is shorter than `limit`: what a DBA has set for the role is kept.
    pub(crate) fn stricter(&self, limit: Duration) -> Option<Duration> {
        self.session.theirs().stricter(Timeout::Statement, limit)
    }

    /// Does `work` in a transaction that is rolled back: no statement of it takes longer than `limit`, or waits long for a lock, and
    /// it can be stopped. `settings` are further ones.
    pub(crate) async fn bounded<T>(
        &self,
        limit: Duration,
        settings: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let failed = |cause| Error::from_server("cannot begin or end a transaction for a plan", cause);
        let begin = match self.access {
            Access::RolledBack => "BEGIN",
            Access::ReadOnly => "BEGIN READ ONLY",
            Access::Within => "SAVEPOINT latclinic_explain",
        };
        let limits = [(Timeout::Statement, Some(limit)), (Timeout::Lock, Some(lock_limit(limit)))];
        let limits = self.session.theirs().set(Scope::Transaction, &limits);
        let _limit = self.session.limited(Limit::Server(limit));
        let begin = format!("{begin}; {limits}{settings}");
        self.session.run(&begin).await.map_err(failed)?;
        let done = stoppable(self.session, self.stop, work).await;
        // After a stop that the server did not hear of, the session is still at work: its end takes the transaction back.
        if !done.as_ref().is_err_and(Error::is_stopped) {
            let end = match self.access {
                Access::RolledBack | Access::ReadOnly => "ROLLBACK",
                Access::Within => "ROLLBACK TO SAVEPOINT latclinic_explain; RELEASE SAVEPOINT latclinic_explain",
            };
            self.session.run(end).await.map_err(failed)?;
        }
        match done {
            Err(_) if self.stop.is_cancelled() => Err(Error::stopped()),
            done => done.map_err(Error::naming_lock),
        }
    }

    async fn explain_custom(&self, statement: &Explained<'_>, options: &str, values: &[Given]) -> Result<Vec<Row>> {
        let failed = |cause| failed(statement, cause);
        let prepared = self.session.prepare(&format!("EXPLAIN ({options}) {}", statement.sql)).await.map_err(failed)?;
        let (taken, given) = (prepared.params().len(), values.len());
        if taken != given {
            return Err(Error::usage(format!(
                "{}: it takes {taken} parameters, and {given} are given",
                statement.place
            )));
        }
        self.session.query_raw(&prepared, values).await.map_err(failed)
    }

    async fn explain_generic(
        &self,
        statement: &Explained<'_>,
        options: &str,
        values: Option<&[Given]>,
    ) -> Result<Vec<Row>> {
        let failed = |cause| failed(statement, cause);
        let literals: Vec<String> = match values {
            Some(values) => values.iter().map(Given::literal).collect(),
            None => {
                let prepared = self.session.prepare(statement.sql).await.map_err(failed)?;
                prepared.params().iter().map(|_| "NULL".to_owned()).collect()
            }
        };
        let arguments = if literals.is_empty() { String::new() } else { format!(" ({})", literals.join(", ")) };
        let sql = format!("EXPLAIN ({options}) EXECUTE {GENERIC}{arguments}");
        let prepared = self.session.prepare(&sql).await.map_err(failed)?;
        let nothing: [Given; 0] = [];
        self.session.query_raw(&prepared, nothing).await.map_err(failed)
    }
}

pub(crate) fn failed(statement: &Explained<'_>, cause: Fault) -> Error {
    Error::from_server(format!("{}: cannot explain it", statement.place), cause)
}

fn unreadable(statement: &Explained<'_>, cause: Fault) -> Error {
    Error::from_server(format!("{}: its plan cannot be read", statement.place), cause)
}
