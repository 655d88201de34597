//! Measures one phase and saves its record.

use std::{borrow::Cow, path::PathBuf, time::Duration};

use super::{
    Clinic, Error, ErrorKind,
    explain::{self, Captured},
    load::PlannedLoad,
    measure::{Measured, Ready},
    saving::{self, Extent},
    warnings::warnings,
};
use crate::{
    engine::{Ended, Figures, SliceFigures},
    record::{self, Folder, Interval, Phase, Record, Store},
    scenario::Scenario,
    text::Field,
};

/// Where records go.
#[derive(Debug, Clone)]
pub struct Reports {
    /// The folder of all reports.
    pub root: PathBuf,
    /// Exactly this folder instead, which must not exist.
    pub output: Option<PathBuf>,
}

/// A phase that was measured.
#[derive(Debug)]
pub struct BenchOutcome {
    /// What was measured.
    pub record: Record,
    /// Where it was saved; `None` where nothing could be written.
    pub folder: Option<PathBuf>,
    /// Why the measurement stopped early, why its plans are missing, or why it is not where it was asked for.
    pub failure: Option<Error>,
}

impl Reports {
    /// The folder for what is about to be measured, with room for it.
    pub(super) fn prepare(&self, scenario: &str, what: &str, extent: Extent) -> Result<Folder, Error> {
        let store = Store::new(&self.root);
        let folder = store.prepare(scenario, what, jiff::Timestamp::now(), self.output.as_deref())?;
        Ok(folder.with_room(extent.room())?)
    }
}

/// Measures `phase` and saves its record with its plans. A measurement that was stopped or could not go on is saved too.
///
/// # Errors
/// The dataset is missing or another one, the fix is not in the phase's state, a statement does not work, nothing could be
/// measured, or the record cannot be saved.
pub async fn bench(
    clinic: &Clinic,
    scenario: &Scenario,
    phase: Phase,
    plan: &PlannedLoad,
    reports: &Reports,
) -> Result<BenchOutcome, Error> {
    let folder = reports.prepare(&scenario.id, phase.as_str(), plan.extent(scenario))?;
    measure(clinic, scenario, phase, plan, &folder).await
}

/// [`bench`] into a folder that is there.
pub(super) async fn measure(
    clinic: &Clinic,
    scenario: &Scenario,
    phase: Phase,
    plan: &PlannedLoad,
    folder: &Folder,
) -> Result<BenchOutcome, Error> {
    let mut ready = Ready::new(clinic, scenario, phase, plan.load.seed).await.map_err(Error::before_measuring)?;
    ready.find_values().await.map_err(Error::before_measuring)?;
    let measured = ready.measure(plan).await?;
    finish(&ready, measured, folder).await
}

/// Captures the plans if the measurement is whole, and saves its record.
pub(super) async fn finish(ready: &Ready<'_>, mut measured: Measured, folder: &Folder) -> Result<BenchOutcome, Error> {
    let Measured { measurement, record, sampled } = &mut measured;
    let captured = match &measurement.ended {
        Ended::Completed if record.changed_by_others.is_some() => Err(changed(record)),
        Ended::Completed if measurement.total.operations == 0 => Err(nothing_sent(record)),
        Ended::Completed if record.totals.errors == record.totals.operations => {
            Err(all_failed(record.phase, &measurement.total))
        }
        Ended::Completed => ready.capture().await.map(Some),
        Ended::Stopped => Ok(None),
        Ended::Failed(reason) => Err(Error::new(ErrorKind::Failed, format!("the measurement stopped early: {reason}"))
            .with_hint("partial results were saved and marked as interrupted; measure again")),
    };
    let (captured, failure) = match captured {
        Ok(captured) => (captured, None),
        Err(error) => (None, Some(ready.explained(error).await)),
    };
    // A stop while plans are captured interrupts the phase, though its figures are whole.
    if measurement.ended == Ended::Completed
        && failure.as_ref().is_some_and(|error| error.kind() == ErrorKind::Interrupted)
    {
        record.interrupted = true;
        record.interrupted_by =
            Some("stopped by a signal while its plans were captured; the measurement itself is complete".to_owned());
    }
    if let Some(captured) = &captured {
        record.plans.clone_from(&captured.figures);
        record.findings = Some(captured.findings(ready.scenario(), Some(record)));
    }
    record.plans_under_load = Some(sampled.figures(ready.scenario(), captured.as_ref()));
    save(measured, captured.as_ref(), failure, folder)
}

