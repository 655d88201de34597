//! `[[gates]]`: a fault stands under its place within the expression.

use insta::assert_snapshot;

use super::{DATASET, FIX, WORKLOAD, faults_of, lines, read};

fn text(gates: &str) -> String {
    format!("title = \"t\"\n{gates}{DATASET}{WORKLOAD}{FIX}")
}

fn gates(expressions: &[&str]) -> String {
    text(&expressions.iter().map(|text| format!("[[gates]]\nexpression = {text:?}\n")).collect::<String>())
}

#[test]
fn gates_are_kept_as_written() {
    let scenario = read(&gates(&["p99 improves by  2x", "latest.p95 regresses less than 10%"])).unwrap();
    assert_eq!(
        serde_json::to_string(&scenario.gates).unwrap(),
        r#"["p99 improves by  2x","latest.p95 regresses less than 10%"]"#
    );
}

#[test]
fn faults_have_their_place_in_the_expression() {
    assert_snapshot!(lines(read(&gates(&[
        "p90 improves by 2x",
        " latst.p99 improves by 2x",
        "results same",
        "p99 improves by 2x",
        "p99 improves by at least 2x",
        "p99<5ms",
    ]))), @"
    mine.toml:3:15: unknown metric `p90`, expected `p50`, `p95`, `p99` or `throughput`
    mine.toml:5:16: no operation `latst` (did you mean `latest`?)
    mine.toml:7:23: unknown gate on results, expected `identical`
    mine.toml:11:14: the gate `p99 improves by at least 2x` a second time
    mine.toml:13:15: a limit on a value is a threshold, not a gate, expected a change such as `p99 improves by 2x`, or `--threshold 'p(99)<5ms'`
    ");
    let told = faults_of(read(&gates(&["p99 improves by 2s"]))).render(false);
    let folder = told.split("--> ").nth(1).unwrap().split("mine.toml").next().unwrap().to_owned();
    assert_snapshot!(told.replace(&folder, ""), @r#"
    error: unknown unit `s`
     --> mine.toml:3:32
      |
    3 | expression = "p99 improves by 2s"
      |                                ^ expected `x` or `%`
    "#);
}

#[test]
fn a_gate_is_a_table_with_an_expression() {
    assert_snapshot!(lines(read(&text("[[gates]]\nexpresion = \"p99 improves by 2x\"\n[[gates]]\nname = \"x\"\n"))), @"
    mine.toml:3:1: unknown key `expresion` (did you mean `expression`?)
    mine.toml:4:1: missing key `expression`
    mine.toml:5:1: unknown key `name`, expected `expression`
    ");
    assert_snapshot!(lines(read(&text("gates = [\"p99 improves by 2x\"]\n"))), @"mine.toml:2:10: wrong type: a string, expected a table");
}
