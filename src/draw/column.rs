//! One column of a dataset: its generator, its stream, its share of NULLs.

use super::{
    cell::Cell,
    column_type::ColumnType,
    error::Result,
    random::Stream,
    sampler::{Sampler, Scratch, Target},
    sink::{BinarySink, Sink, ValueSink},
    text_form::encode_text,
};
use crate::{
    draw::sampler::ColumnSampler,
    scenario::{Column, Dataset, Table, Value},
};

impl ColumnSampler {
    /// Compiles `column` of `table` for a column of type `ty`.
    ///
    /// # Errors
    /// When the generator cannot make the type, or its values do not fit; the message begins with `table.column`.
    pub fn compile(dataset: &Dataset, table: &Table, column: &Column, ty: &ColumnType) -> Result<Self> {
        Self::for_target(dataset, table, column, Target::Type(ty))
    }

    pub(super) fn for_target(dataset: &Dataset, table: &Table, column: &Column, target: Target<'_>) -> Result<Self> {
        let sampler = Sampler::for_target(&column.generator, target, dataset, Some(table.rows))
            .map_err(|error| error.at(&format!("{}.{}", table.name, column.name)))?;
        let stream = Stream::new(dataset.seed, &[&table.name, &column.name]);
        Ok(Self { stream, null_share: column.null_share, sampler })
    }

    /// Appends the field of `row` as binary COPY has it: int32 length (-1 for NULL), bytes.
    #[inline]
    pub fn write_field(&self, row: u64, scratch: &mut Scratch, out: &mut Vec<u8>) {
        self.draw(row, scratch, &mut BinarySink(out));
    }

    /// Appends the value of `row`, in a column of type `ty`, as text and says whether it is NULL.
    ///
    /// # Errors
    /// It is none of the type.
    pub fn write_text(&self, row: u64, ty: &ColumnType, out: &mut String) -> Result<bool> {
        encode_text(&self.value(row), ty, out)
    }

    /// The value of `row`.
    pub fn value(&self, row: u64) -> Value {
        let mut sink = ValueSink::default();
        self.draw(row, &mut Scratch::default(), &mut sink);
        sink.0.pop().unwrap_or(Value::Null)
    }

    #[inline]
    pub(super) fn draw(&self, row: u64, scratch: &mut Scratch, sink: &mut impl Sink) {
        let mut random = self.stream.at(row);
        if self.null_share > 0.0 && random.unit() < self.null_share {
            return sink.cell(Cell::Null);
        }
        self.sampler.draw(&mut random, row, scratch, sink);
    }
}
