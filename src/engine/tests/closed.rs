//! Closed loads.

use std::collections::BTreeMap;

use super::*;
use crate::stats::empty_histogram;

#[test]
fn percentiles_are_exactly_those_of_the_script() {
    // 50 operations of 1 ms, 45 of 2 ms, 4 of 10 ms, one of 100 ms: 280 ms, ten times over.
    let script = |_, operation: &Operation| {
        let time = match operation.number % 100 {
            _ if is_warm_up(operation) => MS,
            0..50 => MS,
            50..95 => 2 * MS,
            95..99 => 10 * MS,
            _ => 100 * MS,
        };
        (time, Ok(()))
    };
    let outcome = measure(&load(1, 1, 100 * MS, 2800 * MS), script);
    let measurement = outcome.measurement();
    let response = &measurement.total.response;
    assert_eq!((measurement.total.operations, response.len()), (1000, 1000));
    assert_eq!(measurement.measured, 2800 * MS);
    for (quantile, time) in [(0.5, 1), (0.501, 2), (0.95, 2), (0.951, 10), (0.99, 10), (0.991, 100), (1.0, 100)] {
        let value = response.value_at_quantile(quantile);
        assert!(about(response, value, time * MS), "p{}: {value} ns, not {time} ms", quantile * 100.0);
    }
    assert!((response.mean() / 2_800_000.0 - 1.0).abs() < 0.001);
    assert_eq!(measurement.total.service, *response);
    assert_eq!((measurement.total.lag.len(), measurement.total.lag.max()), (1000, 0));
    assert_eq!(measurement.ended, Ended::Completed);
}

#[test]
fn warm_up_is_discarded() {
    let script = |_, operation: &Operation| (if is_warm_up(operation) { 50 * MS } else { MS }, Ok(()));
    let outcome = measure(&load(2, 2, 1000 * MS, 1000 * MS), script);
    let measurement = outcome.measurement();
    assert!(about(&measurement.total.response, measurement.total.response.max(), MS));
    assert_eq!(measurement.total.operations, 2000);
    assert_eq!(measurement.warm_up, WarmUp { length: 1000 * MS, cold_clients: 0 });
    let measured: Vec<u64> = outcome
        .sent_by(1)
        .iter()
        .filter(|operation| !is_warm_up(operation))
        .map(|operation| operation.number)
        .collect();
    assert_eq!(measured, (0..1000).map(|nth| nth * 2 + 1).collect::<Vec<_>>());
}

#[test]
fn every_connection_executes_every_statement_five_times_before_the_window() {
    for warmup in [Duration::ZERO, 100 * MS, 5000 * MS] {
        let load = load(8, 2, warmup, 1000 * MS);
        let outcome = run_paused(&load, 3, None, CancellationToken::new(), |_, _| (20 * MS, Ok(())));
        let measurement = outcome.measurement();
        assert_eq!(measurement.warm_up.cold_clients, 0);
        assert!(measurement.warm_up.length >= warmup.max(300 * MS), "{:?}", measurement.warm_up);
        assert!(measurement.warm_up.length <= warmup.max(350 * MS), "{:?}", measurement.warm_up);
        for client in 0..8 {
            let mut executions = BTreeMap::new();
            for operation in outcome.sent_by(client).iter().take_while(|operation| is_warm_up(operation)) {
                *executions.entry(operation.script).or_insert(0) += 1;
            }
            assert!(executions.len() == 3 && executions.values().all(|count| *count >= 5), "{executions:?}");
        }
    }
}

#[test]
fn the_observer_hears_of_the_window_just_before_it_begins() {
    let outcome = measure(&load(2, 2, 3000 * MS, 1000 * MS), |_, _| (MS, Ok(())));
    let noticed = outcome.noticed.unwrap();
    assert!(noticed > 2950 * MS && noticed < 3100 * MS, "{noticed:?}");
}

