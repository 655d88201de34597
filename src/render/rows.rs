//! Rows and labels that several documents share.

use super::document::{Cell, Tone};
use crate::{
    compare::{Metric, MetricName, Unit, Verdict},
    record::{Outcome, PlanFigures, ThresholdUnit, Warning},
    text,
};

/// A metric's name for a person.
pub(super) fn metric_name(name: MetricName) -> &'static str {
    match name {
        MetricName::P50 => "p50",
        MetricName::P95 => "p95",
        MetricName::P99 => "p99",
        MetricName::Max => "max",
        MetricName::Throughput => "throughput",
        MetricName::ErrorRate => "error rate",
        MetricName::ExecutionTime => "plan: execution time",
        MetricName::RowsRead => "plan: rows read",
        MetricName::Buffers => "plan: buffers",
    }
}

/// A row of a comparison: metric, before, after, change, factor.
pub(super) fn metric(metric: &Metric) -> Vec<Cell> {
    let side = |value: Option<f64>, samples: u64| Cell::plain(value_or_need(value, metric, samples));
    let tone = match metric.ratio {
        Some(1.0) => Tone::Plain,
        Some(ratio) if (ratio > 1.0) == metric.name.more_is_better() => Tone::Good,
        Some(_) => Tone::Bad,
        None => Tone::Plain,
    };
    let change = match (metric.before, metric.after, metric.ratio) {
        (_, _, Some(ratio)) => text::change(ratio),
        (Some(before), Some(after), None) if before == after => "0 %".into(),
        _ => text::NOTHING.into(),
    };
    vec![
        Cell::plain(metric_name(metric.name)),
        side(metric.before, metric.before_samples),
        side(metric.after, metric.after_samples),
        Cell::plain(change),
        Cell { text: factor(metric).unwrap_or_else(|| text::NOTHING.into()), tone },
    ]
}

/// A row of a comparison with intervals: metric, before, after, change, interval, verdict. `usual` is the confidence of most.
pub(super) fn judged(judged: &Metric, usual: f64) -> Vec<Cell> {
    let mut row = metric(judged);
    let tone = match judged.verdict {
        Verdict::Improved => Tone::Good,
        Verdict::Regressed => Tone::Bad,
        Verdict::Equivalent | Verdict::Inconclusive => Tone::Plain,
    };
    let change = match judged.ratio {
        Some(ratio) if is_factor(ratio) => {
            let (arrow, factor) = if ratio < 1.0 { ("↓", 1.0 / ratio) } else { ("↑", ratio) };
            format!("{arrow}{}x", text::significant(factor))
        }
        Some(ratio) => text::change(ratio),
        None => row[3].text.clone(),
    };
    let ends = judged.ci_low.zip(judged.ci_high).zip(judged.ratio);
    let interval = ends.map_or_else(String::new, |((low, high), ratio)| {
        let at = judged.confidence.filter(|confidence| (confidence - usual).abs() > 1e-9);
        let at = at.map(|at| format!(" ({})", text::percent(at))).unwrap_or_default();
        // Unbroken, whatever room there is.
        format!("{}{at}", interval(ratio, low, high)).replace(' ', "\u{a0}")
    });
    // A plan is looked at, not judged.
    let verdict = if judged.confidence.is_some() { judged.verdict.as_str() } else { "" };
    row.truncate(3);
    row[0] = Cell::plain(match judged.name {
        MetricName::ExecutionTime => "plan: time",
        MetricName::RowsRead => "plan: rows",
        name => metric_name(name),
    });
    row.extend([Cell::plain(change), Cell::plain(interval), Cell { text: verdict.to_owned(), tone }]);
    row
}

/// A change with its interval: `748x faster (95 % 690 to 812)`, `+12.3 % (95 % +9.1 to +15.2)`.
pub(super) fn effect(metric: &Metric) -> Option<String> {
    let ends = metric.ci_low.zip(metric.ci_high);
    Some(effect_of(metric.name.is_time(), metric.ratio?, ends.zip(metric.confidence)))
}

