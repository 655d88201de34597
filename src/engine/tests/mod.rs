//! The engine against a scripted target on a clock that only timers move, so that every figure is exact.

mod closed;
mod enough;
mod losses;
mod open;
mod sums;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use hdrhistogram::Histogram;
use tokio::{
    task::{LocalSet, spawn_local},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    course::Clock,
    run::conduct,
    worker::{Farewell, Worker},
    *,
};
use crate::{
    draw::ColumnType,
    load::{Load, Operation, ParameterFacts, StatementFacts, WARM_UP, Workload},
    scenario::{
        Classes, Dataset, Fix, Generator, LoadDefaults, Origin, ParameterSource, Results, Scenario, Script,
        SqlStatement, SqlText, Statement, Value,
    },
};

const MS: Duration = Duration::from_millis(1);

/// How an operation goes: how long it takes and how it ends.
type Answer = (Duration, Result<(), Failure>);

/// What a client did, in its own order.
#[derive(Debug, Clone, PartialEq)]
enum Deed {
    Connected,
    Sent(Operation),
    Planned(Operation),
    Cancelled,
}

/// A target that follows a script.
struct Scripted<F> {
    script: F,
    refused: Option<u32>,
    /// Whether its sessions can plan without executing.
    plans: bool,
    deeds: Arc<Mutex<Vec<(u32, Deed)>>>,
}

struct ScriptedSession<F> {
    client: u32,
    target: Arc<Scripted<F>>,
}

/// The session needs its target, which the trait hands out by reference only.
struct Handle<F>(Arc<Scripted<F>>);

impl<F: Fn(u32, &Operation) -> Answer + Send + Sync + 'static> Target for Handle<F> {
    type Session = ScriptedSession<F>;

    async fn connect(&self, client: u32) -> Result<Self::Session, Failure> {
        sleep(3 * MS).await;
        if self.0.refused == Some(client) {
            return Err(failure(FailureKind::Connection, Some("53300"), "sorry, too many clients already"));
        }
        self.0.note(client, Deed::Connected);
        Ok(ScriptedSession { client, target: Arc::clone(&self.0) })
    }
}

impl<F> Scripted<F> {
    fn note(&self, client: u32, deed: Deed) {
        self.deeds.lock().unwrap().push((client, deed));
    }
}

impl<F: Fn(u32, &Operation) -> Answer + Send + Sync + 'static> Session for ScriptedSession<F> {
    async fn acquire(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn execute(&mut self, operation: &Operation, _: &mut Steps) -> Result<(), Failure> {
        self.target.note(self.client, Deed::Sent(operation.clone()));
        let (time, outcome) = (self.target.script)(self.client, operation);
        sleep(time).await;
        outcome
    }

    async fn plan(&mut self, operation: &Operation) -> Result<bool, Failure> {
        if self.target.plans {
            self.target.note(self.client, Deed::Planned(operation.clone()));
        }
        Ok(self.target.plans)
    }

    fn cancellation(&self) -> LocalBoxFuture<'static, ()> {
        let (target, client) = (Arc::clone(&self.target), self.client);
        async move { target.note(client, Deed::Cancelled) }.boxed_local()
    }
}

/// Remembers the stages it was told of.
#[derive(Default)]
struct Watch(Mutex<Vec<Progress>>, Mutex<Option<Instant>>);

impl Observer for Watch {
    fn progress(&self, progress: &Progress) {
        self.0.lock().unwrap().push(progress.clone());
    }

    fn window_begins(&self) {
        *self.1.lock().unwrap() = Some(Instant::now());
    }
}

/// What came of a run on the paused clock.
struct Outcome {
    measurement: Result<Measurement, Error>,
    deeds: Vec<(u32, Deed)>,
    progress: Vec<Progress>,
    took: Duration,
    /// When the observer heard that the window begins, from the begin of the run.
    noticed: Option<Duration>,
}

impl Outcome {
    fn measurement(&self) -> &Measurement {
        self.measurement.as_ref().unwrap()
    }

    fn sent_by(&self, client: u32) -> Vec<&Operation> {
        sent_by(&self.deeds, client)
    }
}

fn sent_by(deeds: &[(u32, Deed)], client: u32) -> Vec<&Operation> {
    let own = deeds.iter().filter(|(by, _)| *by == client);
    own.filter_map(|(_, deed)| if let Deed::Sent(operation) = deed { Some(operation) } else { None }).collect()
}