#[test]
fn warm_up_of_a_very_slow_statement_is_bounded_and_said() {
    let load = load(3, 1, 1000 * MS, 20_000 * MS);
    let script = |client, _: &Operation| (if client == 2 { 6000 * MS } else { 10 * MS }, Ok(()));
    let outcome = measure(&load, script);
    let warm_up = outcome.measurement().warm_up;
    assert_eq!(warm_up.cold_clients, 1);
    assert!(warm_up.length >= load.longest_warmup() && warm_up.length <= load.longest_warmup() + 30 * MS);
    assert!(outcome.measurement().total.operations > 4000);
}

#[test]
fn all_connect_before_any_sends_and_stages_follow_in_order() {
    let outcome = measure(&load(20, 3, 1000 * MS, 1000 * MS), |_, _| (300 * MS, Ok(())));
    let first_sent = outcome.deeds.iter().position(|(_, deed)| matches!(deed, Deed::Sent(_))).unwrap();
    let connected = |(_, deed): &&(u32, Deed)| *deed == Deed::Connected;
    assert_eq!(outcome.deeds[..first_sent].iter().filter(connected).count(), 20);
    let mut stages: Vec<Stage> = outcome.progress.iter().map(|progress| progress.stage).collect();
    stages.dedup();
    assert_eq!(stages[..3], [Stage::Connecting, Stage::WarmUp, Stage::Measuring]);
    for client in 0..20 {
        let phases: Vec<bool> = outcome.sent_by(client).iter().map(|operation| is_warm_up(operation)).collect();
        assert!(phases.is_sorted_by_key(|warm_up| !warm_up), "client {client} went back to the warm-up");
    }
}

#[test]
fn what_is_in_flight_at_the_end_counts_with_its_full_time() {
    let script = |_, operation: &Operation| (if is_warm_up(operation) { MS } else { 700 * MS }, Ok(()));
    let outcome = measure(&load(1, 1, 100 * MS, 1000 * MS), script);
    let measurement = outcome.measurement();
    assert_eq!(measurement.total.operations, 2);
    assert!(about(&measurement.total.response, measurement.total.response.min(), 700 * MS));
    assert_eq!((measurement.measured, measurement.sending), (1400 * MS, 1000 * MS));
    let slices: Vec<_> = measurement.slices.iter().map(|s| (s.start, s.length, s.operations)).collect();
    assert_eq!(slices, [(Duration::ZERO, 1400 * MS, 2)]);
}

#[test]
fn what_outlives_the_grace_time_is_a_timeout_at_its_elapsed_time() {
    let script = |client, operation: &Operation| {
        let stuck = client == 1 && operation.number == 1;
        (if stuck { Duration::from_secs(3600) } else { 10 * MS }, Ok(()))
    };
    let outcome = measure(&load(2, 1, 100 * MS, 1000 * MS), script);
    let measurement = outcome.measurement();
    // 1 s of window and 5 s of grace.
    assert_eq!(measurement.measured, 6000 * MS);
    assert!(about(&measurement.total.response, measurement.total.response.max(), 6000 * MS));
    assert_eq!((measurement.total.operations, measurement.total.response.len()), (101, 101));
    assert_eq!(measurement.total.errors["timeout"].0, 1);
    assert_eq!(measurement.total.failed.len(), 1);
    assert_eq!(outcome.deeds.iter().filter(|(_, deed)| *deed == Deed::Cancelled).count(), 1);
    assert_eq!(measurement.ended, Ended::Completed);
}

#[test]
fn errors_are_counted_apart_and_improve_nothing() {
    let script = |_, operation: &Operation| match operation.number % 10 {
        _ if is_warm_up(operation) => (MS, Ok(())),
        3 => (MS, Err(failure(FailureKind::Operation, Some("40001"), "could not serialize access"))),
        7 => {
            (81 * MS, Err(failure(FailureKind::Timeout, Some("57014"), "canceling statement due to statement timeout")))
        }
        _ => (10 * MS, Ok(())),
    };
    let outcome = measure(&load(1, 1, 100 * MS, 1620 * MS), script);
    let total = &outcome.measurement().total;
    assert_eq!((total.operations, total.error_count()), (100, 20));
    assert_eq!(total.errors["40001"], (10, "could not serialize access".to_owned()));
    assert_eq!(total.errors["57014"].0, 10);
    // The quick failures are not in the response times, the timeouts are.
    assert_eq!((total.response.len(), total.failed.len()), (90, 20));
    assert!(about(&total.response, total.response.min(), 10 * MS));
    assert!(about(&total.response, total.response.max(), 81 * MS));
    assert!(about(&total.failed, total.failed.min(), MS));
    assert_eq!(outcome.measurement().slices.iter().map(|slice| slice.errors).sum::<u64>(), 20);
}

