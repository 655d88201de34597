//! Whether what is read back can be of one measurement: the figures of a record among themselves, and the response times beside
//! it with them.
//!
//! Files get mixed up when folders are copied, and figures are edited. Each function gives the first contradiction, in words.

use super::{
    model::Record,
    rounds::{Block, BlockStatement},
    totals::{Latency, Totals},
};

/// Times are kept to three digits, and figures are written with more.
pub(crate) const TIMES: f64 = 2e-3;
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

/// Whether two values differ by no more than a share of them; less than a nanosecond of a time is nothing.
pub(crate) fn near(one: f64, other: f64, share: f64) -> bool {
    (one - other).abs() <= share * one.abs().max(other.abs()) + 1e-6
}
