//! What a database says of a scenario's workload before it is sent.

use std::collections::BTreeSet;

use tokio_postgres::{
    error::ErrorPosition,
    types::{Kind, Type},
};

use super::{
    catalog::{column_type, is_built_in, type_name, undomained},
    feed::feed,
};
use crate::{
    draw::{self, ColumnType},
    load::{ParameterFacts, StatementFacts},
    pg::link::{
        Client, Fault, Limit,
        connector::Connector,
        error::{Error, Result},
        user_session::UserSession,
    },
    scenario::{ParameterSource, Scenario, Script, SqlText, Statement, Value},
};

/// Prepares every statement of the workload, finds the types of its parameters and fetches the values of those that a query
/// gives: one entry a statement.
///
/// # Errors
/// When a statement or a parameter's query does not prepare (the message has its file, line and column), the number of
/// parameters differs between SQL and scenario, a parameter has a type that values cannot be made for, a query fails,
/// returns no rows, or returns what its parameter cannot take, a step of a script takes what an earlier one does not return or
/// what does not fit, or the server refuses one of the load's settings.
pub async fn describe(connector: &Connector, scenario: &Scenario) -> Result<Vec<StatementFacts>> {
    let session =
        UserSession::of_load(connector, "describe", &scenario.schema_name(), &scenario.load.connections).await?;
    let mut facts = Vec::with_capacity(scenario.statements.len());
    let mut prepared = Vec::with_capacity(scenario.statements.len());
    for statement in &scenario.statements {
        let of_statement = prepare(&session, statement).await?;
        let parameters = describe_statement(&session, statement, &of_statement).await?;
        facts.push(StatementFacts { parameters, results_as_text: false });
        prepared.push(of_statement);
    }
    let unsent = without_binary_output(session.own().await?, &prepared).await?;
    for (facts, prepared) in facts.iter_mut().zip(&prepared) {
        facts.results_as_text = prepared.columns().iter().any(|column| consists_of(column.type_(), &unsent));
    }
    for script in &scenario.scripts {
        check_results(script, &scenario.statements, &prepared)?;
    }
    Ok(facts)
}

/// Whether what the steps of a script take from each other is there and fits.
fn check_results(script: &Script, statements: &[Statement], prepared: &[tokio_postgres::Statement]) -> Result<()> {
    for step in &script.steps {
        let statement = &statements[step.statement];
        let fault = |what: String, hint: String| {
            let (place, name) = (place_at(&statement.sql, 0), &statement.name);
            Error::usage(format!("{place}: statement {name}: {what}")).with_hint(hint)
        };
        let source = |step: usize| {
            let index = script.steps[step].statement;
            (&prepared[index], step_name(&statements[index].name, script))
        };
        if let Some((_, name)) = step.for_each.map(source).filter(|(source, _)| source.columns().is_empty()) {
            return Err(fault(
                format!("it is executed for each row of step {name}, which returns no rows"),
                "let that step return rows (SELECT, or RETURNING), or take `for_each` out".to_owned(),
            ));
        }
        for (index, parameter) in statement.parameters.iter().enumerate() {
            let ParameterSource::Result { step: from, column, all } = &parameter.source else { continue };
            let (source, name) = source(*from);
            let ty = &prepared[step.statement].params()[index];
            feed(source, name, column, ty, *all)
                .map_err(|misfit| fault(format!("parameter ${} {}", index + 1, misfit.what), misfit.hint))?;
        }
    }
    Ok(())
}

/// The name of a step in its script: its statement is named `script.step`.
fn step_name<'s>(statement: &'s str, script: &Script) -> &'s str {
    statement.strip_prefix(&script.name).and_then(|rest| rest.strip_prefix('.')).unwrap_or(statement)
}

async fn describe_statement(
    session: &UserSession,
    statement: &Statement,
    prepared: &tokio_postgres::Statement,
) -> Result<Vec<ParameterFacts>> {
    let place = &statement.sql.source;
    let name = &statement.name;
    let (taken, given) = (prepared.params().len(), statement.parameters.len());
    if taken != given {
        return Err(Error::usage(format!(
            "{place}: statement {name} takes {}, the scenario gives {given}",
            count(taken)
        ))
        .with_hint(format!("give statement {name} one entry in `parameters` for each of $1..$n of its SQL")));
    }
    let mut facts = Vec::with_capacity(taken);
    for (index, (parameter, ty)) in statement.parameters.iter().zip(prepared.params()).enumerate() {
        let number = index + 1;
        let column_type = column_type(ty).ok_or_else(|| {
            Error::usage(format!(
                "{place}: statement {name}: no values can be made for parameter ${number} of type {ty}"
            ))
            .with_hint(format!("give it a type in the SQL, as in ${number}::text"))
        })?;
        let (column_type, fetched) = match &parameter.source {
            ParameterSource::Generator(_) | ParameterSource::Result { .. } => (column_type, Vec::new()),
            ParameterSource::Query { sql: query, .. } => {
                let what = format!("parameter ${number} of statement {name}");
                fetch(session, query, ty, column_type, &what).await?
            }
        };
        facts.push(ParameterFacts { column_type, sql_type: type_name(ty), fetched });
    }
    Ok(facts)
}

