use super::*;
use crate::{
    record::{ArrivalFigures, ThresholdResult, sample},
    scenario::{Arrivals, Script, Stage, ThinkDistribution, ThinkTime},
};

const SECOND: Duration = Duration::from_secs(1);

fn parsed(text: &str) -> Threshold {
    Threshold::parse(text).unwrap()
}

fn plan(options: &LoadOptions, scenario: &Scenario, threshold: &str) -> Result<CapacityPlan, Error> {
    CapacityPlan::new(options, scenario, parsed(threshold))
}

fn events() -> Scenario {
    Scenario::bundled("events").unwrap()
}

fn open() -> Scenario {
    let mut scenario = events();
    scenario.load.model = LoadModel::Open { rate: 10.0, arrivals: Arrivals::Constant, latency_limit: None };
    scenario
}

#[test]
fn probes_are_short_and_the_last_measurement_is_that_of_the_scenario() {
    let plan = plan(&LoadOptions::default(), &events(), "p(95)<50ms").unwrap();
    assert_eq!((plan.probe.load.duration, plan.probe.load.warmup), (PROBE_DURATION, PROBE_WARMUP));
    assert_eq!(plan.probe.load.grace, PROBE_DURATION);
    assert_eq!((plan.last.load.duration, plan.last.load.grace), (events().load.duration, GRACE));
    assert!(matches!(plan.last.load.model, LoadModel::Open { arrivals: Arrivals::Poisson, .. }));
    assert_eq!(plan.last.thresholds, [parsed("p(95)<50ms")]);
    let Start::Closed(closed) = plan.start else { panic!("{:?}", plan.start) };
    assert_eq!((closed.load.duration, closed.load.is_open()), (PROBE_DURATION, false));
}

#[test]
fn what_is_asked_for_holds_for_probes_too() {
    let options = LoadOptions {
        rate: Some(200.0),
        arrivals: Some(Arrivals::Constant),
        duration: Some(SECOND),
        warmup: Some(SECOND / 5),
        thresholds: vec![parsed("p(95)<20s")],
        ..LoadOptions::default()
    };
    let asked = plan(&options, &events(), "p(95)<20s").unwrap();
    for load in [&asked.probe.load, &asked.last.load] {
        assert_eq!((load.duration, load.warmup), (SECOND, SECOND / 5));
        assert!(matches!(load.model, LoadModel::Open { arrivals: Arrivals::Constant, .. }));
    }
    assert_eq!((asked.start, asked.probe.load.grace), (Start::Rate(200.0), 20 * SECOND));
    assert_eq!(asked.last.thresholds.len(), 1);
    assert_eq!(plan(&LoadOptions::default(), &open(), "p(95)<1ms").unwrap().start, Start::Rate(10.0));
    // Without a rate the arrivals are those of the rates that are tried.
    let arrivals = LoadOptions { rate: None, latency_limit: Some(SECOND), ..options };
    assert!(matches!(plan(&arrivals, &events(), "p(95)<1ms").unwrap().start, Start::Closed(_)));
}

#[test]
fn the_lowest_rate_has_the_samples_that_the_threshold_needs() {
    let mut scenario = events();
    let lowest = |scenario: &Scenario, threshold| plan(&LoadOptions::default(), scenario, threshold).unwrap().lowest;
    assert_eq!(lowest(&scenario, "p(95)<50ms"), 1.5 * 59.0 / 5.0);
    assert_eq!(lowest(&scenario, "error_rate<1%"), 3.0);
    scenario.scripts.push(Script::of_statement("rare", 1.0, 0));
    scenario.scripts[0].weight = 3.0;
    assert_eq!(lowest(&scenario, "rare:p(99)<50ms"), 1.5 * 299.0 / 5.0 * 4.0);
}

