//! Lost connections, retries, waits for connections, and loads that are given up.

use std::{cell::Cell, rc::Rc};

use super::*;

/// A target whose sessions may be lost and waited for.
struct Shaky<F> {
    /// By client, operation and number of the try.
    script: F,
    /// How long a session is waited for, where they are shared.
    wait: Option<Duration>,
    /// Attempts to connect again that fail, before one works.
    refusals: Mutex<u32>,
    connected: Mutex<u32>,
}

struct ShakySession<F> {
    target: Arc<Shaky<F>>,
    client: u32,
    tries: Rc<Cell<(u64, u32)>>,
}

struct ShakyHandle<F>(Arc<Shaky<F>>);

impl<F: Fn(u32, &Operation, u32) -> Answer + Send + Sync + 'static> Target for ShakyHandle<F> {
    type Session = ShakySession<F>;

    async fn connect(&self, client: u32) -> Result<Self::Session, Failure> {
        sleep(MS).await;
        let mut connected = self.0.connected.lock().unwrap();
        let mut refusals = self.0.refusals.lock().unwrap();
        if *connected >= 4 && *refusals > 0 {
            *refusals -= 1;
            return Err(failure(FailureKind::Connection, Some("57P03"), "the database system is starting up"));
        }
        *connected += 1;
        Ok(ShakySession { target: Arc::clone(&self.0), client, tries: Rc::default() })
    }

    fn shares(&self) -> bool {
        self.0.wait.is_some()
    }

    fn pool(&self) -> Option<PoolUse> {
        self.0.wait.map(|_| PoolUse { in_use: 3, idle: 1, waiting: 2 })
    }
}

impl<F: Fn(u32, &Operation, u32) -> Answer + Send + Sync + 'static> Session for ShakySession<F> {
    async fn acquire(&mut self) -> Result<(), Failure> {
        if let Some(wait) = self.target.wait {
            sleep(wait).await;
        }
        Ok(())
    }

    async fn execute(&mut self, operation: &Operation, _: &mut Steps) -> Result<(), Failure> {
        let (number, tries) = self.tries.get();
        let tries = if number == operation.number { tries + 1 } else { 1 };
        self.tries.set((operation.number, tries));
        let (time, outcome) = (self.target.script)(self.client, operation, tries);
        sleep(time).await;
        outcome
    }

    fn cancellation(&self) -> LocalBoxFuture<'static, ()> {
        async {}.boxed_local()
    }
}

fn measure_shaky(
    load: &Load,
    wait: Option<Duration>,
    refusals: u32,
    script: impl Fn(u32, &Operation, u32) -> Answer + Send + Sync + 'static,
) -> Measurement {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let refusals = Mutex::new(refusals);
    let target = Arc::new(ShakyHandle(Arc::new(Shaky { script, wait, refusals, connected: Mutex::new(0) })));
    let observer = Arc::new(Watch::default());
    let measuring = conduct(target, load, workload(1), observer, CancellationToken::new(), start_here);
    LocalSet::new().block_on(&runtime, measuring).unwrap()
}

#[test]
fn a_lost_connection_is_replaced_and_the_run_goes_on() {
    let script = |client: u32, operation: &Operation, _| {
        let outcome = match (client, operation.number) {
            (1, 101) => Err(failure(FailureKind::Connection, Some("57P01"), "terminating connection")),
            _ => Ok(()),
        };
        (10 * MS, outcome)
    };
    let measurement = measure_shaky(&load(4, 2, 100 * MS, 4000 * MS), None, 3, script);
    assert_eq!(measurement.ended, Ended::Completed);
    assert_eq!(measurement.total.errors["57P01"].0, 1);
    let losses = &measurement.connections;
    assert_eq!((losses.lost, losses.reconnected, losses.failed_attempts), (1, 1, 3));
    // Attempts of 1 ms at once and after 10, 20 and 40 ms.
    assert_eq!(losses.without, 74 * MS);
    assert_eq!(losses.sample.as_deref(), Some("terminating connection"));
    // The other three send 400 each, this one 7 less.
    assert!((1591..=1594).contains(&measurement.total.operations), "{}", measurement.total.operations);
    let connected: Vec<f64> = measurement.slices.iter().map(|slice| slice.connected_clients).collect();
    assert!((connected[0] - 3.926).abs() < 0.001 && connected[1..] == [4.0, 4.0, 4.0], "{connected:?}");
}

