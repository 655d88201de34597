//! Runs a planted case on a server.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use latclinic::{
    clinic::{self, ClassGiven, Question},
    pg::{Access, Connector, Explainer, Given, UserSession},
    record::{Finding, ValueSource},
};
use tokio_postgres::SimpleQueryMessage;
use tokio_util::sync::CancellationToken;

use super::case::{Case, Need};

/// How long an execution, and all of a plan, may take.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A case that is set up on a server.
pub(crate) struct Planted<'c> {
    pub(crate) case: &'c Case,
    connector: &'c Connector,
    /// The session that runs the query.
    pub(crate) session: UserSession,
    stop: CancellationToken,
}

/// Major version of the server.
pub(crate) async fn major(client: &UserSession) -> Result<u32> {
    Ok(scalar(client, "SHOW server_version_num").await?.parse::<u32>()? / 10_000)
}

/// What the case needs first that the server does not have.
pub(crate) async fn unmet(client: &UserSession, case: &Case) -> Result<Option<Need>> {
    for need in &case.needs {
        let met = match need {
            Need::Jit => scalar(client, "SELECT pg_jit_available()").await? == "t",
            Need::Icu => scalar(client, "SELECT count(*) FROM pg_collation WHERE collname = 'en-x-icu'").await? == "1",
            Need::Extension(name) => {
                let query = format!("SELECT count(*) FROM pg_extension WHERE extname = '{name}'");
                scalar(client, &query).await? == "1"
            }
            Need::From(first) => major(client).await? >= *first,
            Need::Counts => true,
        };
        if !met {
            return Ok(Some(*need));
        }
    }
    Ok(None)
}

/// Makes the extensions that cases need, once and before any of them: trigrams for every schema, the other one for who names its
/// schema, since it changes what operators mean.
pub(crate) async fn make_extensions(client: &UserSession) -> Result<()> {
    for (name, schema) in
        [("pg_trgm", "pg_catalog"), ("intarray", "public"), ("postgres_fdw", "public"), ("postgis", "public")]
    {
        let available = format!("SELECT count(*) FROM pg_available_extensions WHERE name = '{name}'");
        if scalar(client, &available).await? == "1" {
            run(client, &format!("CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema}")).await?;
        }
    }
    Ok(())
}

impl<'c> Planted<'c> {
    /// Sets a case up in a schema of its own, anew where it is there already.
    pub(crate) async fn new(connector: &'c Connector, case: &'c Case) -> Result<Self> {
        let schema = schema(case);
        let search_path = format!("SET client_min_messages = warning; SET search_path = {schema}");
        let connect = async || -> Result<UserSession> {
            let client = UserSession::open(connector, "planted").await?;
            client.run(&search_path).await?;
            Ok(client)
        };
        let mut client = connect().await?;
        let flushes = major(&client).await? >= 15;
        let waits = !flushes && case.needs.contains(&Need::Counts);
        client.run(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")).await?;
        for statement in &case.setup {
            // What is counted only after it was analyzed would count as changed since.
            if waits && ["ANALYZE", "VACUUM"].iter().any(|verb| statement.starts_with(verb)) {
                counted(client, &connect().await?).await?;
                client = connect().await?;
            }
            run(&client, statement).await?;
            if flushes {
                run(&client, "SELECT pg_stat_force_next_flush()").await?;
            }
        }
        let session = connect().await?;
        if waits {
            counted(client, &session).await?;
        }
        run(&session, "RESET client_min_messages").await?;
        for statement in &case.session {
            run(&session, statement).await?;
        }
        Ok(Self { case, connector, session, stop: CancellationToken::new() })
    }

    /// What latclinic finds in the query.
    pub(crate) async fn findings(&self) -> Result<Vec<Finding>> {
        let question = Question {
            sql: self.case.query.clone(),
            classes: self.classes().await?,
            executions: self.case.executions,
            time_limit: TIME_LIMIT,
            not_executed: None,
        };
        Ok(clinic::examine(&self.explainer(), &question).await?.findings)
    }

    pub(crate) fn explainer(&self) -> Explainer<'_> {
        Explainer::new(&self.session, &self.stop, Access::RolledBack)
    }

    /// The case's values in text form.
    pub(crate) async fn classes(&self) -> Result<Vec<ClassGiven>> {
        let mut classes = Vec::new();
        for (class, values) in &self.case.values {
            let messages = self.session.simple_query(&format!("SELECT * FROM (VALUES ({values})) AS given")).await?;
            let row = messages.iter().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            });
            let row = row.with_context(|| format!("nothing came of {values}"))?;
            let texts: Vec<Option<String>> = (0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect();
            classes.push(ClassGiven {
                class: class.clone(),
                parameters: texts.iter().map(|text| text.clone().unwrap_or_else(|| "NULL".to_owned())).collect(),
                values_from: vec![ValueSource::Given; texts.len()],
                value_rows: vec![None; texts.len()],
                values: texts.into_iter().map(Given).collect(),
            });
        }
        Ok(classes)
    }

    /// Takes the case down.
    pub(crate) async fn remove(self) -> Result<()> {
        drop(self.session);
        let client = UserSession::open(self.connector, "planted").await?;
        run(&client, "SET client_min_messages = warning").await?;
        run(&client, &format!("DROP SCHEMA {} CASCADE", schema(self.case))).await
    }
}

/// Runs one statement.
pub(crate) async fn run(client: &UserSession, statement: &str) -> Result<()> {
    client.run(statement).await.with_context(|| statement.to_owned())
}

fn schema(case: &Case) -> String {
    format!("planted_{}", case.name)
}

/// Ends a session and waits until the server has counted what it changed: a marker's row comes last.
async fn counted(ended: UserSession, session: &UserSession) -> Result<()> {
    run(&ended, "CREATE TABLE planted_marker ()").await?;
    run(&ended, "INSERT INTO planted_marker DEFAULT VALUES").await?;
    drop(ended);
    let marker = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relid = 'planted_marker'::regclass";
    while scalar(session, marker).await? != "1" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    run(session, "DROP TABLE planted_marker").await
}

/// The first column of what a query returns, a line a row.
pub(crate) async fn scalar(client: &UserSession, query: &str) -> Result<String> {
    let messages = client.simple_query(query).await?;
    let rows: Vec<&str> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        })
        .collect();
    ensure!(!rows.is_empty(), "nothing came of {query}");
    Ok(rows.join("\n"))
}
