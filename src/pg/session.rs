//! Sessions that the load engine drives.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use futures_util::{FutureExt, future::LocalBoxFuture};
use postgres_protocol::{IsNull, message::frontend};

use super::{
    catalog::use_schema,
    connector::Connector,
    error::Error,
    wire::{self, Cancellation, Wire},
};
use crate::{
    draw::{self, ColumnType},
    engine::{Failure, FailureKind, Session, Target},
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
        let (mut wire, cancellation) = opened.map_err(|error| not_opened(&error))?;
        for (index, statement) in self.statements.iter().enumerate() {
            let sql = statement.sql.statements.first().map_or(statement.sql.text.as_str(), |only| only.text.as_str());
            let out = wire.outgoing();
            frontend::parse(&name(index), sql, [], out).map_err(unsendable)?;
            frontend::sync(out);
            wire.exchange(&mut ()).await?;
        }
        Ok(PgSession {
            names: (0..self.statements.len()).map(name).collect(),
            scratch: Vec::new(),
            wire,
            cancellation,
            types: Arc::clone(&self.types),
        })
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
    names: Vec<String>,
    scratch: Vec<u8>,
    wire: Wire,
    cancellation: Cancellation,
    types: Arc<[Vec<ColumnType>]>,
}

impl Session for PgSession {
    async fn execute(&mut self, operation: &Operation) -> Result<(), Failure> {
        let types = &self.types[operation.script];
        let out = self.wire.outgoing();
        out.clear();
        bind(&self.names[operation.script], operation, types, &mut self.scratch, out)?;
        frontend::execute("", 0, out).map_err(unsendable)?;
        frontend::sync(out);
        self.wire.exchange(&mut ()).await
    }

    fn cancellation(&self) -> LocalBoxFuture<'static, ()> {
        self.cancellation.clone().cancel().boxed_local()
    }
}

fn bind(
    name: &str,
    operation: &Operation,
    types: &[ColumnType],
    scratch: &mut Vec<u8>,
    out: &mut BytesMut,
) -> Result<(), Failure> {
    let values = operation.parameters.iter().zip(types);
    frontend::bind(
        "",
        name,
        [1],
        values,
        |(value, column_type), out| {
            scratch.clear();
            let null = draw::encode(value, column_type, scratch)?;
            out.put_slice(scratch);
            Ok(if null { IsNull::Yes } else { IsNull::No })
        },
        [1],
        out,
    )
    .map_err(|error| match error {
        frontend::BindError::Conversion(cause) => unsendable(cause),
        frontend::BindError::Serialization(cause) => unsendable(cause),
    })
}
