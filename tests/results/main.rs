//! Whether the results are the same before and after a fix, on a real server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../own_server/scenario.rs"]
mod own_scenario;
#[path = "../own_server/mod.rs"]
mod own_server;

mod differences;
mod roles;
mod scripts;
mod ties;
mod time;
mod typed;

use std::sync::{Arc, Mutex};

use latclinic::pg::Client;
use latclinic::{
    clinic::{Clinic, Error, Event, Events, results::Collector},
    load::Workload,
    pg,
    record::{Phase, ResultsCheck, StatementResults},
    scenario::{Classes, Generator, ParameterSource, Results, Rewrite, Scenario, Script, Statement},
};
use own_scenario::{scenario, sql};
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

/// Keeps the steps that it is told.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<String>>);

impl Events for Told {
    fn event(&self, event: Event) {
        if let Event::Step(text) = event {
            self.0.lock().unwrap().push(text);
        }
    }
}

/// A server with the schema of the scenarios below.
pub(crate) struct Bed {
    pub(crate) clinic: Clinic,
    pub(crate) client: Client,
    pub(crate) stop: CancellationToken,
    pub(crate) told: Arc<Told>,
    _server: OwnServer,
}

impl Bed {
    pub(crate) async fn new(sql: &str) -> Self {
        let server = OwnServer::start();
        let client = server.connector().connect_unprotected("test").await.unwrap();
        client.batch_execute("CREATE SCHEMA latclinic_events; SET search_path = latclinic_events").await.unwrap();
        client.batch_execute(sql).await.unwrap();
        let (stop, told) = (CancellationToken::new(), Arc::new(Told::default()));
        let clinic = Clinic::given(server.connector(), Arc::clone(&told) as Arc<dyn Events>, stop.clone());
        Self { clinic, client, stop, told, _server: server }
    }

    /// Compares the results of `scenario` before and after `change`.
    pub(crate) async fn check(&self, scenario: &Scenario, change: &str) -> ResultsCheck {
        self.try_check(scenario, change).await.unwrap()
    }

    pub(crate) async fn try_check(&self, scenario: &Scenario, change: &str) -> Result<ResultsCheck, Error> {
        let facts = pg::describe(self.clinic.connector(), scenario).await.unwrap();
        let workload = Workload::new(scenario, &facts, 1).unwrap();
        let collector = Collector::new(&self.clinic, scenario, &workload)?;
        let before = collector.collect(Phase::Before, scenario, None).await?;
        self.client.batch_execute(change).await.unwrap();
        let rewritten = scenario.rewritten();
        let after = collector.collect(Phase::After, &rewritten, Some(&before)).await?;
        collector.compare(&before, &after, &rewritten).await
    }

    /// The one text that a query returns.
    pub(crate) async fn text(&self, sql: &str) -> String {
        self.client.query_one(&format!("SELECT ({sql})::text"), &[]).await.unwrap().get(0)
    }
}

/// A statement with these parameters.
pub(crate) fn statement(name: &str, text: &str, parameters: Vec<ParameterSource>) -> Statement {
    Statement {
        name: name.to_owned(),
        sql: sql("events.toml", &[text]),
        parameters: parameters.into_iter().map(Into::into).collect(),
        classes: Classes::default(),
    }
}

/// A scenario of these statements, each an operation by itself, compared for 30 parameter sets.
pub(crate) fn of_statements(statements: Vec<Statement>) -> Scenario {
    let mut scenario = scenario(&["SELECT 1"], &["SELECT 1"]);
    scenario.scripts =
        (0..).zip(&statements).map(|(index, statement)| Script::of_statement(&statement.name, 1.0, index)).collect();
    scenario.statements = statements;
    scenario.results = Results { sample: 30, ..Results::default() };
    scenario
}

/// One statement.
pub(crate) fn of(text: &str, parameters: Vec<ParameterSource>) -> Scenario {
    of_statements(vec![statement("find", text, parameters)])
}

/// One statement that a rewrite takes the place of.
pub(crate) fn rewritten(text: &str, rewrite: &str, parameters: Vec<ParameterSource>) -> Scenario {
    let mut scenario = of(text, parameters);
    scenario.fix.rewrites = vec![Rewrite { statement: 0, sql: sql("rewrite.sql", &[rewrite]) }];
    scenario
}

/// A whole number from 1 to `most`.
pub(crate) fn up_to(most: i64) -> ParameterSource {
    ParameterSource::Generator(Generator::Uniform { min: 1.0, max: most as f64, decimals: 0 })
}

/// The only statement's.
pub(crate) fn only(check: &ResultsCheck) -> &StatementResults {
    let [only] = check.statements.as_slice() else { panic!("{check:?}") };
    assert_eq!(check.identical, only.identical);
    only
}
