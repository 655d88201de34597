//! What the earlier steps of a script return for a statement whose plan is wanted.

use std::time::Duration;

use postgres_types::Type;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow, Statement as Prepared};
use tokio_util::sync::CancellationToken;

use super::{
    catalog::column_type,
    describe::{place_at, prepare},
    seed_session::stoppable,
};
use crate::{
    draw::{self, ArrayText, ColumnType},
    pg::link::{
        Limit, Scope, Timeout,
        error::{Error, Result},
        request::{Argument, Request},
        user_session::UserSession,
    },
    scenario::{ParameterSource, Scenario, Script, Statement, Value},
};

/// How long a step may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long it may wait for a lock.
const LOCK: Duration = Duration::from_secs(5);

/// A step that is executed before the statement's own.
struct Earlier {
    prepared: Prepared,
    request: Request,
    drawn: Vec<Argument>,
}

/// What a step returned, as text.
struct Returned {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
}

/// The values of a statement's parameters, those that come from results filled in: the earlier steps of its script are executed once
/// each, in a transaction that is rolled back, and of each result the first row is taken. `values` has one list for each statement of
/// the scenario. A value is NULL where a step returned no row, or needed a value of a step that did not.
///
/// # Errors
/// A step fails (the message names its place), a value is none of its parameter's type, or `stop` was given.
pub async fn script_values(
    session: &UserSession,
    scenario: &Scenario,
    statement: usize,
    values: &[Vec<Value>],
    stop: &CancellationToken,
) -> Result<Vec<Argument>> {
    let place_of = |script: &Script| script.steps.iter().position(|step| step.statement == statement);
    let found = scenario.scripts.iter().find_map(|script| Some((script, place_of(script)?)));
    let own = &scenario.statements[statement];
    let types = prepare(session, own).await?.params().to_vec();
    let drawn = drawn(own, &values[statement], &types)?;
    let Some((script, last)) = found.filter(|_| reads_results(own)) else {
        return Ok(drawn);
    };
    let failed = |cause| Error::from_server("cannot run the earlier steps of a script", cause);
    let mut earlier = Vec::with_capacity(last);
    for step in &script.steps[..last] {
        earlier.push(Earlier::new(session, scenario, step.statement, &values[step.statement]).await?);
    }
    let limits = [(Timeout::Statement, Some(TIME_LIMIT)), (Timeout::Lock, Some(LOCK))];
    let begin = format!("BEGIN; {}", session.theirs().set(Scope::Transaction, &limits));
    let _limit = session.limited(Limit::Server(TIME_LIMIT));
    session.run(&begin).await.map_err(failed)?;
    let taken = stoppable(session, stop, async {
        let mut results: Vec<Option<Returned>> = Vec::with_capacity(last);
        for (step, earlier) in script.steps.iter().zip(&earlier) {
            let skipped = step.for_each.is_some_and(|source| results[source].as_ref().is_none_or(Returned::is_empty));
            results.push(match skipped {
                true => None,
                false => earlier.execute(session, &scenario.statements[step.statement], &results).await?,
            });
        }
        Ok(fill(own, &types, drawn.clone(), &results).unwrap_or(drawn))
    })
    .await;
    // After a stop that the server did not hear of, the session is still at work: its end takes the transaction back.
    if !taken.as_ref().is_err_and(Error::is_stopped) {
        session.run("ROLLBACK").await.map_err(failed)?;
        for Earlier { request, .. } in earlier {
            request.forget(session).await?;
        }
    }
    taken.map_err(Error::naming_lock)
}

fn reads_results(statement: &Statement) -> bool {
    statement.parameters.iter().any(|parameter| matches!(parameter.source, ParameterSource::Result { .. }))
}

/// Values as text for parameters of these types.
fn drawn(statement: &Statement, values: &[Value], types: &[Type]) -> Result<Vec<Argument>> {
    let place = || format!("{}: statement {}", place_at(&statement.sql, 0), statement.name);
    if values.len() != types.len() {
        let (taken, given) = (types.len(), values.len());
        return Err(Error::new(format!("{}: it takes {taken} parameters, and {given} are given", place())));
    }
    let mut arguments = Vec::with_capacity(values.len());
    for (number, (value, ty)) in (1..).zip(values.iter().zip(types)) {
        let failed = |cause: String| Error::new(format!("{}: parameter ${number}: {cause}", place()));
        let column_type = column_type(ty).ok_or_else(|| failed(format!("no values can be made of type {ty}")))?;
        let mut text = String::new();
        let null = draw::encode_text(value, &column_type, &mut text).map_err(|cause| failed(cause.to_string()))?;
        arguments.push(((!null).then_some(text), value.to_string()));
    }
    Ok(arguments)
}

/// `values` with those that come from results; `None` where a result has no row.
fn fill(
    statement: &Statement,
    types: &[Type],
    mut values: Vec<Argument>,
    results: &[Option<Returned>],
) -> Option<Vec<Argument>> {
    for ((parameter, ty), value) in statement.parameters.iter().zip(types).zip(&mut values) {
        let ParameterSource::Result { step, column, all } = &parameter.source else { continue };
        let returned = results.get(*step)?.as_ref().filter(|returned| !returned.is_empty())?;
        let column = returned.columns.iter().position(|found| found == column)?;
        let cells: Vec<Option<&str>> =
            returned.rows.iter().map(|row| row.get(column).and_then(Option::as_deref)).collect();
        let ty = column_type(ty)?;
        *value = match all {
            false => (cells[0].map(str::to_owned), words(cells[0], &ty)),
            true => {
                let mut array = String::new();
                let mut text = ArrayText::begin(ty.element(), &mut array);
                cells.iter().for_each(|cell| text.push(*cell));
                text.end();
                let words: Vec<String> = cells.iter().map(|cell| words(*cell, ty.element())).collect();
                (Some(array), format!("ARRAY[{}]", words.join(", ")))
            }
        };
    }
    Some(values)
}

/// A value as SQL writes it.
fn words(text: Option<&str>, ty: &ColumnType) -> String {
    match text {
        Some(text) if ty.is_written_bare() => text.to_owned(),
        text => text.map_or(Value::Null, |text| Value::Text(text.to_owned())).to_string(),
    }
}

impl Earlier {
    /// Outside any transaction, which would end if the statement cannot be prepared.
    async fn new(session: &UserSession, scenario: &Scenario, index: usize, values: &[Value]) -> Result<Self> {
        let statement = &scenario.statements[index];
        let prepared = prepare(session, statement).await?;
        let drawn = drawn(statement, values, prepared.params())?;
        let (sql, protocol) = (statement.sql.only(), scenario.load.connections.protocol);
        let request = Request::new(session, index, sql, prepared.params(), protocol).await;
        Ok(Self { prepared, request, drawn })
    }

    /// `None` where a result that it needs a value of has no row.
    async fn execute(
        &self,
        session: &UserSession,
        statement: &Statement,
        results: &[Option<Returned>],
    ) -> Result<Option<Returned>> {
        let Self { prepared, request, drawn } = self;
        let Some(given) = fill(statement, prepared.params(), drawn.clone(), results) else { return Ok(None) };
        let messages = session.simple_query(&request.sql(&given)?).await.map_err(|cause| {
            let place = format!("{}: statement {}", place_at(&statement.sql, 0), statement.name);
            Error::from_server(format!("{place}: cannot run it before a later step is explained"), cause)
        })?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let cells = |row: &SimpleQueryRow| (0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect();
        let columns = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
        Ok(Some(Returned { columns, rows: rows.map(cells).collect() }))
    }
}

impl Returned {
    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
