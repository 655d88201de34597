//! A pool of connections, as an application has one: deadpool's, over tokio-postgres, with its cache of prepared statements.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use deadpool::{
    Runtime,
    managed::{self, Metrics, PoolError, RecycleError, RecycleResult, Timeouts},
};
use futures_util::TryStreamExt;
use postgres_types::{Kind, Type};
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;

use super::{
    arguments::Arguments,
    not_opened,
    program::{Form, Statement},
    rows::Rows,
    script::Connection,
};
use crate::{
    engine::{Failure, FailureKind, PoolUse},
    pg::link::{
        Fault, Heard, Long, Loss, QUESTION,
        connector::Connector,
        error::Error,
        parameter::{Parameter, Raw},
        wire::message::Format,
    },
    scenario::{self, Recycling},
};

/// What makes a connection as it was when it was opened. As deadpool has it, but that the function is PostgreSQL's: after RESET ALL names
/// resolve in the role's own path.
const CLEAN: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *;
    SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES;";

/// SQLSTATE `query_canceled`.
const QUERY_CANCELED: &str = "57014";

/// The driver of a pool asks for results in binary form.
const UNREADABLE: &str = "its results have a column of a type without a binary form, which connections of a pool cannot \
    read: cast it in the SQL (column::text), or do without the pool";

/// A pool of connections that all sessions share.
pub(crate) struct Pool {
    pool: managed::Pool<Manager>,
    settings: scenario::Pool,
    /// What sessions have opened in advance and keep until all of it is open, or the first operation begins.
    opened: Mutex<Option<Vec<Pooled>>>,
}

/// A connection of the pool, in somebody's hands.
pub(crate) type Pooled = managed::Object<Manager>;

/// The driver's client with its cache of prepared statements.
#[expect(clippy::disallowed_types, reason = "the engine ends the waits of its operations")]
type Cached = deadpool_postgres::ClientWrapper;

/// A connection, and what is known of it.
pub(crate) struct Held {
    client: Cached,
    heard: Arc<Heard>,
}

/// Opens the pool's connections, and makes them fit to be handed out again.
pub(crate) struct Manager {
    connector: Connector,
    setup: String,
    /// What recycling executes.
    recycle: Option<String>,
}

impl Pool {
    /// # Errors
    /// It cannot wait, for want of a runtime.
    pub(crate) fn new(connector: Connector, setup: String, settings: scenario::Pool) -> Result<Self, Failure> {
        let pool = managed::Pool::builder(Manager::new(connector, setup, settings.recycling))
            .max_size(settings.size as usize)
            .wait_timeout(settings.wait_timeout)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(crate::pg::link::session::statement_failure)?;
        Ok(Self { pool, settings, opened: Mutex::new(Some(Vec::new())) })
    }

    /// Opens one of the pool's connections in advance, or makes sure that there are any; `look` is shown it. Each session opens
    /// one, so that the connections are driven by all threads and no operation has to open any.
    pub(crate) async fn open<T>(&self, look: impl AsyncFnOnce(&Held) -> Result<T, Failure>) -> Result<T, Failure> {
        let pooled = self.pool.timeout_get(&Timeouts::default()).await.map_err(|error| self.not_got(error))?;
        let seen = look(&pooled).await?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = opened.as_mut() {
            kept.push(pooled);
            if kept.len() >= self.settings.size as usize {
                *opened = None;
            }
        }
        Ok(seen)
    }

    /// Waits for a connection.
    pub(crate) async fn get(&self) -> Result<Pooled, Failure> {
        drop(self.opened.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.pool.get().await.map_err(|error| self.not_got(error))
    }

    pub(crate) fn usage(&self) -> PoolUse {
        let status = self.pool.status();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        PoolUse {
            in_use: count(status.size.saturating_sub(status.available)),
            idle: count(status.available),
            waiting: count(status.waiting),
        }
    }

    fn not_got(&self, error: PoolError<Error>) -> Failure {
        match error {
            PoolError::Backend(error) => not_opened(&error),
            PoolError::Timeout(_) => {
                let waited = self.settings.wait_timeout.unwrap_or_default();
                let message = format!("no connection of the pool came free within {waited:?}");
                Failure { kind: FailureKind::PoolTimeout, sqlstate: None, message }
            }
            other => Failure { kind: FailureKind::Connection, sqlstate: None, message: other.to_string() },
        }
    }
}

impl Manager {
    fn new(connector: Connector, setup: String, recycling: Recycling) -> Self {
        let recycle = match recycling {
            Recycling::Fast => None,
            Recycling::Verified => Some(String::new()),
            // RESET ALL resets what the session was set to, too.
            Recycling::Clean => Some(format!("{CLEAN}{setup}")),
        };
        Self { connector, setup, recycle }
    }
}

impl managed::Manager for Manager {
    type Type = Held;
    type Error = Error;

