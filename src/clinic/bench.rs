//! Measures one phase and saves its record.

use std::{borrow::Cow, path::PathBuf, pin::pin, sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{
    Clinic, Error, ErrorKind, Event, Events,
    explain::{self, Captured},
    figures, fix,
    load::PlannedLoad,
    load_info::load_info,
    machine, seed, thresholds,
    warnings::warnings,
};
use crate::{
    engine::{self, Ended, Figures, Measurement},
    load::{Load, Workload},
    pg,
    record::{self, FORMAT, Folder, Found, Interval, Latency, Phase, Record, Store, WarmUpFigures},
    scenario::Scenario,
};

/// Where records go.
#[derive(Debug, Clone)]
pub struct Reports {
    /// The folder of all reports.
    pub root: PathBuf,
    /// Exactly this folder instead, which must not exist.
    pub output: Option<PathBuf>,
}

/// A phase that was measured and saved.
#[derive(Debug)]
pub struct BenchOutcome {
    /// What was measured, and where it was saved.
    pub found: Found,
    /// Why the measurement broke off, or why its plans are missing.
    pub failure: Option<Error>,
}

impl Reports {
    /// The folder for what is about to be measured.
    pub(super) fn prepare(&self, scenario: &str, what: &str) -> Result<Folder, Error> {
        Ok(Store::new(&self.root).prepare(scenario, what, jiff::Timestamp::now(), self.output.as_deref())?)
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
    let folder = reports.prepare(&scenario.id, phase.as_str())?;
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
    let connector = clinic.connector();
    let dataset = seed::require(connector, scenario).await?;
    fix::require_fix(clinic, scenario, phase).await?;
    let admin = connector.connect("bench").await?;
    let server = pg::server_facts(&admin, connector.is_managed()).await?;
    let load = &plan.load;
    let facts = pg::describe(connector, scenario).await?;
    let workload = Arc::new(Workload::new(scenario, &facts, load.seed)?);
    clinic.check_stop()?;
    pg::check_room(&admin, &plan.connections, load.clients).await?;
    pg::checkpoint(&admin).await?;
    drop(admin);

    let target = Arc::new(pg::PgTarget::new(connector.clone(), scenario, &facts, &plan.connections));
    let window = Arc::new(Notify::new());
    let observer = Arc::new(Observer { events: Arc::clone(clinic.events()), phase, window: Arc::clone(&window) });
    let mut activity = pg::Activity::connect(connector, &scenario.schema_name()).await;
    let running = engine::run(target, load, Arc::clone(&workload), observer, clinic.stop().clone());
    let mut running = pin!(running);
    let measurement = tokio::select! {
        measurement = &mut running => measurement,
        () = window.notified() => tokio::join!(running, activity.begin()).0,
    };
    let measurement = measurement
        .map_err(|error| Error::new(ErrorKind::Failed, "the load could not be started").with_source(error))?;
    let activity = activity.end().await;

    let captured = match &measurement.ended {
        Ended::Completed if measurement.total.operations == 0 => Err(nothing_sent(phase, load)),
        Ended::Completed if nothing_worked(&measurement.total) => Err(all_failed(phase, &measurement.total)),
        Ended::Completed => {
            clinic.step("capturing plans");
            explain::capture(clinic, scenario, &workload).await.map(Some)
        }
        Ended::Stopped => Ok(None),
        Ended::Failed(reason) => Err(Error::new(ErrorKind::Failed, format!("the measurement broke off: {reason}"))
            .with_hint("what was measured until then is saved, marked as interrupted: measure again")),
    };
    let (captured, failure) = match captured {
        Ok(captured) => (captured, None),
        Err(error) => (None, Some(error)),
    };

    // A stop while plans are captured interrupts the phase, though its figures are whole.
    let interrupted_by = match (&measurement.ended, &failure) {
        (Ended::Stopped, _) => Some("it was told to stop".to_owned()),
        (Ended::Failed(reason), _) => Some(reason.clone()),
        (Ended::Completed, Some(error)) if error.kind() == ErrorKind::Interrupted => {
            Some("it was told to stop while its plans were captured; the measurement itself is whole".to_owned())
        }
        (Ended::Completed, _) => None,
    };
    let mut record = Record {
        format: FORMAT,
        scenario: scenario.id.clone(),
        phase,
        started_at: measurement.started_at,
        interrupted: interrupted_by.is_some(),
        interrupted_by,
        tool: machine::tool(),
        machine: machine::machine(),
        server,
        dataset,
        fix: fix::info(scenario),
        load: load_info(load, &plan.connections),
        measured_s: measurement.measured.as_secs_f64(),
        sending_s: measurement.sending.as_secs_f64(),
        totals: figures::totals(&measurement.total, measurement.sending),
        service_ms: Latency::from_histogram(&measurement.total.service),
        lag_ms: Latency::from_histogram(&measurement.total.lag),
        wait_ms: measurement.total.wait.as_ref().map(Latency::from_histogram),
        arrivals: figures::arrivals(&measurement),
        stages: figures::stages(&measurement, load),
        statements: figures::statements(scenario, &measurement),
        errors: figures::errors(&measurement.total),
        connections: Some(figures::connections(&measurement.connections)),
        slices: measurement.slices.iter().map(figures::slice).collect(),
        warm_up: Some(WarmUpFigures {
            length_s: measurement.warm_up.length.as_secs_f64(),
            cold_clients: measurement.warm_up.cold_clients,
        }),
        server_activity: Some(activity),
        thresholds: Vec::new(),
        capacity: None,
        warnings: Vec::new(),
        latency_ms: Latency::from_histogram(&measurement.total.response),
        client: figures::client(&measurement, load),
        plans: captured.as_ref().map_or_else(Vec::new, |captured| captured.figures.clone()),
    };
    record.thresholds = thresholds::judge(&plan.thresholds, &record, |name| match name {
        None => Some(&measurement.total.response),
        Some(name) => figures::times(scenario, &measurement, name),
    });
    record.warnings = warnings(&record);
    save(folder, &record, &measurement, captured.as_ref())?;
    Ok(BenchOutcome { found: Found { folder: folder.path().to_owned(), record }, failure })
}

fn save(
    folder: &Folder,
    record: &Record,
    measurement: &Measurement,
    captured: Option<&Captured>,
) -> record::Result<()> {
    let statements = record.statements.iter().zip(&measurement.scripts).map(|(statement, figures)| Interval {
        statement: Some(&statement.name),
        start: Duration::ZERO,
        length: measurement.measured,
        histogram: Cow::Borrowed(&figures.response),
    });
    let slices = measurement.slices.iter().map(|slice| Interval {
        statement: None,
        start: slice.start,
        length: slice.length,
        histogram: Cow::Owned(slice.response.histogram()),
    });
    folder.write_histograms(measurement.started_at, statements.chain(slices))?;
    if let Some(captured) = captured {
        explain::save(folder, record.phase, captured)?;
    }
    // Last, because a folder counts as a record once this file is in it.
    folder.write_record(record)
}

fn nothing_worked(figures: &Figures) -> bool {
    figures.error_count() == figures.operations
}

fn nothing_sent(phase: Phase, load: &Load) -> Error {
    let seconds = load.duration.as_secs_f64();
    Error::new(
        ErrorKind::Failed,
        format!(
            "no operation of phase {phase} began in the {seconds} s of the measurement: each takes longer than that"
        ),
    )
    .with_hint("measure longer (--duration)")
}

fn all_failed(phase: Phase, figures: &Figures) -> Error {
    let most = figures.errors.values().max_by_key(|(count, _)| *count);
    let sample = most.map_or("", |(_, sample)| sample);
    Error::new(
        ErrorKind::Failed,
        format!("each of {} operations of phase {phase} failed: {sample}", figures.operations),
    )
    .with_hint("the record that was saved counts them by SQLSTATE")
}

/// Passes the engine's progress on.
struct Observer {
    events: Arc<dyn Events>,
    phase: Phase,
    /// Told when the measured window begins.
    window: Arc<Notify>,
}

impl engine::Observer for Observer {
    fn progress(&self, progress: &engine::Progress) {
        self.events.event(Event::Load { phase: self.phase, progress: progress.clone() });
    }

    fn window_begins(&self) {
        self.window.notify_one();
    }
}
