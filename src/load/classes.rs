//! Parameter values for plans: the most frequent, a usual one, the rarest, one that the data does not have.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
};

use crate::{
    draw::ColumnType,
    scenario::{Dataset, Generator, Value, Weighted},
};

/// Standard deviations from the mean of an unclamped normal distribution that no draw comes near.
const FAR_DEVIATIONS: f64 = 1000.0;

/// A value for each parameter of a statement, by class.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClassValues {
    /// The most frequent values.
    pub hot: Vec<Value>,
    /// The values at the median of the frequencies, weighted by operation: half of the operations have values that are at least as
    /// frequent.
    pub typical: Vec<Value>,
    /// The rarest values.
    pub cold: Vec<Value>,
    /// Values that the distribution cannot give; NULL for a type that has no other.
    pub absent: Vec<Value>,
}

/// What follows for the classes from how frequent values are.
#[derive(Debug, PartialEq)]
pub(super) struct Frequencies {
    /// The most frequent value; of equals the first.
    pub(super) hot: Value,
    /// The value at the median of the frequencies, weighted by operation.
    pub(super) typical: Value,
    /// The rarest value; of equals the last.
    pub(super) cold: Value,
}

impl Default for Frequencies {
    /// Nothing is known.
    fn default() -> Self {
        Self { hot: Value::Null, typical: Value::Null, cold: Value::Null }
    }
}

impl Frequencies {
    /// Those of draws.
    pub(super) fn of(draws: impl Iterator<Item = Value>) -> Self {
        let mut distinct = distinct(draws);
        // Stable: of equally frequent values the first drawn stays first.
        distinct.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let value = |found: Option<&(Value, u64)>| found.map_or(Value::Null, |(value, _)| value.clone());
        Self { hot: value(distinct.first()), typical: value(median(&distinct)), cold: value(distinct.last()) }
    }
}

/// Distinct values with their counts, in the order in which they first come.
pub(super) fn distinct(draws: impl Iterator<Item = Value>) -> Vec<(Value, u64)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut distinct: Vec<(Value, u64)> = Vec::new();
    for value in draws {
        match places.entry(format!("{value}")) {
            Entry::Occupied(place) => distinct[*place.get()].1 += 1,
            Entry::Vacant(place) => {
                place.insert(distinct.len());
                distinct.push((value, 1));
            }
        }
    }
    distinct
}

/// The value at which half of the counts are reached.
fn median<T>(values: &[(T, u64)]) -> Option<&(T, u64)> {
    let total: u64 = values.iter().map(|(_, count)| count).sum();
    let mut seen = 0;
    values.iter().find(|(_, count)| {
        seen += count;
        2 * seen >= total
    })
}

/// The classes of values that operations send, by the rows that a table has of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByRows {
    /// Place of the value with most rows; of equals the one that is sent most often.
    pub hot: usize,
    /// Place of the value at the median, weighted by operation: half of the operations have values with at least as many rows.
    pub typical: usize,
    /// Place of the value with fewest rows, but one.
    pub cold: usize,
    /// Place of a value that no row has; of several the one that is sent most often.
    pub absent: Option<usize>,
}

impl ByRows {
    /// Of values that are sent so often, and have so many rows; `None` where no row has any of them.
    pub fn of(sent: &[u64], rows: &[u64]) -> Option<Self> {
        let mut order: Vec<(usize, u64)> = sent.iter().copied().enumerate().collect();
        let rows_of = |place: usize| rows.get(place).copied().unwrap_or(0);
        order.sort_by_key(|(place, sent)| std::cmp::Reverse((rows_of(*place), *sent)));
        let there = order.partition_point(|(place, _)| rows_of(*place) > 0);
        let (there, absent) = order.split_at(there);
        Some(Self {
            hot: there.first()?.0,
            typical: median(there)?.0,
            cold: there.last()?.0,
            absent: absent.first().map(|(place, _)| *place),
        })
    }
}

