//! The examples of docs/scenarios.md are what it says they are.

use std::fs;

use latclinic::scenario::{Gate, LoadModel, Scenario, Sharing, Value};

use super::{DATASET, FIX, WORKLOAD, read};

/// The blocks of TOML in the guide.
fn examples() -> Vec<String> {
    let guide = fs::read_to_string("docs/scenarios.md").unwrap();
    let blocks = guide.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

fn whole(example: &str) -> bool {
    example.contains("[dataset]") && example.contains("[fix]")
}

fn example_with(part: &str) -> Scenario {
    let example = examples().into_iter().find(|example| example.contains(part)).unwrap();
    let text = match () {
        () if whole(&example) => example,
        () if example.starts_with("parameters") => {
            let sql = "sql = \"SELECT $1, $2, $3, $4\"";
            format!("title = \"t\"\n{DATASET}[workload.statements.latest]\n{sql}\n{example}{FIX}")
        }
        () if example.starts_with("classes") => {
            format!("title = \"t\"\n{DATASET}{FIX}{WORKLOAD}{example}")
        }
        () if example.starts_with("thresholds") || example.starts_with("[[gates]]") => {
            let workload = WORKLOAD.replace("statements.latest", "statements.latest_events");
            format!("title = \"t\"\n{example}{DATASET}{workload}{FIX}")
        }
        () => format!("title = \"t\"\n{DATASET}{WORKLOAD}{FIX}{example}"),
    };
    read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn whole_examples_are_scenarios() {
    let whole: Vec<String> = examples().into_iter().filter(|example| whole(example)).collect();
    assert_eq!(whole.len(), 2);
    for example in whole {
        read(&example).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
}

/// The table of gates: every expression in it is one.
#[test]
fn gates_of_the_guide_are_gates() {
    let guide = fs::read_to_string("docs/scenarios.md").unwrap();
    let (_, table) = guide.split_once("| expression | kept when |\n| --- | --- |\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let expressions: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(expressions.len(), 8);
    for expression in expressions {
        Gate::parse(expression).unwrap_or_else(|fault| panic!("{}", fault.render(expression)));
    }
}

#[test]
fn examples_of_the_load_are_what_the_guide_says() {
    let paced = example_with("exponential").load;
    assert!(matches!(paced.model, LoadModel::Closed { think_time: Some(_) }));
    let open = example_with("latency_limit = ").load;
    assert!(matches!(open.model, LoadModel::Open { rate: 500.0, latency_limit: Some(_), .. }));
    let staged = example_with("[[load.stages]]").load;
    let targets: Vec<(f64, f64)> = staged.stages.iter().map(|stage| (stage.from, stage.to)).collect();
    assert_eq!((targets, staged.duration.as_secs()), (vec![(100.0, 500.0), (500.0, 500.0), (500.0, 0.0)], 120));
    let pooled = example_with("[load.pool]").load;
    assert!(matches!(pooled.connections.sharing, Sharing::Pool(pool) if pool.size == 8));
    assert_eq!(pooled.connections.settings["jit"], "off");
}

#[test]
fn the_example_of_results_is_what_the_guide_says() {
    let results = example_with("[results]").results;
    assert_eq!((results.sample, results.roles.len()), (100, 2));
}

#[test]
fn examples_of_the_workload_are_what_the_guide_says() {
    let parameters = &example_with("null = 0.1").statements[0].parameters;
    assert_eq!(parameters.iter().map(|parameter| parameter.null_share).collect::<Vec<_>>(), [0.0, 0.1, 0.0, 0.0]);
    let classes = &example_with("classes = ").statements[0].classes;
    assert_eq!(classes.cold, Some(vec![Value::Int(9_999)]));
    assert_eq!(example_with("latest_events:p(99.9)").thresholds.len(), 4);
    assert_eq!(example_with("[[gates]]").gates.len(), 3);
    let comments = example_with("n_plus_1.steps");
    let scripts: Vec<(&str, bool)> =
        comments.scripts.iter().map(|script| (script.name.as_str(), script.transaction)).collect();
    assert_eq!(scripts, [("n_plus_1", false), ("two_queries", true)]);
    assert_eq!(comments.scripts[0].steps[1].for_each, Some(0));
}