fn failure(kind: FailureKind, sqlstate: Option<&str>, message: &str) -> Failure {
    Failure { kind, sqlstate: sqlstate.map(str::to_owned), message: message.to_owned() }
}

fn load(clients: u32, threads: u32, warmup: Duration, duration: Duration) -> Load {
    let grace = Duration::from_secs(5);
    Load { grace, ..Load::new(&LoadDefaults::closed(clients, warmup, duration, 42), threads) }
}

fn statement(name: &str) -> Statement {
    let text = "SELECT $1".to_owned();
    let sql = SqlText { source: name.to_owned(), statements: vec![SqlStatement { text: text.clone(), line: 1 }], text };
    let parameter = ParameterSource::Generator(Generator::Zipf { min: 1, max: 10_000, exponent: 1.0 });
    Statement { name: name.to_owned(), sql, parameters: vec![parameter.into()], classes: Classes::default() }
}

/// Each of the statements is a script.
fn workload(statements: usize) -> Arc<Workload> {
    let script = |index| Script::of_statement(&format!("s{index}"), 1.0 + index as f64, index);
    workload_of(statements, (0..statements).map(script).collect())
}

fn workload_of(statements: usize, scripts: Vec<Script>) -> Arc<Workload> {
    let sql = SqlText { source: String::new(), text: String::new(), statements: Vec::new() };
    let scenario = Scenario {
        id: "scripted".to_owned(),
        title: String::new(),
        description: String::new(),
        origin: Origin::Bundled,
        dataset: Dataset { seed: 1, schema: sql.clone(), tables: Vec::new() },
        statements: (0..statements).map(|index| statement(&format!("s{index}"))).collect(),
        scripts,
        load: LoadDefaults::closed(1, MS, MS, 42),
        fix: Fix { title: String::new(), up: sql.clone(), down: sql, lock_timeout: MS, rewrites: Vec::new() },
        thresholds: Vec::new(),
        results: Results::default(),
        gates: Vec::new(),
        rows_asked: None,
    };
    let facts = ParameterFacts { column_type: ColumnType::Int8, sql_type: String::new(), fetched: Vec::new() };
    Arc::new(
        Workload::new(
            &scenario,
            &vec![StatementFacts { parameters: vec![facts], results_as_text: false }; statements],
            42,
        )
        .unwrap(),
    )
}

/// Starts a worker on the calling thread's runtime and by its clock.
fn start_here<T: Target>(mut worker: Worker<T>) -> Result<(), Error> {
    worker.clock = Clock::Runtime;
    let farewell = Farewell(worker.reports.clone());
    spawn_local(async move {
        worker.run().await;
        drop(farewell);
    });
    Ok(())
}

/// Runs on one runtime whose clock moves only when all are waiting.
fn run_paused(
    load: &Load,
    statements: usize,
    refused: Option<u32>,
    stop: CancellationToken,
    script: impl Fn(u32, &Operation) -> Answer + Send + Sync + 'static,
) -> Outcome {
    drive(load, statements, stop, Scripted { script, refused, plans: false, deeds: Arc::default() })
}

fn drive(
    load: &Load,
    statements: usize,
    stop: CancellationToken,
    scripted: Scripted<impl Fn(u32, &Operation) -> Answer + Send + Sync + 'static>,
) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let deeds = Arc::clone(&scripted.deeds);
    let target = Arc::new(Handle(Arc::new(scripted)));
    let watch = Arc::new(Watch::default());
    let observer: Arc<dyn Observer> = watch.clone();
    let (measurement, took, begin) = LocalSet::new().block_on(&runtime, async {
        let begin = Instant::now();
        let measurement = conduct(target, load, workload(statements), observer, stop, start_here).await;
        (measurement, begin.elapsed(), begin)
    });
    let deeds = deeds.lock().unwrap().clone();
    let progress = watch.0.lock().unwrap().clone();
    let noticed = watch.1.lock().unwrap().map(|moment| moment - begin);
    Outcome { measurement, deeds, progress, took, noticed }
}

fn measure(load: &Load, script: impl Fn(u32, &Operation) -> Answer + Send + Sync + 'static) -> Outcome {
    run_paused(load, 1, None, CancellationToken::new(), script)
}

fn is_warm_up(operation: &Operation) -> bool {
    operation.number & WARM_UP != 0
}

fn about(histogram: &Histogram<u64>, value: u64, expected: Duration) -> bool {
    histogram.equivalent(value, expected.as_nanos() as u64)
}
