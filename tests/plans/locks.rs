//! Locks of other sessions end the wait of a plan, and are told as such.

use std::time::Duration;

use latclinic::clinic::{self, ErrorKind};

use super::query::Bed;

#[tokio::test]
async fn a_locked_table_is_waited_for_no_longer_than_seconds() {
    let bed = Bed::new().await;
    bed.client.batch_execute("BEGIN; LOCK TABLE items IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let error = bed.ask("SELECT count(*) FROM items", &[], false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    insta::assert_snapshot!(
        format!("{error}; help: {}", error.hint().unwrap()),
        @"the statement: it does not prepare: another session holds a lock that it needs: canceling statement due to lock timeout (SQLSTATE 55P03); help: let the transaction that holds it end (pg_locks shows its process), then try again"
    );
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_a_lock() {
    let bed = Bed::new().await;
    bed.client.batch_execute("BEGIN; LOCK TABLE items IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let watcher = bed.clinic.connector().connect_unprotected("test").await.unwrap();
    let (found, ()) = tokio::join!(bed.ask("SELECT count(*) FROM items", &[], false), async {
        let waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        while watcher.query(waiting, &[]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        bed.stop.cancel();
    });
    assert_eq!(found.unwrap_err().kind(), ErrorKind::Interrupted);
}

#[tokio::test]
async fn a_locked_row_is_no_slow_statement() {
    let bed = Bed::new().await;
    bed.client.batch_execute("BEGIN; UPDATE items SET kind = 'held' WHERE id = 1").await.unwrap();
    let write = "UPDATE items SET kind = 'new' WHERE id = $1";
    let limit = Duration::from_secs(2);
    let values = vec![Some("1".to_owned())];
    let found = clinic::explain_query(&bed.clinic, write, values, true, false, limit, false).await.unwrap();
    assert_eq!(found.notes[0], "not executed: another session holds a lock that it needs");
    assert_eq!((found.plans[0].execution_ms, found.plans[0].first_ms), (None, None));
    let free = bed.ask(write, &["2"], true).await.unwrap();
    assert!(free.plans[0].execution_ms.is_some(), "{free:?}");
}
