//! Values that a table has, for parameters whose values nobody gave.

use tokio_postgres::types::{Kind, Type};

use super::{
    catalog::{column_type, is_built_in, qualified, quote_identifier, undomained},
    error::Result,
    link::{Client, Limit},
    value_counts::{Column, ValueCounts, failed, get, whole_table},
};
use crate::draw::ColumnType;

/// Pages above which only a sample of as many is read: 16 MB.
const MOST_PAGES: f64 = 2_048.0;
/// Distinct values that are looked at.
const MOST_GROUPS: usize = 10_000;

/// Bytes of the longest value that is looked at.
const LONGEST: usize = 8 * 1024;

/// Values of some columns of a table that occur together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// In text form, in the order of the columns.
    pub values: Vec<String>,
    /// How many rows have them; of those that were read.
    pub rows: u64,
}

/// What was found of some columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// Those with most rows first.
    pub groups: Vec<Group>,
    /// Types of the columns.
    pub types: Vec<ColumnType>,
    /// Whether all rows were read, not only a sample.
    pub all: bool,
}

/// The table to read.
struct Sampled {
    /// `schema.table AS t`, with TABLESAMPLE if it is large.
    from: String,
    all: bool,
    types: Vec<ColumnType>,
}

impl ValueCounts<'_> {
    /// The values of these columns of one table that occur together, with how many rows have them; `None` where that cannot be
    /// known in time, or where reading them might run a function of somebody's.
    ///
    /// # Errors
    /// The server cannot be reached, or it was told to stop.
    pub async fn groups(&self, columns: &[Column<'_>]) -> Result<Option<Groups>> {
        let Some(Sampled { from, all, types }) = self.sampled(columns).await? else { return Ok(None) };
        let names: Vec<String> = columns.iter().map(|column| format!("t.{}", quote_identifier(column.name))).collect();
        let texts: Vec<String> = names.iter().map(|name| format!("{name}::pg_catalog.text")).collect();
        // What is NULL has no length.
        let known: Vec<String> = texts
            .iter()
            .map(|text| format!("pg_catalog.octet_length({text}) OPERATOR(pg_catalog.<=) {LONGEST}"))
            .collect();
        let sql = format!(
            "SELECT {}, pg_catalog.count(*) FROM {from} WHERE {} GROUP BY {} ORDER BY {} DESC LIMIT {MOST_GROUPS}",
            texts.join(", "),
            known.join(" AND "),
            names.join(", "),
            columns.len() + 1
        );
        let Some(rows) = self.ask_all(&sql).await? else { return Ok(None) };
        let mut groups = Vec::with_capacity(rows.len());
        for row in rows {
            let values = (0..columns.len()).map(|at| get(&row, at)).collect::<Result<Vec<String>>>()?;
            let rows: i64 = get(&row, columns.len())?;
            groups.push(Group { values, rows: rows.unsigned_abs() });
        }
        Ok(Some(Groups { groups, types, all }))
    }

    /// The values of a column below which these shares of the rows are, in text form; `None` as of [`groups`](Self::groups), or if it has
    /// no values.
    ///
    /// # Errors
    /// As of [`groups`](Self::groups).
    pub async fn quantiles(&self, column: &Column<'_>, shares: &[f64]) -> Result<Option<Vec<String>>> {
        let Some(Sampled { from, .. }) = self.sampled(std::slice::from_ref(column)).await? else { return Ok(None) };
        let name = format!("t.{}", quote_identifier(column.name));
        let each: Vec<String> = shares
            .iter()
            .map(|share| {
                format!(
                    "(pg_catalog.percentile_disc({share}::pg_catalog.float8) WITHIN GROUP (ORDER BY {name}))::pg_catalog.text"
                )
            })
            .collect();
        let sql = format!("SELECT {} FROM {from}", each.join(", "));
        let Some(rows) = self.ask_all(&sql).await? else { return Ok(None) };
        let Some(row) = rows.first() else { return Ok(None) };
        (0..shares.len()).map(|at| get::<Option<String>>(row, at)).collect()
    }

    async fn sampled(&self, columns: &[Column<'_>]) -> Result<Option<Sampled>> {
        let own = self.own_within().await?;
        let _limit = own.limited(Limit::Server(self.limit));
        Ok(self.answered(own, sampled(own, columns)).await?.flatten())
    }
}

/// How a table is read; `None` where a value's text, or the order of values, is made by a function of somebody's.
async fn sampled(own: &Client, columns: &[Column<'_>]) -> Result<Option<Sampled>> {
    let Some(first) = columns.first() else { return Ok(None) };
    let names: Vec<String> = columns.iter().map(|column| quote_identifier(column.name)).collect();
    let of_columns = format!("SELECT {} FROM {}", names.join(", "), qualified(first.schema, first.table));
    let prepared = own.prepare(&of_columns).await.map_err(failed)?;
    let mut types = Vec::with_capacity(columns.len());
    for column in prepared.columns() {
        let ty: &Type = undomained(column.type_());
        let is_plain = is_built_in(ty) && matches!(ty.kind(), Kind::Simple) || matches!(ty.kind(), Kind::Enum(_));
        let Some(of) = column_type(ty).filter(|_| is_plain) else { return Ok(None) };
        types.push(of);
    }
    let (table, pages) = whole_table(own, first).await?;
    let all = pages <= MOST_PAGES;
    let share = 100.0 * MOST_PAGES / pages;
    let sample = if all { String::new() } else { format!(" TABLESAMPLE pg_catalog.system ({share})") };
    Ok(Some(Sampled { from: format!("{table} AS t{sample}"), all, types }))
}
