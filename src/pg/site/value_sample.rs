//! Values that a table has, for parameters whose values nobody gave.
//!
//! Only PostgreSQL's own code runs: a value is read by the output function of its type, which no cast of somebody's replaces, and
//! expressions have columns of PostgreSQL's own types, in a session where names resolve in its catalog alone.

use tokio_postgres::types::{Kind, Type};

use super::{
    catalog::{column_type, is_built_in, qualified, type_name, undomained},
    value_counts::{Column, ValueCounts, failed, get, whole_table},
    value_part::{self, Taken},
};
use crate::{
    draw::ColumnType,
    pg::link::{Client, Limit, error::Result},
    sqltext::quote::quote_identifier,
};

/// Pages above which only a sample of as many is read: 16 MB.
const MOST_PAGES: f64 = 2_048.0;
/// Distinct values that are looked at.
const MOST_GROUPS: usize = 10_000;
/// Bytes above which a value is not taken.
const LONGEST: usize = 8 * 1024;

/// A table in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Its schema.
    pub schema: &'a str,
    /// Its name.
    pub table: &'a str,
    /// What the expressions call it.
    pub alias: &'a str,
}

/// What of a value a parameter has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// An element of an array.
    Element,
    /// A part of an array, document or range, of the same type.
    Piece,
    /// A key of a document.
    Key,
    /// A list of one key.
    Keys,
    /// What a search for it finds: a word of a text, a comparison within a document.
    Match,
    /// A path into a document.
    Path,
    /// Something that it is within.
    Within,
    /// The network of an address.
    Network,
}

/// What is looked for in the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sought<'a> {
    /// SQL that is PostgreSQL's own, but for columns of the table.
    pub expression: &'a str,
    /// The columns in it.
    pub columns: &'a [String],
    /// Whether it is nothing but a column.
    pub is_column: bool,
    /// SQL around a value of it that makes it one of the parameter.
    pub around: &'a [String; 2],
    /// What of the value.
    pub part: Part,
    /// The number of the parameter that it is for.
    pub parameter: usize,
}

/// The types of a statement's parameters.
#[derive(Debug, Clone)]
pub struct ParameterTypes(pub(crate) Vec<Type>);

/// Values of some expressions that occur together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// In text form, in the order of the expressions.
    pub values: Vec<String>,
    /// How many rows have them; of those that were read.
    pub rows: u64,
}

/// What was found of some expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// Those with most rows first.
    pub groups: Vec<Group>,
    /// Types of the values; `None` of a value that is only a part of what a row has.
    pub types: Vec<Option<ColumnType>>,
    /// Whether all rows were read, not only a sample.
    pub all: bool,
}

/// The table to read.
struct Sampled {
    /// `schema.table AS alias`, with TABLESAMPLE if it is large, and what is made of its rows.
    from: String,
    all: bool,
    values: Vec<Taken>,
    types: Vec<Option<ColumnType>>,
    /// Whether names in the expressions have to be PostgreSQL's own.
    is_printed: bool,
}