/// Types without a binary output function that the statements return, by OID.
async fn without_binary_output(client: &Client, prepared: &[tokio_postgres::Statement]) -> Result<Vec<u32>> {
    let mut oids = BTreeSet::new();
    let columns = prepared.iter().flat_map(tokio_postgres::Statement::columns);
    columns.for_each(|column| parts(column.type_(), &mut |part| oids.extend([part.oid()])));
    let query = "SELECT oid FROM pg_catalog.pg_type WHERE oid OPERATOR(pg_catalog.=) ANY ($1)
                 AND typsend OPERATOR(pg_catalog.=) 0::pg_catalog.oid";
    let oids: Vec<u32> = oids.into_iter().collect();
    let failed = |cause| Error::from_server("cannot look up the types of results", cause);
    Ok(client.query(query, &[&oids]).await.map_err(failed)?.iter().map(|row| row.get(0)).collect())
}

fn consists_of(ty: &Type, oids: &[u32]) -> bool {
    let mut found = false;
    parts(ty, &mut |part| found |= oids.contains(&part.oid()));
    found
}

/// Shows a type, and those that it is made of, to `look`.
fn parts(ty: &Type, look: &mut impl FnMut(&Type)) {
    look(ty);
    match ty.kind() {
        Kind::Array(part) | Kind::Domain(part) | Kind::Range(part) => parts(part, look),
        Kind::Composite(fields) => fields.iter().for_each(|field| parts(field.type_(), look)),
        _ => {}
    }
}

/// Prepares a statement of the workload.
pub(crate) async fn prepare(session: &UserSession, statement: &Statement) -> Result<tokio_postgres::Statement> {
    let text = statement.sql.only();
    session.prepare(text).await.map_err(|cause| {
        let place = place(&statement.sql, &cause);
        let error =
            Error::from_statement(format!("{place}: statement {} does not prepare", statement.name), text, cause);
        match error.sqlstate() {
            Some("42P01") => {
                error.with_hint("tables without a schema are those of the scenario's dataset, then those in public")
            }
            _ => error,
        }
    })
}

/// The values that a query gives for a parameter of the type `ty`, and how they are sent: as text where one of them has no other
/// form here, such as a date before Christ.
async fn fetch(
    session: &UserSession,
    query: &SqlText,
    ty: &Type,
    column_type: ColumnType,
    what: &str,
) -> Result<(ColumnType, Vec<Value>)> {
    let text = query.only();
    let place = || format!("{}: the query for {what}", query.source);
    let failed = |cause| {
        Error::from_statement(format!("{}: the query for {what} fails", self::place(query, &cause)), text, cause)
    };
    // Prepared by itself first: positions in its errors are then those of its own text.
    let prepared = session.prepare(text).await.map_err(failed)?;
    let is_own = prepared.columns().first().is_some_and(|column| is_built_in(column.type_()));
    let _limit = session.limited(Limit::Work);
    let texts = async |value: &str| {
        let wrapped = format!("SELECT {value} FROM (\n{text}\n) AS latclinic(value)");
        let rows = session.ask(&wrapped, &[]).await?;
        Ok::<_, Fault>(rows.iter().map(|row| row.get(0)).collect::<Vec<Option<String>>>())
    };
    if !is_own {
        let values = texts(AS_TEXT).await.map_err(failed)?;
        let values: Vec<Value> = values.into_iter().map(|text| text.map_or(Value::Null, Value::Text)).collect();
        let fits = |value: &Value| draw::encode(value, &column_type, &mut Vec::new()).is_ok();
        let as_it_is = !column_type.is_sent_as_text() && values.iter().all(fits);
        let column_type = if as_it_is { column_type } else { ColumnType::Other(ty.name().into()) };
        return some(values, &place()).map(|values| (column_type, values));
    }
    let (column_type, values) = match column_type.is_sent_as_text() {
        true => (column_type, Err(None)),
        false => {
            let values = texts("pg_catalog.to_json(latclinic.value)::pg_catalog.text").await.map_err(failed)?;
            let values: std::result::Result<Vec<Value>, String> =
                values.into_iter().map(|json| from_json(json, &column_type)).collect();
            (column_type, values.map_err(Some))
        }
    };
    let (column_type, values) = match values {
        Ok(values) => (column_type, values),
        Err(misfit) => {
            let base = undomained(ty);
            let written = match is_built_in(base) {
                true => format!("latclinic.value::pg_catalog.text::{}::pg_catalog.text", type_name(base)),
                false => AS_TEXT.to_owned(),
            };
            let values = match (texts(&written).await, misfit) {
                (Ok(_), Some(misfit)) if !is_built_in(base) => {
                    return Err(Error::usage(format!("{}: {misfit}", place())));
                }
                (Ok(values), _) => values,
                (Err(_), Some(misfit)) => return Err(Error::usage(format!("{}: {misfit}", place()))),
                (Err(cause), None) => return Err(Error::usage_from_server(place(), cause)),
            };
            let value = |text: Option<String>| text.map_or(Value::Null, Value::Text);
            (ColumnType::Other(ty.name().into()), values.into_iter().map(value).collect())
        }
    };
    some(values, &place()).map(|values| (column_type, values))
}

