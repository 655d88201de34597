//! The workload as sessions execute it.

use std::{collections::BTreeSet, io};

use tokio_postgres::Statement as Prepared;

use crate::{
    draw::ColumnType,
    load::ParameterFacts,
    pg::{
        error::{Error, Result},
        feed::{Feed, feed},
        link::Fault,
        literal::Template,
        wire::Execution,
    },
    scenario::{self, ParameterSource, Protocol},
};

/// The workload as sessions execute it.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) statements: Vec<Statement>,
    pub(super) scripts: Vec<Script>,
    /// Steps of the longest script.
    pub(super) most_steps: usize,
}

/// The type of a parameter.
#[derive(Debug, Clone)]
pub(super) struct ParameterType {
    column_type: ColumnType,
    /// As SQL names it.
    name: String,
}

impl From<&ParameterFacts> for ParameterType {
    fn from(facts: &ParameterFacts) -> Self {
        Self { column_type: facts.column_type.clone(), name: facts.sql_type.clone() }
    }
}

/// A statement as it is sent.
#[derive(Debug)]
pub(super) struct Statement {
    /// Its SQL.
    pub(super) sql: String,
    /// The name under which it is prepared.
    pub(super) name: String,
    /// What its plan has of it where `auto_explain` shows it as JSON.
    pub(super) shown_as: String,
    /// How it is sent.
    pub(super) form: Form,
    /// Types of its parameters.
    types: Vec<ColumnType>,
}

/// How a statement is sent.
#[derive(Debug)]
pub(super) enum Form {
    /// Parsed once a connection.
    Prepared(Execution),
    /// Parsed each time.
    Extended(Execution),
    /// As text with the values in it.
    Simple(Template),
}

/// A script as it is executed.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) transaction: bool,
    pub(super) steps: Vec<Step>,
}

/// A step as it is executed.
#[derive(Debug)]
pub(super) struct Step {
    /// Index of its statement.
    pub(super) statement: usize,
    /// The step for each of whose rows it is executed.
    pub(super) for_each: Option<usize>,
    /// Where in an operation's parameters its own begin.
    pub(super) first: usize,
    /// One a parameter; empty where all are drawn.
    pub(super) inputs: Vec<Input>,
    /// Steps whose result it needs a value of.
    pub(super) needs: Vec<usize>,
    /// Columns of its result that later steps read, growing; `None` where its rows do not matter.
    pub(super) kept: Option<Vec<usize>>,
}

/// Where a parameter's value comes from.
#[derive(Debug)]
pub(super) enum Input {
    /// From the operation.
    Drawn,
    /// From the result of an earlier step.
    Result {
        step: usize,
        /// Index among the columns that are kept.
        kept: usize,
        /// What it is called in a failure.
        name: String,
        feed: Feed,
    },
}

impl Program {
    /// `parameters` has the types of each statement's. `prepare` tells what the steps of scripts return.
    pub(super) async fn new(
        prepare: impl AsyncFn(&str) -> std::result::Result<Prepared, Fault>,
        statements: &[scenario::Statement],
        scripts: &[scenario::Script],
        parameters: &[Vec<ParameterType>],
        protocol: Protocol,
    ) -> Result<Self> {
        let mut compiled = Vec::with_capacity(scripts.len());
        for script in scripts {
            compiled.push(Script::new(&prepare, script, statements).await?);
        }
        let statement = |(index, (statement, types)): (usize, (&scenario::Statement, &Vec<ParameterType>))| {
            Statement::new(index, statement, types, protocol)
                .map_err(|cause| Error::new(format!("statement {} cannot be sent: {cause}", statement.name)))
        };
        Ok(Self {
            statements: statements.iter().zip(parameters).enumerate().map(statement).collect::<Result<_>>()?,
            most_steps: compiled.iter().map(|script| script.steps.len()).max().unwrap_or(0),
            scripts: compiled,
        })
    }
}

