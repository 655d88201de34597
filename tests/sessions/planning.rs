//! Warm-ups that plan and do not execute.

use super::*;

/// What PostgreSQL counts of the statement `find` after it was planned and executed so often, read by the last execution of the script.
async fn plans(bed: &Bed, planned: u64, executed: u64) -> (i64, i64) {
    let find = "SELECT count(*) FROM things WHERE kind = $1";
    let note = "INSERT INTO seen SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE name = 'q0'";
    let parameters = vec![constant(Value::Int(3))];
    let steps = vec![("find", None, find, parameters), ("note", None, note, vec![])];
    let ready = bed.ready(&script(steps, false, &Connections::default())).await;
    let mut session = ready.session().await;
    bed.client.batch_execute("TRUNCATE seen").await.unwrap();
    for number in 0..planned {
        assert!(session.plan(&ready.operation(number, 0)).await.unwrap());
    }
    for number in 0..executed {
        ready.execute(&mut session, planned + number).await.0.unwrap();
    }
    let rows = bed.client.query("SELECT custom, generic FROM seen ORDER BY custom + generic", &[]).await.unwrap();
    assert_eq!(rows.len() as u64, executed, "planning writes nothing");
    let last = rows.last().unwrap();
    (last.get(0), last.get(1))
}

#[tokio::test]
async fn a_planning_counts_as_an_execution_for_the_choice_of_a_generic_plan() {
    let sql = "CREATE TABLE things AS SELECT n AS id, n % 10 AS kind FROM generate_series(1, 1000) n; ANALYZE things;
               CREATE TABLE seen (custom int8, generic int8)";
    let bed = Bed::new(sql).await;
    assert_eq!(plans(&bed, 0, 5).await, (5, 0));
    assert_eq!(plans(&bed, 4, 1).await, (5, 0));
    // The sixth is generic, whether what came before it was executed or planned.
    assert_eq!(plans(&bed, 0, 6).await, (5, 1));
    assert_eq!(plans(&bed, 5, 1).await, (5, 1));
}

#[tokio::test]
async fn what_needs_rows_of_an_earlier_step_has_to_be_executed() {
    let bed = Bed::new("CREATE TABLE things (id int); INSERT INTO things VALUES (1)").await;
    let steps = vec![
        ("first", None, "SELECT id FROM things", vec![]),
        ("second", None, "SELECT id FROM things WHERE id = $1", vec![result(0, "id", false)]),
    ];
    let ready = bed.ready(&script(steps, false, &Connections::default())).await;
    let mut session = ready.session().await;
    assert!(!session.plan(&ready.operation(0, 0)).await.unwrap());
    let pool = Sharing::Pool(Pool { size: 1, wait_timeout: None, recycling: Recycling::Fast });
    let pooled = Connections { sharing: pool, ..Connections::default() };
    let ready = bed.ready(&statement("SELECT 1", vec![], &pooled)).await;
    let mut session = ready.session().await;
    assert!(!session.plan(&ready.operation(0, 0)).await.unwrap(), "another session may have the connection next");
}
