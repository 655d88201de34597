//! One side of a run in rounds: what its blocks have measured so far, and the record that comes of them.

use std::{borrow::Cow, ops::Range, time::Duration};

use super::{
    Error, ErrorKind, PlannedLoad, RoundPlace,
    bench::{slices, write},
    explain::{Captured, Sampled},
    measure::{Measured, Ready},
    warnings,
};
use crate::{
    engine::{Ended, Measurement, SliceFigures},
    record::{self, Block, BlockHistograms, BlockStatement, Folder, Found, Interval, Record, RunInfo},
    stats::{CompactHistogram, SliceTimes, empty_histogram},
};

/// How often a block is measured at most, if latclinic stands still in each.
const ATTEMPTS: u32 = 3;

/// One side of a run.
pub(super) struct Arm<'a> {
    pub(super) ready: Ready<'a>,
    pub(super) captured: Option<Captured>,
    measured: Option<Measurement>,
    blocks: Vec<Kept>,
    sampled: Sampled,
}

/// A block that was measured.
struct Kept {
    block: Block,
    start: Duration,
    length: Duration,
    /// Response times by operation.
    scripts: Vec<CompactHistogram>,
    /// Its slices among those of all blocks.
    slices: Range<usize>,
}

impl<'a> Arm<'a> {
    pub(super) fn new(ready: Ready<'a>) -> Self {
        Self { ready, captured: None, measured: None, blocks: Vec::new(), sampled: Sampled::default() }
    }

    /// Measures one block, which counts only when it is added.
    ///
    /// # Errors
    /// As [`Ready::measure`].
    pub(super) async fn measure(&mut self, plan: &PlannedLoad, place: RoundPlace) -> Result<Measured, Error> {
        self.ready.draw_from(plan.load.seed)?;
        let mut attempt = 1;
        loop {
            let measured = self.ready.measure_block(plan, Some(place)).await?;
            let still = measured.measurement.suspended;
            if still.is_zero() || measured.measurement.ended != Ended::Completed {
                return Ok(measured);
            }
            let words = format!(
                "latclinic did not run for {:.1} s in round {}: the process was suspended, or the machine slept",
                still.as_secs_f64(),
                place.round
            );
            if attempt == ATTEMPTS {
                return Err(Error::new(ErrorKind::Failed, format!("{words}, in each of {ATTEMPTS} attempts"))
                    .with_hint("measure again, and do not suspend the process"));
            }
            self.ready.note(format!("{words}; the block is measured again"));
            attempt += 1;
        }
    }

    /// Adds a block.
    pub(super) fn add(&mut self, round: u32, measured: Measured) {
        let Measured { measurement, record, sampled } = measured;
        self.sampled.append(sampled);
        let begin = self.measured.as_ref().map_or(measurement.started_at, |all| all.started_at);
        let start = Duration::try_from(measurement.started_at.duration_since(begin)).unwrap_or_default();
        let statement = |figures: &record::StatementFigures| BlockStatement {
            name: figures.name.clone(),
            totals: figures.totals.clone(),
            latency_ms: figures.latency_ms.clone(),
        };
        let block = Block {
            round,
            started_at: Some(measurement.started_at),
            start_s: start.as_secs_f64(),
            measured_s: record.measured_s,
            sending_s: record.sending_s,
            warnings: warnings::of_block(&record),
            statements: record.statements.iter().map(statement).collect(),
            totals: record.totals,
            latency_ms: record.latency_ms,
            server_activity: record.server_activity,
        };
        let before = self.measured.as_ref().map_or(0, |all| all.slices.len());
        self.blocks.push(Kept {
            block,
            start,
            length: measurement.measured,
            scripts: measurement.scripts.iter().map(|figures| figures.response.clone()).collect(),
            slices: before..before + measurement.slices.len(),
        });
        match &mut self.measured {
            Some(all) => all.append(measurement, start),
            none => *none = Some(measurement),
        }
    }

    /// Length of the last block.
    pub(super) fn last_block(&self) -> Option<Duration> {
        self.blocks.last().map(|kept| kept.length)
    }

    /// Mean service time of the blocks so far, in milliseconds; `None` where nothing was measured.
    pub(super) fn mean_service_ms(&self) -> Option<f64> {
        let service = &self.measured.as_ref()?.total.service;
        (!service.is_empty()).then(|| service.mean() / 1e6)
    }

    /// The record of the blocks so far, as part of `run`; `None` before the first. `plan` is that of one block.
    pub(super) fn record(&self, plan: &PlannedLoad, run: &RunInfo) -> Option<Record> {
        let measured = self.measured.as_ref()?;
        let mut plan = plan.clone();
        plan.load.duration *= u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        let mut record = self.ready.record(&plan, measured, None);
        record.run = Some(run.clone());
        record.blocks = self.blocks.iter().map(|kept| kept.block.clone()).collect();
        record.plans_under_load = Some(self.sampled.figures(self.ready.scenario(), self.captured.as_ref()));
        record.warnings = warnings::of_blocks(&record);
        if let Some(captured) = &self.captured {
            record.plans.clone_from(&captured.figures);
            record.findings = Some(captured.findings(self.ready.scenario(), Some(&record)));
        }
        Some(record)
    }

    /// The response times of the blocks so far.
    pub(super) fn histograms(&self) -> Vec<BlockHistograms> {
        let Some(measured) = &self.measured else { return Vec::new() };
        let of = |kept: &Kept| {
            let mut total = empty_histogram();
            let slice = |slice: &SliceFigures| {
                slice.response.add_to(&mut total);
                SliceTimes::from(&slice.response)
            };
            let slices = measured.slices[kept.slices.clone()].iter().map(slice).collect();
            BlockHistograms { total: CompactHistogram::new(&total), statements: kept.scripts.clone(), slices }
        };
        self.blocks.iter().map(of).collect()
    }

    /// Saves `record` with its response times and plans.
    ///
    /// # Errors
    /// As [`Folder::write`].
    pub(super) fn save(&self, record: Record, folder: &Folder) -> Result<Found, Error> {
        let all = self.measured.as_ref().map_or(&[][..], |measured| &measured.slices);
        let intervals = self.blocks.iter().flat_map(|kept| {
            let statements = record.statements.iter().zip(&kept.scripts).map(|(statement, histogram)| Interval {
                statement: Some(statement.name.as_str()),
                start: kept.start,
                length: kept.length,
                histogram: Cow::Owned(histogram.histogram()),
            });
            statements.chain(slices(&all[kept.slices.clone()]))
        });
        write(folder, &record, intervals, self.captured.as_ref())?;
        Ok(Found { folder: folder.path().to_owned(), record })
    }
}
