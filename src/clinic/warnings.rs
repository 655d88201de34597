//! What a reader has to know before believing a record's figures.

use std::collections::BTreeMap;

use super::explain;
use crate::{
    record::{Record, ServerActivity, Slice, Warning, errors_in_words},
    stats::{self, EarlyDrift, early_drift},
};

/// Share of the sending threads' time above which the client itself delays what it times.
const BUSY_CLIENT: f64 = 0.85;

/// Share of errors above which the latencies are those of another workload.
const MANY_ERRORS: f64 = 0.01;

/// Share of the planned arrivals that may be missing.
const MISSING_ARRIVALS: f64 = 0.01;

/// Median lag in milliseconds, and as a share of the median service time, that needs a reason.
const LAG_MS: f64 = 1.0;
const LAG_SHARE: f64 = 0.1;

/// Share of time in which clients are busy below which the median arrival finds a free one.
const HALF_BUSY: f64 = 0.5;

/// Warnings about a measurement, from nothing but its record; none when there is nothing to warn of.
pub(super) fn warnings(record: &Record) -> Vec<Warning> {
    let all = [
        interrupted(record),
        too_few_samples(record),
        cold_clients(record),
        unsettled(record),
        busy_client(record),
        late_client(record),
        rate_not_achieved(record),
        skipped(record),
        many_errors(record),
        connections_lost(record),
        suspended(record),
        changed_by_others(record),
        record.plans_under_load.as_ref().and_then(explain::plans_warning),
        record.server_activity.as_ref().and_then(checkpoint_inside),
        record.server_activity.as_ref().and_then(autovacuum_inside),
    ];
    all.into_iter().flatten().collect()
}

/// Warnings about one block of a run: how many samples there are is a matter of all blocks.
pub(super) fn of_block(record: &Record) -> Vec<Warning> {
    let mut found = warnings(record);
    found.retain(|warning| warning.id != "too-few-samples");
    found
}

/// Warnings about a record in rounds: those of its blocks, each kind once, with the blocks that have it.
pub(super) fn of_blocks(record: &Record) -> Vec<Warning> {
    let under_load = record.plans_under_load.as_ref().and_then(explain::plans_warning);
    let mut found: Vec<Warning> =
        [interrupted(record), too_few_samples(record), under_load].into_iter().flatten().collect();
    let mut kinds: BTreeMap<&str, (&Warning, Vec<u32>)> = BTreeMap::new();
    for block in &record.blocks {
        for warning in &block.warnings {
            kinds.entry(&warning.id).or_insert((warning, Vec::new())).1.push(block.round);
        }
    }
    found.extend(kinds.into_values().map(|(sample, rounds)| {
        let of = record.blocks.len();
        let message = match rounds.as_slice() {
            [round] => format!("in round {round}: {}", sample.message),
            rounds => format!("in {} of {of} rounds, such as {}: {}", rounds.len(), rounds[0], sample.message),
        };
        Warning { message, ..sample.clone() }
    }));
    found
}

/// That settings of the server, each with its value then and now, changed while a run went on.
pub(super) fn settings_changed(changed: &[(String, String, String)]) -> Warning {
    let changed: Vec<String> = changed.iter().map(|(name, then, now)| format!("{name} {then} -> {now}")).collect();
    Warning {
        id: "settings-changed".to_owned(),
        message: format!("settings of the server changed during the measurement: {}", changed.join(", ")),
        advice: "measure again; the rounds before and after the change ran with different settings".to_owned(),
    }
}

fn warning(id: &str, message: String, advice: &str) -> Option<Warning> {
    Some(Warning { id: id.to_owned(), message, advice: advice.to_owned() })
}

fn interrupted(record: &Record) -> Option<Warning> {
    let (measured, asked) = (record.measured_s, record.load.duration_s);
    if !record.interrupted || measured >= asked {
        return None;
    }
    let most = if record.load.enough.is_some() { "at most " } else { "" };
    warning(
        "interrupted",
        format!("the measurement ended after {measured:.1} s of {most}{asked:.1} s"),
        "measure again before comparing",
    )
}

fn suspended(record: &Record) -> Option<Warning> {
    let seconds = record.suspended_s;
    if seconds <= 0.0 {
        return None;
    }
    warning(
        "suspended",
        format!(
            "latclinic did not run for {seconds:.1} s of the measurement: the process was suspended, or the machine slept"
        ),
        "measure again, and do not suspend the process",
    )
}

fn changed_by_others(record: &Record) -> Option<Warning> {
    let changed = record.changed_by_others.clone()?;
    warning("changed-by-others", changed, "measure again while no other session changes the scenario's data or fix")
}

