//! The type that the values of a generator have by themselves.

use crate::{
    draw::column_type::ColumnType,
    scenario::{Dataset, Generator},
};

/// The type whose values a generator makes where nothing but the generator says so.
pub(crate) fn natural_type(generator: &Generator, dataset: &Dataset) -> ColumnType {
    match generator {
        Generator::Sequence { .. }
        | Generator::Zipf { .. }
        | Generator::Uniform { decimals: 0, .. }
        | Generator::Normal { decimals: 0, .. } => ColumnType::Int8,
        Generator::Uniform { .. } | Generator::Normal { .. } => ColumnType::Numeric,
        Generator::Timestamp { .. } => ColumnType::Timestamptz,
        Generator::Text { .. } | Generator::Pattern(_) | Generator::Constant(_) | Generator::Choice(_) => {
            ColumnType::Text
        }
        Generator::Uuid(_) => ColumnType::Uuid,
        Generator::Json(_) => ColumnType::Jsonb,
        Generator::Array { element, .. } => ColumnType::Array(Box::new(natural_type(element, dataset))),
        Generator::Bytes { .. } => ColumnType::Bytea,
        Generator::Inet { .. } => ColumnType::Inet,
        Generator::Boolean { .. } => ColumnType::Bool,
        Generator::ForeignKey { table, column, .. } => dataset
            .tables
            .iter()
            .find(|candidate| candidate.name == *table)
            .and_then(|table| table.columns.iter().find(|candidate| candidate.name == *column))
            .filter(|column| !matches!(column.generator, Generator::ForeignKey { .. }))
            .map_or(ColumnType::Text, |column| natural_type(&column.generator, dataset)),
    }
}
