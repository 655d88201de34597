//! Figures of a record from what was counted and timed.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::totals::{Latency, Totals};
use crate::stats;

const NS_PER_MS: f64 = 1e6;

/// A percentile of a [`Latency`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    /// Its name in the record: `p50`, `p90`, `p95`, `p99`, `p999`.
    pub name: &'static str,
    /// Milliseconds; `None` where the samples do not support it.
    pub value: Option<f64>,
    /// Samples that support it.
    pub needed: u64,
}

impl Latency {
    /// Figures of a histogram of nanoseconds, in milliseconds. A percentile without enough samples is null.
    pub fn from_histogram(histogram: &Histogram<u64>) -> Self {
        let ms = |ns: u64| ns as f64 / NS_PER_MS;
        let percentile = |p| stats::percentile(histogram, p).map(ms);
        let some = !histogram.is_empty();
        Self {
            min: some.then(|| ms(histogram.min())),
            mean: some.then(|| histogram.mean() / NS_PER_MS),
            p50: percentile(0.5),
            p90: percentile(0.9),
            p95: percentile(0.95),
            p99: percentile(0.99),
            p999: percentile(0.999),
            max: some.then(|| ms(histogram.max())),
            samples: histogram.len(),
        }
    }

    /// Its percentiles, lowest first, with the samples each needs.
    pub fn percentiles(&self) -> [Percentile; 5] {
        let of = |name, p, value| Percentile { name, value, needed: stats::samples_needed(p) };
        [
            of("p50", 0.5, self.p50),
            of("p90", 0.9, self.p90),
            of("p95", 0.95, self.p95),
            of("p99", 0.99, self.p99),
            of("p999", 0.999, self.p999),
        ]
    }
}

impl Totals {
    /// Counts over a window of length `measured`: `operations` that ended, `errors` of them with an error; nothing skipped,
    /// late or tried again.
    pub fn new(operations: u64, errors: u64, measured: Duration) -> Self {
        let quotient = |count: u64, by: f64| if by > 0.0 { count as f64 / by } else { 0.0 };
        Self {
            operations,
            errors,
            throughput_per_s: quotient(operations.saturating_sub(errors), measured.as_secs_f64()),
            error_rate: quotient(errors, operations as f64),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_become_milliseconds_and_unsupported_percentiles_null() {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        for ms in 1..=100 {
            histogram.record(ms * 1_000_000).unwrap();
        }
        let latency = Latency::from_histogram(&histogram);
        assert_eq!(latency.samples, 100);
        let near = |value: Option<f64>, expected: f64| (value.unwrap() / expected - 1.0).abs() < 0.002;
        assert!(near(latency.min, 1.0), "{latency:?}");
        assert!(near(latency.mean, 50.5), "{latency:?}");
        assert!(near(latency.p50, 50.0), "{latency:?}");
        assert!(near(latency.p95, 95.0), "{latency:?}");
        assert!(near(latency.max, 100.0), "{latency:?}");
        assert_eq!((latency.p99, latency.p999), (None, None));
    }

    #[test]
    fn nothing_measured_is_null_and_never_a_division_by_zero() {
        let latency = Latency::from_histogram(&Histogram::new(3).unwrap());
        assert_eq!(latency, Latency::default());
        assert_eq!(Totals::new(0, 0, Duration::ZERO), Totals::default());
    }

    #[test]
    fn throughput_leaves_errors_out() {
        let totals = Totals::new(100, 20, Duration::from_secs(4));
        assert_eq!((totals.throughput_per_s, totals.error_rate), (20.0, 0.2));
    }
}