/// Saves a record as it is.
pub(super) fn save(
    mut measured: Measured,
    captured: Option<&Captured>,
    failure: Option<Error>,
    folder: &Folder,
) -> Result<BenchOutcome, Error> {
    measured.record.warnings = warnings(&measured.record);
    let Measured { measurement, record, .. } = &measured;
    let (folder, elsewhere) = saving::save(
        folder,
        |folder| {
            let statements = record.statements.iter().zip(&measurement.scripts).map(|(statement, figures)| Interval {
                statement: Some(&statement.name),
                start: Duration::ZERO,
                length: measurement.measured,
                histogram: Cow::Owned(figures.response.histogram()),
            });
            write(folder, record, statements.chain(slices(&measurement.slices)), captured)?;
            Ok(Some(folder.path().to_owned()))
        },
        || None,
    );
    let failure = elsewhere.or(failure).map(Error::after_measuring);
    Ok(BenchOutcome { record: measured.record, folder, failure })
}

/// The slices of a measurement as lines of its histogram log.
pub(super) fn slices(slices: &[SliceFigures]) -> impl Iterator<Item = Interval<'_>> {
    slices.iter().map(|slice| Interval {
        statement: None,
        start: slice.start,
        length: slice.length,
        histogram: Cow::Owned(slice.response.histogram()),
    })
}

/// Writes a record and what stands beside it.
pub(super) fn write<'i>(
    folder: &Folder,
    record: &Record,
    intervals: impl Iterator<Item = Interval<'i>>,
    captured: Option<&Captured>,
) -> record::Result<()> {
    folder.write_histograms(record, intervals)?;
    if let Some(captured) = captured {
        explain::save(folder, record.phase, captured)?;
    }
    // Last, because a folder counts as a record once this file is in it.
    folder.write_record(record)
}

/// That another session has changed what was measured.
pub(super) fn changed(record: &Record) -> Error {
    let words = record.changed_by_others.clone().unwrap_or_default();
    Error::new(ErrorKind::Failed, format!("the measurement of phase {} is not valid: {words}", record.phase))
        .with_hint("measure again while no other session changes the scenario's data or fix")
}

pub(super) fn nothing_sent(record: &Record) -> Error {
    let (phase, seconds) = (record.phase, record.load.duration_s);
    if record.suspended_s > 0.0 {
        let still = record.suspended_s;
        return Error::new(
            ErrorKind::Failed,
            format!("no operation of phase {phase} was sent: latclinic did not run for {still:.1} s, because the process was suspended or the machine slept"),
        )
        .with_hint("measure again");
    }
    if let Some(connections) = record.connections.as_ref().filter(|connections| connections.without_s > 0.0) {
        let why = connections.sample.as_deref().unwrap_or("connections were lost before the measured window");
        return Error::new(
            ErrorKind::Failed,
            format!("no operation of phase {phase} was sent: the clients had no connection: {why}"),
        )
        .with_hint("check that the server is running; if it stopped, its log has the reason");
    }
    Error::new(
        ErrorKind::Failed,
        format!(
            "no operation of phase {phase} was sent in the {seconds} s of the measurement: each takes longer than that, or none was due"
        ),
    )
    .with_hint(format!("measure longer ({}) or at a higher {}", Field::Duration, Field::Rate))
    .about(&[Field::Duration, Field::Rate])
}

pub(super) fn all_failed(phase: Phase, figures: &Figures) -> Error {
    let most = figures.errors.values().max_by_key(|(count, _)| *count);
    let sample = most.map_or("", |(_, sample)| sample);
    Error::new(
        ErrorKind::Failed,
        format!("each of {} operations of phase {phase} failed: {sample}", figures.operations),
    )
    .with_hint("the saved record counts the errors by SQLSTATE")
}
