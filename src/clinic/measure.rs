//! Measurements of one phase: what all of them need, and what comes of one.

use std::{borrow::Cow, pin::pin, sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{
    Clinic, Error, ErrorKind, Event, Events, RoundPlace,
    explain::{self, Budget, Captured, Sampled, StatementValues},
    figures, fix,
    load::PlannedLoad,
    load_info::load_info,
    machine, seed, thresholds,
};
use crate::{
    draw::ColumnType,
    engine::{self, Ended, Measurement},
    load::{Enough, StatementFacts, Workload},
    pg,
    record::{DatasetInfo, FORMAT, Latency, Phase, Record, Server, ServerActivity, WarmUpFigures},
    scenario::{LoadModel, Scenario},
};

/// A phase that can be measured, as often as is wanted.
pub(super) struct Ready<'a> {
    clinic: &'a Clinic,
    /// As the phase sends it.
    scenario: Cow<'a, Scenario>,
    phase: Phase,
    dataset: DatasetInfo,
    server: Server,
    facts: Vec<StatementFacts>,
    workload: Arc<Workload>,
    /// Values for the plans; none until they are looked for.
    values: Vec<StatementValues>,
}

/// A measurement and its record, which has no plans and no warnings yet.
pub(super) struct Measured {
    pub(super) measurement: Measurement,
    pub(super) record: Record,
    /// Plans that were sampled meanwhile.
    pub(super) sampled: Sampled,
}

impl<'a> Ready<'a> {
    /// Looks whether the phase can be measured; `seed` is that of the parameters.
    ///
    /// # Errors
    /// The dataset is missing or another one, the fix is not in the phase's state, or a statement does not work.
    pub(super) async fn new(
        clinic: &'a Clinic,
        scenario: &'a Scenario,
        phase: Phase,
        seed: u64,
    ) -> Result<Self, Error> {
        let connector = clinic.connector();
        let dataset = seed::require(connector, scenario).await?;
        fix::require_fix(clinic, scenario, phase).await?;
        let admin = connector.connect("bench").await?;
        let server = pg::server_facts(&admin, connector.is_managed()).await?;
        let scenario = fix::in_phase(scenario, phase);
        let facts = pg::describe(connector, &scenario).await?;
        let workload = Arc::new(Workload::new(&scenario, &facts, seed)?);
        Ok(Self { clinic, scenario, phase, dataset, server, facts, workload, values: Vec::new() })
    }

    pub(super) fn note(&self, words: String) {
        self.clinic.note(words);
    }

    /// The failure, with what befell the managed server if that is behind it.
    pub(super) async fn explained(&self, error: Error) -> Error {
        self.clinic.explained(error).await
    }

    /// Whether the values that plans are captured for are known.
    pub(super) fn has_values(&self) -> bool {
        !self.values.is_empty()
    }

    /// Looks in the data for the values that plans are captured for, while no load changes it.
    ///
    /// # Errors
    /// The server cannot be reached, or stopped by a signal.
    pub(super) async fn find_values(&mut self) -> Result<(), Error> {
        self.values = explain::find_values(self.clinic, &self.scenario, &self.workload, &self.facts).await?;
        Ok(())
    }

    /// Takes the values that parameters' queries returned from `other`, and those for the plans, so that both sides of a run send the same whatever the
    /// workload or another order of reading has changed in between.
    ///
    /// # Errors
    /// The values do not fit.
    pub(super) fn share_values(&mut self, other: &Self, seed: u64) -> Result<(), Error> {
        let types = |facts: &[StatementFacts]| -> Vec<Vec<ColumnType>> {
            let of = |facts: &StatementFacts| facts.parameters.iter().map(|facts| facts.column_type.clone()).collect();
            facts.iter().map(of).collect()
        };
        if types(&self.facts) == types(&other.facts) {
            self.values.clone_from(&other.values);
        }
        let own = self.facts.iter_mut().flat_map(|facts| &mut facts.parameters);
        for (own, others) in own.zip(other.facts.iter().flat_map(|facts| &facts.parameters)) {
            if own.column_type == others.column_type {
                own.fetched.clone_from(&others.fetched);
            } else if !own.fetched.is_empty() {
                self.clinic.note(
                    "a rewrite uses a parameter with a different type; its values are fetched again and may differ",
                );
            }
        }
        self.draw_from(seed)
    }