/// A value of the type that the generator cannot give.
pub(super) fn absent(generator: &Generator, column_type: &ColumnType, dataset: &Dataset) -> Value {
    match generator {
        Generator::Sequence { start, step } => start.checked_sub(*step).map_or(Value::Null, Value::Int),
        Generator::Array { element, .. } => match column_type {
            ColumnType::Array(element_type) => Value::Array(vec![absent(element, element_type, dataset)]),
            _ => Value::Null,
        },
        Generator::Boolean { .. } => Value::Null,
        Generator::ForeignKey { table, column, .. } => {
            let table = dataset.tables.iter().find(|known| known.name == *table);
            let column = table.and_then(|table| table.columns.iter().find(|known| known.name == *column));
            column.map_or(Value::Null, |column| absent(&column.generator, column_type, dataset))
        }
        _ => beyond(&extremes(generator), column_type),
    }
}

/// The outermost values that the generator can give, as far as [`beyond`] needs them.
fn extremes(generator: &Generator) -> Vec<Value> {
    let text = |length: u32| vec![Value::Text("x".repeat(length as usize))];
    match generator {
        Generator::Constant(value) => vec![value.clone()],
        Generator::Choice(values) => values.iter().map(|Weighted { value, .. }| value.clone()).collect(),
        Generator::Uniform { min, max, .. } => vec![Value::Float(*min), Value::Float(*max)],
        Generator::Zipf { min, max, .. } => vec![Value::Int(*min), Value::Int(*max)],
        Generator::Normal { mean, deviation, min, max, .. } => vec![
            Value::Float(min.unwrap_or(mean - FAR_DEVIATIONS * deviation)),
            Value::Float(max.unwrap_or(mean + FAR_DEVIATIONS * deviation)),
        ],
        Generator::Text { max_length, .. } => text(*max_length),
        Generator::Pattern(pattern) => text(u32::try_from(pattern.chars().count()).unwrap_or(u32::MAX)),
        Generator::Bytes { max_length, .. } => vec![Value::Text(format!("\\x{}", "00".repeat(*max_length as usize)))],
        Generator::Inet { network, prefix } => vec![Value::Text(format!("{network}/{prefix}"))],
        Generator::Timestamp { .. }
        | Generator::Uuid(_)
        | Generator::Json(_)
        | Generator::ForeignKey { .. }
        | Generator::Sequence { .. }
        | Generator::Array { .. }
        | Generator::Boolean { .. } => Vec::new(),
    }
}

