//! Where the values of one parameter come from.

use super::{
    classes::{self, Frequencies, distinct},
    error::{Error, Result},
    fetched::Fetched,
};
use crate::{
    draw::{ColumnType, Random, Sampler, Stream},
    scenario::{self, Dataset, ParameterSource, Statement, Value},
};

/// Operations that the classes of parameter values are derived from.
const CLASS_DRAWS: u64 = 10_000;

/// What the database says of one statement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StatementFacts {
    /// Of each parameter.
    pub parameters: Vec<ParameterFacts>,
    /// Whether its results come as text only: a column's type has no binary form.
    pub results_as_text: bool,
}

/// What the database says of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterFacts {
    /// Its type, as the server reports it when the statement is prepared.
    pub column_type: ColumnType,
    /// The same as SQL names it.
    pub sql_type: String,
    /// What its query returned; empty for a parameter that is drawn.
    pub fetched: Vec<Value>,
}

/// Where a parameter's values come from.
#[derive(Debug)]
pub(super) struct Parameter {
    stream: Stream,
    null_share: f64,
    values: Values,
}

/// A value of each class for one parameter.
pub(super) struct ClassOf {
    pub(super) hot: Value,
    pub(super) typical: Value,
    pub(super) cold: Value,
    pub(super) absent: Value,
}

#[derive(Debug)]
enum Values {
    Drawn {
        sampler: Sampler,
        absent: Value,
    },
    Fetched {
        rows: Fetched,
        absent: Value,
    },
    /// Known only when an earlier step has its result.
    Result,
}

/// Compiles the parameters of a statement; `facts` has one entry for each.
pub(super) fn parameters(
    statement: &Statement,
    facts: &[ParameterFacts],
    dataset: &Dataset,
    seed: u64,
) -> Result<Vec<Parameter>> {
    if statement.parameters.len() != facts.len() {
        return Err(Error::count(&statement.name, facts.len(), statement.parameters.len()));
    }
    let parameter = |(index, (parameter, facts)): (usize, (&scenario::Parameter, &ParameterFacts))| {
        let number = index + 1;
        let values = match &parameter.source {
            ParameterSource::Generator(generator) => Values::Drawn {
                sampler: Sampler::compile(generator, &facts.column_type, dataset, None)
                    .map_err(|cause| Error::generator(&statement.name, number, cause))?,
                absent: classes::absent(generator, &facts.column_type, dataset),
            },
            ParameterSource::Query { .. } if facts.fetched.is_empty() => {
                return Err(Error::no_values(&statement.name, number));
            }
            ParameterSource::Query { shares, .. } => Values::Fetched {
                rows: Fetched::new(facts.fetched.clone(), *shares),
                absent: classes::beyond(&facts.fetched, &facts.column_type),
            },
            ParameterSource::Result { .. } => Values::Result,
        };
        let stream = Stream::new(seed, &["parameter", &statement.name, &number.to_string()]);
        Ok(Parameter { stream, null_share: parameter.null_share, values })
    };
    statement.parameters.iter().zip(facts).enumerate().map(parameter).collect()
}

impl Parameter {
    /// The value in operation `number`.
    pub(super) fn value(&self, number: u64) -> Value {
        let mut random = self.stream.at(number);
        if self.null_share > 0.0 && random.unit() < self.null_share {
            return Value::Null;
        }
        self.other_than_null(&mut random, number)
    }

    fn other_than_null(&self, random: &mut Random, number: u64) -> Value {
        match &self.values {
            Values::Drawn { sampler, .. } => sampler.value(random, number),
            Values::Fetched { rows, .. } => rows.value(random),
            Values::Result => Value::Null,
        }
    }

    /// The distinct values that operations have, each with how many of them have it, in the order in which they are first drawn; empty for
    /// a value of a result.
    pub(super) fn sent(&self) -> Vec<(Value, u64)> {
        match &self.values {
            Values::Result => Vec::new(),
            Values::Drawn { .. } | Values::Fetched { .. } => {
                distinct((0..CLASS_DRAWS).map(|number| self.other_than_null(&mut self.stream.at(number), number)))
            }
        }
    }

    /// A value for each class, as far as they follow from the distribution. Of a share of NULLs none follows.
    pub(super) fn classes(&self) -> ClassOf {
        let Frequencies { hot, typical, cold } = match &self.values {
            Values::Fetched { rows, .. } => rows.classes(),
            Values::Drawn { .. } => Frequencies::of(
                (0..CLASS_DRAWS).map(|number| self.other_than_null(&mut self.stream.at(number), number)),
            ),
            Values::Result => Frequencies::default(),
        };
        let absent = match &self.values {
            Values::Fetched { absent, .. } | Values::Drawn { absent, .. } => absent.clone(),
            Values::Result => Value::Null,
        };
        ClassOf { hot, typical, cold, absent }
    }
}
