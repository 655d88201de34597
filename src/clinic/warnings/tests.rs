use super::*;
use crate::record::{
    ArrivalFigures, CheckpointActivity, ConnectionFigures, Latency, LoadStage, Phase, TableActivity, Totals,
    WarmUpFigures, sample,
};

fn ids(record: &Record) -> Vec<String> {
    warnings(record).into_iter().map(|warning| warning.id).collect()
}

fn message(record: &Record) -> String {
    let warnings = warnings(record);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(!warnings[0].advice.is_empty());
    format!("{}: {}", warnings[0].id, warnings[0].message)
}

fn slices(medians_ms: impl IntoIterator<Item = f64>) -> Vec<Slice> {
    let slice = |(second, ms): (usize, f64)| Slice {
        start_s: second as f64,
        length_s: 1.0,
        totals: Totals { operations: 1_000, throughput_per_s: 1_000.0, ..Totals::default() },
        latency_ms: Latency { p50: Some(ms), samples: 1_000, ..Latency::default() },
        ..Slice::default()
    };
    medians_ms.into_iter().enumerate().map(slice).collect()
}

/// 100 arrivals a second for 30 s at 8 clients, each served in 20 ms and sent on time: clients are busy for a quarter of it.
fn open() -> Record {
    let mut record = sample::record(Phase::Before);
    record.load.model = "open".into();
    record.load.rate = Some(100.0);
    record.totals = Totals { operations: 3_000, throughput_per_s: 100.0, ..Totals::default() };
    record.service_ms = sample::latency([20.0; 8], 3_000);
    record.lag_ms = sample::latency([0.01; 8], 3_000);
    record.arrivals = Some(ArrivalFigures {
        planned: 3_000,
        sent: 3_000,
        planned_rate_per_s: 100.0,
        achieved_rate_per_s: 100.0,
        max_lag_ms: Some(0.1),
    });
    record
}

fn counted(activity: ServerActivity) -> Record {
    Record { server_activity: Some(activity), ..sample::record(Phase::Before) }
}

#[test]
fn a_good_record_has_none() {
    let mut record = sample::record(Phase::Before);
    record.slices = slices([10.0; 30]);
    record.warm_up = Some(WarmUpFigures { length_s: 5.0, cold_clients: 0 });
    record.connections = Some(ConnectionFigures::default());
    record.server_activity = Some(ServerActivity {
        checkpoints: Some(CheckpointActivity { timed: Some(1), buffers_written: Some(0), ..Default::default() }),
        tables: Some(vec![TableActivity { autovacuums: Some(0), ..Default::default() }]),
        ..Default::default()
    });
    assert_eq!(warnings(&record), []);
    assert_eq!(warnings(&open()), []);
}

#[test]
fn an_interrupted_measurement_is_warned_of_and_interrupted_plans_are_not() {
    let mut record = sample::record(Phase::Before);
    record.interrupted = true;
    assert_eq!(warnings(&record), [], "the measurement itself is whole");
    record.measured_s = 12.34;
    assert_eq!(message(&record), "interrupted: the measurement ended after 12.3 s of 30.0 s");
}

#[test]
fn too_few_samples_cold_clients_and_errors() {
    let mut record = sample::record(Phase::Before);
    record.latency_ms.p99 = None;
    record.latency_ms.samples = 120;
    assert_eq!(message(&record), "too-few-samples: p99 needs 299 samples, and there are 120");

    let mut record = sample::record(Phase::Before);
    record.warm_up = Some(WarmUpFigures { length_s: 15.0, cold_clients: 3 });
    assert!(message(&record).starts_with("warm-up-too-short: 3 of 8 clients had not"));

    let mut record = sample::record(Phase::Before);
    record.totals.errors = record.totals.operations / 100;
    assert_eq!(warnings(&record), []);
    record.totals.errors += 2;
    assert_eq!(message(&record), "many-errors: 29 of 2716 operations failed");
}

#[test]
fn a_beginning_that_differs_means_that_the_warm_up_was_too_short() {
    let cold = |second: u32| if second < 3 { 25.0 } else { 10.0 };
    let mut record = sample::record(Phase::Before);
    record.slices = slices((0..31).map(cold));
    assert_eq!(
        message(&record),
        "warm-up-too-short: the first 3 s had a median response of 25.000 ms, the second half 10.000 ms"
    );

    record.load.stages = vec![LoadStage { duration_s: 30.0, from: 1.0, to: 8.0 }];
    assert_eq!(warnings(&record), [], "a ramp is meant to change");
}

#[test]
fn throughput_tells_it_in_a_closed_load_only() {
    let mut record = sample::record(Phase::Before);
    record.slices = slices([10.0; 31]);
    for slice in &mut record.slices[..3] {
        slice.totals.throughput_per_s = 400.0;
    }
    assert_eq!(
        message(&record),
        "warm-up-too-short: the first 3 s had a throughput of 400.000/s, the second half 1000.000/s"
    );
    let open = Record { slices: record.slices, ..open() };
    assert_eq!(warnings(&open), []);
}

