//! Deterministic rows from (seed, table, row): pure.
//!
//! The value of a column in a row depends on nothing but the dataset's seed, the names of the table and the column, and the
//! number of the row. So any part of a table can be made by any thread, in any order, and the whole is byte for byte the same.

use std::ops::Range;

use crate::{
    draw::{self, ColumnSampler, ColumnType, Error, Result, Scratch},
    scenario::{self, Dataset, DeclaredType, Table},
};

mod copy;

pub use copy::CopyFormat;

/// Why a column of `table`, declared with this type, cannot be filled as the scenario says: what [`TableRows::compile`] says
/// once the column is there.
pub fn misfit(dataset: &Dataset, table: &Table, column: &scenario::Column, declared: &DeclaredType) -> Option<String> {
    let ty = ColumnType::declared(declared);
    ColumnSampler::compile(dataset, table, column, &ty).err().map(|error| error.to_string())
}

/// The rows of one table.
#[derive(Debug, Clone)]
pub struct TableRows {
    columns: Vec<Column>,
    rows: u64,
}

/// A generated column.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    ty: ColumnType,
    sampler: ColumnSampler,
}

impl TableRows {
    /// Compiles the generators of `table`, a table of `dataset`, for the columns that the table has in the database, given
    /// with their types in any order. Rows have the generated columns in that order; the others keep their default.
    ///
    /// # Errors
    /// When a generated column is not among them, or its generator cannot make its type.
    pub fn compile(dataset: &Dataset, table: &Table, columns: &[(String, ColumnType)]) -> Result<Self> {
        if let Some(missing) = table.columns.iter().find(|column| columns.iter().all(|(name, _)| *name != column.name))
        {
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Error::new(format!(
                "{}.{}: the table has no such column; it has {}",
                table.name,
                missing.name,
                names.join(", ")
            )));
        }
        if table.columns.is_empty() {
            return Err(Error::new(format!("{}: no column of the table is generated", table.name)));
        }
        let compiled = columns.iter().filter_map(|(name, ty)| {
            let column = table.columns.iter().find(|column| column.name == *name)?;
            let sampler = ColumnSampler::compile(dataset, table, column, ty);
            Some(sampler.map(|sampler| Column { name: name.clone(), ty: ty.clone(), sampler }))
        });
        Ok(Self { columns: compiled.collect::<Result<_>>()?, rows: table.rows })
    }

    /// Names of the generated columns, in the order of the fields.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Rows of the whole table.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How COPY takes the rows: text where a column is of a type that has no binary form here.
    pub fn format(&self) -> CopyFormat {
        match self.columns.iter().any(|column| column.ty.is_sent_as_text()) {
            true => CopyFormat::Text,
            false => CopyFormat::Binary,
        }
    }

    /// Appends a value as it is sent, without a length, and says whether it is NULL. `column` counts as
    /// [`TableRows::columns`] does.
    ///
    /// # Errors
    /// The value is none of the column's type.
    pub fn write_value(&self, column: usize, row: u64, out: &mut Vec<u8>) -> Result<bool> {
        let Column { ty, sampler, .. } = &self.columns[column];
        draw::encode(&sampler.value(row), ty, out)
    }

    /// Whether the values of a column are sent as text.
    pub fn is_sent_as_text(&self, column: usize) -> bool {
        self.columns[column].ty.is_sent_as_text()
    }

    /// Appends these rows as COPY takes them, without the stream's header and trailer.
    ///
    /// # Errors
    /// A value is none of its column's type.
    pub fn write_rows(&self, rows: Range<u64>, scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<()> {
        match self.format() {
            CopyFormat::Binary => {
                self.write_binary(rows, scratch, out);
                Ok(())
            }
            CopyFormat::Text => self.write_text(rows, out),
        }
    }

    fn write_binary(&self, rows: Range<u64>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let fields = (self.columns.len() as i16).to_be_bytes();
        for row in rows {
            out.extend_from_slice(&fields);
            for column in &self.columns {
                column.sampler.write_field(row, scratch, out);
            }
        }
    }

    fn write_text(&self, rows: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        let mut text = String::new();
        for row in rows {
            for (index, Column { ty, sampler, .. }) in self.columns.iter().enumerate() {
                text.clear();
                let null = sampler.write_text(row, ty, &mut text)?;
                copy::push_text_field(out, index == 0, (!null).then_some(&text));
            }
            out.push(b'\n');
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
