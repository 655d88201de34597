//! Values are sent with the types that the load's parameters have, whatever the protocol.

use latclinic::scenario::{Generator, ParameterSource, Protocol, RowOrder, Value, Weighted};

use crate::{Bed, of_statements, statement, up_to};

fn moment() -> ParameterSource {
    ParameterSource::Generator(Generator::Timestamp {
        from: 1_735_689_600_000_000,
        to: 1_767_139_200_000_000,
        order: RowOrder::Random,
    })
}

fn of(values: &[Value]) -> ParameterSource {
    let weighted = |value: &Value| Weighted { value: value.clone(), weight: 1.0 };
    ParameterSource::Generator(Generator::Choice(values.iter().map(weighted).collect()))
}

#[tokio::test]
async fn what_a_literal_would_mean_differently_is_sent_as_the_parameter_that_it_is() {
    let bed = Bed::new(
        "CREATE TABLE e (id int PRIMARY KEY, at timestamptz NOT NULL, tags int[] NOT NULL, price numeric NOT NULL);
         INSERT INTO e SELECT n, timestamptz '2025-01-01Z' + n * interval '9 h', ARRAY[n, n % 7], n / 8.0
             FROM generate_series(0, 999) AS n;
         CREATE PROCEDURE touch(wanted int) LANGUAGE sql AS 'UPDATE e SET price = price + 1 WHERE id = wanted'",
    )
    .await;
    let arrays = || of(&[Value::Array(vec![Value::Int(6)]), Value::Array(vec![Value::Int(990), Value::Int(3)])]);
    let cases = [
        // As a literal the second one is an interval.
        ("SELECT count(*) FROM e WHERE at >= $1 AND at < $1 + interval '1 day'", vec![moment()]),
        ("SELECT at < $1, id FROM e WHERE date_trunc('month', at) = date_trunc('month', $1)", vec![moment()]),
        // `-` of a text, and `||` of two.
        ("SELECT id, id = $1, -$1, $1 || tags FROM e WHERE id = $1", vec![up_to(999)]),
        ("SELECT id, tags = $1, $1 || ($2 * 2) FROM e WHERE tags @> ($1 || 2)", vec![arrays(), up_to(6)]),
        ("SELECT id, tags = $1, $1[1] FROM e WHERE tags @> $1", vec![arrays()]),
        (
            "SELECT id, price = $1, $1 / 2 FROM e WHERE price = $1",
            vec![of(&[Value::Int(5), Value::Text("0.125".to_owned())])],
        ),
        ("SELECT id FROM e ORDER BY id LIMIT $1 OFFSET $1", vec![up_to(9)]),
        (
            "UPDATE e SET at = $1, price = CASE WHEN at < $1 AND at > $1 - interval '1 h' THEN 1 ELSE 2 END WHERE id = $2",
            vec![moment(), up_to(999)],
        ),
        // PREPARE does not take it.
        ("CALL touch($1)", vec![up_to(999)]),
    ];
    for protocol in [Protocol::Prepared, Protocol::Extended, Protocol::Simple] {
        let statements =
            cases.iter().enumerate().map(|(at, (sql, of))| statement(&format!("q{at}"), sql, of.clone())).collect();
        let mut scenario = of_statements(statements);
        scenario.load.connections.protocol = protocol;
        let check = bed.check(&scenario, "CREATE INDEX ON e (at)").await;
        for (of, (sql, _)) in check.statements.iter().zip(&cases) {
            assert!(of.identical == Some(true) && of.compared > 1 && of.reason.is_none(), "{protocol:?} {sql}: {of:?}");
        }
    }
}
