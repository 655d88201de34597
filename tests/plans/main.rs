//! Capturing plans on a real server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../own_server/scenario.rs"]
mod own_scenario;
#[path = "../own_server/mod.rs"]
mod own_server;

mod executions;
mod found_values;
mod locks;
mod query;
mod under_load;
mod values;

use std::{sync::Arc, time::Duration};

use latclinic::{
    clinic::{self, Clinic, ErrorKind, Event, Events, ExplainOutcome, Reports, SeedOptions},
    pg,
    record::Phase,
    scenario::{Classes, Generator, ParameterSource, Scenario, Script, Statement, Step, Value},
    server::Running,
};
use own_scenario::{scenario, sql};
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

struct Deaf;

impl Events for Deaf {
    fn event(&self, _: Event) {}
}

/// A server, and a folder for what is written.
struct Bed {
    clinic: Clinic,
    stop: CancellationToken,
    reports: tempfile::TempDir,
    server: OwnServer,
}

impl Bed {
    fn new() -> Self {
        let server = OwnServer::start();
        let stop = CancellationToken::new();
        let clinic = Clinic::given(server.connector(), Arc::new(Deaf), stop.clone());
        Self { clinic, stop, reports: tempfile::tempdir().unwrap(), server }
    }

    /// The same as this role, of a server that is somebody's.
    fn of_role(self, role: &str) -> Self {
        let Running { socket_dir, port, .. } = self.server.lease.running();
        let url = format!(
            "postgresql://{role}@/{}?host={}&port={port}",
            self.clinic.connector().database(),
            socket_dir.display()
        );
        let connector = pg::Connector::from_url(&url, &|_| None).unwrap();
        Self { clinic: Clinic::given(connector, Arc::new(Deaf), self.stop.clone()), ..self }
    }

    async fn seed(&self, scenario: &Scenario) {
        clinic::seed(&self.clinic, scenario, &SeedOptions::default()).await.unwrap();
    }

    async fn explain(&self, scenario: &Scenario, phase: Phase) -> Result<ExplainOutcome, clinic::Error> {
        self.explain_within(scenario, phase, clinic::TIME_LIMIT).await
    }

    async fn explain_within(
        &self,
        scenario: &Scenario,
        phase: Phase,
        time_limit: Duration,
    ) -> Result<ExplainOutcome, clinic::Error> {
        let reports = Reports { root: self.reports.path().to_owned(), output: None };
        clinic::explain(&self.clinic, scenario, phase, 1, time_limit, None, &reports).await
    }
}

/// A statement with one parameter, whose usual value is 5.
fn statement(name: &str, text: &str) -> Statement {
    let class = |value| Some(vec![Value::Int(value)]);
    Statement {
        name: name.to_owned(),
        sql: sql("events.toml", &[text]),
        parameters: vec![ParameterSource::Generator(Generator::Constant(Value::Int(1))).into()],
        classes: Classes { hot: class(5), typical: class(7), cold: class(9), absent: class(-1) },
    }
}

fn with_statements(statements: Vec<Statement>) -> Scenario {
    let up = "CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)";
    let mut scenario = scenario(&[up], &["DROP INDEX CONCURRENTLY events_user_id_idx"]);
    scenario.dataset.tables[0].rows = 20_000;
    scenario.scripts =
        (0..).zip(&statements).map(|(index, statement)| Script::of_statement(&statement.name, 1.0, index)).collect();
    scenario.statements = statements;
    scenario
}

fn parsed(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap()
}

#[tokio::test]
async fn plans_before_and_after_a_fix() {
    let bed = Bed::new();
    let find = "SELECT id FROM events WHERE user_id = $1";
    let write = "UPDATE events SET user_id = -7 WHERE user_id = $1";
    let scenario = with_statements(vec![statement("find", find), statement("write", write)]);
    bed.seed(&scenario).await;

    let outcome = bed.explain(&scenario, Phase::Before).await.unwrap();
    let before = outcome.captured;
    let told: Vec<_> = before.figures.iter().map(|plan| (plan.statement.as_str(), plan.class.as_str())).collect();
    let classes = ["hot", "typical", "cold", "absent"];
    assert_eq!(
        told,
        classes
            .map(|class| ("find", class))
            .into_iter()
            .chain(classes.map(|class| ("write", class)))
            .collect::<Vec<_>>()
    );
    let hot = &before.figures[0];
    assert_eq!((hot.rows_read, hot.parameters.as_slice()), (Some(20_000), &["5".to_owned()][..]));
    assert_eq!(hot.scans, ["Seq Scan on events"]);
    // 20 000 rows by 100 users.
    assert!((100..300).contains(&hot.rows_returned.unwrap()), "{hot:?}");
    assert!(hot.execution_ms > Some(0.0) && hot.buffers_hit > Some(100), "{hot:?}");
    assert_eq!(before.figures[3].rows_returned, Some(0));

    let json = parsed(&before.json);
    assert_eq!(json.as_array().unwrap().len(), 8);
    assert_eq!(json[0]["plan"][0]["Plan"]["Node Type"], "Seq Scan");
    assert_eq!(json[4]["parameters"][0], "5");
    let text = std::fs::read_to_string(outcome.folder.as_ref().unwrap().join("explain_before.txt")).unwrap();
    assert_eq!(text, before.text);
    let section = "\n## find, hot\n\nSELECT id FROM events WHERE user_id = $1\n$1 = 5\nthe generic plan is the same\n\nSeq Scan on events  (cost=";
    assert!(text.contains(section), "{text}");
    assert!(text.contains("Rows Removed by Filter: ") && text.contains("Buffers: shared hit="));

    let client = bed.clinic.connector().connect_unprotected("test").await.unwrap();
    let written =
        client.query_one("SELECT count(*) FROM latclinic_events.events WHERE user_id = -7", &[]).await.unwrap();
    assert_eq!(written.get::<_, i64>(0), 0);

    let refused = bed.explain(&scenario, Phase::After).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);
    clinic::apply_fix(&bed.clinic, &scenario).await.unwrap();
    let after = bed.explain(&scenario, Phase::After).await.unwrap().captured;
    assert_eq!(after.figures[0].scans, ["Bitmap Heap Scan on events"]);
    assert!(after.figures[0].rows_read.unwrap() < 1_000);
}