/// A value of the type that is none of `values`: beyond the greatest where the type has an order, otherwise one that data
/// does not have.
pub fn beyond(values: &[Value], column_type: &ColumnType) -> Value {
    match column_type {
        ColumnType::Int2 => beyond_integers(values, i16::MIN.into(), i16::MAX.into()),
        ColumnType::Int4 => beyond_integers(values, i32::MIN.into(), i32::MAX.into()),
        ColumnType::Int8 => beyond_integers(values, i64::MIN, i64::MAX),
        ColumnType::Numeric | ColumnType::Float4 | ColumnType::Float8 => {
            let greatest = values.iter().filter_map(number).fold(0.0, f64::max);
            // Doubling passes over what is too large for adding 1 to be felt.
            Value::Float((greatest + 1.0).max(greatest * 2.0).floor())
        }
        ColumnType::Bool => [true, false]
            .into_iter()
            .map(Value::Bool)
            .find(|value| !values.is_empty() && !values.contains(value))
            .unwrap_or(Value::Null),
        ColumnType::Text | ColumnType::TextLike(_) => {
            let longest = values.iter().filter_map(text).max_by_key(|text| text.chars().count()).unwrap_or("absent");
            Value::Text(format!("{longest}~"))
        }
        // None, if operations send all labels: the server refuses what is no label.
        ColumnType::Enum(of) => unlisted(values, of.labels.iter().map(String::as_str)),
        // What another value is, only the server knows.
        ColumnType::Other(_) => Value::Null,
        ColumnType::Date => unlisted(values, ["1000-01-01", "1000-01-02"]),
        ColumnType::Timestamp => unlisted(values, ["1000-01-01T00:00:00", "1000-01-02T00:00:00"]),
        ColumnType::Timestamptz => unlisted(values, ["1000-01-01T00:00:00Z", "1000-01-02T00:00:00Z"]),
        ColumnType::Uuid => {
            unlisted(values, ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"])
        }
        ColumnType::Json | ColumnType::Jsonb => unlisted(values, [r#""absent""#, r#""absent too""#]),
        ColumnType::Bytea => {
            let longest = values.iter().filter_map(text).max_by_key(|text| text.len()).unwrap_or("\\x");
            Value::Text(format!("{longest}00"))
        }
        ColumnType::Inet => beyond_networks(values),
        ColumnType::Array(element) => {
            let elements: Vec<Value> = values
                .iter()
                .filter_map(|value| match value {
                    Value::Array(elements) => Some(elements.clone()),
                    _ => None,
                })
                .flatten()
                .collect();
            Value::Array(vec![beyond(&elements, element)])
        }
    }
}

fn beyond_integers(values: &[Value], least: i64, greatest: i64) -> Value {
    let numbers = || values.iter().filter_map(number);
    let above = numbers().fold(0.0, f64::max).floor() + 1.0;
    let below = numbers().fold(0.0, f64::min).ceil() - 1.0;
    if above <= greatest as f64 && above < i64::MAX as f64 {
        Value::Int(above as i64)
    } else if below >= least as f64 {
        Value::Int(below as i64)
    } else {
        Value::Null
    }
}

/// The first candidate that is in none of the networks or addresses. The candidates are reserved for documentation.
fn beyond_networks(values: &[Value]) -> Value {
    let inside = |candidate: &str| {
        values.iter().filter_map(text).any(|network| {
            let (address, prefix) = network.split_once('/').unwrap_or((network, "128"));
            let prefix = prefix.parse().unwrap_or(128_u32);
            match (address.parse(), candidate.parse()) {
                (Ok(IpAddr::V4(network)), Ok(IpAddr::V4(candidate))) => {
                    (network.to_bits() ^ candidate.to_bits()).checked_shr(32_u32.saturating_sub(prefix)).unwrap_or(0)
                        == 0
                }
                (Ok(IpAddr::V6(network)), Ok(IpAddr::V6(candidate))) => {
                    (network.to_bits() ^ candidate.to_bits()).checked_shr(128_u32.saturating_sub(prefix)).unwrap_or(0)
                        == 0
                }
                _ => false,
            }
        })
    };
    ["192.0.2.1", "198.51.100.1", "2001:db8::1"]
        .into_iter()
        .find(|candidate| !inside(candidate))
        .map_or(Value::Null, |candidate| Value::Text(candidate.to_owned()))
}

fn unlisted<'c>(values: &[Value], candidates: impl IntoIterator<Item = &'c str>) -> Value {
    let taken = |candidate: &str| values.iter().filter_map(text).any(|value| value == candidate);
    let candidate = candidates.into_iter().find(|candidate| !taken(candidate));
    candidate.map_or(Value::Null, |candidate| Value::Text(candidate.to_owned()))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        Value::Text(value) => value.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(value) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Column, SqlText, Table};

    fn draws(pairs: &[(i64, usize)]) -> impl Iterator<Item = Value> {
        pairs
            .iter()
            .flat_map(|(value, times)| std::iter::repeat_n(Value::Int(*value), *times))
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn dataset() -> Dataset {
        let schema = SqlText { source: String::new(), text: String::new(), statements: Vec::new() };
        let generator = Generator::Sequence { start: 1, step: 1 };
        let columns = vec![Column { name: "id".to_owned(), generator, null_share: 0.0 }];
        Dataset { seed: 1, schema, tables: vec![Table { name: "users".to_owned(), rows: 10, columns }] }
    }

    fn absent_of(generator: &Generator, column_type: &ColumnType) -> Value {
        absent(generator, column_type, &dataset())
    }

    fn classes(pairs: &[(i64, usize)]) -> [Value; 3] {
        let Frequencies { hot, typical, cold } = Frequencies::of(draws(pairs));
        [hot, typical, cold]
    }

    #[test]
    fn hot_is_the_most_frequent_typical_the_median_operation_and_cold_the_rarest() {
        // 4 of 10 operations have the value 7, 3 have 5: the fifth operation has 5.
        assert_eq!(classes(&[(5, 3), (7, 4), (2, 1), (1, 2)]), [7, 5, 2].map(Value::Int));
        assert_eq!(classes(&[(3, 1), (8, 1), (9, 1)]), [3, 8, 9].map(Value::Int));
        assert_eq!(classes(&[]), [Value::Null, Value::Null, Value::Null]);
    }

    #[test]
    fn by_rows_the_table_decides_which_of_the_values_that_are_sent_is_which() {
        let of = |sent: &[u64], rows: &[u64]| {
            ByRows::of(sent, rows).map(|ByRows { hot, typical, cold, absent }| (hot, typical, cold, absent))
        };
        // The value sent most often has one row; half of the operations send the first two.
        assert_eq!(of(&[1, 3, 5, 1, 2], &[900, 50, 1, 0, 0]), Some((0, 2, 2, Some(4))));
        assert_eq!(of(&[1, 7], &[5, 5]), Some((1, 1, 0, None)));
        assert_eq!(of(&[1, 7], &[0, 0]), None);
        assert_eq!(of(&[], &[]), None);
    }

    #[test]
    fn absent_is_beyond_the_distribution() {
        let zipf = Generator::Zipf { min: 1, max: 10_000, exponent: 1.0 };
        assert_eq!(absent_of(&zipf, &ColumnType::Int8), Value::Int(10_001));
        let full = Generator::Uniform { min: 0.0, max: 32_767.0, decimals: 0 };
        assert_eq!(absent_of(&full, &ColumnType::Int2), Value::Int(-1));
        let all = Generator::Uniform { min: -32_768.0, max: 32_767.0, decimals: 0 };
        assert_eq!(absent_of(&all, &ColumnType::Int2), Value::Null);
        let sequence = Generator::Sequence { start: 100, step: 10 };
        assert_eq!(absent_of(&sequence, &ColumnType::Int4), Value::Int(90));
        let key = Generator::ForeignKey { table: "users".to_owned(), column: "id".to_owned(), exponent: None };
        assert_eq!(absent_of(&key, &ColumnType::Int8), Value::Int(0));
        let array = Generator::Array { element: Box::new(zipf), min_length: 1, max_length: 3 };
        let of_integers = ColumnType::Array(Box::new(ColumnType::Int4));
        assert_eq!(absent_of(&array, &of_integers), Value::Array(vec![Value::Int(10_001)]));
    }

    #[test]
    fn absent_fits_its_type() {
        let text = |text: &str| Value::Text(text.to_owned());
        let choice = |value| Generator::Choice(vec![Weighted { value, weight: 1.0 }]);
        let network = Generator::Inet { network: [192, 0, 2, 0].into(), prefix: 24 };
        let price = Generator::Uniform { min: 0.0, max: 9.99, decimals: 2 };
        let cases = [
            (choice(text("abc")), ColumnType::Text, text("abc~")),
            (choice(Value::Bool(true)), ColumnType::Bool, Value::Bool(false)),
            (Generator::Boolean { true_share: 0.5 }, ColumnType::Bool, Value::Null),
            (choice(text("1000-01-01")), ColumnType::Date, text("1000-01-02")),
            (network, ColumnType::Inet, text("198.51.100.1")),
            (price, ColumnType::Numeric, Value::Float(19.0)),
            (Generator::Pattern("##".to_owned()), ColumnType::Text, text("xx~")),
        ];
        for (generator, column_type, expected) in cases {
            let value = absent_of(&generator, &column_type);
            assert_eq!(value, expected);
            crate::draw::encode(&value, &column_type, &mut Vec::new()).unwrap();
        }
    }

    #[test]
    fn whatever_the_type_an_absent_value_can_be_sent() {
        use ColumnType::{
            Bool, Bytea, Date, Float4, Float8, Inet, Int2, Int4, Int8, Json, Jsonb, Numeric, Text, Timestamp,
            Timestamptz, Uuid,
        };
        for column_type in [
            Int2,
            Int4,
            Int8,
            Numeric,
            Float4,
            Float8,
            Bool,
            Text,
            Date,
            Timestamp,
            Timestamptz,
            Uuid,
            Json,
            Jsonb,
            Inet,
            Bytea,
        ] {
            let array = ColumnType::Array(Box::new(column_type.clone()));
            for column_type in [column_type, array] {
                crate::draw::encode(&beyond(&[], &column_type), &column_type, &mut Vec::new()).unwrap();
            }
        }
    }
}
