//! The load of a scenario, with what is asked for differently.

use std::time::Duration;

use super::{Error, ErrorKind, gates, machine, saving::Extent};
use crate::{
    load::Load,
    scenario::{
        Arrivals, Connections, Gate, LoadDefaults, LoadModel, Pool, Protocol, Recycling, Scenario, Script, Sharing,
        ThinkDistribution, ThinkTime, Threshold,
    },
    text::Field,
};

/// What of a scenario's load is asked for differently.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadOptions {
    /// Concurrent clients.
    pub clients: Option<u32>,
    /// Threads that drive them; one a core by default.
    pub threads: Option<u32>,
    /// Arrivals a second, above 0; makes a closed load an open one.
    pub rate: Option<f64>,
    /// How they are spread.
    pub arrivals: Option<Arrivals>,
    /// An arrival that waits longer than this is skipped.
    pub latency_limit: Option<Duration>,
    /// A client's mean pause between two operations.
    pub think_time: Option<Duration>,
    /// Measured time.
    pub duration: Option<Duration>,
    /// Discarded time before it.
    pub warmup: Option<Duration>,
    /// Seed of the mix, the parameters, the arrivals and the think times.
    pub seed: Option<u64>,
    /// Whose connections they are.
    pub sharing: Option<SharingOption>,
    /// How long a client waits for a connection of the pool.
    pub pool_wait_timeout: Option<Duration>,
    /// How statements are sent.
    pub protocol: Option<Protocol>,
    /// `statement_timeout` of every session.
    pub statement_timeout: Option<Duration>,
    /// How often an operation is tried again after a serialization failure or a deadlock.
    pub retries: Option<u32>,
    /// Share of errors, 0 to 1, above which the measurement is given up.
    pub error_limit: Option<f64>,
    /// Whether no plans are sampled.
    pub no_plan_samples: bool,
    /// What the measurement has to keep besides what the scenario asks for.
    pub thresholds: Vec<Threshold>,
    /// What the comparison of both phases has to keep besides what the scenario asks for.
    pub gates: Vec<Gate>,
}

/// Whose connections are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharingOption {
    /// Each operation opens one.
    Operation,
    /// A pool of at most this many.
    Pool(u32),
}

/// A load as it is going to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedLoad {
    /// Who sends what when.
    pub load: Load,
    /// How clients reach the server.
    pub connections: Connections,
    /// Whether some of the plans that run are sampled.
    pub sample_plans: bool,
    /// What the measurement has to keep.
    pub thresholds: Vec<Threshold>,
    /// What the comparison of both phases has to keep.
    pub gates: Vec<Gate>,
}

impl PlannedLoad {
    /// What is going to be measured in one go.
    pub(super) fn extent(&self, scenario: &Scenario) -> Extent {
        let seconds = self.load.duration.as_secs_f64();
        Extent { sides: 1, blocks: 1, seconds, operations: scenario.scripts.len() as u64 }
    }

    /// The most connections that the load has at once.
    pub fn most_connections(&self) -> u32 {
        match self.connections.sharing {
            Sharing::Client | Sharing::Operation => self.load.clients,
            Sharing::Pool(pool) => pool.size.min(self.load.clients),
        }
    }
}

/// How long the server's word may take that it gave a statement up.
const WORD_OF_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an operation that is in flight at the end can take at most.
fn grace(scenario: &Scenario, load: &LoadDefaults) -> Duration {
    let steps = |script: &Script| {
        let repeats = script.steps.iter().any(|step| step.for_each.is_some());
        if repeats { u32::MAX } else { u32::try_from(script.steps.len()).unwrap_or(u32::MAX) }
    };
    let most = scenario.scripts.iter().map(steps).max().unwrap_or(0);
    let tries = load.retries.saturating_add(1);
    match (load.connections.statement_timeout, load.connections.sharing) {
        (Some(timeout), Sharing::Client | Sharing::Operation) => {
            timeout.saturating_mul(most.saturating_mul(tries)).saturating_add(WORD_OF_TIMEOUT)
        }
        _ => Duration::MAX,
    }
}

