//! Open loads, think times and stages.

use super::*;
use crate::scenario::{self, LoadModel, ThinkDistribution, ThinkTime};

/// Arrivals at equal distances.
fn open(rate: f64, clients: u32, duration: Duration) -> Load {
    let model = LoadModel::Open { rate, arrivals: scenario::Arrivals::Constant, latency_limit: None };
    Load { model, ..load(clients, 2, 100 * MS, duration) }
}

fn close_to(value: u64, expected: Duration, tolerance: Duration) -> bool {
    Duration::from_nanos(value).abs_diff(expected) <= tolerance
}

#[test]
fn arrivals_do_not_wait_for_completions() {
    let outcome = measure(&open(100.0, 8, 2000 * MS), |_, _| (30 * MS, Ok(())));
    let measurement = outcome.measurement();
    assert_eq!(measurement.total.operations, 200);
    assert_eq!(measurement.arrivals, Some(ArrivalFigures { planned: 200, sent: 200, window: 2000 * MS }));
    assert!(about(&measurement.total.response, measurement.total.response.max(), 30 * MS));
    assert_eq!(measurement.total.lag.max(), 0);
    // 100 a second, each 30 ms long.
    assert!((measurement.slices[0].active_clients - 3.0).abs() < 0.1, "{}", measurement.slices[0].active_clients);
    let mut numbers: Vec<u64> = outcome
        .deeds
        .iter()
        .filter_map(|(_, deed)| match deed {
            Deed::Sent(operation) if !is_warm_up(operation) => Some(operation.number),
            _ => None,
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
}

#[test]
fn a_stalled_server_delays_a_tenth_of_the_requests_evenly() {
    // It stalls from 4 s to 5 s. Four clients hang in it; every arrival meanwhile waits for one of them.
    for (clients, hanging) in [(4, 4), (400, 200)] {
        let script = move |_, operation: &Operation| {
            let is_stalled = !is_warm_up(operation) && (800..800 + hanging).contains(&operation.number);
            (if is_stalled { 5000 * MS - 5 * MS * operation.number as u32 } else { MS / 5 }, Ok(()))
        };
        let outcome = measure(&open(200.0, clients, 10_000 * MS), script);
        let total = &outcome.measurement().total;
        assert_eq!(total.operations, 2000);
        let response = |quantile| total.response.value_at_quantile(quantile);
        assert!(close_to(response(0.95), 500 * MS, 30 * MS), "p95 {}", response(0.95));
        assert!(close_to(response(0.99), 900 * MS, 30 * MS), "p99 {}", response(0.99));
        assert!(close_to(response(0.89), MS / 5, MS), "p89 {}", response(0.89));
        let slow = total.service.iter_recorded().filter(|at| at.value_iterated_to() > 10_000_000);
        let slow: u64 = slow.map(|at| at.count_since_last_iteration()).sum();
        assert!((hanging - 2..=hanging).contains(&slow), "{slow} slow operations with {clients} clients");
    }
}

#[test]
fn what_is_behind_catches_up_and_what_never_was_sent_counts() {
    // Ten times as much as one client can do: 100 of 1000 in the second, 500 in the grace time.
    let outcome = measure(&open(1000.0, 1, 1000 * MS), |_, _| (10 * MS, Ok(())));
    let measurement = outcome.measurement();
    let arrivals = measurement.arrivals.unwrap();
    assert_eq!(arrivals.planned, 1000);
    assert!((598..=602).contains(&arrivals.sent), "{arrivals:?}");
    assert_eq!(measurement.total.operations, 1000);
    assert_eq!(measurement.total.response.len(), 1000);
    let unsent = measurement.total.errors["timeout"].0;
    assert!((398..=402).contains(&unsent), "{unsent}");
    assert!(close_to(measurement.total.response.max(), 5400 * MS, 30 * MS), "{}", measurement.total.response.max());
    // Sending went on while it caught up, so that throughput is not overstated.
    assert!(measurement.sending > 5900 * MS, "{:?}", measurement.sending);
}

#[test]
fn what_has_waited_too_long_is_skipped_and_counted() {
    let mut load = open(100.0, 1, 2000 * MS);
    load.model = LoadModel::Open { rate: 100.0, arrivals: scenario::Arrivals::Constant, latency_limit: Some(50 * MS) };
    let script = |_, operation: &Operation| (if operation.number == 100 { 500 * MS } else { MS }, Ok(()));
    let outcome = measure(&load, script);
    let measurement = outcome.measurement();
    let total = &measurement.total;
    // Due while the one client was busy: 49; the last five had not waited for more than 50 ms, one of them so long that
    // it was late too.
    assert_eq!((total.skipped, total.late, total.operations), (44, 2, 156));
    assert_eq!(total.response.len(), 200);
    assert_eq!(measurement.arrivals, Some(ArrivalFigures { planned: 200, sent: 156, window: 2000 * MS }));
    assert_eq!(measurement.slices.iter().map(|slice| slice.skipped).sum::<u64>(), 44);
}

#[test]
fn a_ramp_of_arrivals_has_figures_by_stage() {
    let stage = |seconds: u32, from, to| scenario::Stage { duration: 1000 * MS * seconds, from, to };
    let mut load = open(200.0, 20, 5000 * MS);
    load.stages = vec![stage(2, 100.0, 100.0), stage(2, 100.0, 200.0), stage(1, 0.0, 0.0)];
    let outcome = measure(&load, |_, _| (MS, Ok(())));
    let measurement = outcome.measurement();
    let counts: Vec<u64> = measurement.stages.iter().map(|stage| stage.figures.operations).collect();
    assert_eq!(counts.iter().sum::<u64>(), measurement.total.operations);
    assert!(counts[0].abs_diff(200) <= 1 && counts[1].abs_diff(300) <= 1 && counts[2] <= 1, "{counts:?}");
    let by_slice: Vec<u64> = measurement.slices.iter().map(|slice| slice.operations).collect();
    for (count, expected) in by_slice.iter().zip([100_u64, 100, 125, 175, 0]) {
        assert!(count.abs_diff(expected) <= 1, "{by_slice:?}");
    }
    assert_eq!((measurement.stages[1].start, measurement.stages[1].length), (2000 * MS, 2000 * MS));
    let stages: Vec<usize> = outcome.progress.iter().filter_map(|p| p.load_stage.map(|stage| stage.number)).collect();
    assert!(stages.is_sorted() && stages.contains(&1) && stages.contains(&3), "{stages:?}");
}

#[test]
fn clients_of_a_closed_ramp_follow_the_stages() {
    let stage = |seconds: u32, from, to| scenario::Stage { duration: 1000 * MS * seconds, from, to };
    let mut load = load(10, 2, 100 * MS, 6000 * MS);
    load.stages = vec![stage(2, 2.0, 2.0), stage(2, 2.0, 10.0), stage(2, 10.0, 0.0)];
    let outcome = measure(&load, |_, _| (5 * MS, Ok(())));
    let slices = &outcome.measurement().slices;
    let active: Vec<f64> = slices.iter().map(|slice| slice.active_clients).collect();
    for (active, expected) in active.iter().zip([2.0, 2.0, 4.0, 8.0, 7.5, 2.5]) {
        assert!((active - expected).abs() < 0.6, "{:?}", slices.iter().map(|s| s.active_clients).collect::<Vec<_>>());
    }
    for (slice, active) in slices.iter().zip(&active) {
        let expected = active * 200.0;
        assert!((slice.operations as f64 - expected).abs() < 0.05 * expected + 12.0, "{slice:?} {active}");
    }
    let warm_up: Vec<u32> = (0..10)
        .filter(|client| outcome.sent_by(*client).iter().filter(|operation| is_warm_up(operation)).count() > 5)
        .collect();
    assert_eq!(warm_up, [0, 1], "beyond its five executions the warm-up has the clients that the window begins with");
}

#[test]
fn thinking_clients_pause() {
    for (distribution, tolerance) in [(ThinkDistribution::Constant, 0.01), (ThinkDistribution::Exponential, 0.1)] {
        let mut load = load(10, 2, 100 * MS, 10_000 * MS);
        load.model = LoadModel::Closed { think_time: Some(ThinkTime { mean: 90 * MS, distribution }) };
        let outcome = measure(&load, |_, _| (10 * MS, Ok(())));
        let measurement = outcome.measurement();
        let expected = 10.0 * 10.0 / 0.1;
        let operations = measurement.total.operations as f64;
        assert!((operations / expected - 1.0).abs() < tolerance, "{distribution:?}: {operations}");
        assert!(close_to(measurement.total.response.max(), 10 * MS, MS * 2), "{}", measurement.total.response.max());
        assert!(measurement.measured <= 10_010 * MS, "{:?}", measurement.measured);
    }
}

#[test]
fn the_same_seed_sends_the_same_arrivals_with_any_number_of_threads() {
    let by_threads = |threads| {
        let deeds = Arc::new(Mutex::new(Vec::new()));
        let script = |_: u32, _: &Operation| -> Answer { (MS, Ok(())) };
        let target =
            Arc::new(Handle(Arc::new(Scripted { script, refused: None, plans: false, deeds: Arc::clone(&deeds) })));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let load = Load { threads, ..open(500.0, 8, 400 * MS) };
        let observer = Arc::new(Watch::default());
        let measurement =
            runtime.block_on(run(target, &load, workload(3), observer, CancellationToken::new())).unwrap();
        assert_eq!(measurement.total.operations, 200);
        let mut sent: Vec<Operation> = deeds
            .lock()
            .unwrap()
            .iter()
            .filter_map(|(_, deed)| match deed {
                Deed::Sent(operation) if !is_warm_up(operation) => Some(operation.clone()),
                _ => None,
            })
            .collect();
        sent.sort_by_key(|operation| operation.number);
        sent
    };
    assert_eq!(by_threads(1), by_threads(8));
}