/// A value as its type's output function writes it. A cast to `text`, or to JSON, may be a function that the type's owner has made.
const AS_TEXT: &str = "CASE WHEN pg_catalog.num_nulls(latclinic.value) OPERATOR(pg_catalog.=) 0 \
     THEN pg_catalog.format('%s', latclinic.value) END";

fn some(values: Vec<Value>, place: &str) -> Result<Vec<Value>> {
    if values.is_empty() {
        return Err(Error::usage(format!("{place} returns no rows"))
            .with_hint("seed the dataset first, or let the query return the values to draw from"));
    }
    Ok(values)
}

/// A value that the server wrote as JSON, in the form that a parameter of the type takes; why it is none.
fn from_json(json: Option<String>, column_type: &ColumnType) -> std::result::Result<Value, String> {
    let Some(json) = json else { return Ok(Value::Null) };
    let value = match column_type {
        ColumnType::Json | ColumnType::Jsonb => Value::Text(json),
        ColumnType::Numeric if !json.starts_with('"') => Value::Text(json),
        _ => plain(serde_json::from_str(&json).map_err(|cause| cause.to_string())?),
    };
    draw::encode(&value, column_type, &mut Vec::new()).map_err(|cause| cause.to_string())?;
    Ok(value)
}

fn plain(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(value) => Value::Int(value),
            None => number.as_f64().map_or_else(|| Value::Text(number.to_string()), Value::Float),
        },
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Array(values) => Value::Array(values.into_iter().map(plain).collect()),
        object @ serde_json::Value::Object(_) => Value::Text(object.to_string()),
    }
}

/// File, line and column of the place that an error of the server points at; the line of the statement where it points nowhere.
fn place(sql: &SqlText, cause: &Fault) -> String {
    let position = match cause.as_db_error().and_then(|db| db.position()) {
        Some(ErrorPosition::Original(position)) => *position as usize,
        _ => 0,
    };
    place_at(sql, position)
}

/// `position` counts characters of the statement from 1, as PostgreSQL does; 0 is none.
pub(crate) fn place_at(sql: &SqlText, position: usize) -> String {
    let source = &sql.source;
    let line = sql.line();
    if position == 0 {
        return format!("{source}:{line}");
    }
    let begin = sql.text.find(sql.only()).unwrap_or(0);
    let length: usize = sql.text[begin..].chars().take(position - 1).map(char::len_utf8).sum();
    let before = &sql.text[..begin + length];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    format!("{source}:{line}:{column}")
}

fn count(parameters: usize) -> String {
    match parameters {
        0 => "no parameters".to_owned(),
        1 => "1 parameter".to_owned(),
        _ => format!("{parameters} parameters"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SqlStatement;

    #[test]
    fn places_are_those_of_the_file() {
        let statement = "SELECT 'ä'\nFROM nowhere";
        let sql = SqlText {
            source: "slow.toml: statements.find.sql".to_owned(),
            text: format!("-- find\n  {statement};\n"),
            statements: vec![SqlStatement { text: statement.to_owned(), line: 2 }],
        };
        assert_eq!(place_at(&sql, 0), "slow.toml: statements.find.sql:2");
        assert_eq!(place_at(&sql, 8), "slow.toml: statements.find.sql:2:10");
        assert_eq!(place_at(&sql, 17), "slow.toml: statements.find.sql:3:6");
    }

    #[test]
    fn what_the_server_writes_as_json_becomes_a_value() {
        let value = |json: &str, column_type| from_json(Some(json.to_owned()), &column_type).unwrap();
        assert_eq!(value("17", ColumnType::Int8), Value::Int(17));
        assert_eq!(value("0.10", ColumnType::Numeric), Value::Text("0.10".to_owned()));
        assert_eq!(value(r#""a\"b""#, ColumnType::Text), Value::Text("a\"b".to_owned()));
        assert_eq!(value(r#"{"a":1}"#, ColumnType::Jsonb), Value::Text(r#"{"a":1}"#.to_owned()));
        let array = ColumnType::Array(Box::new(ColumnType::Int4));
        assert_eq!(value("[1,null]", array), Value::Array(vec![Value::Int(1), Value::Null]));
    }
}
