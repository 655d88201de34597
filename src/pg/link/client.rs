//! A session: the driver's client, each of whose answers is waited for only as long as it may take.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::TryStreamExt;
use tokio::{
    select,
    task::AbortHandle,
    time::{Instant, sleep},
};
use tokio_postgres::{
    Row, SimpleQueryMessage, SimpleQueryStream, Statement, ToStatement,
    types::{BorrowToSql, ToSql, Type},
};

use super::{
    GRACE, Limit,
    alive::Session,
    cancel::Cancellation,
    connector::Connector,
    copy_in::CopyIn,
    fault::{Fault, Loss},
    heard::Heard,
    shorten::Long,
    stop,
    timeout::{self, Theirs},
};

/// The driver's client, which waits for ever.
#[expect(clippy::disallowed_types, reason = "it is wrapped here")]
pub(crate) type Raw = tokio_postgres::Client;

type Result<T> = std::result::Result<T, Fault>;

/// A session of latclinic's. Its methods are those of the driver's client.
///
/// A session that was given up is closed: all that is asked of it later fails at once, for the same reason.
pub struct Client {
    raw: Raw,
    connector: Connector,
    purpose: String,
    heard: Arc<Heard>,
    /// Drives the connection, unless somebody else does.
    driver: Option<AbortHandle>,
    limit: Mutex<Limit>,
    /// The time limits that its role, database or URL sets.
    theirs: Mutex<Theirs>,
}

impl Client {
    /// A session whose connection is driven by `driver`, or else by the caller.
    pub(crate) fn new(
        raw: Raw,
        connector: Connector,
        purpose: &str,
        heard: Arc<Heard>,
        driver: Option<AbortHandle>,
    ) -> Self {
        Self {
            raw,
            connector,
            purpose: purpose.to_owned(),
            heard,
            driver,
            limit: Mutex::new(Limit::Question),
            theirs: Mutex::default(),
        }
    }

    /// Sets how long answers may take from now on; returns what it was.
    pub(crate) fn set_limit(&self, limit: Limit) -> Limit {
        std::mem::replace(&mut *self.limit.lock().unwrap_or_else(PoisonError::into_inner), limit)
    }

