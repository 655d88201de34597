//! Whether a machine drifted over the rounds, and whether the effect did.

use super::{
    evidence::{Measured, values},
    model::{Drift, DriftOf, MetricName},
};
use crate::stats;

/// Trends over the rounds of a run: of the values of both sides and of their ratio, for each of `names`.
pub(super) fn drift(names: &[MetricName], [before, after]: [Measured<'_>; 2]) -> Vec<Drift> {
    let mut found = Vec::new();
    for name in names {
        let (Ok(from), Ok(to)) = (values(*name, None, before), values(*name, None, after)) else { continue };
        let effects: Vec<f64> = from.iter().zip(&to).map(|(before, after)| after - before).collect();
        for (of, values) in [(DriftOf::Before, &from), (DriftOf::After, &to), (DriftOf::Effect, &effects)] {
            if let Some(trend) = stats::trend(values) {
                let stats::Trend { tau, p, change } = trend;
                found.push(Drift { metric: *name, of, tau, p, ratio: change.exp() });
            }
        }
    }
    found
}
