//! A table as the probe writes to it: the statements, and the values of rows after its last one.

use tokio_postgres::Statement;

use crate::{
    dataset::TableRows,
    draw,
    pg::{
        link::{
            Client,
            error::{Error, Result},
            parameter::Parameter,
            user_session::UserSession,
            wire::message::Format,
        },
        site::catalog::{columns, equality, qualified},
    },
    scenario::{Dataset, Generator, Table},
    sqltext::quote::quote_identifier,
};

/// Rows that a probe may use, at most.
const SPAN: u64 = 1000;
/// Times that a value other than the row's own is looked for.
const TRIES: u64 = 8;

/// How a row is inserted: for EXPLAIN, which measures it, or for what finds it again.
pub(crate) struct Insert {
    pub(crate) explained: Statement,
    pub(crate) returning: Statement,
}

/// A column that is updated.
pub(crate) struct Updated {
    pub(crate) name: String,
    /// Its place among the generated columns.
    index: usize,
    /// Explained; takes the value, then what finds the row.
    pub(crate) statement: Statement,
}

/// A table to probe.
pub(crate) struct Target {
    pub(crate) oid: u32,
    rows: TableRows,
    first: u64,
    pub(crate) insert: Insert,
    pub(crate) updated: Vec<Updated>,
    /// Explained; takes what finds the row.
    pub(crate) delete: Statement,
    /// Whether rows are deleted.
    pub(crate) deletes: bool,
    /// What is not probed, and why.
    pub(crate) notes: Vec<String>,
}

impl Target {
    /// Reads the table as it is now. The writes name everything with its schema, since they run in the path of the workload, as
    /// triggers and defaults expect it.
    ///
    /// # Errors
    /// The table is not there, no more rows of it can be made, or the server cannot be asked.
    pub(crate) async fn find(session: &UserSession, dataset: &Dataset, schema: &str, table: &Table) -> Result<Self> {
        let relation = qualified(schema, &table.name);
        let own = session.own().await?;
        let there = columns(own, schema, &table.name, &[]).await?;
        let mut longer = table.clone();
        // A fix may have taken a column away.
        longer.columns.retain(|column| there.iter().any(|(name, _)| *name == column.name));
        let first = table.rows.max(first_free(own, &relation, &longer).await?);
        longer.rows = first + SPAN * (TRIES + 1);
        let rows = TableRows::compile(dataset, &longer, &there).map_err(|error| Error::new(error.to_string()))?;

        let keys = keys(own, &relation).await?;
        let names: Vec<String> = rows.columns().map(quote_identifier).collect();
        let locator: Vec<String> = keys.locator.iter().map(|(name, _)| quote_identifier(name)).collect();
        // As text, which each type has.
        let returned: Vec<String> = locator.iter().map(|name| format!("{name}::pg_catalog.text")).collect();
        let found = |from: usize| {
            let equal = locator.iter().zip(&keys.locator).zip(from..);
            let equal = equal.map(|((name, (_, operator)), number)| format!("{name} {operator} ${number}"));
            equal.collect::<Vec<_>>().join(" AND ")
        };
        let numbers: Vec<String> = (1..=names.len()).map(|number| format!("${number}")).collect();
        let insert = format!(
            "INSERT INTO {relation} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
            names.join(", "),
            numbers.join(", ")
        );
        let (mut updated, mut notes) = (Vec::new(), Vec::new());
        for (index, name) in rows.columns().enumerate() {
            if !keys.fixed.iter().any(|fixed| fixed == name) {
                let set = quote_identifier(name);
                let update = format!("UPDATE {relation} SET {set} = $1 WHERE {}", found(2));
                match explained(session, &update).await {
                    Ok(statement) => updated.push(Updated { name: name.to_owned(), index, statement }),
                    Err(error) if error.is_disconnect() => return Err(error),
                    // Such as one that is GENERATED ALWAYS AS IDENTITY.
                    Err(error) => notes.push(format!("column {name} was not updated: {error}")),
                }
            }
        }
        let insert = Insert {
            explained: explained(session, &insert).await?,
            returning: prepare(session, &format!("{insert} RETURNING {}", returned.join(", "))).await?,
        };
        let delete = explained(session, &format!("DELETE FROM {relation} WHERE {}", found(1))).await?;
        Ok(Self { oid: keys.oid, rows, first, insert, updated, delete, deletes: true, notes })
    }

    /// The values of the row `number`, counted from the first that the table does not have.
    ///
    /// # Errors
    /// A value is none of its column's type.
    pub(crate) fn row(&self, number: u64) -> draw::Result<Vec<Parameter>> {
        (0..self.rows.columns().len()).map(|column| self.value(column, self.first + number)).collect()
    }

