//! What a reader has to know before believing a record's figures.

use crate::{
    engine::{Ended, Measurement},
    load::Load,
    record::{Client, Latency, Warning},
    stats,
};

/// Share of the sending threads' time above which the client itself delays what it times.
const BUSY_CLIENT: f64 = 0.85;

/// Share of errors above which the latencies are those of another workload.
const MANY_ERRORS: f64 = 0.01;

/// Warnings about a measurement; none when there is nothing to warn of.
pub(super) fn warnings(measurement: &Measurement, load: &Load, latency: &Latency, client: &Client) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |id: &str, message: String, advice: &str| {
        warnings.push(Warning { id: id.to_owned(), message, advice: advice.to_owned() });
    };
    if measurement.ended != Ended::Completed {
        warn(
            "interrupted",
            format!(
                "the measurement ended after {:.1} s of {:.1} s",
                measurement.measured.as_secs_f64(),
                load.duration.as_secs_f64()
            ),
            "measure again before comparing",
        );
    }
    if latency.p99.is_none() {
        warn(
            "too-few-samples",
            format!("{} samples do not support a p99, which needs {}", latency.samples, stats::samples_needed(0.99)),
            "measure longer (--duration) or with more clients",
        );
    }
    if measurement.warm_up.cold_clients > 0 {
        warn(
            "warm-up-too-short",
            format!(
                "{} of {} clients had not executed every statement five times when the measurement began",
                measurement.warm_up.cold_clients, load.clients
            ),
            "warm up longer (--warmup)",
        );
    }
    if client.cpu_share > BUSY_CLIENT {
        warn(
            "client-was-the-bottleneck",
            format!("latclinic's own threads were busy for {:.0} % of the window", client.cpu_share * 100.0),
            "use fewer clients or more threads, or drive the load from another machine",
        );
    }
    let errors = measurement.total.error_count();
    if errors as f64 > MANY_ERRORS * measurement.total.operations as f64 {
        warn(
            "many-errors",
            format!("{errors} of {} operations failed", measurement.total.operations),
            "look at the errors; the percentiles are those of the operations that did not fail",
        );
    }
    warnings
}
