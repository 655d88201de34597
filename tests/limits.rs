//! Time limits that a DBA sets for a role: kept by whatever takes long, and named where they end something.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "own_server/scenario.rs"]
mod own_scenario;
mod own_server;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use latclinic::{
    clinic::{self, Clinic, Event, Events, Reports, SeedOptions, TryBy},
    pg::{Client, Connector},
    record::{Phase, WhatIf},
    scenario::{Classes, Generator, ParameterSource, Scenario, Script, Statement, Value},
};
use own_scenario::{scenario, sql};
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

struct Deaf;

impl Events for Deaf {
    fn event(&self, _: Event) {}
}

/// A server with a role whose settings a test changes.
struct Bed {
    server: OwnServer,
    client: Client,
}

impl Bed {
    async fn new() -> Self {
        let server = OwnServer::start();
        let client = server.connector().connect_unprotected("test").await.unwrap();
        let grant = format!("GRANT CREATE ON DATABASE {} TO limited", server.connector().database());
        client.batch_execute(&format!("CREATE ROLE limited LOGIN; {grant}")).await.unwrap();
        Self { server, client }
    }

    /// The role with this setting and no other.
    async fn limited(&self, setting: &str) -> Clinic {
        self.client
            .batch_execute(&format!("ALTER ROLE limited RESET ALL; ALTER ROLE limited SET {setting}"))
            .await
            .unwrap();
        let running = self.server.lease.running();
        let connector =
            Connector::managed(&running.socket_dir, running.port, "limited", self.server.connector().database());
        Clinic::given(connector, Arc::new(Deaf), CancellationToken::new())
    }

    /// Another session holds the table until what is returned is dropped.
    async fn lock(&self, mode: &str) -> Client {
        let other = self.server.connector().connect_unprotected("other").await.unwrap();
        other.batch_execute(&format!("BEGIN; LOCK TABLE latclinic_events.events IN {mode} MODE")).await.unwrap();
        other
    }
}

/// An error of the server's that a limit of the role brought about, which is named with its value and the way out.
#[track_caller]
fn names(error: &clinic::Error, limit: &str) {
    let name = limit.split_once(' ').unwrap().0;
    let (words, hint) = (format!("{error:?}"), error.hint().unwrap());
    assert!(words.contains(limit), "{words}");
    assert!(hint.contains(&format!("options=-c{name}=0")), "{hint}");
}

fn slow_fix() -> Scenario {
    scenario(&["DO $$ BEGIN PERFORM pg_catalog.pg_sleep(20); END $$"], &["SELECT 1"])
}

#[tokio::test]
async fn what_a_role_may_is_what_a_seed_may() {
    let bed = Bed::new().await;
    let many = slow_fix().with_rows(400_000);
    let again = SeedOptions { reseed: true, connections: None };
    let seed = async |setting| clinic::seed(&bed.limited(setting).await, &many, &again).await;
    names(&seed("statement_timeout = '25ms'").await.unwrap_err(), "statement_timeout is 25ms");
    // Another session has what the next seed has to replace.
    bed.limited("statement_timeout = 0").await;
    let clinic = bed.limited("lock_timeout = '60ms'").await;
    clinic::seed(&clinic, &slow_fix(), &SeedOptions::default()).await.unwrap();
    let other = bed.lock("ACCESS EXCLUSIVE").await;
    let begin = Instant::now();
    let error = clinic::seed(&clinic, &slow_fix(), &again).await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    assert!(format!("{error:?}").contains("lock_timeout is 60ms"), "{error:?}");
    drop(other);
    if bed.client.query("SELECT FROM pg_settings WHERE name = 'transaction_timeout'", &[]).await.unwrap().is_empty() {
        return;
    }
    names(&seed("transaction_timeout = '25ms'").await.unwrap_err(), "transaction_timeout is 25ms");
}

#[tokio::test]
async fn what_a_role_may_is_what_its_fixes_may() {
    let bed = Bed::new().await;
    let clinic = bed.limited("statement_timeout = '150ms'").await;
    clinic::seed(&clinic, &slow_fix(), &SeedOptions::default()).await.unwrap();
    let error = clinic::apply_fix(&clinic, &slow_fix()).await.unwrap_err();
    names(&error, "statement_timeout is 150ms");
    assert!(error.hint().unwrap().contains("nothing of the fix is left"), "{:?}", error.hint());
    let _other = bed.lock("ROW EXCLUSIVE").await;
    let clinic = bed.limited("lock_timeout = '70ms'").await;
    let indexed = scenario(&["CREATE INDEX i ON events (user_id)"], &["DROP INDEX i"]);
    let begin = Instant::now();
    let error = clinic::apply_fix(&clinic, &indexed).await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(4), "the fix would wait for 5 s: {:?}", begin.elapsed());
    names(&error, "lock_timeout is 70ms");
    assert!(error.hint().unwrap().contains("within 70ms (lock_timeout of the role)"), "{:?}", error.hint());
}

