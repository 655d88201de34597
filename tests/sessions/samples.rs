//! When plans are sampled, and of which statements.

use std::time::Duration;

use latclinic::{
    load::WARM_UP,
    pg::{SampledPlans, Sampling},
    scenario::{Connections, Value},
};

use crate::{Bed, Ready, constant, result, script};

/// What the statements of the scripts below note: the share that was sampled when they were executed.
const RATES: &str = "
    CREATE TABLE rates (id serial, rate float8);
    CREATE FUNCTION note() RETURNS int LANGUAGE sql AS
        $$ INSERT INTO rates (rate) VALUES (current_setting('auto_explain.sample_rate')::float8) RETURNING 1 $$;
    CREATE TABLE posts AS SELECT id FROM generate_series(1, 20) AS id";

fn sampling() -> Option<Sampling> {
    Some(Sampling { client_seconds: 10.0, enough: None, pause: Duration::ZERO, arrivals: None, shares: vec![1.0] })
}

async fn n_plus_1(bed: &Bed) -> Ready {
    let steps = vec![
        ("posts", None, "SELECT id, note() FROM posts WHERE id > $1", vec![constant(Value::Int(0))]),
        ("post", Some(0), "SELECT \"id\"\n\tFROM posts WHERE id = $1", vec![result(0, "id", false)]),
    ];
    bed.sampled(&script(steps, true, &Connections::default()), sampling()).await
}

/// The rates at which the operations so far were sampled.
async fn rates(bed: &Bed) -> Vec<f64> {
    // Each operation notes one for each of 20 rows.
    let sql = "SELECT rate FROM rates WHERE id % 20 = 1 ORDER BY id";
    bed.client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

fn count(samples: &SampledPlans, statement: usize, in_warmup: bool) -> usize {
    samples.plans.iter().filter(|plan| (plan.statement, plan.in_warmup) == (statement, in_warmup)).count()
}

#[tokio::test]
async fn a_session_that_had_no_warm_up_is_never_asked_for_plans() {
    let bed = Bed::new(RATES).await;
    let ready = n_plus_1(&bed).await;
    let mut session = ready.session().await;
    for number in 0..12 {
        assert_eq!(ready.execute(&mut session, number).await.0, Ok(()));
    }
    assert_eq!(rates(&bed).await, [0.0; 12]);
    let mut cut_short = ready.session().await;
    for number in [WARM_UP, WARM_UP | 1, 2, 3, 4, 5, 6, 7] {
        assert_eq!(ready.execute(&mut cut_short, number).await.0, Ok(()));
    }
    assert_eq!(rates(&bed).await[12..], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    drop((session, cut_short));
    let samples = ready.target.samples();
    assert_eq!((samples.sessions, samples.sessions_sampled, samples.not_sampled), (2, 0, None));
}

#[tokio::test]
async fn the_first_operation_of_the_warm_up_is_shown_and_few_of_the_window() {
    let bed = Bed::new(RATES).await;
    let ready = n_plus_1(&bed).await;
    let mut session = ready.session().await;
    for number in (0..6).map(|number| WARM_UP | number).chain(0..3) {
        assert_eq!(ready.execute(&mut session, number).await.0, Ok(()));
    }
    let rates = rates(&bed).await;
    assert_eq!(rates[..5], [1.0, 0.0, 0.0, 0.0, 0.0]);
    let settled = rates[5];
    // 21 executions an operation, a thousandth of which may be touched.
    assert!(settled > 0.0 && settled <= 0.001 / 21.0, "{settled}");
    assert!(rates[5..].iter().all(|rate| *rate == settled), "{rates:?}");
    drop(session);
    let samples = ready.target.samples();
    assert_eq!((count(&samples, 0, true), count(&samples, 1, true)), (1, 20), "{samples:?}");
    assert_eq!((samples.sessions, samples.sessions_sampled), (1, 1));
}
