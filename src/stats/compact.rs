//! Histograms at rest, in as much memory as their times need.
//!
//! A histogram takes 270 KB, however few times it holds. A workload of thousands of statements has several
//! for each statement (and for each block of a run), and nearly all of their buckets are empty. At rest only
//! the buckets that hold times are kept: 3 to 4 bytes each, so some bytes for each time and, however many
//! there are, some kilobytes in all. No time and no count is lost: [`CompactHistogram::histogram`] gives the same histogram.

use std::{
    iter, slice,
    sync::{Arc, LazyLock},
};

use hdrhistogram::Histogram;

use super::{
    histogram::{LONGEST_NS, empty_histogram},
    quantile::quantile,
};

/// Knows the bounds of each bucket; its own buckets are never written, so that they take no memory.
static LAYOUT: LazyLock<Histogram<u64>> = LazyLock::new(empty_histogram);

/// The first time that no bucket covers. A histogram counts it, and what is longer, as [`LONGEST_NS`].
const BEYOND_NS: u64 = LONGEST_NS.next_power_of_two();

/// The times of a histogram of the layout of [`empty_histogram`], at rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactHistogram {
    /// For each bucket that holds times, ascending: how far its lowest value is from the one before, and its
    /// count, both in 7 bits a byte. Clones share them.
    bytes: Arc<[u8]>,
    samples: u64,
}

impl CompactHistogram {
    /// The times of a histogram, which must have the layout of [`empty_histogram`].
    pub fn new(histogram: &Histogram<u64>) -> Self {
        let bucket = |step: hdrhistogram::iterators::IterationValue<u64>| {
            (LAYOUT.lowest_equivalent(step.value_iterated_to()), step.count_at_value())
        };
        Self::of_ascending(histogram.iter_recorded().map(bucket))
    }

    /// `samples` times of `ns` nanoseconds each.
    pub fn of_equal(ns: u64, samples: u64) -> Self {
        Self::of_ascending((samples > 0).then(|| (bucket(ns), samples)).into_iter())
    }

    /// Number of times.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Adds times in nanoseconds.
    pub fn add_times(&mut self, times: &[u64]) {
        self.add_buckets(times.iter().map(|ns| (bucket(*ns), 1)));
    }

    /// Adds the times of another one.
    pub fn add(&mut self, other: &Self) {
        match (self.samples, other.samples) {
            (_, 0) => {}
            (0, _) => *self = other.clone(),
            _ => self.add_buckets(other.buckets()),
        }
    }

    /// Adds its times to a histogram of the layout of [`empty_histogram`].
    pub fn add_to(&self, histogram: &mut Histogram<u64>) {
        self.buckets().for_each(|(lowest, count)| histogram.saturating_record_n(lowest, count));
    }

    /// The histogram.
    pub fn histogram(&self) -> Histogram<u64> {
        let mut histogram = empty_histogram();
        self.add_to(&mut histogram);
        histogram
    }

    /// As [`block_quantile`](super::block_quantile) of the histogram.
    pub fn block_quantile(&self, p: f64) -> Option<f64> {
        quantile(self.samples, self.middles(), p)
    }

    /// Middle and count of each bucket that holds times, ascending.
    pub(super) fn middles(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets().map(|(lowest, count)| (LAYOUT.median_equivalent(lowest), count))
    }

    /// Lowest value and count of each bucket that holds times, ascending.
    fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut bytes = self.bytes.iter();
        let mut lowest = 0;
        iter::from_fn(move || {
            lowest += number(&mut bytes)?;
            Some((lowest, number(&mut bytes)?))
        })
    }

    fn add_buckets(&mut self, others: impl Iterator<Item = (u64, u64)>) {
        let mut buckets: Vec<(u64, u64)> = self.buckets().chain(others).collect();
        // Stable, because that sorts what comes as two ascending runs in one pass.
        buckets.sort_by_key(|(lowest, _)| *lowest);
        buckets.dedup_by(|(lowest, count), (kept, sum)| {
            let is_same = lowest == kept;
            *sum += if is_same { *count } else { 0 };
            is_same
        });
        *self = Self::of_ascending(buckets.into_iter());
    }

    fn of_ascending(buckets: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut bytes = Vec::new();
        let (mut last, mut samples) = (0, 0);
        for (lowest, count) in buckets {
            push(&mut bytes, lowest - last);
            push(&mut bytes, count);
            last = lowest;
            samples += count;
        }
        Self { bytes: bytes.into(), samples }
    }
}

