//! What arithmetic says an engine has to measure.

use latclinic::scenario::{self, Connections, LoadModel, Pool, Recycling, Sharing};

use super::*;

fn open(rate: f64, clients: u32, duration: Duration) -> Load {
    let model = LoadModel::Open { rate, arrivals: scenario::Arrivals::Constant, latency_limit: None };
    Load { model, ..load(clients, duration) }
}

/// Calls back once, this long after the measured window has begun.
struct After<F>(Duration, F, std::sync::Once);

impl<F: Fn() + Send + Sync> Observer for After<F> {
    fn progress(&self, progress: &Progress) {
        if progress.stage == Stage::Measuring && progress.elapsed > self.0 {
            self.2.call_once(&self.1);
        }
    }
}

/// A server that stalls for S of D seconds under a steady open load delays a share S/D of the requests, evenly from 0 to S.
#[tokio::test]
async fn a_server_that_stalls_for_a_second_of_ten() {
    let server = OwnServer::start();
    let client = server.connector().connect_unprotected("test").await.unwrap();
    client
        .batch_execute("CREATE SCHEMA latclinic_probe; CREATE TABLE latclinic_probe.locked AS SELECT 1 AS id")
        .await
        .unwrap();
    let stall =
        once(&server, "BEGIN; LOCK TABLE latclinic_probe.locked IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1); COMMIT");
    let probe = scenario("SELECT id FROM locked", vec![]);
    let facts = facts(&server, &probe).await;
    let workload = Arc::new(Workload::new(&probe, &facts, 1).unwrap());
    let target = Arc::new(PgTarget::new(server.connector(), &probe, &facts, &probe.load.connections));
    let observer = Arc::new(After(4 * SECOND, stall, std::sync::Once::new()));
    let clients = 8;
    let load = open(200.0, clients, 10 * SECOND);
    let measurement = engine::run(target, &load, workload, observer, CancellationToken::new()).await.unwrap();

    let total = &measurement.total;
    assert_eq!((total.operations, total.error_count()), (2000, 0));
    let seconds = |quantile| total.response.value_at_quantile(quantile) as f64 / 1e9;
    assert!((seconds(0.95) - 0.5).abs() < 0.06, "p95 {}", seconds(0.95));
    assert!((seconds(0.99) - 0.9).abs() < 0.06, "p99 {}", seconds(0.99));
    assert!(seconds(0.85) < 0.05, "p85 {}", seconds(0.85));
    // Only the operations that were in flight hung; the others waited for a client.
    let slow = total.service.iter_recorded().filter(|step| step.value_iterated_to() > 200_000_000);
    let slow: u64 = slow.map(|step| step.count_since_last_iteration()).sum();
    assert!((1..=u64::from(clients)).contains(&slow), "{slow}");
    assert!(total.lag.value_at_quantile(0.99) > 800_000_000);
}

#[tokio::test]
async fn clients_of_a_closed_ramp_follow_the_stages() {
    let server = OwnServer::start();
    let stage = |from, to| scenario::Stage { duration: 2 * SECOND, from, to };
    let stages = vec![stage(2.0, 2.0), stage(2.0, 10.0), stage(10.0, 10.0)];
    let load = Load { stages, ..load(10, 6 * SECOND) };
    let measurement = complete(&server, "SELECT pg_sleep(0.02)", vec![], &load).await;
    let active: Vec<f64> = measurement.slices.iter().map(|slice| slice.active_clients).collect();
    for (active_clients, expected) in active.iter().zip([2.0, 2.0, 4.0, 8.0, 10.0, 10.0]) {
        assert!((active_clients - expected).abs() < 0.6, "{active:?}");
    }
    // Each second has as many operations as its clients can have done (Little's law), however long a busy machine made one.
    for slice in &measurement.slices {
        let expected = slice.active_clients / (slice.response.histogram().mean() / 1e9);
        assert!((slice.operations as f64 / expected - 1.0).abs() < 0.1, "{slice:?}");
    }
    assert_eq!(measurement.stages.len(), 3);
    let sum: u64 = measurement.stages.iter().map(|stage| stage.figures.operations).sum();
    assert_eq!(sum, measurement.total.operations);
}

/// 4 connections serve 4 operations in the time of one, 50 ms and what a busy machine adds; each of 16 clients waits for three turns of the
/// others.
#[tokio::test]
async fn a_pool_of_a_quarter_of_the_clients() {
    let server = OwnServer::start();
    let pool = Pool { size: 4, wait_timeout: None, recycling: Recycling::Fast };
    let mut probe = scenario("SELECT pg_sleep(0.05)", vec![]);
    probe.load.connections = Connections { sharing: Sharing::Pool(pool), ..Connections::default() };
    let measurement = measure(&server, &probe, &load(16, 5 * SECOND), CancellationToken::new(), || {}).await.unwrap();
    let total = &measurement.total;
    assert_eq!(total.error_count(), 0, "{:?}", total.errors);
    let throughput = total.operations as f64 / measurement.sending.as_secs_f64();
    let turn = total.service.mean() / 1e9;
    assert!(turn >= 0.05 && (throughput * turn / 4.0 - 1.0).abs() < 0.05, "{throughput}/s of {turn} s");
    let wait = total.wait.as_ref().unwrap();
    assert!((wait.mean() / 1e9 / (3.0 * turn) - 1.0).abs() < 0.05, "{} ns, turns of {turn} s", wait.mean());
    assert_eq!(wait.len(), total.operations);
    for slice in &measurement.slices[1..4] {
        let [in_use, idle, waiting] = slice.pool.unwrap();
        assert!(in_use + idle <= 4.0 && in_use > 3.0 && waiting > 8.0, "{slice:?}");
    }
}

#[tokio::test]
async fn an_open_load_keeps_its_rate() {
    let server = OwnServer::start();
    let measurement = complete(&server, "SELECT 1", vec![], &open(500.0, 8, 4 * SECOND)).await;
    let arrivals = measurement.arrivals.unwrap();
    assert_eq!((arrivals.planned, arrivals.sent), (2000, 2000));
    assert_eq!(measurement.total.operations, 2000);
    assert!(measurement.sending <= 4 * SECOND + SECOND / 2, "{:?}", measurement.sending);
}
