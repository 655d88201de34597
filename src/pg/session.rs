//! Sessions that the load engine drives.

use std::sync::Arc;

use futures_util::{FutureExt, future::LocalBoxFuture};
use tokio_postgres::{Client, NoTls, error::Severity};

use super::{
    catalog::use_schema,
    connector::Connector,
    describe::prepare,
    error::{Error, server_words},
    parameter::Parameter,
};
use crate::{
    draw::ColumnType,
    engine::{Failure, FailureKind, Session, Target},
    load::{Operation, ParameterFacts},
    scenario::{Scenario, Statement},
};

/// SQLSTATE `query_canceled`: `statement_timeout` has struck, or somebody cancelled.
const QUERY_CANCELED: &str = "57014";

/// A scenario's workload on a PostgreSQL database.
#[derive(Debug)]
pub struct PgTarget {
    connector: Connector,
    schema: String,
    statements: Vec<Statement>,
    /// Types of each statement's parameters.
    types: Arc<[Vec<ColumnType>]>,
}

impl PgTarget {
    /// The workload of `scenario`; `facts` is what [`describe`](super::describe()) found.
    pub fn new(connector: Connector, scenario: &Scenario, facts: &[Vec<ParameterFacts>]) -> Self {
        let types = facts.iter().map(|facts| facts.iter().map(|facts| facts.column_type.clone()).collect()).collect();
        Self { connector, schema: scenario.schema_name(), statements: scenario.statements.clone(), types }
    }

    async fn open(&self) -> Result<PgSession, Error> {
        let client = self.connector.connect("load").await?;
        use_schema(&client, &self.schema).await?;
        let mut prepared = Vec::with_capacity(self.statements.len());
        for statement in &self.statements {
            prepared.push(prepare(&client, statement).await?);
        }
        Ok(PgSession { client, prepared, types: Arc::clone(&self.types), parameters: Vec::new() })
    }
}

impl Target for PgTarget {
    type Session = PgSession;

    async fn connect(&self, _client: u32) -> Result<PgSession, Failure> {
        self.open().await.map_err(|error| Failure {
            kind: if error.is_disconnect() { FailureKind::Connection } else { FailureKind::Operation },
            sqlstate: error.sqlstate().map(str::to_owned),
            message: error.to_string(),
        })
    }
}

/// One client's connection with its prepared statements.
pub struct PgSession {
    client: Client,
    prepared: Vec<tokio_postgres::Statement>,
    types: Arc<[Vec<ColumnType>]>,
    /// Memory of the parameters of the operation in hand.
    parameters: Vec<Parameter>,
}

impl Session for PgSession {
    async fn execute(&mut self, operation: &Operation) -> Result<(), Failure> {
        let types = &self.types[operation.script];
        self.parameters.resize_with(types.len(), Parameter::default);
        for ((encoded, value), column_type) in self.parameters.iter_mut().zip(&operation.parameters).zip(types) {
            encoded.set(value, column_type).map_err(|error| Failure {
                kind: FailureKind::Operation,
                sqlstate: None,
                message: error.to_string(),
            })?;
        }
        let statement = &self.prepared[operation.script];
        // Drains the rows without decoding them.
        self.client.execute_raw(statement, &self.parameters).await.map(drop).map_err(|error| failure(&error))
    }

    fn cancellation(&self) -> LocalBoxFuture<'static, ()> {
        let token = self.client.cancel_token();
        async move {
            // The session is given up whether or not the server hears of it.
            let _ = token.cancel_query(NoTls).await;
        }
        .boxed_local()
    }
}

/// An error of an operation as the engine counts it.
fn failure(error: &tokio_postgres::Error) -> Failure {
    let fatal = |severity| matches!(severity, Severity::Fatal | Severity::Panic);
    let kind = match error.as_db_error() {
        // Parameters are encoded before, so that what is left without a server's error is the connection's.
        None => FailureKind::Connection,
        Some(db) if db.parsed_severity().is_some_and(fatal) => FailureKind::Connection,
        Some(db) if db.code().code() == QUERY_CANCELED => FailureKind::Timeout,
        Some(_) => FailureKind::Operation,
    };
    Failure { kind, sqlstate: error.code().map(|code| code.code().to_owned()), message: server_words(error) }
}
