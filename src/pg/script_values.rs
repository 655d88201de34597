//! What the earlier steps of a script return for a statement whose plan is wanted.

use std::time::Duration;

use postgres_types::Type;
use tokio_postgres::{Row, Statement as Prepared};
use tokio_util::sync::CancellationToken;

use super::{
    catalog::column_type,
    describe::{from_json, place_at, prepare},
    error::{Error, Result},
    link::{Fault, Limit},
    parameter::{Parameter, Raw},
    seed_session::stoppable,
    user_session::UserSession,
};
use crate::scenario::{ParameterSource, Scenario, Script, Statement, Value};

/// How long a step may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Fills in the parameters of a statement that come from results: executes the earlier steps of its script once each, in a
/// transaction that is rolled back, and takes what they return, of each result the first row. `values` has one list for each
/// statement of the scenario; the list of `statement` is returned with its values filled in. One stays NULL where a step
/// returned no row, or needed a value of a step that did not.
///
/// # Errors
/// A step fails (the message names its place), or `stop` was given.
pub async fn script_values(
    session: &UserSession,
    scenario: &Scenario,
    statement: usize,
    values: &[Vec<Value>],
    stop: &CancellationToken,
) -> Result<Vec<Value>> {
    let place_of = |script: &Script| script.steps.iter().position(|step| step.statement == statement);
    let found = scenario.scripts.iter().find_map(|script| Some((script, place_of(script)?)));
    let Some((script, last)) = found.filter(|_| reads_results(&scenario.statements[statement])) else {
        return Ok(values[statement].clone());
    };
    let failed = |cause| Error::from_server("cannot run the earlier steps of a script", cause);
    let begin = "BEGIN; SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '5s'";
    let _limit = session.limited(Limit::Server(TIME_LIMIT));
    session.run(begin).await.map_err(failed)?;
    let taken = stoppable(session, stop, async {
        let mut results: Vec<Option<(Prepared, Vec<Row>)>> = Vec::with_capacity(last);
        for step in &script.steps[..last] {
            let statement = &scenario.statements[step.statement];
            let given = fill(session, statement, &values[step.statement], &results).await?;
            let skipped = step.for_each.is_some_and(|source| rows(&results, source).is_empty());
            results.push(match given.filter(|_| !skipped) {
                Some(given) => Some(execute(session, statement, &given).await?),
                None => None,
            });
        }
        let statement_values = &values[statement];
        let given = fill(session, &scenario.statements[statement], statement_values, &results).await?;
        Ok(given.unwrap_or_else(|| statement_values.clone()))
    })
    .await;
    // After a stop that the server did not hear of, the session is still at work: its end takes the transaction back.
    if !taken.as_ref().is_err_and(Error::is_stopped) {
        session.run("ROLLBACK").await.map_err(failed)?;
    }
    taken.map_err(Error::naming_lock)
}

fn reads_results(statement: &Statement) -> bool {
    statement.parameters.iter().any(|parameter| matches!(parameter.source, ParameterSource::Result { .. }))
}

fn rows(results: &[Option<(Prepared, Vec<Row>)>], step: usize) -> &[Row] {
    results[step].as_ref().map_or(&[], |(_, rows)| rows)
}

/// `values` with those that come from results; `None` where a result has no row.
async fn fill(
    session: &UserSession,
    statement: &Statement,
    values: &[Value],
    results: &[Option<(Prepared, Vec<Row>)>],
) -> Result<Option<Vec<Value>>> {
    let mut filled = values.to_vec();
    for (parameter, value) in statement.parameters.iter().zip(&mut filled) {
        let ParameterSource::Result { step, column, all } = &parameter.source else { continue };
        let Some((prepared, rows)) = results[*step].as_ref().filter(|(_, rows)| !rows.is_empty()) else {
            return Ok(None);
        };
        let Some(index) = prepared.columns().iter().position(|found| found.name() == column) else { return Ok(None) };
        let ty = prepared.columns()[index].type_();
        let mut cells = Vec::new();
        for row in &rows[..if *all { rows.len() } else { 1 }] {
            cells.push(cell(session, row, index, ty).await?);
        }
        *value = if *all { Value::Array(cells) } else { cells.swap_remove(0) };
    }
    Ok(Some(filled))
}

async fn execute(session: &UserSession, statement: &Statement, values: &[Value]) -> Result<(Prepared, Vec<Row>)> {
    let prepared = prepare(session, statement).await?;
    let place = || format!("{}: statement {}", place_at(&statement.sql, 0), statement.name);
    let failed =
        |cause| Error::from_server(format!("{}: cannot run it before a later step is explained", place()), cause);
    let parameters = Parameter::encode_all(values, prepared.params())
        .map_err(|cause| Error::new(format!("{}: {cause}", place())))?;
    let rows = session.query_raw(&prepared, &parameters).await.map_err(failed)?;
    Ok((prepared, rows))
}

/// A cell as a value: the server writes it as JSON.
async fn cell(session: &UserSession, row: &Row, index: usize, ty: &Type) -> Result<Value> {
    let failed = |cause: Fault| Error::from_server("cannot read the result of a step", cause);
    let cell = row.try_get(index).map_err(|cause| failed(cause.into()))?;
    let Some(Raw(bytes)) = cell else { return Ok(Value::Null) };
    let column_type = column_type(ty).ok_or_else(|| Error::new(format!("no values can be made of type {ty}")))?;
    let client = session.own().await?;
    let to_json = client.prepare_typed("SELECT to_json($1)::text", std::slice::from_ref(ty)).await.map_err(failed)?;
    let json: String = client.query_one(&to_json, &[&Raw(bytes)]).await.map_err(failed)?.get(0);
    from_json(json, &column_type).map_err(|cause| Error::new(format!("cannot read a {ty} in a result: {cause}")))
}
