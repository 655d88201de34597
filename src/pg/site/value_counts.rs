//! How many rows of a table have a value.
//!
//! Asked in the session whose statement the values are for: as that statement it sees the rows that its settings and row-level
//! security let it see.

use std::time::{Duration, Instant};

use tokio_postgres::{
    Row,
    types::{Kind, Type},
};
use tokio_util::sync::CancellationToken;

use super::{
    capture::given::Given,
    catalog::{equality, is_built_in, qualified, type_name, undomained},
    seed_session::stoppable,
};
use crate::{
    draw::{ArrayText, ColumnType},
    pg::link::{
        Client, Fault, Limit, Scope, Timeout,
        error::{Error, Result},
        user_session::{Cancellable, UserSession},
    },
    sqltext::quote::quote_identifier,
};

/// Pages above which only a sample of as many is read: half a gigabyte.
const MOST_PAGES: f64 = 65_536.0;

/// SQLSTATE `query_canceled`.
const QUERY_CANCELED: &str = "57014";

/// A column whose values are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column<'a> {
    /// Schema of its table.
    pub schema: &'a str,
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
#[derive(Clone, Copy)]
pub struct ValueCounts<'a> {
    pub(crate) session: &'a UserSession,
    stop: &'a CancellationToken,
    pub(crate) limit: Duration,
}

/// A column beside values that it is compared with. Everything is written with its schema.
struct Comparison {
    /// The table of the column, or the topmost one that it is a part of.
    table: String,
    pages: f64,
    /// The values' type.
    ty: String,
    /// The operator of equality.
    operator: String,
}

impl<'a> ValueCounts<'a> {
    /// In this session, with so long for each question.
    pub fn new(session: &'a UserSession, stop: &'a CancellationToken, limit: Duration) -> Self {
        Self { session, stop, limit }
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
        let Some(Comparison { table, pages, ty, operator }) = self.comparison(sql, number, column).await? else {
            return Ok(None);
        };
        let all = pages <= MOST_PAGES;
        let share = 100.0 * MOST_PAGES / pages;
        let sample = if all { String::new() } else { format!("TABLESAMPLE pg_catalog.system ({share})") };
        let name = quote_identifier(column.name);
        let count = format!(
            "SELECT s.place, pg_catalog.count(t.{name}) \
             FROM pg_catalog.unnest($1::{ty}[]) WITH ORDINALITY AS s(value, place) \
             LEFT JOIN {table} AS t {sample} ON t.{name} {operator} s.value GROUP BY s.place"
        );
        let mut array = String::new();
        let mut text = ArrayText::begin(&ColumnType::Text, &mut array);
        values.iter().for_each(|value| text.push(value.0.as_deref()));
        text.end();
        let counts = self.ask(&count, Given(Some(array))).await?;
        let Some(counts) = counts else { return Ok(None) };
        let mut rows = vec![0; values.len()];
        for row in counts {
            let (place, count): (i64, i64) = (get(&row, 0)?, get(&row, 1)?);
            if let Some(rows) = usize::try_from(place - 1).ok().and_then(|place| rows.get_mut(place)) {
                *rows = count.unsigned_abs();
            }
        }
        Ok(Some(Counted { rows, all }))
    }

    /// Whether any row has `value`; `None` where that cannot be known in time.
    ///
    /// # Errors
    /// As of [`rows`](Self::rows).
    pub async fn exists(&self, sql: &str, number: usize, column: &Column<'_>, value: &Given) -> Result<Option<bool>> {
        let Some(Comparison { table, ty, operator, .. }) = self.comparison(sql, number, column).await? else {
            return Ok(None);
        };
        let name = quote_identifier(column.name);
        let exists = format!("SELECT EXISTS (SELECT FROM {table} AS t WHERE t.{name} {operator} $1::{ty})");
        match self.ask(&exists, value.clone()).await?.as_deref() {
            Some([row]) => get(row, 0).map(Some),
            _ => Ok(None),
        }
    }

    /// How a column is compared with the statement's parameter of this number.
    async fn comparison(&self, sql: &str, number: usize, column: &Column<'_>) -> Result<Option<Comparison>> {
        let prepared = self.within("", async || self.session.prepare(sql).await.map_err(failed)).await?;
        let Some(prepared) = prepared else { return Ok(None) };
        let ty = undomained(prepared.params().get(number - 1).unwrap_or(&Type::TEXT));
        let own = self.own_within().await?;
        let _limit = own.limited(Limit::Server(self.limit));
        let found = self.answered(own, compare(own, ty, column)).await?;
        Ok(found.flatten())
    }

    /// The session of latclinic's own questions, in which each takes no longer than the limit.
    pub(crate) async fn own_within(&self) -> Result<&Client> {
        let own = self.session.own().await?;
        let limit = own.theirs().set(Scope::Session, &[(Timeout::Statement, Some(self.limit))]);
        let _limit = own.limited(Limit::Server(self.limit));
        own.batch_execute(&limit).await.map_err(failed)?;
        Ok(own)
    }

