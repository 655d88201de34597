//! What is told before anything is sent.

use latclinic::{
    engine::{FailureKind, Target},
    scenario::{Connections, Value},
};

use crate::{Bed, all_ways, constant, result, script, statement};

#[tokio::test]
async fn what_a_script_cannot_read_is_told_with_file_and_step() {
    let bed = Bed::new("CREATE TABLE comments (id bigint, author_id bigint, body text)").await;
    let mut told = Vec::new();
    for (sql, parameter, for_each) in [
        ("SELECT $1::bigint", result(0, "author", false), None),
        ("SELECT $1::bigint", result(0, "body", false), None),
        ("SELECT 1 WHERE 1 = ANY ($1::int[])", result(0, "body", true), None),
        ("SELECT $1::bigint", result(1, "id", false), None),
        ("SELECT $1::int", constant(Value::Int(1)), Some(1)),
    ] {
        let steps = vec![
            ("comments", None, "SELECT * FROM comments", vec![]),
            ("write", None, "DELETE FROM comments", vec![]),
            ("reader", for_each, sql, vec![parameter]),
        ];
        let error = bed.refused(&script(steps, false, &Connections::default())).await;
        assert!(error.is_usage());
        told.push(format!("{error}\n  {}", error.hint().unwrap()));
    }
    insta::assert_snapshot!(told.join("\n"), @"");
}

#[tokio::test]
async fn a_setting_that_the_server_does_not_take_is_named() {
    let bed = Bed::new("").await;
    let mut told = Vec::new();
    for (name, value) in [("work_men", "7MB"), ("work_mem", "much"), ("max_connections", "7")] {
        let mut connections = Connections::default();
        connections.settings.insert(name.to_owned(), value.to_owned());
        let error = bed.refused(&statement("SELECT 1", vec![], &connections)).await;
        assert!(error.is_usage());
        told.push(format!("{error}\n  {}", error.hint().unwrap_or_default()));
    }
    insta::assert_snapshot!(told.join("\n"), @"");
}

#[tokio::test]
async fn a_session_that_cannot_be_opened_says_why() {
    let bed = Bed::new("").await;
    for connections in all_ways() {
        let ready = bed.ready(&statement("SELECT 1", vec![], &connections)).await;
        bed.client.batch_execute("ALTER DATABASE latclinic ALLOW_CONNECTIONS false").await.unwrap();
        let failure = ready.target.connect(0).await.err().unwrap();
        bed.client.batch_execute("ALTER DATABASE latclinic ALLOW_CONNECTIONS true").await.unwrap();
        assert_eq!((failure.kind, failure.code()), (FailureKind::Connection, "55000"), "{connections:?}: {failure}");
        assert!(failure.to_string().contains("not currently accepting connections"), "{failure}");
    }
}
