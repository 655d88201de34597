//! Values of latclinic's own making that the server refuses cost what they are for, and no more.

use super::site::Site;

const SCENARIO: &str = include_str!("refused.toml");

#[test]
fn a_value_that_the_server_refuses_costs_the_plan_of_its_class_and_no_more() {
    let site = Site::new();
    let told = site.run("refused", SCENARIO, "500ms");
    let record = told.record("after");
    let note = |statement: &str, class: &str| -> Option<String> {
        let plans = record["plans"].as_array().unwrap();
        let plan = plans.iter().find(|plan| plan["statement"] == *statement && plan["class"] == *class)?;
        Some(plan["note"].as_str().unwrap_or_default().to_owned())
    };
    // What no operation sends and the type does not take: there is no plan for it.
    for (statement, words) in [
        ("domain", "value for domain small violates check constraint"),
        ("cast", "value for domain small violates check constraint"),
        ("steps.two", "no partition of relation \"p\" found for row"),
    ] {
        assert_eq!(note(statement, "absent"), None, "{statement}");
        let line =
            told.stderr.lines().find(|line| line.starts_with(&format!("{statement} has no plan for absent values: ")));
        assert!(line.is_some_and(|line| line.contains(words)), "{statement}: {}", told.stderr);
        assert_eq!(note(statement, "typical").as_deref(), Some(""), "{statement}");
    }
    // What fails when it is executed: it has an estimated plan.
    for (statement, class, words) in [
        ("twice", "hot", "duplicate key value violates unique constraint"),
        ("twice", "typical", "duplicate key value violates unique constraint"),
        ("moved", "absent", "no partition of relation \"p\" found for row"),
        ("divided_by", "hot", "division by zero"),
    ] {
        let note = note(statement, class).unwrap();
        assert!(
            note.starts_with("not executed: the server refuses it: ") && note.contains(words),
            "{statement}: {note}"
        );
    }
    // An enum whose labels are all sent has no other value.
    for statement in ["felt", "felts"] {
        assert_eq!(note(statement, "absent").as_deref(), Some(""), "{}", told.stderr);
    }
    let price = &record["price"]["notes"];
    let notes: Vec<&str> = price.as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    for words in [
        "p: a generated row was not inserted: no partition of relation \"p\" found for row",
        "t: column code was not updated: codes stay",
        "i: column n was not updated: ",
    ] {
        assert!(notes.iter().any(|note| note.starts_with(words)), "{words}: {notes:#?}");
    }
    assert_eq!(notes.len(), 3, "{notes:#?}");
}
