//! Trying advised indexes on a real server: with HypoPG where it is installed, and by building them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "own_server/scenario.rs"]
mod own_scenario;
mod own_server;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use latclinic::pg::Client;
use latclinic::{
    clinic::{self, Clinic, ErrorKind, Event, Events, Reports, SeedOptions, TryBy},
    record::{Phase, Trial, TriedPlan, WhatIf},
    scenario::{Classes, Generator, ParameterSource, Scenario, Script, Statement, Value},
};
use own_scenario::{scenario, sql};
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

const LIMIT: Duration = Duration::from_secs(30);
const FIND: &str = "SELECT id, user_id FROM events WHERE user_id = $1";

struct Deaf;

impl Events for Deaf {
    fn event(&self, _: Event) {}
}

/// A server with a seeded scenario of one statement.
struct Bed {
    clinic: Clinic,
    stop: CancellationToken,
    scenario: Scenario,
    reports: tempfile::TempDir,
    server: OwnServer,
}

impl Bed {
    async fn new(statement: &str) -> Self {
        Self::of(scenario_of(statement)).await
    }

    async fn of(scenario: Scenario) -> Self {
        let server = OwnServer::start();
        let stop = CancellationToken::new();
        let clinic = Clinic::given(server.connector(), Arc::new(Deaf), stop.clone());
        clinic::seed(&clinic, &scenario, &SeedOptions::default()).await.unwrap();
        Self { clinic, stop, scenario, reports: tempfile::tempdir().unwrap(), server }
    }

    async fn try_by(&self, by: TryBy) -> Result<Vec<WhatIf>, clinic::Error> {
        let reports = Reports { root: self.reports.path().to_owned(), output: None };
        let explained = clinic::explain(&self.clinic, &self.scenario, Phase::Before, 1, LIMIT, Some(by), &reports);
        let outcome = explained.await?;
        outcome.failure.map_or(Ok(outcome.captured.what_if), Err)
    }

    async fn client(&self) -> Client {
        self.server.connector().connect_unprotected("test").await.unwrap()
    }
}

fn scenario_of(statement: &str) -> Scenario {
    let mut scenario =
        scenario(&["CREATE INDEX CONCURRENTLY fixed ON events (user_id)"], &["DROP INDEX CONCURRENTLY fixed"]);
    scenario.dataset.tables[0].rows = 50_000;
    let class = |value| Some(vec![Value::Int(value)]);
    let statement = Statement {
        name: "find".to_owned(),
        sql: sql("events.toml", &[statement]),
        parameters: vec![ParameterSource::Generator(Generator::Constant(Value::Int(1))).into()],
        classes: Classes { hot: class(5), typical: class(7), cold: class(9), absent: class(-1) },
    };
    scenario.scripts = vec![Script::of_statement("find", 1.0, 0)];
    scenario.statements = vec![statement];
    scenario
}