#[test]
fn a_client_that_cannot_connect_is_named_before_anything_is_sent() {
    let load = load(4, 2, 100 * MS, 1000 * MS);
    let outcome = run_paused(&load, 1, Some(3), CancellationToken::new(), |_, _| (MS, Ok(())));
    let error = outcome.measurement.as_ref().unwrap_err();
    insta::assert_snapshot!(error, @"client 3 cannot connect: sorry, too many clients already");
    assert_eq!(error.failure().unwrap().sqlstate.as_deref(), Some("53300"));
    assert!((0..4).all(|client| outcome.sent_by(client).is_empty()));
}

#[test]
fn a_stop_keeps_what_was_measured_and_does_not_wait_for_slow_operations() {
    let stop = CancellationToken::new();
    let inner = stop.clone();
    let script = move |client, operation: &Operation| {
        if operation.number == 2 * 100 {
            inner.cancel();
        }
        let stuck = client == 1 && operation.number == 51;
        (if stuck { Duration::from_secs(600) } else { 10 * MS }, Ok(()))
    };
    let load = load(2, 1, 100 * MS, 60_000 * MS);
    let outcome = run_paused(&load, 1, None, stop, script);
    let measurement = outcome.measurement();
    assert_eq!(measurement.ended, Ended::Stopped);
    // Client 0: 101 operations; client 1: 25 and the stuck one.
    assert_eq!(measurement.total.operations, 127);
    assert_eq!(measurement.total.errors["timeout"].0, 1);
    assert_eq!(outcome.deeds.last(), Some(&(1, Deed::Cancelled)));
    // 1 s of the window had passed when stopped by a signal.
    assert!(outcome.took < 2200 * MS, "{:?}", outcome.took);
    assert!(measurement.measured >= 1000 * MS);
}

#[test]
fn a_stop_before_the_window_gives_an_empty_measurement() {
    let stop = CancellationToken::new();
    stop.cancel();
    let outcome = run_paused(&load(2, 1, 100 * MS, 1000 * MS), 1, None, stop, |_, _| (MS, Ok(())));
    let measurement = outcome.measurement();
    assert_eq!((measurement.ended.clone(), measurement.measured), (Ended::Stopped, Duration::ZERO));
    assert_eq!((measurement.total.operations, measurement.slices.len()), (0, 0));
}

