//! Capturing plans on a real server.

#[path = "own_server/scenario.rs"]
mod own_scenario;
mod own_server;

use latclinic::{
    clinic::{self, ErrorKind, Event, Events, SeedOptions},
    pg,
    scenario::{Classes, Generator, ParameterSource, Scenario, Statement, Value},
};
use own_scenario::{scenario, sql};
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

struct Deaf;

impl Events for Deaf {
    fn event(&self, _: Event) {}
}

fn statement(name: &str, text: &str) -> Statement {
    Statement {
        name: name.to_owned(),
        sql: sql("events.toml", &[text]),
        weight: 1.0,
        parameters: vec![ParameterSource::Generator(Generator::Constant(Value::Int(1)))],
        classes: Classes::default(),
    }
}

async fn seeded(server: &OwnServer, statements: Vec<Statement>) -> Scenario {
    let up = "CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)";
    let mut scenario = scenario(&[up], &["DROP INDEX CONCURRENTLY events_user_id_idx"]);
    scenario.dataset.tables[0].rows = 20_000;
    scenario.statements = statements;
    let stop = CancellationToken::new();
    clinic::seed(&server.connector(), &scenario, "recipe", SeedOptions::default(), &Deaf, &stop).await.unwrap();
    scenario
}

fn class(name: &str, value: Value) -> (String, Vec<Value>) {
    (name.to_owned(), vec![value])
}

#[tokio::test]
async fn plans_before_and_after_a_fix() {
    let server = OwnServer::start();
    let (connector, stop) = (server.connector(), CancellationToken::new());
    let find = "SELECT id FROM events WHERE user_id = $1";
    let write = "UPDATE events SET user_id = -7 WHERE user_id = $1";
    let scenario = seeded(&server, vec![statement("find", find), statement("write", write)]).await;
    let classes =
        [vec![class("hot", Value::Int(5)), class("absent", Value::Int(-1))], vec![class("hot", Value::Int(5))]];

    let before = clinic::explain::capture(&connector, &scenario, &classes, &Deaf, &stop).await.unwrap();
    let told: Vec<_> = before.figures.iter().map(|plan| (plan.statement.as_str(), plan.class.as_str())).collect();
    assert_eq!(told, [("find", "hot"), ("find", "absent"), ("write", "hot")]);
    let hot = &before.figures[0];
    assert_eq!((hot.rows_read, hot.parameters.as_slice()), (20_000, &["5".to_owned()][..]));
    assert_eq!(hot.scans, ["Seq Scan on events"]);
    // 20 000 rows by 100 users.
    assert!((100..300).contains(&hot.rows_returned), "{hot:?}");
    assert!(hot.execution_ms > 0.0 && hot.buffers_hit > 100, "{hot:?}");
    assert_eq!(before.figures[1].rows_returned, 0);

    assert_eq!(before.json.as_array().unwrap().len(), 3);
    assert_eq!(before.json[0]["plan"][0]["Plan"]["Node Type"], "Seq Scan");
    assert_eq!(before.json[2]["parameters"][0], "5");
    assert!(
        before.text.contains(
            "\n## find, hot\n\nSELECT id FROM events WHERE user_id = $1\n$1 = 5\n\nSeq Scan on events  (cost="
        ),
        "{}",
        before.text
    );
    assert!(before.text.contains("Rows Removed by Filter: ") && before.text.contains("Buffers: shared hit="));

    let client = connector.connect("test").await.unwrap();
    let written =
        client.query_one("SELECT count(*) FROM latclinic_events.events WHERE user_id = -7", &[]).await.unwrap();
    assert_eq!(written.get::<_, i64>(0), 0);

    clinic::fix::apply(&connector, &scenario, &Deaf, &stop).await.unwrap();
    let after = clinic::explain::capture(&connector, &scenario, &classes, &Deaf, &stop).await.unwrap();
    assert_eq!(after.figures[0].scans, ["Bitmap Heap Scan on events"]);
    assert!(after.figures[0].rows_read < 1_000);
}

#[tokio::test]
async fn what_cannot_be_explained_is_told_with_its_place() {
    let server = OwnServer::start();
    let (connector, stop) = (server.connector(), CancellationToken::new());
    let failure = async |text: &str, value: Value| {
        let mut scenario = scenario(&[], &[]);
        scenario.statements = vec![statement("find", text)];
        let classes = [vec![class("hot", value)]];
        clinic::explain::capture(&connector, &scenario, &classes, &Deaf, &stop).await.unwrap_err().to_string()
    };
    let error = failure("SELECT $1::int / 0", Value::Int(1)).await;
    assert_eq!(error, "events.toml:1: statement find: cannot explain it: division by zero (SQLSTATE 22012)");
    let error = failure("SELECT $1::int FROM nowhere", Value::Int(1)).await;
    assert!(error.contains("relation \"nowhere\" does not exist"), "{error}");
    let error = failure("SELECT $1::int", Value::Text("five".into())).await;
    assert!(error.contains("events.toml:1: statement find: parameter $1: 'five' is no integer"), "{error}");
    let error = failure("SELECT 1", Value::Int(1)).await;
    assert!(error.contains("it takes 0 parameters, and 1 are given"), "{error}");
}

#[tokio::test]
async fn a_stop_ends_a_slow_statement() {
    let server = OwnServer::start();
    let (connector, stop) = (server.connector(), CancellationToken::new());
    let mut scenario = scenario(&[], &[]);
    scenario.statements = vec![statement("slow", "SELECT pg_sleep(600 + $1::int)")];
    let classes = [vec![class("hot", Value::Int(1))]];
    let watcher = connector.connect("test").await.unwrap();
    let (outcome, ()) = tokio::join!(clinic::explain::capture(&connector, &scenario, &classes, &Deaf, &stop), async {
        let running = "SELECT FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'";
        while watcher.query(running, &[]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Interrupted);
}

#[tokio::test]
async fn facts_of_the_server() {
    let server = OwnServer::start();
    let client = server.connector().connect("test").await.unwrap();
    let facts = pg::facts::server(&client, true).await.unwrap();
    let version: String = client.query_one("SHOW server_version", &[]).await.unwrap().get(0);
    assert!(version.starts_with(&facts.version) && !facts.version.contains(' '), "{facts:?}");
    assert_eq!(facts.settings["fsync"], "off");
    assert_eq!(facts.settings["shared_buffers"], "128MB");
    assert!(facts.settings.len() > 35, "{facts:?}");
}
