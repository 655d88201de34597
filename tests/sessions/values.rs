//! Values arrive as they are, however they are sent.

use latclinic::scenario::{
    Generator, JsonTemplate, ParameterSource, Protocol, RowOrder, Sharing, TextKind, UuidVersion, Value, Weighted,
};

use crate::{Bed, all_ways, constant, result, script, statement};

/// A generator of each kind that a parameter can have, with the type it goes into.
fn generators() -> Vec<(&'static str, Generator)> {
    let moment = || Generator::Timestamp { from: 0, to: 1_700_000_000_000_000, order: RowOrder::Random };
    let text = |kind| Generator::Text { min_length: 0, max_length: 20, kind };
    let numbers = |decimals| Generator::Uniform { min: -99.99, max: 99.99, decimals };
    let array = |element| Generator::Array { element: Box::new(element), min_length: 0, max_length: 3 };
    let object = || {
        JsonTemplate::Object(vec![
            ("a'\\\"".to_owned(), JsonTemplate::Generated(Box::new(text(TextKind::Words)))),
            ("b".to_owned(), JsonTemplate::Literal(Value::Float(0.1))),
        ])
    };
    vec![
        ("int2", numbers(0)),
        ("int4", numbers(0)),
        ("int8", Generator::Zipf { min: 1, max: 1000, exponent: 1.0 }),
        ("numeric", numbers(2)),
        ("float4", numbers(5)),
        ("float8", Generator::Normal { mean: 0.0, deviation: 1e-9, min: None, max: None, decimals: 17 }),
        ("bool", Generator::Boolean { true_share: 0.5 }),
        ("text", text(TextKind::Words)),
        ("varchar", text(TextKind::Hex)),
        ("mood", Generator::Constant(Value::Text("gl'ad".to_owned()))),
        ("date", moment()),
        ("timestamp", moment()),
        ("timestamptz", moment()),
        ("uuid", Generator::Uuid(UuidVersion::V4)),
        ("json", Generator::Json(object())),
        ("jsonb", Generator::Json(object())),
        ("inet", Generator::Inet { network: [10, 0, 0, 0].into(), prefix: 8 }),
        ("bytea", Generator::Bytes { min_length: 0, max_length: 10 }),
        ("int4[]", array(numbers(0))),
        ("text[]", array(text(TextKind::Words))),
        ("timestamptz[]", array(moment())),
        ("bytea[]", array(Generator::Bytes { min_length: 0, max_length: 4 })),
        ("int8", Generator::Constant(Value::Null)),
        // Those whose values are written as text.
        ("interval", choice(&["1 day", "-3 mons 00:00:01.5"])),
        ("tstzrange", choice(&["[\"2025-01-01 00:00:00+00\",)", "empty"])),
        ("pair", choice(&[r#"(1,"a ""b"", \\c")"#, "(,)"])),
        ("pair[]", array(choice(&[r#"(1,"a ""b"", \\c")"#, "(,)"]))),
        ("box[]", array(choice(&["(1,1),(0,0)", "(2,2),(1,1)"]))),
        ("zip[]", array(Generator::Pattern("#####".to_owned()))),
        ("opaque", choice(&["it's", r"a\b"])),
        ("opaque[]", array(text(TextKind::Words))),
        ("oid", numbers(0)),
        ("money", numbers(2)),
        ("macaddr", Generator::Pattern("08:00:2b:0#:1#:2#".to_owned())),
        ("timetz", choice(&["12:00:00+02", "00:00:00-11"])),
        ("cidr", Generator::Inet { network: [10, 0, 0, 0].into(), prefix: 8 }),
        ("float8", Generator::Constant(Value::Text("NaN".to_owned()))),
    ]
}

fn choice(values: &[&str]) -> Generator {
    let weighted = |value: &&str| Weighted { value: Value::Text((*value).to_owned()), weight: 1.0 };
    Generator::Choice(values.iter().map(weighted).collect())
}

/// Types of the tests' own; `opaque` has no binary form.
const TYPES: &str = "
    CREATE TYPE mood AS ENUM ('gl''ad');
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN zip AS text CHECK (VALUE ~ '^[0-9]{5}$');
    CREATE TYPE opaque;
    CREATE FUNCTION opaque_in(cstring) RETURNS opaque IMMUTABLE STRICT LANGUAGE internal AS 'textin';
    CREATE FUNCTION opaque_out(opaque) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
    CREATE TYPE opaque (INPUT = opaque_in, OUTPUT = opaque_out, LIKE = text)";

#[tokio::test]
async fn all_types_arrive_the_same_in_every_way() {
    let bed = Bed::new(TYPES).await;
    let generators = generators();
    let columns: Vec<_> = generators.iter().enumerate().map(|(index, (ty, _))| format!("c{index} {ty}")).collect();
    let create = format!("CREATE TABLE arrived (n serial, way text, {})", columns.join(", "));
    bed.client.batch_execute(&create).await.unwrap();
    let names: Vec<_> = (0..generators.len()).map(|index| format!("c{index}")).collect();
    let places: Vec<_> = (2..generators.len() + 2).map(|number| format!("${number}")).collect();
    let sql = format!("INSERT INTO arrived (way, {}) VALUES ($1, {})", names.join(", "), places.join(", "));

    let ways = all_ways();
    for (number, connections) in ways.iter().enumerate() {
        let mut connections = connections.clone();
        // What is sent as text means the same whatever the session makes of texts.
        for (name, value) in
            [("TimeZone", "Asia/Tokyo"), ("standard_conforming_strings", "off"), ("DateStyle", "SQL, DMY")]
        {
            connections.settings.insert(name.to_owned(), value.to_owned());
        }
        let mut parameters = vec![constant(Value::Text(number.to_string()))];
        parameters.extend(generators.iter().map(|(_, generator)| ParameterSource::Generator(generator.clone())));
        let ready = bed.ready(&statement(&sql, parameters, &connections)).await;
        let mut session = ready.session().await;
        for operation in 0..25 {
            assert_eq!(ready.execute(&mut session, operation).await, (Ok(()), vec![]), "{connections:?}");
        }
    }
    let differing = format!(
        "WITH numbered AS (SELECT row_number() OVER (PARTITION BY way ORDER BY n) AS operation, ROW({})::text AS row FROM arrived)
         SELECT operation, array_agg(DISTINCT row)::text FROM numbered GROUP BY 1
         HAVING count(DISTINCT row) > 1 OR count(*) <> {}",
        names.join(", "),
        ways.len(),
    );
    let found = bed.client.query(&differing, &[]).await.unwrap();
    assert!(found.is_empty(), "{}", found[0].get::<_, String>(1));
    assert_eq!(bed.text("SELECT count(DISTINCT c2) > 5 AND count(DISTINCT c12) = 25 FROM arrived").await, "true");
}

#[tokio::test]
async fn what_looks_like_sql_arrives_as_data() {
    let bed = Bed::new("CREATE TABLE arrived (x text)").await;
    let texts = [
        "'); DROP TABLE arrived; --",
        r"\'); DROP TABLE arrived; --",
        r"\",
        "''",
        "$1",
        "$$",
        "*/ ; -- ",
        "a\nb\u{301}",
        "E'x'",
    ];
    for connections in all_ways().into_iter().filter(|way| way.sharing != Sharing::Operation) {
        for conforming in ["on", "off"] {
            let mut connections = connections.clone();
            connections.settings.insert("standard_conforming_strings".to_owned(), conforming.to_owned());
            for text in texts {
                let value = Value::Text(text.to_owned());
                let sql = "INSERT INTO arrived SELECT $1 WHERE '$1' <> $1 -- $1";
                let ready = bed.ready(&statement(sql, vec![constant(value)], &connections)).await;
                let (outcome, _) = ready.execute(&mut ready.session().await, 0).await;
                assert_eq!(outcome, Ok(()), "{text}");
                let arrived = "DELETE FROM arrived RETURNING x";
                match bed.client.query_opt(arrived, &[]).await.unwrap() {
                    Some(row) => assert_eq!(row.get::<_, String>(0), text),
                    None => assert_eq!(text, "$1"),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_value_is_of_its_parameters_type_wherever_it_stands() {
    let bed =
        Bed::new("CREATE TABLE arrived (past bool, until timestamptz, n int, negative int, differs bool, first int)")
            .await;
    let sql = "INSERT INTO arrived (past, until, n, negative, differs, first)
               VALUES ($1 < now(), $1 + interval '1 day', $2 * 1, -$2, $3 <> ARRAY[0], $3[1])";
    let values = [Value::Text("2025-01-31T00:00:00Z".to_owned()), Value::Int(-7), Value::Array(vec![Value::Int(3)])];
    for connections in all_ways() {
        let parameters = values.iter().cloned().map(constant).collect();
        let ready = bed.ready(&statement(sql, parameters, &connections)).await;
        let (outcome, _) = ready.execute(&mut ready.session().await, 0).await;
        assert_eq!(outcome, Ok(()), "{connections:?}");
    }
    let arrived = "SELECT count(DISTINCT a) = 1 AND count(*) = 9
                       AND bool_and(past AND until = '2025-02-01Z' AND n = -7 AND negative = 7 AND first = 3) FROM arrived a";
    assert_eq!(bed.text(arrived).await, "true");
}

#[tokio::test]
async fn a_result_without_binary_form_is_read_and_sent_on_as_text() {
    let bed = Bed::new(TYPES).await;
    let tables = "CREATE TABLE source (n int, x opaque, felt mood);
                  INSERT INTO source VALUES (1, 'it''s', 'gl''ad'), (2, NULL, NULL), (70000, E'a\\b{,}\"', 'gl''ad');
                  CREATE TABLE arrived (x opaque, felt text, n bigint, all_x opaque[], all_n int[])";
    bed.client.batch_execute(tables).await.unwrap();
    for connections in all_ways() {
        let steps = vec![
            ("read", None, "SELECT n, x, felt FROM source ORDER BY n", vec![]),
            (
                "write",
                Some(0),
                "INSERT INTO arrived VALUES ($1, $2, $3, $4, $5)",
                vec![
                    result(0, "x", false),
                    result(0, "felt", false),
                    result(0, "n", false),
                    result(0, "x", true),
                    result(0, "n", true),
                ],
            ),
        ];
        let ready = bed.ready(&script(steps, false, &connections)).await;
        let (outcome, _) = ready.execute(&mut ready.session().await, 0).await;
        // What a pool's driver asks for has no binary form.
        if connections.protocol != Protocol::Simple && matches!(connections.sharing, Sharing::Pool(_)) {
            let message = outcome.unwrap_err().message;
            assert!(message.contains("without a binary form"), "{message}");
            continue;
        }
        assert_eq!(outcome, Ok(()), "{connections:?}");
        let arrived = "SELECT count(*) = 3 AND bool_and(x::text IS NOT DISTINCT FROM (SELECT s.x::text FROM source s WHERE s.n = a.n))
                           AND count(DISTINCT all_x::text) = 1 AND min(all_x::text) = (SELECT array_agg(x ORDER BY n)::text FROM source)
                           AND min(all_n::text) = '{1,2,70000}' AND count(felt) = 2 FROM arrived a";
        assert_eq!(bed.text(arrived).await, "true", "{connections:?}");
        bed.client.batch_execute("TRUNCATE arrived").await.unwrap();
    }
}
