//! The workload as sessions execute it.

use std::{collections::BTreeSet, io};

use tokio_postgres::Statement as Prepared;

use crate::{
    draw::ColumnType,
    load::StatementFacts,
    pg::{
        link::{
            Fault,
            error::{Error, Result},
            literal::Template,
            wire::message::{Execution, Format},
        },
        site::feed::{Feed, feed},
    },
    scenario::{self, ParameterSource, Protocol},
};

/// The workload as sessions execute it.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) statements: Vec<Statement>,
    pub(crate) scripts: Vec<Script>,
    /// Steps of the longest script.
    pub(crate) most_steps: usize,
}

/// What a statement takes and returns.
#[derive(Debug)]
pub(crate) struct Types {
    /// Types of its parameters.
    parameters: Vec<ColumnType>,
    /// The same as SQL names them.
    names: Vec<String>,
    /// The form of its results.
    results: Format,
}

impl From<&StatementFacts> for Types {
    fn from(facts: &StatementFacts) -> Self {
        Self {
            parameters: facts.parameters.iter().map(|facts| facts.column_type.clone()).collect(),
            names: facts.parameters.iter().map(|facts| facts.sql_type.clone()).collect(),
            results: if facts.results_as_text { Format::Text } else { Format::Binary },
        }
    }
}

/// A statement as it is sent.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Its SQL.
    pub(crate) sql: String,
    /// The name under which it is prepared.
    pub(crate) name: String,
    /// What its plan has of it where `auto_explain` shows it as JSON.
    pub(crate) shown_as: String,
    /// How it is sent.
    pub(crate) form: Form,
    /// In which form each parameter is sent, unless it is in the text.
    pub(crate) formats: Vec<Format>,
    /// In which form its results come, unless all do as text.
    pub(crate) results: Format,
    /// Types of its parameters.
    types: Vec<ColumnType>,
}

/// How a statement is sent.
#[derive(Debug)]
pub(crate) enum Form {
    /// Parsed once a connection.
    Prepared(Execution),
    /// Parsed each time.
    Extended(Execution),
    /// As text with the values in it.
    Simple(Template),
}

/// A script as it is executed.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) transaction: bool,
    pub(crate) steps: Vec<Step>,
}

/// A step as it is executed.
#[derive(Debug)]
pub(crate) struct Step {
    /// Index of its statement.
    pub(crate) statement: usize,
    /// The step for each of whose rows it is executed.
    pub(crate) for_each: Option<usize>,
    /// Where in an operation's parameters its own begin.
    pub(crate) first: usize,
    /// One a parameter; empty where all are drawn.
    pub(crate) inputs: Vec<Input>,
    /// Steps whose result it needs a value of.
    pub(crate) needs: Vec<usize>,
    /// Columns of its result that later steps read, growing; `None` where its rows do not matter.
    pub(crate) kept: Option<Vec<usize>>,
}

/// Where a parameter's value comes from.
#[derive(Debug)]
pub(crate) enum Input {
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
        /// The form in which it comes and goes, unless all is text.
        format: Format,
    },
}

impl Program {
    /// `types` are those of each statement. `prepare` tells what the steps of scripts return.
    pub(crate) async fn new(
        prepare: impl AsyncFn(&str) -> std::result::Result<Prepared, Fault>,
        statements: &[scenario::Statement],
        scripts: &[scenario::Script],
        types: &[Types],
        protocol: Protocol,
    ) -> Result<Self> {
        let mut compiled = Vec::with_capacity(scripts.len());
        for script in scripts {
            compiled.push(Script::new(&prepare, script, statements, types).await?);
        }
        let formats = formats(&compiled, types);
        let statement = |(index, (statement, (types, formats)))| {
            Statement::new(index, statement, types, formats, protocol)
                .map_err(|cause| Error::new(format!("statement {} cannot be sent: {cause}", statement.name)))
        };
        Ok(Self {
            statements: statements
                .iter()
                .zip(types.iter().zip(formats))
                .enumerate()
                .map(statement)
                .collect::<Result<_>>()?,
            most_steps: compiled.iter().map(|script| script.steps.len()).max().unwrap_or(0),
            scripts: compiled,
        })
    }
}

/// The form in which each parameter of each statement is sent.
fn formats(scripts: &[Script], types: &[Types]) -> Vec<Vec<Format>> {
    let mut formats: Vec<Vec<Format>> =
        types.iter().map(|types| types.parameters.iter().map(Format::of).collect()).collect();
    for step in scripts.iter().flat_map(|script| &script.steps) {
        for (own, input) in formats[step.statement].iter_mut().zip(&step.inputs) {
            if let Input::Result { format, .. } = input {
                *own = *format;
            }
        }
    }
    formats
}

impl Statement {
    fn new(
        index: usize,
        statement: &scenario::Statement,
        of: &Types,
        formats: Vec<Format>,
        protocol: Protocol,
    ) -> io::Result<Self> {
        let sql = statement.sql.only().to_owned();
        // Not as tokio-postgres names those that it prepares on the same connection.
        let name = format!("q{index}");
        let form = match protocol {
            Protocol::Prepared => Form::Prepared(Execution::new(&name, &formats, of.results)?),
            Protocol::Extended => Form::Extended(Execution::parsing(&sql, &formats, of.results)?),
            Protocol::Simple => Form::Simple(Template::new(&sql, &of.names)),
        };
        // PostgreSQL escapes the same characters in the same way.
        let shown_as = format!("\"Query Text\": {}", serde_json::Value::from(sql.as_str()));
        Ok(Self { sql, name, shown_as, form, formats, results: of.results, types: of.parameters.clone() })
    }

    pub(crate) fn types(&self) -> &[ColumnType] {
        &self.types
    }
}

impl Script {
    async fn new(
        prepare: &impl AsyncFn(&str) -> std::result::Result<Prepared, Fault>,
        script: &scenario::Script,
        statements: &[scenario::Statement],
        types: &[Types],
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
                let format = types[script.steps[from].statement].results;
                inputs[number] = Input::Result { step: from, kept: at, name, feed, format };
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
    pub(crate) fn single(&self) -> Option<usize> {
        match self.steps.as_slice() {
            [step] if !self.transaction => Some(step.statement),
            _ => None,
        }
    }
}