/// How long trying an index waits for its table, which another session has, and what it says.
async fn tried_in_vain(bed: &Bed, clinic: &Clinic, time_limit: Duration) -> (Duration, WhatIf) {
    let find = "SELECT id, user_id FROM events WHERE user_id = $1";
    let mut scenario = scenario(&["CREATE INDEX i ON events (user_id)"], &["DROP INDEX i"]);
    let class = |value| Some(vec![Value::Int(value)]);
    scenario.statements = vec![Statement {
        name: "find".to_owned(),
        sql: sql("events.toml", &[find]),
        parameters: vec![ParameterSource::Generator(Generator::Constant(Value::Int(1))).into()],
        classes: Classes { hot: class(5), typical: class(7), cold: class(9), absent: class(-1) },
    }];
    scenario.scripts = vec![Script::of_statement("find", 1.0, 0)];
    scenario = scenario.with_rows(50_000);
    clinic::seed(clinic, &scenario, &SeedOptions::default()).await.unwrap();
    // A build wants more than the reads that come before it.
    let _other = bed.lock("ROW EXCLUSIVE").await;
    let folder = tempfile::tempdir().unwrap();
    let reports = Reports { root: folder.path().to_owned(), output: None };
    let begin = Instant::now();
    let explained =
        clinic::explain(clinic, &scenario, Phase::Before, 1, time_limit, Some(TryBy::Build), &reports).await.unwrap();
    (begin.elapsed(), explained.captured.what_if[0].clone())
}

#[tokio::test]
async fn a_build_that_is_tried_waits_for_its_lock_by_the_stricter_limit() {
    let bed = Bed::new().await;
    let clinic = bed.limited("lock_timeout = '90ms'").await;
    let (took, tried) = tried_in_vain(&bed, &clinic, Duration::from_secs(600)).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(tried.note.as_ref().unwrap().contains("lock_timeout is 90ms"), "{tried:?}");
    let clinic = bed.limited("lock_timeout = 0").await;
    let (took, tried) = tried_in_vain(&bed, &clinic, Duration::from_secs(1)).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(tried.note.as_ref().unwrap().contains("another session holds a lock"), "{tried:?}");
}

#[tokio::test]
async fn a_write_probe_keeps_to_what_the_role_may() {
    let bed = Bed::new().await;
    let clinic = bed.limited("lock_timeout = '80ms'").await;
    let indexed = scenario(&["CREATE INDEX i ON events (user_id)"], &["DROP INDEX i"]);
    clinic::seed(&clinic, &indexed, &SeedOptions::default()).await.unwrap();
    let _other = bed.lock("ACCESS EXCLUSIVE").await;
    let begin = Instant::now();
    let outcome = clinic::probe_writes(&clinic, &indexed).await;
    assert!(begin.elapsed() < Duration::from_millis(1900), "it would wait for 2 s: {:?}", begin.elapsed());
    let words = format!("{outcome:?}");
    assert!(words.contains("lock_timeout is 80ms"), "{words}");
}

#[tokio::test]
async fn the_url_lifts_a_limit_of_the_role() {
    let bed = Bed::new().await;
    let clinic = bed.limited("statement_timeout = '150ms'").await;
    let half_a_second = scenario(&["DO $$ BEGIN PERFORM pg_catalog.pg_sleep(0.5); END $$"], &["SELECT 1"]);
    clinic::seed(&clinic, &half_a_second, &SeedOptions::default()).await.unwrap();
    let running = bed.server.lease.running();
    let url = |options: &str| {
        let (database, folder) = (bed.server.connector().database().to_owned(), running.socket_dir.display());
        format!("postgresql:///{database}?host={folder}&port={}&user=limited&options={options}", running.port)
    };
    let apply = async |options| {
        let connector = Connector::from_url(&url(options), &|_| None).unwrap();
        clinic::apply_fix(&Clinic::given(connector, Arc::new(Deaf), CancellationToken::new()), &half_a_second).await
    };
    names(&apply("-cstatement_timeout=140").await.unwrap_err(), "statement_timeout is 140ms");
    apply("-cstatement_timeout=0").await.unwrap();
}

#[tokio::test]
async fn a_seed_commits_as_safely_as_the_role_does() {
    let bed = Bed::new().await;
    for (setting, expected) in [("remote_write", "remote_write"), ("on", "on"), ("off", "local")] {
        let clinic = bed.limited(&format!("synchronous_commit = {setting}")).await;
        let mut scenario = scenario(&["SELECT 1"], &["SELECT 1"]);
        let table = "CREATE TABLE events (id bigint PRIMARY KEY, user_id int, \
            commits text DEFAULT pg_catalog.current_setting('synchronous_commit'))";
        scenario.dataset.schema = sql("schema.sql", &[table]);
        let again = SeedOptions { reseed: true, connections: None };
        clinic::seed(&clinic, &scenario, &again).await.unwrap();
        let seen = "SELECT string_agg(DISTINCT commits, ',') FROM latclinic_events.events";
        assert_eq!(bed.client.query_one(seen, &[]).await.unwrap().get::<_, String>(0), expected, "{setting}");
    }
}
