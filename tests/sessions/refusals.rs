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
    insta::assert_snapshot!(told.join("\n"), @"
    probe.toml: reader.sql:1: statement probe.reader: parameter $1 reads column author of step comments, which has id, author_id, body
      did you mean author_id?
    probe.toml: reader.sql:1: statement probe.reader: parameter $1 takes int8, and column body of step comments gives text
      cast it in the SQL of step comments: body::int8 AS body
    probe.toml: reader.sql:1: statement probe.reader: parameter $1 takes int4[], and column body of all rows of step comments gives text[]
      cast it in the SQL of step comments: body::int4 AS body
    probe.toml: reader.sql:1: statement probe.reader: parameter $1 reads column id of step write, which returns no rows
      let it return them: SELECT, or RETURNING
    probe.toml: reader.sql:1: statement probe.reader: it is executed for each row of step write, which returns no rows
      let that step return rows (SELECT, or RETURNING), or take `for_each` out
    ");
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
        told.push(error.to_string());
        told.extend(error.hint().map(|hint| format!("  {hint}")));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    the setting work_men = "7MB" of the load is refused: unrecognized configuration parameter "work_men" (SQLSTATE 42704)
      did you mean work_mem?
    the setting work_mem = "much" of the load is refused: invalid value for parameter "work_mem": "much" (SQLSTATE 22023)
    the setting max_connections = "7" of the load is refused: parameter "max_connections" cannot be changed without restarting the server (SQLSTATE 55P02)
    "#);
}

#[tokio::test]
async fn a_session_that_cannot_be_opened_says_why() {
    let bed = Bed::new("").await;
    for connections in all_ways() {
        let ready = bed.ready(&statement("SELECT 1", vec![], &connections)).await;
        bed.client.batch_execute("ALTER ROLE latclinic NOLOGIN").await.unwrap();
        let failure = ready.target.connect(0).await.err().unwrap();
        bed.client.batch_execute("ALTER ROLE latclinic LOGIN").await.unwrap();
        assert_eq!((failure.kind, failure.code()), (FailureKind::Connection, "28000"), "{connections:?}: {failure}");
        assert!(failure.to_string().contains("is not permitted to log in"), "{failure}");
    }
}
