//! What a metric is judged by: the values of rounds, of blocks or of slices, and the intervals that follow from them.

use std::borrow::Cow;

use super::model::{Method, MetricName};
use crate::{
    record::{BlockHistograms, Found},
    stats::{self, Claim, Estimate, ROUNDS_NEEDED, SliceTimes},
};

/// Of the resampling, so that the same records give the same comparison.
const SEED: u64 = 1;

/// A record and the response times behind it.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The record, and where it is.
    pub found: &'a Found,
    /// Its response times, block by block; none where they are not known.
    pub blocks: &'a [BlockHistograms],
}

/// What a metric is judged by.
#[derive(Debug, Clone)]
pub(super) enum Evidence<'a> {
    /// `ln(after / before)` of each round.
    Rounds(Vec<f64>),
    /// `ln` of the value of each block of both sides, which were not measured in turns.
    Blocks(Vec<f64>, Vec<f64>),
    /// A percentile of the slices of both sides.
    Slices { sides: [Cow<'a, [SliceTimes]>; 2], p: f64 },
    /// A value of each slice of both sides.
    SliceValues([Vec<f64>; 2]),
    /// There is none, and why.
    None(Option<String>),
}

/// How two records can be judged.
pub(super) fn method(before: Measured<'_>, after: Measured<'_>) -> Method {
    let run = |side: Measured<'_>| side.found.record.run.clone();
    let several = |side: Measured<'_>| side.found.record.blocks.len() >= 2 && side.blocks.len() >= 2;
    match (run(before), run(after)) {
        _ if before.blocks.is_empty() || after.blocks.is_empty() => Method::Once,
        // A single round is one too: it bears no claim.
        (Some(one), Some(other)) if one.id == other.id && one.rounds > 0 => Method::Rounds,
        _ if several(before) && several(after) => Method::Blocks,
        _ => Method::Slices,
    }
}

/// What a metric of the whole workload or of a statement is judged by.
pub(super) fn evidence<'a>(
    method: Method,
    name: MetricName,
    statement: Option<usize>,
    [before, after]: [Measured<'a>; 2],
) -> Evidence<'a> {
    if name.quantile().is_none() && name != MetricName::Throughput {
        return Evidence::None(None);
    }
    match method {
        Method::Once => Evidence::None(None),
        Method::Slices => slices(name, statement, [before, after]),
        Method::Rounds | Method::Blocks => {
            let sides = [before, after].map(|side| values(name, statement, side));
            match (sides, method) {
                ([Ok(before), Ok(after)], Method::Rounds) => {
                    Evidence::Rounds(before.iter().zip(&after).map(|(before, after)| after - before).collect())
                }
                ([Ok(before), Ok(after)], _) => Evidence::Blocks(before, after),
                ([Err(reason), _] | [_, Err(reason)], _) => Evidence::None(Some(reason)),
            }
        }
    }
}

/// `ln` of a metric's value in each block of a side, or why there is none.
pub(super) fn values(name: MetricName, statement: Option<usize>, side: Measured<'_>) -> Result<Vec<f64>, String> {
    let record = &side.found.record;
    let value = |(block, histograms): (&crate::record::Block, &BlockHistograms)| {
        let value = match name.quantile() {
            Some(p) => {
                let histogram = match statement {
                    None => &histograms.total,
                    Some(index) => histograms.statements.get(index).ok_or("the log lacks its response times")?,
                };
                histogram.block_quantile(p).ok_or_else(|| {
                    let (needed, samples) = (stats::samples_of_block(p), histogram.samples());
                    format!(
                        "each block needs {needed} samples, but the block {} the fix in round {} has {samples}",
                        record.phase, block.round
                    )
                })?
            }
            None => match statement {
                None => block.totals.throughput_per_s,
                Some(index) => block.statements.get(index).map_or(0.0, |figures| figures.totals.throughput_per_s),
            },
        };
        let ln = value.ln();
        ln.is_finite()
            .then_some(ln)
            .ok_or_else(|| format!("it is 0 in round {} of phase {}", block.round, record.phase))
    };
    record.blocks.iter().zip(side.blocks).map(value).collect()
}

fn slices<'a>(name: MetricName, statement: Option<usize>, sides: [Measured<'a>; 2]) -> Evidence<'a> {
    let only = |side: &Measured<'_>| side.found.record.statements.len() == 1;
    if statement.is_some() && !sides.iter().all(only) {
        return Evidence::None(Some("slices are recorded for the whole workload only".into()));
    }
    match name.quantile() {
        Some(p) => {
            let all = |side: Measured<'a>| match side.blocks {
                [only] => Cow::Borrowed(&*only.slices),
                blocks => blocks.iter().flat_map(|block| block.slices.iter().cloned()).collect(),
            };
            Evidence::Slices { sides: sides.map(all), p }
        }
        None => {
            let rates = |side: Measured<'_>| {
                let mut slices = side.found.record.slices.as_slice();
                let mut rates = Vec::new();
                for block in side.blocks {
                    let (of_block, rest) = slices.split_at(block.slices.len().min(slices.len()));
                    // The last slice of a block holds what was awaited at its end.
                    let whole = of_block.split_last().map_or(&[][..], |(_, whole)| whole);
                    rates.extend(whole.iter().map(|slice| slice.totals.throughput_per_s));
                    slices = rest;
                }
                rates
            };
            Evidence::SliceValues(sides.map(rates))
        }
    }
}

impl Evidence<'_> {
    /// The effect, `ln(after / before)`, with its interval.
    pub(super) fn estimate(&self, confidence: f64) -> Option<Estimate> {
        match self {
            Self::Rounds(effects) => stats::t_interval(effects, confidence),
            Self::Blocks(before, after) => stats::welch_interval(before, after, confidence),
            Self::Slices { sides: [before, after], p } => stats::slice_bootstrap(before, after, *p, confidence, SEED),
            Self::SliceValues([before, after]) => stats::slice_bootstrap_means(before, after, confidence, SEED),
            Self::None(_) => None,
        }
    }

    /// The second interval of rounds, by resampling them.
    pub(super) fn bootstrap(&self, confidence: f64) -> Option<(f64, f64)> {
        match self {
            Self::Rounds(effects) => stats::bootstrap_interval(effects, confidence, SEED),
            _ => None,
        }
    }

    /// Why nothing may be claimed, whatever the intervals say: there is no evidence, or there are fewer than six rounds.
    pub(super) fn too_little(&self) -> Option<String> {
        let fewer = |count: usize, of: &str| {
            (count < ROUNDS_NEEDED).then(|| format!("a verdict needs at least {ROUNDS_NEEDED} {of}; measured: {count}"))
        };
        match self {
            Self::Rounds(effects) => fewer(effects.len(), "rounds"),
            Self::Blocks(before, after) => fewer(before.len().min(after.len()), "blocks per side"),
            Self::None(reason) => reason.clone(),
            Self::Slices { .. } | Self::SliceValues(_) => None,
        }
    }

    /// What may be claimed at a confidence: of rounds only what both intervals say, and of fewer than six nothing.
    pub(super) fn claim(&self, confidence: f64, tolerance: f64) -> Claim {
        match self {
            _ if self.too_little().is_some() => Claim::Unclear,
            Self::Rounds(effects) => stats::claim_of_rounds(effects, confidence, tolerance, SEED),
            _ => self
                .estimate(confidence)
                .map_or(Claim::Unclear, |estimate| stats::claim(estimate.low, estimate.high, tolerance)),
        }
    }
}
