//! Whose schemas and ledgers latclinic trusts, on a real server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "own_server/scenario.rs"]
mod own_scenario;
mod own_server;

use std::sync::Arc;

use latclinic::{
    clinic::{self, Clinic, Direction, ErrorKind, Event, Events, SeedOptions, WayBack},
    pg::{Client, Connector, DatasetState, dataset_state},
    record::Phase,
    scenario::Scenario,
};
use own_scenario::scenario;
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

const ROLES: &str = "CREATE ROLE evil LOGIN; CREATE ROLE team; CREATE ROLE crew; CREATE ROLE alice LOGIN;
    CREATE ROLE chief LOGIN SUPERUSER; GRANT team TO chief; GRANT team TO crew; GRANT crew TO alice";

const MARKED: &str = "COMMENT ON SCHEMA latclinic_events IS 'latclinic: made for scenario events'";

struct Deaf;

impl Events for Deaf {
    fn event(&self, _: Event) {}
}

struct Bed {
    server: OwnServer,
    client: Client,
}

impl Bed {
    async fn new() -> Self {
        let server = OwnServer::start();
        let client = server.connector().connect_unprotected("test").await.unwrap();
        client.batch_execute(ROLES).await.unwrap();
        let grant = format!("GRANT CREATE ON DATABASE {} TO evil", server.connector().database());
        client.batch_execute(&grant).await.unwrap();
        Self { server, client }
    }

    fn connector(&self, role: &str) -> Connector {
        let running = self.server.lease.running();
        Connector::managed(&running.socket_dir, running.port, role, self.server.connector().database())
    }

    fn clinic(&self, role: &str) -> Clinic {
        Clinic::given(self.connector(role), Arc::new(Deaf), CancellationToken::new())
    }