#[test]
fn a_busy_client_was_the_bottleneck() {
    let mut record = sample::record(Phase::Before);
    record.client.cpu_share = 0.91;
    assert_eq!(
        message(&record),
        "client-was-the-bottleneck: latclinic's own threads were busy for 91 % of the measurement"
    );
}

#[test]
fn arrivals_that_are_late_though_clients_are_free_are_the_clients_fault() {
    let mut record = open();
    record.lag_ms.p50 = Some(5.0);
    assert_eq!(
        message(&record),
        "client-was-the-bottleneck: half of the arrivals were sent at least 5.0 ms late, although clients were busy for only 25 % of \
         the time"
    );
    record.lag_ms.p50 = Some(1.5);
    assert_eq!(warnings(&record), [], "less than a tenth of what the server takes");
}

#[test]
fn arrivals_that_wait_for_a_slow_server_are_not() {
    // The clients are busy all of the time.
    let mut record = open();
    record.service_ms = sample::latency([80.0; 8], 3_000);
    record.lag_ms = sample::latency([400.0; 8], 3_000);
    assert_eq!(warnings(&record), []);

    // A stall of 1 s in 10 s: a tenth of the arrivals lag by half of it on the mean, the median one does not.
    let mut record = open();
    record.lag_ms = Latency { mean: Some(50.0), p50: Some(0.02), p99: Some(900.0), ..record.lag_ms };
    assert_eq!(warnings(&record), []);

    // Their connections were gone, or others had them.
    let mut record = open();
    record.lag_ms = sample::latency([50.0; 8], 3_000);
    record.connections = Some(ConnectionFigures { without_s: 100.0, ..Default::default() });
    assert_eq!(warnings(&record), []);
    record.connections = None;
    record.wait_ms = Some(sample::latency([30.0; 8], 3_000));
    assert_eq!(warnings(&record), []);

    // A ramp whose end keeps all clients busy, though its mean does not.
    let mut record = open();
    record.lag_ms = sample::latency([50.0; 8], 3_000);
    record.load.rate = Some(200.0);
    assert_eq!(warnings(&record), []);
}

#[test]
fn arrivals_that_were_not_sent() {
    let mut record = open();
    record.arrivals.as_mut().unwrap().achieved_rate_per_s = 99.1;
    assert_eq!(warnings(&record), []);
    record.arrivals.as_mut().unwrap().achieved_rate_per_s = 98.9;
    assert_eq!(message(&record), "rate-not-achieved: only 98.9 of 100.0 planned operations per second were sent");

    record.totals.skipped = 33;
    record.load.latency_limit_s = Some(0.2);
    let warnings = warnings(&record);
    assert_eq!(
        warnings[1].message,
        "33 of 3000 arrivals were not sent, because they had waited longer than the latency limit of 200 ms"
    );
    assert_eq!(ids(&record), ["rate-not-achieved", "operations-skipped"]);
}

#[test]
fn lost_connections() {
    let mut record = sample::record(Phase::Before);
    record.connections = Some(ConnectionFigures {
        opened: Some(12),
        lost: 4,
        reconnected: 4,
        failed_attempts: 9,
        without_s: 3.21,
        sample: Some("terminating connection due to administrator command".into()),
    });
    assert_eq!(
        message(&record),
        "connections-lost: 4 connections were lost (terminating connection due to administrator command), 9 attempts to \
         reconnect failed, and clients were without a connection for 3.2 s in total"
    );
}

#[test]
fn a_checkpoint_inside_the_window() {
    let checkpoints = CheckpointActivity {
        timed: Some(1),
        requested: Some(0),
        write_ms: Some(12_340.0),
        sync_ms: Some(80.0),
        buffers_written: Some(4_000),
        ..Default::default()
    };
    let inside = |checkpoints| counted(ServerActivity { checkpoints: Some(checkpoints), ..Default::default() });
    assert_eq!(
        message(&inside(checkpoints.clone())),
        "checkpoint-inside: a checkpoint ran during the measurement: 1 began, 4000 buffers were written in 12.34 s, synced in 0.08 s"
    );
    let earlier = inside(CheckpointActivity { timed: Some(0), ..checkpoints });
    assert!(message(&earlier).contains("one that started earlier continued"));
}

#[test]
fn autovacuum_inside_the_window() {
    let table = |name: &str, autovacuums, autoanalyzes| TableActivity {
        name: name.into(),
        autovacuums: Some(autovacuums),
        autoanalyzes: Some(autoanalyzes),
        ..Default::default()
    };
    let tables = vec![table("a", 1, 0), table("b", 0, 0), table("c", 1, 2), table("d", 0, 1)];
    let record = counted(ServerActivity { tables: Some(tables), ..Default::default() });
    assert_eq!(
        message(&record),
        "autovacuum-inside: autovacuum finished during the measurement: vacuum of a, vacuum and analyze of c, analyze of d"
    );
}
