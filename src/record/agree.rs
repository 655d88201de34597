//! Whether what is read back can be of one measurement: the figures of a record among themselves, and the response times beside
//! it with them.
//!
//! Files get mixed up when folders are copied, and figures are edited. Each function gives the first contradiction, in words.

use super::{
    histograms::BlockHistograms,
    model::{Latency, Record, Totals},
    rounds::{Block, BlockStatement},
};
use crate::stats::CompactHistogram;

/// Times are kept to three digits, and figures are written with more.
const TIMES: f64 = 2e-3;
/// A rate is a count by a time.
const RATES: f64 = 1e-2;

/// A contradiction between the figures of a record.
pub(super) fn in_record(record: &Record) -> Option<String> {
    let times = [("measured_s", record.measured_s), ("sending_s", record.sending_s)];
    if let Some((name, value)) = times.into_iter().find(|(_, value)| !value.is_finite() || *value < 0.0) {
        return Some(format!("`{name}` is {value}"));
    }
    let whole = [("all operations", &record.totals, &record.latency_ms, record.sending_s)];
    let statements = record.statements.iter().map(|s| (&*s.name, &s.totals, &s.latency_ms, record.sending_s));
    let blocks = record.blocks.iter().map(|block| ("a block", &block.totals, &block.latency_ms, block.sending_s));
    let figures = whole.into_iter().chain(statements).chain(blocks);
    let own = figures.filter_map(|(of, totals, latency, sending_s)| {
        in_totals(totals, sending_s).or_else(|| in_latency(totals, latency)).map(|what| format!("{what} of {of}"))
    });
    own.into_iter().next().or_else(|| sums(record)).or_else(|| plans(record))
}

fn in_totals(totals: &Totals, sending_s: f64) -> Option<String> {
    let Totals { operations, errors, throughput_per_s, error_rate, .. } = *totals;
    if errors > operations {
        return Some(format!("{errors} errors in {operations} operations"));
    }
    if operations > 0 && !near(error_rate, errors as f64 / operations as f64, RATES) {
        return Some(format!("an error rate of {error_rate} with {errors} errors in {operations} operations"));
    }
    let ended = (operations - errors) as f64;
    (sending_s > 0.0 && !near(throughput_per_s, ended / sending_s, RATES))
        .then(|| format!("a throughput of {throughput_per_s}/s with {ended} operations without error in {sending_s} s"))
}

fn in_latency(totals: &Totals, latency: &Latency) -> Option<String> {
    let Latency { min, p50, p90, p95, p99, p999, max, samples, .. } = *latency;
    if samples > totals.operations {
        return Some(format!("{samples} response times with {} operations", totals.operations));
    }
    let ascending: Vec<f64> = [min, p50, p90, p95, p99, p999, max].into_iter().flatten().collect();
    let bad = ascending.iter().any(|value| *value < 0.0) || !ascending.is_sorted();
    bad.then(|| "percentiles that do not ascend from 0 on".to_owned())
}

/// The parts of a record against the whole.
fn sums(record: &Record) -> Option<String> {
    let sum = |parts: &mut dyn Iterator<Item = &Totals>, part: &str| {
        let (mut operations, mut errors) = (0_u64, 0_u64);
        for totals in parts {
            operations = operations.saturating_add(totals.operations);
            errors = errors.saturating_add(totals.errors);
        }
        let whole = (record.totals.operations, record.totals.errors);
        ((operations, errors) != whole).then(|| {
            format!(
                "{} operations and {} errors, where its {part} have {operations} and {errors} together",
                whole.0, whole.1
            )
        })
    };
    let of_statements = sum(&mut record.statements.iter().map(|statement| &statement.totals), "statements");
    let of_blocks = || match &record.blocks {
        blocks if blocks.is_empty() => None,
        blocks => sum(&mut blocks.iter().map(|block| &block.totals), "blocks"),
    };
    let rounds = || {
        let rounds = record.run.as_ref()?.rounds;
        let blocks = record.blocks.len();
        // Where no round was completed, there may be a block of one.
        (rounds > 0 && blocks != rounds as usize).then(|| format!("{blocks} blocks for {rounds} rounds"))
    };
    let names = || {
        let names = record.statements.iter().map(|statement| &statement.name);
        let of = |block: &Block| block.statements.iter().map(|BlockStatement { name, .. }| name).eq(names.clone());
        let other = record.blocks.iter().find(|block| !of(block))?;
        Some(format!("other statements in the block of round {}", other.round))
    };
    of_statements.or_else(of_blocks).or_else(rounds).or_else(names)
}

