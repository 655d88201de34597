//! What a record keeps of the server.

use std::collections::BTreeMap;

use tokio_postgres::error::SqlState;

use crate::{
    pg::link::{
        Client, Limit,
        error::{Error, Result},
    },
    record::Server,
};

/// Settings that bear on speed. Which of them there are depends on the version, and some are hidden from roles without
/// `pg_read_all_settings`.
const SETTINGS: [&str; 45] = [
    "autovacuum",
    "autovacuum_analyze_scale_factor",
    "autovacuum_naptime",
    "autovacuum_vacuum_scale_factor",
    "bgwriter_delay",
    "checkpoint_completion_target",
    "checkpoint_timeout",
    "commit_delay",
    "cpu_index_tuple_cost",
    "cpu_operator_cost",
    "cpu_tuple_cost",
    "data_checksums",
    "default_statistics_target",
    "default_transaction_isolation",
    "effective_cache_size",
    "effective_io_concurrency",
    "fsync",
    "full_page_writes",
    "hash_mem_multiplier",
    "huge_pages",
    "io_method",
    "io_workers",
    "jit",
    "jit_above_cost",
    "log_min_duration_statement",
    "log_statement",
    "maintenance_work_mem",
    "max_connections",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "max_wal_size",
    "min_wal_size",
    "plan_cache_mode",
    "random_page_cost",
    "seq_page_cost",
    "shared_buffers",
    "shared_preload_libraries",
    "synchronous_commit",
    "synchronous_standby_names",
    "temp_buffers",
    "track_activities",
    "track_io_timing",
    "wal_compression",
    "wal_level",
    "work_mem",
];

/// Version and settings of the server behind `client`; `managed` says whether it is latclinic's own.
///
/// # Errors
/// The server cannot be asked.
pub async fn server_facts(client: &Client, managed: bool) -> Result<Server> {
    let rows = client
        .query(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY($1) OR name = 'server_version'",
            &[&SETTINGS.as_slice()],
        )
        .await
        .map_err(|cause| Error::from_server("cannot read the server's settings", cause))?;
    let mut settings: BTreeMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    // Distributions add their package's version: `15.18 (Debian 15.18-0+deb12u1)`.
    let version = settings.remove("server_version").unwrap_or_default();
    let version = version.split_whitespace().next().unwrap_or_default().to_owned();
    Ok(Server { version, managed, settings })
}

/// Writes what the server has yet to write, so that what is measured next pays for its own writes only. A role that may not ask
/// for a checkpoint measures without one.
///
/// # Errors
/// The server cannot be asked.
pub async fn checkpoint(client: &Client) -> Result<()> {
    let _limit = client.limited(Limit::Work);
    match client.batch_execute("CHECKPOINT").await {
        Err(cause) if cause.code() != Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            Err(Error::from_server("cannot make a checkpoint", cause))
        }
        _ => Ok(()),
    }
}
