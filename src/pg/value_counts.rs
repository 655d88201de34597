//! How many rows of a table have a value.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{
    capture::Given,
    catalog::quote_identifier,
    error::{Error, Result},
    link::{Client, Fault, Limit},
    seed_session::stoppable,
};

/// Pages above which only a sample of as many is read: half a gigabyte.
const MOST_PAGES: f64 = 65_536.0;

/// SQLSTATE `query_canceled`.
const QUERY_CANCELED: &str = "57014";

/// A column whose values are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column<'a> {
    /// Schema of its table; `None` takes what the session's `search_path` finds.
    pub schema: Option<&'a str>,
    /// Its table.
    pub table: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// Rows with each of some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Rows for each value; of those that were read.
    pub rows: Vec<u64>,
    /// Whether all rows were read, not only a sample.
    pub all: bool,
}

/// Counts the rows with values of columns, each time for no longer than a limit.
#[derive(Debug, Clone, Copy)]
pub struct ValueCounts<'a> {
    client: &'a Client,
    stop: &'a CancellationToken,
    limit: Duration,
}

impl<'a> ValueCounts<'a> {
    /// On this session, with so long for each question.
    pub fn new(client: &'a Client, stop: &'a CancellationToken, limit: Duration) -> Self {
        Self { client, stop, limit }
    }

    /// Rows with each of `values` in the column, or in the partitioned table that its table is a part of; `None` where that cannot be
    /// known in time. `sql` is the statement whose parameter of this number the values are for: they are of its type.
    ///
    /// # Errors
    /// The server cannot be reached, or it was told to stop.
    pub async fn rows(
        &self,
        sql: &str,
        number: usize,
        column: &Column<'_>,
        values: &[Given],
    ) -> Result<Option<Counted>> {
        self.asked(async |client| {
            let ty = parameter_type(client, sql, number).await?;
            let (table, pages) = whole_table(client, column).await?;
            let all = pages <= MOST_PAGES;
            let sample =
                if all { String::new() } else { format!("TABLESAMPLE SYSTEM ({})", 100.0 * MOST_PAGES / pages) };
            let values: Vec<Option<&str>> = values.iter().map(|value| value.0.as_deref()).collect();
            let name = quote_identifier(column.name);
            let count = format!(
                "SELECT s.place, count(t.{name}) FROM unnest($1::text[]::{ty}[]) WITH ORDINALITY AS s(value, place) \
                 LEFT JOIN {table} AS t {sample} ON t.{name} = s.value GROUP BY s.place"
            );
            let mut rows = vec![0; values.len()];
            for row in client.query(&count, &[&values]).await? {
                let (place, count): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
                if let Some(rows) = usize::try_from(place - 1).ok().and_then(|place| rows.get_mut(place)) {
                    *rows = count.unsigned_abs();
                }
            }
            Ok(Counted { rows, all })
        })
        .await
    }

    /// Whether any row has `value`; `None` where that cannot be known in time.
    ///
    /// # Errors
    /// As of [`rows`](Self::rows).
    pub async fn exists(&self, sql: &str, number: usize, column: &Column<'_>, value: &Given) -> Result<Option<bool>> {
        self.asked(async |client| {
            let ty = parameter_type(client, sql, number).await?;
            let (table, _) = whole_table(client, column).await?;
            let name = quote_identifier(column.name);
            let exists = format!("SELECT EXISTS (SELECT FROM {table} AS t WHERE t.{name} = $1::text::{ty})");
            Ok(client.query_one(&exists, &[&value.0.as_deref()]).await?.try_get(0)?)
        })
        .await
    }

    /// Asks in a read-only transaction with a time limit. What the server does not answer is `None`.
    async fn asked<T>(&self, ask: impl AsyncFnOnce(&Client) -> std::result::Result<T, Fault>) -> Result<Option<T>> {
        let failed = |cause| Error::from_server("cannot count the values of a parameter", cause);
        let begin = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {}", self.limit.as_millis().max(1));
        let _limit = self.client.limited(Limit::Server(self.limit));
        self.client.batch_execute(&begin).await.map_err(failed)?;
        let sent = Instant::now();
        let answer = stoppable(self.client, self.stop, async { ask(self.client).await.map_err(failed) }).await;
        if !answer.as_ref().is_err_and(Error::is_stopped) {
            self.client.batch_execute("ROLLBACK").await.map_err(failed)?;
        }
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(_) if self.stop.is_cancelled() => Err(Error::stopped()),
            Err(error) if error.is_disconnect() => Err(error),
            // A column that cannot be compared with the parameter, or one that the role may not read.
            Err(error) if error.sqlstate() != Some(QUERY_CANCELED) || sent.elapsed() >= self.limit => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The type of a statement's parameter, as SQL writes it.
async fn parameter_type(client: &Client, sql: &str, number: usize) -> std::result::Result<String, Fault> {
    let prepared = client.prepare(sql).await?;
    let oid = prepared.params().get(number - 1).map_or(25, tokio_postgres::types::Type::oid);
    Ok(client.query_one("SELECT format_type($1, -1)", &[&oid]).await?.try_get(0)?)
}

/// The table of a column, or the topmost one that it is a part of, as SQL writes it, and its pages.
async fn whole_table(client: &Client, column: &Column<'_>) -> std::result::Result<(String, f64), Fault> {
    let name = match column.schema {
        Some(schema) => format!("{}.{}", quote_identifier(schema), quote_identifier(column.table)),
        None => quote_identifier(column.table),
    };
    let whole = "
        WITH whole AS (SELECT coalesce(pg_partition_root($1::text::regclass), $1::text::regclass) AS table)
        SELECT whole.table::text,
               (SELECT sum(pg_relation_size(part)) / current_setting('block_size')::float8
                FROM (SELECT relid FROM pg_partition_tree(whole.table) UNION SELECT whole.table) AS parts(part))::float8
        FROM whole";
    let row = client.query_one(whole, &[&name]).await?;
    Ok((row.try_get(0)?, row.try_get::<_, Option<f64>>(1)?.unwrap_or(0.0)))
}
