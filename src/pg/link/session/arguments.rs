//! The values of a statement's parameters in one execution.

use super::{program::Input, rows::Rows, statement_failure};
use crate::{
    draw::{self, ArrayText, ColumnType},
    engine::Failure,
    pg::{
        link::wire::message::{Format, put_value},
        site::feed::Feed,
    },
    scenario::Value,
};

/// The values of a statement's parameters in one execution.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'a> {
    /// As they were drawn, one a parameter or more.
    values: &'a [Value],
    types: &'a [ColumnType],
    /// Where they come from; empty where all are drawn.
    inputs: &'a [Input],
    /// Results of the earlier steps.
    results: &'a [Rows],
    /// The row in hand, and the step whose result it is of.
    row: Option<(usize, usize)>,
}

impl<'a> Arguments<'a> {
    /// Of a statement whose parameters are all drawn.
    #[inline]
    pub(crate) fn drawn(values: &'a [Value], types: &'a [ColumnType]) -> Self {
        Self { values, types, inputs: &[], results: &[], row: None }
    }

    /// With values that come from `results`, those of the earlier steps; `row` is the row in hand and the step whose result it is of.
    pub(crate) fn fed(self, inputs: &'a [Input], results: &'a [Rows], row: Option<(usize, usize)>) -> Self {
        Self { inputs, results, row, ..self }
    }

    pub(crate) fn count(&self) -> usize {
        self.types.len()
    }

    /// Appends all values as they are bound, each with its length.
    #[inline]
    pub(crate) fn put(&self, out: &mut Vec<u8>) -> Result<(), Failure> {
        (0..self.count()).try_for_each(|index| put_value(out, |out| self.bound(index, out)))
    }

    /// Appends a value in the form in which its statement binds it, and says whether it is NULL.
    #[inline]
    pub(crate) fn bound(&self, index: usize, out: &mut Vec<u8>) -> Result<bool, Failure> {
        match self.inputs.get(index) {
            None | Some(Input::Drawn) => {
                draw::encode(&self.values[index], &self.types[index], out).map_err(statement_failure)
            }
            Some(Input::Result { format: Format::Text, .. }) => {
                let mut text = String::new();
                let null = self.text(index, &mut text)?;
                out.extend_from_slice(text.as_bytes());
                Ok(null)
            }
            Some(Input::Result { step, kept, name, feed: Feed { conversion, element, .. }, .. }) => {
                let put = |cell: &[u8], out: &mut Vec<u8>| {
                    conversion.put(cell, out).map_err(|number| overflow(number, name, &self.types[index]))
                };
                let rows = &self.results[*step];
                let Some(element) = element else {
                    let Some(cell) = self.cell(*step, *kept) else { return Ok(true) };
                    return put(cell, out).map(|()| false);
                };
                draw::write_array_header(*element, rows.count(), out);
                for row in 0..rows.count() {
                    put_value(out, |out| match rows.cell(row, *kept) {
                        None => Ok(true),
                        Some(cell) => put(cell, out).map(|()| false),
                    })?;
                }
                Ok(false)
            }
        }
    }

    /// Appends the text form of a value and says whether it is NULL; the results are in text form too.
    pub(crate) fn text(&self, index: usize, out: &mut String) -> Result<bool, Failure> {
        match self.inputs.get(index) {
            None | Some(Input::Drawn) => {
                draw::encode_text(&self.values[index], &self.types[index], out).map_err(statement_failure)
            }
            Some(Input::Result { step, kept, feed: Feed { element: None, .. }, .. }) => {
                let Some(cell) = self.cell(*step, *kept) else { return Ok(true) };
                out.push_str(as_text(cell)?);
                Ok(false)
            }
            Some(Input::Result { step, kept, .. }) => {
                let rows = &self.results[*step];
                let mut array = ArrayText::begin(self.types[index].element(), out);
                for row in 0..rows.count() {
                    array.push(rows.cell(row, *kept).map(as_text).transpose()?);
                }
                array.end();
                Ok(false)
            }
        }
    }

    /// A value of the row in hand, or of the first.
    fn cell(&self, step: usize, kept: usize) -> Option<&'a [u8]> {
        let row = self.row.filter(|(source, _)| *source == step).map_or(0, |(_, row)| row);
        self.results[step].cell(row, kept)
    }
}

fn as_text(cell: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(cell).map_err(statement_failure)
}

fn overflow(number: i64, name: &str, ty: &ColumnType) -> Failure {
    statement_failure(format!("{name} is {number}, which is beyond a {ty}"))
}
