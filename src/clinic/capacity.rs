//! The highest rate of an open load that keeps a threshold.

use std::time::Duration;

use super::{
    BenchOutcome, Clinic, Error, ErrorKind, Event, LoadOptions, PlannedLoad, Reports,
    bench::{finish, save},
    bracket::{Bracket, three_digits},
    measure::{Measured, Ready},
    thresholds::unit,
};
use crate::{
    load::GRACE,
    record::{Capacity, CapacityPoint, Outcome, Phase, Record, ThresholdUnit},
    scenario::{LoadModel, Metric, Relation, Scenario, Threshold},
    stats,
    text::Field,
};

/// Measured time of a probe and the discarded time before it, unless asked for differently.
const PROBE_DURATION: Duration = Duration::from_secs(5);
const PROBE_WARMUP: Duration = Duration::from_secs(1);

/// Share of the planned rate that has to be achieved.
const ACHIEVED: f64 = 0.99;

/// Share of errors above which a rate is not kept.
const MOST_ERRORS: f64 = 0.01;

/// Arrivals to expect in a probe for each sample that the threshold needs: Poisson arrivals may be fewer.
const SPARE: f64 = 1.5;

/// Samples that a threshold needs that is not about a percentile.
const FEW_SAMPLES: u64 = 10;

/// A search for capacity as it is going to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityPlan {
    threshold: Threshold,
    start: Start,
    /// What is measured at each rate.
    probe: PlannedLoad,
    /// What is measured at the rate that was found.
    last: PlannedLoad,
    /// The lowest rate whose samples decide the threshold in a probe.
    lowest: f64,
}

/// Where a search begins.
#[derive(Debug, Clone, PartialEq)]
enum Start {
    /// At this rate.
    Rate(f64),
    /// At what this closed load achieves.
    Closed(Box<PlannedLoad>),
}

impl CapacityPlan {
    /// The search for the highest rate of the load of `scenario`, with what is asked for differently, that keeps `threshold`.
    /// A duration and a warm-up that are asked for are those of each probe.
    ///
    /// # Errors
    /// As [`LoadOptions::plan`]; and where a rate cannot be looked for: the load has stages or think time, the threshold is not
    /// one that a higher rate breaks, or is about an operation that there is not. The message names the flag.
    pub fn new(options: &LoadOptions, scenario: &Scenario, threshold: Threshold) -> Result<Self, Error> {
        check(scenario, &threshold)?;
        let start = match (options.rate, scenario.load.model) {
            (Some(rate), _) | (None, LoadModel::Open { rate, .. }) => Start::Rate(rate),
            (None, LoadModel::Closed { .. }) => Start::Closed(Box::new(closed(options, scenario)?)),
        };
        // Replaced by each rate that is tried.
        let rate = options.rate.or(Some(1.0));
        let think_time = options.think_time.filter(|time| !time.is_zero());
        let mut last = LoadOptions { rate, think_time, ..options.clone() }.plan(scenario)?;
        if !last.thresholds.contains(&threshold) {
            last.thresholds.push(threshold.clone());
        }
        let mut probe = last.clone();
        probe.load.duration = options.duration.unwrap_or(PROBE_DURATION);
        probe.load.warmup = options.warmup.unwrap_or(PROBE_WARMUP);
        // A server that is behind is not awaited for longer than it takes to know that the threshold is not kept.
        let limit = if unit(&threshold) == ThresholdUnit::Ms { threshold.limit / 1e3 } else { 0.0 };
        probe.load.grace = Duration::try_from_secs_f64(limit).unwrap_or(GRACE).max(probe.load.duration).min(GRACE);
        probe.load.error_limit = 1.0;
        let lowest = lowest(scenario, &threshold, probe.load.duration);
        Ok(Self { threshold, start, probe, last, lowest })
    }

    /// The most connections that it has at once.
    pub fn most_connections(&self) -> u32 {
        self.last.most_connections()
    }
}

