//! Operations of several statements: later steps are executed for what earlier ones return.

use latclinic::scenario::{ParameterSource, Scenario, Script, Step};

use crate::{Bed, of_statements, statement, up_to};

const BLOG: &str = "
    CREATE TABLE comments (id int PRIMARY KEY, post int, author int);
    INSERT INTO comments SELECT id, id % 9, (id * 7) % 40 FROM generate_series(1, 300) AS id;
    CREATE TABLE authors (id bigint PRIMARY KEY, name text);
    INSERT INTO authors SELECT id, 'author ' || id FROM generate_series(0, 39) AS id;
    ANALYZE";

fn n_plus_1(comments: &str) -> Scenario {
    let result = |column: &str, all| ParameterSource::Result { step: 0, column: column.to_owned(), all };
    let mut scenario = of_statements(vec![
        statement("page.comments", comments, vec![up_to(12)]),
        statement("page.author", "SELECT name FROM authors WHERE id = $1", vec![result("author", false)]),
        statement("page.all", "SELECT name FROM authors WHERE id = ANY ($1)", vec![result("author", true)]),
    ]);
    let step = |(statement, for_each)| Step { statement, for_each };
    let steps = (0..).zip([None, Some(0), None]).map(step).collect();
    scenario.scripts = vec![Script { name: "page".into(), weight: 1.0, transaction: true, steps }];
    scenario
}

/// The same rows in another place.
const TURN: &str = "CREATE TABLE turned AS SELECT * FROM comments ORDER BY id DESC; TRUNCATE comments;
    INSERT INTO comments SELECT * FROM turned; DROP TABLE turned";

#[tokio::test]
async fn each_step_is_compared_for_what_earlier_ones_return() {
    let bed = Bed::new(BLOG).await;
    // Rows come in another order, so its later step is executed in another order, too.
    let check = bed.check(&n_plus_1("SELECT id, author FROM comments WHERE post = $1"), TURN).await;
    assert_eq!(check.identical, Some(true), "{check:?}");
    let told: Vec<_> = check.statements.iter().map(|of| (of.name.as_str(), of.compared)).collect();
    // 13 sets, those of 8 posts with comments.
    assert_eq!((told[0], told[2]), (("page.comments", 13), ("page.all", 8)));
    assert!(told[1].1 > 200, "{told:?}");

    let check = bed
        .check(
            &n_plus_1("SELECT id, author FROM comments WHERE post = $1"),
            "UPDATE authors SET name = 'x' WHERE id = 21",
        )
        .await;
    let told: Vec<_> = check.statements.iter().map(|of| of.identical).collect();
    assert_eq!(told, [Some(true), Some(false), Some(false)]);
    let difference = check.statements[1].difference.as_ref().unwrap();
    assert_eq!(
        (difference.parameters.join(""), difference.after.clone()),
        ("'21'".to_owned(), Some(vec![Some("x".to_owned())]))
    );
}

#[tokio::test]
async fn a_step_whose_parameters_come_from_a_tie_is_undecided() {
    let bed = Bed::new(BLOG).await;
    let scenario = n_plus_1("SELECT author FROM comments WHERE post = $1 ORDER BY post LIMIT 3");
    let check = bed.check(&scenario, TURN).await;
    let told: Vec<_> = check.statements.iter().map(|of| (of.identical, of.deterministic)).collect();
    assert_eq!(told, [(Some(true), true), (None, true), (None, true)], "{check:?}");
    assert!(check.statements[0].ties > 0);
    let reason = check.statements[1].reason.as_ref().unwrap();
    assert!(reason.ends_with("its parameters come from an earlier step, which returned different rows"), "{reason}");
}

#[tokio::test]
async fn a_step_that_is_never_executed_is_not_the_same() {
    let bed = Bed::new(BLOG).await;
    let check = bed.check(&n_plus_1("SELECT id, author FROM comments WHERE post = $1 + 1000"), "").await;
    let told: Vec<_> = check.statements.iter().map(|of| (of.compared, of.identical)).collect();
    assert_eq!(told, [(13, Some(true)), (0, None), (0, None)]);
    assert_eq!(check.statements[1].reason.as_deref(), Some("it was never executed: earlier steps returned no rows"));
}
