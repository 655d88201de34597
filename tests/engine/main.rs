//! The load engine against a real PostgreSQL: known answers, and what goes wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod known_answers;
#[path = "../own_server/mod.rs"]
mod own_server;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use latclinic::{
    engine::{self, Ended, Measurement, Observer, Progress, Stage},
    load::{Load, StatementFacts, Workload},
    pg::{PgTarget, describe},
    scenario::{
        Classes, Dataset, Fix, Generator, JsonTemplate, LoadDefaults, Origin, Parameter, ParameterSource, Results,
        Scenario, Script, SqlStatement, SqlText, Statement, TextKind, UuidVersion, Value,
    },
};
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);

/// Calls back when the measured window has begun.
struct WhenMeasuring<F>(F);

impl<F: Fn() + Send + Sync> Observer for WhenMeasuring<F> {
    fn progress(&self, progress: &Progress) {
        if progress.stage == Stage::Measuring && progress.elapsed > SECOND / 2 {
            (self.0)();
        }
    }
}

/// Runs `sql` on a connection of its own, the first time it is called.
fn once(server: &OwnServer, sql: &'static str) -> impl Fn() + Send + Sync + 'static {
    let (runtime, connector) = (tokio::runtime::Handle::current(), server.connector());
    let begun = std::sync::Once::new();
    move || {
        begun.call_once(|| {
            let connector = connector.clone();
            runtime.spawn(async move {
                let client = connector.connect_unprotected("test").await.unwrap();
                // It may be the one that is struck.
                let _ = client.batch_execute(sql).await;
            });
        });
    }
}

fn text(source: &str, text: &str) -> SqlText {
    let statements = vec![SqlStatement { text: text.trim().to_owned(), line: 1 }];
    SqlText { source: source.to_owned(), text: text.to_owned(), statements }
}

fn scenario(sql: &str, parameters: Vec<ParameterSource>) -> Scenario {
    let statement = Statement {
        name: "probe".to_owned(),
        sql: text("probe.toml: statements.probe.sql", sql),
        parameters: parameters.into_iter().map(Parameter::from).collect(),
        classes: Classes::default(),
    };
    Scenario {
        id: "probe".to_owned(),
        title: String::new(),
        description: String::new(),
        origin: Origin::Bundled,
        dataset: Dataset { seed: 1, schema: text("schema.sql", ""), tables: Vec::new() },
        statements: vec![statement],
        scripts: vec![Script::of_statement("probe", 1.0, 0)],
        load: LoadDefaults::closed(1, SECOND, SECOND, 1),
        fix: Fix {
            title: String::new(),
            up: text("up.sql", ""),
            down: text("down.sql", ""),
            lock_timeout: SECOND,
            rewrites: Vec::new(),
        },
        thresholds: Vec::new(),
        results: Results::default(),
        gates: Vec::new(),
        rows_asked: None,
    }
}

fn load(clients: u32, duration: Duration) -> Load {
    Load::new(&LoadDefaults::closed(clients, SECOND / 5, duration, 1), 2)
}

async fn facts(server: &OwnServer, scenario: &Scenario) -> Vec<StatementFacts> {
    describe(&server.connector(), scenario).await.unwrap()
}

async fn measure(
    server: &OwnServer,
    scenario: &Scenario,
    load: &Load,
    stop: CancellationToken,
    when_measuring: impl Fn() + Send + Sync + 'static,
) -> Result<Measurement, engine::Error> {
    let facts = facts(server, scenario).await;
    let workload = Arc::new(Workload::new(scenario, &facts, 1).unwrap());
    let target = Arc::new(PgTarget::new(server.connector(), scenario, &facts, &scenario.load.connections));
    engine::run(target, load, workload, Arc::new(WhenMeasuring(when_measuring)), stop).await
}

async fn complete(server: &OwnServer, sql: &str, parameters: Vec<ParameterSource>, load: &Load) -> Measurement {
    let scenario = scenario(sql, parameters);
    measure(server, &scenario, load, CancellationToken::new(), || {}).await.unwrap()
}

#[tokio::test]
async fn known_answers() {
    let server = OwnServer::start();
    let round_trip = complete(&server, "SELECT 1", vec![], &load(1, SECOND)).await.total.service;
    let slept = complete(&server, "SELECT pg_sleep(0.01)", vec![], &load(4, 3 * SECOND)).await;
    let service = &slept.total.service;
    assert!(service.min() >= 10_000_000, "{}", service.min());
    // Beside the round trip, a sleeping backend is woken by a timer of the machine's.
    let slack = round_trip.value_at_quantile(0.99) + 2_000_000;
    let median = service.value_at_quantile(0.5);
    assert!(median < 10_000_000 + slack, "{median} ns with a round trip of {} ns", round_trip.value_at_quantile(0.5));
    assert_eq!((slept.ended, slept.slices.len()), (Ended::Completed, 3));

    for (clients, sql) in [(8, "SELECT pg_sleep(0.003)"), (8, "SELECT 1"), (1, "SELECT 1")] {
        let measurement = complete(&server, sql, vec![], &load(clients, 2 * SECOND)).await;
        let throughput = measurement.total.operations as f64 / measurement.sending.as_secs_f64();
        let by_little = throughput * measurement.total.response.mean() / 1e9;
        assert!((by_little / f64::from(clients) - 1.0).abs() < 0.02, "{sql}: {by_little} of {clients} clients");
    }
}

#[tokio::test]
async fn parameters_of_every_type_arrive_as_they_were_drawn() {
    let server = OwnServer::start();
    let client = server.connector().connect_unprotected("test").await.unwrap();
    client
        .batch_execute(
            "CREATE SCHEMA latclinic_probe;
             CREATE TABLE latclinic_probe.arrived (a int8, b text, c timestamptz, d uuid, e jsonb, f numeric, g bool, h inet,
                                                   i bytea, j int4[], k int2, l date, m varchar(10), n float8);
             CREATE TABLE latclinic_probe.ids AS SELECT 10 * id AS id FROM generate_series(1, 5) AS id",
        )
        .await
        .unwrap();
    let generators = [
        Generator::Zipf { min: 1, max: 1000, exponent: 1.0 },
        Generator::Text { min_length: 1, max_length: 20, kind: TextKind::Words },
        Generator::Timestamp { from: 0, to: 1_700_000_000_000_000, order: latclinic::scenario::RowOrder::Random },
        Generator::Uuid(UuidVersion::V4),
        Generator::Json(JsonTemplate::Array(vec![JsonTemplate::Literal(Value::Int(1))])),
        Generator::Uniform { min: 0.0, max: 99.99, decimals: 2 },
        Generator::Boolean { true_share: 0.5 },
        Generator::Inet { network: [10, 0, 0, 0].into(), prefix: 8 },
        Generator::Bytes { min_length: 0, max_length: 10 },
        Generator::Array {
            element: Box::new(Generator::Uniform { min: 1.0, max: 9.0, decimals: 0 }),
            min_length: 0,
            max_length: 3,
        },
        Generator::Uniform { min: -5.0, max: 5.0, decimals: 0 },
        Generator::Timestamp { from: 0, to: 1_700_000_000_000_000, order: latclinic::scenario::RowOrder::Random },
        Generator::Constant(Value::Null),
    ];
    let mut parameters: Vec<_> = generators.map(ParameterSource::Generator).into();
    parameters.push(ParameterSource::Query {
        sql: text("ids.sql", "SELECT id / 4.0, 'ignored' FROM ids ORDER BY id"),
        shares: None,
    });
    let sql = "INSERT INTO arrived VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let measurement = complete(&server, sql, parameters.clone(), &load(2, SECOND)).await;
    assert!(measurement.total.errors.is_empty(), "{:?}", measurement.total.errors);
    assert!(measurement.total.operations > 0);
    let drawn = "SELECT count(*) FROM latclinic_probe.arrived
                 WHERE a BETWEEN 1 AND 1000 AND length(b) BETWEEN 1 AND 20 AND c < '2023-11-15' AND e = '[1]'
                       AND f <= 99.99 AND h << '10.0.0.0/8' AND length(i) <= 10 AND 10 > ALL (j) AND k BETWEEN -5 AND 5
                       AND l >= '1970-01-01' AND m IS NULL AND n IN (2.5, 5, 7.5, 10, 12.5)";
    let counts = format!("SELECT (SELECT count(*) FROM latclinic_probe.arrived), ({drawn})");
    let row = client.query_one(&counts, &[]).await.unwrap();
    let (all, right): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(all, right);
    assert!(all as u64 >= measurement.total.operations);
    let classes =
        Workload::new(&scenario(sql, parameters.clone()), &facts(&server, &scenario(sql, parameters)).await, 1);
    assert_eq!(classes.unwrap().classes(0).unwrap().absent[13], Value::Float(25.0));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_with_its_place() {
    let server = OwnServer::start();
    let zipf = || ParameterSource::Generator(Generator::Zipf { min: 1, max: 9, exponent: 1.0 });
    let query = |sql| ParameterSource::Query { sql: text("ids.sql", sql), shares: None };
    let mut refusals = Vec::new();
    for (sql, parameters) in [
        ("SELECT 1\n  FROM nowhere", vec![]),
        ("SELEC 1", vec![]),
        ("SELECT $1::int + $2::int", vec![zipf()]),
        ("SELECT record_out($1)", vec![zipf()]),
        ("SELECT $1::int", vec![query("SELECT oid FROM nowhere")]),
        ("SELECT $1::int", vec![query("SELECT 1 WHERE false")]),
        ("SELECT $1::int", vec![query("SELECT 'x'::text")]),
    ] {
        refusals.push(describe(&server.connector(), &scenario(sql, parameters)).await.unwrap_err().to_string());
    }
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    probe.toml: statements.probe.sql:2:8: statement probe does not prepare: relation "nowhere" does not exist (SQLSTATE 42P01)
    probe.toml: statements.probe.sql:1:1: statement probe does not prepare: syntax error at or near "SELEC" (SQLSTATE 42601)
    probe.toml: statements.probe.sql: statement probe takes 2 parameters, the scenario gives 1
    probe.toml: statements.probe.sql: statement probe: no values can be made for parameter $1 of type record
    ids.sql:1:17: the query for parameter $1 of statement probe fails: relation "nowhere" does not exist (SQLSTATE 42P01)
    ids.sql: the query for parameter $1 of statement probe returns no rows
    ids.sql: the query for parameter $1 of statement probe: 'x' is not a valid integer: write a whole number from -2147483648 to 2147483647
    "#);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_slow_queries_and_cancels_them() {
    let server = OwnServer::start();
    let client = server.connector().connect_unprotected("test").await.unwrap();
    let active = async |expected: i64| {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND application_name = 'latclinic load'";
        while client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) != expected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let scenario = scenario("SELECT pg_sleep(600)", vec![]);
    let stop = CancellationToken::new();
    let load = load(4, SECOND);
    let stopping = async {
        active(4).await;
        stop.cancel();
        Instant::now()
    };
    let (measurement, stopped_at) = tokio::join!(measure(&server, &scenario, &load, stop.clone(), || {}), stopping);
    assert!(stopped_at.elapsed() < SECOND, "{:?}", stopped_at.elapsed());
    assert_eq!(measurement.unwrap().ended, Ended::Stopped);
    active(0).await;
}

#[tokio::test]
async fn errors_are_counted_and_lost_connections_replaced() {
    let server = OwnServer::start();
    let client = server.connector().connect_unprotected("test").await.unwrap();

    let failing = complete(&server, "SELECT 1 / (random() * 2)::int", vec![], &load(2, SECOND)).await;
    let (count, sample) = &failing.total.errors["22012"];
    assert_eq!((*count, failing.total.failed.len()), (failing.total.error_count(), failing.total.error_count()));
    assert_eq!(failing.total.response.len() + count, failing.total.operations);
    assert!(sample.starts_with("division by zero"), "{sample}");

    client.batch_execute("ALTER ROLE latclinic SET statement_timeout = '30ms'").await.unwrap();
    let timed_out = complete(&server, "SELECT pg_sleep(10)", vec![], &load(2, SECOND)).await.total;
    assert_eq!(timed_out.errors["57014"].0, timed_out.operations);
    assert!(timed_out.response.min() >= 29_000_000 && timed_out.response.len() == timed_out.operations);
    client.batch_execute("ALTER ROLE latclinic RESET statement_timeout").await.unwrap();

    let crowd =
        measure(&server, &scenario("SELECT 1", vec![]), &load(200, SECOND), CancellationToken::new(), || {}).await;
    let refusal = crowd.unwrap_err();
    assert!(refusal.to_string().starts_with("client "), "{refusal}");
    assert_eq!(refusal.failure().unwrap().sqlstate.as_deref(), Some("53300"));

    // One backend is terminated; the others go on.
    let probe = scenario("SELECT pg_sleep(0.001)", vec![]);
    let sql =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'latclinic load' LIMIT 1";
    let lost =
        measure(&server, &probe, &load(4, 3 * SECOND), CancellationToken::new(), once(&server, sql)).await.unwrap();
    assert_eq!(lost.ended, Ended::Completed);
    let losses = &lost.connections;
    assert_eq!((losses.lost, losses.reconnected, losses.failed_attempts), (1, 1, 0));
    let why = losses.sample.as_deref().unwrap();
    // Killed between two operations, it has nobody to tell why.
    let heard = ["terminating connection", "the server closed", "the connection broke"];
    assert!(heard.iter().any(|begin| why.starts_with(begin)), "{why}");

    // A backend is killed: the server takes all down, recovers and comes back.
    let sql = "COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'";
    let crashed =
        measure(&server, &probe, &load(4, 6 * SECOND), CancellationToken::new(), once(&server, sql)).await.unwrap();
    assert_eq!(crashed.ended, Ended::Completed);
    let losses = &crashed.connections;
    assert_eq!((losses.lost, losses.reconnected), (4, 4));
    assert!(losses.without > SECOND / 20, "{losses:?}");
    let without: f64 = crashed
        .slices
        .iter()
        .map(|slice| slice.length.min(SECOND).as_secs_f64() * (4.0 - slice.connected_clients))
        .sum();
    assert!((without / losses.without.as_secs_f64() - 1.0).abs() < 0.05, "{without} {losses:?}");
    let last = crashed.slices.last().unwrap();
    assert!(last.errors == 0 && last.connected_clients == 4.0 && last.operations > 400, "{last:?}");
}
