//! Counts, rates and response times of any part of a measurement.

use serde::Deserialize;
use serde::Serialize;

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
    /// Arrivals that were not sent because they had waited longer than the latency limit; not among the operations.
    #[serde(default)]
    pub skipped: u64,
    /// Operations without error whose response took longer than the latency limit.
    #[serde(default)]
    pub late: u64,
    /// Tries beyond the first one of each operation.
    #[serde(default)]
    pub retries: u64,
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
