//! How long the comparison of results may take, and what is compared then.

use std::time::{Duration, Instant};

use super::*;

/// A limit in milliseconds.
fn limited(scenario: Scenario, milliseconds: u64) -> Scenario {
    let results = Results { time_limit: Duration::from_millis(milliseconds), ..scenario.results.clone() };
    Scenario { results, ..scenario }
}

#[tokio::test]
async fn what_there_is_no_time_for_is_counted_and_the_rest_compared() {
    let bed = Bed::new("SELECT 1").await;
    let scenario = of("SELECT $1::int8, pg_sleep(0.15)", vec![up_to(1000)]);
    let begun = Instant::now();
    let check = bed.check(&limited(scenario, 1000), "SELECT 1").await;
    let took = begun.elapsed();
    let compared = only(&check).compared;
    assert_eq!((check.identical, compared + check.not_compared), (Some(true), 30));
    assert!(compared >= 1 && check.not_compared >= 1, "{check:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let unlimited = bed.check(&limited(of("SELECT $1::int8", vec![up_to(1000)]), 60_000), "SELECT 1").await;
    assert_eq!((only(&unlimited).compared, unlimited.not_compared), (30, 0));
}

#[tokio::test]
async fn an_execution_without_end_is_given_up_and_decides_nothing() {
    let bed = Bed::new("SELECT 1").await;
    let begun = Instant::now();
    let check = bed.check(&limited(of("SELECT $1::int8, pg_sleep(3600)", vec![up_to(1000)]), 500), "SELECT 1").await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!((check.identical, only(&check).compared, check.not_compared), (None, 0, 30));
    let reason = only(&check).reason.clone().unwrap();
    assert!(reason.contains("raise the time limit for comparing results"), "{reason}");
}

#[tokio::test]
async fn every_operation_has_its_classes_compared_before_any_has_more() {
    let bed = Bed::new("SELECT 1").await;
    let statements =
        (0..3).map(|number| statement(&format!("s{number}"), "SELECT $1::int8, pg_sleep(0.05)", vec![up_to(1000)]));
    let check = bed.check(&limited(of_statements(statements.collect()), 800), "SELECT 1").await;
    let compared: Vec<u64> = check.statements.iter().map(|statement| statement.compared).collect();
    let (least, most) = (compared.iter().min().unwrap(), compared.iter().max().unwrap());
    assert!(*least >= 1 && most - least <= 1, "{compared:?}");
}

#[tokio::test]
async fn statements_that_write_the_same_row_do_not_meet() {
    let bed =
        Bed::new("CREATE TABLE counters (id int PRIMARY KEY, n int); INSERT INTO counters VALUES (1, 0), (2, 0)").await;
    let text = "UPDATE counters SET n = n + $1::int4 WHERE id IN (1, 2) RETURNING id, n";
    let scenario = limited(of(text, vec![up_to(1000)]), 60_000);
    let check = bed.check(&scenario, "CREATE INDEX ON counters (n)").await;
    assert_eq!((check.identical, only(&check).compared, check.not_compared), (Some(true), 30, 0), "{check:?}");
    assert_eq!(bed.text("SELECT sum(n) FROM counters").await, "0");
}