/// The same of a ratio, of a time or of something that there is more or less of, and of the ends of its interval with their
/// confidence.
pub(super) fn effect_of(is_time: bool, ratio: f64, ends: Option<((f64, f64), f64)>) -> String {
    let change = in_words(is_time, ratio);
    match ends {
        Some(((low, high), confidence)) => {
            format!("{change} ({} {})", text::percent(confidence), interval(ratio, low, high))
        }
        None => change,
    }
}

/// A factor from two on, percent below.
fn in_words(is_time: bool, ratio: f64) -> String {
    let (less, more) = if is_time { ("faster", "slower") } else { ("less", "more") };
    match text::factor(ratio, less, more) {
        Some(factor) if is_factor(ratio) => factor,
        _ => text::change(ratio),
    }
}

/// The ends of an interval around `ratio`, in the unit in which it is written itself: `690 to 812` times, `+9.1 to +15.2` percent.
pub(super) fn interval(ratio: f64, low: f64, high: f64) -> String {
    let number = |ratio| text::significant(ratio);
    match () {
        () if is_factor(ratio) && ratio < 1.0 => format!("{} to {}", number(1.0 / high), number(1.0 / low)),
        () if is_factor(ratio) => format!("{} to {}", number(low), number(high)),
        () => {
            let percent = |ratio| text::change(ratio).trim_end_matches(" %").to_owned();
            format!("{} to {}", percent(low), percent(high))
        }
    }
}

pub(super) fn is_factor(ratio: f64) -> bool {
    ratio > 0.0 && !(0.5..2.0).contains(&ratio)
}

/// A metric's factor in words: `770x faster`, `12.0x more`.
pub(super) fn factor(metric: &Metric) -> Option<String> {
    let (less, more) = if metric.name.is_time() { ("faster", "slower") } else { ("less", "more") };
    text::factor(metric.ratio?, less, more)
}

/// A metric's value with its unit.
pub(super) fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ms => text::milliseconds(value),
        Unit::PerS => text::per_second(value),
        Unit::Share => text::share(value),
        Unit::Rows | Unit::Buffers => text::count(value as u64),
    }
}

fn value_or_need(known: Option<f64>, metric: &Metric, samples: u64) -> String {
    match (known, metric.samples_needed) {
        (Some(known), _) => value(known, metric.unit),
        (None, Some(needed)) => unsupported(samples, needed),
        (None, None) => text::NOTHING.into(),
    }
}

/// What stands in place of a percentile: the samples it needs, or nothing where there are no samples at all.
pub(super) fn unsupported(samples: u64, needed: u64) -> String {
    if samples == 0 { text::NOTHING.into() } else { format!("needs {}", text::count(needed)) }
}

/// What a threshold compares.
pub fn threshold_value(value: Option<f64>, unit: ThresholdUnit) -> String {
    let Some(value) = value else { return text::NOTHING.into() };
    match unit {
        ThresholdUnit::Ms => text::milliseconds(value),
        ThresholdUnit::Share => text::share(value),
        ThresholdUnit::PerS => text::per_second(value),
    }
}

/// How a plan reads its relations.
pub(super) fn scans(plan: Option<&PlanFigures>) -> String {
    match plan {
        None => "not captured".into(),
        Some(plan) if plan.scans.is_empty() => "reads no table".into(),
        Some(plan) => plan.scans.join(", "),
    }
}

/// What came of a condition.
pub(super) fn outcome(outcome: Outcome, reason: Option<&str>) -> Cell {
    let (text, tone) = match (outcome, reason) {
        (Outcome::Passed, _) => ("PASS".to_owned(), Tone::Good),
        (Outcome::Failed, Some(reason)) => (format!("FAIL: {reason}"), Tone::Bad),
        (Outcome::Failed, None) => ("FAIL".to_owned(), Tone::Bad),
        (Outcome::Undecided, Some(reason)) => (format!("undecided: {reason}"), Tone::Bad),
        (Outcome::Undecided, None) => ("undecided".to_owned(), Tone::Bad),
    };
    Cell { text, tone }
}

/// A warning as a point of a list.
pub(super) fn warning(warning: &Warning) -> String {
    if warning.advice.is_empty() { warning.message.clone() } else { format!("{}; {}", warning.message, warning.advice) }
}