impl Statement {
    fn new(
        index: usize,
        statement: &scenario::Statement,
        parameters: &[ParameterType],
        protocol: Protocol,
    ) -> io::Result<Self> {
        let sql = statement.sql.only().to_owned();
        // Not as tokio-postgres names those that it prepares on the same connection.
        let name = format!("q{index}");
        let form = match protocol {
            Protocol::Prepared => Form::Prepared(Execution::new(&name, parameters.len())?),
            Protocol::Extended => Form::Extended(Execution::parsing(&sql, parameters.len())?),
            Protocol::Simple => {
                let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
                Form::Simple(Template::new(&sql, &names))
            }
        };
        // PostgreSQL escapes the same characters in the same way.
        let shown_as = format!("\"Query Text\": {}", serde_json::Value::from(sql.as_str()));
        let types = parameters.iter().map(|parameter| parameter.column_type.clone()).collect();
        Ok(Self { sql, name, shown_as, form, types })
    }

    pub(super) fn types(&self) -> &[ColumnType] {
        &self.types
    }
}

impl Script {
    async fn new(
        prepare: &impl AsyncFn(&str) -> std::result::Result<Prepared, Fault>,
        script: &scenario::Script,
        statements: &[scenario::Statement],
    ) -> Result<Self> {
        let of = |step: &scenario::Step| &statements[step.statement];
        let results = |step: &scenario::Step| {
            of(step).parameters.iter().enumerate().filter_map(|(number, parameter)| match &parameter.source {
                ParameterSource::Result { step, column, all } => Some((number, *step, column.clone(), *all)),
                _ => None,
            })
        };
        // Only what reads, or is read, needs to be described.
        let mut described: Vec<Option<Prepared>> = vec![None; script.steps.len()];
        let mut read = BTreeSet::new();
        for (index, step) in script.steps.iter().enumerate() {
            let from: Vec<usize> = results(step).map(|(_, from, ..)| from).collect();
            read.extend(from.iter().copied().chain(step.for_each));
            for needed in from.iter().copied().chain((!from.is_empty()).then_some(index)) {
                if described[needed].is_none() {
                    let statement = of(&script.steps[needed]);
                    let prepared = prepare(statement.sql.only()).await;
                    described[needed] = Some(prepared.map_err(|cause| {
                        Error::from_server(format!("statement {} does not prepare", statement.name), cause)
                    })?);
                }
            }
        }

        let mut feeds = Vec::with_capacity(script.steps.len());
        let mut kept: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); script.steps.len()];
        for (index, step) in script.steps.iter().enumerate() {
            let mut of_step = Vec::new();
            for (number, from, column, all) in results(step) {
                let (Some(source), Some(own)) = (&described[from], &described[index]) else { continue };
                let parameter = own.params().get(number).ok_or_else(|| {
                    Error::new(format!("statement {} has no parameter ${}", of(step).name, number + 1))
                })?;
                let source_name = &of(&script.steps[from]).name;
                let feed = feed(source, source_name, &column, parameter, all)
                    .map_err(|misfit| Error::new(format!("parameter ${} {}", number + 1, misfit.what)))?;
                kept[from].insert(feed.column);
                of_step.push((number, from, format!("{column} of {source_name}"), feed));
            }
            feeds.push(of_step);
        }

        let mut first = 0;
        let mut steps = Vec::with_capacity(script.steps.len());
        for (index, (step, feeds)) in script.steps.iter().zip(feeds).enumerate() {
            let mut needs: Vec<usize> = feeds.iter().map(|(_, from, ..)| *from).collect();
            needs.dedup();
            let mut inputs = Vec::new();
            if !feeds.is_empty() {
                inputs.extend(of(step).parameters.iter().map(|_| Input::Drawn));
            }
            for (number, from, name, feed) in feeds {
                let at = kept[from].iter().position(|column| *column == feed.column).unwrap_or(0);
                inputs[number] = Input::Result { step: from, kept: at, name, feed };
            }
            steps.push(Step {
                statement: step.statement,
                for_each: step.for_each,
                first,
                inputs,
                needs,
                kept: read.contains(&index).then(|| kept[index].iter().copied().collect()),
            });
            first += of(step).parameters.len();
        }
        Ok(Self { transaction: script.transaction, steps })
    }

    /// The only statement that it executes, where nothing is around it.
    pub(super) fn single(&self) -> Option<usize> {
        match self.steps.as_slice() {
            [step] if !self.transaction => Some(step.statement),
            _ => None,
        }
    }
}
