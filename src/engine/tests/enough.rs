//! Windows that end by their samples, and warm-ups that end by planning.

use super::*;
use crate::{
    load::Enough,
    scenario::{LoadModel, ThinkDistribution, ThinkTime},
};

const SECOND: Duration = Duration::from_secs(1);

/// A window of at least 2 s and at most 20 s that is to have 100 samples.
fn bounded(clients: u32) -> Load {
    let enough = Some(Enough { samples: 100, time: 2 * SECOND });
    Load { enough, ..load(clients, 2, 200 * MS, 20 * SECOND) }
}

fn constant(time: Duration) -> impl Fn(u32, &Operation) -> Answer + Send + Sync + 'static {
    move |_, _| (time, Ok(()))
}

#[test]
fn a_slow_window_lasts_until_it_has_its_samples() {
    let outcome = measure(&bounded(8), constant(400 * MS));
    let measurement = outcome.measurement();
    // 20 operations a second. Those under way count; parts of a quarter of a second are looked at, and a little notice is given.
    assert!((100..=116).contains(&measurement.total.operations), "{}", measurement.total.operations);
    assert!(measurement.measured >= 5 * SECOND && measurement.measured <= 6 * SECOND, "{:?}", measurement.measured);
    assert_eq!(
        (&measurement.ended, measurement.total.response.len()),
        (&Ended::Completed, measurement.total.operations)
    );
    let length: Duration = measurement.slices.iter().map(|slice| slice.length).sum();
    assert_eq!(length, measurement.measured);
    let active: Vec<f64> = measurement.slices.iter().map(|slice| slice.active_clients).collect();
    assert!(active[..5].iter().all(|active| (active - 8.0).abs() < 0.1), "{active:?}");
}

#[test]
fn a_fast_window_lasts_its_least_time_and_no_longer() {
    let outcome = measure(&bounded(2), constant(MS));
    let measurement = outcome.measurement();
    assert_eq!((measurement.measured, measurement.sending), (2 * SECOND, 2 * SECOND));
    assert_eq!((measurement.total.operations, measurement.slices.len()), (4000, 2));
}

#[test]
fn a_window_without_its_samples_ends_with_its_time() {
    let outcome = measure(&bounded(4), constant(2 * SECOND));
    let measurement = outcome.measurement();
    assert_eq!((measurement.total.operations, &measurement.ended), (40, &Ended::Completed));
    assert!(measurement.measured >= 20 * SECOND && measurement.measured <= 22 * SECOND);
}

#[test]
fn what_failed_is_no_sample() {
    let script = |_, operation: &Operation| {
        let fails = operation.number / 8 % 2 == 1;
        (100 * MS, if fails { Err(failure(FailureKind::Operation, Some("22012"), "division by zero")) } else { Ok(()) })
    };
    let outcome = measure(&bounded(8), script);
    let measurement = outcome.measurement();
    assert!((100..=130).contains(&measurement.total.response.len()), "{}", measurement.total.response.len());
    assert!(measurement.total.error_count() >= 95);
}

#[test]
fn a_client_that_pauses_hears_that_the_window_is_over() {
    let think_time = ThinkTime { mean: 15 * SECOND, distribution: ThinkDistribution::Constant };
    let model = LoadModel::Closed { think_time: Some(think_time) };
    // All clients send at once, and think until long after the least time.
    let outcome = measure(&Load { model, ..bounded(150) }, constant(MS));
    let measurement = outcome.measurement();
    assert!(measurement.total.operations >= 100, "{}", measurement.total.operations);
    assert!(outcome.took < 5 * SECOND || measurement.measured <= 17 * SECOND, "{:?}", outcome.took);
    let length: Duration = measurement.slices.iter().map(|slice| slice.length).sum();
    assert_eq!(length, measurement.measured);
}

#[test]
fn a_stop_ends_a_window_that_waits_for_samples() {
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    let script = move |_, operation: &Operation| {
        if operation.number == 24 {
            stopper.cancel();
        }
        (400 * MS, Ok(()))
    };
    let outcome = run_paused(&bounded(8), 1, None, stop, script);
    let measurement = outcome.measurement();
    assert_eq!(measurement.ended, Ended::Stopped);
    assert!(measurement.measured < 3 * SECOND, "{:?}", measurement.measured);
}

#[test]
fn a_warm_up_whose_time_is_over_plans_what_it_would_still_execute() {
    let scripted = |plans| Scripted { script: constant(20 * MS), refused: None, plans, deeds: Arc::default() };
    let load = load(8, 2, 100 * MS, 500 * MS);
    let length = |outcome: &Outcome| outcome.measurement().warm_up.length;
    let executing = drive(&load, 3, CancellationToken::new(), scripted(false));
    assert!(length(&executing) >= 300 * MS, "{:?}", length(&executing));
    let planning = drive(&load, 3, CancellationToken::new(), scripted(true));
    assert!(length(&planning) < 150 * MS, "{:?}", length(&planning));
    assert_eq!(planning.measurement().warm_up.cold_clients, 0);
    for client in 0..8 {
        let of_client = |deed: &Deed| match deed {
            Deed::Sent(operation) if is_warm_up(operation) => Some((operation.script, false)),
            Deed::Planned(operation) => Some((operation.script, true)),
            _ => None,
        };
        let own = planning.deeds.iter().filter(|(by, _)| *by == client);
        let deeds: Vec<(usize, bool)> = own.filter_map(|(_, deed)| of_client(deed)).collect();
        for script in 0..3 {
            let count = |planned| deeds.iter().filter(|deed| **deed == (script, planned)).count();
            assert!(count(false) >= 1 && count(true) >= 1 && count(false) + count(true) >= 5, "{deeds:?}");
        }
    }
}
