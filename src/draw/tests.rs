//! What holds across the module: a value, its encoding and its field agree, and PostgreSQL's own decoders read them.

use postgres_types::{FromSql, Type};
use proptest::prelude::*;

use super::*;
use crate::scenario::{
    Column, Dataset, Generator, JsonTemplate, RowOrder, SqlText, Table, TextKind, UuidVersion, Value, Weighted,
};

fn dataset() -> Dataset {
    let column = Column { name: "code".into(), generator: Generator::Pattern("^^-##".into()), null_share: 0.0 };
    Dataset {
        seed: 7,
        schema: SqlText { source: "schema.sql".into(), text: String::new(), statements: Vec::new() },
        tables: vec![Table { name: "codes".into(), rows: 30, columns: vec![column] }],
    }
}

fn encoded(value: &Value, ty: &ColumnType) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(!encode(value, ty, &mut out).unwrap());
    out
}

fn decoded<'a, T: FromSql<'a>>(bytes: &'a [u8], ty: &Type) -> T {
    T::from_sql(ty, bytes).unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// Every generator with every type it can make.
fn samplers() -> Vec<(Sampler, ColumnType)> {
    use ColumnType as T;
    let number = |min: f64, max: f64, decimals| Generator::Uniform { min, max, decimals };
    let normal = |decimals| Generator::Normal { mean: 50.0, deviation: 20.0, min: Some(0.0), max: None, decimals };
    let zipf = Generator::Zipf { min: -3, max: 90, exponent: 1.2 };
    let moment = |order| Generator::Timestamp { from: -5_000_000_000, to: 1_735_689_600_000_000, order };
    let choice = |values: &[Value]| {
        Generator::Choice(values.iter().map(|value| Weighted { value: value.clone(), weight: 0.5 }).collect())
    };
    let strings = |kind| Generator::Text { min_length: 0, max_length: 20, kind };
    let leaf = |generator| JsonTemplate::Generated(Box::new(generator));
    let template = JsonTemplate::Object(vec![
        ("a \"quoted\" name".into(), JsonTemplate::Literal(text("back\\slash\n"))),
        ("list".into(), JsonTemplate::Array(vec![leaf(zipf.clone()), leaf(number(0.0, 1.0, 3)), leaf(normal(0))])),
        ("text".into(), leaf(Generator::Pattern("\\\"é##".into()))),
        ("either".into(), leaf(choice(&[Value::Null, text("é\""), Value::Float(1.5), Value::Bool(true)]))),
        ("at".into(), leaf(moment(RowOrder::Random))),
        ("code".into(), leaf(Generator::ForeignKey { table: "codes".into(), column: "code".into(), exponent: None })),
        ("inner".into(), leaf(Generator::Json(JsonTemplate::Literal(Value::Int(-1))))),
        ("id".into(), leaf(Generator::Uuid(UuidVersion::V7))),
        ("bytes".into(), leaf(Generator::Bytes { min_length: 2, max_length: 3 })),
        (
            "words".into(),
            leaf(Generator::Array { element: Box::new(strings(TextKind::Words)), min_length: 0, max_length: 3 }),
        ),
    ]);
    let array = |element| Generator::Array { element: Box::new(element), min_length: 0, max_length: 4 };
    let of = |ty| ColumnType::Array(Box::new(ty));
    let code = Generator::ForeignKey { table: "codes".into(), column: "code".into(), exponent: Some(1.0) };
    let v6 = Generator::Inet { network: "fd00::".parse().unwrap(), prefix: 64 };
    let mut pairs = vec![
        (choice(&[Value::Int(3), Value::Null]), T::Int4),
        (Generator::Boolean { true_share: 0.5 }, T::Bool),
        (moment(RowOrder::Random), T::Date),
        (moment(RowOrder::Growing), T::Timestamp),
        (moment(RowOrder::Random), T::Timestamptz),
        (strings(TextKind::Words), T::Text),
        (strings(TextKind::Hex), T::TextLike(1043)),
        (Generator::Pattern("é-\\##".into()), T::Text),
        (Generator::Uuid(UuidVersion::V4), T::Uuid),
        (Generator::Uuid(UuidVersion::V7), T::Text),
        (Generator::Json(template.clone()), T::Json),
        (Generator::Json(template), T::Jsonb),
        (Generator::Bytes { min_length: 0, max_length: 40 }, T::Bytea),
        (Generator::Inet { network: [192, 168, 1, 0].into(), prefix: 24 }, T::Inet),
        (v6, T::Inet),
        (code, T::Text),
        (array(zipf.clone()), of(T::Int2)),
        (array(choice(&[text("a"), Value::Null])), of(T::Text)),
        (array(moment(RowOrder::Random)), of(T::Date)),
    ];
    for ty in [T::Int2, T::Int4, T::Int8, T::Numeric, T::Float4, T::Float8] {
        pairs.push((Generator::Sequence { start: -5, step: 3 }, ty.clone()));
        pairs.push((number(-100.0, 100.0, 2), ty.clone()));
        pairs.push((normal(4), ty.clone()));
        pairs.push((zipf.clone(), ty));
    }
    let dataset = dataset();
    let compile = |(generator, ty)| (Sampler::compile(&generator, &ty, &dataset, Some(1000)).unwrap(), ty);
    pairs.into_iter().map(compile).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_field_is_its_encoded_value(seed: u64, row in 0_u64..1000) {
        for (index, (sampler, ty)) in samplers().into_iter().enumerate() {
            let stream = Stream::new(seed, &[]);
            let mut field = Vec::new();
            sampler.write_field(&mut stream.at(row), row, &mut Scratch::default(), &mut field);
            let value = sampler.value(&mut stream.at(row), row);
            let mut expected = Vec::new();
            let length = match encode(&value, &ty, &mut expected) {
                Ok(is_null) => if is_null { -1 } else { expected.len() as i32 },
                Err(error) => return Err(TestCaseError::fail(format!("{index}: {error}"))),
            };
            prop_assert_eq!(&field[..4], length.to_be_bytes());
            prop_assert_eq!(&field[4..], expected, "{}: {} as {}", index, value, ty);
        }
    }

    #[test]
    fn numbers_survive(small: i16, medium: i32, large: i64, single: f32, double: f64) {
        prop_assert_eq!(decoded::<i16>(&encoded(&Value::Int(small.into()), &ColumnType::Int2), &Type::INT2), small);
        prop_assert_eq!(decoded::<i32>(&encoded(&Value::Int(medium.into()), &ColumnType::Int4), &Type::INT4), medium);
        prop_assert_eq!(decoded::<i64>(&encoded(&Value::Int(large), &ColumnType::Int8), &Type::INT8), large);
        let bytes = encoded(&Value::Float(single.into()), &ColumnType::Float4);
        prop_assert_eq!(decoded::<f32>(&bytes, &Type::FLOAT4), single);
        prop_assert_eq!(decoded::<f64>(&encoded(&Value::Float(double), &ColumnType::Float8), &Type::FLOAT8), double);
    }

    #[test]
    fn moments_survive(micros in -200_000_000_000_000_000_i64..200_000_000_000_000_000) {
        let moment = jiff::Timestamp::from_microsecond(micros).unwrap();
        let bytes = encoded(&text(&moment.to_string()), &ColumnType::Timestamptz);
        prop_assert_eq!(decoded::<jiff::Timestamp>(&bytes, &Type::TIMESTAMPTZ), moment);
        let civil = moment.to_zoned(jiff::tz::TimeZone::UTC).datetime();
        let bytes = encoded(&text(&civil.to_string()), &ColumnType::Timestamp);
        prop_assert_eq!(decoded::<jiff::civil::DateTime>(&bytes, &Type::TIMESTAMP), civil);
        let bytes = encoded(&text(&civil.date().to_string()), &ColumnType::Date);
        prop_assert_eq!(decoded::<jiff::civil::Date>(&bytes, &Type::DATE), civil.date());
    }

    #[test]
    fn texts_bytes_and_addresses_survive(
        string in "[^\\x00]*",
        bytes: Vec<u8>,
        id: u128,
        address: std::net::IpAddr,
        words: Vec<Option<bool>>,
    ) {
        let bytes_of_text = encoded(&text(&string), &ColumnType::Text);
        prop_assert_eq!(decoded::<String>(&bytes_of_text, &Type::TEXT), string.clone());
        let hex = bytes.iter().fold(String::from("\\x"), |hex, byte| hex + &format!("{byte:02x}"));
        prop_assert_eq!(decoded::<Vec<u8>>(&encoded(&text(&hex), &ColumnType::Bytea), &Type::BYTEA), bytes);
        let id = uuid::Uuid::from_u128(id);
        prop_assert_eq!(decoded::<uuid::Uuid>(&encoded(&text(&id.to_string()), &ColumnType::Uuid), &Type::UUID), id);
        let inet = encoded(&text(&address.to_string()), &ColumnType::Inet);
        prop_assert_eq!(decoded::<std::net::IpAddr>(&inet, &Type::INET), address);
        let array = Value::Array(words.iter().map(|word| word.map_or(Value::Null, Value::Bool)).collect());
        let bytes = encoded(&array, &ColumnType::Array(Box::new(ColumnType::Bool)));
        prop_assert_eq!(decoded::<Vec<Option<bool>>>(&bytes, &Type::BOOL_ARRAY), words);
        let json = serde_json::json!({ "text": string }).to_string();
        let bytes = encoded(&text(&json), &ColumnType::Jsonb);
        let read: serde_json::Value = decoded(&bytes, &Type::JSONB);
        prop_assert_eq!(read["text"].as_str(), Some(string.as_str()));
    }

    #[test]
    fn draws_stay_within_their_bounds(seed: u64, a in -30_000_i64..30_000, b in -30_000_i64..30_000) {
        let (min, max) = (a.min(b), a.max(b));
        let generators = [
            Generator::Uniform { min: min as f64, max: max as f64, decimals: 0 },
            Generator::Zipf { min, max, exponent: 1.0 },
            Generator::Normal {
                mean: 0.0,
                deviation: 20_000.0,
                min: Some(min as f64),
                max: Some(max as f64),
                decimals: 0,
            },
        ];
        for generator in generators {
            let sampler = Sampler::compile(&generator, &ColumnType::Int2, &dataset(), None).unwrap();
            match sampler.value(&mut Stream::new(seed, &[]).at(0), 0) {
                Value::Int(value) => prop_assert!((min..=max).contains(&value), "{value}"),
                other => return Err(TestCaseError::fail(other.to_string())),
            }
        }
    }
}

#[test]
fn values_that_are_no_such_type_are_named() {
    use ColumnType as T;
    let fault = |value: Value, ty: T| encode(&value, &ty, &mut Vec::new()).unwrap_err().to_string();
    insta::assert_snapshot!(fault(Value::Int(40_000), T::Int2), @"40000 is not a valid smallint: write a whole number from -32768 to 32767");
    insta::assert_snapshot!(fault(text("42"), T::Int8), @"'42' is not a valid bigint: write a whole number");
    insta::assert_snapshot!(fault(text("2025-13-01"), T::Date), @"'2025-13-01' is not a valid date: write '2025-03-01'");
    insta::assert_snapshot!(fault(text("{oops}"), T::Jsonb), @"'{oops}' is not a valid jsonb: write valid JSON in quotes");
    insta::assert_snapshot!(fault(text("300.1.1.1"), T::Inet), @"'300.1.1.1' is not a valid inet: write '10.0.0.1' or '10.0.0.0/8'");
    insta::assert_snapshot!(fault(text("\\xabc"), T::Bytea), @r"'\xabc' is not a valid bytea: write '\x0aff'");
    insta::assert_snapshot!(fault(Value::Array(vec![Value::Int(1), text("b")]), T::Array(Box::new(T::Int4))), @"'b' is not a valid integer: write a whole number from -2147483648 to 2147483647");
}

#[test]
fn misfits_name_the_generator_the_type_and_the_way_out() {
    let fault = |generator: Generator, ty: ColumnType, rows| {
        Sampler::compile(&generator, &ty, &dataset(), rows).unwrap_err().to_string()
    };
    let zipf = |max| Generator::Zipf { min: 1, max, exponent: 1.0 };
    insta::assert_snapshot!(fault(zipf(5), ColumnType::Text, None), @"a zipf generator cannot make text: use text, pattern, uuid, constant or choice");
    insta::assert_snapshot!(fault(zipf(100_000), ColumnType::Int2, None), @"the zipf generator cannot fill smallint: its range 1 to 100000 is not within -32768 to 32767");
    let growing = Generator::Timestamp { from: 0, to: 10, order: RowOrder::Growing };
    insta::assert_snapshot!(fault(growing, ColumnType::Date, None), @"the timestamp generator cannot fill date: growing moments need rows to grow with, and a parameter has none");
    let key = Generator::ForeignKey { table: "codes".into(), column: "nr".into(), exponent: None };
    insta::assert_snapshot!(fault(key, ColumnType::Text, None), @"the dataset makes no column codes.nr to refer to");
}

#[test]
fn a_parameter_sequence_starts_over_where_its_type_ends() {
    let sequence = Generator::Sequence { start: 32_766, step: 1 };
    let sampler = Sampler::compile(&sequence, &ColumnType::Int2, &dataset(), None).unwrap();
    let values: Vec<Value> = (0..4).map(|row| sampler.value(&mut Stream::new(0, &[]).at(row), row)).collect();
    assert_eq!(values, [32_766, 32_767, 32_766, 32_767].map(Value::Int));
}
