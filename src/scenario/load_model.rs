//! The load of a checked scenario.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{block_length::BlockLength, seconds::as_seconds};

/// What the load is unless flags say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadDefaults {
    /// When operations are sent.
    pub model: LoadModel,
    /// Concurrent clients, at least 1; in a closed load with stages the most there are at once.
    pub clients: u32,
    /// How the number of clients (closed) or the rate (open) goes over the measured time; empty when it stays as it is.
    pub stages: Vec<Stage>,
    /// Discarded time before the measurement.
    #[serde(rename = "warmup_s", serialize_with = "as_seconds")]
    pub warmup: Duration,
    /// Measured time, above 0; with stages the sum of theirs.
    #[serde(rename = "duration_s", serialize_with = "as_seconds")]
    pub duration: Duration,
    /// Length of a block of a run in rounds; `None` where the file says nothing.
    pub block: Option<BlockLength>,
    /// Seed of the statement mix, the parameters and the arrivals.
    pub seed: u64,
    /// How clients reach the server.
    pub connections: Connections,
    /// How often an operation is tried again after a serialization failure or a deadlock.
    pub retries: u32,
    /// Share of errors, 0 to 1, above which the measurement is given up; 1 never gives it up.
    pub error_limit: f64,
}

/// When operations are sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadModel {
    /// A client sends its next operation when its last one has ended and the think time is over.
    Closed {
        /// Time between an operation's end and the next one's begin.
        think_time: Option<ThinkTime>,
    },
    /// Operations arrive at a rate, whether or not earlier ones have ended.
    Open {
        /// Arrivals a second, above 0; with stages the greatest there is.
        rate: f64,
        /// How they are spread.
        arrivals: Arrivals,
        /// An arrival that has waited longer than this when a client is free is not sent but counted as skipped.
        #[serde(rename = "latency_limit_s", serialize_with = "as_optional_seconds")]
        latency_limit: Option<Duration>,
    },
}

/// How arrivals are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Independent of each other, as those of many users are.
    #[default]
    Poisson,
    /// At equal distances.
    Constant,
}

/// Time between an operation's end and the next one's begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ThinkTime {
    /// Its mean.
    #[serde(rename = "mean_s", serialize_with = "as_seconds")]
    pub mean: Duration,
    /// How it varies.
    pub distribution: ThinkDistribution,
}

/// How think times vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThinkDistribution {
    /// They do not.
    #[default]
    Constant,
    /// Exponentially.
    Exponential,
}

/// A stretch of the measured time in which the number of clients or the rate goes linearly from one value to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stage {
    /// Its length, above 0.
    #[serde(rename = "duration_s", serialize_with = "as_seconds")]
    pub duration: Duration,
    /// Clients or arrivals a second at its begin.
    pub from: f64,
    /// The same at its end.
    pub to: f64,
}

/// How clients reach the server.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Connections {
    /// Whose connections they are.
    pub sharing: Sharing,
    /// How statements are sent.
    pub protocol: Protocol,
    /// `statement_timeout` of every session; `None` leaves it as the server has it.
    #[serde(rename = "statement_timeout_s", serialize_with = "as_optional_seconds")]
    pub statement_timeout: Option<Duration>,
    /// What else is SET in every session.
    pub settings: BTreeMap<String, String>,
}

/// Whose connections they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Each client has one of its own.
    #[default]
    Client,
    /// Each operation opens one and closes it.
    Operation,
    /// Clients share a pool.
    Pool(Pool),
}

/// A pool of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// Most connections, at least 1.
    pub size: u32,
    /// How long a client waits for one before its operation fails; `None` waits for ever.
    #[serde(rename = "wait_timeout_s", serialize_with = "as_optional_seconds")]
    pub wait_timeout: Option<Duration>,
    /// What is done with a connection before it is handed out again.
    pub recycling: Recycling,
}

/// What is done with a pooled connection before it is handed out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recycling {
    /// It is only looked at: one that is closed is replaced.
    #[default]
    Fast,
    /// It answers an empty query first.
    Verified,
    /// Its session state is discarded, except prepared statements.
    Clean,
}

/// How statements are sent, in the words of pgbench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// As text with the values in it.
    Simple,
    /// Parsed, bound and executed each time.
    Extended,
    /// Parsed once a connection, then bound and executed.
    #[default]
    Prepared,
}

fn as_optional_seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_some(&duration.as_secs_f64()),
        None => serializer.serialize_none(),
    }
}

impl LoadDefaults {
    /// `clients` clients in a closed load without think time, each with a connection of its own.
    pub fn closed(clients: u32, warmup: Duration, duration: Duration, seed: u64) -> Self {
        Self {
            model: LoadModel::Closed { think_time: None },
            clients,
            stages: Vec::new(),
            warmup,
            duration,
            block: None,
            seed,
            connections: Connections::default(),
            retries: 0,
            error_limit: 1.0,
        }
    }
}
