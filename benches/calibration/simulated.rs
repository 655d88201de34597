//! The tables that simulated machines fill.

use hdrhistogram::Histogram;
use latclinic::stats::{self, Claim};
use rand::RngExt;

use crate::{
    machine::{self, Machine, Process},
    table::{Table, share},
    trial::{self, ALPHA, Block, PERCENTILES},
};

/// Samples of a block unless something else is said: five seconds at 400/s.
const SAMPLES: u32 = 2_000;

/// Rounds unless something else is said.
const ROUNDS: usize = 6;

/// Most rounds of `--rounds auto:20`.
const MOST_ROUNDS: usize = 20;

/// What the arm after does to ln of a latency.
type Arm = fn(f64) -> f64;

/// Least and most samples of a block, of the arm before and after.
type Samples = [(u32, u32); 2];

const NO_FIX: Arm = |ln| ln;

/// Measures rounds as `run` does.
fn measure(machine: &mut Machine, rounds: usize, samples: Samples, arm: impl Fn(f64) -> f64) -> Vec<Block> {
    let order = trial::order(rounds, machine.random());
    let block = |after: bool| {
        let (least, most) = samples[usize::from(after)];
        let count = machine.random().random_range(least..=most);
        let histogram = machine.block(count, |ln| if after { arm(ln) } else { ln });
        Block::new(after, &histogram)
    };
    order.into_iter().map(block).collect()
}

/// A/A: the same on both sides, so that every verdict of a difference is wrong.
pub(crate) fn same(comparisons: u64) -> Table {
    let mut table = Table::new(&["latencies", "samples", "p50", "p95", "p99", "any of the three", "any, auto:20"]);
    let usual = (SAMPLES, SAMPLES);
    // The fewest that a block has: those that end by their samples.
    let fewest = (100, 100);
    let cases: [(Process, (u32, u32)); 9] = [
        (machine::INDEPENDENT, usual),
        (machine::INDEPENDENT, (120, 300)),
        (machine::INDEPENDENT, fewest),
        (machine::AUTOCORRELATED, usual),
        (machine::REGIMES, usual),
        (machine::MULTIMODAL, usual),
        (machine::DRIFT, usual),
        (machine::DRIFT, (120, 300)),
        (machine::DRIFT, fewest),
    ];
    for (process, samples) in cases {
        let (mut wrong, mut any, mut any_sequential) = ([0; PERCENTILES.len()], 0, 0);
        for seed in 0..comparisons {
            let mut machine = Machine::new(process, 2 * ROUNDS, seed);
            let blocks = measure(&mut machine, ROUNDS, [samples; 2], NO_FIX);
            for (metric, wrong) in wrong.iter_mut().enumerate() {
                let effects = trial::effects(&blocks, metric);
                *wrong += u64::from(trial::differs(trial::claim(&effects, 1.0 - ALPHA, seed)));
            }
            any += u64::from(trial::family(&blocks, ALPHA, seed).into_iter().any(trial::differs));
            let mut machine = Machine::new(process, 2 * MOST_ROUNDS, seed + comparisons);
            let blocks = measure(&mut machine, MOST_ROUNDS, [samples; 2], NO_FIX);
            let (claims, _) = trial::sequential(&blocks, ALPHA, seed);
            any_sequential += u64::from(claims.into_iter().any(trial::differs));
        }
        let (least, most) = samples;
        let size = if least == most { most.to_string() } else { format!("{least} to {most}") };
        let mut row = vec![process.name.to_owned(), size];
        row.extend(wrong.iter().chain([&any, &any_sequential]).map(|count| share(*count, comparisons)));
        table.row(row);
    }
    table
}