    /// Asks a question about the user's rows that takes no value, with these settings.
    pub(crate) async fn ask_all(&self, sql: &str, settings: &str) -> Result<Option<Vec<Row>>> {
        self.within(settings, async || {
            let prepared = self.session.prepare(sql).await.map_err(failed)?;
            self.session.query_raw(&prepared, std::iter::empty::<Given>()).await.map_err(failed)
        })
        .await
    }

    /// Asks a question about the user's rows.
    async fn ask(&self, sql: &str, value: Given) -> Result<Option<Vec<Row>>> {
        self.within("", async || {
            // As a statement of the user's: the type of the value may be theirs.
            let prepared = self.session.prepare(sql).await.map_err(failed)?;
            self.session.query_raw(&prepared, [value]).await.map_err(failed)
        })
        .await
    }

    /// Works in a read-only transaction of the user's session, with a time limit and these settings.
    pub(crate) async fn within<T>(&self, settings: &str, work: impl AsyncFnOnce() -> Result<T>) -> Result<Option<T>> {
        let limit = self.session.theirs().set(Scope::Transaction, &[(Timeout::Statement, Some(self.limit))]);
        let begin = format!("BEGIN READ ONLY; {limit}{settings}");
        let _limit = self.session.limited(Limit::Server(self.limit));
        self.session.run(&begin).await.map_err(failed)?;
        let answer = self.answered(self.session, work()).await;
        if !answer.as_ref().is_err_and(Error::is_stopped) {
            self.session.run("ROLLBACK").await.map_err(failed)?;
        }
        answer
    }

    /// Waits for an answer. What the server does not answer is `None`.
    pub(crate) async fn answered<T>(
        &self,
        session: &impl Cancellable,
        question: impl Future<Output = Result<T>>,
    ) -> Result<Option<T>> {
        // The stricter limit is as good a reason not to know.
        let limit = self.session.theirs().stricter(Timeout::Statement, self.limit).unwrap_or(self.limit);
        let sent = Instant::now();
        match stoppable(session, self.stop, question).await {
            Ok(answer) => Ok(Some(answer)),
            Err(_) if self.stop.is_cancelled() => Err(Error::stopped()),
            Err(error) if error.is_disconnect() => Err(error),
            // A column that cannot be compared with the parameter, or one that the role may not read.
            Err(error) if error.sqlstate() != Some(QUERY_CANCELED) || sent.elapsed() >= limit => Ok(None),
            Err(error) => Err(error),
        }
    }
}

pub(crate) fn failed(cause: Fault) -> Error {
    Error::from_server("cannot count the values of a parameter", cause)
}

pub(crate) fn get<T: tokio_postgres::types::FromSqlOwned>(row: &Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(|cause| failed(cause.into()))
}

/// How values of type `ty` are compared with a column; `None` where that might run a function of somebody's: a cast between types
/// that their owner has made, or what the parts of a composite type, or of an array of domains, are made of.
async fn compare(own: &Client, ty: &Type, column: &Column<'_>) -> Result<Option<Comparison>> {
    let of_column = format!("SELECT {} FROM {}", quote_identifier(column.name), qualified(column.schema, column.table));
    let prepared = own.prepare(&of_column).await.map_err(failed)?;
    let Some(other) = prepared.columns().first().map(|column| undomained(column.type_())) else { return Ok(None) };
    let is_scalar = matches!(ty.kind(), Kind::Simple | Kind::Enum(_) | Kind::Range(_));
    if !is_scalar || ty != other && !(is_built_in(ty) && is_built_in(other)) {
        return Ok(None);
    }
    let (table, pages) = whole_table(own, column).await?;
    let operator = equality(own, ty.oid()).await.map_err(failed)?;
    Ok(Some(Comparison { table, pages, ty: type_name(ty), operator }))
}

/// The table of a column, or the topmost one that it is a partition of, and its pages with those of all partitions and heirs.
pub(crate) async fn whole_table(own: &Client, column: &Column<'_>) -> Result<(String, f64)> {
    let whole = "
        WITH RECURSIVE whole AS (SELECT coalesce(pg_partition_root($1::text::regclass), $1::text::regclass)::oid AS oid),
        part AS (SELECT oid FROM whole UNION SELECT i.inhrelid FROM part JOIN pg_inherits i ON i.inhparent = part.oid)
        SELECT n.nspname::text, c.relname::text,
               (SELECT sum(pg_relation_size(part.oid)) / current_setting('block_size')::float8 FROM part)::float8
        FROM whole JOIN pg_class c ON c.oid = whole.oid JOIN pg_namespace n ON n.oid = c.relnamespace";
    let row = own.query_one(whole, &[&qualified(column.schema, column.table)]).await.map_err(failed)?;
    let table = qualified(&get::<String>(&row, 0)?, &get::<String>(&row, 1)?);
    Ok((table, get::<Option<f64>>(&row, 2)?.unwrap_or(0.0)))
}