impl LoadOptions {
    /// The load of `scenario`, with what is asked for differently.
    ///
    /// # Errors
    /// What is asked for contradicts the scenario's load or itself, or a threshold or gate is about an operation that there is
    /// not. The
    /// message names the field.
    pub fn plan(&self, scenario: &Scenario) -> Result<PlannedLoad, Error> {
        let mut load = scenario.load.clone();
        self.replace_time(&mut load)?;
        load.model = self.model(&load)?;
        load.connections = self.connections(&load)?;
        load.seed = self.seed.unwrap_or(load.seed);
        load.retries = self.retries.unwrap_or(load.retries);
        load.error_limit = self.error_limit.unwrap_or(load.error_limit);
        let mut planned = Load::new(&load, self.threads.unwrap_or_else(machine::cores));
        planned.grace = grace(scenario, &load).min(planned.grace);
        Ok(PlannedLoad {
            load: planned,
            connections: load.connections,
            sample_plans: !self.no_plan_samples,
            thresholds: self.thresholds(scenario)?,
            gates: self.gates(scenario)?,
        })
    }

    fn replace_time(&self, load: &mut LoadDefaults) -> Result<(), Error> {
        if !load.stages.is_empty() {
            let closed = matches!(load.model, LoadModel::Closed { .. });
            if self.duration.is_some() {
                return Err(refused(
                    Field::Duration,
                    "the load of the scenario has stages, each with a duration of its own",
                ));
            }
            if self.rate.is_some() {
                let set = if closed { "clients of a closed load" } else { "rate" };
                return Err(refused(Field::Rate, format!("the load of the scenario has stages, which set the {set}")));
            }
            if self.clients.is_some() && closed {
                return Err(refused(Field::Clients, "the load of the scenario has stages, which set the clients"));
            }
        }
        load.clients = self.clients.unwrap_or(load.clients);
        load.warmup = self.warmup.unwrap_or(load.warmup);
        load.duration = self.duration.unwrap_or(load.duration);
        Ok(())
    }

    fn model(&self, load: &LoadDefaults) -> Result<LoadModel, Error> {
        let (rate, arrivals, latency_limit) = match (load.model, self.rate) {
            (LoadModel::Open { rate, arrivals, latency_limit }, asked) => {
                (asked.unwrap_or(rate), arrivals, latency_limit)
            }
            (LoadModel::Closed { .. }, Some(rate)) => (rate, Arrivals::default(), None),
            (LoadModel::Closed { think_time }, None) => return self.closed(think_time),
        };
        if self.think_time.is_some() {
            return Err(refused(
                Field::ThinkTime,
                "in an open load, operations arrive at the given rate, whatever the clients do",
            ));
        }
        Ok(LoadModel::Open {
            rate,
            arrivals: self.arrivals.unwrap_or(arrivals),
            latency_limit: self.latency_limit.or(latency_limit),
        })
    }

    fn closed(&self, think_time: Option<ThinkTime>) -> Result<LoadModel, Error> {
        let only_open =
            [(Field::Arrivals, self.arrivals.is_some()), (Field::LatencyLimit, self.latency_limit.is_some())];
        if let Some((field, _)) = only_open.into_iter().find(|(_, given)| *given) {
            return Err(Error::new(ErrorKind::Usage, format!("{field}: a closed load has no arrivals"))
                .with_hint(format!("make it an open load with {}, such as {0} 500/s", Field::Rate))
                .about(&[field, Field::Rate]));
        }
        let distribution = think_time.map_or(ThinkDistribution::Constant, |time| time.distribution);
        let asked = self.think_time.map(|mean| (!mean.is_zero()).then_some(ThinkTime { mean, distribution }));
        Ok(LoadModel::Closed { think_time: asked.unwrap_or(think_time) })
    }