/// Too few samples for a p99, of the record or, in rounds, of one of its blocks; how long it takes for enough at the same throughput.
fn too_few_samples(record: &Record) -> Option<Warning> {
    let samples = record.latency_ms.samples;
    let needed = stats::samples_needed(0.99);
    let Some(run) = &record.run else {
        if record.latency_ms.p99.is_some() {
            return None;
        }
        let advice = match time_for(needed, samples, record.measured_s) {
            Some(seconds) => format!("measure longer, --duration {seconds}s, or with more clients"),
            None => "measure longer (--duration) or with more clients".to_owned(),
        };
        return warning("too-few-samples", format!("p99 needs {needed} samples, and there are {samples}"), &advice);
    };
    let rounds = u64::from(run.rounds.max(1));
    let of_block = stats::samples_of_block(0.99).max(needed.div_ceil(rounds));
    let fewest = record.blocks.iter().min_by_key(|block| block.latency_ms.samples)?;
    let there = fewest.latency_ms.samples;
    if there >= of_block || (samples >= needed && there >= stats::samples_of_block(0.99)) {
        return None;
    }
    let advice = match time_for(of_block, there, fewest.measured_s) {
        Some(seconds) => format!("give each block up to {seconds} s: --block 5s..{seconds}s"),
        None => "give each block more time (--block)".to_owned(),
    };
    warning(
        "too-few-samples",
        format!(
            "round {} has {there} samples in {:.1} s, and a p99 over {rounds} rounds needs {of_block} in each",
            fewest.round, fewest.measured_s
        ),
        &advice,
    )
}

/// Whole seconds, a fifth to spare, in which there are `needed` samples if there were `samples` in `seconds`; `None` without any.
fn time_for(needed: u64, samples: u64, seconds: f64) -> Option<u64> {
    let time = 1.2 * seconds * needed as f64 / samples as f64;
    time.is_finite().then_some(time.ceil() as u64)
}

fn cold_clients(record: &Record) -> Option<Warning> {
    let cold = record.warm_up.as_ref()?.cold_clients;
    if cold == 0 {
        return None;
    }
    let clients = record.load.clients;
    warning(
        "warm-up-too-short",
        format!("{cold} of {clients} clients had not executed every statement five times when the measurement started"),
        "warm up longer (--warmup)",
    )
}

/// The first slices differ from the rest, in their median response or, where nothing but the server sets it, their throughput.
/// A load that changes over time tells nothing.
fn unsettled(record: &Record) -> Option<Warning> {
    if !record.load.stages.is_empty() {
        return None;
    }
    // The last slice holds what was awaited at the end.
    let slices = record.slices.split_last().map_or(&[][..], |(_, slices)| slices);
    let medians: Option<Vec<f64>> = slices.iter().map(|slice| slice.latency_ms.p50).collect();
    let rates: Vec<f64> = slices.iter().map(|slice| slice.totals.throughput_per_s).collect();
    let of_median = medians.and_then(|medians| early_drift(&medians));
    let of_rate = (record.load.model == "closed").then(|| early_drift(&rates)).flatten();
    let (what, drift) = match (of_median, of_rate) {
        (Some(drift), _) => ("a median response of", drift),
        (None, Some(drift)) => ("a throughput of", drift),
        (None, None) => return None,
    };
    let EarlyDrift { length, beginning, later } = drift;
    let unit = if what.contains("response") { " ms" } else { "/s" };
    warning(
        "warm-up-too-short",
        format!(
            "the first {:.0} s had {what} {beginning:.3}{unit}, the second half {later:.3}{unit}",
            seconds(&slices[..length])
        ),
        "warm up longer (--warmup); if that does not help, something else changes during the measurement",
    )
}

fn seconds(slices: &[Slice]) -> f64 {
    slices.iter().map(|slice| slice.length_s).sum()
}

fn busy_client(record: &Record) -> Option<Warning> {
    let share = record.client.cpu_share;
    if share <= BUSY_CLIENT {
        return None;
    }
    warning(
        "client-was-the-bottleneck",
        format!("latclinic's own threads were busy for {:.0} % of the measurement", share * 100.0),
        "use fewer clients or more threads, or run latclinic on another machine",
    )
}

/// Arrivals that lag although a client is free are late because of latclinic's machine, not of the server.
///
/// An arrival has to wait for a client only while all of them are busy. The share of time in which they are is at most their
/// utilisation (Little's law: operations a second by the time that each takes, by clients), and so is the share of arrivals
/// that find them so, times what the densest arrivals are denser than the mean. Where that is below one half, the median lag of
/// a client that is on time is 0, however long the server stalls in between.
fn late_client(record: &Record) -> Option<Warning> {
    let arrivals = record.arrivals.as_ref()?;
    let (lag, service) = (record.lag_ms.p50?, record.service_ms.p50?);
    if lag <= LAG_MS || lag <= LAG_SHARE * service {
        return None;
    }
    let waited = record.wait_ms.as_ref().and_then(|wait| wait.mean).unwrap_or(0.0);
    let without = record.connections.as_ref().map_or(0.0, |connections| connections.without_s);
    let busy_s = record.totals.operations as f64 * (record.service_ms.mean? + waited) / 1e3 + without;
    let utilisation = busy_s / (f64::from(record.load.clients) * record.sending_s);
    let densest = record.load.rate.map_or(1.0, |rate| (rate / arrivals.planned_rate_per_s).max(1.0));
    // Also where there is nothing to divide by.
    if utilisation * densest >= HALF_BUSY || !utilisation.is_finite() || !densest.is_finite() {
        return None;
    }
    warning(
        "client-was-the-bottleneck",
        format!(
            "half of the arrivals were sent at least {lag:.1} ms late, although clients were busy for only {:.0} % of the time",
            utilisation * 100.0
        ),
        "stop other work on this machine, use more threads, or run latclinic on another machine",
    )
}

