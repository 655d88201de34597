//! Histograms of times: one layout everywhere, so that they merge by addition.

use hdrhistogram::Histogram;

/// Longest time that a histogram tells from longer ones, in nanoseconds: one hour.
pub const LONGEST_NS: u64 = 3_600_000_000_000;

const LOWEST_NS: u64 = 1;
const DIGITS: u8 = 3;

/// An empty histogram of nanoseconds: 1 ns to 1 h, 3 significant digits, about 270 KB.
#[expect(
    clippy::expect_used,
    reason = "the bounds are constants that the crate accepts; every run of the tests shows it"
)]
pub fn empty_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST_NS, LONGEST_NS, DIGITS).expect("constant bounds are valid")
}

/// Whether a histogram has the layout of [`empty_histogram`].
pub fn has_our_layout(histogram: &Histogram<u64>) -> bool {
    (histogram.low(), histogram.high(), histogram.sigfig()) == (LOWEST_NS, LONGEST_NS, DIGITS)
}

/// Adds `from` to `to`, both of the one layout.
#[expect(clippy::expect_used, reason = "addition fails only between different bounds, and there is one layout")]
pub fn merge(to: &mut Histogram<u64>, from: &Histogram<u64>) {
    to.add(from).expect("one layout adds to itself");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_adds_counts() {
        let mut one = empty_histogram();
        let mut other = empty_histogram();
        one.saturating_record(1);
        other.saturating_record(LONGEST_NS);
        merge(&mut one, &other);
        assert_eq!((one.len(), one.min()), (2, 1));
        assert!(has_our_layout(&one) && !has_our_layout(&Histogram::new(3).unwrap()));
    }
}
