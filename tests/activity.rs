//! What the server counted over a window, against a real one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod own_server;
#[path = "own_server/scenario.rs"]
mod scenario;

use std::{sync::Arc, time::Duration};

use latclinic::{
    engine::{self, Observer, Progress},
    load::{Load, Workload},
    pg::{Activity, Connector, PgTarget, checkpoint, describe},
    record::{ServerActivity, StatementActivity, TableActivity},
    scenario::{Classes, Generator, LoadDefaults, ParameterSource, Script, Statement},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use own_server::OwnServer;
use scenario::{scenario, sql};
use tokio_util::sync::CancellationToken;

const READS: u64 = 1_000;
const WRITES: u64 = 100;

/// A table of 500 rows in the schema `latclinic_probe`.
async fn prepare(connector: &Connector) {
    let client = connector.connect_unprotected("test").await.unwrap();
    client
        .batch_execute(
            "CREATE SCHEMA latclinic_probe;
             CREATE TABLE latclinic_probe.events (id int PRIMARY KEY, kind int, note text) WITH (autovacuum_enabled = off);
             INSERT INTO latclinic_probe.events SELECT n, n % 5, repeat('x', 50) FROM generate_series(1, 500) n;
             ANALYZE latclinic_probe.events",
        )
        .await
        .unwrap();
    let before = requested(&client).await;
    checkpoint(&client).await.unwrap();
    until_requested(&client, before + 1).await;
    drop(client);
    let observer = connector.connect_unprotected("observer").await.unwrap();
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'latclinic test'";
    while observer.query_one(open, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Reads by the index and inserts, then closes its connection, as a client of the load does.
async fn load(connector: &Connector) {
    let client = connector.connect_unprotected("load").await.unwrap();
    let read = client.prepare("SELECT note FROM latclinic_probe.events WHERE id = $1").await.unwrap();
    let write = client.prepare("INSERT INTO latclinic_probe.events VALUES ($1, 0, 'new')").await.unwrap();
    client.batch_execute("SET enable_seqscan = off").await.unwrap();
    for n in 0..READS {
        client.query(&read, &[&i32::try_from(n % 500 + 1).unwrap()]).await.unwrap();
    }
    for n in 0..WRITES {
        client.execute(&write, &[&i32::try_from(1_000 + n).unwrap()]).await.unwrap();
    }
}

fn statement<'a>(activity: &'a ServerActivity, begin: &str) -> Option<&'a StatementActivity> {
    activity.statements.as_ref()?.iter().find(|statement| statement.query.starts_with(begin))
}

#[tokio::test]
async fn reads_and_writes_of_the_window_are_counted_and_those_before_it_are_not() {
    let (_server, connector, activity) = begun().await;
    load(&connector).await;
    let counted = activity.end().await;

    assert_eq!(counted.notes, [""; 0]);
    let tables = counted.tables.as_ref().unwrap();
    assert_eq!(tables.len(), 1, "{tables:?}");
    let table = &tables[0];
    assert_eq!(table.name, "events");
    assert_eq!((table.index_scans, table.index_rows, table.rows_inserted), (Some(READS), Some(READS), Some(WRITES)));
    assert_eq!((table.sequential_scans, table.rows_updated, table.autovacuums), (Some(0), Some(0), Some(0)));
    assert!(table.heap_hit >= Some(READS) && table.index_hit >= Some(READS), "{table:?}");
    let index = &counted.indexes.as_ref().unwrap()[0];
    assert_eq!((index.name.as_str(), index.table.as_str(), index.scans), ("events_pkey", "events", Some(READS)));

    let database = counted.database.as_ref().unwrap();
    // Autovacuum and the reading itself commit too.
    assert!((READS + WRITES..READS + WRITES + 200).contains(&database.commits.unwrap()), "{database:?}");
    assert!(database.rows_inserted >= Some(WRITES) && database.buffers_hit >= Some(READS), "{database:?}");
    assert_eq!((database.read_ms, database.deadlocks), (None, Some(0)));
    let wal = counted.wal.as_ref().unwrap();
    assert!(wal.bytes >= Some(WRITES * 50) && wal.records >= Some(2 * WRITES), "{wal:?}");
    let checkpoints = counted.checkpoints.as_ref().unwrap();
    assert_eq!((checkpoints.timed, checkpoints.requested), (Some(0), Some(0)));
    assert!(checkpoints.write_ms.is_some() && checkpoints.buffers_cleaned.is_some(), "{checkpoints:?}");
    assert!(counted.length_s > Some(0.0));

    if let Some(io) = &counted.io {
        let clients = io.iter().find(|kind| kind.backend_type == "client backend").unwrap();
        assert!(clients.hits >= Some(READS), "{io:?}");
    }
    if counted.statements.is_some() {
        let read = statement(&counted, "SELECT note").unwrap();
        assert_eq!((read.calls, read.rows), (READS, Some(READS)), "{read:?}");
        assert!(read.total_ms > 0.0 && (read.mean_ms - read.total_ms / 1_000.0).abs() < 1e-9, "{read:?}");
        let write = statement(&counted, "INSERT INTO latclinic_probe.events").unwrap();
        assert_eq!((write.calls, write.rows), (WRITES, Some(WRITES)));
        assert!(write.wal_bytes >= Some(WRITES * 50), "{write:?}");
        let own = statement(&counted, "SELECT /*");
        assert_eq!(own, None, "its own queries are left out");
    }
}

/// `pg_stat_statements` counts at once, tables only what backends have reported.
#[tokio::test]
async fn what_a_load_did_is_in_the_views_when_it_has_ended() {
    let server = OwnServer::start();
    let connector = server.connector();
    prepare(&connector).await;
    let mut scenario = scenario(&[], &[]);
    scenario.id = "probe".into();
    scenario.statements = vec![Statement {
        name: "read".into(),
        sql: sql("read", &["SELECT note FROM events WHERE id = $1"]),
        parameters: vec![ParameterSource::Generator(Generator::Uniform { min: 1.0, max: 500.0, decimals: 0 }).into()],
        classes: Classes::default(),
    }];
    scenario.statements[0].sql.text = "SELECT note FROM events WHERE id = $1".into();
    scenario.scripts = vec![Script::of_statement("read", 1.0, 0)];
    let facts = describe(&connector, &scenario).await.unwrap();
    let workload = Arc::new(Workload::new(&scenario, &facts, 1).unwrap());
    let target = Arc::new(PgTarget::new(connector.clone(), &scenario, &facts, &scenario.load.connections));
    let load = Load::new(&LoadDefaults::closed(4, Duration::from_millis(200), Duration::from_secs(1), 1), 2);

    let mut activity = Activity::connect(&connector, "latclinic_probe").await;
    activity.begin().await;
    let measured = engine::run(target, &load, workload, Arc::new(Nobody), CancellationToken::new()).await.unwrap();
    let counted = activity.end().await;

    assert_eq!(counted.notes, [""; 0]);
    assert!(measured.total.operations > 100, "{}", measured.total.operations);
    let scans = |table: &TableActivity| table.index_scans.unwrap() + table.sequential_scans.unwrap();
    let scans = scans(&counted.tables.as_ref().unwrap()[0]);
    assert!(scans > measured.total.operations, "{scans} with the warm-up, {} without", measured.total.operations);
    if counted.statements.is_some() {
        assert_eq!(statement(&counted, "SELECT note").unwrap().calls, scans);
    }
}

/// Looks on.
struct Nobody;

impl Observer for Nobody {
    fn progress(&self, _: &Progress) {}
}

/// Checkpoints that somebody asked for since the server's statistics began.
async fn requested(client: &latclinic::pg::Client) -> i64 {
    let version: i32 = client.query_one("SELECT current_setting('server_version_num')::int", &[]).await.unwrap().get(0);
    let sql = if version < 170_000 {
        "SELECT checkpoints_req FROM pg_stat_bgwriter"
    } else {
        "SELECT num_requested FROM pg_stat_checkpointer"
    };
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// A server with the tables of the probe, and the reading at the begin of a window.
async fn begun() -> (OwnServer, Connector, Activity) {
    let server = OwnServer::start();
    let connector = server.connector();
    prepare(&connector).await;
    let mut activity = Activity::connect(&connector, "latclinic_probe").await;
    activity.begin().await;
    (server, connector, activity)
}

/// The checkpointer tells who asked first, and reports then.
async fn until_requested(client: &latclinic::pg::Client, count: i64) {
    while requested(client).await < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_checkpoint_inside_the_window_is_counted() {
    let (_server, connector, activity) = begun().await;
    load(&connector).await;
    let client = connector.connect_unprotected("test").await.unwrap();
    let before = requested(&client).await;
    checkpoint(&client).await.unwrap();
    until_requested(&client, before + 1).await;
    let checkpoints = activity.end().await.checkpoints.unwrap();
    assert_eq!(checkpoints.requested, Some(1), "{checkpoints:?}");
    assert!(checkpoints.buffers_written > Some(0), "{checkpoints:?}");
}

#[tokio::test]
async fn a_crash_inside_the_window_is_told_and_gives_no_figures() {
    let (_server, connector, activity) = begun().await;
    load(&connector).await;
    let client = connector.connect_unprotected("test").await.unwrap();
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    // All connections end, the server recovers and takes new ones.
    while !client.is_closed() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while connector.connect_unprotected("test").await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let counted = activity.end().await;
    assert_eq!((&counted.database, &counted.tables, &counted.wal), (&None, &None, &None), "{counted:?}");
    assert!(counted.notes.iter().any(|note| note.contains("were reset inside the window")), "{:?}", counted.notes);
}

#[tokio::test]
async fn a_role_that_may_not_see_a_view_gets_the_rest_and_a_note() {
    let server = OwnServer::start();
    let connector = server.connector();
    prepare(&connector).await;
    let admin = connector.connect_unprotected("test").await.unwrap();
    admin.batch_execute("REVOKE SELECT ON pg_stat_wal FROM PUBLIC; CREATE ROLE guest LOGIN").await.unwrap();
    let socket: String = admin
        .query_one("SELECT split_part(current_setting('unix_socket_directories'), ',', 1)", &[])
        .await
        .unwrap()
        .get(0);
    let (port, database): (String, String) = {
        let row = admin.query_one("SELECT current_setting('port'), current_database()::text", &[]).await.unwrap();
        (row.get(0), row.get(1))
    };
    let url = format!("postgresql://guest@/{database}?host={socket}&port={port}");
    let guest = Connector::from_url(&url, &|_| None).unwrap();
    let mut activity = Activity::connect(&guest, "latclinic_probe").await;
    activity.begin().await;
    load(&connector).await;
    let counted = activity.end().await;
    assert_eq!(counted.wal, None);
    assert!(
        counted.notes.iter().any(|note| note.contains("cannot read pg_stat_wal: permission denied")),
        "{counted:?}"
    );
    assert_eq!(counted.tables.unwrap()[0].index_scans, Some(READS));
    let made = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'";
    assert_eq!(admin.query_one(made, &[]).await.unwrap().get::<_, i64>(0), 0, "only read on a server of others");
}
