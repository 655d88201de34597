//! A simulated machine: latencies whose true distribution is known.

use hdrhistogram::Histogram;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, StandardNormal};

/// Units of a histogram in a typical latency: small enough that the width of a bucket does not matter.
const TYPICAL: f64 = 20_000.0;

/// Longest latency, in the same unit.
const LONGEST: u64 = 10_000_000;

/// What latencies are made of. Times are in blocks; deviations are of ln latency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    pub(crate) name: &'static str,
    /// Deviation of operations that know nothing of each other.
    pub(crate) noise: f64,
    /// State of the machine that all operations share: an Ornstein-Uhlenbeck process, deviation and correlation time.
    pub(crate) state: Option<(f64, f64)>,
    /// A second one, to have a fast and a slow one.
    pub(crate) burst: Option<(f64, f64)>,
    /// A busy regime: ln of its factor, mean time until it begins and until it ends.
    pub(crate) regime: Option<(f64, f64, f64)>,
    /// Ways through the code: ln of the factor and share of the operations that take it.
    pub(crate) modes: &'static [(f64, f64)],
    /// ln of the factor by which latencies grow from the first block to the last, evenly.
    pub(crate) drift: f64,
    /// ln of the factor of a second load that begins half-way.
    pub(crate) second_load: f64,
}

/// Independent and log-normal.
pub(crate) const INDEPENDENT: Process = Process {
    name: "independent",
    noise: 0.5,
    state: None,
    burst: None,
    regime: None,
    modes: &[],
    drift: 0.0,
    second_load: 0.0,
};

/// Both arms see a machine that is slow for a third of a block and one that is slow for some operations.
pub(crate) const AUTOCORRELATED: Process =
    Process { name: "autocorrelated", noise: 0.3, state: Some((0.1, 0.3)), burst: Some((0.3, 0.02)), ..INDEPENDENT };

/// Now and then a vacuum, a checkpoint, a neighbour.
pub(crate) const REGIMES: Process =
    Process { name: "regimes", noise: 0.3, regime: Some((0.7, 0.7, 0.3)), ..INDEPENDENT };

/// p95 lies in the gap between the second and the third mode, the worst place.
pub(crate) const MULTIMODAL: Process = Process {
    name: "multimodal",
    noise: 0.15,
    modes: &[(0.0, 0.7), (1.5, 0.25), (3.0, 0.05)],
    state: Some((0.03, 0.5)),
    ..INDEPENDENT
};

/// A machine that becomes slower all the time and has a second load from the middle on.
pub(crate) const DRIFT: Process =
    Process { name: "drift and second load", drift: 0.2, second_load: 0.4, ..AUTOCORRELATED };

/// The second load alone.
pub(crate) const SECOND_LOAD: Process = Process { name: "second load", second_load: 0.4, ..INDEPENDENT };

/// The drift alone.
pub(crate) const SLOW_DRIFT: Process = Process { name: "slow drift", drift: 0.2, ..INDEPENDENT };

/// A process as it goes on.
pub(crate) struct Machine {
    process: Process,
    random: Xoshiro256PlusPlus,
    /// Now, and the end, in blocks.
    time: f64,
    blocks: f64,
    second_load_from: f64,
    state: f64,
    burst: f64,
    busy: bool,
}

impl Machine {
    /// A machine in its stationary state, for `blocks` blocks. The second load begins somewhere in the middle third of them.
    pub(crate) fn new(process: Process, blocks: usize, seed: u64) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let blocks = blocks as f64;
        let second_load_from = blocks * (1.0 + random.random::<f64>()) / 3.0;
        let (state, burst) = (normal(&mut random), normal(&mut random));
        let busy_share = process.regime.map_or(0.0, |(_, until, lasts)| lasts / (until + lasts));
        let busy = random.random::<f64>() < busy_share;
        Self { process, random, time: 0.0, blocks, second_load_from, state, burst, busy }
    }

    /// The random numbers of the machine, for what is drawn along with its latencies.
    pub(crate) fn random(&mut self) -> &mut Xoshiro256PlusPlus {
        &mut self.random
    }

    /// The latencies of the next block: `samples` operations, evenly over it. `arm` turns ln of a latency into that of the arm
    /// measured.
    pub(crate) fn block(&mut self, samples: u32, arm: impl Fn(f64) -> f64) -> Histogram<u64> {
        let mut histogram = histogram();
        let step = 1.0 / f64::from(samples);
        let kept = |(_, time): (f64, f64)| {
            let kept = (-step / time).exp();
            (kept, (1.0 - kept * kept).sqrt())
        };
        let (state_kept, burst_kept) = (self.process.state.map(kept), self.process.burst.map(kept));
        for _ in 0..samples {
            self.time += step;
            for (state, kept) in [(&mut self.state, state_kept), (&mut self.burst, burst_kept)] {
                if let Some((old, new)) = kept {
                    *state = old * *state + new * normal(&mut self.random);
                }
            }
            if let Some((_, until, lasts)) = self.process.regime
                && self.random.random::<f64>() < step / if self.busy { lasts } else { until }
            {
                self.busy = !self.busy;
            }
            let latency = TYPICAL * arm(self.ln_latency()).exp();
            histogram.saturating_record(latency.round().max(1.0) as u64);
        }
        histogram
    }

    fn ln_latency(&mut self) -> f64 {
        let process = &self.process;
        let mut ln = process.noise * normal(&mut self.random);
        ln += process.state.map_or(0.0, |(deviation, _)| deviation * self.state);
        ln += process.burst.map_or(0.0, |(deviation, _)| deviation * self.burst);
        ln += process.regime.filter(|_| self.busy).map_or(0.0, |(factor, ..)| factor);
        ln += process.drift * self.time / self.blocks;
        if self.time > self.second_load_from {
            ln += process.second_load;
        }
        if !process.modes.is_empty() {
            let mut drawn: f64 = self.random.random();
            let taken = process.modes.iter().find(|(_, share)| {
                drawn -= share;
                drawn < 0.0
            });
            ln += taken.map_or(0.0, |(factor, _)| *factor);
        }
        ln
    }
}

/// An empty histogram for simulated latencies.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).unwrap_or_else(|error| unreachable!("the bounds are valid: {error}"))
}

fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
    StandardNormal.sample(random)
}