#[test]
fn a_target_that_never_waits_cannot_keep_the_run_from_ending() {
    struct Instantly;
    struct Session0;
    impl Target for Instantly {
        type Session = Session0;
        async fn connect(&self, _: u32) -> Result<Session0, Failure> {
            Ok(Session0)
        }
    }
    impl Session for Session0 {
        async fn acquire(&mut self) -> Result<(), Failure> {
            Ok(())
        }

        async fn execute(&mut self, _: &Operation, _: &mut Steps) -> Result<(), Failure> {
            Err(failure(FailureKind::Operation, Some("42P01"), "relation \"nowhere\" does not exist"))
        }
        fn cancellation(&self) -> LocalBoxFuture<'static, ()> {
            async {}.boxed_local()
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let load = load(3, 2, 10 * MS, 100 * MS);
    let observer = Arc::new(Watch::default());
    let measurement =
        runtime.block_on(run(Arc::new(Instantly), &load, workload(1), observer, CancellationToken::new())).unwrap();
    assert_eq!(measurement.ended, Ended::Completed);
    assert_eq!(measurement.total.operations, measurement.total.error_count());
    assert!(measurement.total.operations > 100 && measurement.total.response.is_empty());
}

#[test]
fn the_same_seed_sends_the_same_with_any_number_of_threads() {
    let by_threads = |threads| {
        let deeds = Arc::new(Mutex::new(Vec::new()));
        let script = |_: u32, _: &Operation| -> Answer { (MS, Ok(())) };
        let target =
            Arc::new(Handle(Arc::new(Scripted { script, refused: None, plans: false, deeds: Arc::clone(&deeds) })));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let load = load(8, threads, 50 * MS, 300 * MS);
        let observer = Arc::new(Watch::default());
        runtime.block_on(run(target, &load, workload(3), observer, CancellationToken::new())).unwrap();
        let deeds = deeds.lock().unwrap();
        (0..8)
            .map(|client| {
                let measured = sent_by(&deeds, client).into_iter().filter(|operation| !is_warm_up(operation));
                measured.cloned().collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    };
    let (one, eight) = (by_threads(1), by_threads(8));
    for (client, (one, eight)) in one.iter().zip(&eight).enumerate() {
        let common = one.len().min(eight.len());
        assert!(common > 20, "client {client} sent {common} operations");
        assert_eq!(one[..common], eight[..common]);
        assert!(one.windows(2).any(|pair| pair[0].parameters != pair[1].parameters));
    }
    assert_ne!(one[0][0].parameters, Vec::<Value>::new());
}

#[test]
fn operations_belong_to_the_slice_in_which_they_end() {
    let script = |_, operation: &Operation| (if operation.number == 0 { 1500 * MS } else { 100 * MS }, Ok(()));
    let outcome = measure(&load(1, 1, 1000 * MS, 3500 * MS), script);
    let slices = &outcome.measurement().slices;
    let counts: Vec<u64> = slices.iter().map(|slice| slice.operations).collect();
    // Ends at 1.5 s and then every 0.1 s up to 3.5 s; an end at 2.0 s belongs to the slice that begins there.
    assert_eq!(counts, [0, 5, 10, 6]);
    assert_eq!(slices[3].length, 500 * MS);
    let mut sum = empty_histogram();
    for slice in slices {
        slice.response.add_to(&mut sum);
    }
    assert_eq!(sum, outcome.measurement().total.response);
}

#[test]
fn closed_load_obeys_littles_law() {
    let script = |client: u32, operation: &Operation| (MS * (5 + (client * 7 + operation.number as u32) % 23), Ok(()));
    let outcome = measure(&load(16, 4, 200 * MS, 10_000 * MS), script);
    let measurement = outcome.measurement();
    let throughput = measurement.total.operations as f64 / measurement.sending.as_secs_f64();
    let clients = throughput * measurement.total.response.mean() / 1e9;
    assert!((clients / 16.0 - 1.0).abs() < 0.01, "{clients}");
    let last = outcome.progress.last().unwrap();
    assert!(last.operations > 0 && last.p50_ns.is_some() && last.throughput_per_s > 0.0);
}

#[test]
fn figures_by_statement_add_up() {
    let load = load(4, 2, 100 * MS, 2000 * MS);
    let script = |_, operation: &Operation| (MS * (1 + operation.script as u32), Ok(()));
    let outcome = run_paused(&load, 3, None, CancellationToken::new(), script);
    let measurement = outcome.measurement();
    let sum: u64 = measurement.scripts.iter().map(|figures| figures.operations).sum();
    assert_eq!(sum, measurement.total.operations);
    for (index, figures) in measurement.scripts.iter().enumerate() {
        // Weights 1, 2, 3.
        let share = figures.operations as f64 / sum as f64;
        assert!((share - (index + 1) as f64 / 6.0).abs() < 0.03, "statement {index}: {share}");
        let response = figures.response.histogram();
        assert!(about(&response, response.min(), MS * (1 + index as u32)));
        assert!(about(&response, response.max(), MS * (1 + index as u32)));
    }
}
