//! Times that a thread notes for a quarter of a second: a list while they are few, a histogram once they are many.
//!
//! A histogram takes 270 KB, and there are some for each statement, thread and quarter of a second under way: of a workload with
//! thousands of statements, most of which are sent rarely, the list takes a few bytes instead.

use hdrhistogram::Histogram;

use super::histogram::{empty_histogram, merge};

/// The most that are listed: 4 KB.
const FEW: usize = 512;

/// Times in nanoseconds.
pub(super) enum Times {
    Few(Vec<u64>),
    Many(Box<Histogram<u64>>),
}

impl Times {
    pub(super) fn new() -> Self {
        Self::Few(Vec::new())
    }

    /// Notes a time.
    #[inline]
    pub(super) fn record(&mut self, ns: u64) {
        match self {
            Self::Many(histogram) => histogram.saturating_record(ns),
            Self::Few(times) if times.len() < FEW => times.push(ns),
            Self::Few(_) => self.become_many(ns),
        }
    }

    #[cold]
    fn become_many(&mut self, ns: u64) {
        let mut histogram = Box::new(empty_histogram());
        self.add_to(&mut histogram);
        histogram.saturating_record(ns);
        *self = Self::Many(histogram);
    }

    /// Adds all of them to a histogram of the one layout.
    pub(super) fn add_to(&self, to: &mut Histogram<u64>) {
        match self {
            Self::Few(times) => times.iter().for_each(|ns| to.saturating_record(*ns)),
            Self::Many(histogram) => merge(to, histogram),
        }
    }

    /// Forgets them and keeps the memory.
    pub(super) fn clear(&mut self) {
        match self {
            Self::Few(times) => times.clear(),
            Self::Many(histogram) => histogram.reset(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_the_same_in_a_histogram() {
        for count in [0, 1, FEW, FEW + 1, 5 * FEW] {
            let (mut times, mut expected) = (Times::new(), empty_histogram());
            for round in 0..2 {
                for step in 0..count as u64 {
                    let ns = 1 + step * 7_919 + round;
                    times.record(ns);
                    expected.saturating_record(ns);
                }
                let mut found = empty_histogram();
                times.add_to(&mut found);
                assert_eq!(found, expected, "{count}");
                times.clear();
                expected.reset();
            }
            assert_eq!(matches!(times, Times::Many(_)), count > FEW);
        }
    }
}
