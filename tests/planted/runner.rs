//! Runs a planted case on a server.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use latclinic::{
    explain::{self, ClassPlan, Examined, Plan, Tables},
    pg::Connector,
    record::Finding,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::case::{Case, Need};

const EXPLAIN: &str = "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, FORMAT JSON)";
/// How the statement of a session with parameters is called.
const PREPARED: &str = "planted";

/// A plan as EXPLAIN printed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Captured {
    /// Class of its values; `generic` for the plan of any values, empty without parameters.
    pub(crate) class: String,
    pub(crate) plan: Json,
}

/// A case that is set up on a server.
pub(crate) struct Planted<'c> {
    case: &'c Case,
    connector: &'c Connector,
    /// The session that runs the query.
    pub(crate) session: Client,
}

/// Major version of the server.
pub(crate) async fn major(client: &Client) -> Result<u32> {
    Ok(scalar(client, "SHOW server_version_num").await?.parse::<u32>()? / 10_000)
}

/// Whether the server has what the case needs.
pub(crate) async fn is_met(client: &Client, case: &Case) -> Result<bool> {
    for need in &case.needs {
        let met = match need {
            Need::Jit => scalar(client, "SELECT pg_jit_available()").await? == "t",
            Need::From(first) => major(client).await? >= *first,
        };
        if !met {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<'c> Planted<'c> {
    /// Sets a case up in a schema of its own, anew where it is there already.
    pub(crate) async fn new(connector: &'c Connector, case: &'c Case) -> Result<Self> {
        let client = connector.connect("planted").await?;
        let schema = schema(case);
        let start = format!(
            "SET client_min_messages = warning; DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}; \
             SET search_path = {schema}; CREATE TABLE planted_marker ()"
        );
        client.batch_execute(&start).await?;
        for statement in &case.setup {
            run(&client, statement).await?;
        }
        run(&client, "INSERT INTO planted_marker DEFAULT VALUES").await?;
        drop(client);
        let session = connector.connect("planted").await?;
        session.batch_execute(&format!("SET search_path = {schema}")).await?;
        counted(&session).await?;
        run(&session, "DROP TABLE planted_marker").await?;
        for statement in &case.session {
            run(&session, statement).await?;
        }
        Ok(Self { case, connector, session })
    }

    /// The plan of each class of values and the generic one, each executed once before, in a transaction that is rolled back.
    pub(crate) async fn capture(&self) -> Result<Vec<Captured>> {
        if self.case.values.is_empty() {
            return Ok(vec![self.plan("", &self.case.query).await?]);
        }
        let mut captured = Vec::new();
        for (class, values) in &self.case.values {
            // A statement's first executions are planned for their values.
            self.prepare(&self.case.query).await?;
            captured.push(self.plan(class, &execute(values)).await?);
        }
        self.session.batch_execute("SET plan_cache_mode = force_generic_plan").await?;
        self.prepare(&self.case.query).await?;
        let typical = self.case.values.iter().find(|(class, _)| class == "typical").unwrap_or(&self.case.values[0]);
        captured.push(self.plan("generic", &execute(&typical.1)).await?);
        self.session.batch_execute("RESET plan_cache_mode").await?;
        Ok(captured)
    }

    /// What the rules find in these plans.
    pub(crate) fn findings(&self, captured: &[Captured]) -> Result<Vec<Finding>> {
        let plans = captured
            .iter()
            .map(|Captured { class, plan }| Ok(ClassPlan { class: class.clone(), plan: Plan::from_json(plan)? }))
            .collect::<Result<Vec<_>>>()?;
        Ok(explain::diagnose(&Examined {
            name: None,
            sql: Some(&self.case.query),
            plans: &plans,
            tables: &Tables::default(),
            executions: self.case.executions,
        }))
    }

    /// Prepares the statement that [`execute`] runs, anew where it is there already.
    pub(crate) async fn prepare(&self, query: &str) -> Result<()> {
        self.session.batch_execute("DEALLOCATE ALL").await?;
        run(&self.session, &format!("PREPARE {PREPARED} AS {query}")).await
    }

    async fn plan(&self, class: &str, statement: &str) -> Result<Captured> {
        let explain = format!("{EXPLAIN} {statement}");
        let mut text = String::new();
        for _ in 0..2 {
            self.session.batch_execute("BEGIN").await?;
            text = scalar(&self.session, &explain).await.with_context(|| explain.clone())?;
            self.session.batch_execute("ROLLBACK").await?;
        }
        Ok(Captured { class: class.to_owned(), plan: serde_json::from_str(&text)? })
    }

    /// Takes the case down.
    pub(crate) async fn remove(self) -> Result<()> {
        drop(self.session);
        let client = self.connector.connect("planted").await?;
        run(&client, "SET client_min_messages = warning").await?;
        run(&client, &format!("DROP SCHEMA {} CASCADE", schema(self.case))).await
    }
}

/// Executes the prepared statement with these values.
pub(crate) fn execute(values: &str) -> String {
    format!("EXECUTE {PREPARED} ({values})")
}

/// Runs one statement.
pub(crate) async fn run(client: &Client, statement: &str) -> Result<()> {
    client.batch_execute(statement).await.with_context(|| statement.to_owned())
}

fn schema(case: &Case) -> String {
    format!("planted_{}", case.name)
}

/// Waits until the server has counted what the set-up changed: the marker's row came last.
async fn counted(client: &Client) -> Result<()> {
    let marker = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relid = 'planted_marker'::regclass";
    while scalar(client, marker).await? != "1" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn scalar(client: &Client, query: &str) -> Result<String> {
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