    /// How a role sees the schema.
    async fn seen_by(&self, role: &str) -> String {
        let client = self.connector(role).connect("test").await.unwrap();
        match dataset_state(&client, "latclinic_events").await.unwrap() {
            DatasetState::Incomplete => "its own".to_owned(),
            DatasetState::Others(other) => {
                format!("{} of {}, seen by {}", other.table.as_deref().unwrap_or("a schema"), other.owner, other.user)
            }
            other => format!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_mark_is_trusted_only_by_its_owner_and_who_was_made_a_member() {
    let bed = Bed::new().await;
    bed.client.batch_execute(&format!("CREATE SCHEMA latclinic_events; {MARKED}")).await.unwrap();
    let seen = async |owner: &str, role: &str| {
        bed.client.batch_execute(&format!("ALTER SCHEMA latclinic_events OWNER TO {owner}")).await.unwrap();
        bed.seen_by(role).await
    };
    assert_eq!(seen("alice", "alice").await, "its own");
    assert_eq!(seen("team", "alice").await, "its own", "a member of a member");
    assert_eq!(seen("evil", "alice").await, "a schema of evil, seen by alice");
    assert_eq!(seen("chief", "chief").await, "its own");
    // A superuser is a member of every role, whether or not anybody wanted that.
    assert_eq!(seen("evil", "chief").await, "a schema of evil, seen by chief");
    assert_eq!(seen("team", "chief").await, "a schema of team, seen by chief");
}

#[tokio::test]
async fn a_role_does_not_make_others_trust_it() {
    let bed = Bed::new().await;
    bed.client.batch_execute(&format!("CREATE SCHEMA latclinic_events AUTHORIZATION evil; {MARKED}")).await.unwrap();
    // Up to PostgreSQL 15 a role may make others members of itself.
    let evil = bed.connector("evil").connect("test").await.unwrap();
    let _ = evil.batch_execute("GRANT evil TO alice; GRANT evil TO crew").await;
    assert_eq!(bed.seen_by("alice").await, "a schema of evil, seen by alice");
    // Whoever is made a member by somebody else is one.
    bed.client.batch_execute("REVOKE evil FROM alice, crew; GRANT evil TO alice").await.unwrap();
    assert_eq!(bed.seen_by("alice").await, "its own");
    // A superuser needs no trick.
    bed.client.batch_execute("ALTER SCHEMA latclinic_events OWNER TO chief").await.unwrap();
    assert_eq!(bed.seen_by("alice").await, "a schema of chief, seen by alice");
    let chief = bed.connector("chief").connect("test").await.unwrap();
    chief.batch_execute("GRANT chief TO alice").await.unwrap();
    assert_eq!(bed.seen_by("alice").await, "its own");
}

#[tokio::test]
async fn a_ledger_of_another_role_is_not_read() {
    let bed = Bed::new().await;
    bed.client
        .batch_execute(&format!(
            "CREATE SCHEMA latclinic_events AUTHORIZATION alice; {MARKED}; GRANT ALL ON SCHEMA latclinic_events TO evil;
             CREATE VIEW latclinic_events._latclinic_fix AS SELECT 1; ALTER VIEW latclinic_events._latclinic_fix OWNER TO evil"
        ))
        .await
        .unwrap();
    assert_eq!(bed.seen_by("alice").await, "_latclinic_fix of evil, seen by alice");
}

/// What every use case says that would trust the schema.
async fn refusals(clinic: &Clinic, scenario: &Scenario) -> Vec<clinic::Error> {
    let reports = clinic::Reports { root: tempfile::tempdir().unwrap().path().to_owned(), output: None };
    let reseed = SeedOptions { reseed: true, connections: None };
    let limit = clinic::TIME_LIMIT;
    vec![
        clinic::seed(clinic, scenario, &SeedOptions::default()).await.unwrap_err(),
        clinic::seed(clinic, scenario, &reseed).await.unwrap_err(),
        clinic::plan_fix(clinic, scenario, Direction::Up).await.unwrap_err(),
        clinic::plan_fix(clinic, scenario, Direction::Down).await.unwrap_err(),
        clinic::apply_fix(clinic, scenario).await.unwrap_err(),
        clinic::revert_fix(clinic, scenario, WayBack::Recorded).await.unwrap_err(),
        clinic::require_fix(clinic, scenario, Phase::Before).await.unwrap_err(),
        clinic::probe_writes(clinic, scenario).await.unwrap_err(),
        clinic::explain(clinic, scenario, Phase::Before, 1, limit, None, &reports).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn nothing_is_done_with_a_schema_that_another_role_has_seeded() {
    let bed = Bed::new().await;
    let scenario = scenario(&["CREATE INDEX i ON events (user_id)"], &["DROP INDEX i"]);
    let evil = bed.clinic("evil");
    clinic::seed(&evil, &scenario, &SeedOptions::default()).await.unwrap();
    clinic::apply_fix(&evil, &scenario).await.unwrap();
    // What a superuser's revert-fix ran.
    bed.client
        .batch_execute(
            "SET ROLE evil; UPDATE latclinic_events._latclinic_fix
             SET down = array['ALTER ROLE evil SUPERUSER'] || down, statements = 2; RESET ROLE",
        )
        .await
        .unwrap();
    for role in ["chief", "alice"] {
        for error in refusals(&bed.clinic(role), &scenario).await {
            let words = format!("{error}");
            assert!(words.contains(&format!("belongs to role evil, and you work as {role}")), "{words}");
            assert!(error.hint().unwrap().contains("options=-c role=evil"), "{:?}", error.hint());
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
    }
    let left =
        "SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = 'evil'), to_regclass('latclinic_events.i') IS NOT NULL";
    let row = bed.client.query_one(left, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (false, true));
}

#[tokio::test]
async fn what_the_ledger_says_is_run_only_if_the_file_says_so_too_or_a_person() {
    let bed = Bed::new().await;
    let (up, down) = ("CREATE INDEX i ON events (user_id)", "DROP INDEX i");
    let of_file = scenario(&[up], &[down]);
    let running = bed.server.lease.running();
    // The same server, as somebody else's.
    let url = format!(
        "postgresql:///{}?host={}&port={}&user=chief",
        bed.server.connector().database(),
        running.socket_dir.display(),
        running.port
    );
    let connector = Connector::from_url(&url, &|_| None).unwrap();
    let clinic = Clinic::given(connector, Arc::new(Deaf), CancellationToken::new());
    clinic::seed(&clinic, &of_file, &SeedOptions::default()).await.unwrap();
    clinic::apply_fix(&clinic, &of_file).await.unwrap();
    // Whoever may write rows of the ledger, though it is not theirs.
    let change =
        "UPDATE latclinic_events._latclinic_fix SET down = array['ALTER ROLE evil SUPERUSER'] || down, statements = 2";
    bed.client.batch_execute(change).await.unwrap();
    let is_there = async || {
        let there =
            "SELECT to_regclass('latclinic_events.i') IS NOT NULL, rolsuper FROM pg_roles WHERE rolname = 'evil'";
        let row = bed.client.query_one(there, &[]).await.unwrap();
        (row.get::<_, bool>(0), row.get::<_, bool>(1))
    };
    let refused = async |scenario: &Scenario| {
        let error = clinic::revert_fix(&clinic, scenario, WayBack::OfFile).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.hint().unwrap().contains("`recorded_way_back` runs them"), "{:?}", error.hint());
        error.to_string()
    };
    insta::assert_snapshot!(refused(&of_file).await, @"nothing was reverted: the revert statements in the ledger are not those of fix.down.sql, nor those that were recorded when the fix was applied; they were changed");
    let listed = clinic::plan_fix(&clinic, &of_file, Direction::Down).await.unwrap().statements;
    assert_eq!(listed, ["ALTER ROLE evil SUPERUSER", down], "they are shown");
    assert_eq!(is_there().await, (true, false));

    // Another file than the one with which it was applied.
    bed.client
        .batch_execute("UPDATE latclinic_events._latclinic_fix SET down = down[2:], statements = 1")
        .await
        .unwrap();
    let other = scenario(&[up], &["DROP INDEX IF EXISTS i"]);
    insta::assert_snapshot!(refused(&other).await, @"nothing was reverted: the revert statements in the ledger are not those of fix.down.sql");
    assert_eq!(is_there().await, (true, false));
    clinic::revert_fix(&clinic, &other, WayBack::Recorded).await.unwrap();
    assert_eq!(is_there().await, (false, false));
    // The way back of the file needs no more than it did.
    clinic::apply_fix(&clinic, &of_file).await.unwrap();
    clinic::revert_fix(&clinic, &of_file, WayBack::OfFile).await.unwrap();
    assert_eq!(is_there().await, (false, false));
}