    fn connections(&self, load: &LoadDefaults) -> Result<Connections, Error> {
        let mut connections = load.connections.clone();
        match self.sharing {
            None => {}
            Some(SharingOption::Operation) => connections.sharing = Sharing::Operation,
            Some(SharingOption::Pool(size)) if size > load.clients => {
                let clients = load.clients;
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("{} {size}: the pool has more connections than there are clients ({clients})", Field::Pool),
                )
                .with_hint(format!(
                    "each client uses one connection at a time: use a smaller {}, or more {}",
                    Field::Pool,
                    Field::Clients
                ))
                .about(&[Field::Pool, Field::Clients]));
            }
            Some(SharingOption::Pool(size)) => {
                let (wait_timeout, recycling) = match connections.sharing {
                    Sharing::Pool(pool) => (pool.wait_timeout, pool.recycling),
                    Sharing::Client | Sharing::Operation => (None, Recycling::default()),
                };
                connections.sharing = Sharing::Pool(Pool { size, wait_timeout, recycling });
            }
        }
        match (&mut connections.sharing, self.pool_wait_timeout) {
            (_, None) => {}
            (Sharing::Pool(pool), asked) => pool.wait_timeout = asked,
            (Sharing::Client | Sharing::Operation, Some(_)) => {
                return Err(Error::new(ErrorKind::Usage, format!("{}: there is no pool", Field::PoolWaitTimeout))
                    .with_hint(format!("let the clients share a pool with {} N", Field::Pool))
                    .about(&[Field::PoolWaitTimeout, Field::Pool]));
            }
        }
        connections.protocol = self.protocol.unwrap_or(connections.protocol);
        if self.statement_timeout.is_some() {
            connections.statement_timeout = self.statement_timeout;
            connections.settings.retain(|name, _| !name.eq_ignore_ascii_case("statement_timeout"));
        }
        Ok(connections)
    }

    fn thresholds(&self, scenario: &Scenario) -> Result<Vec<Threshold>, Error> {
        if let Some((threshold, fault)) = scenario.unknown_operation(&self.thresholds) {
            let message = format!("{}: {}", Field::Threshold, fault.render(&threshold.to_string()));
            return Err(Error::new(ErrorKind::Usage, message).about(&[Field::Threshold]));
        }
        let mut thresholds = scenario.thresholds.clone();
        thresholds.extend(self.thresholds.iter().filter(|asked| !scenario.thresholds.contains(asked)).cloned());
        Ok(thresholds)
    }

    fn gates(&self, scenario: &Scenario) -> Result<Vec<Gate>, Error> {
        let operations: Vec<&str> = scenario.scripts.iter().map(|script| script.name.as_str()).collect();
        gates::added(scenario.gates.clone(), &self.gates, &operations)
    }
}

