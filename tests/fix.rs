//! Applying and reverting a fix on a real server: every state, and the way out of it.

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
    clinic::{self, Clinic, Direction, ErrorKind, Event, Events, FixOutcome, FixState, SeedOptions, WayBack},
    record::Phase,
    scenario::Scenario,
};
use own_scenario::scenario;
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

const UP: &str = "CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)";
const DOWN: &str = "DROP INDEX CONCURRENTLY events_user_id_idx";

/// A server with the seeded schema of the scenario, and what a run told.
struct Bed {
    clinic: Clinic,
    client: Client,
    told: Arc<Told>,
    stop: CancellationToken,
    _server: OwnServer,
}

/// Steps and notes of a run.
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
    async fn new() -> Self {
        let server = OwnServer::start();
        let (told, stop) = (Arc::<Told>::default(), CancellationToken::new());
        let clinic = Clinic::given(server.connector(), Arc::clone(&told) as _, stop.clone());
        let client = clinic.connector().connect_unprotected("test").await.unwrap();
        let bed = Self { clinic, client, told, stop, _server: server };
        let scenario = scenario(&[UP], &[DOWN]);
        clinic::seed(&bed.clinic, &scenario, &SeedOptions::default()).await.unwrap();
        bed.client.batch_execute("SET search_path = latclinic_events").await.unwrap();
        bed.told();
        bed
    }

    async fn apply(&self, scenario: &Scenario) -> Result<FixOutcome, clinic::Error> {
        clinic::apply_fix(&self.clinic, scenario).await
    }

    async fn revert(&self, scenario: &Scenario) -> Result<FixOutcome, clinic::Error> {
        clinic::revert_fix(&self.clinic, scenario, WayBack::OfFile).await
    }

    async fn state(&self, scenario: &Scenario) -> FixState {
        clinic::plan_fix(&self.clinic, scenario, Direction::Up).await.unwrap().state
    }

    async fn require(&self, scenario: &Scenario, phase: Phase) -> String {
        match clinic::require_fix(&self.clinic, scenario, phase).await {
            Ok(()) => "as it should be".to_owned(),
            Err(error) => words(&error),
        }
    }

    /// Names of the indexes beside the primary key; `!` marks one that is not valid.
    async fn indexes(&self) -> Vec<String> {
        let query = "SELECT c.relname || CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE '!' END FROM pg_index i \
            JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'events'::regclass AND NOT i.indisprimary ORDER BY 1";
        self.client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// The ledger's rows: direction, statements done of all, whether finished.
    async fn ledger(&self) -> Vec<String> {
        let query = "SELECT format('%s %s/%s %s', direction, statements_done, statements, \
            CASE WHEN finished_at IS NULL THEN 'pending' ELSE 'done' END) FROM _latclinic_fix ORDER BY id";
        self.client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    fn told(&self) -> String {
        self.told.0.lock().unwrap().drain(..).collect::<Vec<_>>().join("\n")
    }

    /// Waits until a statement with this text runs in another session, and gives its pid.
    async fn running(&self, text: &str) -> i32 {
        let query =
            "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE $1";
        loop {
            if let Some(row) = self.client.query_opt(query, &[&format!("{text}%")]).await.unwrap() {
                return row.get(0);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn words(error: &clinic::Error) -> String {
    format!("{error}\n{}", error.hint().unwrap_or("no hint"))
}

/// The words with `N` for each number, such as the pids that differ from run to run.
fn without_numbers(words: &str) -> String {
    let mut plain = String::new();
    for c in words.chars() {
        match c {
            c if !c.is_ascii_digit() => plain.push(c),
            _ if plain.ends_with('N') => {}
            _ => plain.push('N'),
        }
    }
    plain
}

#[tokio::test]
async fn applied_once_reverted_once() {
    let bed = Bed::new().await;
    let scenario = scenario(&[UP], &[DOWN]);
    assert_eq!(bed.state(&scenario).await, FixState::Absent);
    assert_eq!(bed.require(&scenario, Phase::Before).await, "as it should be");
    insta::assert_snapshot!(bed.require(&scenario, Phase::After).await, @"
    cannot measure phase after of events: the fix is absent
    run `latclinic apply-fix events` first
    ");

    assert!(matches!(bed.apply(&scenario).await.unwrap(), FixOutcome::Done { .. }));
    assert_eq!(bed.indexes().await, ["events_user_id_idx"]);
    assert_eq!(bed.require(&scenario, Phase::After).await, "as it should be");
    insta::assert_snapshot!(bed.require(&scenario, Phase::Before).await, @"
    cannot measure phase before of events: the fix is applied
    run `latclinic revert-fix events` first
    ");
    assert_eq!(bed.apply(&scenario).await.unwrap(), FixOutcome::Nothing);
    assert_eq!(bed.told(), format!("fix up 1/1: {UP}"));

    assert!(matches!(bed.revert(&scenario).await.unwrap(), FixOutcome::Done { .. }));
    assert_eq!(bed.indexes().await, [""; 0]);
    assert_eq!(bed.revert(&scenario).await.unwrap(), FixOutcome::Nothing);
    assert_eq!(bed.told(), format!("fix down 1/1: {DOWN}"));
    assert_eq!(bed.ledger().await, ["up 1/1 done", "down 1/1 done"]);
}

#[tokio::test]
async fn a_changed_file_is_refused_and_the_recorded_way_back_is_taken() {
    let bed = Bed::new().await;
    bed.apply(&scenario(&[UP], &[DOWN])).await.unwrap();
    let changed = scenario(&["CREATE INDEX other_idx ON events (id, user_id)"], &["DROP INDEX other_idx"]);
    assert_eq!(bed.state(&changed).await, FixState::Changed);
    insta::assert_snapshot!(words(&bed.apply(&changed).await.unwrap_err()), @"
    cannot apply the fix: the fix is applied, but its files have changed since
    take back what was applied first: `latclinic revert-fix events`
    ");
    insta::assert_snapshot!(bed.require(&changed, Phase::After).await, @"
    cannot measure phase after of events: the fix is applied, but its files have changed since
    run `latclinic revert-fix events`, then `latclinic apply-fix events`
    ");
    bed.revert(&changed).await.unwrap();
    assert_eq!(bed.indexes().await, [""; 0]);
    bed.apply(&changed).await.unwrap();
    assert_eq!(bed.indexes().await, ["other_idx"]);
}

#[tokio::test]
async fn a_failed_build_leaves_nothing() {
    let bed = Bed::new().await;
    let unique = "CREATE UNIQUE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)";
    let scenario = scenario(&[unique], &[DOWN]);
    let error = bed.apply(&scenario).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    insta::assert_snapshot!(without_numbers(&words(&error)), @r#"
    fix.up.sql:N: statement N of N failed: could not create unique index "events_user_id_idx" (SQLSTATE N); Key (user_id)=(N) is duplicated.
    the half-built index events_user_id_idx was dropped; nothing of the fix is left; `latclinic apply-fix events` tries again
    "#);
    assert_eq!(bed.indexes().await, [""; 0]);
    assert_eq!(bed.state(&scenario).await, FixState::Absent);
}

#[tokio::test]
async fn a_half_built_index_is_dropped_and_rebuilt() {
    let bed = Bed::new().await;
    let unique = "CREATE UNIQUE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)";
    bed.client.batch_execute(unique).await.unwrap_err();
    assert_eq!(bed.indexes().await, ["events_user_id_idx!"]);
    let scenario = scenario(&[UP], &[DOWN]);
    bed.apply(&scenario).await.unwrap();
    assert_eq!(bed.indexes().await, ["events_user_id_idx"]);
    insta::assert_snapshot!(bed.told(), @"
    dropped index events_user_id_idx: an earlier build of it did not finish
    fix up 1/1: CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)
    ");
}

#[tokio::test]
async fn an_older_transaction_makes_it_give_up_and_go_on_later() {
    let bed = Bed::new().await;
    let mut scenario = scenario(&[UP], &[DOWN]);
    scenario.fix.lock_timeout = Duration::from_millis(100);
    bed.client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM events").await.unwrap();
    let error = bed.apply(&scenario).await.unwrap_err();
    bed.client.batch_execute("COMMIT").await.unwrap();
    insta::assert_snapshot!(without_numbers(&words(&error)), @"
    fix.up.sql:N: statement N of N failed: canceling statement due to lock timeout (SQLSTATE NPN)
    a lock was not free within Nms (lock_timeout of the fix); the oldest open transactions are pid N latclinic test N s; cleaning up failed (cannot drop the half-built index events_user_id_idx: canceling statement due to lock timeout (SQLSTATE NPN)); the ledger has N of N statements done: `latclinic apply-fix events` cleans up and continues, `latclinic revert-fix events` reverts it
    ");
    assert_eq!(bed.indexes().await, ["events_user_id_idx!"]);
    insta::assert_snapshot!(bed.require(&scenario, Phase::After).await, @"
    cannot measure phase after of events: the fix is half applied: 0 of 1 statements
    run `latclinic apply-fix events` first; it continues where it stopped
    ");
    bed.told();
    bed.apply(&scenario).await.unwrap();
    insta::assert_snapshot!(bed.told(), @"
    dropped index events_user_id_idx: an earlier build of it did not finish
    the last apply did not finish: going on after 0 of 1 statements
    fix up 1/1: CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)
    ");
    assert_eq!(bed.indexes().await, ["events_user_id_idx"]);
    assert_eq!(bed.ledger().await, ["up 1/1 done"]);
}

#[tokio::test]
async fn interrupted_in_the_middle_it_can_go_on_or_back() {
    let bed = Bed::new().await;
    let mut scenario = scenario(&[UP, "SELECT pg_sleep(600)"], &["SELECT 'nothing slept'", DOWN]);
    let (outcome, ()) = tokio::join!(bed.apply(&scenario), async {
        bed.running("SELECT pg_sleep").await;
        bed.stop.cancel();
    });
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    insta::assert_snapshot!(words(&error), @"
    fix.up.sql:2: statement 2 of 2 interrupted: canceling statement due to user request (SQLSTATE 57014)
    1 of 2 statements are done; `latclinic apply-fix events` continues, `latclinic revert-fix events` reverts it
    ");
    assert_eq!(bed.ledger().await, ["up 1/2 pending"]);
    insta::assert_snapshot!(bed.require(&scenario, Phase::Before).await, @"
    cannot measure phase before of events: the fix is half applied: 1 of 2 statements
    run `latclinic revert-fix events` first
    ");

    let stop = CancellationToken::new();
    let clinic = Clinic::given(bed.clinic.connector().clone(), Arc::clone(&bed.told) as _, stop.clone());
    let bed = Bed { clinic, stop, ..bed };
    bed.told();
    bed.revert(&scenario).await.unwrap();
    assert_eq!((bed.indexes().await, bed.state(&scenario).await), (vec![], FixState::Absent));
    scenario.fix.up.statements.pop();
    bed.apply(&scenario).await.unwrap();
}

#[tokio::test]
async fn a_session_that_was_killed_can_be_gone_on_from() {
    let bed = Bed::new().await;
    let slow = "SELECT CASE WHEN (SELECT count(*) FROM events) = 1000 THEN pg_sleep(600) END";
    let scenario = scenario(&["CREATE TABLE made (id int)", slow, UP], &[DOWN, "DROP TABLE made"]);
    let (outcome, ()) = tokio::join!(bed.apply(&scenario), async {
        let pid = bed.running("SELECT CASE").await;
        // What did get done by a run that could not say so any more is not done twice.
        bed.client
            .batch_execute(&format!("DELETE FROM events WHERE id = 1; SELECT pg_terminate_backend({pid})"))
            .await
            .unwrap();
    });
    insta::assert_snapshot!(words(&outcome.unwrap_err()), @"
    fix.up.sql:2: statement 2 of 3 failed: the server ended the session: terminating connection due to administrator command (SQLSTATE 57P01)
    cleaning up failed (the connection is gone); the ledger has 1 of 3 statements done: `latclinic apply-fix events` cleans up and continues, `latclinic revert-fix events` reverts it
    ");
    assert_eq!(bed.ledger().await, ["up 1/3 pending"]);
    bed.client.batch_execute("UPDATE _latclinic_fix SET statements_done = 0").await.unwrap();
    bed.told();
    bed.apply(&scenario).await.unwrap();
    insta::assert_snapshot!(bed.told(), @"
    the last apply did not finish: going on after 0 of 3 statements
    fix up 1/3: CREATE TABLE made (id int)
    fix.up.sql:1: it is there already
    fix up 2/3: SELECT CASE WHEN (SELECT count(*) FROM events) = 1000 THEN pg_sleep(600) END
    fix up 3/3: CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)
    ");
    assert_eq!(bed.state(&scenario).await, FixState::Applied);
}

#[tokio::test]
async fn what_somebody_made_by_hand_is_told_and_left_alone() {
    let bed = Bed::new().await;
    let scenario = scenario(&[UP], &[DOWN]);
    bed.client.batch_execute(UP).await.unwrap();
    insta::assert_snapshot!(words(&bed.apply(&scenario).await.unwrap_err()), @r#"
    cannot apply the fix: index events_user_id_idx is there, but the ledger has no record of the fix being applied
    it was created by hand; drop it by hand: DROP INDEX "latclinic_events"."events_user_id_idx"
    "#);
    insta::assert_snapshot!(bed.require(&scenario, Phase::Before).await, @"
    cannot measure phase before of events: index events_user_id_idx is there, but the ledger has no record of the fix being applied
    it was created by hand in schema latclinic_events; drop it by hand
    ");
    assert_eq!(bed.indexes().await, ["events_user_id_idx"]);

    bed.client.batch_execute(DOWN).await.unwrap();
    bed.apply(&scenario).await.unwrap();
    bed.client.batch_execute(DOWN).await.unwrap();
    insta::assert_snapshot!(bed.require(&scenario, Phase::After).await, @"
    cannot measure phase after of events: the fix is applied, but index events_user_id_idx is missing or not valid
    run `latclinic revert-fix events`, then `latclinic apply-fix events`
    ");
    bed.told();
    bed.revert(&scenario).await.unwrap();
    insta::assert_snapshot!(bed.told(), @"
    fix down 1/1: DROP INDEX CONCURRENTLY events_user_id_idx
    fix.down.sql:1: there is nothing to take back
    ");
}

#[tokio::test]
async fn a_way_back_that_does_not_lead_back_is_told() {
    let bed = Bed::new().await;
    let scenario = scenario(&[UP], &["SELECT 1"]);
    bed.apply(&scenario).await.unwrap();
    insta::assert_snapshot!(words(&bed.revert(&scenario).await.unwrap_err()), @"
    fix.down.sql: all statements ran, but the schema is not as it was before the fix: index events_user_id_idx is still there
    the fix is half reverted; correct that by hand, then `latclinic revert-fix events`, or `latclinic seed events --reseed` makes everything again from scratch; and correct fix.down.sql
    ");
    insta::assert_snapshot!(bed.require(&scenario, Phase::Before).await, @"
    cannot measure phase before of events: the fix is half reverted: all its statements ran, but the schema is not as it was before the fix
    run `latclinic revert-fix events` first
    ");
    insta::assert_snapshot!(words(&bed.apply(&scenario).await.unwrap_err()), @"
    cannot apply the fix: the fix is half reverted: all its statements ran, but the schema is not as it was before the fix
    finish that first: `latclinic revert-fix events`
    ");
    assert_eq!(bed.ledger().await, ["up 1/1 done", "down 1/1 pending"]);
    bed.client.batch_execute(DOWN).await.unwrap();
    bed.revert(&scenario).await.unwrap();
    assert_eq!(bed.state(&scenario).await, FixState::Absent);
}

#[tokio::test]
async fn whatever_a_way_back_leaves_behind_is_told_by_name() {
    let bed = Bed::new().await;
    let up = ["ALTER TABLE events ADD COLUMN note text, ALTER user_id SET STATISTICS 500, SET (fillfactor = 70)", UP];
    let fix = scenario(&up, &["ALTER INDEX events_user_id_idx RENAME TO hidden_idx"]);
    bed.apply(&fix).await.unwrap();
    insta::assert_snapshot!(words(&bed.revert(&fix).await.unwrap_err()), @"
    fix.down.sql: all statements ran, but the schema is not as it was before the fix: column events.note is still there, column events.user_id differs (statistics target 500, was -1), index hidden_idx is still there, and 1 more
    the fix is half reverted; correct that by hand, then `latclinic revert-fix events`, or `latclinic seed events --reseed` makes everything again from scratch; and correct fix.down.sql
    ");
    bed.client
        .batch_execute("DROP INDEX hidden_idx; ALTER TABLE events DROP note, ALTER user_id SET STATISTICS -1")
        .await
        .unwrap();
    insta::assert_snapshot!(words(&bed.revert(&fix).await.unwrap_err()), @r#"
    fix.down.sql: all statements ran, but the schema is not as it was before the fix: table events differs (options ["fillfactor=70"], was none)
    the fix is half reverted; correct that by hand, then `latclinic revert-fix events`, or `latclinic seed events --reseed` makes everything again from scratch; and correct fix.down.sql
    "#);
    bed.client.batch_execute("ALTER TABLE events RESET (fillfactor)").await.unwrap();
    bed.revert(&fix).await.unwrap();
    assert_eq!(bed.state(&fix).await, FixState::Absent);

    // A column that is made again has lost its values.
    let lossy = scenario(&["ALTER TABLE events DROP user_id"], &["ALTER TABLE events ADD user_id int"]);
    bed.apply(&lossy).await.unwrap();
    insta::assert_snapshot!(words(&bed.revert(&lossy).await.unwrap_err()), @"
    fix.down.sql: all statements ran, but the schema is not as it was before the fix: column events.user_id differs (number 4, was 2)
    the fix is half reverted; correct that by hand, then `latclinic revert-fix events`, or `latclinic seed events --reseed` makes everything again from scratch; and correct fix.down.sql
    ");
    let anew = SeedOptions { reseed: true, ..SeedOptions::default() };
    clinic::seed(&bed.clinic, &lossy, &anew).await.unwrap();
    assert_eq!(bed.state(&lossy).await, FixState::Absent);
}

#[tokio::test]
async fn a_way_back_that_fails_names_the_state_and_the_ways_out() {
    let bed = Bed::new().await;
    let first = scenario(&[UP], &["DROP INDEX nowhere", DOWN]);
    bed.apply(&first).await.unwrap();
    insta::assert_snapshot!(words(&bed.revert(&first).await.unwrap_err()), @r#"
    fix.down.sql:1: statement 1 of 2 failed: index "nowhere" does not exist (SQLSTATE 42704)
    the fix is still applied; `latclinic revert-fix events` tries again, `latclinic seed events --reseed` makes everything again from scratch
    "#);
    assert_eq!(bed.state(&first).await, FixState::Applied);
    bed.client.batch_execute("TRUNCATE _latclinic_fix; DROP INDEX events_user_id_idx").await.unwrap();

    let second = scenario(&[UP], &[DOWN, "DROP INDEX nowhere"]);
    bed.apply(&second).await.unwrap();
    insta::assert_snapshot!(words(&bed.revert(&second).await.unwrap_err()), @r#"
    fix.down.sql:2: statement 2 of 2 failed: index "nowhere" does not exist (SQLSTATE 42704)
    the fix is half reverted: 1 of 2 statements; `latclinic revert-fix events` continues, `latclinic seed events --reseed` makes everything again from scratch
    "#);
    insta::assert_snapshot!(bed.require(&second, Phase::Before).await, @"
    cannot measure phase before of events: the fix is half reverted: 1 of 2 statements
    run `latclinic revert-fix events` first
    ");
}

#[tokio::test]
async fn a_fix_that_an_earlier_build_applied_is_taken_back() {
    let bed = Bed::new().await;
    let fix = scenario(&[UP], &[DOWN]);
    bed.apply(&fix).await.unwrap();
    bed.client.batch_execute("ALTER TABLE _latclinic_fix DROP catalog, DROP catalog_sha256").await.unwrap();
    bed.revert(&fix).await.unwrap();
    assert_eq!((bed.indexes().await, bed.state(&fix).await), (vec![], FixState::Absent));
    bed.apply(&fix).await.unwrap();
    assert_eq!(bed.ledger().await, ["up 1/1 done", "down 1/1 done", "up 1/1 done"]);
}

#[tokio::test]
async fn two_at_once_do_not_mix() {
    let bed = Bed::new().await;
    let slow = scenario(&["SELECT pg_sleep(600)"], &[DOWN]);
    let (first, ()) = tokio::join!(bed.apply(&slow), async {
        bed.running("SELECT pg_sleep").await;
        let error = words(&bed.apply(&scenario(&[UP], &[DOWN])).await.unwrap_err());
        insta::assert_snapshot!(without_numbers(&error), @"
        another session is applying or reverting the fix of latclinic_events
        wait for it; if it is abandoned, end it: SELECT pg_terminate_backend(N)
        ");
        bed.stop.cancel();
    });
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(bed.ledger().await, [""; 0]);
}

#[tokio::test]
async fn a_schema_that_is_missing_or_not_ours_is_not_touched() {
    let bed = Bed::new().await;
    let scenario = scenario(&[UP], &[DOWN]);
    bed.client.batch_execute("COMMENT ON SCHEMA latclinic_events IS 'mine'").await.unwrap();
    insta::assert_snapshot!(words(&bed.apply(&scenario).await.unwrap_err()), @"
    the schema latclinic_events was not made by latclinic, so latclinic does not touch it
    rename that schema, or give the scenario another id by renaming its file
    ");
    bed.client.batch_execute("ALTER SCHEMA latclinic_events RENAME TO other").await.unwrap();
    insta::assert_snapshot!(words(&bed.apply(&scenario).await.unwrap_err()), @"
    there is no schema latclinic_events: the scenario is not seeded
    run `latclinic seed events`
    ");
}
