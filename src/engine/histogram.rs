//! Histograms of times: one layout everywhere, so that they merge by addition.

use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2Serializer},
};

/// Longest time that a histogram tells from longer ones, in nanoseconds: one hour.
pub const LONGEST_NS: u64 = 3_600_000_000_000;

/// An empty histogram of nanoseconds: 1 ns to 1 h, 3 significant digits, about 270 KB.
#[expect(
    clippy::expect_used,
    reason = "the bounds are constants that the crate accepts; every run of the tests shows it"
)]
pub fn empty_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("constant bounds are valid")
}

/// Adds `from` to `to`, both of this module's layout.
#[expect(clippy::expect_used, reason = "addition fails only between different bounds, and there is one layout")]
pub(super) fn merge(to: &mut Histogram<u64>, from: &Histogram<u64>) {
    to.add(from).expect("one layout adds to itself");
}

/// A histogram at rest, in HdrHistogram's V2 encoding: some kilobytes for a second of operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactHistogram {
    v2: Box<[u8]>,
}

impl CompactHistogram {
    /// Encodes a histogram.
    #[expect(clippy::expect_used, reason = "writing to memory cannot fail and no count comes near i64::MAX")]
    pub fn new(histogram: &Histogram<u64>) -> Self {
        let mut v2 = Vec::new();
        V2Serializer::new().serialize(histogram, &mut v2).expect("encoding into memory succeeds");
        Self { v2: v2.into_boxed_slice() }
    }

    /// Decodes it.
    #[expect(clippy::expect_used, reason = "the bytes are private and only ever what `new` encoded")]
    pub fn histogram(&self) -> Histogram<u64> {
        Deserializer::new().deserialize(&mut &*self.v2).expect("what was encoded decodes")
    }

    /// Bytes it takes.
    pub fn size(&self) -> usize {
        self.v2.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_loses_nothing_and_is_small() {
        let mut histogram = empty_histogram();
        for step in 0..20_000_u64 {
            histogram.saturating_record(200_000 + step * 97);
        }
        let compact = CompactHistogram::new(&histogram);
        assert!(compact.size() < 8_000, "{} bytes", compact.size());
        let back = compact.histogram();
        assert_eq!(back, histogram);
        assert_eq!((back.low(), back.high(), back.sigfig()), (1, LONGEST_NS, 3));
    }

    #[test]
    fn merging_adds_counts() {
        let mut one = empty_histogram();
        let mut other = empty_histogram();
        one.saturating_record(1);
        other.saturating_record(LONGEST_NS);
        merge(&mut one, &other);
        assert_eq!((one.len(), one.min()), (2, 1));
    }
}
