//! What a scenario's schema says about the dataset in it: its mark and the ledger table `_latclinic_dataset`.

use std::collections::BTreeMap;

use super::{
    catalog::{MARK, qualified},
    ownership::{Other, other},
};
use crate::{
    pg::link::{
        Client,
        error::{Error, Result},
    },
    sqltext::quote::{quote_identifier, quote_literal},
};

/// The ledger's name.
const LEDGER: &str = "_latclinic_dataset";

/// A complete dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetFacts {
    /// SHA-256 of everything that determines the rows.
    pub recipe: String,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Bytes of these tables with their indexes and TOAST.
    pub bytes: u64,
}

/// What is in a scenario's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatasetState {
    /// There is no such schema.
    Absent,
    /// There is one, and it is not latclinic's: never to be touched.
    Foreign,
    /// There is one with latclinic's mark, and it belongs to another role: never to be trusted.
    Others(Other),
    /// A seed began and did not end.
    Incomplete,
    /// A seed ended.
    Complete(DatasetFacts),
}

/// Looks up what is in `schema`.
///
/// # Errors
/// When the server cannot be asked.
pub async fn dataset_state(client: &Client, schema: &str) -> Result<DatasetState> {
    let failed = |cause| Error::from_server(format!("cannot look up the dataset in schema {schema}"), cause);
    let ledger = qualified(schema, LEDGER);
    let row = client
        .query_opt(
            "SELECT coalesce(obj_description(n.oid, 'pg_namespace'), ''),
                    EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = $2)
             FROM pg_namespace n WHERE n.nspname = $1",
            &[&schema, &LEDGER],
        )
        .await
        .map_err(failed)?;
    let Some(row) = row else {
        return Ok(DatasetState::Absent);
    };
    if !row.get::<_, String>(0).starts_with(MARK) {
        return Ok(DatasetState::Foreign);
    }
    if let Some(other) = other(client, schema).await? {
        return Ok(DatasetState::Others(other));
    }
    if !row.get::<_, bool>(1) {
        return Ok(DatasetState::Incomplete);
    }
    let row = client
        .query_opt(&format!("SELECT recipe, rows::text FROM {ledger} WHERE state = 'complete'"), &[])
        .await
        .map_err(failed)?;
    let Some(row) = row else {
        return Ok(DatasetState::Incomplete);
    };
    let rows: BTreeMap<String, u64> = serde_json::from_str(row.get(1))
        .map_err(|cause| Error::new(format!("{ledger} holds rows that cannot be read: {cause}")))?;
    let tables: Vec<&str> = rows.keys().map(String::as_str).collect();
    let bytes: i64 = client
        .query_one(
            // A partitioned table has its rows in its partitions, and one that others inherit from a part of them in these.
            "WITH RECURSIVE tree(oid) AS (
                 SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = ANY($2)
                 UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON tree.oid = i.inhparent)
             SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM tree",
            &[&schema, &tables],
        )
        .await
        .map_err(failed)?
        .get(0);
    let bytes = u64::try_from(bytes).unwrap_or(0);
    Ok(DatasetState::Complete(DatasetFacts { recipe: row.get(0), rows, bytes }))
}

/// Makes the schema with its mark and a ledger that says `loading`; all or none. With `replace` what is there goes first.
pub(crate) async fn begin(
    client: &Client,
    (schema, scenario): (&str, &str),
    recipe: &str,
    rows: &BTreeMap<String, u64>,
    replace: bool,
) -> Result<()> {
    let name = quote_identifier(schema);
    let ledger = qualified(schema, LEDGER);
    let drop = if replace { format!("DROP SCHEMA {name} CASCADE;") } else { String::new() };
    let mark = quote_literal(&format!("{MARK}{scenario}. It drops and remakes this schema; keep nothing else in it."));
    let rows = quote_literal(&serde_json::json!(rows).to_string());
    let (recipe, version) = (quote_literal(recipe), quote_literal(env!("CARGO_PKG_VERSION")));
    let work = format!(
        "BEGIN; {drop}
         CREATE SCHEMA {name};
         COMMENT ON SCHEMA {name} IS {mark};
         CREATE TABLE {ledger} (recipe text NOT NULL, rows jsonb NOT NULL,
             state text NOT NULL CHECK (state IN ('loading', 'complete')),
             started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz, tool_version text NOT NULL);
         INSERT INTO {ledger} (recipe, rows, state, tool_version) VALUES ({recipe}, {rows}, 'loading', {version});
         COMMIT"
    );
    client.batch_execute(&work).await.map_err(|cause| {
        let lock_timeout = cause.code().is_some_and(|code| code.code() == "55P03");
        let error = Error::from_server(format!("cannot make the schema {schema}"), cause);
        if lock_timeout { error.with_hint("another session uses its tables: end it, then seed again") } else { error }
    })
}

/// Says that the load ended; durable when it returns, and so is everything that was committed before it.
pub(crate) async fn complete(client: &Client, schema: &str) -> Result<()> {
    let ledger = qualified(schema, LEDGER);
    client
        .batch_execute(&format!(
            "SET synchronous_commit = on; UPDATE {ledger} SET state = 'complete', finished_at = clock_timestamp()"
        ))
        .await
        .map_err(|cause| Error::from_server(format!("cannot mark the dataset in {schema} as complete"), cause))
}