impl ValueCounts<'_> {
    /// The types of the parameters of a statement; `None` where they cannot be known in time.
    ///
    /// # Errors
    /// The server cannot be reached, or it was told to stop.
    pub async fn parameter_types(&self, sql: &str) -> Result<Option<ParameterTypes>> {
        let prepared = self.within("", async || self.session.prepare(sql).await.map_err(failed)).await?;
        Ok(prepared.map(|prepared| ParameterTypes(prepared.params().to_vec())))
    }

    /// The values of these expressions of one table that occur together, with how many rows have them; `None` where that cannot be
    /// known in time, or where reading them might run a function of somebody's.
    ///
    /// # Errors
    /// The server cannot be reached, or it was told to stop.
    pub async fn groups(
        &self,
        place: Place<'_>,
        sought: &[Sought<'_>],
        parameters: &ParameterTypes,
    ) -> Result<Option<Groups>> {
        let Some(sampled) = self.sampled(place, sought, parameters).await? else { return Ok(None) };
        let names: Vec<String> = (0..sought.len()).map(|at| format!("s.v{at}")).collect();
        let names = names.join(", ");
        let sql = format!(
            "SELECT {names}, pg_catalog.count(*) AS rows FROM ({}) AS s GROUP BY {names} ORDER BY rows DESC, {names} \
             LIMIT {MOST_GROUPS}",
            sampled.rows("")
        );
        let Some(rows) = self.ask_printed(&sql, sampled.is_printed).await? else { return Ok(None) };
        let mut groups = Vec::with_capacity(rows.len());
        for row in rows {
            let values = (0..sought.len()).map(|at| get(&row, at)).collect::<Result<Vec<String>>>()?;
            let rows: i64 = get(&row, sought.len())?;
            groups.push(Group { values, rows: rows.unsigned_abs() });
        }
        Ok(Some(Groups { groups, types: sampled.types, all: sampled.all }))
    }

    /// The rows, in the order of these expressions, below which these shares of all rows are, in text form; `None` as of
    /// [`groups`](Self::groups), or if there are none.
    ///
    /// # Errors
    /// As of [`groups`](Self::groups).
    pub async fn quantiles(
        &self,
        place: Place<'_>,
        sought: &[Sought<'_>],
        parameters: &ParameterTypes,
        shares: &[f64],
    ) -> Result<Option<Vec<Vec<String>>>> {
        let Some(sampled) = self.sampled(place, sought, parameters).await? else { return Ok(None) };
        let keys: Vec<String> = sampled.values.iter().map(|value| value.key.clone()).collect();
        let order = format!(
            ", pg_catalog.row_number() OVER (ORDER BY {}) AS place, pg_catalog.count(*) OVER () AS total",
            keys.join(", ")
        );
        let shares: Vec<String> =
            (1..).zip(shares).map(|(number, share)| format!("({number}, {share}::pg_catalog.float8)")).collect();
        let names: Vec<String> = (0..sought.len()).map(|at| format!("s.v{at}")).collect();
        let sql = format!(
            "SELECT {} FROM ({}) AS s JOIN (VALUES {}) AS q(number, share) ON s.place OPERATOR(pg_catalog.=) \
             greatest(1, pg_catalog.ceil(s.total OPERATOR(pg_catalog.*) q.share)::pg_catalog.int8) ORDER BY q.number",
            names.join(", "),
            sampled.rows(&order),
            shares.join(", ")
        );
        let Some(rows) = self.ask_printed(&sql, sampled.is_printed).await? else { return Ok(None) };
        if rows.len() != shares.len() {
            return Ok(None);
        }
        rows.iter().map(|row| (0..sought.len()).map(|at| get(row, at)).collect()).collect::<Result<_>>().map(Some)
    }

    async fn ask_printed(&self, sql: &str, is_printed: bool) -> Result<Option<Vec<tokio_postgres::Row>>> {
        self.ask_all(sql, if is_printed { crate::pg::link::path::OWN_LOCAL } else { "" }).await
    }

    async fn sampled(
        &self,
        place: Place<'_>,
        sought: &[Sought<'_>],
        parameters: &ParameterTypes,
    ) -> Result<Option<Sampled>> {
        let own = self.own_within().await?;
        let _limit = own.limited(Limit::Server(self.limit));
        Ok(self.answered(own, sampled(own, place, sought, parameters)).await?.flatten())
    }
}

impl Sampled {
    /// The values of each row that has all of them, and `more`.
    fn rows(&self, more: &str) -> String {
        let numbered = self.values.iter().enumerate();
        let values: Vec<String> = numbered.map(|(at, value)| format!("{} AS v{at}", value.text)).collect();
        let known: Vec<String> = self.values.iter().map(|value| format!("{} IS NOT NULL", value.value)).collect();
        let short: Vec<String> = self
            .values
            .iter()
            .map(|value| format!("pg_catalog.octet_length({}) OPERATOR(pg_catalog.<=) {LONGEST}", value.text))
            .collect();
        format!(
            "SELECT {}{more} FROM {} WHERE {} AND {}",
            values.join(", "),
            self.from,
            known.join(" AND "),
            short.join(" AND ")
        )
    }
}

/// How a table is read; `None` where a value might be made by a function of somebody's.
async fn sampled(
    own: &Client,
    place: Place<'_>,
    sought: &[Sought<'_>],
    parameters: &ParameterTypes,
) -> Result<Option<Sampled>> {
    let Place { schema, table, alias } = place;
    let from = format!("{} AS {}", qualified(schema, table), quote_identifier(alias));
    let (mut values, mut types) = (Vec::new(), Vec::new());
    let mut laterals = String::new();
    let mut is_printed = false;
    for (at, one) in sought.iter().enumerate() {
        let is_itself = one.around.iter().all(String::is_empty);
        if !one.is_column || !is_itself {
            is_printed = true;
            let columns: Vec<String> = one.columns.iter().map(|column| quote_identifier(column)).collect();
            let of_columns = format!("SELECT {} FROM {from}", columns.join(", "));
            let prepared = own.prepare(&of_columns).await.map_err(failed)?;
            if !prepared.columns().iter().all(|column| is_own(column.type_())) {
                return Ok(None);
            }
        }
        let prepared = own.prepare(&format!("SELECT {} FROM {from}", one.expression)).await.map_err(failed)?;
        let Some(ty) = prepared.columns().first().map(|column| undomained(column.type_()).clone()) else {
            return Ok(None);
        };
        let parameter = parameters.0.get(one.parameter.wrapping_sub(1)).map(undomained);
        let Some(taken) = value_part::taken(one, &ty, parameter, at) else { return Ok(None) };
        laterals += &taken.lateral;
        values.push(taken);
        types.push(column_type(&ty).filter(|_| is_itself && one.part == Part::Whole));
    }
    let column = Column { schema, table, name: "" };
    let (whole, pages) = whole_table(own, &column).await?;
    let all = pages <= MOST_PAGES;
    let share = 100.0 * MOST_PAGES / pages;
    let sample = if all { String::new() } else { format!(" TABLESAMPLE pg_catalog.system ({share})") };
    let from = format!("{whole} AS {}{sample}{laterals}", quote_identifier(alias));
    Ok(Some(Sampled { from, all, values, types, is_printed }))
}

/// Whether casts and operators of a type can only be PostgreSQL's own, or a superuser's: that of a base type, and those made of
/// PostgreSQL's own types.
fn is_own(ty: &Type) -> bool {
    let ty = undomained(ty);
    is_built_in(ty) || *ty.kind() == Kind::Simple
}

/// Whether a value of one type is to be cast to another: both are PostgreSQL's own.
pub(crate) fn cast(ty: &Type, to: Option<&Type>) -> Option<String> {
    let to = to.filter(|to| is_built_in(to) && is_built_in(ty) && *to != ty && matches!(to.kind(), Kind::Simple))?;
    Some(type_name(to))
}
