//! A session in which statements of the user run.

use futures_util::future::join;
use tokio::sync::OnceCell;
use tokio_postgres::{
    Row, SimpleQueryMessage, Statement,
    types::{BorrowToSql, ToSql},
};

use super::{
    Cancellation, Client, CopyIn, Fault, Limit, Limited, Long, Messages, Shortened, Theirs,
    connector::Connector,
    error::{Error, Result},
    path, setup,
};
use crate::scenario::Connections;

/// A result with the server's own error: who asks says what for.
type Answer<T> = std::result::Result<T, Fault>;

/// A session in which statements of the user run: names resolve in the user's path.
///
/// latclinic's own questions go over [`own`](Self::own), a connection of its own. What only this session can answer is asked with
/// `ask`.
pub struct UserSession {
    client: Client,
    connector: Connector,
    purpose: String,
    own: OnceCell<Client>,
}

impl UserSession {
    /// With the path that the role has in this database.
    ///
    /// # Errors
    /// As of [`Connector::connect`].
    pub async fn open(connector: &Connector, purpose: &str) -> Result<Self> {
        let client = connector.connect_unprotected(purpose).await?;
        Ok(Self { client, connector: connector.clone(), purpose: purpose.to_owned(), own: OnceCell::new() })
    }

    /// With names that resolve in `schema` first, then in `public`.
    ///
    /// # Errors
    /// As of [`open`](Self::open), or the server refuses the path.
    pub async fn in_schema(connector: &Connector, purpose: &str, schema: &str) -> Result<Self> {
        let session = Self::open(connector, purpose).await?;
        let failed = |cause| Error::from_server("cannot set the search path", cause);
        session.run(&path::set(&path::of_schema(schema))).await.map_err(failed)?;
        Ok(session)
    }

    /// Set up as the sessions of a load are, but for `statement_timeout`.
    ///
    /// # Errors
    /// As of [`in_schema`](Self::in_schema), or the server does not take a setting; the message names it.
    pub async fn of_load(
        connector: &Connector,
        purpose: &str,
        schema: &str,
        connections: &Connections,
    ) -> Result<Self> {
        let session = Self::in_schema(connector, purpose, schema).await?;
        setup::apply(&session, connections).await?;
        Ok(session)
    }

    /// The connection for latclinic's own questions, opened with the first of them.
    ///
    /// # Errors
    /// As of [`Connector::connect`].
    pub async fn own(&self) -> Result<&Client> {
        self.own.get_or_try_init(|| self.connector.connect(&self.purpose)).await
    }

    /// The path as it is now.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn path(&self) -> Result<String> {
        let failed = |cause| Error::from_server("cannot read the search path", cause);
        let messages = self.simple_query("SHOW search_path").await.map_err(failed)?;
        Ok(first_value(&messages).unwrap_or_default().to_owned())
    }

    /// The time limits that its role, database, URL or settings of the load set.
    pub(crate) fn theirs(&self) -> Theirs {
        self.client.theirs()
    }

    /// Reads them again after its settings have been changed.
    pub(crate) async fn read_timeouts(&self) -> Answer<()> {
        self.client.read_timeouts().await
    }

    /// Sets how long answers may take from now on.
    pub(crate) fn set_limit(&self, limit: Limit) {
        self.client.set_limit(limit);
    }

    /// Sets how long answers may take until what is returned is dropped.
    pub(crate) fn limited(&self, limit: Limit) -> Limited<'_> {
        self.client.limited(limit)
    }

    /// Says what becomes of long values until what is returned is dropped.
    pub(crate) fn with_long(&self, long: Long) -> Shortened<'_> {
        self.client.with_long(long)
    }

    /// Whether the connection is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Prepares a statement.
    pub(crate) async fn prepare(&self, sql: &str) -> Answer<Statement> {
        prepare(&self.client, sql).await
    }

    /// Runs statements that return nothing.
    ///
    /// # Errors
    /// One fails.
    pub async fn run(&self, sql: &str) -> Answer<()> {
        self.client.batch_execute(sql).await
    }

    /// Runs statements; values are returned as text.
    ///
    /// # Errors
    /// One fails.
    pub async fn simple_query(&self, sql: &str) -> Answer<Vec<SimpleQueryMessage>> {
        self.client.simple_query(sql).await
    }

    /// [`simple_query`](Self::simple_query), message by message.
    pub(crate) async fn simple_query_raw(&self, sql: &str) -> Answer<Messages<'_>> {
        self.client.simple_query_raw(sql).await
    }

    /// Runs a prepared statement.
    pub(crate) async fn query_raw<P, I>(&self, statement: &Statement, parameters: I) -> Answer<Vec<Row>>
    where
        P: BorrowToSql,
        I: IntoIterator<Item = P>,
        I::IntoIter: ExactSizeIterator,
    {
        self.client.query_raw(statement, parameters).await
    }

    /// Begins a COPY FROM STDIN.
    pub(crate) async fn copy_in(&self, sql: &str) -> Answer<CopyIn<'_>> {
        self.client.copy_in(sql).await
    }

    /// Asks a question of latclinic's own that only this session can answer. Since names resolve in the user's path, each in `sql` has
    /// its schema with it: `pg_catalog.count(..)`, `OPERATOR(pg_catalog.=)`, `::pg_catalog.text`.
    pub(crate) async fn ask(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Answer<Vec<Row>> {
        self.client.query(sql, parameters).await
    }
}

/// What can be told to give up what it is at.
pub(crate) trait Cancellable {
    /// For whatever runs when it is used.
    fn cancellation(&self) -> Cancellation;
}

impl Cancellable for UserSession {
    fn cancellation(&self) -> Cancellation {
        self.client.cancellation()
    }
}

impl Cancellable for Client {
    fn cancellation(&self) -> Cancellation {
        Self::cancellation(self)
    }
}

/// Prepares a statement of the user's. What tokio-postgres then asks about types that it does not know is not the user's: the path
/// is left by what is sent right behind the statement, before the library has its answer, and is entered again at the end.
pub(crate) async fn prepare(client: &Client, sql: &str) -> Answer<Statement> {
    let leave = format!("SHOW search_path; {}", path::OWN);
    // Both are sent when they are polled first, in this order.
    let (prepared, left) = join(client.prepare(sql), client.simple_query(&leave)).await;
    // In a transaction that the statement made fail nothing was left, and there is nothing to enter.
    if let Ok(messages) = left
        && let Some(path) = first_value(&messages)
    {
        client.batch_execute(&path::set(path)).await?;
    }
    prepared
}

fn first_value(messages: &[SimpleQueryMessage]) -> Option<&str> {
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    })
}
