//! Whether response times are those of the record that they stand beside.

use super::{block_histograms::BlockHistograms, totals::Latency};
use crate::{
    record::{
        agree::{TIMES, near},
        model::Record,
    },
    stats::CompactHistogram,
};

/// A contradiction between a record and the response times beside it.
pub(crate) fn with_histograms(record: &Record, blocks: &[BlockHistograms]) -> Option<String> {
    let merged = |of: &dyn Fn(&BlockHistograms) -> Option<&CompactHistogram>| {
        let mut parts = blocks.iter().filter_map(of);
        let mut merged = parts.next()?.clone();
        parts.for_each(|part| merged.add(part));
        Some(merged)
    };
    let whole = || differs("all operations", &record.latency_ms, &merged(&|block| Some(&block.total))?);
    let statements = || {
        let mut all = record.statements.iter().enumerate();
        all.find_map(|(index, of)| differs(&of.name, &of.latency_ms, &merged(&|block| block.statements.get(index))?))
    };
    let of_blocks = || {
        record.blocks.iter().zip(blocks).find_map(|(block, times)| {
            let round = format!("the block of round {}", block.round);
            let own = differs(&round, &block.latency_ms, &times.total);
            let statements = block.statements.iter().zip(&times.statements);
            own.or_else(|| {
                statements
                    .into_iter()
                    .find_map(|(of, times)| differs(&format!("{} in {round}", of.name), &of.latency_ms, times))
            })
        })
    };
    let slices = || {
        let logged: Vec<u64> = blocks.iter().flat_map(|block| &block.slices).map(|slice| slice.samples()).collect();
        let (own, others) = (record.slices.len(), logged.len());
        if own != others {
            return Some(format!("{own} slices in the record, {others} in the log"));
        }
        let mut pairs = record.slices.iter().zip(&logged);
        let (slice, samples) = pairs.find(|(slice, samples)| slice.latency_ms.samples != **samples)?;
        let (own, at) = (slice.latency_ms.samples, slice.start_s);
        Some(format!("{own} response times of the slice at {at} s in the record, {samples} in the log"))
    };
    whole().or_else(statements).or_else(of_blocks).or_else(slices)
}

/// What differs between the figures of a record and those of the response times.
pub(crate) fn differs(of: &str, figures: &Latency, times: &CompactHistogram) -> Option<String> {
    let (own, logged) = (figures.samples, times.samples());
    if own != logged {
        return Some(format!("{own} response times of {of} in the record, {logged} in the log"));
    }
    let logged = Latency::from_histogram(&times.histogram());
    let ends = |latency: &Latency| [("min", latency.min), ("mean", latency.mean), ("max", latency.max)];
    let percentiles = |latency: &Latency| latency.percentiles().map(|percentile| (percentile.name, percentile.value));
    let both = |latency: &Latency| ends(latency).into_iter().chain(percentiles(latency)).collect::<Vec<_>>();
    both(figures).into_iter().zip(both(&logged)).find_map(|((name, own), (_, logged))| {
        let own = own?;
        let same = logged.is_some_and(|logged| near(own, logged, TIMES));
        let logged = logged.map_or_else(|| "none".to_owned(), |logged| format!("{logged:.4} ms"));
        (!same).then(|| format!("{name} of {of} is {own:.4} ms in the record, {logged} in the log"))
    })
}
