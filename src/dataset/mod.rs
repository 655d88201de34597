//! Deterministic rows from (seed, table, row): pure.
//!
//! The value of a column in a row depends on nothing but the dataset's seed, the names of the table and the column, and the
//! number of the row. So any part of a table can be made by any thread, in any order, and the whole is byte for byte the same.

use std::ops::Range;

use crate::{
    draw::{ColumnSampler, ColumnType, Error, Result, Scratch},
    scenario::{Dataset, Table},
};

/// What a binary COPY stream begins with: signature, flags, length of the header's extension.
pub const COPY_HEADER: &[u8; 19] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";
/// What a binary COPY stream ends with: a field count of -1.
pub const COPY_TRAILER: &[u8; 2] = &[0xFF, 0xFF];

/// The rows of one table.
#[derive(Debug, Clone)]
pub struct TableRows {
    columns: Vec<(String, ColumnSampler)>,
    rows: u64,
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
            Some(sampler.map(|sampler| (name.clone(), sampler)))
        });
        Ok(Self { columns: compiled.collect::<Result<_>>()?, rows: table.rows })
    }

    /// Names of the generated columns, in the order of the fields.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Rows of the whole table.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends one field of a row as binary COPY has it: int32 length (-1 for NULL), bytes. `column` counts as
    /// [`TableRows::columns`] does.
    pub fn write_field(&self, column: usize, row: u64, scratch: &mut Scratch, out: &mut Vec<u8>) {
        self.columns[column].1.write_field(row, scratch, out);
    }

    /// Appends the tuples of these rows as binary COPY has them, without the stream's header and trailer.
    pub fn write_rows(&self, rows: Range<u64>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let fields = (self.columns.len() as i16).to_be_bytes();
        for row in rows {
            out.extend_from_slice(&fields);
            for (_, column) in &self.columns {
                column.write_field(row, scratch, out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