    async fn create(&self) -> Result<Held, Error> {
        let (client, heard, driver) = self.connector.connect_raw("load").await?;
        let held = Held { client: Cached::new(client, driver), heard };
        self.connector.await_backend(held.batch_execute("")).await?;
        let failed = |cause| Error::from_server("cannot set a session up", cause);
        held.in_time(held.batch_execute(&self.setup)).await.map_err(failed)?;
        Ok(held)
    }

    async fn recycle(&self, held: &mut Held, _: &Metrics) -> RecycleResult<Error> {
        if held.is_closed() {
            return Err(RecycleError::message("it is closed"));
        }
        if let Some(sql) = &self.recycle {
            let failed = |cause| Error::from_server("cannot recycle a connection", held.heard.fault(cause));
            held.batch_execute(sql).await.map_err(failed)?;
        }
        Ok(())
    }
}

impl std::ops::Deref for Held {
    type Target = Cached;

    fn deref(&self) -> &Cached {
        &self.client
    }
}

impl Held {
    /// Waits for what prepares the connection, which is not measured.
    pub(crate) async fn in_time<T>(
        &self,
        request: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        match timeout(QUESTION, request).await {
            Ok(answer) => answer.map_err(|cause| self.heard.fault(cause)),
            Err(_) => Err(Fault::lost(self.heard.lose(Loss::Late(QUESTION)))),
        }
    }

    /// A failure as the engine counts it.
    fn failed(&self, cause: tokio_postgres::Error) -> Failure {
        let fault = self.heard.fault(cause);
        let kind = match fault.sqlstate() {
            _ if fault.is_lost() => FailureKind::Connection,
            None => FailureKind::Connection,
            Some(QUERY_CANCELED) => FailureKind::Timeout,
            Some(_) => FailureKind::Operation,
        };
        Failure { kind, sqlstate: fault.sqlstate().map(str::to_owned), message: fault.to_string() }
    }
}

impl Connection for Pooled {
    async fn command(&mut self, command: &'static str) -> Result<(), Failure> {
        self.batch_execute(command).await.map_err(|cause| self.failed(cause))
    }

    async fn execute(
        &mut self,
        statement: &Statement,
        arguments: &Arguments<'_>,
        kept: Option<&[usize]>,
        rows: &mut Rows,
    ) -> Result<(), Failure> {
        self.heard.set_long(if kept.is_some() { Long::Kept } else { Long::Emptied });
        let kept = kept.unwrap_or_default();
        if statement.results == Format::Text && !matches!(statement.form, Form::Simple(_)) {
            return Err(crate::pg::link::session::statement_failure(UNREADABLE));
        }
        let failed = |cause| self.failed(cause);
        let stream = match &statement.form {
            // What the library asks about types resolves in the scenario's path, which has the system catalog first.
            Form::Prepared(_) => {
                let prepared = self.prepare_cached(&statement.sql).await.map_err(failed)?;
                self.query_raw(&prepared, bound(statement, arguments)?).await
            }
            Form::Extended(_) => {
                let untyped = Type::new(String::new(), 0, Kind::Simple, String::new());
                let values = bound(statement, arguments)?.into_iter().map(|value| (value, untyped.clone()));
                self.query_typed_raw(&statement.sql, values).await
            }
            Form::Simple(template) => {
                let sql = template.fill(|index, out| arguments.text(index, out))?;
                return simple(self, &sql, kept, rows).await;
            }
        };
        let mut stream = pin!(stream.map_err(failed)?);
        while let Some(row) = stream.try_next().await.map_err(failed)? {
            let cell =
                |column: &usize| row.try_get::<_, Option<Raw<'_>>>(*column).map(|cell| cell.map(|Raw(bytes)| bytes));
            let cells: Vec<_> = kept.iter().map(cell).collect::<Result<_, _>>().map_err(failed)?;
            rows.push(cells);
        }
        Ok(())
    }
}

async fn simple(held: &Held, sql: &str, kept: &[usize], rows: &mut Rows) -> Result<(), Failure> {
    let failed = |cause| held.failed(cause);
    let mut stream = pin!(held.simple_query_raw(sql).await.map_err(failed)?);
    while let Some(message) = stream.try_next().await.map_err(failed)? {
        if let SimpleQueryMessage::Row(row) = message {
            let cell = |column: &usize| row.try_get(*column).map(|cell| cell.map(str::as_bytes));
            let cells: Vec<_> = kept.iter().map(cell).collect::<Result<_, _>>().map_err(failed)?;
            rows.push(cells);
        }
    }
    Ok(())
}

/// The values as they are bound.
fn bound(statement: &Statement, arguments: &Arguments<'_>) -> Result<Vec<Parameter>, Failure> {
    let value = |(index, format): (usize, &Format)| {
        let mut bytes = Vec::new();
        let null = arguments.bound(index, &mut bytes)?;
        Ok(Parameter::new(bytes, null, *format))
    };
    statement.formats.iter().enumerate().map(value).collect()
}