/// Looks for the rate, then measures the phase at it, which has to keep the threshold too, and saves that record with what was
/// found. Where even the lowest rate is not kept, the record is of that one. A search that was stopped or could not go on saves
/// its last measurement.
///
/// # Errors
/// As [`bench`](super::bench).
pub async fn find_capacity(
    clinic: &Clinic,
    scenario: &Scenario,
    phase: Phase,
    plan: &CapacityPlan,
    reports: &Reports,
) -> Result<BenchOutcome, Error> {
    let folder = reports.prepare(&scenario.id, phase.as_str(), plan.last.extent(scenario))?;
    let mut ready = Ready::new(clinic, scenario, phase, plan.last.load.seed).await?;
    ready.find_values().await?;
    let mut search = Search { clinic, ready: &ready, plan, bracket: None, curve: Vec::new(), newest: None };
    let ran = search.run().await;
    let capacity = search.capacity();
    match (search.newest, ran) {
        (None, ran) => Err(ran.err().unwrap_or_else(|| Error::new(ErrorKind::Failed, "no rate was tried"))),
        (Some(mut measured), Ok(())) => {
            measured.record.capacity = Some(capacity);
            finish(&ready, measured, &folder).await
        }
        (Some(mut measured), Err(failure)) => {
            let failure = ready.explained(failure).await;
            measured.record.capacity = Some(capacity);
            measured.record.interrupted = true;
            measured.record.interrupted_by = Some(format!("the search for capacity was not completed: {failure}"));
            save(measured, None, Some(failure), &folder)
        }
    }
}

/// A search that goes on.
struct Search<'a> {
    clinic: &'a Clinic,
    ready: &'a Ready<'a>,
    plan: &'a CapacityPlan,
    /// Once it is known where to begin.
    bracket: Option<Bracket>,
    curve: Vec<CapacityPoint>,
    /// The newest measurement at a rate, or the one that was stopped or broke off.
    newest: Option<Measured>,
}

impl Search<'_> {
    /// Measures until the rate is found, or a measurement is stopped or breaks off.
    async fn run(&mut self) -> Result<(), Error> {
        let Some(first) = self.first().await? else { return Ok(()) };
        let lowest = self.plan.lowest;
        if first < lowest {
            let (threshold, seconds) = (&self.plan.threshold, self.plan.probe.load.duration.as_secs_f64());
            let lowest = three_digits(lowest);
            self.clinic.note(format!(
                "capacity: starting at {lowest}/s, because at lower rates {seconds} s may give too few samples to decide {threshold}"
            ));
        }
        let bracket = self.bracket.insert(Bracket::new(first, lowest));
        loop {
            let (plan, rate, is_last) = match (bracket.next(), bracket.highest_kept()) {
                (Some(rate), _) => (&self.plan.probe, rate, false),
                (None, Some(rate)) => (&self.plan.last, rate, true),
                (None, None) => return Ok(()),
            };
            let mut plan = plan.clone();
            if let LoadModel::Open { rate: planned, .. } = &mut plan.load.model {
                *planned = rate;
            }
            let record = &self.newest.insert(self.ready.measure(&plan).await?).record;
            if record.interrupted {
                return Ok(());
            }
            let point = point(&self.plan.threshold, rate, record);
            let is_kept = point.passed;
            self.clinic.events().event(Event::Probe {
                threshold: self.plan.threshold.to_string(),
                unit: unit(&self.plan.threshold),
                point: point.clone(),
            });
            self.curve.push(point);
            bracket.note(rate, is_kept);
            if is_last && is_kept {
                return Ok(());
            }
        }
    }

    /// The first rate; `None` when the closed load that is to tell it was stopped or broke off.
    async fn first(&mut self) -> Result<Option<f64>, Error> {
        let closed = match &self.plan.start {
            Start::Rate(rate) => return Ok(Some(*rate)),
            Start::Closed(closed) => closed,
        };
        let measured = self.ready.measure(closed).await?;
        if measured.record.interrupted {
            self.newest = Some(measured);
            return Ok(None);
        }
        let rate = three_digits(measured.record.totals.throughput_per_s);
        let clients = closed.load.clients;
        self.clinic.note(format!("capacity: a closed load of {clients} clients achieves {rate}/s: starting there"));
        Ok(Some(rate))
    }

    /// What is known by now.
    fn capacity(&mut self) -> Capacity {
        let mut curve = std::mem::take(&mut self.curve);
        curve.sort_by(|one, other| one.rate_per_s.total_cmp(&other.rate_per_s));
        let rate_per_s = self.bracket.as_ref().and_then(Bracket::highest_kept);
        Capacity { threshold: self.plan.threshold.to_string(), rate_per_s, curve }
    }
}

