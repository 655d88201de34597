//! Keys and indexes of a dataset's tables: taken away before the load, rebuilt after it.
//!
//! A person writes ordinary DDL; what it made is read back from the catalog, so that names and definitions stay as written.
//! What neither `pg_get_constraintdef` nor `pg_get_indexdef` tells is lost: comments on indexes, per-index statistics targets,
//! `CLUSTER ON` and `REPLICA IDENTITY USING INDEX`.
//!
//! Definitions are printed for the path in which they are run again, the scenario's: an operator that is hidden there has its schema.

use super::catalog::qualified;
use crate::{
    pg::link::{
        Client,
        error::{Error, Result},
        path,
    },
    sqltext::quote::quote_identifier,
};

/// Something taken away, and how it is built again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Taken {
    table: String,
    name: String,
    drop: String,
    build: String,
    foreign: bool,
}

/// Keys and indexes that were taken away.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    taken: Vec<Taken>,
}

/// A statement and, for errors, what it builds.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    pub(crate) what: String,
    pub(crate) statement: String,
}

/// Primary and unique keys, exclusion constraints, and foreign keys from or to the tables; partitions follow their parents.
const CONSTRAINTS: &str = "
    WITH printed AS MATERIALIZED (SELECT set_config('search_path', $3, true))
    SELECT t.relname::text, c.conname::text, pg_get_constraintdef(c.oid), c.contype = 'f'
    FROM printed CROSS JOIN pg_constraint c
    JOIN pg_class t ON t.oid = c.conrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = $1
    LEFT JOIN pg_class r ON r.oid = c.confrelid AND r.relnamespace = n.oid
    WHERE c.conparentid = 0
      AND (c.contype IN ('p', 'u', 'x', 'f') AND t.relname = ANY($2) OR c.contype = 'f' AND r.relname = ANY($2))
    ORDER BY c.contype <> 'f', t.relname, c.contype, c.conname";

/// Indexes that no constraint owns.
const INDEXES: &str = "
    WITH printed AS MATERIALIZED (SELECT set_config('search_path', $3, true))
    SELECT t.relname::text, i.relname::text, pg_get_indexdef(i.oid)
    FROM printed CROSS JOIN pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = $1
    WHERE t.relname = ANY($2) AND NOT i.relispartition
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
    ORDER BY t.relname, i.relname";

impl Keys {
    /// Takes away the keys and indexes of `tables` in `schema`, all or none.
    ///
    /// # Errors
    /// When the catalog cannot be read or something cannot be dropped.
    pub(crate) async fn take(client: &Client, schema: &str, tables: &[&str]) -> Result<Self> {
        let failed = |cause| Error::from_server("cannot read the keys and indexes", cause);
        let path = path::of_schema(schema);
        let mut taken = Vec::new();
        for row in client.query(CONSTRAINTS, &[&schema, &tables, &path]).await.map_err(failed)? {
            let (table, name, definition): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            let alter = format!("ALTER TABLE {}", qualified(schema, &table));
            let constraint = quote_identifier(&name);
            taken.push(Taken {
                drop: format!("{alter} DROP CONSTRAINT {constraint}"),
                build: format!("{alter} ADD CONSTRAINT {constraint} {definition}"),
                foreign: row.get(3),
                table,
                name,
            });
        }
        for row in client.query(INDEXES, &[&schema, &tables, &path]).await.map_err(failed)? {
            let (table, name): (String, String) = (row.get(0), row.get(1));
            taken.push(Taken {
                drop: format!("DROP INDEX {}", qualified(schema, &name)),
                build: row.get(2),
                foreign: false,
                table,
                name,
            });
        }
        if !taken.is_empty() {
            let drops: Vec<&str> = taken.iter().map(|taken| taken.drop.as_str()).collect();
            client
                .batch_execute(&format!("BEGIN; {}; COMMIT", drops.join("; ")))
                .await
                .map_err(|cause| Error::from_server("cannot put the keys and indexes aside for the load", cause))?;
        }
        Ok(Self { taken })
    }

    /// What rebuilds the keys and indexes of each table; lists of different tables may run at once.
    pub(crate) fn by_table(&self) -> Vec<Vec<Build>> {
        let mut lists: Vec<(&str, Vec<Build>)> = Vec::new();
        for taken in self.taken.iter().filter(|taken| !taken.foreign) {
            match lists.iter_mut().find(|(table, _)| *table == taken.table) {
                Some((_, list)) => list.push(taken.build()),
                None => lists.push((&taken.table, vec![taken.build()])),
            }
        }
        lists.into_iter().map(|(_, list)| list).collect()
    }

    /// What rebuilds the foreign keys, after everything else and one after the other: each locks two tables.
    pub(crate) fn foreign(&self) -> Vec<Build> {
        self.taken.iter().filter(|taken| taken.foreign).map(Taken::build).collect()
    }
}

impl Taken {
    fn build(&self) -> Build {
        Build { what: format!("{} on {}", self.name, self.table), statement: self.build.clone() }
    }
}

/// Sets the sequences that feed columns of a table past what the load put there, so that inserts find free numbers.
///
/// # Errors
/// When a sequence cannot be read or set.
pub(crate) async fn advance_sequences(client: &Client, schema: &str, table: &str) -> Result<()> {
    let failed = |cause| Error::from_server(format!("cannot advance the sequences of {table}"), cause);
    let relation = qualified(schema, table);
    let rows = client
        .query(
            "SELECT attname::text, pg_get_serial_sequence($1, attname::text) FROM pg_attribute
             WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
               AND pg_get_serial_sequence($1, attname::text) IS NOT NULL",
            &[&relation],
        )
        .await
        .map_err(failed)?;
    for row in rows {
        let (column, sequence): (String, String) = (row.get(0), row.get(1));
        let column = quote_identifier(&column);
        client
            .execute(
                &format!("SELECT setval($1::text::regclass, max({column})) FROM {relation} HAVING max({column}) > 0"),
                &[&sequence],
            )
            .await
            .map_err(failed)?;
    }
    Ok(())
}