fn rate_not_achieved(record: &Record) -> Option<Warning> {
    let arrivals = record.arrivals.as_ref()?;
    let (planned, achieved) = (arrivals.planned_rate_per_s, arrivals.achieved_rate_per_s);
    if achieved >= planned * (1.0 - MISSING_ARRIVALS) {
        return None;
    }
    warning(
        "rate-not-achieved",
        format!("only {achieved:.1} of {planned:.1} planned operations per second were sent"),
        "lower the rate (--rate), or use more clients if the server can serve them",
    )
}

fn skipped(record: &Record) -> Option<Warning> {
    let skipped = record.totals.skipped;
    if skipped == 0 {
        return None;
    }
    let limit = record.load.latency_limit_s.map(|limit| format!(" of {:.0} ms", limit * 1e3)).unwrap_or_default();
    let arrivals = record.arrivals.as_ref().map(|arrivals| format!(" of {}", arrivals.planned)).unwrap_or_default();
    warning(
        "operations-skipped",
        format!(
            "{skipped}{arrivals} arrivals were not sent, because they had waited longer than the latency limit{limit}"
        ),
        "they are counted in the response times with the time they waited; lower the rate, use more clients, or remove the limit",
    )
}

fn many_errors(record: &Record) -> Option<Warning> {
    let (errors, operations) = (record.totals.errors, record.totals.operations);
    if errors as f64 <= MANY_ERRORS * operations as f64 {
        return None;
    }
    warning(
        "many-errors",
        match errors_in_words(&record.errors) {
            words if words.is_empty() => format!("{errors} of {operations} operations failed"),
            words => format!("{errors} of {operations} operations failed: {words}"),
        },
        "correct the cause of the errors; failed operations are in no percentile",
    )
}

fn connections_lost(record: &Record) -> Option<Warning> {
    let connections = record.connections.as_ref()?;
    if connections.lost == 0 && connections.failed_attempts == 0 {
        return None;
    }
    let sample = connections.sample.as_ref().map(|sample| format!(" ({sample})")).unwrap_or_default();
    warning(
        "connections-lost",
        format!(
            "{} connections were lost{sample}, {} attempts to reconnect failed, and clients were without a connection for {:.1} s in total",
            connections.lost, connections.failed_attempts, connections.without_s
        ),
        "look at the server's log; the slices in the record show the gap",
    )
}

/// Only one that wrote: a server without changes counts checkpoints that have nothing to do.
fn checkpoint_inside(activity: &ServerActivity) -> Option<Warning> {
    let checkpoints = activity.checkpoints.as_ref()?;
    let begun = checkpoints.timed.unwrap_or(0) + checkpoints.requested.unwrap_or(0);
    let written = checkpoints.buffers_written.unwrap_or(begun);
    if written == 0 {
        return None;
    }
    let what = if begun == 0 { "one that started earlier continued".to_owned() } else { format!("{begun} began") };
    let time = |ms: Option<f64>| ms.map_or_else(|| "unknown".to_owned(), |ms| format!("{:.2} s", ms / 1e3));
    warning(
        "checkpoint-inside",
        format!(
            "a checkpoint ran during the measurement: {what}, {written} buffers were written in {}, synced in {}",
            time(checkpoints.write_ms),
            time(checkpoints.sync_ms)
        ),
        "measure again, or long enough that each phase has the same number of checkpoints; checkpoint_timeout and max_wal_size set how often they run",
    )
}

fn autovacuum_inside(activity: &ServerActivity) -> Option<Warning> {
    let tables = activity.tables.as_ref()?;
    let ran: Vec<String> = tables
        .iter()
        // latclinic's own ledgers are a few rows.
        .filter(|table| !table.name.starts_with("_latclinic_"))
        .map(|table| (&table.name, table.autovacuums.unwrap_or(0), table.autoanalyzes.unwrap_or(0)))
        .filter(|(_, vacuums, analyzes)| vacuums + analyzes > 0)
        .map(|(name, vacuums, analyzes)| match (vacuums, analyzes) {
            (_, 0) => format!("vacuum of {name}"),
            (0, _) => format!("analyze of {name}"),
            _ => format!("vacuum and analyze of {name}"),
        })
        .collect();
    if ran.is_empty() {
        return None;
    }
    warning(
        "autovacuum-inside",
        format!("autovacuum finished during the measurement: {}", ran.join(", ")),
        "measure again; if the workload writes, measure long enough that each phase has the same number of runs",
    )
}

#[cfg(test)]
mod tests;
