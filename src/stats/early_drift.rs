//! Whether a series begins elsewhere than where it goes on.

/// Fewest values that are judged.
const LEAST: usize = 10;

/// Share of the values that are the beginning.
const BEGINNING: usize = 10;

/// Difference, as a share of the later median, below which nothing is said.
const TOLERANCE: f64 = 0.2;

/// A beginning that differs from the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyDrift {
    /// Values that are the beginning.
    pub length: usize,
    /// Their median.
    pub beginning: f64,
    /// Median of the second half.
    pub later: f64,
}

/// Tells whether the first values of a series differ from the rest: a process that had not settled when it was first looked at.
///
/// The beginning is the first tenth, two values at least. It differs when its median is off that of the second half by more
/// than a fifth of the latter, and more than half of its values lie beyond all values after it, on one side. The first
/// condition lets small differences pass however quiet the series is, the second large ones where the series is that noisy:
/// m of the first k of n independent values of one distribution are the m greatest, or the m least, with a probability of
/// `2 C(k, m) / C(n, m)`, which is 4 % for both of 2 of 10, and 1 % for 2 of 3 of 30.
///
/// `None` also for fewer than ten values.
pub fn early_drift(series: &[f64]) -> Option<EarlyDrift> {
    if series.len() < LEAST {
        return None;
    }
    let length = (series.len() / BEGINNING).max(2);
    let (begin, rest) = series.split_at(length);
    let (beginning, later) = (median(begin), median(&series[series.len() / 2..]));
    let least = rest.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = rest.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let most_are = |beyond: &dyn Fn(f64) -> bool| begin.iter().filter(|value| beyond(**value)).count() > length / 2;
    let beyond = most_are(&|value| value < least) || most_are(&|value| value > greatest);
    let differs = (beginning - later).abs() > TOLERANCE * later.abs();
    (differs && beyond).then_some(EarlyDrift { length, beginning, later })
}

/// Median of at least one value.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[half - 1], sorted[half]) } else { sorted[half] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Roughly normal, from a generator of its own: the same for ever.
    struct Noise(u64);

    impl Noise {
        fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }

        fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
            mean + deviation * ((0..12).map(|_| self.uniform()).sum::<f64>() - 6.0)
        }
    }

    #[test]
    fn a_slow_beginning_is_found_with_its_size() {
        let mut noise = Noise(1);
        let mut series: Vec<f64> = (0..30).map(|_| noise.normal(10.0, 0.5)).collect();
        assert_eq!(early_drift(&series), None);
        series[0] = 30.0;
        series[1] = 18.0;
        let drift = early_drift(&series).unwrap();
        assert_eq!((drift.length, drift.beginning), (3, 18.0));
        assert!((drift.later - 10.0).abs() < 1.0, "{drift:?}");
    }

    #[test]
    fn a_change_that_settles_slowly_is_found_and_so_is_one_to_the_worse() {
        let settling: Vec<f64> = (0..60).map(|second| 10.0 * (1.0 + (-f64::from(second) / 15.0).exp())).collect();
        assert!(early_drift(&settling).is_some());
        let rising: Vec<f64> = settling.iter().map(|value| 30.0 - value).collect();
        assert!(early_drift(&rising).is_some());
    }

    #[test]
    fn a_small_difference_a_lone_spike_and_a_short_series_are_none() {
        let mut series = vec![10.0; 30];
        series[..3].fill(11.5);
        assert_eq!(early_drift(&series), None, "15 % off");
        series[..3].copy_from_slice(&[100.0, 10.0, 10.0]);
        assert_eq!(early_drift(&series), None, "one of three");
        let short = [30.0, 30.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0];
        assert_eq!(early_drift(&short), None);
        assert_eq!(early_drift(&[]), None);
    }

    #[test]
    fn noise_however_large_gives_hardly_an_alarm() {
        let mut noise = Noise(7);
        for (length, most) in [(10, 45), (20, 11), (30, 14), (120, 1)] {
            for deviation in [0.02, 0.1, 0.2, 0.4] {
                let alarm = |_: &usize| {
                    let series: Vec<f64> = (0..length).map(|_| noise.normal(10.0, 10.0 * deviation)).collect();
                    early_drift(&series).is_some()
                };
                let alarms = (0..1_000).filter(alarm).count();
                // The bound that is documented, and three deviations of the count.
                assert!(
                    alarms as f64 <= f64::from(most) + 3.0 * f64::from(most).sqrt(),
                    "{alarms} alarms in 1 000 of {length} values, deviation {deviation}"
                );
            }
        }
    }
}
