//! The shape of `record.json`.

use serde::{Deserialize, Serialize};

use super::{
    activity::ServerActivity,
    finding::Finding,
    load_info::LoadInfo,
    origin::{DatasetInfo, FixInfo, Machine, Server, Tool},
    outcome::{Capacity, Outcome, ThresholdResult},
    plan::{PlanFigures, PlansUnderLoad},
    price::Price,
    results::ResultsCheck,
    rounds::{Block, RunInfo},
};
use crate::record::{
    phase::Phase,
    totals::{Latency, Totals},
    warning::Warning,
};

/// Version of the shape written by this build. A reader of a newer one stops and says so; an older one is read.
pub const FORMAT: u32 = 1;

/// One measurement of one phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this shape.
    pub format: u32,
    /// Scenario id.
    pub scenario: String,
    /// The phase that was measured.
    pub phase: Phase,
    /// The run in rounds that it is part of; null for a measurement in one go.
    #[serde(default)]
    pub run: Option<RunInfo>,
    /// Begin of the measured window, UTC; in rounds of the first block's.
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
    /// Length of the measured window in seconds, as it was; in rounds of all blocks together.
    pub measured_s: f64,
    /// How much of it latclinic stood still: it was stopped (SIGSTOP), or the machine slept.
    #[serde(default)]
    pub suspended_s: f64,
    /// What another session changed of the dataset or the fix while it was measured, in words; null if nothing was.
    #[serde(default)]
    pub changed_by_others: Option<String>,
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
    /// Time to get a connection, from the pool or by opening one: inside response, outside service. Null where each client
    /// has one of its own.
    #[serde(default)]
    pub wait_ms: Option<Latency>,
    /// Arrivals as planned and as they were; null in a closed load.
    #[serde(default)]
    pub arrivals: Option<ArrivalFigures>,
    /// The same figures by operation of the mix: a statement, or a script of several.
    pub statements: Vec<StatementFigures>,
    /// Figures by stage of the load; empty without stages.
    #[serde(default)]
    pub stages: Vec<StageFigures>,
    /// Errors by SQLSTATE.
    pub errors: Vec<ErrorCount>,
    /// What became of the connections; null where it was not recorded.
    #[serde(default)]
    pub connections: Option<ConnectionFigures>,
    /// The measured window in slices of a second.
    pub slices: Vec<Slice>,
    /// Its blocks, in order; empty for a measurement in one go.
    #[serde(default)]
    pub blocks: Vec<Block>,
    /// How the warm-up went; null where it was not recorded.
    #[serde(default)]
    pub warm_up: Option<WarmUpFigures>,
    /// What the load cost the client.
    pub client: Client,
    /// What the server counted over the measured window; null where it was not read.
    #[serde(default)]
    pub server_activity: Option<ServerActivity>,
    /// The thresholds and what came of them; empty without any.
    #[serde(default)]
    pub thresholds: Vec<ThresholdResult>,
    /// What a comparison with the other phase has to keep, as it was written; empty without any.
    #[serde(default)]
    pub gates: Vec<String>,
    /// The highest rate that keeps a threshold; null when it was not looked for.
    #[serde(default)]
    pub capacity: Option<Capacity>,
    /// Whether the results are the same as in the phase before; null where that was not checked.
    #[serde(default)]
    pub results: Option<ResultsCheck>,
    /// What the fix costs; null where it was not measured, as `bench` does not.
    #[serde(default)]
    pub price: Option<Price>,
    /// Figures of the plans captured in this phase; empty when none were.
    pub plans: Vec<PlanFigures>,
    /// What rules saw in those plans, the greatest time at stake first; null where they were not examined.
    #[serde(default)]
    pub findings: Option<Vec<Finding>>,
    /// Plans that were sampled while the load ran; null in records of earlier builds.
    #[serde(default)]
    pub plans_under_load: Option<PlansUnderLoad>,
    /// What a reader has to know before believing the figures.
    pub warnings: Vec<Warning>,
}

