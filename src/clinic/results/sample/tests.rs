use std::time::Duration;

use super::*;
use crate::{
    draw::ColumnType,
    load::{ParameterFacts, StatementFacts},
    scenario::{Classes, Dataset, Fix, Generator, LoadDefaults, Origin, Parameter, Results, SqlText, Statement, Step},
};

fn sql() -> SqlText {
    SqlText { source: String::new(), text: String::new(), statements: Vec::new() }
}

fn zipf(max: i64) -> ParameterSource {
    ParameterSource::Generator(Generator::Zipf { min: 1, max, exponent: 1.0 })
}

/// A scenario of one script whose steps have these parameters.
fn script(steps: Vec<Vec<ParameterSource>>) -> (Scenario, Vec<StatementFacts>) {
    let facts = |parameters: &Vec<ParameterSource>| {
        let fact = || ParameterFacts { column_type: ColumnType::Int8, sql_type: String::new(), fetched: Vec::new() };
        StatementFacts { parameters: parameters.iter().map(|_| fact()).collect(), results_as_text: false }
    };
    let all = steps.iter().map(facts).collect();
    let statement = |(number, parameters): (usize, Vec<ParameterSource>)| Statement {
        name: format!("page.s{number}"),
        sql: sql(),
        parameters: parameters.into_iter().map(Parameter::from).collect(),
        classes: Classes::default(),
    };
    let count = steps.len();
    let second = Duration::from_secs(1);
    let scenario = Scenario {
        id: "page".into(),
        title: String::new(),
        description: String::new(),
        origin: Origin::Bundled,
        dataset: Dataset { seed: 1, schema: sql(), tables: Vec::new() },
        statements: steps.into_iter().enumerate().map(statement).collect(),
        scripts: vec![Script {
            name: "page".into(),
            weight: 1.0,
            transaction: false,
            steps: (0..count).map(|statement| Step { statement, for_each: None }).collect(),
        }],
        load: LoadDefaults::closed(1, second, second, 1),
        fix: Fix { title: String::new(), up: sql(), down: sql(), lock_timeout: second, rewrites: Vec::new() },
        thresholds: Vec::new(),
        gates: Vec::new(),
        results: Results::default(),
        rows_asked: None,
    };
    (scenario, all)
}

fn of((scenario, facts): &(Scenario, Vec<StatementFacts>), seed: u64, size: u32) -> Vec<Set> {
    let workload = Workload::new(scenario, facts, seed).unwrap();
    sets(scenario, &workload, 0, size).unwrap()
}

#[test]
fn classes_come_first_and_no_set_twice() {
    let one = script(vec![vec![zipf(10_000)]]);
    let sets = of(&one, 1, 200);
    assert_eq!(sets.len(), 200);
    assert_eq!((&sets[0], &sets[3]), (&vec![vec![Value::Int(1)]], &vec![vec![Value::Int(10_001)]]));
    let distinct: HashSet<String> = sets.iter().map(|set| format!("{set:?}")).collect();
    assert_eq!(distinct.len(), 200);
    assert_eq!(of(&one, 1, 200), sets);
    assert_eq!(of(&one, 1, 50), sets[..50]);
    assert_ne!(of(&one, 2, 200), sets);
    assert_eq!(of(&one, 1, 2), sets[..2]);
    // Five values, and one that there is not.
    assert_eq!(of(&script(vec![vec![zipf(5)]]), 1, 200).len(), 6);
}

#[test]
fn each_step_has_its_own_values() {
    let result = || ParameterSource::Result { step: 0, column: "id".into(), all: false };
    let sets = of(&script(vec![vec![zipf(10_000), zipf(10_000)], vec![result(), zipf(10_000)], vec![]]), 1, 200);
    assert_eq!(sets.len(), 200);
    for set in &sets {
        assert!(matches!(&set[0][..], [Value::Int(_), Value::Int(_)]), "{set:?}");
        assert!(matches!(&set[1][..], [Value::Null, Value::Int(_)]), "{set:?}");
        assert!(set[2].is_empty());
    }
    assert_eq!(of(&script(vec![vec![], vec![result()]]), 1, 200).len(), 1);
}
