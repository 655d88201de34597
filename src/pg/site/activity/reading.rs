//! The statistics views at one moment.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::statements;
use crate::{
    pg::link::{Client, Fault, error::server_words},
    sqltext::quote::quote_literal,
};

/// One row of a view: what each of its columns says. Which columns there are depends on the server's version.
pub(crate) type Counters = Map<String, Value>;

/// Rows by what identifies them; a view of one row has it under the empty name.
pub(crate) type Rows = BTreeMap<String, Counters>;

/// A part of a reading: its rows, none where the server has no such view, or why it cannot be read.
pub(crate) type Part = Result<Option<Rows>, String>;

/// What stands behind the SELECT of every query of this module, so that it leaves itself out of what it reads.
pub(crate) const OWN: &str = "/* latclinic statistics */";

/// The statistics views at one moment.
pub(crate) struct Reading {
    /// Seconds since 1970 by the server's clock.
    pub(crate) at: f64,
    /// Whether the server measures how long it reads.
    pub(crate) times_io: bool,
    pub(crate) database: Part,
    pub(crate) tables: Part,
    pub(crate) indexes: Part,
    pub(crate) wal: Part,
    pub(crate) archiver: Part,
    pub(crate) bgwriter: Part,
    pub(crate) checkpointer: Part,
    pub(crate) io: Part,
    pub(crate) statements: Part,
}

impl Reading {
    /// Reads all of them. Fails only when the server cannot be asked at all.
    pub(crate) async fn take(client: &Client, schema: &str) -> Result<Self, String> {
        let row = client
            .query_one(
                &format!("SELECT {OWN} extract(epoch FROM clock_timestamp())::float8, current_setting('track_io_timing') = 'on',
                        array(SELECT relname::text FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
                              AND relkind = 'v' AND relname LIKE 'pg_stat%')"),
                &[],
            )
            .await
            .map_err(|cause| failure("statistics", &cause))?;
        let there: Vec<String> = row.get(2);
        let of_schema = |view: &str, id: &str| {
            format!(
                "s.{id}::text, to_jsonb(s) || to_jsonb(io) FROM pg_stat_{view} s JOIN pg_statio_{view} io USING ({id})
                 WHERE s.schemaname = {}",
                quote_literal(schema)
            )
        };
        let single = |view: &str| format!("'', to_jsonb(s) FROM {view} s");
        let view = async |name: &str, sql: String| {
            if there.iter().any(|there| there == name) { rows(client, name, &sql).await.map(Some) } else { Ok(None) }
        };
        Ok(Self {
            at: row.get(0),
            times_io: row.get(1),
            database: view(
                "pg_stat_database",
                "'', to_jsonb(s) FROM pg_stat_database s WHERE datname = current_database()".to_owned(),
            )
            .await,
            tables: view("pg_stat_user_tables", of_schema("user_tables", "relid")).await,
            indexes: view("pg_stat_user_indexes", of_schema("user_indexes", "indexrelid")).await,
            wal: view("pg_stat_wal", single("pg_stat_wal")).await,
            archiver: view("pg_stat_archiver", single("pg_stat_archiver")).await,
            bgwriter: view("pg_stat_bgwriter", single("pg_stat_bgwriter")).await,
            checkpointer: view("pg_stat_checkpointer", single("pg_stat_checkpointer")).await,
            io: view(
                "pg_stat_io",
                "backend_type, jsonb_build_object('backend_type', backend_type, 'reads', sum(reads), 'writes', sum(writes), 'extends', sum(extends),
                        'hits', sum(hits), 'evictions', sum(evictions), 'fsyncs', sum(fsyncs), 'stats_reset', max(stats_reset))
                 FROM pg_stat_io WHERE object IN ('relation', 'temp relation') GROUP BY backend_type"
                    .to_owned(),
            )
            .await,
            statements: statements::read(client).await,
        })
    }
}

/// The rows of a query, written without its SELECT, that gives what identifies each, and its columns as one JSON object.
pub(crate) async fn rows(client: &Client, name: &str, query: &str) -> Result<Rows, String> {
    let rows = client.query(&format!("SELECT {OWN} {query}"), &[]).await.map_err(|cause| failure(name, &cause))?;
    Ok(rows
        .iter()
        .filter_map(|row| match row.get(1) {
            Value::Object(counters) => Some((row.get(0), counters)),
            _ => None,
        })
        .collect())
}

/// Why something was not read.
pub(crate) fn failure(what: &str, cause: &Fault) -> String {
    format!("cannot read {what}: {}", server_words(cause))
}
