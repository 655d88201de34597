//! What the steps of a script take from each other: the results of earlier steps, as text.

use std::collections::BTreeSet;

use tokio_postgres::SimpleQueryRow;

use super::shape::Shape;
use crate::{
    draw::{self, ArrayText},
    pg::link::{
        Fault,
        error::{Error, Result},
        request::Argument,
    },
    scenario::{ParameterSource, Scenario, Script, Value},
};

/// What is kept of a step's last result for later steps.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// The columns that are read.
    columns: Vec<usize>,
    /// Whether a later step reads it.
    read: bool,
    rows: Vec<Vec<Option<String>>>,
}

impl Fed {
    /// One for each step.
    ///
    /// # Errors
    /// A step reads a column that there is not.
    pub(crate) fn of_steps(scenario: &Scenario, script: &Script, shapes: &[Shape]) -> Result<Vec<Self>> {
        let mut columns: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); script.steps.len()];
        let mut read = vec![false; script.steps.len()];
        for step in &script.steps {
            if let Some(source) = step.for_each {
                read[source] = true;
            }
            for parameter in &scenario.statements[step.statement].parameters {
                let ParameterSource::Result { step: source, column, .. } = &parameter.source else { continue };
                read[*source] = true;
                columns[*source].insert(column_of(script, *source, column, shapes)?);
            }
        }
        let fed = |(columns, read): (BTreeSet<usize>, bool)| Self {
            columns: columns.into_iter().collect(),
            read,
            rows: Vec::new(),
        };
        Ok(columns.into_iter().zip(read).map(fed).collect())
    }

    /// Number of rows.
    pub(crate) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Whether a later step reads it.
    pub(crate) fn is_read(&self) -> bool {
        self.read
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }

    /// Keeps what later steps read of a row.
    pub(crate) fn push(&mut self, row: &SimpleQueryRow) -> std::result::Result<(), Fault> {
        if self.read {
            let cells = self.columns.iter().map(|column| Ok::<_, Fault>(row.try_get(*column)?.map(str::to_owned)));
            self.rows.push(cells.collect::<std::result::Result<_, _>>()?);
        }
        Ok(())
    }

    /// A value; `None` is NULL.
    fn cell(&self, row: usize, column: usize) -> Option<&str> {
        let kept = self.columns.iter().position(|kept| *kept == column)?;
        self.rows.get(row)?.get(kept)?.as_deref()
    }
}

fn column_of(script: &Script, step: usize, column: &str, shapes: &[Shape]) -> Result<usize> {
    let columns = &shapes[script.steps[step].statement].columns;
    columns
        .iter()
        .position(|name| name == column)
        .ok_or_else(|| Error::new(format!("script {}: no step returns the column {column}", script.name)))
}

/// The values of a step's parameters: those that were drawn, and those from earlier results. `row` is the row in hand and the step
/// whose result it is of. `None` where a result that it needs a value of has no rows.
///
/// # Errors
/// A value is none of its parameter's type.
pub(crate) fn arguments(
    scenario: &Scenario,
    script: &Script,
    step: usize,
    drawn: &[Value],
    earlier: &[Fed],
    shapes: &[Shape],
    row: Option<(usize, usize)>,
) -> Result<Option<Vec<Argument>>> {
    let index = script.steps[step].statement;
    let (statement, shape) = (&scenario.statements[index], &shapes[index]);
    let mut arguments = Vec::with_capacity(shape.types.len());
    for (number, (parameter, ty)) in statement.parameters.iter().zip(&shape.types).enumerate() {
        let ParameterSource::Result { step: source, column, all } = &parameter.source else {
            let value = drawn.get(number).unwrap_or(&Value::Null);
            let mut text = String::new();
            let null = draw::encode_text(value, ty, &mut text).map_err(|cause| {
                Error::new(format!("statement {}: parameter ${}: {cause}", statement.name, number + 1))
            })?;
            arguments.push(((!null).then_some(text), value.to_string()));
            continue;
        };
        let fed = &earlier[*source];
        if fed.count() == 0 {
            return Ok(None);
        }
        let column = column_of(script, *source, column, shapes)?;
        let value = match all {
            false => {
                let row = row.filter(|(of, _)| of == source).map_or(0, |(_, row)| row);
                fed.cell(row, column).map(str::to_owned)
            }
            true => {
                let mut array = String::new();
                let mut text = ArrayText::begin(ty.element(), &mut array);
                (0..fed.count()).for_each(|row| text.push(fed.cell(row, column)));
                text.end();
                Some(array)
            }
        };
        let words = value.clone().map_or(Value::Null, Value::Text).to_string();
        arguments.push((value, words));
    }
    Ok(Some(arguments))
}
