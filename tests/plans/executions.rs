//! How often statements are executed for their plans, and for how long.

use std::time::Duration;

use latclinic::{
    clinic::{self, LoadOptions},
    record::Phase,
    scenario::Value,
};

use super::{Bed, parsed, statement, under_load::bench, with_statements};

#[tokio::test]
async fn the_first_execution_is_apart_and_the_plan_is_that_of_the_median() {
    let bed = Bed::new();
    let scenario = with_statements(vec![statement("find", "SELECT id FROM events WHERE user_id = $1")]);
    bed.seed(&scenario).await;
    let captured = bed.explain(&scenario, Phase::Before).await.unwrap().captured;
    let hot = &captured.figures[0];
    assert!(hot.first_ms > Some(0.0), "{hot:?}");
    let mut executions = hot.executions_ms.clone();
    executions.sort_by(f64::total_cmp);
    assert_eq!((executions.len(), hot.execution_ms), (3, Some(executions[1])));
    let json = parsed(&captured.json);
    assert_eq!(json[0]["plan"][0]["Execution Time"].as_f64(), hot.execution_ms);
    assert_eq!(json[0]["executions_ms"].as_array().unwrap().len(), 3);
    assert_eq!((hot.generic_is_same, hot.note.as_deref()), (Some(true), None));
}

#[tokio::test]
async fn the_generic_plan_is_told_where_it_is_another() {
    let bed = Bed::new();
    // Few rows have a user above 90: an index for these, a scan for any.
    let find = "SELECT count(*) FROM events WHERE user_id > $1";
    let mut scenario = with_statements(vec![statement("find", find)]);
    scenario.statements[0].classes.typical = Some(vec![Value::Int(200)]);
    bed.seed(&scenario).await;
    clinic::apply_fix(&bed.clinic, &scenario).await.unwrap();
    let captured = bed.explain(&scenario, Phase::After).await.unwrap().captured;
    let told: Vec<_> =
        captured.figures.iter().map(|plan| (plan.class.as_str(), plan.scans.join(" "), plan.generic_is_same)).collect();
    let of = |wanted: &str| told.iter().find(|(class, ..)| *class == wanted).unwrap().clone();
    assert_eq!(of("generic").2, None);
    assert_eq!((of("hot").2, of("typical").2), (Some(false), Some(true)), "{told:?}");
    assert_ne!(of("generic").1, of("hot").1);
    let generic = captured.figures.iter().find(|plan| plan.class == "generic").unwrap();
    assert_eq!((generic.parameters.as_slice(), generic.rows_returned), (&["200".to_owned()][..], Some(1)));
    let json = parsed(&captured.json);
    let json = &json.as_array().unwrap().iter().find(|plan| plan["class"] == "generic").unwrap()["plan"];
    assert!(json.to_string().contains("$1"), "{json}");
}

#[tokio::test]
async fn what_takes_too_long_is_explained_without_executing_it() {
    let bed = Bed::new();
    let slow = "SELECT pg_sleep(CASE WHEN $1::int = 5 THEN 600 ELSE 0 END) FROM events WHERE id = 1";
    let write = "UPDATE events SET user_id = -7 WHERE user_id = $1";
    let scenario = with_statements(vec![statement("slow", slow), statement("write", write)]);
    bed.seed(&scenario).await;
    let outcome = bed.explain_within(&scenario, Phase::Before, Duration::from_millis(300)).await.unwrap();
    let of = |name: &str, class: &str| {
        let found = outcome.captured.figures.iter().find(|plan| plan.statement == name && plan.class == class);
        found.unwrap().clone()
    };
    let hot = of("slow", "hot");
    assert_eq!(hot.note.as_deref(), Some("not executed: it takes more than 0.3 s"));
    assert_eq!((hot.execution_ms, hot.first_ms, hot.rows_returned, hot.buffers()), (None, None, None, None));
    assert!(hot.executions_ms.is_empty() && hot.shape.contains("events"), "{hot:?}");
    assert!(of("slow", "cold").execution_ms.is_some(), "the session goes on");
    assert!(of("write", "absent").execution_ms.is_some());
    assert!(outcome.captured.text.contains("not executed: it takes more than 0.3 s\n"));
    assert!(!parsed(&outcome.captured.json)[0]["plan"].to_string().contains("Actual Rows"));

    let client = bed.clinic.connector().connect_unprotected("test").await.unwrap();
    let left = client.query_one("SELECT count(*) FROM latclinic_events.events WHERE user_id = -7", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn while_measured_a_slow_statement_leaves_the_others_their_time() {
    let bed = Bed::new();
    // Slow for a hot value, which the load does not send.
    let slow = "SELECT pg_sleep(CASE WHEN $1::int = 5 THEN 600 ELSE 0 END) FROM events WHERE id = 1";
    let find = "SELECT id FROM events WHERE user_id = $1";
    let others = ["one", "two", "three"].map(|name| statement(name, find));
    let scenario = with_statements([vec![statement("slow", slow)], others.into()].concat());
    bed.seed(&scenario).await;
    let record = bench(&bed, &scenario, Phase::Before, LoadOptions::default()).await;
    let plans = record.plans;
    for plan in &plans {
        let note = "not executed: its share of the 60 s time limit for all plans is too short";
        let expected = (plan.statement == "slow").then_some(note);
        assert_eq!(plan.note.as_deref(), expected, "{plan:?}");
        assert_eq!(plan.execution_ms.is_none(), expected.is_some(), "{plan:?}");
    }
    assert!(plans.len() >= 16, "{plans:?}");
}

#[tokio::test]
async fn findings_come_with_the_plans() {
    let bed = Bed::new();
    let mut scenario = with_statements(vec![statement("find", "SELECT id FROM events WHERE user_id = $1")]);
    scenario.dataset.tables[0].rows = 100_000;
    bed.seed(&scenario).await;
    let before = bed.explain(&scenario, Phase::Before).await.unwrap();
    let top = before.findings.first().unwrap();
    assert_eq!((top.rule.as_str(), top.statement.as_deref()), ("seq-scan-filter", Some("find")));
    let saved = std::fs::read_to_string(before.folder.as_ref().unwrap().join("findings.json")).unwrap();
    assert!(saved.contains("seq-scan-filter"), "{saved}");
    let [examination] = &before.captured.examinations(&before.findings)[..] else { panic!("one statement") };
    assert_eq!((examination.plans.len(), examination.findings.len()), (4, before.findings.len()));
}
