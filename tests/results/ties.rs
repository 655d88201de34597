//! LIMIT and OFFSET: rows of the same sort key in place of each other are no difference.

use crate::{Bed, of, only, rewritten, up_to};

/// Ten events of each of 20 moments, by 2 users.
const EVENTS: &str = "
    CREATE TABLE events (id int, user_id int, at int, note text);
    INSERT INTO events SELECT id, id % 2, id / 10, 'note ' || id FROM generate_series(0, 199) AS id;
    ANALYZE events";

/// The same rows in another place of the table, so that a scan meets them in another order.
const TURN: &str = "
    CREATE TABLE turned AS SELECT * FROM events ORDER BY id DESC;
    TRUNCATE events;
    INSERT INTO events SELECT * FROM turned;
    DROP TABLE turned;
    ANALYZE events";

#[tokio::test]
async fn another_row_of_the_same_key_at_the_limit_is_a_tie() {
    for sql in [
        "SELECT id, at FROM events WHERE user_id <= $1 ORDER BY at DESC LIMIT 15",
        // The key is not in the output.
        "SELECT e.note FROM events AS e WHERE user_id <= $1 ORDER BY e.at DESC LIMIT 15",
        "SELECT note FROM events WHERE user_id <= $1 ORDER BY at % 10, at / 10 OFFSET 5",
    ] {
        let bed = Bed::new(EVENTS).await;
        let check = bed.check(&of(sql, vec![up_to(9)]), TURN).await;
        let found = only(&check);
        assert_eq!(
            (found.identical, found.ties > 0, found.deterministic),
            (Some(true), true, true),
            "{sql}: {found:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_cut_is_no_tie() {
    let bed = Bed::new(EVENTS).await;
    // All ten rows of a moment are there, in any order.
    let whole = "SELECT note FROM events WHERE at >= 10 AND user_id <= $1 ORDER BY at LIMIT 1000";
    let check = bed.check(&of(whole, vec![up_to(9)]), TURN).await;
    assert_eq!((check.identical, only(&check).ties), (Some(true), 0), "{check:?}");
    let check = bed.check(&of(whole, vec![up_to(9)]), "UPDATE events SET note = 'other' WHERE id = 199").await;
    let found = only(&check);
    assert_eq!((found.identical, found.ties), (Some(false), 0), "{found:?}");
    assert_eq!(found.difference.as_ref().unwrap().after, Some(vec![Some("other".to_owned())]));

    // A row of another key is a difference at the limit too.
    let first = "SELECT id FROM events WHERE user_id <= $1 ORDER BY at, id LIMIT $2";
    let check = bed.check(&of(first, vec![up_to(9), up_to(50)]), "DELETE FROM events WHERE id = 0").await;
    let found = only(&check);
    let difference = found.difference.as_ref().unwrap();
    assert_eq!((found.identical, difference.row), (Some(false), 1), "{found:?}");
    let cell = |row: &Option<Vec<Option<String>>>| row.as_ref().map(|row| row[0].clone().unwrap());
    assert_eq!((cell(&difference.before).as_deref(), cell(&difference.after).as_deref()), (Some("0"), Some("1")));
}

#[tokio::test]
async fn a_limit_without_order_is_undecided_when_rows_differ() {
    let bed = Bed::new(EVENTS).await;
    let some = of("SELECT id FROM events WHERE user_id <= $1 LIMIT 5", vec![up_to(9)]);
    assert_eq!(bed.check(&some, "").await.identical, Some(true));
    let check = bed.check(&some, TURN).await;
    let found = only(&check);
    assert_eq!((found.identical, found.deterministic), (None, true));
    let reason = "10 of 10 results differ: it has LIMIT or OFFSET without ORDER BY, which may return any rows";
    assert_eq!(found.reason.as_deref(), Some(reason));
    // Fewer rows than the limit are all rows.
    let few = of("SELECT note FROM events WHERE id = $1 LIMIT 5", vec![up_to(9)]);
    assert_eq!(bed.check(&few, "UPDATE events SET note = 'other'").await.identical, Some(false));
}

#[tokio::test]
async fn a_choice_within_a_statement_is_named() {
    for (sql, part) in [
        ("SELECT id FROM (SELECT id FROM events WHERE user_id <= $1 ORDER BY at LIMIT 5) AS e", "a query within it"),
        ("SELECT DISTINCT ON (at) at, id FROM events WHERE user_id <= $1 ORDER BY at", "DISTINCT ON"),
        ("SELECT string_agg(note, ',') FROM events WHERE user_id <= $1", "an aggregate"),
    ] {
        let bed = Bed::new(EVENTS).await;
        let check = bed.check(&of(sql, vec![up_to(9)]), TURN).await;
        let found = only(&check);
        assert_eq!(found.identical, None, "{sql}: {found:?}");
        assert!(found.reason.as_ref().unwrap().contains(part), "{found:?}");
    }
}

#[tokio::test]
async fn a_rewrite_may_break_ties_by_itself() {
    let bed = Bed::new(EVENTS).await;
    let by_time = "SELECT note FROM events AS e WHERE user_id <= $1 ORDER BY e.at LIMIT 15";
    let and_id = "SELECT note FROM events WHERE user_id <= $1 ORDER BY at, id DESC LIMIT 15";
    let check = bed.check(&rewritten(by_time, and_id, vec![up_to(9)]), "").await;
    let found = only(&check);
    assert_eq!((found.identical, found.ties), (Some(true), 50), "{found:?}");
    let by_id = "SELECT note FROM events ORDER BY 0 * $1::int + id LIMIT 15";
    let check = bed.check(&rewritten(by_time, by_id, vec![up_to(9)]), TURN).await;
    assert_eq!(check.identical, Some(false), "{check:?}");
}
