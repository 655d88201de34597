//! Scripts: what is executed, how often, in which transaction, with what.

use latclinic::{
    engine::FailureKind,
    scenario::{Connections, Value},
};

use crate::{Bed, all_ways, constant, result, script};

const BLOG: &str = "
    CREATE TABLE comments (id int PRIMARY KEY, post int, author bigint);
    INSERT INTO comments SELECT id, id % 2, nullif(id, 7) * 10 FROM generate_series(1, 60) AS id;
    CREATE TABLE looked_up (id serial, author int, tx bigint)";

#[tokio::test]
async fn an_n_plus_1_script_executes_one_query_an_author() {
    let bed = Bed::new(BLOG).await;
    for connections in all_ways() {
        for transaction in [false, true] {
            let way = format!("{connections:?}, transaction {transaction}");
            let comments = "SELECT id, author FROM comments WHERE post = $1 ORDER BY id LIMIT 20";
            let author = "INSERT INTO looked_up (author, tx) VALUES ($1, txid_current())";
            let steps = vec![
                ("comments", None, comments, vec![constant(Value::Int(1))]),
                // The column is a bigint, the parameter an int.
                ("author", Some(0), author, vec![result(0, "author", false)]),
            ];
            let ready = bed.ready(&script(steps, transaction, &connections)).await;
            let mut session = ready.session().await;
            for number in 0..2 {
                bed.client.batch_execute("TRUNCATE looked_up RESTART IDENTITY").await.unwrap();
                let (outcome, steps) = ready.execute(&mut session, number).await;
                assert_eq!(outcome, Ok(()), "{way}");
                assert_eq!(steps[0], (0, true), "{way}");
                assert_eq!(steps[1..], [(1, true); 20], "{way}");
                let authors =
                    bed.text("SELECT string_agg(coalesce(author::text, 'NULL'), ' ' ORDER BY id) FROM looked_up").await;
                let expected: Vec<_> = (0..20)
                    .map(|nth| 2 * nth + 1)
                    .map(|id| if id == 7 { "NULL".into() } else { (10 * id).to_string() })
                    .collect();
                assert_eq!(authors, expected.join(" "), "{way}");
                let transactions = bed.text("SELECT count(DISTINCT tx) FROM looked_up").await;
                assert_eq!(transactions, if transaction { "1" } else { "20" }, "{way}");
            }
        }
    }
}

#[tokio::test]
async fn the_values_of_all_rows_go_as_one_array() {
    let bed = Bed::new(
        r#"CREATE TABLE users (id bigint, name varchar(20));
           INSERT INTO users VALUES (1, 'a"b'), (2, 'c\d'), (3, NULL), (4, 'NULL'), (5, '{e,f} '''), (6, '');
           CREATE TABLE got (ids int[], names varchar[], first text)"#,
    )
    .await;
    for connections in all_ways() {
        let first = "SELECT name, id FROM users WHERE id > $1 ORDER BY id";
        let parameters = vec![result(0, "id", true), result(0, "name", true), result(0, "name", false)];
        let steps = |least| {
            vec![
                ("users", None, first, vec![constant(Value::Int(least))]),
                ("all", None, "INSERT INTO got VALUES ($1, $2, $3)", parameters.clone()),
            ]
        };
        bed.client.batch_execute("TRUNCATE got").await.unwrap();
        let ready = bed.ready(&script(steps(0), false, &connections)).await;
        assert_eq!(ready.execute(&mut ready.session().await, 0).await, (Ok(()), vec![(0, true), (1, true)]));
        let same = "SELECT (SELECT (ids, names, first) FROM got) =
                           (SELECT (array_agg(id::int ORDER BY id), array_agg(name ORDER BY id), 'a\"b'::text) FROM users)";
        assert_eq!(bed.text(same).await, "true", "{connections:?}");

        // Without a row there is no value, nor an array.
        let ready = bed.ready(&script(steps(6), false, &connections)).await;
        assert_eq!(ready.execute(&mut ready.session().await, 0).await, (Ok(()), vec![(0, true)]), "{connections:?}");
    }
}

#[tokio::test]
async fn a_failed_step_leaves_no_transaction_open() {
    let bed =
        Bed::new("CREATE TABLE kept (x int); CREATE TABLE numbers AS SELECT 70000::bigint AS large, 0 AS zero").await;
    for connections in all_ways() {
        let steps = |last, column| {
            vec![
                ("numbers", None, "SELECT * FROM numbers", vec![]),
                ("write", None, "INSERT INTO kept VALUES (1)", vec![]),
                ("fail", None, last, vec![result(0, column, false)]),
                ("never", None, "SELECT 1", vec![]),
            ]
        };
        for (last, column, code) in
            [("SELECT 1 / $1::int", "zero", "22012"), ("INSERT INTO kept VALUES ($1::smallint)", "large", "client")]
        {
            let way = format!("{connections:?}, {last}");
            let ready = bed.ready(&script(steps(last, column), true, &connections)).await;
            let mut session = ready.session().await;
            for number in 0..2 {
                let (outcome, steps) = ready.execute(&mut session, number).await;
                let failure = outcome.unwrap_err();
                assert_eq!(failure.kind, FailureKind::Operation, "{way}: {failure}");
                // In the simple protocol it is the server that sees that the number is too large.
                assert!(failure.code() == code || failure.code() == "22003", "{way}: {failure}");
                assert_eq!(steps, [(0, true), (1, true), (2, false)], "{way}");
                assert_eq!(bed.connections("idle in transaction%").await, 0, "{way}");
            }
            assert_eq!(bed.text("SELECT count(*) FROM kept").await, "0", "{way}");
        }
    }
}

#[tokio::test]
async fn later_steps_see_the_last_result_of_one_that_is_repeated() {
    let bed = Bed::new("CREATE TABLE seen (x int)").await;
    let steps = vec![
        ("series", None, "SELECT x FROM generate_series(1, 3) AS x", vec![]),
        ("ten", Some(0), "SELECT 10 * $1::int AS y WHERE $1::int < 4", vec![result(0, "x", false)]),
        ("write", None, "INSERT INTO seen VALUES ($1)", vec![result(1, "y", false)]),
        ("none", None, "SELECT 1 AS z WHERE false", vec![]),
        ("each", Some(3), "INSERT INTO seen VALUES (0)", vec![]),
        ("needs", None, "INSERT INTO seen VALUES ($1)", vec![result(3, "z", false)]),
    ];
    let ready = bed.ready(&script(steps, false, &Connections::default())).await;
    let (outcome, steps) = ready.execute(&mut ready.session().await, 0).await;
    assert_eq!((outcome, steps.len()), (Ok(()), 6));
    assert_eq!(bed.text("SELECT string_agg(x::text, ' ') FROM seen").await, "30");
}
