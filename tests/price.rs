//! What a fix costs, on a real server: its locks and who waits for them, its size, and writes before and after.

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
    clinic::{self, Clinic, Event, Events, FixOutcome, SeedOptions},
    record::{Applied, WriteProbe},
    scenario::{Scenario, SqlStatement},
};
use own_scenario::scenario;
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

/// A server with the seeded schema of a scenario.
struct Bed {
    clinic: Clinic,
    client: Client,
    stop: CancellationToken,
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
        let stop = CancellationToken::new();
        let clinic = Clinic::given(server.connector(), Arc::<Told>::default(), stop.clone());
        let client = clinic.connector().connect_unprotected("test").await.unwrap();
        clinic::seed(&clinic, scenario, &SeedOptions::default()).await.unwrap();
        client.batch_execute("SET search_path = latclinic_events").await.unwrap();
        Self { clinic, client, stop, _server: server }
    }

    async fn probe(&self, scenario: &Scenario) -> WriteProbe {
        let mut probes = clinic::probe_writes(&self.clinic, scenario).await.unwrap();
        assert_eq!(probes.len(), 1);
        probes.remove(0)
    }

    /// Rows of the table and a hash of them.
    async fn rows(&self) -> (i64, i64) {
        let query = "SELECT count(*), sum(hashtextextended(events::text, 0)::numeric % 1000000007)::bigint FROM events";
        let row = self.client.query_one(query, &[]).await.unwrap();
        (row.get(0), row.get(1))
    }

    /// Waits until the table was vacuumed so often, without autovacuum's times, and has no dead row.
    async fn wait_for_vacuum(&self, times: i64) {
        let state = "SELECT vacuum_count, n_dead_tup FROM pg_stat_user_tables WHERE relname = 'events'";
        loop {
            let row = self.client.query_one(state, &[]).await.unwrap();
            if (row.get(0), row.get(1)) == (times, 0_i64) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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
    assert!(build > 500.0 && writer > build / 2.0, "{applied:?}");
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

const INDEX: &str = "CREATE INDEX events_user_id_idx ON events (user_id)";
const DROP: &str = "DROP INDEX events_user_id_idx";

/// The scenario of an index, whose tables are made by these statements.
fn with_schema(statements: &[&str]) -> Scenario {
    let mut scenario = scenario(&[INDEX], &[DROP]);
    let statements = statements.iter().map(|text| SqlStatement { text: (*text).to_owned(), line: 1 });
    scenario.dataset.schema.statements = statements.collect();
    scenario
}

#[tokio::test]
async fn a_probe_measures_every_write_and_leaves_the_dataset_as_it_was() {
    let fix = scenario(&[INDEX], &[DROP]);
    let bed = Bed::new(&fix).await;
    let rows = bed.rows().await;
    let before = bed.probe(&fix).await;
    assert_eq!((before.table.as_str(), before.notes.len(), bed.rows().await), ("events", 0, rows), "{before:?}");
    for cost in [before.insert, before.update, before.delete].map(Option::unwrap) {
        assert!(cost.rows > 0 && cost.ms > 0.0 && cost.ms < 50.0, "{before:?}");
        assert!((30.0..400.0).contains(&cost.wal_bytes.unwrap()), "{before:?}");
    }
    // A page takes some 180 rows; the update of its last one finds no room in it.
    assert!(before.hot_ratio.unwrap() > 0.9, "{before:?}");

    bed.apply(&fix).await;
    let after = bed.probe(&fix).await;
    assert_eq!((after.hot_ratio, bed.rows().await), (Some(0.0), rows), "{after:?}");
    let wal = |probe: &WriteProbe| probe.insert.unwrap().wal_bytes.unwrap();
    assert!(wal(&after) > wal(&before) + 50.0, "{before:?} {after:?}");
    // Its entries go to pages of the index whose images the rehearsal wrote.
    assert!(after.update.unwrap().wal_bytes.unwrap() < 400.0, "{after:?}");
}

#[tokio::test]
async fn a_probe_leaves_no_dead_row_and_the_next_one_needs_no_more_room() {
    let fix = scenario(&[INDEX], &[DROP]);
    let bed = Bed::new(&fix).await;
    let size = async || -> i64 { bed.client.query_one("SELECT pg_relation_size('events')", &[]).await.unwrap().get(0) };
    bed.probe(&fix).await;
    bed.wait_for_vacuum(2).await;
    let once = size().await;
    bed.probe(&fix).await;
    bed.wait_for_vacuum(3).await;
    // A vacuum leaves empty pages at the end where another session holds a lock at that moment; the next one gives them back.
    while size().await > once {
        bed.client.batch_execute("VACUUM events").await.unwrap();
    }
}

#[tokio::test]
async fn a_role_that_may_not_vacuum_is_told_and_one_that_may_write_is_enough() {
    let fix = scenario(&[INDEX], &[DROP]);
    let bed = Bed::new(&fix).await;
    let grants = "CREATE ROLE writer NOINHERIT; CREATE ROLE admin SUPERUSER; SET ROLE admin; \
        DO $$ BEGIN EXECUTE format('GRANT %I TO writer', session_user); END $$; RESET ROLE; GRANT USAGE ON SCHEMA latclinic_events TO writer; \
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA latclinic_events TO writer; \
        DO $$ BEGIN EXECUTE format('ALTER ROLE %I SET role = writer', current_user); END $$";
    bed.client.batch_execute(grants).await.unwrap();
    let probe = bed.probe(&fix).await;
    assert_eq!(probe.notes, ["the dead rows of the write probe were not vacuumed: the role may not"]);
    assert!(probe.insert.is_some() && probe.update.is_some() && probe.delete.is_some(), "{probe:?}");
}

#[tokio::test]
async fn updates_that_cannot_be_counted_cost_only_their_share() {
    let fix = scenario(&[INDEX], &[DROP]);
    let bed = Bed::new(&fix).await;
    let hide = "SET allow_system_table_mods = on; ALTER VIEW pg_catalog.pg_stat_xact_user_tables RENAME TO hidden";
    bed.client.batch_execute(hide).await.unwrap();
    let probe = bed.probe(&fix).await;
    assert_eq!((probe.hot_ratio, probe.notes.len()), (None, 1), "{probe:?}");
    assert!(probe.notes[0].starts_with("the share of heap-only updates was not measured: relation"), "{probe:?}");
    assert!(probe.insert.is_some() && probe.update.is_some() && probe.delete.is_some(), "{probe:?}");
}

#[tokio::test]
async fn rows_that_a_workload_added_are_not_in_the_way() {
    let fix = scenario(&[INDEX], &[DROP]);
    let bed = Bed::new(&fix).await;
    bed.client.batch_execute("INSERT INTO events SELECT 1000 + n, 1 FROM generate_series(1, 100) n").await.unwrap();
    let rows = bed.rows().await;
    let probe = bed.probe(&fix).await;
    assert_eq!((probe.notes.len(), probe.insert.is_some(), bed.rows().await), (0, true, rows), "{probe:?}");
}

#[tokio::test]
async fn a_table_without_a_key_and_in_partitions_is_probed_too() {
    let fix = with_schema(&[
        "CREATE TABLE events (id bigint, user_id int) PARTITION BY RANGE (id)",
        "CREATE TABLE events_low PARTITION OF events FOR VALUES FROM (0) TO (500)",
        "CREATE TABLE events_high PARTITION OF events FOR VALUES FROM (500) TO (100000)",
    ]);
    let bed = Bed::new(&fix).await;
    let rows = bed.rows().await;
    let probe = bed.probe(&fix).await;
    assert_eq!((probe.notes.len(), bed.rows().await), (0, rows), "{probe:?}");
    assert!(probe.delete.unwrap().rows > 0 && probe.hot_ratio.unwrap() > 0.9, "{probe:?}");
}

#[tokio::test]
async fn what_a_table_refuses_is_noted_and_the_rest_is_measured() {
    let refusing =
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not here''; END'";
    let trigger =
        |when: &str| format!("CREATE TRIGGER t BEFORE {when} ON events FOR EACH ROW EXECUTE FUNCTION refuse()");
    let table = "CREATE TABLE events (id bigint PRIMARY KEY, user_id int)";
    let fix = with_schema(&[table, refusing, &trigger("DELETE")]);
    let bed = Bed::new(&fix).await;
    let rows = bed.rows().await;
    let probe = bed.probe(&fix).await;
    assert_eq!(probe.notes, ["a row was not deleted: not here (SQLSTATE P0001)"]);
    assert!(probe.insert.is_some() && probe.update.is_some() && probe.delete.is_none(), "{probe:?}");

    bed.client.batch_execute(&format!("DROP TRIGGER t ON events; {}", trigger("UPDATE OF user_id"))).await.unwrap();
    let probe = bed.probe(&fix).await;
    assert_eq!(probe.notes, ["column user_id was not updated: not here (SQLSTATE P0001)"]);
    assert!(probe.insert.is_some() && probe.update.is_none() && probe.delete.is_some(), "{probe:?}");
    assert_eq!(probe.hot_ratio, None);

    bed.client.batch_execute("DROP TRIGGER t ON events; ALTER TABLE events ADD CHECK (id <= 1000)").await.unwrap();
    let probe = bed.probe(&fix).await;
    assert_eq!(probe.notes.len(), 1, "{probe:?}");
    assert!(probe.notes[0].starts_with("a generated row was not inserted: new row for relation"), "{probe:?}");
    assert_eq!((probe.insert, probe.update, probe.delete), (None, None, None));
    assert_eq!(bed.rows().await, rows);
}

#[tokio::test]
async fn a_probe_that_is_killed_half_way_leaves_nothing() {
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
        'BEGIN IF NEW.id = 1020 THEN PERFORM pg_sleep(600); END IF; RETURN NEW; END'";
    let fix = with_schema(&["CREATE TABLE events (id bigint PRIMARY KEY, user_id int)", slow]);
    let bed = Bed::new(&fix).await;
    let rows = bed.rows().await;
    let trigger = "CREATE TRIGGER t BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION slow()";
    bed.client.batch_execute(trigger).await.unwrap();
    let (outcome, ()) = tokio::join!(clinic::probe_writes(&bed.clinic, &fix), async {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE application_name = 'latclinic write probe' AND wait_event = 'PgSleep'";
        while bed.client.query_opt(kill, &[]).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(outcome.is_err());
    assert_eq!(bed.rows().await, rows);
}

#[tokio::test]
async fn a_probe_can_be_told_to_stop() {
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
        'BEGIN IF NEW.id = 1020 THEN PERFORM pg_sleep(600); END IF; RETURN NEW; END'";
    let fix = with_schema(&["CREATE TABLE events (id bigint PRIMARY KEY, user_id int)", slow]);
    let bed = Bed::new(&fix).await;
    let trigger = "CREATE TRIGGER t BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION slow()";
    bed.client.batch_execute(trigger).await.unwrap();
    let (outcome, ()) = tokio::join!(clinic::probe_writes(&bed.clinic, &fix), async {
        let asleep =
            "SELECT FROM pg_stat_activity WHERE application_name = 'latclinic write probe' AND wait_event = 'PgSleep'";
        while bed.client.query_opt(asleep, &[]).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bed.stop.cancel();
    });
    assert_eq!(outcome.unwrap_err().kind(), clinic::ErrorKind::Interrupted);
    bed.wait_for_vacuum(2).await;
}