/// Planted slowdowns: how many are found.
pub(crate) fn power(comparisons: u64) -> Table {
    let mut table =
        Table::new(&["sd of a round", "slower by", "6 rounds", "10 rounds", "20 rounds", "auto:20", "rounds taken"]);
    for deviation in [0.02, 0.05, 0.1, 0.25] {
        let process = Process { state: Some((deviation, 0.1)), noise: 0.2, ..machine::INDEPENDENT };
        for slowdown in [0.05_f64, 0.1, 0.2] {
            let (mut found, mut found_sequential, mut taken) = ([0; 3], 0, 0.0);
            let mut deviations = 0.0;
            for seed in 0..comparisons {
                let mut machine = Machine::new(process, 2 * MOST_ROUNDS, seed);
                let blocks = measure(&mut machine, MOST_ROUNDS, [(SAMPLES, SAMPLES); 2], |ln| ln + slowdown.ln_1p());
                let effects = trial::effects(&blocks, 2);
                deviations += stats::t_interval(&effects, 0.95).map_or(0.0, |estimate| estimate.sd);
                for (found, rounds) in found.iter_mut().zip([6, 10, 20]) {
                    let claim = trial::claim(&effects[..rounds], 1.0 - ALPHA, seed);
                    *found += u64::from(claim == Claim::Higher);
                }
                let (sequential, rounds) = sequential_of_one(&effects, seed);
                found_sequential += u64::from(sequential == Claim::Higher);
                taken += f64::from(rounds);
            }
            let mut row =
                vec![format!("{:.1} %", 100.0 * deviations / comparisons as f64), format!("{:.0} %", 100.0 * slowdown)];
            row.extend(found.iter().chain([&found_sequential]).map(|count| share(*count, comparisons)));
            row.push(format!("{:.1}", taken / comparisons as f64));
            table.row(row);
        }
    }
    table
}

/// `--rounds auto:20` with one gated metric.
fn sequential_of_one(effects: &[f64], seed: u64) -> (Claim, u32) {
    let looks = stats::looks(effects.len() as u32);
    for (look, rounds) in looks.iter().enumerate() {
        let confidence = 1.0 - stats::alpha_of_look(look, &looks, ALPHA);
        let claim = trial::claim(&effects[..*rounds as usize], confidence, seed);
        if claim != Claim::Unclear {
            return (claim, *rounds);
        }
    }
    (Claim::Unclear, effects.len() as u32)
}

/// Intervals of rounds against the true ratio.
pub(crate) fn coverage(comparisons: u64) -> Table {
    let mut table = Table::new(&["latencies", "samples before, after", "rounds", "p50", "p95", "p99"]);
    let faster: Arm = |ln| ln - 1.0;
    // Another shape: a deviation of .2 instead of .5, and a tenth of the latency. ln of the ratio is -2.3 - .3 z.
    let narrower: Arm = |ln| 0.4 * ln - 2.3;
    let usual = [(SAMPLES, SAMPLES); 2];
    let cases = [
        (machine::INDEPENDENT, "", faster, usual, 6),
        (machine::INDEPENDENT, "", faster, usual, 20),
        (machine::INDEPENDENT, "", faster, [(200, 200), (20_000, 20_000)], 6),
        (machine::INDEPENDENT, "", faster, [(200, 200), (20_000, 20_000)], 20),
        (machine::INDEPENDENT, "", faster, [(100, 100), (20_000, 20_000)], 6),
        (machine::DRIFT, "", faster, [(100, 100), (20_000, 20_000)], 6),
        (machine::INDEPENDENT, ", another shape after", narrower, usual, 6),
        (machine::AUTOCORRELATED, "", faster, usual, 6),
        (machine::REGIMES, "", faster, usual, 6),
        (machine::MULTIMODAL, "", faster, usual, 6),
        (machine::DRIFT, "", faster, usual, 6),
    ];
    for (process, remark, arm, samples, rounds) in cases {
        let mut covered = [0; PERCENTILES.len()];
        for seed in 0..comparisons {
            let mut machine = Machine::new(process, 2 * rounds, seed);
            let blocks = measure(&mut machine, rounds, samples, arm);
            for (metric, covered) in covered.iter_mut().enumerate() {
                // The quantile of ln latencies at 0 and deviation .5 is .5 z.
                let z = [0.0, 1.644_853_627, 2.326_347_874][metric];
                let truth = arm(process.noise * z) - process.noise * z;
                let interval = stats::t_interval(&trial::effects(&blocks, metric), 1.0 - ALPHA);
                *covered += u64::from(interval.is_some_and(|found| found.low <= truth && truth <= found.high));
            }
        }
        let [(before, _), (after, _)] = samples;
        let mut row = vec![format!("{}{remark}", process.name), format!("{before}, {after}"), rounds.to_string()];
        row.extend(covered.iter().map(|count| share(*count, comparisons)));
        table.row(row);
    }
    table
}

