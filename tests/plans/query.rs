//! Any statement on any database.

use std::{sync::Arc, time::Duration};

use latclinic::pg::Client;
use latclinic::{
    clinic::{self, ClassGiven, Clinic, ErrorKind, Question},
    pg::{Access, Explainer, Given, UserSession},
    record::{Examination, ValueSource},
};
use tokio_util::sync::CancellationToken;

use super::{Deaf, own_server::OwnServer};

pub(crate) struct Bed {
    pub(crate) clinic: Clinic,
    pub(crate) stop: CancellationToken,
    pub(crate) client: Client,
    _server: OwnServer,
}

const LIMIT: Duration = Duration::from_secs(30);

impl Bed {
    pub(crate) async fn new() -> Self {
        let server = OwnServer::start();
        let stop = CancellationToken::new();
        let clinic = Clinic::given(server.connector(), Arc::new(Deaf), stop.clone());
        let client = server.connector().connect_unprotected("test").await.unwrap();
        let setup = "CREATE TABLE items (id int, kind text); CREATE SEQUENCE numbers;
            INSERT INTO items SELECT n, 'kind ' || n % 1000 FROM generate_series(1, 50000) AS n; VACUUM ANALYZE items";
        for statement in setup.split(';') {
            client.batch_execute(statement).await.unwrap();
        }
        Self { clinic, stop, client, _server: server }
    }

    pub(crate) async fn ask(&self, sql: &str, values: &[&str], may_write: bool) -> Result<Examination, clinic::Error> {
        let values = values.iter().map(|value| (*value != "NULL").then(|| (*value).to_owned())).collect();
        clinic::explain_query(&self.clinic, sql, values, may_write, false, LIMIT, false).await
    }