    /// Sets how long answers may take until what is returned is dropped.
    pub(crate) fn limited(&self, limit: Limit) -> Limited<'_> {
        Limited { client: self, before: self.set_limit(limit) }
    }

    /// Says what becomes of long values until what is returned is dropped.
    pub(crate) fn with_long(&self, long: Long) -> Shortened<'_> {
        Shortened { heard: &self.heard, before: self.heard.set_long(long) }
    }

    /// Reads the time limits that its role, database or URL sets: when it is opened, and when its settings have been changed.
    ///
    /// # Errors
    /// The server does not say.
    pub(crate) async fn read_timeouts(&self) -> Result<()> {
        let theirs = Theirs::read(&self.simple_query(timeout::QUESTION).await?);
        *self.theirs.lock().unwrap_or_else(PoisonError::into_inner) = theirs;
        Ok(())
    }

    /// The time limits that its role, database or URL sets.
    pub(crate) fn theirs(&self) -> Theirs {
        self.theirs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How to have the server give up what the session executes.
    pub(crate) fn cancellation(&self) -> Cancellation {
        Cancellation::new(self.connector.clone(), self.raw.cancel_token())
    }

    /// The process that serves the session, as the server, or a pooler, named it.
    pub(crate) fn backend(&self) -> Option<i32> {
        self.heard.backend()
    }

    /// Whether the session has ended.
    pub fn is_closed(&self) -> bool {
        self.raw.is_closed() || self.heard.loss().is_some()
    }

    /// Prepares a statement.
    pub async fn prepare(&self, query: &str) -> Result<Statement> {
        self.wait(self.raw.prepare(query)).await
    }

    /// Prepares a statement with types for its parameters.
    pub async fn prepare_typed(&self, query: &str, types: &[Type]) -> Result<Statement> {
        self.wait(self.raw.prepare_typed(query, types)).await
    }

    /// All rows of a statement.
    pub async fn query<T: ?Sized + ToStatement>(
        &self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        self.wait(self.raw.query(statement, params)).await
    }

    /// The only row of a statement.
    pub async fn query_one<T: ?Sized + ToStatement>(
        &self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row> {
        self.wait(self.raw.query_one(statement, params)).await
    }

    /// The only row of a statement, if there is one.
    pub async fn query_opt<T: ?Sized + ToStatement>(
        &self,
        statement: &T,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>> {
        self.wait(self.raw.query_opt(statement, params)).await
    }

    /// All rows of a statement, whose parameters come from an iterator.
    pub async fn query_raw<T, P, I>(&self, statement: &T, params: I) -> Result<Vec<Row>>
    where
        T: ?Sized + ToStatement,
        P: BorrowToSql,
        I: IntoIterator<Item = P>,
        I::IntoIter: ExactSizeIterator,
    {
        self.wait(async { self.raw.query_raw(statement, params).await?.try_collect().await }).await
    }

    /// Executes a statement; returns the number of rows.
    pub async fn execute<T: ?Sized + ToStatement>(&self, statement: &T, params: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        self.wait(self.raw.execute(statement, params)).await
    }

    /// Executes statements without parameters.
    pub async fn batch_execute(&self, query: &str) -> Result<()> {
        self.wait(self.raw.batch_execute(query)).await
    }

    /// Executes statements without parameters; returns what they return, as text.
    pub async fn simple_query(&self, query: &str) -> Result<Vec<SimpleQueryMessage>> {
        self.wait(self.raw.simple_query(query)).await
    }

    /// [`simple_query`](Self::simple_query), message by message.
    pub(crate) async fn simple_query_raw(&self, query: &str) -> Result<Messages<'_>> {
        let begin = Instant::now();
        let stream = self.wait(self.raw.simple_query_raw(query)).await?;
        Ok(Messages { client: self, begin, stream: Box::pin(stream) })
    }

    /// Begins a `COPY .. FROM STDIN`.
    pub(crate) async fn copy_in(&self, statement: &str) -> Result<CopyIn<'_>> {
        let begin = Instant::now();
        Ok(CopyIn::new(self, begin, self.wait(self.raw.copy_in(statement)).await?))
    }

    /// Waits for the driver's answer, but not for ever.
    pub(crate) async fn wait<T>(
        &self,
        request: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        self.wait_since(Instant::now(), request).await
    }

    /// [`wait`](Self::wait), for what belongs to a statement that began then.
    pub(crate) async fn wait_since<T>(
        &self,
        begin: Instant,
        request: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        if let Some(loss) = self.heard.loss() {
            return Err(self.named(Fault::lost(loss), begin));
        }
        let mut request = pin!(request);
        let loss = select! {
            biased;
            answer = &mut request => return answer.map_err(|cause| self.named(self.heard.fault(cause), begin)),
            loss = Box::pin(self.patience()) => loss,
        };
        let loss = self.heard.lose(loss);
        if let Some(driver) = &self.driver {
            driver.abort();
        }
        if matches!(loss, Loss::Late(_) | Loss::Silent(_) | Loss::Stopped) {
            Box::pin(self.session().end(&loss)).await;
        }
        Err(Fault::lost(loss))
    }

    /// Names the limit of theirs that brought a fault about.
    fn named(&self, fault: Fault, begin: Instant) -> Fault {
        let ended_by = fault.sqlstate().and_then(|code| self.theirs().ended(code, begin.elapsed()));
        fault.ended_by(ended_by)
    }

    /// Returns when an answer has had its time.
    async fn patience(&self) -> Loss {
        let limit = *self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = Instant::now();
        let session = self.session();
        let late = async {
            match limit {
                Limit::Question => sleep(self.connector.question()).await,
                Limit::Server(limit) => sleep(limit.saturating_add(GRACE)).await,
                Limit::Work => std::future::pending().await,
            }
        };
        select! {
            () = late => Loss::Late(begin.elapsed()),
            () = stop::time_is_over(self.connector.stop()) => Loss::Stopped,
            loss = session.watch(limit == Limit::Work) => loss,
        }
    }

    fn session(&self) -> Session<'_> {
        Session { connector: &self.connector, purpose: &self.purpose, heard: &self.heard }
    }
}

/// Another limit for a while.
pub(crate) struct Limited<'a> {
    client: &'a Client,
    before: Limit,
}

impl Drop for Limited<'_> {
    fn drop(&mut self) {
        self.client.set_limit(self.before);
    }
}

/// Other long values for a while.
pub(crate) struct Shortened<'a> {
    heard: &'a Heard,
    before: Long,
}

impl Drop for Shortened<'_> {
    fn drop(&mut self) {
        self.heard.set_long(self.before);
    }
}

/// The messages of a simple query.
pub(crate) struct Messages<'a> {
    client: &'a Client,
    begin: Instant,
    stream: Pin<Box<SimpleQueryStream>>,
}

impl Messages<'_> {
    /// The next one; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<SimpleQueryMessage>> {
        self.client.wait_since(self.begin, self.stream.try_next()).await
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}