/// Plans and findings of statements that the record does not have.
fn plans(record: &Record) -> Option<String> {
    let is_known = |name: &str| {
        let own = |known: &str| known == name || name.strip_prefix(known).is_some_and(|step| step.starts_with('.'));
        record.statements.iter().any(|statement| own(&statement.name))
    };
    let plan = record.plans.iter().find(|plan| !is_known(&plan.statement));
    let findings = record.findings.iter().flatten().filter_map(|finding| finding.statement.as_deref());
    let of = |what: &str, name: &str| format!("{what} the statement {name}, which it does not have");
    let finding = findings.into_iter().find(|name| !is_known(name)).map(|name| of("a finding on", name));
    plan.map(|plan| of("a plan of", &plan.statement)).or(finding)
}

/// A contradiction between a record and the response times beside it.
pub(super) fn with_histograms(record: &Record, blocks: &[BlockHistograms]) -> Option<String> {
    let merged = |of: &dyn Fn(&BlockHistograms) -> Option<&CompactHistogram>| {
        let mut parts = blocks.iter().filter_map(of);
        let mut merged = parts.next()?.clone();
        parts.for_each(|part| merged.add(part));
        Some(merged)
    };
    let whole = || differs("all operations", &record.latency_ms, &merged(&|block| Some(&block.total))?);
    let statements = || {
        let mut all = record.statements.iter().enumerate();
        all.find_map(|(index, of)| differs(&of.name, &of.latency_ms, &merged(&|block| block.statements.get(index))?))
    };
    let of_blocks = || {
        record.blocks.iter().zip(blocks).find_map(|(block, times)| {
            let round = format!("the block of round {}", block.round);
            let own = differs(&round, &block.latency_ms, &times.total);
            let statements = block.statements.iter().zip(&times.statements);
            own.or_else(|| {
                statements
                    .into_iter()
                    .find_map(|(of, times)| differs(&format!("{} in {round}", of.name), &of.latency_ms, times))
            })
        })
    };
    let slices = || {
        let logged: Vec<u64> = blocks.iter().flat_map(|block| &block.slices).map(|slice| slice.samples()).collect();
        let (own, others) = (record.slices.len(), logged.len());
        if own != others {
            return Some(format!("{own} slices in the record, {others} in the log"));
        }
        let mut pairs = record.slices.iter().zip(&logged);
        let (slice, samples) = pairs.find(|(slice, samples)| slice.latency_ms.samples != **samples)?;
        let (own, at) = (slice.latency_ms.samples, slice.start_s);
        Some(format!("{own} response times of the slice at {at} s in the record, {samples} in the log"))
    };
    whole().or_else(statements).or_else(of_blocks).or_else(slices)
}

/// What differs between the figures of a record and those of the response times.
fn differs(of: &str, figures: &Latency, times: &CompactHistogram) -> Option<String> {
    let (own, logged) = (figures.samples, times.samples());
    if own != logged {
        return Some(format!("{own} response times of {of} in the record, {logged} in the log"));
    }
    let logged = Latency::from_histogram(&times.histogram());
    let ends = |latency: &Latency| [("min", latency.min), ("mean", latency.mean), ("max", latency.max)];
    let percentiles = |latency: &Latency| latency.percentiles().map(|percentile| (percentile.name, percentile.value));
    let both = |latency: &Latency| ends(latency).into_iter().chain(percentiles(latency)).collect::<Vec<_>>();
    both(figures).into_iter().zip(both(&logged)).find_map(|((name, own), (_, logged))| {
        let own = own?;
        let same = logged.is_some_and(|logged| near(own, logged, TIMES));
        let logged = logged.map_or_else(|| "none".to_owned(), |logged| format!("{logged:.4} ms"));
        (!same).then(|| format!("{name} of {of} is {own:.4} ms in the record, {logged} in the log"))
    })
}

/// Whether two values differ by no more than a share of them; less than a nanosecond of a time is nothing.
fn near(one: f64, other: f64, share: f64) -> bool {
    (one - other).abs() <= share * one.abs().max(other.abs()) + 1e-6
}
