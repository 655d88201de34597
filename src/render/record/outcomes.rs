//! What came of the conditions on a measurement: thresholds and capacity.

use super::super::{
    document::{Align, Block, Cell, Table, Tone},
    rows,
};
use crate::{
    record::{Capacity, CapacityPoint, ThresholdResult},
    text,
};

/// The thresholds, each with its outcome in words; nothing where there is none.
pub(super) fn thresholds(results: &[ThresholdResult]) -> Vec<Block> {
    if results.is_empty() {
        return Vec::new();
    }
    let mut table = Table::of_figures(&["threshold", "measured", "outcome"]);
    table.columns[2].align = Align::Left;
    for result in results {
        table.rows.push(vec![
            Cell::plain(&result.expression),
            Cell::plain(rows::threshold_value(result.value, result.unit)),
            rows::outcome(result.outcome, result.reason.as_deref()),
        ]);
    }
    vec![Block::Table(table)]
}

/// `Capacity: 480/s keep p(95)<50ms`.
pub(super) fn capacity_heading(capacity: &Capacity) -> String {
    let threshold = &capacity.threshold;
    match capacity.rate_per_s {
        Some(rate) => format!("Capacity: {} keep {threshold}", text::per_second(rate)),
        None => format!("Capacity: no rate that was tried keeps {threshold}"),
    }
}

/// The rates that were tried, lowest first.
pub(super) fn capacity(capacity: &Capacity) -> Vec<Block> {
    if capacity.curve.is_empty() {
        return Vec::new();
    }
    let mut curve: Vec<&CapacityPoint> = capacity.curve.iter().collect();
    curve.sort_by(|one, other| one.rate_per_s.total_cmp(&other.rate_per_s));
    let mut table = Table::of_figures(&["rate", "achieved", "operations", "errors", "p50", "p95", "p99", "kept"]);
    table.columns[0].align = Align::Right;
    table.columns[7].align = Align::Left;
    let time = |ms: Option<f64>| ms.map_or_else(|| text::NOTHING.into(), text::milliseconds);
    for point in &curve {
        let texts = [
            text::per_second(point.rate_per_s),
            text::per_second(point.achieved_per_s),
            text::count(point.operations),
            text::count(point.errors),
            time(point.p50_ms),
            time(point.p95_ms),
            time(point.p99_ms),
        ];
        let (text, tone) = if point.passed { ("yes", Tone::Good) } else { ("no", Tone::Bad) };
        let kept = Cell { text: text.to_owned(), tone };
        table.rows.push(texts.into_iter().map(Cell::plain).chain([kept]).collect());
    }
    let reason = |point: &&CapacityPoint| {
        point.reason.as_ref().map(|reason| format!("{}: {reason}", text::per_second(point.rate_per_s)))
    };
    let reasons: Vec<String> = curve.iter().filter_map(reason).collect();
    let mut blocks = vec![Block::Table(table)];
    if !reasons.is_empty() {
        blocks.push(Block::List(reasons));
    }
    blocks
}
