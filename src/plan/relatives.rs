//! Databases whose plans are PostgreSQL's with additions, told by what they add.

use std::fmt;

/// A database that grew out of PostgreSQL, or an extension that executes nodes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relative {
    /// `Storage Filter`, `YB Seq Scan`.
    YugabyteDb,
    /// `Gather Motion 3:1`.
    Greenplum,
    /// `Custom Scan (ChunkAppend)`.
    TimescaleDb,
    /// `Custom Scan (Citus Adaptive)`.
    Citus,
    /// `Custom Scan (columnar scan)`.
    AlloyDb,
    /// `aurora_storage_read=..`.
    Aurora,
    /// `LFC: hits=..`.
    Neon,
    /// `Custom Scan (DuckDBScan)`.
    PgDuckDb,
    /// `Custom Scan (ParadeDB Scan)`.
    ParadeDb,
    /// `Remote Subquery Scan on all`.
    PostgresXl,
    /// `Streaming(type: GATHER)`.
    OpenGauss,
    /// `PX Coordinator 4:1`.
    PolarDb,
}

/// How the name of a node or the key of a line begins that only one of them prints.
const SIGNS: &[(&str, Relative)] = &[
    ("YB ", Relative::YugabyteDb),
    ("Storage Filter", Relative::YugabyteDb),
    ("Storage Index Filter", Relative::YugabyteDb),
    ("Storage Table ", Relative::YugabyteDb),
    ("Storage Index ", Relative::YugabyteDb),
    ("Storage Read ", Relative::YugabyteDb),
    ("Storage Rows ", Relative::YugabyteDb),
    ("Storage Write ", Relative::YugabyteDb),
    ("Storage Execution Time", Relative::YugabyteDb),
    ("Storage Flush ", Relative::YugabyteDb),
    ("Remote Filter", Relative::YugabyteDb),
    ("Catalog Read ", Relative::YugabyteDb),
    ("Gather Motion", Relative::Greenplum),
    ("Redistribute Motion", Relative::Greenplum),
    ("Broadcast Motion", Relative::Greenplum),
    ("Explicit Redistribute Motion", Relative::Greenplum),
    ("Dynamic Seq Scan", Relative::Greenplum),
    ("Dynamic Index Scan", Relative::Greenplum),
    ("Dynamic Bitmap Heap Scan", Relative::Greenplum),
    ("Slice statistics", Relative::Greenplum),
    ("(slice", Relative::Greenplum),
    ("* (slice", Relative::Greenplum),
    ("Executor Memory", Relative::Greenplum),
    ("Partition Selector", Relative::Greenplum),
    ("Custom Scan (ChunkAppend)", Relative::TimescaleDb),
    ("Custom Scan (ConstraintAwareAppend)", Relative::TimescaleDb),
    ("Custom Scan (DecompressChunk)", Relative::TimescaleDb),
    // Citus has one of the same name, above no chunk.
    ("Custom Scan (ColumnarScan) on _hyper", Relative::TimescaleDb),
    ("Custom Scan (ColumnarScan) on _timescaledb", Relative::TimescaleDb),
    ("Custom Scan (SkipScan)", Relative::TimescaleDb),
    ("Custom Scan (VectorAgg)", Relative::TimescaleDb),
    ("Custom Scan (HypertableModify)", Relative::TimescaleDb),
    ("Custom Scan (ModifyHypertable)", Relative::TimescaleDb),
    ("Chunks excluded", Relative::TimescaleDb),
    ("Vectorized Filter", Relative::TimescaleDb),
    ("Vectorized Aggregation", Relative::TimescaleDb),
    ("Bulk Decompression", Relative::TimescaleDb),
    ("Batches decompressed", Relative::TimescaleDb),
    ("Batches Removed by Filter", Relative::TimescaleDb),
    ("Custom Scan (Citus", Relative::Citus),
    ("Columnar Projected Columns", Relative::Citus),
    ("Columnar Chunk Group", Relative::Citus),
    ("Task Count", Relative::Citus),
    ("Tasks Shown", Relative::Citus),
    ("Custom Scan (columnar scan)", Relative::AlloyDb),
    ("Columnar cache search mode", Relative::AlloyDb),
    ("Columnar Check", Relative::AlloyDb),
    ("Rows Removed by Columnar Filter", Relative::AlloyDb),
    ("Rows Aggregated by Columnar Scan", Relative::AlloyDb),
    ("Aurora", Relative::Aurora),
    ("aurora_", Relative::Aurora),
    ("LFC", Relative::Neon),
    ("File cache", Relative::Neon),
    ("Prefetch", Relative::Neon),
    ("Custom Scan (DuckDB", Relative::PgDuckDb),
    ("Custom Scan (ParadeDB", Relative::ParadeDb),
    ("Remote Subquery Scan", Relative::PostgresXl),
    ("Streaming", Relative::OpenGauss),
    ("PX Coordinator", Relative::PolarDb),
];

impl Relative {
    /// Whose the node or the line is that begins so; `None` where it may be anybody's.
    pub(crate) fn of(text: &str) -> Option<Self> {
        SIGNS.iter().find(|(sign, _)| text.starts_with(sign)).map(|(_, relative)| *relative)
    }
}

impl fmt::Display for Relative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::YugabyteDb => "YugabyteDB",
            Self::Greenplum => "Greenplum",
            Self::TimescaleDb => "TimescaleDB",
            Self::Citus => "Citus",
            Self::AlloyDb => "AlloyDB",
            Self::Aurora => "Amazon Aurora",
            Self::Neon => "Neon",
            Self::PgDuckDb => "pg_duckdb",
            Self::ParadeDb => "ParadeDB",
            Self::PostgresXl => "Postgres-XL",
            Self::OpenGauss => "openGauss",
            Self::PolarDb => "PolarDB",
        })
    }
}
