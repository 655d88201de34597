//! Times as the engine notes them: in lists while they are few, in histograms once they are many.
//!
//! A histogram takes 270 KB, however few times it holds. There used to be one for each statement in each thread, in up to
//! three quarters of a second under way, and up to five more in the sums and figures: together about 4 MB a statement,
//! nearly all of it empty buckets. Of a workload of thousands of statements, each is sent rarely: [`Times`], which threads
//! note, are a list until a statement has many in one quarter of a second; [`Sum`], over all threads, is a list of the last
//! few times and all earlier ones at rest. Both take memory by the times, not by the statements.

use hdrhistogram::Histogram;

use crate::stats::{CompactHistogram, empty_histogram, merge};

/// The most that are listed: 4 KB.
const FEW: usize = 512;

/// Times in nanoseconds that one thread notes.
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

/// Times in nanoseconds of all threads.
#[derive(Default)]
pub(super) struct Sum {
    /// The last ones.
    listed: Vec<u64>,
    /// All others.
    rest: CompactHistogram,
}

impl Sum {
    /// Adds what a thread noted.
    pub(super) fn add(&mut self, times: &Times) {
        match times {
            Times::Few(times) => {
                self.listed.extend_from_slice(times);
                if self.listed.len() > FEW {
                    self.rest.add_times(&self.listed);
                    self.listed.clear();
                }
            }
            Times::Many(histogram) => self.rest.add(&CompactHistogram::new(histogram)),
        }
    }

    /// All of them.
    pub(super) fn close(mut self) -> CompactHistogram {
        if !self.listed.is_empty() {
            self.rest.add_times(&self.listed);
        }
        self.rest
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

    #[test]
    fn the_sum_is_the_same_as_of_histograms_and_lists_no_more_than_a_few() {
        let (mut sum, mut expected) = (Sum::default(), empty_histogram());
        for part in 0..40_u64 {
            let mut times = Times::new();
            for step in 0..[3, 200, 0, 2_000][part as usize % 4] {
                times.record((part + 1) * 10_007 * (step % 50 + 1));
            }
            sum.add(&times);
            times.add_to(&mut expected);
            assert!(sum.listed.len() <= FEW);
        }
        assert_eq!(sum.close(), CompactHistogram::new(&expected));
        assert_eq!(Sum::default().close(), CompactHistogram::default());
    }
}
