use sha2::{Digest, Sha256};

use super::*;
use crate::scenario::{Column, Generator, JsonTemplate, RowOrder, SqlText, TextKind, UuidVersion, Value, Weighted};

/// SHA-256 of the first 20 000 rows of [`events`]. It changes only when a recipe comes to mean other rows, which has to be
/// said in the CHANGELOG.
const EVENTS_SHA256: &str = "2238996f0db81bc9ce2fabd3ab4339c319d66b7a563d26e83d196574389d3b08";
/// The same for [`everything`].
const EVERYTHING_SHA256: &str = "2fedc8a8800afd7ad52f9de8fbe853521d7105b8651a7580f597f72fb0b9d264";

fn column(name: &str, generator: Generator) -> Column {
    Column { name: name.into(), generator, null_share: 0.0 }
}

fn choice(values: &[(&str, f64)]) -> Generator {
    let weighted = |(value, weight): &(&str, f64)| Weighted { value: Value::Text((*value).into()), weight: *weight };
    Generator::Choice(values.iter().map(weighted).collect())
}

fn dataset(tables: Vec<Table>) -> Dataset {
    let schema = SqlText { source: "schema.sql".into(), text: String::new(), statements: Vec::new() };
    Dataset { seed: 42, schema, tables }
}

fn uniform(min: f64, max: f64, decimals: u32) -> Generator {
    Generator::Uniform { min, max, decimals }
}

/// A table like that of the bundled scenario.
fn events(rows: u64) -> (Dataset, Vec<(String, ColumnType)>) {
    let year = 365 * 86_400_000_000;
    let from = 1_735_689_600_000_000;
    let leaf = |generator| JsonTemplate::Generated(Box::new(generator));
    let session = Generator::Text { min_length: 12, max_length: 12, kind: TextKind::Hex };
    let payload = JsonTemplate::Object(vec![
        ("page".into(), leaf(Generator::Pattern("/products/####".into()))),
        ("session".into(), leaf(session)),
        ("ms".into(), leaf(uniform(1.0, 900.0, 0))),
        ("mobile".into(), leaf(Generator::Boolean { true_share: 0.6 })),
    ]);
    let columns = vec![
        column("created_at", Generator::Timestamp { from, to: from + year, order: RowOrder::Random }),
        column("id", Generator::Sequence { start: 1, step: 1 }),
        column("kind", choice(&[("view", 80.0), ("click", 14.0), ("search", 5.0), ("purchase", 1.0)])),
        column("payload", Generator::Json(payload)),
        column("user_id", Generator::Zipf { min: 1, max: 10_000, exponent: 1.0 }),
    ];
    let types = vec![
        ("id".into(), ColumnType::Int8),
        ("user_id".into(), ColumnType::Int8),
        ("created_at".into(), ColumnType::Timestamptz),
        ("kind".into(), ColumnType::Text),
        ("payload".into(), ColumnType::Jsonb),
    ];
    (dataset(vec![Table { name: "events".into(), rows, columns }]), types)
}

/// Two tables with every generator; rows of the second refer to the first.
fn everything(rows: u64) -> (Dataset, Vec<(String, ColumnType)>) {
    let users = Table {
        name: "users".into(),
        rows: 50,
        columns: vec![column("id", Generator::Sequence { start: 100, step: 7 })],
    };
    let text = |kind| Generator::Text { min_length: 3, max_length: 40, kind };
    let tags = Generator::Array { element: Box::new(choice(&[("a", 1.0), ("b", 2.0)])), min_length: 0, max_length: 4 };
    let entries = [
        ("amount", ColumnType::Numeric, uniform(-5.0, 500.0, 2)),
        ("big", ColumnType::Float8, Generator::Normal { mean: 0.0, deviation: 2.5, min: None, max: None, decimals: 0 }),
        ("bytes", ColumnType::Bytea, Generator::Bytes { min_length: 0, max_length: 9 }),
        ("constant", ColumnType::Date, Generator::Constant(Value::Text("2025-06-01".into()))),
        ("day", ColumnType::Date, Generator::Timestamp { from: 0, to: 86_400_000_000 * 90, order: RowOrder::Growing }),
        ("flag", ColumnType::Bool, Generator::Boolean { true_share: 0.25 }),
        ("hex", ColumnType::Text, text(TextKind::Hex)),
        ("host", ColumnType::Inet, Generator::Inet { network: [10, 1, 0, 0].into(), prefix: 16 }),
        ("letters", ColumnType::Text, text(TextKind::Alphanumeric)),
        ("moment", ColumnType::Timestamp, Generator::Timestamp { from: 0, to: 1_000_000, order: RowOrder::Growing }),
        (
            "size",
            ColumnType::Int2,
            Generator::Normal { mean: 10.0, deviation: 4.0, min: Some(0.0), max: None, decimals: 0 },
        ),
        ("tags", ColumnType::Array(Box::new(ColumnType::Text)), tags),
        (
            "user_id",
            ColumnType::Int8,
            Generator::ForeignKey { table: "users".into(), column: "id".into(), exponent: Some(1.1) },
        ),
        ("v4", ColumnType::Uuid, Generator::Uuid(UuidVersion::V4)),
        ("v7", ColumnType::Uuid, Generator::Uuid(UuidVersion::V7)),
        ("words", ColumnType::Text, text(TextKind::Words)),
    ];
    let columns = entries
        .iter()
        .map(|(name, _, generator)| Column { name: (*name).into(), generator: generator.clone(), null_share: 0.1 })
        .collect();
    let types = entries.into_iter().map(|(name, ty, _)| (name.into(), ty)).collect();
    (dataset(vec![users, Table { name: "visits".into(), rows, columns }]), types)
}

