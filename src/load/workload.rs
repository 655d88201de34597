//! The statement mix and the parameters, as pure functions of (seed, operation number).

use super::{
    classes::{self, ClassValues},
    error::{Error, Result},
    model::Operation,
};
use crate::{
    draw::{ColumnType, Sampler, Stream},
    scenario::{Classes, Dataset, ParameterSource, Scenario, Statement, Value},
};

/// Operations that the classes of parameter values are derived from.
const CLASS_DRAWS: u64 = 10_000;

/// What the database says of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterFacts {
    /// Its type, as the server reports it when the statement is prepared.
    pub column_type: ColumnType,
    /// What its query returned; empty for a parameter that is drawn.
    pub fetched: Vec<Value>,
}

/// What is sent: statements by weight and their parameters. Every part of an operation follows from the seed and the number of
/// the operation alone.
#[derive(Debug)]
pub struct Workload {
    statements: Vec<Mixed>,
    mix: Stream,
}

/// A statement in the mix.
#[derive(Debug)]
struct Mixed {
    name: String,
    /// Share of this statement and all before it, 0 to 1.
    cumulative: f64,
    parameters: Vec<Parameter>,
    classes: Classes,
}

/// Where a parameter's values come from.
#[derive(Debug)]
pub(super) struct Parameter {
    stream: Stream,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Drawn { sampler: Sampler, absent: Value },
    Fetched { list: Vec<Value>, absent: Value },
}

impl Workload {
    /// Compiles the statements of `scenario`; `facts` has one entry a statement with one entry a parameter.
    ///
    /// # Errors
    /// When there are no statements, the number of parameters differs between scenario and SQL, a generator cannot make
    /// values of a parameter's type, or a parameter's query returned no rows.
    pub fn new(scenario: &Scenario, facts: &[Vec<ParameterFacts>], seed: u64) -> Result<Self> {
        let statements = &scenario.statements;
        if statements.is_empty() {
            return Err(Error::empty());
        }
        let total: f64 = statements.iter().map(|statement| statement.weight).sum();
        let mut sum = 0.0;
        let mut mixed = Vec::with_capacity(statements.len());
        for (index, statement) in statements.iter().enumerate() {
            sum += statement.weight;
            mixed.push(Mixed {
                name: statement.name.clone(),
                cumulative: if index + 1 == statements.len() { 1.0 } else { sum / total },
                parameters: parameters(
                    statement,
                    facts.get(index).map_or(&[], Vec::as_slice),
                    &scenario.dataset,
                    seed,
                )?,
                classes: statement.classes.clone(),
            });
        }
        Ok(Self { statements: mixed, mix: Stream::new(seed, &["mix"]) })
    }

    /// Number of statements, at least 1.
    pub fn statements(&self) -> usize {
        self.statements.len()
    }

    /// Makes operation `number`. Memory that `operation` holds is used again.
    pub fn fill(&self, number: u64, operation: &mut Operation) {
        let statement = match self.statements.len() {
            1 => 0,
            _ => {
                let at = self.mix.at(number).unit();
                self.statements.partition_point(|statement| statement.cumulative <= at)
            }
        };
        self.fill_statement(number, statement, operation);
    }

    /// Makes operation `number` of a given statement, outside the mix.
    pub fn fill_statement(&self, number: u64, statement: usize, operation: &mut Operation) {
        operation.number = number;
        operation.statement = statement;
        operation.parameters.clear();
        operation
            .parameters
            .extend(self.statements[statement].parameters.iter().map(|parameter| parameter.value(number)));
    }

    /// Parameter values for the plans of a statement: as the scenario names them, otherwise derived from each parameter's
    /// distribution. Parameters are drawn independently, so the most frequent tuple is that of the most frequent values.
    ///
    /// # Errors
    /// When the scenario names another number of values than the statement has parameters.
    pub fn classes(&self, statement: usize) -> Result<ClassValues> {
        let Mixed { name, parameters, classes: named, .. } = &self.statements[statement];
        let check = |class, values: &Option<Vec<Value>>| match values {
            Some(values) if values.len() != parameters.len() => {
                Err(Error::class_count(name, class, values.len(), parameters.len()))
            }
            _ => Ok(()),
        };
        check("hot", &named.hot)?;
        check("typical", &named.typical)?;
        check("absent", &named.absent)?;
        let mut derived = ClassValues::default();
        for parameter in parameters {
            let (hot, typical) = match &parameter.values {
                Values::Fetched { list, .. } => classes::hot_and_typical(list.iter().cloned()),
                Values::Drawn { .. } => {
                    classes::hot_and_typical((0..CLASS_DRAWS).map(|number| parameter.value(number)))
                }
            };
            derived.hot.push(hot);
            derived.typical.push(typical);
            derived.absent.push(match &parameter.values {
                Values::Fetched { absent, .. } | Values::Drawn { absent, .. } => absent.clone(),
            });
        }
        Ok(ClassValues {
            hot: named.hot.clone().unwrap_or(derived.hot),
            typical: named.typical.clone().unwrap_or(derived.typical),
            absent: named.absent.clone().unwrap_or(derived.absent),
        })
    }
}

fn parameters(statement: &Statement, facts: &[ParameterFacts], dataset: &Dataset, seed: u64) -> Result<Vec<Parameter>> {
    if statement.parameters.len() != facts.len() {
        return Err(Error::count(&statement.name, facts.len(), statement.parameters.len()));
    }
    let parameter = |(index, (source, facts)): (usize, (&ParameterSource, &ParameterFacts))| {
        let number = index + 1;
        let values = match source {
            ParameterSource::Generator(generator) => Values::Drawn {
                sampler: Sampler::compile(generator, &facts.column_type, dataset, None)
                    .map_err(|cause| Error::generator(&statement.name, number, cause))?,
                absent: classes::absent(generator, &facts.column_type, dataset),
            },
            ParameterSource::Query(_) if facts.fetched.is_empty() => {
                return Err(Error::no_values(&statement.name, number));
            }
            ParameterSource::Query(_) => Values::Fetched {
                list: facts.fetched.clone(),
                absent: classes::beyond(&facts.fetched, &facts.column_type),
            },
        };
        Ok(Parameter { stream: Stream::new(seed, &["parameter", &statement.name, &number.to_string()]), values })
    };
    statement.parameters.iter().zip(facts).enumerate().map(parameter).collect()
}

impl Parameter {
    fn value(&self, number: u64) -> Value {
        let mut random = self.stream.at(number);
        match &self.values {
            Values::Drawn { sampler, .. } => sampler.value(&mut random, number),
            Values::Fetched { list, .. } => list[random.below(list.len() as u64) as usize].clone(),
        }
    }
}