/// Intervals of slices against the true ratio, of measurements that were not interleaved.
pub(crate) fn slices(comparisons: u64) -> Table {
    let mut table = Table::new(&["slices a side", "correlation of slices", "comparisons", "p50", "p99", "mean"]);
    // The longer the series, the fewer: they take the time.
    for (slices, fewer) in [(30, 1), (120, 2), (600, 5)] {
        let comparisons = comparisons / fewer;
        for correlation in [0.0_f64, 0.5, 0.8, 0.95] {
            let time = if correlation > 0.0 { -1.0 / correlation.ln() } else { 1e-3 };
            let process = Process { noise: 0.4, state: Some((0.2, time)), ..machine::INDEPENDENT };
            let mut covered = [0; 3];
            for seed in 0..comparisons {
                let side = |seed: u64| {
                    let mut machine = Machine::new(process, slices, seed);
                    let slices: Vec<Histogram<u64>> = (0..slices).map(|_| machine.block(50, NO_FIX)).collect();
                    let means: Vec<f64> = slices.iter().map(Histogram::mean).collect();
                    (
                        slices
                            .iter()
                            .map(|slice| (&stats::CompactHistogram::new(slice)).into())
                            .collect::<Vec<stats::SliceTimes>>(),
                        means,
                    )
                };
                let ((before, means_before), (after, means_after)) = (side(2 * seed), side(2 * seed + 1));
                let intervals = [
                    stats::slice_bootstrap(&before, &after, 0.5, 1.0 - ALPHA, seed),
                    stats::slice_bootstrap(&before, &after, 0.99, 1.0 - ALPHA, seed),
                    stats::slice_bootstrap_means(&means_before, &means_after, 1.0 - ALPHA, seed),
                ];
                for (covered, interval) in covered.iter_mut().zip(intervals) {
                    *covered += u64::from(interval.is_some_and(|found| found.low <= 0.0 && 0.0 <= found.high));
                }
            }
            let mut row = vec![slices.to_string(), correlation.to_string(), comparisons.to_string()];
            row.extend(covered.iter().map(|count| share(*count, comparisons)));
            table.row(row);
        }
    }
    table
}

/// The same blocks of an A/A as rounds, and as if the first half had been measured before and the second after a fix.
pub(crate) fn interleaving(comparisons: u64) -> Table {
    let mut table = Table::new(&["latencies", "way", "p50", "p95", "p99"]);
    let processes =
        [machine::INDEPENDENT, machine::AUTOCORRELATED, machine::SLOW_DRIFT, machine::SECOND_LOAD, machine::DRIFT];
    for process in processes {
        let mut wrong = [[0; PERCENTILES.len()]; 2];
        for seed in 0..comparisons {
            let mut machine = Machine::new(process, 2 * ROUNDS, seed);
            let blocks = measure(&mut machine, ROUNDS, [(SAMPLES, SAMPLES); 2], NO_FIX);
            let [in_rounds, halves] = &mut wrong;
            for (metric, (in_rounds, halves)) in in_rounds.iter_mut().zip(halves).enumerate() {
                let rounds = trial::claim(&trial::effects(&blocks, metric), 1.0 - ALPHA, seed);
                let one_by_one = trial::one_after_the_other(&blocks, metric);
                *in_rounds += u64::from(trial::differs(rounds));
                *halves += u64::from(trial::differs(one_by_one));
            }
        }
        for (way, wrong) in ["in rounds", "one half after the other"].into_iter().zip(wrong) {
            let mut row = vec![process.name.to_owned(), way.to_owned()];
            row.extend(wrong.iter().map(|count| share(*count, comparisons)));
            table.row(row);
        }
    }
    table
}