/// A field that the scenario's load has no use for.
pub(super) fn refused(field: Field, reason: impl Into<String>) -> Error {
    let hint = format!("omit {field}, or change [load] in your own copy of the scenario file");
    Error::new(ErrorKind::Usage, format!("{field}: {}", reason.into())).with_hint(hint).about(&[field])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Stage;

    fn events() -> Scenario {
        Scenario::bundled("events").unwrap()
    }

    fn open() -> Scenario {
        let mut scenario = events();
        scenario.load.model = LoadModel::Open { rate: 10.0, arrivals: Arrivals::Constant, latency_limit: None };
        scenario
    }

    fn staged(mut scenario: Scenario) -> Scenario {
        scenario.load.stages = vec![Stage { duration: Duration::from_secs(5), from: 1.0, to: 10.0 }];
        scenario
    }

    fn pool(size: u32) -> Option<SharingOption> {
        Some(SharingOption::Pool(size))
    }

    fn refusal(options: LoadOptions, scenario: &Scenario) -> String {
        let error = options.plan(scenario).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        error.to_string()
    }

    const SECOND: Option<Duration> = Some(Duration::from_secs(1));

    #[test]
    fn what_is_not_asked_for_stays() {
        for scenario in [events(), open(), staged(events()), staged(open())] {
            let plan = LoadOptions::default().plan(&scenario).unwrap();
            assert_eq!(plan.load, Load::new(&scenario.load, machine::cores()));
            assert_eq!((plan.connections, plan.thresholds), (scenario.load.connections, scenario.thresholds));
        }
    }

    #[test]
    fn a_rate_opens_a_load() {
        let options = LoadOptions { rate: Some(500.0), ..LoadOptions::default() };
        let model = |options: &LoadOptions, scenario| options.plan(&scenario).unwrap().load.model;
        let (arrivals, latency_limit) = (Arrivals::Poisson, None);
        assert_eq!(model(&options, events()), LoadModel::Open { rate: 500.0, arrivals, latency_limit });
        let arrivals = Arrivals::Constant;
        assert_eq!(model(&options, open()), LoadModel::Open { rate: 500.0, arrivals, latency_limit });
        let all = LoadOptions { arrivals: Some(Arrivals::Poisson), latency_limit: SECOND, ..options };
        let (arrivals, latency_limit) = (Arrivals::Poisson, SECOND);
        assert_eq!(model(&all, open()), LoadModel::Open { rate: 500.0, arrivals, latency_limit });
    }

    #[test]
    fn think_time_keeps_its_distribution() {
        let mut scenario = events();
        let think_time = |mean, distribution| LoadModel::Closed { think_time: Some(ThinkTime { mean, distribution }) };
        scenario.load.model = think_time(Duration::from_secs(9), ThinkDistribution::Exponential);
        let options = |think_time| LoadOptions { think_time, ..LoadOptions::default() };
        let model = |time| options(time).plan(&scenario).unwrap().load.model;
        assert_eq!(model(SECOND), think_time(Duration::from_secs(1), ThinkDistribution::Exponential));
        assert_eq!(model(Some(Duration::ZERO)), LoadModel::Closed { think_time: None });
    }

    #[test]
    fn connections_are_replaced_part_by_part() {
        let mut scenario = events();
        scenario.load.connections.settings.insert("Statement_Timeout".to_owned(), "1s".to_owned());
        let options = LoadOptions {
            sharing: pool(4),
            pool_wait_timeout: SECOND,
            protocol: Some(Protocol::Simple),
            statement_timeout: SECOND,
            ..LoadOptions::default()
        };
        let plan = options.plan(&scenario).unwrap();
        assert_eq!((plan.most_connections(), plan.connections.protocol), (4, Protocol::Simple));
        let recycling = Recycling::Fast;
        assert_eq!(plan.connections.sharing, Sharing::Pool(Pool { size: 4, wait_timeout: SECOND, recycling }));
        assert!(plan.connections.settings.is_empty());
        scenario.load.connections = plan.connections;
        let fewer = LoadOptions { clients: Some(2), sharing: pool(2), ..LoadOptions::default() };
        let plan = fewer.plan(&scenario).unwrap();
        assert_eq!((plan.most_connections(), plan.connections.statement_timeout), (2, SECOND));
        assert!(matches!(plan.connections.sharing, Sharing::Pool(Pool { wait_timeout: SECOND, .. })));
        let each = LoadOptions { sharing: Some(SharingOption::Operation), ..LoadOptions::default() };
        assert_eq!(each.plan(&scenario).unwrap().connections.sharing, Sharing::Operation);
    }

    #[test]
    fn thresholds_add_up() {
        let parsed = |text| Threshold::parse(text).unwrap();
        let mut scenario = events();
        scenario.thresholds = vec![parsed("p(95)<50ms")];
        let asked = vec![parsed("p(95)<50ms"), parsed("latest_events:mean<5ms")];
        let options = LoadOptions { thresholds: asked.clone(), ..LoadOptions::default() };
        assert_eq!(options.plan(&scenario).unwrap().thresholds, asked);
        let wrong = LoadOptions { thresholds: vec![parsed("latest_event:mean<5ms")], ..LoadOptions::default() };
        insta::assert_snapshot!(refusal(wrong, &scenario), @"
        `threshold`: no operation `latest_event`, did you mean `latest_events`?
          latest_event:mean<5ms
          ^^^^^^^^^^^^
        ");
    }

    #[test]
    fn what_contradicts_the_scenario_is_refused() {
        let base = LoadOptions::default;
        for (options, scenario, field) in [
            (LoadOptions { duration: SECOND, ..base() }, staged(open()), "`duration`"),
            (LoadOptions { rate: Some(1.0), ..base() }, staged(events()), "`rate`"),
            (LoadOptions { rate: Some(1.0), ..base() }, staged(open()), "`rate`"),
            (LoadOptions { clients: Some(1), ..base() }, staged(events()), "`clients`"),
            (LoadOptions { think_time: SECOND, ..base() }, open(), "`think_time`"),
            (LoadOptions { think_time: SECOND, rate: Some(1.0), ..base() }, events(), "`think_time`"),
            (LoadOptions { arrivals: Some(Arrivals::Constant), ..base() }, events(), "`arrivals`"),
            (LoadOptions { latency_limit: SECOND, ..base() }, events(), "`latency_limit`"),
            (LoadOptions { sharing: pool(9), ..base() }, events(), "`pool` 9"),
            (LoadOptions { pool_wait_timeout: SECOND, ..base() }, events(), "`pool_wait_timeout`"),
        ] {
            let told = refusal(options, &scenario);
            assert!(told.starts_with(&format!("{field}: ")), "{told}");
        }
        LoadOptions { clients: Some(1), ..base() }.plan(&staged(open())).unwrap();
    }
}
