//! Row-level security: what each role sees.

use latclinic::clinic::ErrorKind;

use crate::{Bed, of, up_to};

/// Two tenants, named after this process so that no other test's are in the way.
fn tenants() -> [String; 2] {
    ["a", "b"].map(|name| format!("tenant {name} {}", std::process::id()))
}

fn secured([one, other]: &[String; 2]) -> String {
    format!(
        r#"CREATE ROLE "{one}"; CREATE ROLE "{other}";
           CREATE TABLE events (id int PRIMARY KEY, owner name, note text);
           INSERT INTO events SELECT id, CASE id % 2 WHEN 0 THEN '{one}' ELSE '{other}' END, 'note'
               FROM generate_series(1, 100) AS id;
           ALTER TABLE events ENABLE ROW LEVEL SECURITY;
           CREATE POLICY own ON events USING (owner = current_user);
           GRANT USAGE ON SCHEMA latclinic_events TO "{one}", "{other}";
           GRANT SELECT ON events TO "{one}", "{other}""#,
    )
}

#[tokio::test]
async fn a_difference_that_one_role_sees_is_that_roles() {
    let tenants = tenants();
    let bed = Bed::new(&secured(&tenants)).await;
    let mut scenario = of("SELECT id, note FROM events WHERE id <= $1", vec![up_to(100)]);
    scenario.results.roles = tenants.to_vec();
    let check = bed.check(&scenario, "CREATE INDEX ON events (owner)").await;
    assert_eq!((check.identical, check.statements.len()), (Some(true), 3), "{check:?}");

    // The policy after lets one tenant see more. The owner of the tables sees all of it anyway.
    let [_, other] = &tenants;
    let policy = format!(
        "DROP POLICY own ON events; CREATE POLICY own ON events USING (owner = current_user OR current_user = '{other}')"
    );
    let check = bed.check(&scenario, &policy).await;
    let told: Vec<_> = check.statements.iter().map(|of| (of.role.clone(), of.identical)).collect();
    let [one, other] = tenants;
    assert_eq!(told, [(None, Some(true)), (Some(one), Some(true)), (Some(other), Some(false))]);
    let difference = check.statements[2].difference.as_ref().unwrap();
    assert_eq!(difference.before, None);
    assert!(difference.after.is_some());
}

#[tokio::test]
async fn a_role_that_sees_nothing_is_told() {
    let [one, other] = tenants();
    let bed =
        Bed::new(&format!(r#"CREATE TABLE events (id int); CREATE ROLE "{one}"; CREATE ROLE "{other}" LOGIN"#)).await;
    let mut scenario = of("SELECT id FROM events WHERE id = $1", vec![up_to(9)]);
    scenario.results.roles = vec![one.clone()];
    let check = bed.check(&scenario, "").await;
    assert_eq!((check.identical, check.statements[0].identical), (None, Some(true)));
    let reason = check.statements[1].reason.as_ref().unwrap();
    assert!(reason.starts_with("each of 10 executions failed: "), "{reason}");

    scenario.results.roles = vec![format!("{one}x")];
    let error = bed.try_check(&scenario, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().starts_with(&format!("cannot compare results as role {one}x: ")), "{error}");
    assert_eq!(error.hint(), Some(format!("did you mean {one}?").as_str()));
}