#[test]
fn a_connection_that_replaces_one_that_was_not_warm_yet_is_warmed_from_the_begin() {
    let is_lost = Mutex::new(false);
    let script = move |client: u32, operation: &Operation, _| {
        let third = client == 1 && operation.number == WARM_UP | (2 * 2 + 1);
        let outcome = match third && !std::mem::replace(&mut *is_lost.lock().unwrap(), true) {
            true => Err(failure(FailureKind::Connection, None, "the server closed the connection")),
            false => Ok(()),
        };
        (20 * MS, outcome)
    };
    let measurement = measure_shaky(&load(2, 1, 50 * MS, 1000 * MS), None, 0, script);
    let WarmUp { length, cold_clients } = measurement.warm_up;
    // Three executions, a connection of 1 ms, five executions.
    assert!(cold_clients == 0 && length >= 161 * MS && length < 220 * MS, "{length:?}");
    assert_eq!((measurement.connections.lost, measurement.total.error_count()), (0, 0));
}

#[test]
fn a_target_that_is_gone_is_given_up() {
    let script = |_, operation: &Operation, _| match is_warm_up(operation) {
        true => (10 * MS, Ok(())),
        false => (10 * MS, Err(failure(FailureKind::Connection, None, "the server closed the connection"))),
    };
    let measurement = measure_shaky(&load(4, 2, 100 * MS, 600_000 * MS), None, u32::MAX, script);
    assert_eq!(
        measurement.ended,
        Ended::Failed("no client has had a connection for 30 s; the server closed the connection".to_owned())
    );
    assert_eq!(measurement.total.operations, 4);
    assert!(measurement.measured < 31_000 * MS, "{:?}", measurement.measured);
}

#[test]
fn transient_failures_are_tried_again_and_the_response_has_all_tries() {
    let script = |_, operation: &Operation, tries| {
        let fails = !is_warm_up(operation) && operation.number.is_multiple_of(10) && tries <= 2;
        let outcome = match fails {
            true => Err(failure(FailureKind::Operation, Some("40P01"), "deadlock detected")),
            false => Ok(()),
        };
        (10 * MS, outcome)
    };
    let load = |retries| Load { retries, ..load(1, 1, 100 * MS, 1200 * MS) };
    let total = measure_shaky(&load(3), None, 0, script).total;
    assert_eq!((total.operations, total.retries, total.error_count()), (100, 20, 0));
    assert!(about(&total.response, total.response.max(), 30 * MS));
    assert!(about(&total.service, total.service.max(), 10 * MS));
    let total = measure_shaky(&load(1), None, 0, script).total;
    assert_eq!(total.errors["40P01"].0, total.retries);
    assert!(total.retries > 10);
}

#[test]
fn the_wait_for_a_connection_lies_in_the_response_and_outside_the_service() {
    let measurement = measure_shaky(&load(4, 2, 100 * MS, 2000 * MS), Some(30 * MS), 0, |_, _, _| (10 * MS, Ok(())));
    let total = &measurement.total;
    assert!(about(&total.response, total.response.max(), 40 * MS));
    assert!(about(&total.service, total.service.max(), 10 * MS));
    assert!(about(total.wait.as_ref().unwrap(), total.wait.as_ref().unwrap().min(), 30 * MS));
    assert_eq!(measurement.slices[0].pool, Some([3.0, 1.0, 2.0]));
}

#[test]
fn a_load_with_too_many_errors_is_given_up() {
    let script = |_, operation: &Operation, _| {
        let fails = !is_warm_up(operation) && operation.number.is_multiple_of(5);
        let outcome = if fails { Err(failure(FailureKind::Operation, Some("23505"), "duplicate key")) } else { Ok(()) };
        (MS, outcome)
    };
    let load = |error_limit| Load { error_limit, ..load(2, 1, 100 * MS, 60_000 * MS) };
    let measurement = measure_shaky(&load(0.1), None, 0, script);
    insta::assert_debug_snapshot!(measurement.ended, @r#"
    Failed(
        "20.1 % of the operations failed, and the error limit is 10 %",
    )
    "#);
    assert!(measurement.measured < 1000 * MS);
    assert_eq!(measure_shaky(&load(0.3), None, 0, script).ended, Ended::Completed);
}
