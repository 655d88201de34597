//! How long a client of a closed load pauses.

use std::time::Duration;

use crate::{
    draw::Stream,
    scenario::{ThinkDistribution, ThinkTime},
};

/// Pauses of a closed load. Each follows from the seed and the number of the operation before it alone.
#[derive(Debug, Clone)]
pub struct Pauses {
    think_time: ThinkTime,
    stream: Stream,
}

impl Pauses {
    /// Pauses of `think_time`.
    pub fn new(think_time: ThinkTime, seed: u64) -> Self {
        Self { think_time, stream: Stream::new(seed, &["think time"]) }
    }

    /// The pause after operation `number`.
    #[inline]
    pub fn after(&self, number: u64) -> Duration {
        let ThinkTime { mean, distribution } = self.think_time;
        match distribution {
            ThinkDistribution::Constant => mean,
            // 1 - U is above 0, so the factor is at most 36.8.
            ThinkDistribution::Exponential => mean.mul_f64(-(1.0 - self.stream.at(number).unit()).ln()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(distribution: ThinkDistribution, seed: u64) -> impl Iterator<Item = Duration> {
        let pauses = Pauses::new(ThinkTime { mean: Duration::from_millis(10), distribution }, seed);
        (0..100_000).map(move |number| pauses.after(number))
    }

    #[test]
    fn constant_pauses_are_all_the_mean() {
        assert!(pauses(ThinkDistribution::Constant, 7).all(|pause| pause == Duration::from_millis(10)));
    }

    #[test]
    fn exponential_pauses_have_their_mean_and_its_square_as_variance() {
        let means: Vec<f64> =
            pauses(ThinkDistribution::Exponential, 7).map(|pause| pause.as_secs_f64() / 0.01).collect();
        let count = means.len() as f64;
        let mean = means.iter().sum::<f64>() / count;
        let variance = means.iter().map(|pause| (pause - mean).powi(2)).sum::<f64>() / count;
        assert!((mean - 1.0).abs() < 0.013, "{mean}");
        assert!((variance - 1.0).abs() < 0.037, "{variance}");
    }

    #[test]
    fn a_pause_follows_from_seed_and_number() {
        let of = |seed| pauses(ThinkDistribution::Exponential, seed).take(100).collect::<Vec<_>>();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }
}