fn compile(made: (Dataset, Vec<(String, ColumnType)>)) -> TableRows {
    let (dataset, types) = made;
    TableRows::compile(&dataset, dataset.tables.last().unwrap(), &types).unwrap()
}

fn bytes(table: &TableRows, chunk: u64) -> Vec<u8> {
    let mut scratch = Scratch::default();
    let mut out = Vec::new();
    for start in (0..table.rows()).step_by(usize::try_from(chunk).unwrap()) {
        table.write_rows(start..(start + chunk).min(table.rows()), &mut scratch, &mut out).unwrap();
    }
    out
}

/// Chunks handed out to threads as they come, put together in order.
fn bytes_of_threads(table: &TableRows, threads: usize, chunk: u64) -> Vec<u8> {
    let next = std::sync::atomic::AtomicU64::new(0);
    let mut parts: Vec<(u64, Vec<u8>)> = std::thread::scope(|scope| {
        let work = || {
            let mut scratch = Scratch::default();
            let mut parts = Vec::new();
            loop {
                let start = next.fetch_add(chunk, std::sync::atomic::Ordering::Relaxed);
                if start >= table.rows() {
                    return parts;
                }
                let mut out = Vec::new();
                table.write_rows(start..(start + chunk).min(table.rows()), &mut scratch, &mut out).unwrap();
                parts.push((start, out));
            }
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
    });
    parts.sort_by_key(|(start, _)| *start);
    parts.into_iter().flat_map(|(_, part)| part).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn rows_are_the_same_in_any_chunks_on_any_number_of_threads() {
    for (table, pinned) in [(compile(events(20_000)), EVENTS_SHA256), (compile(everything(20_000)), EVERYTHING_SHA256)]
    {
        assert_eq!(sha256(&bytes(&table, 20_000)), pinned);
        for chunk in [1, 999, 4096] {
            assert_eq!(sha256(&bytes(&table, chunk)), pinned, "chunks of {chunk}");
        }
        for threads in [1, 2, 7] {
            assert_eq!(sha256(&bytes_of_threads(&table, threads, 501)), pinned, "{threads} threads");
        }
    }
}

#[test]
fn more_rows_keep_the_first_ones() {
    let (few, many) = (bytes(&compile(events(500)), 500), bytes(&compile(events(600)), 600));
    assert!(many.starts_with(&few));
}

#[test]
fn another_seed_makes_other_rows() {
    let (mut dataset, types) = events(100);
    let one = bytes(&compile((dataset.clone(), types.clone())), 100);
    dataset.seed += 1;
    assert_ne!(one, bytes(&compile((dataset, types)), 100));
}

#[test]
fn foreign_keys_refer_to_rows_that_exist_and_nulls_have_their_share() {
    let (dataset, types) = everything(20_000);
    let visits = &dataset.tables[1];
    let keys: Vec<Value> = (0..50).map(|row| Value::Int(100 + 7 * row)).collect();
    let position = visits.columns.iter().position(|column| column.name == "user_id").unwrap();
    let sampler = ColumnSampler::compile(&dataset, visits, &visits.columns[position], &types[position].1).unwrap();
    let values: Vec<Value> = (0..20_000).map(|row| sampler.value(row)).collect();
    let nulls = values.iter().filter(|value| **value == Value::Null).count();
    assert!((1800..2200).contains(&nulls), "{nulls} of 20 000 for a share of 0.1");
    assert!(values.iter().all(|value| *value == Value::Null || keys.contains(value)));
    let first = values.iter().filter(|value| **value == keys[0]).count();
    let last = values.iter().filter(|value| **value == keys[49]).count();
    assert!(first > 20 * last, "{first} and {last}");
}

#[test]
fn faults_name_the_column_and_what_would_fit() {
    let (dataset, mut types) = events(10);
    types[1].1 = ColumnType::Uuid;
    let error = TableRows::compile(&dataset, &dataset.tables[0], &types).unwrap_err();
    insta::assert_snapshot!(error, @"events.user_id: a zipf generator cannot make uuid: use uuid, constant or choice");
    types.remove(1);
    let error = TableRows::compile(&dataset, &dataset.tables[0], &types).unwrap_err();
    insta::assert_snapshot!(error, @"events.user_id: the table has no such column; it has id, created_at, kind, payload");
    types.insert(1, ("user_id".into(), ColumnType::Int2));
    types[2].1 = ColumnType::Date;
    types[3].1 = ColumnType::Int4;
    let error = TableRows::compile(&dataset, &dataset.tables[0], &types).unwrap_err();
    insta::assert_snapshot!(error, @"events.kind: 'view' is not a valid integer: write a whole number from -2147483648 to 2147483647");
}
