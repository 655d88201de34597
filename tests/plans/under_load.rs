//! Plans sampled while the load runs.

use std::time::Duration;

use latclinic::{
    clinic::{self, LoadOptions, Reports, SharingOption},
    record::{Phase, PlansUnderLoad, Record},
    scenario::{Classes, Generator, ParameterSource, Protocol, Scenario, Value},
};

use super::{Bed, statement, with_statements};

pub(super) async fn bench(bed: &Bed, scenario: &Scenario, phase: Phase, options: LoadOptions) -> Record {
    let options = LoadOptions {
        clients: Some(2),
        warmup: Some(Duration::from_millis(400)),
        duration: Some(Duration::from_secs(1)),
        ..options
    };
    let plan = options.plan(scenario).unwrap();
    let reports = Reports { root: bed.reports.path().to_owned(), output: None };
    clinic::bench(&bed.clinic, scenario, phase, &plan, &reports).await.unwrap().record
}

fn under_load(record: &Record) -> &PlansUnderLoad {
    record.plans_under_load.as_ref().unwrap()
}

#[tokio::test]
async fn plans_that_ran_are_seen_and_agree_with_those_captured() {
    let bed = Bed::new();
    let find = "SELECT id FROM events WHERE user_id = $1";
    let write = "UPDATE events SET user_id = user_id WHERE id = $1";
    let scenario = with_statements(vec![statement("find", find), statement("write", write)]);
    bed.seed(&scenario).await;
    let record = bench(&bed, &scenario, Phase::Before, LoadOptions::default()).await;
    let seen = under_load(&record);
    assert_eq!(seen.not_sampled, None);
    let told: Vec<_> = seen.statements.iter().map(|one| (one.statement.as_str(), one.agrees)).collect();
    assert_eq!(told, [("find", Some(true)), ("write", Some(true))], "{seen:?}");
    let find = &seen.statements[0];
    // About 20 are wanted of some thousands.
    assert!((1..500).contains(&find.sampled), "{find:?}");
    assert_eq!(find.plans[0].shape, "Seq Scan on events");
    assert!(find.plans[0].classes.iter().any(|class| class == "hot"), "{find:?}");
    assert!(!record.warnings.iter().any(|warning| warning.id == "plan-differs-under-load"));
}

#[tokio::test]
async fn the_plan_that_ran_is_told_from_those_of_other_values() {
    let bed = Bed::new();
    // The load asks for few rows, by the fix's index; the scenario names values that ask for all.
    let mut scenario = with_statements(vec![statement("find", "SELECT sum(id) FROM events WHERE user_id > $1")]);
    let all = Some(vec![Value::Int(-1)]);
    scenario.statements[0].classes = Classes { hot: all.clone(), typical: all.clone(), cold: all.clone(), absent: all };
    scenario.statements[0].parameters = vec![ParameterSource::Generator(Generator::Constant(Value::Int(98))).into()];
    bed.seed(&scenario).await;
    clinic::apply_fix(&bed.clinic, &scenario).await.unwrap();
    let record = bench(&bed, &scenario, Phase::After, LoadOptions::default()).await;
    let find = &under_load(&record).statements[0];
    assert!(find.plans[0].shape.contains("events_user_id_idx"), "{find:?}");
    assert!(find.plans[0].classes.iter().all(|class| class == "generic"), "{find:?}");
}

#[tokio::test]
async fn a_plan_that_none_was_captured_of_is_warned_of() {
    let bed = Bed::new();
    // Whoever asks for all gets the table read whole, and so does the generic plan, which has to serve both. The load asks for few.
    let mut scenario = with_statements(vec![statement("find", "SELECT sum(id) FROM events WHERE user_id = $1 OR $2")]);
    let all = Some(vec![Value::Int(5), Value::Bool(true)]);
    scenario.statements[0].classes = Classes { hot: all.clone(), typical: all.clone(), cold: all.clone(), absent: all };
    let few = [Value::Int(98), Value::Bool(false)].map(Generator::Constant);
    scenario.statements[0].parameters = few.map(|value| ParameterSource::Generator(value).into()).into();
    bed.seed(&scenario).await;
    clinic::apply_fix(&bed.clinic, &scenario).await.unwrap();
    let record = bench(&bed, &scenario, Phase::After, LoadOptions::default()).await;
    let find = &under_load(&record).statements[0];
    assert_eq!(find.agrees, Some(false), "{find:?}");
    let warning = record.warnings.iter().find(|warning| warning.id == "plan-differs-under-load").unwrap();
    assert!(warning.message.contains("events_user_id_idx"), "{}", warning.message);
}

#[tokio::test]
async fn where_none_can_be_sampled_it_is_said_why() {
    let bed = Bed::new();
    let scenario = with_statements(vec![statement("find", "SELECT id FROM events WHERE id = $1")]);
    bed.seed(&scenario).await;
    let not_sampled =
        async |options| under_load(&bench(&bed, &scenario, Phase::Before, options).await).not_sampled.clone().unwrap();
    let pooled = LoadOptions { sharing: Some(SharingOption::Pool(2)), ..LoadOptions::default() };
    assert_eq!(not_sampled(pooled).await, "plans are not sampled on the connections of a pool");
    let simple = LoadOptions { protocol: Some(Protocol::Simple), ..LoadOptions::default() };
    assert!(not_sampled(simple).await.contains("(protocol simple)"));
    let unwanted = LoadOptions { no_plan_samples: true, ..LoadOptions::default() };
    assert!(not_sampled(unwanted).await.contains("plan sampling was switched off"));
}

#[tokio::test]
async fn a_role_that_may_not_load_auto_explain_measures_without() {
    let bed = Bed::new();
    let client = bed.clinic.connector().connect_unprotected("test").await.unwrap();
    let database = bed.clinic.connector().database();
    client
        .batch_execute(&format!("CREATE ROLE plain LOGIN; GRANT CREATE ON DATABASE {database} TO plain"))
        .await
        .unwrap();
    let bed = bed.of_role("plain");
    let scenario = with_statements(vec![statement("find", "SELECT id FROM events WHERE id = $1")]);
    bed.seed(&scenario).await;
    let record = bench(&bed, &scenario, Phase::Before, LoadOptions::default()).await;
    insta::assert_snapshot!(under_load(&record).not_sampled.as_deref().unwrap(), @r#"auto_explain cannot be loaded: access to library "auto_explain" is not allowed (SQLSTATE 42501)"#);
    assert!(record.errors.is_empty() && record.totals.operations > 0, "{:?}", record.errors);
}

#[tokio::test]
async fn an_auto_explain_that_somebody_else_uses_is_left_alone() {
    let bed = Bed::new();
    let scenario = with_statements(vec![statement("find", "SELECT id FROM events WHERE id = $1")]);
    bed.seed(&scenario).await;
    let client = bed.clinic.connector().connect_unprotected("test").await.unwrap();
    let preloaded = "LOAD 'auto_explain';
        ALTER ROLE CURRENT_USER SET session_preload_libraries = 'auto_explain';
        ALTER ROLE CURRENT_USER SET auto_explain.log_min_duration = ";
    let not_sampled = async |least: &str| {
        client.batch_execute(&format!("{preloaded}{least}")).await.unwrap();
        under_load(&bench(&bed, &scenario, Phase::Before, LoadOptions::default()).await).not_sampled.clone()
    };
    insta::assert_snapshot!(not_sampled("60000").await.unwrap(), @"auto_explain is in use on the server (auto_explain.log_min_duration = 60000) and left as it is");
    assert_eq!(not_sampled("-1").await, None, "loaded, but of use to nobody");
}
