//! Sessions against a real PostgreSQL, driven by hand: scripts, protocols, and whose connections they are.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../own_server/mod.rs"]
mod own_server;

mod planning;
mod refusals;
mod samples;
mod scripts;
mod sharing;
mod values;

use std::time::Duration;

use latclinic::pg::Client;
use latclinic::{
    engine::{Failure, Session, Steps, Target},
    load::{Operation, Workload},
    pg::{Error, PgSession, PgTarget, Sampling, describe},
    scenario::{
        Classes, Connections, Dataset, Fix, Generator, LoadDefaults, Origin, Parameter, ParameterSource, Pool,
        Protocol, Recycling, Results, Scenario, Script, Sharing, SqlStatement, SqlText, Statement, Step, Value,
    },
};
use own_server::OwnServer;

/// A server with the schema of the scenarios below, and a client that looks at what was done.
pub(crate) struct Bed {
    pub(crate) server: OwnServer,
    pub(crate) client: Client,
}

/// A workload that is ready to be executed.
pub(crate) struct Ready {
    pub(crate) target: PgTarget,
    workload: Workload,
}

impl Bed {
    pub(crate) async fn new(sql: &str) -> Self {
        let server = OwnServer::start();
        let client = server.connector().connect_unprotected("test").await.unwrap();
        client.batch_execute("CREATE SCHEMA latclinic_probe; SET search_path = latclinic_probe").await.unwrap();
        client.batch_execute(sql).await.unwrap();
        Self { server, client }
    }

    pub(crate) async fn ready(&self, scenario: &Scenario) -> Ready {
        self.sampled(scenario, None).await
    }

    /// Plans being sampled.
    pub(crate) async fn sampled(&self, scenario: &Scenario, sampling: Option<Sampling>) -> Ready {
        let facts = describe(&self.server.connector(), scenario).await.unwrap();
        let workload = Workload::new(scenario, &facts, 1).unwrap();
        let connections = &scenario.load.connections;
        let target = PgTarget::sampled(self.server.connector(), scenario, &facts, connections, sampling);
        Ready { target, workload }
    }

    pub(crate) async fn refused(&self, scenario: &Scenario) -> Error {
        describe(&self.server.connector(), scenario).await.unwrap_err()
    }

    /// The one text that a query returns.
    pub(crate) async fn text(&self, sql: &str) -> String {
        self.client.query_one(&format!("SELECT ({sql})::text"), &[]).await.unwrap().get::<_, Option<String>>(0).unwrap()
    }

    /// Connections of loads, in a state.
    pub(crate) async fn connections(&self, state: &str) -> i64 {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'latclinic load' AND state LIKE $1";
        self.client.query_one(sql, &[&state]).await.unwrap().get(0)
    }

    pub(crate) async fn until_connections(&self, state: &str, count: i64) {
        while self.connections(state).await != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Ready {
    pub(crate) async fn session(&self) -> PgSession {
        self.target.connect(0).await.unwrap()
    }

    pub(crate) fn operation(&self, number: u64, script: usize) -> Operation {
        let mut operation = Operation::default();
        self.workload.fill_script(number, script, &mut operation);
        operation
    }

    /// Executes an operation of the first script; returns the statements that were executed, and whether each worked.
    pub(crate) async fn execute(
        &self,
        session: &mut PgSession,
        number: u64,
    ) -> (Result<(), Failure>, Vec<(usize, bool)>) {
        let mut steps = Steps::default();
        session.acquire().await.unwrap();
        let outcome = session.execute(&self.operation(number, 0), &mut steps).await;
        (outcome, steps.executed().iter().map(|step| (step.statement, step.failure.is_none())).collect())
    }
}

/// Every protocol with every way to share connections.
pub(crate) fn all_ways() -> Vec<Connections> {
    let pool = Sharing::Pool(Pool { size: 2, wait_timeout: None, recycling: Recycling::Fast });
    let with = |protocol| {
        [Sharing::Client, Sharing::Operation, pool].map(|sharing| Connections {
            sharing,
            protocol,
            ..Connections::default()
        })
    };
    [Protocol::Prepared, Protocol::Extended, Protocol::Simple].into_iter().flat_map(with).collect()
}

pub(crate) fn text(source: &str, text: &str) -> SqlText {
    let statements = vec![SqlStatement { text: text.trim().to_owned(), line: 1 }];
    SqlText { source: source.to_owned(), text: text.to_owned(), statements }
}

/// A step: name, the step it is for each row of, SQL, parameters.
pub(crate) type Written<'a> = (&'a str, Option<usize>, &'a str, Vec<ParameterSource>);

/// A scenario with the script `probe` of these steps.
pub(crate) fn script(steps: Vec<Written<'_>>, transaction: bool, connections: &Connections) -> Scenario {
    let statement = |(name, _, sql, parameters): &Written<'_>| Statement {
        name: format!("probe.{name}"),
        sql: text(&format!("probe.toml: {name}.sql"), sql),
        parameters: parameters.iter().cloned().map(Parameter::from).collect(),
        classes: Classes::default(),
    };
    let of_script = |(statement, (_, for_each, ..)): (usize, &Written<'_>)| Step { statement, for_each: *for_each };
    let second = Duration::from_secs(1);
    Scenario {
        id: "probe".to_owned(),
        title: String::new(),
        description: String::new(),
        origin: Origin::Bundled,
        dataset: Dataset { seed: 1, schema: text("schema.sql", ""), tables: Vec::new() },
        statements: steps.iter().map(statement).collect(),
        scripts: vec![Script {
            name: "probe".to_owned(),
            weight: 1.0,
            transaction,
            steps: steps.iter().enumerate().map(of_script).collect(),
        }],
        load: LoadDefaults { connections: connections.clone(), ..LoadDefaults::closed(1, second, second, 1) },
        fix: Fix {
            title: String::new(),
            up: text("up.sql", ""),
            down: text("down.sql", ""),
            lock_timeout: second,
            rewrites: Vec::new(),
        },
        thresholds: Vec::new(),
        results: Results::default(),
        gates: Vec::new(),
        rows_asked: None,
    }
}

/// A scenario of one statement.
pub(crate) fn statement(sql: &str, parameters: Vec<ParameterSource>, connections: &Connections) -> Scenario {
    script(vec![("only", None, sql, parameters)], false, connections)
}

pub(crate) fn constant(value: Value) -> ParameterSource {
    ParameterSource::Generator(Generator::Constant(value))
}

/// A column of the result of an earlier step.
pub(crate) fn result(step: usize, column: &str, all: bool) -> ParameterSource {
    ParameterSource::Result { step, column: column.to_owned(), all }
}