#[test]
fn what_no_rate_can_be_looked_for_with_is_refused() {
    let refusal = |options: LoadOptions, scenario: &Scenario, threshold| {
        let error = plan(&options, scenario, threshold).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        format!("{error}\n{}", error.hint().unwrap_or_default())
    };
    let mut staged = events();
    staged.load.stages = vec![Stage { duration: SECOND, from: 1.0, to: 9.0 }];
    let mut thinking = events();
    let distribution = ThinkDistribution::Constant;
    thinking.load.model = LoadModel::Closed { think_time: Some(ThinkTime { mean: SECOND, distribution }) };
    let none = LoadOptions::default;
    let thoughtful = LoadOptions { think_time: Some(SECOND), ..none() };
    let told = [
        refusal(none(), &staged, "p(95)<50ms"),
        refusal(none(), &thinking, "p(95)<50ms"),
        refusal(thoughtful.clone(), &events(), "p(95)<50ms"),
        refusal(thoughtful, &open(), "p(95)<50ms"),
        refusal(none(), &events(), "throughput<50/s"),
        refusal(none(), &events(), "p(95)>50ms"),
        refusal(none(), &events(), "latest_event:p(95)<50ms"),
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    `find_capacity`: the load of the scenario has stages
    remove the stages in your own copy of the scenario file; each probe holds one rate
    `find_capacity`: it measures open loads, which have no think time
    remove the think time with `think_time` 0s
    `find_capacity`: it measures open loads, which have no think time
    remove the think time with `think_time` 0s
    `think_time`: in an open load, operations arrive at the given rate, whatever the clients do
    omit `think_time`, or change [load] in your own copy of the scenario file
    `find_capacity`: a higher rate does not violate throughput<50/s
    use an upper limit of a time or of error_rate, such as 'p(95)<50ms'
    `find_capacity`: a higher rate does not violate p(95)>50ms
    use an upper limit of a time or of error_rate, such as 'p(95)<50ms'
    `find_capacity`: no operation `latest_event`, did you mean `latest_events`?
      latest_event:p(95)<50ms
      ^^^^^^^^^^^^
    ");
    let thoughtless = LoadOptions { think_time: Some(Duration::ZERO), ..none() };
    plan(&thoughtless, &thinking, "p(95)<50ms").unwrap();
}

#[test]
fn a_rate_is_kept_only_when_it_is_achieved_without_errors_and_decided() {
    let threshold = parsed("p(95)<250ms");
    let result = |value: Option<f64>, outcome, reason: Option<&str>| ThresholdResult {
        value,
        outcome,
        reason: reason.map(str::to_owned),
        ..sample::full().thresholds[0].clone()
    };
    let measured = |result: ThresholdResult, sent: f64, errors: u64| {
        let mut record = sample::full();
        record.arrivals =
            Some(ArrivalFigures { planned_rate_per_s: 100.0, achieved_rate_per_s: sent, ..ArrivalFigures::default() });
        (record.totals.errors, record.totals.error_rate) = (errors, errors as f64 / record.totals.operations as f64);
        record.thresholds = vec![sample::full().thresholds[2].clone(), result];
        let CapacityPoint { value, passed, reason, .. } = point(&threshold, 100.0, &record);
        (value, passed, reason)
    };
    let kept = || result(Some(190.0), Outcome::Passed, None);
    assert_eq!(measured(kept(), 99.1, 27), (Some(190.0), true, None));
    let reason = |text: &str| Some(text.to_owned());
    assert_eq!(measured(kept(), 98.9, 0), (Some(190.0), false, reason("98.9/s of 100.0/s were achieved")));
    assert_eq!(measured(kept(), 100.0, 28), (Some(190.0), false, reason("1.03 % of the operations failed")));
    assert_eq!(measured(result(Some(300.0), Outcome::Failed, None), 100.0, 0), (Some(300.0), false, None));
    let few = "needs 59 samples; there are 58";
    assert_eq!(measured(result(None, Outcome::Undecided, Some(few)), 100.0, 0), (None, false, reason(few)));
}