/// Indexes and extensions of the database.
async fn there(client: &Client) -> Vec<String> {
    let query = "SELECT indexname::text FROM pg_indexes WHERE schemaname LIKE 'latclinic%' UNION SELECT extname::text FROM pg_extension ORDER BY 1";
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn has_hypopg(client: &Client) -> bool {
    let query = "SELECT count(*) FROM pg_available_extensions WHERE name = 'hypopg'";
    client.query_one(query, &[]).await.unwrap().get::<_, i64>(0) > 0
}

#[tokio::test]
async fn an_index_that_is_built_for_a_trial_leaves_nothing_behind() {
    let bed = Bed::new(FIND).await;
    let client = bed.client().await;
    let before = there(&client).await;
    let [tried] = <[WhatIf; 1]>::try_from(bed.try_by(TryBy::Build).await.unwrap()).unwrap();
    assert_eq!(tried.advice, ["CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)"]);
    assert_eq!((tried.how, tried.used, tried.note), (Some(Trial::Built), Some(true), None));
    assert_eq!((tried.class.as_str(), tried.parameters.as_slice()), ("typical", &["7".to_owned()][..]));
    let (was, is) = (tried.before.unwrap(), tried.after.unwrap());
    assert!(was.cost > is.cost && was.execution_ms.unwrap() > 0.0 && is.execution_ms.unwrap() > 0.0);
    assert_eq!(was.shape, "Seq Scan on events");
    assert!(is.shape.contains("events_user_id_idx"), "{}", is.shape);
    assert!(is.buffers.is_some() && tried.index_bytes.unwrap() >= 8192 && tried.build_ms.unwrap() > 0.0);
    assert_eq!(there(&client).await, before);
}

#[tokio::test]
async fn a_hypothetical_index_has_costs_and_nothing_else() {
    let bed = Bed::new(FIND).await;
    let client = bed.client().await;
    let before = there(&client).await;
    let [tried] = <[WhatIf; 1]>::try_from(bed.try_by(TryBy::Costs).await.unwrap()).unwrap();
    if has_hypopg(&client).await {
        assert_eq!((tried.how, tried.used, tried.build_ms), (Some(Trial::Hypothetical), Some(true), None));
        let (was, is) = (tried.before.unwrap(), tried.after.unwrap());
        assert!(was.cost > is.cost);
        assert_eq!((was.execution_ms, is.execution_ms, is.buffers), (None, None, None));
        assert!(is.shape.contains("the hypothetical index"), "{}", is.shape);
    } else {
        assert_eq!((tried.how, tried.before, tried.after), (None, None, None));
        assert!(tried.note.unwrap().contains("hypopg is not installed"));
    }
    assert_eq!(there(&client).await, before);
    let [either] = <[WhatIf; 1]>::try_from(bed.try_by(TryBy::Either).await.unwrap()).unwrap();
    let how = if has_hypopg(&client).await { Trial::Hypothetical } else { Trial::Built };
    assert_eq!(either.how, Some(how));
}

/// What a trigger looks up is in no plan: an index for it has no cost there, and time only.
#[tokio::test]
async fn an_index_for_a_foreign_key_is_built_to_be_tried() {
    let mut scenario = scenario_of("DELETE FROM events WHERE id BETWEEN $1 AND $1 + 49");
    let schema = [
        "CREATE TABLE events (id bigint PRIMARY KEY, user_id int)",
        "CREATE TABLE lines (id bigint, event bigint REFERENCES events)",
    ];
    scenario.dataset.schema = sql("schema.sql", &schema);
    let events = &scenario.dataset.tables[0];
    let mut lines = events.clone();
    lines.name = "lines".to_owned();
    lines.columns[1].name = "event".to_owned();
    lines.columns[1].generator = Generator::Uniform { min: 1.0, max: 99.0, decimals: 0 };
    scenario.dataset.tables.push(lines);
    let class = |value| Some(vec![Value::Int(value)]);
    // Rows that no line refers to.
    scenario.statements[0].classes =
        Classes { hot: class(1000), typical: class(2000), cold: class(3000), absent: class(-100) };
    let bed = Bed::of(scenario).await;
    let client = bed.client().await;
    let before = there(&client).await;
    let tried = bed.try_by(TryBy::Build).await.unwrap();
    let of_key = tried.iter().find(|tried| tried.advice == ["CREATE INDEX CONCURRENTLY ON lines (event)"]).unwrap();
    assert_eq!((of_key.how, of_key.used, of_key.note.as_deref()), (Some(Trial::Built), None, None));
    let ms = |plan: &Option<TriedPlan>| plan.as_ref().unwrap().execution_ms.unwrap();
    assert!(ms(&of_key.before) > 5.0 * ms(&of_key.after), "{of_key:?}");
    let tried = bed.try_by(TryBy::Costs).await.unwrap();
    let note = tried[0].note.as_ref().unwrap();
    assert!(note.contains("in no plan"), "{note}");
    assert_eq!(there(&client).await, before);
}

#[tokio::test]
async fn an_interrupted_build_leaves_nothing_behind() {
    let bed = Bed::new(FIND).await;
    let client = bed.client().await;
    let before = there(&client).await;
    // A writer that the build has to wait for.
    let writer = bed.client().await;
    let writes = format!("BEGIN; DELETE FROM {}.events WHERE false", bed.scenario.schema_name());
    writer.batch_execute(&writes).await.unwrap();
    let waits = async {
        let query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'ShareLock'";
        while client.query_one(query, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bed.stop.cancel();
    };
    let (outcome, ()) = tokio::join!(bed.try_by(TryBy::Build), waits);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Interrupted);
    writer.batch_execute("ROLLBACK").await.unwrap();
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'latclinic what-if'";
    while client.query_one(sessions, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(there(&client).await, before);
}

#[tokio::test]
async fn nothing_is_built_outside_of_the_scenario_s_schema() {
    let bed = Bed::new("SELECT id FROM public.others WHERE user_id = $1").await;
    let client = bed.client().await;
    let setup =
        "CREATE TABLE others AS SELECT n AS id, n % 100 AS user_id FROM generate_series(1, 50000) n; ANALYZE others";
    client.batch_execute(setup).await.unwrap();
    let [tried] = <[WhatIf; 1]>::try_from(bed.try_by(TryBy::Build).await.unwrap()).unwrap();
    assert_eq!((tried.how, tried.before), (None, None));
    assert_eq!(
        tried.note.unwrap(),
        "public.others is not in the scenario's schema: an index is built for a trial in no other"
    );
}

#[tokio::test]
async fn a_users_database_is_only_asked() {
    let server = OwnServer::start();
    let steps = Arc::new(Mutex::new(Vec::new()));
    struct Steps(Arc<Mutex<Vec<String>>>);
    impl Events for Steps {
        fn event(&self, event: Event) {
            if let Event::Step(step) = event {
                self.0.lock().unwrap().push(step);
            }
        }
    }
    let clinic = Clinic::given(server.connector(), Arc::new(Steps(Arc::clone(&steps))), CancellationToken::new());
    let client = server.connector().connect_unprotected("test").await.unwrap();
    let setup =
        "CREATE TABLE t AS SELECT n AS id, n % 100 AS user_id, n AS z FROM generate_series(1, 50000) n; ANALYZE t";
    client.batch_execute(setup).await.unwrap();
    let ask = || {
        clinic::explain_query(
            &clinic,
            "SELECT * FROM t WHERE user_id = $1",
            vec![Some("5".to_owned())],
            false,
            false,
            LIMIT,
            true,
        )
    };
    let before = there(&client).await;
    let [tried] = <[WhatIf; 1]>::try_from(ask().await.unwrap().what_if).unwrap();
    assert_eq!(tried.advice, ["CREATE INDEX CONCURRENTLY t_user_id_idx ON t (user_id)"]);
    assert_eq!(tried.how, None);
    let note = tried.note.unwrap();
    assert!(
        note.contains("latclinic builds no index in a database of yours") && note.contains("CREATE EXTENSION hypopg"),
        "{note}"
    );
    assert_eq!(there(&client).await, before);
    assert!(steps.lock().unwrap().iter().any(|step| step.starts_with("trying CREATE INDEX")));
    if has_hypopg(&client).await {
        client
            .batch_execute("CREATE SCHEMA \"of HypoPG\"; CREATE EXTENSION hypopg SCHEMA \"of HypoPG\"")
            .await
            .unwrap();
        let [tried] = <[WhatIf; 1]>::try_from(ask().await.unwrap().what_if).unwrap();
        assert_eq!((tried.how, tried.used, tried.note), (Some(Trial::Hypothetical), Some(true), None));
    }
}

/// Where HypoPG is in the database, an advised index is planned without being asked for.
#[tokio::test]
async fn an_advised_index_is_planned_where_hypopg_is() {
    let bed = Bed::new(FIND).await;
    let client = bed.client().await;
    if !has_hypopg(&client).await {
        return;
    }
    let planned = async || {
        let schema = bed.scenario.schema_name();
        let query = format!("SELECT id, user_id FROM \"{schema}\".events WHERE user_id = 7");
        let found = clinic::explain_query(&bed.clinic, &query, Vec::new(), false, false, LIMIT, false).await.unwrap();
        (found.findings[0].planned, found.what_if.len())
    };
    assert_eq!(planned().await, (None, 0));
    client.batch_execute("CREATE EXTENSION hypopg").await.unwrap();
    assert_eq!(planned().await, (Some(true), 0));
}
