//! The column that a foreign key refers to.

use crate::{
    draw::error::{Error, Result},
    scenario::{Column, Dataset, Table},
};

/// Finds a column that a foreign key refers to.
pub(crate) fn referenced<'a>(dataset: &'a Dataset, table: &str, column: &str) -> Result<(&'a Table, &'a Column)> {
    let table = dataset
        .tables
        .iter()
        .find(|candidate| candidate.name == table)
        .ok_or_else(|| Error::new(format!("the dataset has no table {table} to refer to")))?;
    let column = table
        .columns
        .iter()
        .find(|candidate| candidate.name == column)
        .ok_or_else(|| Error::new(format!("the dataset makes no column {}.{column} to refer to", table.name)))?;
    Ok((table, column))
}
