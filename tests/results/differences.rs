//! What is the same, what differs, and what cannot be told.

use latclinic::{
    clinic::ErrorKind,
    scenario::{Generator, Script, Step, Value},
};

use crate::{Bed, of, of_statements, only, rewritten, statement, up_to};

const EVENTS: &str = "
    CREATE TABLE events (id bigint PRIMARY KEY, user_id int, note text, amount float8);
    INSERT INTO events SELECT id, id % 50, nullif('note ' || id % 7, 'note 3'), 0.1 * (id % 97)
        FROM generate_series(1, 2000) AS id;
    ANALYZE events";

#[tokio::test]
async fn an_index_changes_no_rows() {
    let bed = Bed::new(EVENTS).await;
    let scenario = of_statements(vec![
        statement("find", "SELECT * FROM events WHERE user_id = $1", vec![up_to(60)]),
        statement("latest", "SELECT id, note FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 5", vec![up_to(60)]),
        // Another plan adds in another order.
        statement(
            "sum",
            "SELECT user_id, sum(amount) FROM events WHERE user_id <= $1 GROUP BY user_id",
            vec![up_to(60)],
        ),
        statement("all", "SELECT count(*) FROM events", vec![]),
    ]);
    let check = bed.check(&scenario, "CREATE INDEX ON events (user_id, amount DESC)").await;
    assert_eq!(check.identical, Some(true), "{check:?}");
    let told: Vec<_> = check.statements.iter().map(|of| (of.name.as_str(), of.compared, of.ordered, of.ties)).collect();
    assert_eq!(told, [("find", 30, false, 0), ("latest", 30, true, 0), ("sum", 30, false, 0), ("all", 1, false, 0)]);
    assert!(check.statements.iter().all(|of| of.deterministic && of.reason.is_none() && of.difference.is_none()));
    let steps = bed.told.0.lock().unwrap();
    assert!(steps.contains(&"results before: 0 of 152 executions".to_owned()), "{steps:?}");
}

#[tokio::test]
async fn a_rewrite_whose_rows_differ_is_shown_with_its_parameters_and_both_rows() {
    let bed = Bed::new(EVENTS).await;
    let find = "SELECT id, coalesce(note, 'none') AS note FROM events WHERE id = $1";
    let scenario = rewritten(find, "SELECT id, note AS text FROM events WHERE id = $1", vec![up_to(2000)]);
    let check = bed.check(&scenario, "").await;
    let found = only(&check);
    assert_eq!((found.identical, found.deterministic), (Some(false), true));
    let difference = found.difference.as_ref().unwrap();
    let id: i64 = difference.parameters[0].parse().unwrap();
    assert_eq!((id % 7, difference.row, difference.columns.join(" ").as_str()), (3, 1, "id note"));
    let row = |note: Option<&str>| Some(vec![Some(id.to_string()), note.map(str::to_owned)]);
    assert_eq!((&difference.before, &difference.after), (&row(Some("none")), &row(None)));
    assert!(found.reason.as_ref().unwrap().ends_with(" of 30 results differ"), "{found:?}");

    // One row less.
    let less =
        rewritten("SELECT id FROM events WHERE id <= $1", "SELECT id FROM events WHERE id < $1", vec![up_to(2000)]);
    let check = bed.check(&less, "").await;
    let difference = only(&check).difference.as_ref().unwrap();
    assert_eq!(
        (&difference.before.as_ref().unwrap()[0], &difference.after),
        (&Some(difference.parameters[0].clone()), &None)
    );

    // Another number of columns, and names and types that do not matter.
    let wider =
        rewritten("SELECT id FROM events WHERE id = $1", "SELECT id, 1 FROM events WHERE id = $1", vec![up_to(9)]);
    let check = bed.check(&wider, "").await;
    assert_eq!(only(&check).difference.as_ref().unwrap().columns, ["number of columns"]);
    let named = rewritten(
        "SELECT id, user_id FROM events WHERE id = $1",
        "SELECT id::numeric AS other, user_id::text FROM events WHERE id = $1",
        vec![up_to(9)],
    );
    assert_eq!(bed.check(&named, "").await.identical, Some(true));
}

#[tokio::test]
async fn the_order_counts_where_the_statement_orders_and_only_there() {
    let bed = Bed::new(EVENTS).await;
    let by_id = "SELECT id, note FROM events WHERE user_id = $1 ORDER BY id";
    let turned = "SELECT id, note FROM events WHERE user_id = $1 ORDER BY id DESC";
    let check = bed.check(&rewritten(by_id, turned, vec![up_to(49)]), "").await;
    let found = only(&check);
    assert_eq!((found.identical, found.ordered), (Some(false), true));
    assert_eq!(found.difference.as_ref().unwrap().row, 1);

    let any = "SELECT id, note FROM events WHERE user_id = $1";
    let check = bed.check(&rewritten(any, turned, vec![up_to(49)]), "").await;
    assert_eq!((check.identical, only(&check).ordered), (Some(true), false), "{check:?}");
    // As often: a multiset, no set.
    let twice = "SELECT user_id FROM events WHERE user_id = $1 UNION ALL SELECT user_id FROM events WHERE id = $1";
    let check =
        bed.check(&rewritten("SELECT user_id FROM events WHERE user_id = $1", twice, vec![up_to(49)]), "").await;
    assert_eq!(check.identical, Some(false));
}