    /// Draws mix and parameters from another seed.
    ///
    /// # Errors
    /// As [`Ready::new`] for the workload.
    pub(super) fn draw_from(&mut self, seed: u64) -> Result<(), Error> {
        self.workload = Arc::new(Workload::new(&self.scenario, &self.facts, seed)?);
        Ok(())
    }

    /// The scenario as the phase sends it.
    pub(super) fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Mix and parameters.
    pub(super) fn workload(&self) -> &Workload {
        &self.workload
    }

    /// The settings of the server that differ from those when the phase was entered: name, then and now.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub(super) async fn changed_settings(&self) -> Result<Vec<(String, String, String)>, Error> {
        let connector = self.clinic.connector();
        let now = pg::server_facts(&connector.connect("bench").await?, connector.is_managed()).await?.settings;
        let then = self.server.settings.iter();
        let changed = then.filter_map(|(name, then)| {
            let now = now.get(name).filter(|now| *now != then)?;
            Some((name.clone(), then.clone(), now.clone()))
        });
        Ok(changed.collect())
    }

    /// Drives a load, after a checkpoint, with sessions of its own. A load that was stopped or could not go on has a record too.
    ///
    /// # Errors
    /// The load could not be started, or stopped by a signal before.
    pub(super) async fn measure(&self, plan: &PlannedLoad) -> Result<Measured, Error> {
        self.measure_block(plan, None).await
    }

    /// [`Ready::measure`] as a block of a run in rounds.
    pub(super) async fn measure_block(&self, plan: &PlannedLoad, round: Option<RoundPlace>) -> Result<Measured, Error> {
        let Self { clinic, scenario, .. } = self;
        let connector = clinic.connector();
        clinic.check_stop()?;
        let admin = connector.connect("bench").await?;
        pg::check_room(&admin, &plan.connections, plan.load.clients).await?;
        pg::checkpoint(&admin).await?;
        let stamp = pg::Stamp::take(&admin, &scenario.schema_name()).await?;
        drop(admin);

        let sampling = plan.sample_plans.then(|| self.sampling(plan));
        let target = pg::PgTarget::sampled(connector.clone(), scenario, &self.facts, &plan.connections, sampling);
        let target = Arc::new(target);
        let window = Arc::new(Notify::new());
        let observer = Arc::new(Observer {
            events: Arc::clone(clinic.events()),
            phase: self.phase,
            round,
            window: Arc::clone(&window),
        });
        let mut activity = pg::Activity::connect(connector, &scenario.schema_name()).await;
        let running =
            engine::run(Arc::clone(&target), &plan.load, Arc::clone(&self.workload), observer, clinic.stop().clone());
        let mut running = pin!(running);
        let measurement = tokio::select! {
            measurement = &mut running => measurement,
            () = window.notified() => tokio::join!(running, activity.begin()).0,
        };
        let mut measurement = measurement
            .map_err(|error| Error::new(ErrorKind::Failed, "the load could not be started").with_source(error))?;
        if let (Ended::Stopped, Some(mishap)) = (&measurement.ended, clinic.mishap()) {
            measurement.ended = Ended::Failed(mishap);
        }
        let mut record = self.record(plan, &measurement, Some(activity.end().await));
        if measurement.ended == Ended::Completed
            // A server that is gone by now is told of when the plans are captured.
            && let Ok(Some(changed)) = self.changed_since(&stamp).await
        {
            record.interrupted = true;
            record.interrupted_by = Some(changed.clone());
            record.changed_by_others = Some(changed);
        }
        let mut sampled = Sampled::new(scenario, target.samples());
        if !plan.sample_plans {
            sampled.was_not_wanted();
        }
        Ok(Measured { measurement, record, sampled })
    }

    /// What another session has changed of the dataset or the fix, in words.
    async fn changed_since(&self, stamp: &pg::Stamp) -> Result<Option<String>, Error> {
        let (connector, scenario) = (self.clinic.connector(), &*self.scenario);
        let client = connector.connect("bench").await?;
        let now = pg::Stamp::take(&client, &scenario.schema_name()).await?;
        let phase = self.phase;
        Ok(match stamp.changed(&now) {
            None => None,
            Some(pg::Changed::Dataset) => {
                Some(format!("another session made the dataset again while phase {phase} was being measured"))
            }
            Some(pg::Changed::Fix) => {
                let state = pg::fix::state(&client, scenario).await?;
                Some(format!(
                    "another session applied or reverted the fix while phase {phase} was being measured; now {state}"
                ))
            }
        })
    }

    /// How much of a load is sampled.
    fn sampling(&self, plan: &PlannedLoad) -> pg::Sampling {
        let load = &plan.load;
        let profile = load.profile();
        let scripts = &self.scenario.scripts;
        let total: f64 = scripts.iter().map(|script| script.weight).sum();
        // Of clients, or of a rate.
        let integral = profile.integral();
        let (client_seconds, arrivals) = if load.is_open() {
            (f64::from(load.clients) * Duration::from_nanos(profile.end_ns()).as_secs_f64(), Some(integral))
        } else {
            (integral, None)
        };
        let pause = match load.model {
            LoadModel::Closed { think_time: Some(think_time) } => think_time.mean,
            _ => Duration::ZERO,
        };
        let shares = scripts.iter().map(|script| script.weight / total).collect();
        let least = |enough: Enough| (enough.samples as f64, f64::from(load.clients) * enough.time.as_secs_f64());
        pg::Sampling { client_seconds, enough: load.enough.map(least), pause, arrivals, shares }
    }

    /// The plans of the phase.
    ///
    /// # Errors
    /// A statement fails, or stopped by a signal.
    pub(super) async fn capture(&self) -> Result<Captured, Error> {
        self.clinic.step("capturing plans");
        explain::capture(self.clinic, &self.scenario, &self.values, &Budget::while_measured()).await
    }

    /// The record of a measurement, without plans and warnings.
    pub(super) fn record(
        &self,
        plan: &PlannedLoad,
        measurement: &Measurement,
        activity: Option<ServerActivity>,
    ) -> Record {
        let (scenario, load) = (&*self.scenario, &plan.load);
        let interrupted_by = match &measurement.ended {
            Ended::Completed => None,
            Ended::Stopped => Some("stopped by a signal".to_owned()),
            Ended::Failed(reason) => Some(reason.clone()),
        };
        let mut record = Record {
            format: FORMAT,
            scenario: scenario.id.clone(),
            phase: self.phase,
            run: None,
            started_at: measurement.started_at,
            interrupted: interrupted_by.is_some(),
            interrupted_by,
            tool: machine::tool(),
            machine: machine::machine(),
            server: self.server.clone(),
            dataset: self.dataset.clone(),
            fix: fix::info(scenario),
            load: load_info(load, &plan.connections),
            measured_s: measurement.measured.as_secs_f64(),
            suspended_s: measurement.suspended.as_secs_f64(),
            changed_by_others: None,
            sending_s: measurement.sending.as_secs_f64(),
            totals: figures::totals(&measurement.total, measurement.sending),
            service_ms: Latency::from_histogram(&measurement.total.service),
            lag_ms: Latency::from_histogram(&measurement.total.lag),
            wait_ms: measurement.total.wait.as_ref().map(Latency::from_histogram),
            arrivals: figures::arrivals(measurement),
            stages: figures::stages(measurement, load),
            statements: figures::statements(scenario, measurement),
            errors: figures::errors(&measurement.total),
            connections: Some(figures::connections(&measurement.connections)),
            slices: measurement.slices.iter().map(figures::slice).collect(),
            blocks: Vec::new(),
            warm_up: Some(WarmUpFigures {
                length_s: measurement.warm_up.length.as_secs_f64(),
                cold_clients: measurement.warm_up.cold_clients,
            }),
            server_activity: activity,
            thresholds: Vec::new(),
            gates: plan.gates.iter().map(ToString::to_string).collect(),
            capacity: None,
            results: None,
            price: None,
            warnings: Vec::new(),
            latency_ms: Latency::from_histogram(&measurement.total.response),
            client: figures::client(measurement, load),
            plans: Vec::new(),
            findings: None,
            plans_under_load: None,
        };
        record.thresholds = thresholds::judge(&plan.thresholds, &record, |name| match name {
            None => Some(Cow::Borrowed(&measurement.total.response)),
            Some(name) => figures::times(scenario, measurement, name).map(Cow::Owned),
        });
        record
    }
}

/// Passes the engine's progress on.
struct Observer {
    events: Arc<dyn Events>,
    phase: Phase,
    round: Option<RoundPlace>,
    /// Told when the measured window begins.
    window: Arc<Notify>,
}

impl engine::Observer for Observer {
    fn progress(&self, progress: &engine::Progress) {
        self.events.event(Event::Load { phase: self.phase, progress: progress.clone(), round: self.round });
    }

    fn window_begins(&self) {
        self.window.notify_one();
    }
}