#[tokio::test]
async fn a_later_step_is_explained_with_what_earlier_ones_return() {
    let bed = Bed::new();
    let result = |column: &str, all| ParameterSource::Result { step: 0, column: column.to_owned(), all }.into();
    let step = |name: &str, text: &str, parameters| Statement {
        parameters,
        classes: Classes::default(),
        ..statement(&format!("script.{name}"), text)
    };
    let mut scenario = with_statements(vec![
        statement(
            "script.first",
            "INSERT INTO events (id, user_id) SELECT -n, $1::int FROM generate_series(1, 2) AS n RETURNING *",
        ),
        step("each", "SELECT id FROM events WHERE id = $1", vec![result("id", false)]),
        step(
            "all",
            "SELECT id FROM events WHERE id = ANY ($1) AND user_id = $2",
            vec![result("id", true), result("user_id", false)],
        ),
        statement("script.named", "SELECT id FROM events WHERE id = $1"),
    ]);
    scenario.statements[3].parameters = vec![result("id", false)];
    let for_each = [None, Some(0), None, None];
    let steps = (0..).zip(for_each).map(|(statement, for_each)| Step { statement, for_each }).collect();
    scenario.scripts = vec![Script { name: "script".into(), weight: 1.0, transaction: false, steps }];
    bed.seed(&scenario).await;

    let figures = bed.explain(&scenario, Phase::Before).await.unwrap().captured.figures;
    let parameters = |name: &str, class: &str| {
        let found = figures.iter().find(|plan| plan.statement == format!("script.{name}") && plan.class == class);
        found.unwrap().parameters.join(" ")
    };
    assert_eq!(parameters("each", "hot"), "-1");
    assert_eq!(parameters("all", "hot"), "ARRAY[-1, -2] 5");
    assert_eq!(parameters("all", "cold"), "ARRAY[-1, -2] 9");
    assert_eq!(parameters("named", "hot"), "5");
    let client = bed.clinic.connector().connect_unprotected("test").await.unwrap();
    let left = client.query_one("SELECT count(*) FROM latclinic_events.events WHERE id < 0", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn what_cannot_be_explained_is_told_with_its_place() {
    let bed = Bed::new();
    bed.seed(&with_statements(Vec::new())).await;
    let failure = async |text: &str| {
        let scenario = with_statements(vec![statement("find", text)]);
        bed.explain(&scenario, Phase::Before).await.unwrap_err().to_string()
    };
    let error = failure("SELECT $1::int / 0").await;
    assert_eq!(error, "events.toml:1: statement find: cannot explain it: division by zero (SQLSTATE 22012)");
    let error = failure("SELECT $1::int FROM nowhere").await;
    assert!(error.contains("relation \"nowhere\" does not exist"), "{error}");
    let error = failure("SELECT 1").await;
    assert!(error.contains("statement find takes no parameters, the scenario gives 1"), "{error}");
}

#[tokio::test]
async fn a_stop_ends_a_slow_statement() {
    let bed = Bed::new();
    let scenario = with_statements(vec![statement("slow", "SELECT pg_sleep(600 + $1::int)")]);
    bed.seed(&scenario).await;
    let watcher = bed.clinic.connector().connect_unprotected("test").await.unwrap();
    let (outcome, ()) = tokio::join!(bed.explain(&scenario, Phase::Before), async {
        let running = "SELECT FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'";
        while watcher.query(running, &[]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        bed.stop.cancel();
    });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Interrupted);
}

#[tokio::test]
async fn facts_of_the_server() {
    let server = OwnServer::start();
    let client = server.connector().connect_unprotected("test").await.unwrap();
    let facts = pg::server_facts(&client, true).await.unwrap();
    let version: String = client.query_one("SHOW server_version", &[]).await.unwrap().get(0);
    assert!(version.starts_with(&facts.version) && !facts.version.contains(' '), "{facts:?}");
    assert_eq!(facts.settings["fsync"], "on");
    assert!(facts.settings["shared_buffers"].ends_with('B'), "{facts:?}");
    assert!(facts.settings.len() > 35, "{facts:?}");
}
