//! Whose connections they are.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use latclinic::{
    engine::{self, FailureKind, Observer, PoolUse, Progress, Session, Steps, Target},
    load::Load,
    pg::check_room,
    scenario::{Connections, LoadDefaults, Pool, Protocol, Recycling, Sharing},
};
use tokio_util::sync::CancellationToken;

use crate::{Bed, Ready, all_ways, statement};

fn pool(size: u32, wait_timeout: Option<Duration>, recycling: Recycling) -> Connections {
    Connections { sharing: Sharing::Pool(Pool { size, wait_timeout, recycling }), ..Connections::default() }
}

#[tokio::test]
async fn four_sessions_share_a_pool_of_two() {
    let bed = Bed::new("CREATE TABLE pids (pid int)").await;
    let sql = "INSERT INTO pids SELECT pg_backend_pid() FROM pg_sleep(0.02)";
    let ready = bed.ready(&statement(sql, vec![], &pool(2, None, Recycling::Fast))).await;
    assert!(ready.target.shares());
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(ready.session().await);
    }
    // All of them before the first operation.
    assert_eq!(bed.connections("idle").await, 2);
    let begin = Instant::now();
    let work = sessions.iter_mut().map(async |session| {
        for number in 0..3 {
            assert_eq!(ready.execute(session, number).await.0, Ok(()));
        }
    });
    join_all(work).await;
    // Twelve of 20 ms each, two at a time.
    assert!(begin.elapsed() >= Duration::from_millis(120));
    assert_eq!(bed.text("SELECT count(*) || ' ' || count(DISTINCT pid) FROM pids").await, "12 2");
    assert_eq!(ready.target.pool(), Some(PoolUse { in_use: 0, idle: 2, waiting: 0 }));
}

#[tokio::test]
async fn a_pool_serves_the_clients_of_all_threads_to_the_last_operation() {
    let bed = Bed::new("").await;
    let scenario = statement("SELECT pg_sleep(0.005 + random() / 50)", vec![], &pool(4, None, Recycling::Fast));
    let second = Duration::from_secs(1);
    let load = Load::new(&LoadDefaults::closed(16, second / 10, second, 1), 2);
    for _ in 0..3 {
        let Ready { target, workload } = bed.ready(&scenario).await;
        let (target, workload) = (Arc::new(target), Arc::new(workload));
        let stop = CancellationToken::new();
        let measurement = engine::run(target, &load, workload, Arc::new(Nobody), stop).await.unwrap();
        assert!(measurement.total.errors.is_empty(), "{:?}", measurement.total.errors);
        assert_eq!(measurement.connections.lost, 0, "{:?}", measurement.connections);
        assert!(measurement.total.operations > 100);
        bed.until_connections("%", 0).await;
    }
}

/// Does not look at the load.
struct Nobody;

impl Observer for Nobody {
    fn progress(&self, _: &Progress) {}
}

#[tokio::test]
async fn who_waits_too_long_for_the_pool_is_told() {
    let bed = Bed::new("").await;
    let wait = Duration::from_millis(30);
    let ready = bed.ready(&statement("SELECT 1", vec![], &pool(1, Some(wait), Recycling::Verified))).await;
    let (mut one, mut other) = (ready.session().await, ready.session().await);
    one.acquire().await.unwrap();
    assert_eq!(ready.target.pool(), Some(PoolUse { in_use: 1, idle: 0, waiting: 0 }));
    let begin = Instant::now();
    let failure = other.acquire().await.unwrap_err();
    assert!(begin.elapsed() >= wait);
    assert_eq!((failure.kind, failure.code()), (FailureKind::PoolTimeout, "pool_timeout"));
    insta::assert_snapshot!(failure, @"no connection of the pool came free within 30ms");
    one.execute(&ready.operation(0, 0), &mut Steps::default()).await.unwrap();
    assert_eq!(ready.execute(&mut other, 1).await.0, Ok(()));
}

#[tokio::test]
async fn a_recycled_connection_keeps_its_statements_and_settings() {
    let bed = Bed::new("CREATE TABLE seen (prepared bigint, work_mem text)").await;
    for recycling in [Recycling::Fast, Recycling::Verified, Recycling::Clean] {
        let sql = "INSERT INTO seen SELECT count(*), current_setting('work_mem') FROM pg_prepared_statements";
        let mut connections = pool(1, None, recycling);
        connections.settings.insert("work_mem".to_owned(), "7MB".to_owned());
        let ready = bed.ready(&statement(sql, vec![], &connections)).await;
        let mut session = ready.session().await;
        for number in 0..3 {
            assert_eq!(ready.execute(&mut session, number).await.0, Ok(()), "{recycling:?}");
        }
        let seen = "WITH seen AS (DELETE FROM seen RETURNING *) SELECT string_agg(prepared || ' ' || work_mem, ', ') FROM seen";
        let row = bed.client.query_one(seen, &[]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), "1 7MB, 1 7MB, 1 7MB", "{recycling:?}");
    }
}

