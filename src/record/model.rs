//! The shape of `record.json`.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Version of the shape written by this build. A reader of a newer one stops and says so; an older one is read.
pub const FORMAT: u32 = 1;

/// Whether the fix is absent or present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The fix is absent.
    Before,
    /// The fix is present.
    After,
}

/// One measurement of one phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this shape.
    pub format: u32,
    /// Scenario id.
    pub scenario: String,
    /// The phase that was measured.
    pub phase: Phase,
    /// Begin of the measured window, UTC.
    pub started_at: jiff::Timestamp,
    /// Whether the measurement ended before its time; its figures cover what was measured so far.
    pub interrupted: bool,
    /// Why it ended before its time, in words; null when it did not.
    pub interrupted_by: Option<String>,
    /// The program that measured.
    pub tool: Tool,
    /// The machine that ran the load.
    pub machine: Machine,
    /// The server that was measured.
    pub server: Server,
    /// The data that was measured.
    pub dataset: DatasetInfo,
    /// The fix between the phases.
    pub fix: FixInfo,
    /// The load that was driven.
    pub load: LoadInfo,
    /// Length of the measured window in seconds, as it was.
    pub measured_s: f64,
    /// The part of it in which operations were sent; throughput is operations by this.
    pub sending_s: f64,
    /// Counts over all statements.
    pub totals: Totals,
    /// Response time over all statements.
    pub latency_ms: Latency,
    /// Service time over all statements.
    pub service_ms: Latency,
    /// Lag over all statements.
    pub lag_ms: Latency,
    /// The same figures by statement.
    pub statements: Vec<StatementFigures>,
    /// Errors by SQLSTATE.
    pub errors: Vec<ErrorCount>,
    /// The measured window in slices of a second.
    pub slices: Vec<Slice>,
    /// What the load cost the client.
    pub client: Client,
    /// Figures of the plans captured in this phase; empty when none were.
    pub plans: Vec<PlanFigures>,
    /// What a reader has to know before believing the figures.
    pub warnings: Vec<Warning>,
}

/// The program that measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Version of latclinic.
    pub version: String,
    /// Commit it was built from; null outside a checkout.
    pub commit: Option<String>,
}

/// The machine that ran the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system and its version.
    pub os: String,
    /// Kernel version.
    pub kernel: String,
    /// Processor's name.
    pub cpu: String,
    /// Logical processors.
    pub cores: u32,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
}

/// The server that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `server_version`, such as `15.18`.
    pub version: String,
    /// Whether it is latclinic's own.
    pub managed: bool,
    /// Settings that bear on speed, as `SHOW` prints them.
    pub settings: BTreeMap<String, String>,
}

/// The data that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// SHA-256 of everything that determines the rows.
    pub recipe: String,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Bytes of the scenario's tables with their indexes and TOAST.
    pub bytes: u64,
}

/// The fix between the phases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixInfo {
    /// One line for a person.
    pub title: String,
    /// SHA-256 of its up statements.
    pub up_sha256: String,
    /// SHA-256 of its down statements.
    pub down_sha256: String,
}

/// The load that was driven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadInfo {
    /// `closed` or `open`.
    pub model: String,
    /// Concurrent clients.
    pub clients: u32,
    /// Threads that drove them.
    pub threads: u32,
    /// Arrivals a second; null in a closed load.
    pub rate: Option<f64>,
    /// Seconds asked for.
    pub duration_s: f64,
    /// Seconds discarded before.
    pub warmup_s: f64,
    /// Seed of the statement mix and the parameters.
    pub random_seed: u64,
}

/// Counts over the measured window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Operations that ended, with and without error.
    pub operations: u64,
    /// Operations that ended in an error.
    pub errors: u64,
    /// Operations without error a second.
    pub throughput_per_s: f64,
    /// `errors / operations`; 0 when there were none.
    pub error_rate: f64,
}

/// A distribution of times in milliseconds. A percentile that the samples cannot support is null.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Least; null without samples.
    pub min: Option<f64>,
    /// Mean; null without samples.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// Greatest; null without samples.
    pub max: Option<f64>,
    /// Samples behind the figures.
    pub samples: u64,
}

/// Figures of one statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementFigures {
    /// Its name in the workload.
    pub name: String,
    /// Its text.
    pub sql: String,
    /// Its weight in the mix.
    pub weight: f64,
    /// Counts.
    pub totals: Totals,
    /// Response time.
    pub latency_ms: Latency,
    /// Service time.
    pub service_ms: Latency,
    /// Lag.
    pub lag_ms: Latency,
}

/// Errors of one SQLSTATE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCount {
    /// SQLSTATE, or `connection` where the server sent none.
    pub sqlstate: String,
    /// How many.
    pub count: u64,
    /// One of the messages.
    pub sample: String,
}

/// One second of the measured window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Begin, seconds from the begin of the measured window.
    pub start_s: f64,
    /// Length in seconds; the last one may be shorter.
    pub length_s: f64,
    /// Counts of the slice.
    pub totals: Totals,
    /// Response time of the operations that ended in it.
    pub latency_ms: Latency,
}

/// What the load cost the client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// User and system time of latclinic during the window, in seconds.
    pub cpu_s: f64,
    /// `cpu_s` as a share of the window times the threads, 0 to 1.
    pub cpu_share: f64,
}

/// Figures of one captured plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFigures {
    /// Statement's name.
    pub statement: String,
    /// `hot`, `typical`, `cold` or `absent`.
    pub class: String,
    /// The parameter values, as a person reads them.
    pub parameters: Vec<String>,
    /// Node types and relations from the root down the first child, such as `Limit > Sort > Seq Scan on events`.
    pub shape: String,
    /// Distinct ways that relations are read, such as `Seq Scan on events`.
    pub scans: Vec<String>,
    /// Planning time in milliseconds.
    pub planning_ms: f64,
    /// Execution time in milliseconds.
    pub execution_ms: f64,
    /// Rows that scans read: those they returned and those their filters removed, over all loops.
    pub rows_read: u64,
    /// Rows the plan returned.
    pub rows_returned: u64,
    /// Shared buffers found in the cache.
    pub buffers_hit: u64,
    /// Shared buffers read from outside the cache.
    pub buffers_read: u64,
}

/// What a reader has to know before believing the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable id, such as `too-few-samples`.
    pub id: String,
    /// What is the matter, with its figures.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

impl Phase {
    /// `before` or `after`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