#[tokio::test]
async fn what_differs_by_itself_is_told_apart() {
    let bed = Bed::new(&format!("{EVENTS}; CREATE TABLE written (id serial, user_id int)")).await;
    let scenario = of_statements(vec![
        statement("chance", "SELECT id, random() FROM events WHERE user_id = $1", vec![up_to(49)]),
        statement("serial", "INSERT INTO written (user_id) VALUES ($1) RETURNING id", vec![up_to(49)]),
        statement("silent", "INSERT INTO written (user_id) VALUES ($1)", vec![up_to(49)]),
        statement("find", "SELECT id FROM events WHERE user_id = $1", vec![up_to(49)]),
    ]);
    let check = bed.check(&scenario, "").await;
    assert_eq!(check.identical, None);
    let told: Vec<_> = check.statements.iter().map(|of| (of.name.as_str(), of.identical, of.deterministic)).collect();
    let expected =
        [("chance", None, false), ("serial", None, false), ("silent", Some(true), true), ("find", Some(true), true)];
    assert_eq!(told, expected);
    assert_eq!(check.statements[1].reason.as_deref(), Some("two executions before the fix gave different results"));
    assert_eq!(check.statements[1].difference, None);

    // It shows only later than in the first sets, and only after.
    let late = "SELECT CASE WHEN $1 < 1900 THEN 1 ELSE nextval('written_id_seq') END";
    let mut scenario = rewritten("SELECT 1::bigint + 0 * $1", late, vec![up_to(2000)]);
    scenario.results.sample = 200;
    let check = bed.check(&scenario, "").await;
    assert_eq!((check.identical, only(&check).deterministic), (None, false), "{check:?}");

    // Time goes on between the phases, not between two executions of one.
    let aged = "SELECT id FROM events WHERE id = $1 AND now() > '2000-01-01'";
    let check = bed.check(&of(aged, vec![up_to(9)]), "DELETE FROM events WHERE id = 5").await;
    let found = only(&check);
    assert_eq!((found.identical, found.deterministic), (None, false));
    assert!(found.reason.as_ref().unwrap().starts_with("its text has now(), "), "{found:?}");
}

#[tokio::test]
async fn statements_that_write_leave_nothing_behind_and_are_compared() {
    let bed = Bed::new(EVENTS).await;
    let scenario = of_statements(vec![
        statement("insert", "INSERT INTO events (id, user_id) VALUES (-$1::bigint, 1) RETURNING *", vec![up_to(49)]),
        statement("update", "UPDATE events SET note = 'x' WHERE user_id = $1", vec![up_to(49)]),
        statement("delete", "DELETE FROM events WHERE user_id <= $1", vec![up_to(49)]),
    ]);
    let sum = "SELECT sum(hashtext(events::text)) FROM events";
    let before = bed.text(sum).await;
    let check = bed.check(&scenario, "CREATE INDEX ON events (user_id)").await;
    assert_eq!(check.identical, Some(true), "{check:?}");
    assert_eq!(bed.text(sum).await, before);

    let check = bed.check(&scenario, "DELETE FROM events WHERE user_id = 7 AND id > 1000").await;
    let told: Vec<_> = check.statements.iter().map(|of| of.identical).collect();
    assert_eq!(told, [Some(true), Some(false), Some(false)]);
    let difference = check.statements[1].difference.as_ref().unwrap();
    assert_eq!((difference.columns.join(""), difference.row), ("rows written".to_owned(), 0));
}

#[tokio::test]
async fn errors_are_answers_but_not_all_of_them() {
    let bed = Bed::new(EVENTS).await;
    let divide = of("SELECT 1 / ($1::int - 5)", vec![up_to(9)]);
    let check = bed.check(&divide, "").await;
    assert_eq!((check.identical, only(&check).compared), (Some(true), 10), "{check:?}");
    let check = bed.check(&rewritten("SELECT $1::int", "SELECT 12 / ($1::int - 5)", vec![up_to(5)]), "").await;
    assert_eq!(check.identical, Some(false));
    let check = bed.check(&of("SELECT $1::int / 0", vec![up_to(9)]), "").await;
    let found = only(&check);
    assert_eq!(found.identical, None);
    assert!(found.reason.as_ref().unwrap().starts_with("each of 10 executions failed: division by zero"), "{found:?}");
}

