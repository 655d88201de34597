//! JSON from a template.

use super::{
    column_type::ColumnType,
    error::Result,
    random::Random,
    sampler::{Sampler, Scratch, Target},
    sink::{JsonSink, write_string, write_value},
};
use crate::scenario::{Dataset, Generator, JsonTemplate};

/// A compiled template: fixed text with samplers between.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Segment>);

#[derive(Debug, Clone)]
enum Segment {
    Text(Vec<u8>),
    Leaf(Box<Sampler>),
}

impl Template {
    pub(super) fn compile(template: &JsonTemplate, dataset: &Dataset, rows: Option<u64>) -> Result<Self> {
        let mut compiled = Self(Vec::new());
        compiled.append(template, dataset, rows)?;
        Ok(compiled)
    }

    fn append(&mut self, template: &JsonTemplate, dataset: &Dataset, rows: Option<u64>) -> Result<()> {
        match template {
            JsonTemplate::Literal(value) => write_value(value, self.text()),
            JsonTemplate::Array(elements) => {
                self.text().push(b'[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        self.text().push(b',');
                    }
                    self.append(element, dataset, rows)?;
                }
                self.text().push(b']');
            }
            JsonTemplate::Object(members) => {
                self.text().push(b'{');
                for (index, (name, member)) in members.iter().enumerate() {
                    if index > 0 {
                        self.text().push(b',');
                    }
                    write_string(name.as_bytes(), self.text());
                    self.text().push(b':');
                    self.append(member, dataset, rows)?;
                }
                self.text().push(b'}');
            }
            JsonTemplate::Generated(generator) => {
                let leaf = Sampler::for_target(generator, Target::Json, dataset, rows)?;
                self.0.push(Segment::Leaf(Box::new(leaf)));
            }
        }
        Ok(())
    }

    /// The fixed text at the end.
    fn text(&mut self) -> &mut Vec<u8> {
        if !matches!(self.0.last(), Some(Segment::Text(_))) {
            self.0.push(Segment::Text(Vec::new()));
        }
        match self.0.last_mut() {
            Some(Segment::Text(text)) => text,
            _ => unreachable!("a text was pushed above"),
        }
    }

    /// Appends JSON text.
    #[inline]
    pub(super) fn draw(&self, random: &mut Random, row: u64, scratch: &mut Scratch, out: &mut Vec<u8>) {
        for segment in &self.0 {
            match segment {
                Segment::Text(text) => out.extend_from_slice(text),
                Segment::Leaf(leaf) => leaf.draw(random, row, scratch, &mut JsonSink(out)),
            }
        }
    }
}

/// The type whose values a generator makes where nothing but the generator says so.
pub(super) fn natural_type(generator: &Generator, dataset: &Dataset) -> ColumnType {
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
