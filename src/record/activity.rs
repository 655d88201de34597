//! What the server counted while it was measured, as `record.json` keeps it.
//!
//! Every count is the difference of two readings of PostgreSQL's statistics views. A count that the server's version does
//! not have is null.

use serde::{Deserialize, Serialize};

/// What the server counted over the measured window. A part is null when it could not be read, or when its counters were
/// reset inside the window; a note says which and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerActivity {
    /// Seconds between the two readings, by the server's clock; null when there are not two.
    pub length_s: Option<f64>,
    /// The whole database, whoever used it.
    pub database: Option<DatabaseActivity>,
    /// The scenario's tables.
    pub tables: Option<Vec<TableActivity>>,
    /// Their indexes.
    pub indexes: Option<Vec<IndexActivity>>,
    /// Write-ahead log of the whole server.
    pub wal: Option<WalActivity>,
    /// Checkpoints and background writing of the whole server.
    pub checkpoints: Option<CheckpointActivity>,
    /// Reads and writes of the whole server's relations by kind of process; those that did none are left out.
    pub io: Option<Vec<IoActivity>>,
    /// The database's costliest statements by total time, from `pg_stat_statements`.
    pub statements: Option<Vec<StatementActivity>>,
    /// What could not be read and why.
    pub notes: Vec<String>,
}

/// From `pg_stat_database`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseActivity {
    /// Transactions committed.
    pub commits: Option<u64>,
    /// Transactions rolled back.
    pub rollbacks: Option<u64>,
    /// Buffers found in the cache.
    pub buffers_hit: Option<u64>,
    /// Buffers read from outside it.
    pub buffers_read: Option<u64>,
    /// Time spent reading them, in milliseconds; null while `track_io_timing` is off.
    pub read_ms: Option<f64>,
    /// Rows that scans went through.
    pub rows_returned: Option<u64>,
    /// Rows fetched by index scans.
    pub rows_fetched: Option<u64>,
    /// Rows inserted.
    pub rows_inserted: Option<u64>,
    /// Rows updated.
    pub rows_updated: Option<u64>,
    /// Rows deleted.
    pub rows_deleted: Option<u64>,
    /// Temporary files made by queries.
    pub temp_files: Option<u64>,
    /// Bytes written to them.
    pub temp_bytes: Option<u64>,
    /// Deadlocks.
    pub deadlocks: Option<u64>,
}

/// From `pg_stat_user_tables` and `pg_statio_user_tables`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableActivity {
    /// The table.
    pub name: String,
    /// Sequential scans.
    pub sequential_scans: Option<u64>,
    /// Rows they read.
    pub sequential_rows: Option<u64>,
    /// Index scans.
    pub index_scans: Option<u64>,
    /// Rows they fetched.
    pub index_rows: Option<u64>,
    /// Rows inserted.
    pub rows_inserted: Option<u64>,
    /// Rows updated.
    pub rows_updated: Option<u64>,
    /// Of these, without a new index entry (heap-only tuples).
    pub rows_hot_updated: Option<u64>,
    /// Rows deleted.
    pub rows_deleted: Option<u64>,
    /// Dead rows at the end of the window.
    pub dead_rows: Option<u64>,
    /// Runs of autovacuum.
    pub autovacuums: Option<u64>,
    /// Runs of autoanalyze.
    pub autoanalyzes: Option<u64>,
    /// When autovacuum last ended; null when it never ran.
    pub last_autovacuum: Option<jiff::Timestamp>,
    /// When autoanalyze last ended; null when it never ran.
    pub last_autoanalyze: Option<jiff::Timestamp>,
    /// Buffers of the table itself found in the cache.
    pub heap_hit: Option<u64>,
    /// Buffers of the table itself read from outside it.
    pub heap_read: Option<u64>,
    /// Buffers of its indexes found in the cache.
    pub index_hit: Option<u64>,
    /// Buffers of its indexes read from outside it.
    pub index_read: Option<u64>,
    /// Buffers of its TOAST table found in the cache; null without one.
    pub toast_hit: Option<u64>,
    /// Buffers of its TOAST table read from outside it; null without one.
    pub toast_read: Option<u64>,
}

/// From `pg_stat_user_indexes` and `pg_statio_user_indexes`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IndexActivity {
    /// The index.
    pub name: String,
    /// Its table.
    pub table: String,
    /// Scans.
    pub scans: Option<u64>,
    /// Entries they returned.
    pub entries_read: Option<u64>,
    /// Buffers found in the cache.
    pub buffers_hit: Option<u64>,
    /// Buffers read from outside it.
    pub buffers_read: Option<u64>,
}

/// From `pg_stat_wal`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WalActivity {
    /// Records.
    pub records: Option<u64>,
    /// Full page images, which the first change of a page after a checkpoint writes.
    pub full_page_images: Option<u64>,
    /// Bytes.
    pub bytes: Option<u64>,
    /// Times that it was written because its buffers were full.
    pub buffers_full: Option<u64>,
}

/// From `pg_stat_checkpointer` and `pg_stat_bgwriter`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckpointActivity {
    /// Begun because `checkpoint_timeout` was over.
    pub timed: Option<u64>,
    /// Begun because somebody or `max_wal_size` asked for one.
    pub requested: Option<u64>,
    /// Time spent writing buffers, in milliseconds.
    pub write_ms: Option<f64>,
    /// Time spent syncing files, in milliseconds.
    pub sync_ms: Option<f64>,
    /// Buffers that checkpoints wrote.
    pub buffers_written: Option<u64>,
    /// Buffers that the background writer wrote.
    pub buffers_cleaned: Option<u64>,
    /// Buffers that were newly taken.
    pub buffers_allocated: Option<u64>,
}

/// From `pg_stat_io`: relations, temporary ones too, in all contexts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IoActivity {
    /// Kind of process: `client backend`.
    pub backend_type: String,
    /// Reads.
    pub reads: Option<u64>,
    /// Writes.
    pub writes: Option<u64>,
    /// Extensions of a relation.
    pub extends: Option<u64>,
    /// Buffers found in the cache.
    pub hits: Option<u64>,
    /// Buffers that were thrown out for another one.
    pub evictions: Option<u64>,
    /// Syncs.
    pub fsyncs: Option<u64>,
}

/// From `pg_stat_statements`: a statement with its constants taken out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StatementActivity {
    /// Its text, or what the server shows instead to a role that may not see it.
    pub query: String,
    /// Executions.
    pub calls: u64,
    /// Time in the executor, in milliseconds.
    pub total_ms: f64,
    /// `total_ms / calls`.
    pub mean_ms: f64,
    /// Rows returned or changed.
    pub rows: Option<u64>,
    /// Shared buffers found in the cache.
    pub buffers_hit: Option<u64>,
    /// Shared buffers read from outside it.
    pub buffers_read: Option<u64>,
    /// Temporary blocks read.
    pub temp_blocks_read: Option<u64>,
    /// Temporary blocks written.
    pub temp_blocks_written: Option<u64>,
    /// Bytes of write-ahead log.
    pub wal_bytes: Option<u64>,
}
