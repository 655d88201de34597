//! The load that was driven, as `record.json` keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The load that was driven. What records of earlier builds lack is what those builds did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadInfo {
    /// `closed` or `open`.
    pub model: String,
    /// Concurrent clients; in a closed load with stages the most there are at once.
    pub clients: u32,
    /// Threads that drove them.
    pub threads: u32,
    /// Arrivals a second, with stages the greatest there is; null in a closed load.
    pub rate: Option<f64>,
    /// How arrivals are spread: `poisson` or `constant`; null in a closed load.
    #[serde(default)]
    pub arrivals: Option<String>,
    /// Mean time between an operation's end and the next one's begin, in seconds; null without one.
    #[serde(default)]
    pub think_time_s: Option<f64>,
    /// How think times vary: `constant` or `exponential`; null without one.
    #[serde(default)]
    pub think_distribution: Option<String>,
    /// Wait in seconds after which an arrival is not sent but skipped; null without one.
    #[serde(default)]
    pub latency_limit_s: Option<f64>,
    /// How the clients or the rate go over the measured time; empty when they stay as they are.
    #[serde(default)]
    pub stages: Vec<LoadStage>,
    /// Seconds asked for; where `enough` ends a block before its time, the most that there may be.
    pub duration_s: f64,
    /// When a block ended before its time: once both were reached. Null where only the time ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enough: Option<EnoughInfo>,
    /// Seconds discarded before.
    pub warmup_s: f64,
    /// Seed of the statement mix, the parameters, the arrivals and the think times.
    pub random_seed: u64,
    /// How statements are sent: `simple`, `extended` or `prepared`.
    #[serde(default = "prepared")]
    pub protocol: String,
    /// Whose connections they are: `client` (each has one), `operation` (each opens one) or `pool`.
    #[serde(default = "client")]
    pub connections: String,
    /// The pool; null without one.
    #[serde(default)]
    pub pool: Option<PoolInfo>,
    /// `statement_timeout` of every session in seconds; null where the server's was left.
    #[serde(default)]
    pub statement_timeout_s: Option<f64>,
    /// What else was SET in every session.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// How often an operation may be tried again after a serialization failure or a deadlock.
    #[serde(default)]
    pub retries: u32,
    /// Share of errors, 0 to 1, above which the measurement is given up.
    #[serde(default = "never")]
    pub error_limit: f64,
}

/// When a block has lasted long enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EnoughInfo {
    /// Operations that ended without an error.
    pub samples: u64,
    /// Seconds.
    pub time_s: f64,
}

/// A stretch of the measured time in which the clients or the rate go linearly from one value to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoadStage {
    /// Its length in seconds.
    pub duration_s: f64,
    /// Clients or arrivals a second at its begin.
    pub from: f64,
    /// The same at its end.
    pub to: f64,
}

/// A pool of connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolInfo {
    /// Most connections.
    pub size: u32,
    /// Seconds after which a client that waits for one gives up; null waits for ever.
    pub wait_timeout_s: Option<f64>,
    /// What is done with a connection before it is handed out again: `fast`, `verified` or `clean`.
    pub recycling: String,
}

fn prepared() -> String {
    "prepared".into()
}

fn client() -> String {
    "client".into()
}

fn never() -> f64 {
    1.0
}
