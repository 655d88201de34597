//! A connection of one's own, straight on a socket.

use postgres_protocol::message::frontend;
use tokio::time::timeout;

use super::{
    arguments::Arguments,
    program::{Form, Statement},
    rows::{Reading, Rows},
    script::Connection,
    statement_failure,
};
use crate::{
    engine::{Failure, FailureKind},
    pg::link::{
        Loss, QUESTION,
        wire::{self, connection::Wire},
    },
};

/// A connection of one's own.
#[derive(Debug)]
pub(crate) struct Direct(pub(crate) Wire);

impl Direct {
    /// Prepares a statement, where it is one that is sent prepared.
    pub(crate) async fn prepare(&mut self, statement: &Statement) -> Result<(), Failure> {
        if !matches!(statement.form, Form::Prepared(_)) {
            return Ok(());
        }
        let mut messages = bytes::BytesMut::new();
        frontend::parse(&statement.name, &statement.sql, [], &mut messages).map_err(statement_failure)?;
        frontend::sync(&mut messages);
        self.0.outgoing().extend_from_slice(&messages);
        match timeout(QUESTION, self.0.exchange(&mut ())).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let message = Loss::Late(QUESTION).to_string();
                Err(Failure { kind: FailureKind::Connection, sqlstate: None, message })
            }
        }
    }
}

impl Direct {
    /// Has a statement planned for the values, where it is one that is sent prepared; otherwise it is planned at each execution anyway.
    pub(crate) async fn plan(&mut self, statement: &Statement, arguments: &Arguments<'_>) -> Result<(), Failure> {
        if let Form::Prepared(execution) = &statement.form {
            execution.put_unexecuted(self.0.outgoing(), |out| arguments.put(out))?;
            self.0.exchange(&mut ()).await?;
        }
        Ok(())
    }
}

impl Connection for Direct {
    async fn command(&mut self, command: &'static str) -> Result<(), Failure> {
        self.0.put_query(command)?;
        self.0.exchange(&mut ()).await
    }

    #[inline]
    async fn execute(
        &mut self,
        statement: &Statement,
        arguments: &Arguments<'_>,
        kept: Option<&[usize]>,
        rows: &mut Rows,
    ) -> Result<(), Failure> {
        match &statement.form {
            Form::Prepared(execution) | Form::Extended(execution) => {
                execution.put(self.0.outgoing(), |out| arguments.put(out))?;
            }
            Form::Simple(template) => {
                let sql = template.fill(|index, out| arguments.text(index, out))?;
                self.0.put_query(&sql)?;
            }
        }
        let Some(columns) = kept else { return self.0.exchange(&mut ()).await };
        let mut reading = Reading::new(rows, columns);
        self.0.exchange(&mut reading).await?;
        if reading.is_garbled() { Err(wire::garbled()) } else { Ok(()) }
    }
}
