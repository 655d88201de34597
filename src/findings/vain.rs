//! Rows that a node above the scans gets and does not pass on.

use super::case::Case;
use crate::{plan::Node, record::Severity};

/// Rows got below which it does not matter; those that take longer than this matter from fewer.
const MIN_ROWS: f64 = 10_000.0;
const MIN_ROWS_SLOW: f64 = 1_000.0;
const SLOW_MS: f64 = 10.0;
/// Share of them thrown away from which it is a waste, and from which not having made them is worth anything.
const WASTEFUL_SHARE: f64 = 0.5;
const CERTAIN_SHARE: f64 = 0.9;

/// What a node threw away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Vain {
    pub(crate) got: f64,
    pub(crate) kept: f64,
    /// Share thrown away, at least: both figures are rounded by loop.
    pub(crate) removed: f64,
    /// By the time that making these rows took.
    pub(crate) severity: Severity,
    /// Milliseconds that making them took.
    pub(crate) at_stake_ms: Option<f64>,
}

impl Vain {
    /// Of `got` rows, which took `ms` to make, `kept` were passed on; each figure may be off by `rounding`. `None` if that is no waste.
    pub(crate) fn of(case: &Case<'_>, got: f64, kept: f64, rounding: f64, ms: Option<f64>) -> Option<Self> {
        let is_slow = ms.is_some_and(|ms| ms >= SLOW_MS);
        let removed = (got - kept - rounding).max(0.0);
        let share = removed / (removed + kept + rounding).max(1.0);
        if got < if is_slow { MIN_ROWS_SLOW } else { MIN_ROWS } || share <= WASTEFUL_SHARE {
            return None;
        }
        let at_stake_ms = ms.map(|ms| ms * share);
        let worst = if share > CERTAIN_SHARE { Severity::Critical } else { Severity::Warning };
        Some(Self { got, kept, removed: share, severity: case.by_share(at_stake_ms).min(worst), at_stake_ms })
    }

    /// What the node's own filter threw away, with all that is below it.
    pub(crate) fn by_filter(case: &Case<'_>, node: &Node) -> Option<Self> {
        let kept = node.rows();
        Self::of(case, kept + node.removed.filter * node.loops(), kept, node.rounding(), node.total_ms)
    }
}