/// The lowest value of the bucket that a histogram counts a time in.
fn bucket(ns: u64) -> u64 {
    LAYOUT.lowest_equivalent(if ns < BEYOND_NS { ns } else { LONGEST_NS })
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn number(bytes: &mut slice::Iter<'_, u8>) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = *bytes.next()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::block_quantile;

    fn histogram(times: &[u64]) -> Histogram<u64> {
        let mut histogram = empty_histogram();
        times.iter().for_each(|ns| histogram.saturating_record(*ns));
        histogram
    }

    /// Times of every magnitude, with those at the ends of the layout.
    fn times() -> impl Strategy<Value = Vec<u64>> {
        let any = (0..64_u32, any::<u64>()).prop_map(|(shift, ns)| ns >> shift);
        let edge = prop::sample::select(vec![0, 1, 2047, 2048, LONGEST_NS, BEYOND_NS - 1, BEYOND_NS, u64::MAX]);
        prop::collection::vec(prop_oneof![4 => any, 2 => 1_000_000_u64..1_050_000, 1 => edge], 0..200)
    }

    proptest! {
        #[test]
        fn it_is_the_same_histogram_whichever_way_the_times_come(one in times(), other in times()) {
            let both = histogram(&[one.clone(), other.clone()].concat());
            let expected = CompactHistogram::new(&both);

            let mut listed = CompactHistogram::default();
            listed.add_times(&one);
            listed.add_times(&other);
            let mut added = CompactHistogram::new(&histogram(&one));
            added.add(&CompactHistogram::new(&histogram(&other)));
            prop_assert_eq!(&listed, &expected);
            prop_assert_eq!(&added, &expected);

            let back = added.histogram();
            prop_assert_eq!(&back, &both);
            prop_assert_eq!((back.min(), back.max(), added.samples()), (both.min(), both.max(), both.len()));
            prop_assert_eq!(back.mean().to_bits(), both.mean().to_bits());
            for p in [0.01, 0.5, 0.9, 0.99, 0.999] {
                prop_assert_eq!(back.value_at_quantile(p), both.value_at_quantile(p));
                let quantile = |value: Option<f64>| value.map(f64::to_bits);
                prop_assert_eq!(quantile(added.block_quantile(p)), quantile(block_quantile(&both, p)));
            }
        }
    }

    #[test]
    fn equal_times_are_one_bucket() {
        let mut zeros = empty_histogram();
        zeros.saturating_record_n(0, 70_000);
        assert_eq!(CompactHistogram::of_equal(0, 70_000), CompactHistogram::new(&zeros));
        assert_eq!(CompactHistogram::of_equal(0, 0), CompactHistogram::default());
        assert_eq!(CompactHistogram::default(), CompactHistogram::new(&empty_histogram()));
    }

    #[test]
    fn it_takes_some_bytes_a_time_and_some_kilobytes_at_most() {
        let few = histogram(&[150_000, 151_000, 180_000, 3_000_000]);
        assert!(CompactHistogram::new(&few).bytes.len() <= 16);
        let mut many = empty_histogram();
        for step in 0..2_000_000_u64 {
            many.saturating_record(50_000 + step * 10);
        }
        let (bytes, buckets) = (CompactHistogram::new(&many).bytes.len(), many.iter_recorded().count());
        assert!(bytes < 4 * buckets, "{bytes} bytes for {buckets} buckets");
    }
}
