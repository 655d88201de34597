//! Sessions that the load engine drives.

use std::sync::Arc;

use bytes::BytesMut;
use futures_util::{FutureExt, future::LocalBoxFuture};
use postgres_protocol::message::frontend;

use super::{
    catalog::use_schema,
    connector::Connector,
    error::Error,
    wire::{self, Cancellation, Execution, Wire, put_value},
};
use crate::{
    draw::{self, ColumnType},
    engine::{Failure, FailureKind, Session, Steps, Target},
    load::{Operation, ParameterFacts},
    scenario::{Scenario, Statement},
};

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

    async fn open(&self) -> Result<PgSession, Failure> {
        let opened = wire::open(&self.connector, "load", async |client| use_schema(client, &self.schema).await).await;
        let mut executions = Vec::with_capacity(self.statements.len());
        let (mut wire, cancellation) = opened.map_err(|error| not_opened(&error))?;
        for (index, statement) in self.statements.iter().enumerate() {
            let sql = statement.sql.statements.first().map_or(statement.sql.text.as_str(), |only| only.text.as_str());
            let mut messages = BytesMut::new();
            frontend::parse(&name(index), sql, [], &mut messages).map_err(unsendable)?;
            frontend::sync(&mut messages);
            wire.outgoing().extend_from_slice(&messages);
            wire.exchange(&mut ()).await?;
            executions.push(Execution::new(&name(index), self.types[index].len()).map_err(unsendable)?);
        }
        Ok(PgSession { wire, executions, cancellation, types: Arc::clone(&self.types) })
    }
}

fn name(statement: usize) -> String {
    format!("s{statement}")
}

fn not_opened(error: &Error) -> Failure {
    Failure {
        kind: if error.is_disconnect() { FailureKind::Connection } else { FailureKind::Operation },
        sqlstate: error.sqlstate().map(str::to_owned),
        message: error.to_string(),
    }
}

fn unsendable(cause: impl std::fmt::Display) -> Failure {
    Failure { kind: FailureKind::Operation, sqlstate: None, message: cause.to_string() }
}

impl Target for PgTarget {
    type Session = PgSession;

    async fn connect(&self, _client: u32) -> Result<PgSession, Failure> {
        self.open().await
    }
}

/// One client's connection with its prepared statements.
pub struct PgSession {
    wire: Wire,
    executions: Vec<Execution>,
    cancellation: Cancellation,
    types: Arc<[Vec<ColumnType>]>,
}

impl Session for PgSession {
    async fn acquire(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn execute(&mut self, operation: &Operation, _steps: &mut Steps) -> Result<(), Failure> {
        let types = &self.types[operation.script];
        let values = operation.parameters.iter().zip(types);
        self.executions[operation.script].put(self.wire.outgoing(), |out| {
            for (value, column_type) in values {
                put_value(out, |out| draw::encode(value, column_type, out)).map_err(unsendable)?;
            }
            Ok(())
        })?;
        self.wire.exchange(&mut ()).await
    }

    fn cancellation(&self) -> LocalBoxFuture<'static, ()> {
        self.cancellation.clone().cancel().boxed_local()
    }
}