#[tokio::test]
async fn a_connection_for_each_operation_is_gone_after_it() {
    let bed = Bed::new("CREATE TABLE pids (pid int)").await;
    for protocol in [Protocol::Prepared, Protocol::Extended, Protocol::Simple] {
        let connections = Connections { sharing: Sharing::Operation, protocol, ..Connections::default() };
        let ready = bed.ready(&statement("INSERT INTO pids SELECT pg_backend_pid()", vec![], &connections)).await;
        assert!(ready.target.shares() && ready.target.pool().is_none());
        let mut session = ready.session().await;
        for number in 0..3 {
            assert_eq!(ready.execute(&mut session, number).await.0, Ok(()));
        }
        bed.until_connections("%", 0).await;
    }
    assert_eq!(bed.text("SELECT count(DISTINCT pid) FROM pids").await, "9");
}

#[tokio::test]
async fn settings_and_the_statement_timeout_are_those_of_every_session() {
    let bed = Bed::new("CREATE TABLE seen (x text)").await;
    for mut connections in all_ways() {
        connections.settings.insert("my.name".to_owned(), "it's \\ \"quoted\"".to_owned());
        connections.settings.insert("DateStyle".to_owned(), "SQL, DMY".to_owned());
        let sql = "INSERT INTO seen SELECT current_setting('my.name') || ' ' || date '2025-03-01'";
        let ready = bed.ready(&statement(sql, vec![], &connections)).await;
        assert_eq!(ready.execute(&mut ready.session().await, 0).await.0, Ok(()), "{connections:?}");
        let row = bed.client.query_one("DELETE FROM seen RETURNING x", &[]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), "it's \\ \"quoted\" 01/03/2025", "{connections:?}");

        connections.statement_timeout = Some(Duration::from_millis(20));
        let ready = bed.ready(&statement("SELECT pg_sleep(600)", vec![], &connections)).await;
        let mut session = ready.session().await;
        for number in 0..2 {
            let failure = ready.execute(&mut session, number).await.0.unwrap_err();
            assert_eq!((failure.kind, failure.code()), (FailureKind::Timeout, "57014"), "{connections:?}");
        }
    }
}

#[tokio::test]
async fn what_a_session_holds_can_be_cancelled() {
    let bed = Bed::new("").await;
    for connections in all_ways() {
        let ready = bed.ready(&statement("SELECT pg_sleep(600)", vec![], &connections)).await;
        let mut session = ready.session().await;
        let cancellation = session.cancellation();
        let ((outcome, _), ()) = tokio::join!(ready.execute(&mut session, 0), async {
            let asleep = "SELECT (count(*) = 1)::text FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
            while bed.text(asleep).await != "true" {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            cancellation.await;
        });
        assert_eq!(outcome.unwrap_err().code(), "57014", "{connections:?}");
    }
}

#[tokio::test]
async fn a_connection_that_dies_is_lost_and_replaced() {
    let bed = Bed::new("").await;
    for connections in all_ways() {
        let ready = bed.ready(&statement("SELECT pg_sleep(0)", vec![], &connections)).await;
        let mut session = ready.session().await;
        session.acquire().await.unwrap();
        let kill = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = 'latclinic load'";
        bed.text(kill).await;
        let failure = session.execute(&ready.operation(0, 0), &mut Steps::default()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Connection, "{connections:?}: {failure}");
        let mut session = ready.session().await;
        assert_eq!(ready.execute(&mut session, 1).await.0, Ok(()), "{connections:?}");
    }
}

#[tokio::test]
async fn more_connections_than_there_can_be_are_refused_before_the_run() {
    let bed = Bed::new("").await;
    let own = Connections::default();
    check_room(&bed.client, &own, 99).await.unwrap();
    let error = check_room(&bed.client, &own, 100).await.unwrap_err();
    insta::assert_snapshot!(format!("{error}; {}", error.hint().unwrap()), @"100 clients need 100 connections, and the server has 99 free: of its max_connections, 100, 0 are reserved for other roles and 1 in use; use fewer `clients`, a `pool`, or raise max_connections");
    let other = bed.server.connector().connect_unprotected("test").await.unwrap();
    let error = check_room(&bed.client, &pool(100, None, Recycling::Fast), 8).await.unwrap_err();
    insta::assert_snapshot!(format!("{error}; {}", error.hint().unwrap()), @"a pool of 100 needs 100 connections, and the server has 98 free: of its max_connections, 100, 0 are reserved for other roles and 2 in use; use a smaller `pool`, or raise max_connections");
    drop(other);
}