    async fn refused(&self, sql: &str, values: &[&str]) -> String {
        let error = self.ask(sql, values, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        format!("{error}; help: {}", error.hint().unwrap_or_default())
    }

    async fn items(&self) -> i64 {
        self.client.query_one("SELECT count(*) FROM items", &[]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn a_statement_is_examined_with_values_typed_by_the_server() {
    let bed = Bed::new().await;
    let found = bed.ask("SELECT id FROM items WHERE kind = $1 AND id > $2;", &["kind 7", "100"], false).await.unwrap();
    let [plan] = &found.plans[..] else { panic!("{found:?}") };
    assert_eq!((plan.class.as_str(), plan.rows_returned, plan.rows_read), ("", Some(49), Some(50_000)));
    assert_eq!((plan.values_from.as_slice(), plan.generic_is_same), (&[ValueSource::Given; 2][..], Some(true)));
    assert_eq!(found.findings[0].rule, "seq-scan-filter");
    assert_eq!(found.statement.as_deref(), Some("SELECT id FROM items WHERE kind = $1 AND id > $2"));
    // Without HypoPG an advised index is not planned.
    let [note] = &found.notes[..] else { panic!("{found:?}") };
    assert!(note.starts_with("the advised index was not planned"), "{note}");

    let plain = bed.ask("explain (analyze) SELECT 1", &[], false).await.unwrap();
    assert_eq!(plain.plans[0].rows_returned, Some(1));
    assert_eq!(plain.notes, ["the EXPLAIN in front of the statement was ignored; latclinic adds its own"]);
    let null = bed.ask("SELECT id FROM items WHERE id = $1", &["NULL"], false).await.unwrap();
    assert_eq!((null.plans[0].rows_returned, null.plans[0].parameters[0].as_str()), (Some(0), "NULL"));
}

/// A small table with a large heir is a large table: of a sample of it no numbers of rows are shown.
#[tokio::test]
async fn the_pages_of_heirs_count() {
    let bed = Bed::new().await;
    let ask = async || {
        let found = bed.ask("SELECT id FROM items WHERE kind = $1", &[], false).await.unwrap();
        assert!(!found.plans.is_empty(), "{found:?}");
        found.plans.iter().map(|plan| (plan.class.clone(), plan.value_rows[0])).collect::<Vec<_>>()
    };
    assert!(ask().await.iter().any(|(class, rows)| class == "hot" && rows.is_some()));
    let heir = "CREATE TABLE heir () INHERITS (items) WITH (fillfactor = 10); \
        INSERT INTO heir (id, kind) SELECT 1000000 + n, 'kind ' || n % 1000 FROM generate_series(1, 60000) AS n";
    bed.client.batch_execute(heir).await.unwrap();
    assert!(ask().await.iter().all(|(_, rows)| rows.is_none()));
}

#[tokio::test]
async fn without_values_those_in_the_data_are_taken() {
    let bed = Bed::new().await;
    bed.client.batch_execute("UPDATE items SET kind = 'kind 7' WHERE id <= 20000; ANALYZE items").await.unwrap();
    let found = bed.ask("SELECT id FROM items WHERE kind = $1", &[], false).await.unwrap();
    let classes: Vec<_> = found.plans.iter().map(|plan| (plan.class.as_str(), plan.value_rows[0])).collect();
    assert_eq!(classes, [("hot", Some(20_030)), ("typical", Some(30)), ("cold", Some(30)), ("absent", None)]);
    assert_eq!(found.plans[0].parameters, ["kind 7"]);
    assert_eq!(
        found.plans.iter().map(|plan| plan.rows_returned).collect::<Vec<_>>(),
        [Some(20_030), Some(30), Some(30), Some(0)]
    );
    assert!(found.plans.iter().all(|plan| plan.values_from == [ValueSource::Data]), "{found:?}");
    let top = &found.findings[0];
    assert_eq!((top.rule.as_str(), top.severity), ("seq-scan-filter", latclinic::record::Severity::Critical));
    let values = "hot $1 = kind 7 (20 030 rows); typical $1 = ";
    assert!(
        found.notes[0]
            .starts_with(&format!("no values were given for the parameters; these were found in the data: {values}")),
        "{found:?}"
    );

    // Columns of one table have their values together, a limit takes the last percent, LIMIT a page.
    let sql = "SELECT id FROM items WHERE kind = $1 AND id > $2 - 100000 LIMIT $3";
    let computed = bed.ask(sql, &[], false).await.unwrap();
    assert_eq!(computed.plans[0].parameters[1..], ["149500", "20"], "{computed:?}");
    let found = bed.ask("SELECT id FROM items WHERE kind = $1 AND id > $2 LIMIT $3", &[], false).await.unwrap();
    assert_eq!(found.plans[0].parameters[1..], ["49500", "20"], "{found:?}");
    let pairs = bed.ask("SELECT * FROM items WHERE kind = $1 AND id = $2", &[], false).await.unwrap();
    let [.., cold, absent] = &pairs.plans[..] else { panic!("{pairs:?}") };
    assert_eq!((cold.rows_returned, absent.rows_returned), (Some(1), Some(0)));
    let list = bed.ask("SELECT id FROM items WHERE kind = ANY ($1)", &[], false).await.unwrap();
    assert!(list.plans[0].rows_returned > Some(20_030), "{list:?}");
    let like = bed.ask("SELECT id FROM items WHERE kind LIKE $1 || '%'", &[], false).await.unwrap();
    assert_eq!(like.plans[0].rows_returned, Some(50_000), "{like:?}");
}

#[tokio::test]
async fn without_values_that_can_be_found_it_is_planned_for_any_and_judged_by_estimates() {
    let bed = Bed::new().await;
    let own = "CREATE FUNCTION own(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN lower($1); END $$";
    bed.client.batch_execute(own).await.unwrap();
    let found = bed.ask("SELECT id FROM items WHERE own(kind) = $1", &[], false).await.unwrap();
    let plan = &found.plans[0];
    assert_eq!((plan.class.as_str(), plan.execution_ms), ("generic", None));
    assert!(plan.nodes[0].details.iter().any(|detail| detail.contains("$1")), "{plan:?}");
    let why = "no value was found in the data for $1: give values with --parameter";
    assert_eq!(found.notes, ["generic: not executed: no values were given for its parameters", why]);
    let top = &found.findings[0];
    assert!(top.evidence.contains("is expected to read 50 000 rows to keep 250"), "{found:?}");
    // What writes is not executed, and needs no consent for being planned.
    let writes = bed.ask("DELETE FROM items WHERE kind = $1", &[], false).await.unwrap();
    assert_eq!(writes.plans[0].class, "generic");
    assert!(writes.notes[1].starts_with("it writes or locks rows: --rollback"), "{writes:?}");
    assert_eq!(bed.items().await, 50_000);
    let rolled_back = bed.ask("DELETE FROM items WHERE kind = $1", &[], true).await.unwrap();
    assert_eq!(rolled_back.plans[0].class, "hot");
    assert_eq!(bed.items().await, 50_000);
}

#[tokio::test]
async fn a_cause_in_several_plans_is_one_finding() {
    let bed = Bed::new().await;
    // The plan for any values is another one.
    bed.client
        .batch_execute(
            "UPDATE items SET kind = 'kind 7' WHERE id <= 40000; CREATE INDEX ON items (kind); ANALYZE items",
        )
        .await
        .unwrap();
    let found = bed.ask("SELECT id FROM items WHERE kind = $1 AND id % 1000 = 5", &["kind 7"], false).await.unwrap();
    let mut keys: Vec<_> = found.findings.iter().map(|finding| (&finding.rule, &finding.statements)).collect();
    let all = keys.len();
    keys.dedup();
    assert_eq!(keys.len(), all, "{:?}", found.findings);
    let told = latclinic::render::terminal(&latclinic::render::examination(&[found]), 80, false);
    assert!(!told.contains("Seen for: ."), "{told}");
}

#[tokio::test]
async fn what_would_write_is_refused_unless_it_is_rolled_back() {
    let bed = Bed::new().await;
    for sql in [
        "DELETE FROM items",
        "WITH gone AS (DELETE FROM items RETURNING 1) SELECT count(*) FROM gone",
        "SELECT nextval('numbers')",
        "SELECT * FROM items FOR UPDATE",
    ] {
        let told = bed.refused(sql, &[]).await;
        assert!(told.contains("25006") && told.contains("pass `rollback`"), "{told}");
    }
    // PostgreSQL itself would execute it.
    for sql in ["SELECT * INTO copy FROM items", "(SELECT id INTO copy FROM items) UNION SELECT 1"] {
        let told = bed.refused(sql, &[]).await;
        assert!(told.starts_with("the statement creates a table") && told.contains("pass `rollback`"), "{told}");
    }
    assert_eq!(bed.items().await, 50_000);

    bed.ask("SELECT * INTO copy FROM items", &[], true).await.unwrap();
    let copies: i64 =
        bed.client.query_one("SELECT count(*) FROM pg_class WHERE relname = 'copy'", &[]).await.unwrap().get(0);
    assert_eq!(copies, 0);
    let found = bed.ask("DELETE FROM items WHERE id <= $1", &["100"], true).await.unwrap();
    assert_eq!(found.plans[0].nodes[0].label, "Delete on items");
    assert!(found.notes.iter().any(|note| note.contains("rolled back") && note.contains("sequence")), "{found:?}");
    assert_eq!(bed.items().await, 50_000);
}

#[tokio::test]
async fn what_cannot_be_asked_is_told() {
    let bed = Bed::new().await;
    let told = bed.refused("SELECT $1::int", &["1", "2"]).await;
    assert_eq!(
        told,
        "the statement has 1 parameter, and 2 values are given; help: give one value for each of $1..$n, or none"
    );
    let told = bed.refused("SELECT * FROM nowhere", &[]).await;
    assert!(told.contains("relation \"nowhere\" does not exist"), "{told}");
    assert!(bed.refused("SELECT 1; DROP TABLE items", &[]).await.starts_with("there are 2 statements"));
    assert!(bed.refused("VACUUM items", &[]).await.contains("could not be rolled back"));
    let error = bed.ask("SELECT id FROM items WHERE id = $1", &["seven"], false).await.unwrap_err();
    assert!(error.to_string().contains("invalid input syntax for type integer: \"seven\""), "{error}");
}

#[tokio::test]
async fn a_prepared_session_is_examined_for_several_classes() {
    let bed = Bed::new().await;
    let session = UserSession::open(bed.clinic.connector(), "test").await.unwrap();
    session.run("CREATE SCHEMA planted; SET search_path = planted; SET work_mem = '64kB'").await.unwrap();
    session.run("CREATE TABLE items AS SELECT 1 AS id, 'a' AS kind").await.unwrap();
    let stop = CancellationToken::new();
    let explainer = Explainer::new(&session, &stop, Access::RolledBack);
    let class = |class: &str, value: &str| ClassGiven {
        class: class.to_owned(),
        values: vec![Given(Some(value.to_owned()))],
        parameters: vec![value.to_owned()],
        values_from: vec![ValueSource::Given],
        value_rows: vec![None],
    };
    let question = Question {
        sql: "UPDATE items SET kind = 'b' WHERE id = $1".to_owned(),
        classes: vec![class("hot", "1"), class("absent", "2")],
        executions: Some(3.0),
        time_limit: LIMIT,
        not_executed: None,
    };
    let found = clinic::examine(&explainer, &question).await.unwrap();
    let classes: Vec<_> = found.plans.iter().map(|plan| (plan.class.as_str(), plan.rows_read)).collect();
    assert_eq!(classes, [("hot", Some(1)), ("absent", Some(1))]);
    let kept: String = bed.client.query_one("SELECT kind FROM planted.items", &[]).await.unwrap().get(0);
    assert_eq!(kept, "a");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_leaves_nothing_behind() {
    let bed = Bed::new().await;
    let limit = Duration::from_millis(200);
    let found = clinic::explain_query(&bed.clinic, "SELECT pg_sleep(600)", Vec::new(), false, false, limit, false)
        .await
        .unwrap();
    assert_eq!(found.notes, ["not executed: it takes more than 0.2 s"]);
    let left = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'";
    assert_eq!(bed.client.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_statement_timeout_of_the_roles_own_is_kept_and_said() {
    let bed = Bed::new().await;
    let role = "DO $$ BEGIN EXECUTE format('ALTER ROLE %I SET statement_timeout = ''150ms''', current_user); END $$";
    bed.client.batch_execute(role).await.unwrap();
    let found = bed.ask("SELECT pg_sleep(20)", &[], false).await.unwrap();
    assert!(found.plans[0].execution_ms.is_none(), "{found:?}");
    let said = "not executed: it takes more than 0.15 s, the statement_timeout that the role, database or URL sets";
    assert_eq!(found.notes, [said]);
    let found = bed.ask("SELECT 1", &[], false).await.unwrap();
    assert!(found.plans[0].execution_ms.is_some() && found.notes.is_empty(), "{found:?}");
}