#[tokio::test]
async fn what_cannot_be_executed_in_a_transaction_or_read_is_undecided() {
    let bed = Bed::new(EVENTS).await;
    let mut scenario = of_statements(vec![
        statement("script.begin", "BEGIN", vec![]),
        statement("script.delete", "DELETE FROM events WHERE id <= $1", vec![up_to(9)]),
        statement("script.commit", "COMMIT", vec![]),
        statement("copy", "COPY events TO STDOUT", vec![]),
        statement("vacuum", "VACUUM events", vec![]),
        statement("find", "SELECT id FROM events WHERE id = $1", vec![up_to(9)]),
    ]);
    let steps = (0..3).map(|statement| Step { statement, for_each: None }).collect();
    let script = Script { name: "script".into(), weight: 1.0, transaction: false, steps };
    scenario.scripts.splice(..3, [script]);
    let check = bed.check(&scenario, "").await;
    let told: Vec<_> = check.statements.iter().map(|of| of.identical).collect();
    assert_eq!(told, [None, Some(true), None, None, None, Some(true)], "{check:?}");
    assert_eq!(bed.text("SELECT count(*) FROM events").await, "2000");
    let reason = "not every execution succeeded: it begins or ends a transaction, as only the check itself may";
    assert_eq!(check.statements[2].reason.as_deref(), Some(reason));
}

#[tokio::test]
async fn values_of_every_kind_go_there_and_back() {
    let bed = Bed::new(
        r#"CREATE TABLE events (id int, a text, b bytea, c jsonb, d timestamptz, e text[]);
           INSERT INTO events VALUES (1, 'it''s \ "x"', '\x00ff', '{"a": [1, null]}', '2026-01-02 03:04:05+00', ARRAY['a', NULL, '{b}']),
                                     (2, NULL, NULL, NULL, NULL, NULL), (3, '', '', 'null', 'infinity', '{}')"#,
    )
    .await;
    let constant =
        |text: &str| latclinic::scenario::ParameterSource::Generator(Generator::Constant(Value::Text(text.to_owned())));
    let scenario = of_statements(vec![
        statement("all", "SELECT * FROM events", vec![]),
        statement("text", "SELECT * FROM events WHERE a = $1", vec![constant(r#"it's \ "x""#)]),
        statement(
            "moment",
            "SELECT id FROM events WHERE d = $1 AND c @> $2",
            vec![constant("2026-01-02 03:04:05"), constant("{}")],
        ),
    ]);
    assert_eq!(bed.check(&scenario, "").await.identical, Some(true));
    // NULL is no empty text.
    let check = bed.check(&scenario, "UPDATE events SET a = NULL WHERE id = 3").await;
    let found = &check.statements[0];
    assert_eq!(found.identical, Some(false));
    let difference = found.difference.as_ref().unwrap();
    let cell = |row: &Option<Vec<Option<String>>>| row.as_ref().unwrap()[1].clone();
    assert_eq!((cell(&difference.before), cell(&difference.after)), (Some(String::new()), None));
}

#[tokio::test]
async fn what_is_too_large_to_be_kept_is_compared_by_its_digest() {
    let bed = Bed::new(
        "CREATE TABLE events AS SELECT id, repeat(md5(id::text), 100) AS note FROM generate_series(1, 12000) AS id",
    )
    .await;
    let scenario = of_statements(vec![
        statement("any", "SELECT id, note FROM events", vec![]),
        statement("ordered", "SELECT note FROM events ORDER BY id % 100", vec![]),
    ]);
    // About 40 MB each.
    let check = bed.check(&scenario, "CREATE INDEX ON events (id); CLUSTER events USING events_id_idx").await;
    assert_eq!(check.identical, Some(true), "{check:?}");
    let check = bed.check(&scenario, "UPDATE events SET note = md5(note) WHERE id = 77").await;
    let told: Vec<_> = check.statements.iter().map(|of| (of.identical, of.difference.is_some())).collect();
    assert_eq!(told, [(Some(false), false), (Some(false), false)]);
    let check = bed.check(&scenario, "DELETE FROM events WHERE id = 77").await;
    let difference = check.statements[0].difference.as_ref().unwrap();
    assert_eq!(
        (difference.columns.join(""), &difference.after),
        ("number of rows".to_owned(), &Some(vec![Some("11999".to_owned())]))
    );
}

#[tokio::test]
async fn a_stop_ends_it() {
    let bed = Bed::new(EVENTS).await;
    let slow = of("SELECT pg_sleep(600 + $1::int)", vec![up_to(9)]);
    let running = async {
        let asleep = "SELECT FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'";
        while bed.client.query(asleep, &[]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        bed.stop.cancel();
    };
    let (outcome, ()) = tokio::join!(bed.try_check(&slow, ""), running);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Interrupted);
}
