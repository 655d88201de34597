//! One comparison of simulated rounds, judged as the program judges.

use hdrhistogram::Histogram;
use latclinic::stats::{self, Claim};
use rand::{Rng, RngExt};

/// The percentiles that are judged.
pub(crate) const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

/// Probability of a wrong verdict that is allowed.
pub(crate) const ALPHA: f64 = 0.05;

/// Tolerance of a verdict.
pub(crate) const TOLERANCE: f64 = 0.02;

/// A block: its arm, and ln of its percentiles, not a number where its samples do not support one: then nothing is claimed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub(crate) after: bool,
    pub(crate) ln: [f64; PERCENTILES.len()],
}

impl Block {
    pub(crate) fn new(after: bool, histogram: &Histogram<u64>) -> Self {
        let ln = PERCENTILES.map(|(_, p)| stats::block_quantile(histogram, p).map_or(f64::NAN, f64::ln));
        Self { after, ln }
    }
}

/// The arms of `rounds` rounds in the order of their blocks, as `run` draws it: of two rounds each arm is first in one.
pub(crate) fn order(rounds: usize, random: &mut impl Rng) -> Vec<bool> {
    let first = (0..rounds.div_ceil(2)).flat_map(|_| {
        let after: bool = random.random();
        [after, !after]
    });
    first.take(rounds).flat_map(|after| [after, !after]).collect()
}

/// The effects of one percentile in rounds of two successive blocks each.
pub(crate) fn effects(blocks: &[Block], metric: usize) -> Vec<f64> {
    let effect = |round: &[Block]| {
        let difference = round[1].ln[metric] - round[0].ln[metric];
        if round[1].after { difference } else { -difference }
    };
    blocks.chunks_exact(2).map(effect).collect()
}

/// The claim of rounds at a confidence.
pub(crate) fn claim(effects: &[f64], confidence: f64, seed: u64) -> Claim {
    stats::claim_of_rounds(effects, confidence, TOLERANCE, seed)
}

/// The claim of the same blocks if the first half of them had been measured before, the second after a fix.
pub(crate) fn one_after_the_other(blocks: &[Block], metric: usize) -> Claim {
    let values: Vec<f64> = blocks.iter().map(|block| block.ln[metric]).collect();
    let (before, after) = values.split_at(values.len() / 2);
    stats::welch_interval(before, after, 1.0 - ALPHA)
        .map_or(Claim::Unclear, |found| stats::claim(found.low, found.high, TOLERANCE))
}

/// The claims of all percentiles as one family.
pub(crate) fn family(blocks: &[Block], alpha: f64, seed: u64) -> [Claim; PERCENTILES.len()] {
    let effects: Vec<Vec<f64>> = (0..PERCENTILES.len()).map(|metric| effects(blocks, metric)).collect();
    let mut claims = [Claim::Unclear; PERCENTILES.len()];
    stats::step_down(PERCENTILES.len(), alpha, |metric, confidence| {
        claims[metric] = claim(&effects[metric], confidence, seed);
        claims[metric] != Claim::Unclear
    });
    claims
}

/// The claims of the family, and the rounds taken, when it is looked at as often as `--rounds auto:MAX` does.
pub(crate) fn sequential(blocks: &[Block], alpha: f64, seed: u64) -> ([Claim; PERCENTILES.len()], u32) {
    let looks = stats::looks((blocks.len() / 2) as u32);
    let mut claims = [Claim::Unclear; PERCENTILES.len()];
    for (look, rounds) in looks.iter().enumerate() {
        let so_far = &blocks[..2 * *rounds as usize];
        claims = family(so_far, stats::alpha_of_look(look, &looks, alpha), seed);
        if claims.iter().all(|claim| *claim != Claim::Unclear) {
            return (claims, *rounds);
        }
    }
    (claims, (blocks.len() / 2) as u32)
}

/// Whether a claim is of a difference.
pub(crate) fn differs(claim: Claim) -> bool {
    matches!(claim, Claim::Lower | Claim::Higher)
}
