//! What an operation costs the engine itself: the choice of the statement, its parameter, two clock readings at most, the client's
//! turn, histograms and the hand-over of the slices. The target answers at once, so that nothing else is in the figure.
//!
//!     cargo bench --bench bookkeeping

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figure and ends when it cannot go on"
)]

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use latclinic::{
    draw::ColumnType,
    engine::{self, Failure, Observer, Progress, Session, Steps, Target},
    load::{Load, Operation, ParameterFacts, StatementFacts, Workload},
    scenario::{
        self, Classes, Dataset, Fix, Generator, LoadDefaults, LoadModel, Origin, Parameter, ParameterSource, Results,
        Scenario, Script, SqlText, Statement,
    },
};
use tokio_util::sync::CancellationToken;

const RUNS: usize = 7;

struct Instantly;

impl Target for Instantly {
    type Session = Instantly;

    async fn connect(&self, _: u32) -> Result<Self, Failure> {
        Ok(Self)
    }
}

impl Session for Instantly {
    async fn acquire(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn execute(&mut self, operation: &Operation, _: &mut Steps) -> Result<(), Failure> {
        std::hint::black_box(operation);
        Ok(())
    }

    fn cancellation(&self) -> LocalBoxFuture<'static, ()> {
        async {}.boxed_local()
    }
}

struct Nobody;

impl Observer for Nobody {
    fn progress(&self, _: &Progress) {}
}

fn workload(generator: Option<Generator>) -> Arc<Workload> {
    let sql = SqlText { source: String::new(), text: String::new(), statements: Vec::new() };
    let parameters: Vec<Parameter> =
        generator.map(|generator| ParameterSource::Generator(generator).into()).into_iter().collect();
    let fact = ParameterFacts { column_type: ColumnType::Int8, sql_type: String::new(), fetched: Vec::new() };
    let facts = StatementFacts { parameters: vec![fact; parameters.len()], results_as_text: false };
    let name = "nothing".to_owned();
    let statement = Statement { name: name.clone(), sql: sql.clone(), parameters, classes: Classes::default() };
    let second = Duration::from_secs(1);
    let scenario = Scenario {
        id: "bookkeeping".to_owned(),
        title: String::new(),
        description: String::new(),
        origin: Origin::Bundled,
        dataset: Dataset { seed: 1, schema: sql.clone(), tables: Vec::new() },
        statements: vec![statement],
        scripts: vec![Script::of_statement(&name, 1.0, 0)],
        load: LoadDefaults::closed(8, second, second, 1),
        fix: Fix { title: String::new(), up: sql.clone(), down: sql, lock_timeout: second, rewrites: Vec::new() },
        thresholds: Vec::new(),
        results: Results::default(),
        gates: Vec::new(),
        rows_asked: None,
    };
    Arc::new(Workload::new(&scenario, &[facts], 1).unwrap())
}

/// Median nanoseconds of processor time an operation.
fn measure(load: &Load, workload: &Arc<Workload>) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut costs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let (target, observer) = (Arc::new(Instantly), Arc::new(Nobody));
            let run = engine::run(target, load, Arc::clone(workload), observer, CancellationToken::new());
            let measurement = runtime.block_on(run).unwrap();
            measurement.client_cpu.as_nanos() as f64 / measurement.total.operations as f64
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    costs[RUNS / 2]
}

fn main() {
    let closed = Load::new(&LoadDefaults::closed(8, Duration::from_millis(100), Duration::from_secs(1), 1), 1);
    // More than can be sent, so that clients are never idle.
    let model = LoadModel::Open { rate: 10e6, arrivals: scenario::Arrivals::Constant, latency_limit: None };
    let open = Load { model, grace: Duration::ZERO, ..closed.clone() };
    let zipf = Generator::Zipf { min: 1, max: 10_000, exponent: 1.0 };
    println!("nanoseconds of processor time an operation, median of {RUNS} runs of 1 s on one thread");
    println!("  closed load, no parameters        {:>5.0}", measure(&closed, &workload(None)));
    println!("  closed load, one Zipf parameter   {:>5.0}", measure(&closed, &workload(Some(zipf))));
    println!("  open load, no parameters          {:>5.0}", measure(&open, &workload(None)));
}
