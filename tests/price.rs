//! What a fix costs, on a real server: its locks and who waits for them, its size, and writes before and after.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "own_server/scenario.rs"]
mod own_scenario;
mod own_server;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use latclinic::{
    clinic::{self, Clinic, Event, Events, FixOutcome, SeedOptions},
    record::Applied,
    scenario::Scenario,
};
use own_scenario::scenario;
use own_server::OwnServer;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// A server with the seeded schema of a scenario.
struct Bed {
    clinic: Clinic,
    client: Client,
    _server: OwnServer,
}

/// Whom a run tells.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Events for Told {
    fn event(&self, event: Event) {
        if let Event::Step(words) | Event::Note(words) = event {
            self.0.lock().unwrap().push(words);
        }
    }
}

impl Bed {
    async fn new(scenario: &Scenario) -> Self {
        let server = OwnServer::start();
        let clinic = Clinic::given(server.connector(), Arc::<Told>::default(), CancellationToken::new());
        let client = clinic.connector().connect("test").await.unwrap();
        clinic::seed(&clinic, scenario, &SeedOptions::default()).await.unwrap();
        client.batch_execute("SET search_path = latclinic_events").await.unwrap();
        Self { clinic, client, _server: server }
    }

    async fn apply(&self, scenario: &Scenario) -> Applied {
        clinic::apply_fix_watched(&self.clinic, scenario).await.unwrap().1.unwrap()
    }
}

/// The modes in which the fix was seen to lock the table.
fn modes(applied: &Applied) -> Vec<&str> {
    applied.locks.iter().filter(|lock| lock.relation == "events").map(|lock| lock.mode.as_str()).collect()
}

/// An index whose build takes a while however small the table is.
const SLOW_KEY: &str = "CREATE FUNCTION slow_key(id bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql \
    AS 'BEGIN PERFORM pg_sleep(0.0005); RETURN id; END'";
const WAYS_BACK: [&str; 2] = ["DROP INDEX slow_idx", "DROP FUNCTION slow_key"];

#[tokio::test]
async fn a_plain_build_keeps_writers_waiting_and_readers_not() {
    let fix = scenario(&[SLOW_KEY, "CREATE INDEX slow_idx ON events (slow_key(id))"], &WAYS_BACK);
    let bed = Bed::new(&fix).await;
    let applied = bed.apply(&fix).await;
    assert!(modes(&applied).contains(&"ShareLock"), "{applied:?}");
    let (reader, writer) = (applied.reader_longest_ms.unwrap(), applied.writer_longest_ms.unwrap());
    let build = applied.build_s * 1e3;
    assert!(build > 500.0 && writer > build / 2.0 && writer < build + 100.0, "{applied:?}");
    assert!(reader < writer / 2.0, "{applied:?}");
    assert!(applied.longest_wait_ms.unwrap() > build / 4.0, "{applied:?}");
    assert!(applied.size_bytes.unwrap() > 0 && applied.notes.is_empty(), "{applied:?}");
}

#[tokio::test]
async fn a_concurrent_build_keeps_nobody_waiting() {
    let fix = scenario(&[SLOW_KEY, "CREATE INDEX CONCURRENTLY slow_idx ON events (slow_key(id))"], &WAYS_BACK);
    let bed = Bed::new(&fix).await;
    let applied = bed.apply(&fix).await;
    assert!(modes(&applied).contains(&"ShareUpdateExclusiveLock"), "{applied:?}");
    assert!(!modes(&applied).contains(&"ShareLock"), "{applied:?}");
    let (build, writer) = (applied.build_s * 1e3, applied.writer_longest_ms.unwrap());
    assert!(build > 500.0 && writer < build / 2.0, "{applied:?}");
    assert_eq!((applied.longest_wait_ms, &applied.notes), (None, &vec![]), "{applied:?}");
}

#[tokio::test]
async fn another_session_that_waits_is_seen() {
    let sleep = "DO $$ BEGIN LOCK TABLE events IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(1); END $$";
    let fix = scenario(&[sleep], &["SELECT 1"]);
    let bed = Bed::new(&fix).await;
    let applied = bed.apply(&fix).await;
    assert!(modes(&applied).contains(&"AccessExclusiveLock"), "{applied:?}");
    // The probes give a lock up now and then and try again; what they waited in all counts.
    assert!(applied.reader_longest_ms.unwrap() > 900.0 && applied.writer_longest_ms.unwrap() > 900.0, "{applied:?}");
    assert!(applied.longest_wait_ms.unwrap() > 500.0, "{applied:?}");
    assert_eq!(bed.client.query_one("SELECT count(*) FROM events", &[]).await.unwrap().get::<_, i64>(0), 1000);
}

#[tokio::test]
async fn a_fix_that_stands_already_costs_nothing_more() {
    let fix = scenario(&["CREATE INDEX i ON events (user_id)"], &["DROP INDEX i"]);
    let bed = Bed::new(&fix).await;
    assert!(bed.apply(&fix).await.build_s < Duration::from_secs(5).as_secs_f64());
    let again = clinic::apply_fix_watched(&bed.clinic, &fix).await.unwrap();
    assert_eq!(again, (FixOutcome::Nothing, None));
}