/// Arrivals of an open load over the measured window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ArrivalFigures {
    /// Arrivals that fell into the window by plan.
    pub planned: u64,
    /// Those that were sent.
    pub sent: u64,
    /// `planned` a second.
    pub planned_rate_per_s: f64,
    /// `sent` a second.
    pub achieved_rate_per_s: f64,
    /// Greatest lag in milliseconds; null when none was sent.
    pub max_lag_ms: Option<f64>,
}

/// Figures of one stage of the load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StageFigures {
    /// Begin, seconds from the begin of the measured window.
    pub start_s: f64,
    /// Length in seconds, as it was.
    pub length_s: f64,
    /// Clients or arrivals a second at its begin.
    pub from: f64,
    /// The same at its end.
    pub to: f64,
    /// Counts of the stage.
    pub totals: Totals,
    /// Response time.
    pub latency_ms: Latency,
    /// Lag.
    pub lag_ms: Latency,
}

/// Figures of one operation of the mix: a statement, or a script of several.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StatementFigures {
    /// Its name in the workload.
    pub name: String,
    /// Its text; of a script that of its steps, with `;` and a line end between them.
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
    /// Time to get a connection; null where each client has one of its own.
    #[serde(default)]
    pub wait_ms: Option<Latency>,
    /// The steps of a script, in order; empty for a plain statement.
    #[serde(default)]
    pub steps: Vec<StepFigures>,
}

/// Figures of one step of a script.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepFigures {
    /// Its name in the script.
    pub name: String,
    /// Its text.
    pub sql: String,
    /// Executions, with and without error: several an operation where it is executed for each row of another step.
    pub executions: u64,
    /// Executions that ended in an error.
    pub errors: u64,
    /// Time from its sending to its end.
    pub service_ms: Latency,
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

/// What became of the connections over the measured window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConnectionFigures {
    /// Connections opened; null where it was not counted.
    pub opened: Option<u64>,
    /// Connections that broke.
    pub lost: u64,
    /// Connections opened in place of one that broke.
    pub reconnected: u64,
    /// Attempts to open one that failed.
    pub failed_attempts: u64,
    /// Client-seconds without a connection after one broke.
    pub without_s: f64,
    /// One of the messages; null when none was lost.
    pub sample: Option<String>,
}

/// How the warm-up went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WarmUpFigures {
    /// Its length in seconds as it was.
    pub length_s: f64,
    /// Clients that had not executed every statement often enough when the measured window began.
    pub cold_clients: u32,
}

/// One second of the measured window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Begin, seconds from the begin of the measured window.
    pub start_s: f64,
    /// Length in seconds; the last one may be shorter.
    pub length_s: f64,
    /// Counts of the slice.
    pub totals: Totals,
    /// Response time of the operations that ended in it.
    pub latency_ms: Latency,
    /// Clients that the load has at work, the mean over the slice; null where it was not recorded, as below.
    #[serde(default)]
    pub active_clients: Option<f64>,
    /// Clients with a connection, the mean over the slice.
    #[serde(default)]
    pub connected_clients: Option<f64>,
    /// Use of the pool; null without one.
    #[serde(default)]
    pub pool: Option<PoolUse>,
}

/// Use of the pool, means over a slice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolUse {
    /// Connections in use.
    pub in_use: f64,
    /// Connections open and not in use.
    pub idle: f64,
    /// Clients that wait for one.
    pub waiting: f64,
}

/// What the load cost the client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// User and system time of latclinic during the window, in seconds.
    pub cpu_s: f64,
    /// `cpu_s` as a share of the window times the threads, 0 to 1.
    pub cpu_share: f64,
}

impl Record {
    /// What came of all conditions on it: its thresholds, and that a rate was found where one was looked for.
    pub fn outcome(&self) -> Outcome {
        let found = |capacity: &Capacity| if capacity.rate_per_s.is_some() { Outcome::Passed } else { Outcome::Failed };
        let thresholds = self.thresholds.iter().map(|result| result.outcome);
        Outcome::of_all(thresholds.chain(self.capacity.as_ref().map(found)))
    }
}
