//! Parameter values for plans, found in the data.

use latclinic::{
    record::{Phase, PlanFigures, ValueSource},
    scenario::{Classes, Generator, ParameterSource, Scenario},
};

use super::{Bed, statement, with_statements};

/// Users 0 to 99, all sent alike.
fn drawn(text: &str) -> Scenario {
    let mut scenario = with_statements(vec![statement("find", text)]);
    let users = Generator::Uniform { min: 0.0, max: 99.0, decimals: 0 };
    scenario.statements[0].parameters = vec![ParameterSource::Generator(users).into()];
    scenario.statements[0].classes = Classes::default();
    scenario
}

async fn plans(bed: &Bed, scenario: &Scenario, change: &str) -> Vec<PlanFigures> {
    bed.seed(scenario).await;
    let client = bed.clinic.connector().connect_unprotected("test").await.unwrap();
    client.batch_execute(&format!("SET search_path = latclinic_events; {change}")).await.unwrap();
    bed.explain(scenario, Phase::Before).await.unwrap().captured.figures
}

fn told(plans: &[PlanFigures]) -> Vec<(&str, &str, Option<u64>, Option<u64>)> {
    let of = |plan: &'_ PlanFigures| (plan.value_rows[0], plan.rows_returned);
    plans.iter().map(|plan| (plan.class.as_str(), plan.parameters[0].as_str(), of(plan).0, of(plan).1)).collect()
}

#[tokio::test]
async fn the_table_says_which_values_are_hot_and_which_absent() {
    let bed = Bed::new();
    // 77 is hot, 13 cold and 50 has gone, whatever the load sends most.
    let change = "UPDATE events SET user_id = 77 WHERE id <= 5000; DELETE FROM events WHERE user_id = 50; \
        DELETE FROM events WHERE user_id = 13 AND id <> (SELECT max(id) FROM events WHERE user_id = 13)";
    let scenario = drawn("SELECT id FROM events AS e WHERE e.user_id = $1");
    let plans = plans(&bed, &scenario, change).await;
    let told = told(&plans);
    let [hot, typical, cold, absent] = told[..] else { panic!("{told:?}") };
    assert_eq!((hot.1, cold.1, absent.1), ("77", "13", "50"));
    assert!(hot.2 > Some(5000) && hot.2 == hot.3 && typical.2 == typical.3, "{told:?}");
    assert!(typical.2 > Some(50) && typical.2 < Some(300), "{told:?}");
    assert_eq!((cold.2, cold.3, absent.2, absent.3), (Some(1), Some(1), Some(0), Some(0)));
    assert!(plans.iter().all(|plan| plan.values_from == [ValueSource::Data]));
}

#[tokio::test]
async fn an_absent_value_is_looked_for_until_it_is() {
    let bed = Bed::new();
    // 100, the first that cannot be drawn, is there.
    let scenario = drawn("UPDATE events SET id = id WHERE user_id::int8 = $1");
    let plans = plans(&bed, &scenario, "UPDATE events SET user_id = 100 WHERE id = 1").await;
    let told = told(&plans);
    assert_eq!((told[3].1, told[3].2), ("101", Some(0)), "{told:?}");
}

#[tokio::test]
async fn what_is_no_column_of_a_table_follows_from_the_load() {
    let bed = Bed::new();
    let scenario = drawn("SELECT id FROM events WHERE user_id > $1 LIMIT 5");
    let plans = plans(&bed, &scenario, "").await;
    assert!(plans[..4].iter().all(|plan| plan.values_from == [ValueSource::Distribution]), "{plans:?}");
    assert!(plans.iter().all(|plan| plan.value_rows == [None]));
}

/// The rows of a table that others inherit from are those of all of them: so are its pages.
#[tokio::test]
async fn the_rows_of_heirs_count() {
    let bed = Bed::new();
    let scenario = drawn("SELECT id FROM events AS e WHERE e.user_id = $1");
    let change = "CREATE TABLE heir () INHERITS (events); \
        INSERT INTO heir (id, user_id) SELECT 10000000 + n, 42 FROM generate_series(1, 30000) AS n";
    let plans = plans(&bed, &scenario, change).await;
    let told = told(&plans);
    assert_eq!(told[0].1, "42", "{told:?}");
    assert!(told[0].2 >= Some(30_000) && told[0].2 == told[0].3, "{told:?}");
}