/// What came of a rate, from the record of a measurement at it alone.
fn point(threshold: &Threshold, rate: f64, record: &Record) -> CapacityPoint {
    let expression = threshold.to_string();
    let result = record.thresholds.iter().find(|result| result.expression == expression);
    let mut reasons: Vec<String> = result.and_then(|result| result.reason.clone()).into_iter().collect();
    if let Some(arrivals) = &record.arrivals
        && arrivals.achieved_rate_per_s < ACHIEVED * arrivals.planned_rate_per_s
    {
        let (achieved, planned) = (arrivals.achieved_rate_per_s, arrivals.planned_rate_per_s);
        reasons.push(format!("{achieved:.1}/s of {planned:.1}/s were achieved"));
    }
    if record.totals.error_rate > MOST_ERRORS {
        reasons.push(format!("{:.2} % of the operations failed", record.totals.error_rate * 100.0));
    }
    let latency = &record.latency_ms;
    CapacityPoint {
        rate_per_s: rate,
        achieved_per_s: record.totals.throughput_per_s,
        operations: record.totals.operations,
        errors: record.totals.errors,
        p50_ms: latency.p50,
        p95_ms: latency.p95,
        p99_ms: latency.p99,
        value: result.and_then(|result| result.value),
        passed: reasons.is_empty() && result.is_some_and(|result| result.outcome == Outcome::Passed),
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
    }
}

/// Refuses a threshold that no rate can be looked for with.
fn check(scenario: &Scenario, threshold: &Threshold) -> Result<(), Error> {
    if let Some((_, fault)) = scenario.unknown_operation([threshold]) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("{}: {}", Field::FindCapacity, fault.render(&threshold.to_string())),
        )
        .about(&[Field::FindCapacity]));
    }
    if !scenario.load.stages.is_empty() {
        return Err(refused("the load of the scenario has stages")
            .with_hint("remove the stages in your own copy of the scenario file; each probe holds one rate"));
    }
    let is_broken_by_more =
        threshold.metric != Metric::Throughput && matches!(threshold.relation, Relation::Less | Relation::LessOrEqual);
    if !is_broken_by_more {
        return Err(refused(&format!("a higher rate does not violate {threshold}"))
            .with_hint("use an upper limit of a time or of error_rate, such as 'p(95)<50ms'"));
    }
    Ok(())
}

fn refused(reason: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{}: {reason}", Field::FindCapacity)).about(&[Field::FindCapacity])
}

/// The closed load whose throughput is the first rate.
fn closed(options: &LoadOptions, scenario: &Scenario) -> Result<PlannedLoad, Error> {
    let options = LoadOptions { arrivals: None, latency_limit: None, ..options.clone() };
    let mut closed = options.plan(scenario)?;
    if matches!(closed.load.model, LoadModel::Closed { think_time: Some(_) }) {
        return Err(refused("it measures open loads, which have no think time")
            .with_hint(format!("remove the think time with {} 0s", Field::ThinkTime))
            .about(&[Field::ThinkTime]));
    }
    closed.load.duration = options.duration.unwrap_or(PROBE_DURATION);
    closed.load.warmup = options.warmup.unwrap_or(PROBE_WARMUP);
    Ok(closed)
}

/// The lowest rate at which a measurement of this length has the samples that the threshold needs.
fn lowest(scenario: &Scenario, threshold: &Threshold, duration: Duration) -> f64 {
    let needed = match threshold.metric {
        Metric::Percentile(percent) => stats::samples_needed(percent / 100.0),
        _ => FEW_SAMPLES,
    };
    let weight = |name: &str| {
        // A step is in the mix as often as its script, or more often.
        let is_it = |script: &&crate::scenario::Script| {
            name == script.name || name.strip_prefix(&script.name).is_some_and(|rest| rest.starts_with('.'))
        };
        scenario.scripts.iter().find(is_it).map(|script| script.weight)
    };
    let all: f64 = scenario.scripts.iter().map(|script| script.weight).sum();
    let share = threshold.operation.as_deref().and_then(weight).map_or(1.0, |weight| weight / all);
    SPARE * needed as f64 / (duration.as_secs_f64() * share)
}

#[cfg(test)]
mod tests;
