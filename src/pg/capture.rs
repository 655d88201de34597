//! Captures the plan of a statement with given parameter values.

use futures_util::TryStreamExt;
use serde_json::Value as Json;
use tokio_postgres::{Client, Row};
use tokio_util::sync::CancellationToken;

use super::{
    error::{Error, Result},
    parameter::Parameter,
    seed_session::stoppable,
};
use crate::scenario::{Statement, Value};

/// The plan of a statement, twice: from two executions, one after the other, so that their times differ.
#[derive(Debug, Clone, PartialEq)]
pub struct CapturedPlan {
    /// `EXPLAIN (ANALYZE, BUFFERS)` as PostgreSQL prints it, without a line end after the last line.
    pub text: String,
    /// `EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, WAL, FORMAT JSON)`.
    pub json: Json,
}

/// Executes `statement` with `values` three times, first to warm the cache and then for each form of its plan. Each time
/// inside a transaction that is rolled back, so that what it writes does not stay. Names resolve in the session's
/// `search_path`.
///
/// # Errors
/// The statement does not prepare or fails (the message names its place), a value is none of its parameter's type, or
/// `stop` was given.
pub async fn capture_plan(
    client: &Client,
    statement: &Statement,
    values: &[Value],
    stop: &CancellationToken,
) -> Result<CapturedPlan> {
    let sql = statement.sql.statements.first().map_or(statement.sql.text.as_str(), |only| only.text.as_str());
    let run = |sql| rolled_back(client, statement, sql, values, stop);
    let as_text = format!("EXPLAIN (ANALYZE, BUFFERS) {sql}");
    run(as_text.clone()).await?;
    let mut lines = Vec::new();
    for row in run(as_text).await? {
        lines.push(row.try_get::<_, String>(0).map_err(|cause| unreadable(statement, cause))?);
    }
    let rows = run(format!("EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, WAL, FORMAT JSON) {sql}")).await?;
    let json = match rows.first() {
        Some(row) => row.try_get(0).map_err(|cause| unreadable(statement, cause))?,
        None => return Err(Error::new(format!("{}: EXPLAIN returned nothing", place(statement)))),
    };
    Ok(CapturedPlan { text: lines.join("\n"), json })
}

/// Runs one statement in a transaction that is rolled back.
async fn rolled_back(
    client: &Client,
    statement: &Statement,
    sql: String,
    values: &[Value],
    stop: &CancellationToken,
) -> Result<Vec<Row>> {
    let failed = |cause| Error::from_server(format!("{}: cannot explain it", place(statement)), cause);
    client.batch_execute("BEGIN").await.map_err(failed)?;
    let work = async {
        let prepared = client.prepare(&sql).await.map_err(failed)?;
        let parameters = Parameter::encode_all(values, prepared.params())
            .map_err(|cause| Error::new(format!("{}: {cause}", place(statement))))?;
        client.query_raw(&prepared, &parameters).await.map_err(failed)?.try_collect().await.map_err(failed)
    };
    let rows = stoppable(client, stop, work).await;
    // After a stop that the server did not hear of, the session is still at work: its end takes the transaction back.
    if !rows.as_ref().is_err_and(Error::is_stopped) {
        client.batch_execute("ROLLBACK").await.map_err(failed)?;
    }
    rows
}

fn place(statement: &Statement) -> String {
    let line = statement.sql.statements.first().map_or(1, |only| only.line);
    format!("{}:{line}: statement {}", statement.sql.source, statement.name)
}

fn unreadable(statement: &Statement, cause: tokio_postgres::Error) -> Error {
    Error::from_server(format!("{}: its plan cannot be read", place(statement)), cause)
}
