//! The load as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::load_model::{Arrivals, Protocol, Recycling, ThinkDistribution};

/// What the load is unless flags say otherwise: closed, or open where it has a rate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::scenario) struct Load {
    /// Concurrent clients; 8 unless given.
    #[schemars(range(min = 1, max = 10_000))]
    pub(in crate::scenario) clients: Option<u32>,
    /// Operations that arrive in a second or a minute, whether or not earlier ones have ended: `500/s`, `30/min`. Without it a
    /// client sends its next operation when its last one has ended.
    #[schemars(extend("examples" = ["500/s", "30/min"]))]
    pub(in crate::scenario) rate: Option<String>,
    /// How arrivals are spread over time; `poisson` unless given. Only with a rate.
    pub(in crate::scenario) arrivals: Option<Arrivals>,
    /// An operation that would begin later than this after its arrival is skipped, and counted; without it none is. Only with
    /// a rate.
    #[schemars(extend("examples" = ["500ms"]))]
    pub(in crate::scenario) latency_limit: Option<String>,
    /// Pause of a client between two operations; none unless given. Only without a rate.
    pub(in crate::scenario) think_time: Option<ThinkTime>,
    /// How the number of clients or the rate changes over the measured time, one stretch after the other.
    #[schemars(length(min = 1))]
    pub(in crate::scenario) stages: Option<Vec<Stage>>,
    /// Time before the measurement, not counted: `5s`, `1m 30s`; `5s` unless given.
    #[schemars(extend("examples" = ["5s", "0s"]))]
    pub(in crate::scenario) warmup: Option<String>,
    /// Measured time: `20s` unless given; with stages the sum of theirs.
    #[schemars(extend("examples" = ["20s", "1m 30s"]))]
    pub(in crate::scenario) duration: Option<String>,
    /// Length of a block of `latclinic run`, which measures both phases in turns: `5s`, or two bounds, `2s..20s`, between which a block
    /// of a closed load ends as soon as it has the samples that its percentiles need; `5s..20s` unless given. Not with stages: a block has
    /// all of them.
    #[schemars(extend("examples" = ["5s", "2s..20s"]))]
    pub(in crate::scenario) block: Option<String>,
    /// Seed of the statement mix, the parameters, the arrivals and the think times; 1 unless given.
    pub(in crate::scenario) seed: Option<u64>,
    /// How statements are sent, as pgbench names it; `prepared` unless given.
    pub(in crate::scenario) protocol: Option<Protocol>,
    /// Whether each client keeps a connection (unless given) or each operation opens one.
    pub(in crate::scenario) connections: Option<Connections>,
    /// A pool of connections that the clients share.
    pub(in crate::scenario) pool: Option<Pool>,
    /// `statement_timeout` of every session; as the server has it unless given.
    #[schemars(extend("examples" = ["2s"]))]
    pub(in crate::scenario) statement_timeout: Option<String>,
    /// Settings that every session is given, by name: `work_mem = "64MB"`.
    pub(in crate::scenario) settings: Option<BTreeMap<String, String>>,
    /// How often an operation is tried again after a serialization failure or a deadlock; 0 unless given.
    #[schemars(range(min = 0, max = 1000))]
    pub(in crate::scenario) retries: Option<u32>,
    /// Share of errors, 0 to 1, above which the measurement is given up; 1, never, unless given.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) error_limit: Option<f64>,
}

/// Pause of a client between two operations.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::scenario) enum ThinkTime {
    /// Always this long.
    Constant(#[schemars(extend("examples" = ["10ms"]))] String),
    /// Drawn for each pause.
    Drawn(DrawnThinkTime),
}

/// A pause that may vary.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["mean"]))]
pub(in crate::scenario) struct DrawnThinkTime {
    /// Its mean.
    #[schemars(extend("examples" = ["10ms"]))]
    pub(in crate::scenario) mean: Option<String>,
    /// How it varies; `constant` unless given.
    pub(in crate::scenario) distribution: ThinkDistribution,
}

/// A stretch of the measured time. The number of clients or the rate goes linearly from that before to its own; the first stage
/// starts at that of the load where it is given, otherwise it holds its own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["duration"], "oneOf" = [{"required": ["clients"]}, {"required": ["rate"]}]))]
pub(in crate::scenario) struct Stage {
    /// Its length.
    #[schemars(extend("examples" = ["30s"]))]
    pub(in crate::scenario) duration: Option<String>,
    /// Clients at its end, in a closed load.
    #[schemars(range(min = 0, max = 10_000))]
    pub(in crate::scenario) clients: Option<u32>,
    /// Rate at its end, in an open load.
    #[schemars(extend("examples" = ["500/s", "30/min"]))]
    pub(in crate::scenario) rate: Option<String>,
}

/// Whose connections they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum Connections {
    /// Each client keeps one.
    Client,
    /// Each operation opens one and closes it.
    Operation,
}

/// A pool of connections.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["size"]))]
pub(in crate::scenario) struct Pool {
    /// Most connections.
    #[schemars(range(min = 1, max = 10_000))]
    pub(in crate::scenario) size: Option<u32>,
    /// How long a client waits for one before its operation fails; for ever unless given.
    #[schemars(extend("examples" = ["1s"]))]
    pub(in crate::scenario) wait_timeout: Option<String>,
    /// What is done with a connection before it is handed out again; `fast`, nothing, unless given.
    pub(in crate::scenario) recycling: Recycling,
}