    /// Another value for a column of the row `number`, as far as its generator makes one within a few tries.
    ///
    /// # Errors
    /// As of [`row`](Self::row).
    pub(crate) fn other_value(&self, column: &Updated, number: u64) -> draw::Result<Parameter> {
        let row = self.first + number;
        let own = self.value(column.index, row)?;
        // Of rows that are not inserted, in case values are unique.
        for attempt in 1..=TRIES {
            let other = self.value(column.index, row + attempt * SPAN)?;
            if other != own {
                return Ok(other);
            }
        }
        Ok(own)
    }

    fn value(&self, column: usize, row: u64) -> draw::Result<Parameter> {
        let mut bytes = Vec::new();
        let null = self.rows.write_value(column, row, &mut bytes)?;
        let format = if self.rows.is_sent_as_text(column) { Format::Text } else { Format::Binary };
        Ok(Parameter::new(bytes, null, format))
    }
}

async fn prepare(session: &UserSession, sql: &str) -> Result<Statement> {
    session.prepare(sql).await.map_err(|cause| Error::from_server("cannot prepare a write", cause))
}

/// A statement that has PostgreSQL tell how long it took and what it wrote.
async fn explained(session: &UserSession, sql: &str) -> Result<Statement> {
    prepare(session, &format!("EXPLAIN (ANALYZE, WAL, TIMING OFF, SUMMARY ON, FORMAT JSON) {sql}")).await
}

/// Columns with a part to play.
struct Keys {
    /// The table.
    oid: u32,
    /// Those that find a row, each with its operator of equality: the primary key, else its place.
    locator: Vec<(String, String)>,
    /// Those that are not updated: of the primary key and of partition keys.
    fixed: Vec<String>,
}

async fn keys(own: &Client, relation: &str) -> Result<Keys> {
    let query = "
        SELECT c.oid, array(SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
                            WHERE indrelid = c.oid AND indisprimary ORDER BY attnum),
               array(SELECT atttypid FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
                     WHERE indrelid = c.oid AND indisprimary ORDER BY attnum),
               array(SELECT attname::text FROM pg_partition_tree(c.oid) tree
                     JOIN pg_partitioned_table p ON p.partrelid = tree.relid
                     JOIN pg_attribute ON attrelid = p.partrelid AND attnum = ANY (p.partattrs)),
               c.relkind = 'p'
        FROM pg_class c WHERE c.oid = $1::text::regclass";
    let failed = |cause| Error::from_server(format!("cannot read the keys of {relation}"), cause);
    let row = own.query_one(query, &[&relation]).await.map_err(failed)?;
    let (primary, types, partition): (Vec<String>, Vec<u32>, Vec<String>) = (row.get(1), row.get(2), row.get(3));
    let place = |name: &str| (name.to_owned(), "OPERATOR(pg_catalog.=)".to_owned());
    let mut locator = Vec::new();
    for (name, ty) in primary.iter().zip(types) {
        locator.push((name.clone(), equality(own, ty).await.map_err(failed)?));
    }
    match (locator.is_empty(), row.get(4)) {
        (false, _) => {}
        (true, false) => locator.push(place("ctid")),
        (true, true) => locator.extend([place("tableoid"), place("ctid")]),
    }
    Ok(Keys { oid: row.get(0), locator, fixed: [primary, partition].concat() })
}

/// The row after the last one by what is in the table: a workload may have added rows whose keys go on as the dataset's do.
async fn first_free(own: &Client, relation: &str, table: &Table) -> Result<u64> {
    let query = "
        SELECT DISTINCT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indrelid = $1::text::regclass AND indisunique AND indisvalid AND atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)";
    let failed = |cause| Error::from_server(format!("cannot look for the last row of {relation}"), cause);
    let mut first = 0;
    for row in own.query(query, &[&relation]).await.map_err(failed)? {
        let name: String = row.get(0);
        let Some(Generator::Sequence { start, step }) =
            table.columns.iter().find(|column| column.name == name).map(|column| &column.generator)
        else {
            continue;
        };
        let (end, column) = (if *step > 0 { "max" } else { "min" }, quote_identifier(&name));
        let query = format!("SELECT {end}({column})::bigint FROM {relation}");
        let last: Option<i64> = own.query_one(&query, &[]).await.map_err(failed)?.get(0);
        if let Some(last) = last {
            let rows = (i128::from(last) - i128::from(*start)) / i128::from(*step) + 1;
            first = first.max(u64::try_from(rows).unwrap_or(0));
        }
    }
    Ok(first)
}
