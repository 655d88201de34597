//! A session that executes operations and gives back what they return, in transactions that are rolled back.

use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};
use tokio_util::sync::CancellationToken;

use super::{
    rows::{Budget, Digest, Reading, Row},
    script::{Fed, arguments},
    shape::Shape,
};
use crate::{
    pg::{
        link::{
            Fault, Limit, Long,
            connector::Connector,
            error::{Error, Result, server_words},
            request::Argument,
            user_session::UserSession,
        },
        site::seed_session::stoppable,
    },
    scenario::{Count, Scenario, Value, nearest},
    sqltext::quote::quote_identifier,
};

/// Why a statement that ends the transaction is not executed: what came before it would stay.
const CONTROLS: &str = "it begins or ends a transaction, as only the check itself may";

/// A session set up as a load's are, but for `statement_timeout`.
pub struct ResultsSession {
    session: UserSession,
    stop: CancellationToken,
    scenario: Scenario,
    shapes: Vec<Shape>,
}

/// One execution of a statement.
#[derive(Debug)]
pub struct Executed {
    /// Index of the statement in the scenario.
    pub statement: usize,
    /// The values of its parameters, as SQL writes them.
    pub parameters: Vec<String>,
    /// What came of it.
    pub answer: Answer,
    /// Whether OFFSET passed over rows before the first.
    pub cut_before: bool,
    /// Whether LIMIT may have left out rows after the last.
    pub cut_after: bool,
}

/// What came of an execution.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// Its rows.
    Rows(Vec<Row>),
    /// What stands for its rows, which there was no room for.
    Digest(Digest),
    /// It returns no rows; how many it wrote.
    Command(u64),
    /// It was not executed; why.
    NotAsked(&'static str),
    /// The server refused.
    Failed {
        /// SQLSTATE.
        sqlstate: String,
        /// The server's words.
        message: String,
    },
}

impl ResultsSession {
    /// Opens one and prepares the statements of `scenario`.
    ///
    /// # Errors
    /// The server cannot be reached, or a statement does not prepare.
    pub async fn open(connector: &Connector, scenario: &Scenario, stop: &CancellationToken) -> Result<Self> {
        let session =
            UserSession::of_load(connector, "results", &scenario.schema_name(), &scenario.load.connections).await?;
        let mut shapes = Vec::with_capacity(scenario.statements.len());
        let protocol = scenario.load.connections.protocol;
        for (index, statement) in scenario.statements.iter().enumerate() {
            shapes.push(Shape::new(&session, index, statement, protocol).await?);
        }
        // As the load sends them: without a time limit.
        session.set_limit(Limit::Work);
        Ok(Self { session, stop: stop.clone(), scenario: scenario.clone(), shapes })
    }

    /// What the results of each statement look like.
    pub fn into_shapes(self) -> Vec<Shape> {
        self.shapes
    }

    /// The same.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// Whether the session may work as a role.
    ///
    /// # Errors
    /// The role does not exist, or the session's own is no member of it.
    pub async fn check_role(&self, role: &str) -> Result<()> {
        let begun = self.session.run(&begin(Some(role))).await;
        let failed = |cause| Error::from_server("cannot end a transaction", cause);
        self.session.run("ROLLBACK").await.map_err(failed)?;
        let Err(cause) = begun else { return Ok(()) };
        let doing = format!("cannot compare results as role {role}");
        match cause.code().map(tokio_postgres::error::SqlState::code) {
            Some("22023") => {
                let roles = "SELECT rolname::text FROM pg_roles";
                let known = self.session.own().await?.query(roles, &[]).await.unwrap_or_default();
                let names: Vec<String> = known.iter().map(|row| row.get(0)).collect();
                let hint = match nearest(role, names.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "create it in the dataset's schema, or take it out of `roles` in [results]".to_owned(),
                };
                Err(Error::usage_from_server(doing, cause).with_hint(hint))
            }
            Some("42501") => {
                let hint = format!("let an owner run: GRANT {} TO the user of the connection", quote_identifier(role));
                Err(Error::usage_from_server(doing, cause).with_hint(hint))
            }
            _ => Err(Error::from_server(doing, cause)),
        }
    }

    /// Executes a script as `role`, or as the session's own, in a transaction that is rolled back. `values` has a list for each of its
    /// steps. A step that fails is its last. Rows are kept as far as `budget` has room.
    ///
    /// # Errors
    /// A value is none of its parameter's type, the connection breaks, or it was told to stop.
    pub async fn execute(
        &self,
        script: usize,
        role: Option<&str>,
        values: &[Vec<Value>],
        budget: &mut Budget,
    ) -> Result<Vec<Executed>> {
        let failed = |cause| Error::from_server("cannot execute a statement to compare its results", cause);
        self.session.run(&begin(role)).await.map_err(failed)?;
        let executed = stoppable(&self.session, &self.stop, self.steps(script, values, budget)).await;
        // After a stop that the server did not hear of, the session is still at work: its end takes the transaction back.
        if !executed.as_ref().is_err_and(Error::is_stopped) {
            self.session.run("ROLLBACK").await.map_err(failed)?;
        }
        executed
    }

    async fn steps(&self, script: usize, values: &[Vec<Value>], budget: &mut Budget) -> Result<Vec<Executed>> {
        let Self { scenario, shapes, .. } = self;
        let script = &scenario.scripts[script];
        let mut results = Fed::of_steps(scenario, script, shapes)?;
        let mut executed = Vec::new();
        for (index, step) in script.steps.iter().enumerate() {
            let drawn = values.get(index).map_or(&[][..], Vec::as_slice);
            let (earlier, rest) = results.split_at_mut(index);
            let fed = &mut rest[0];
            for row in 0..step.for_each.map_or(1, |source| earlier[source].count()) {
                let row = step.for_each.map(|source| (source, row));
                let given = arguments(scenario, script, index, drawn, earlier, shapes, row)?;
                let Some(given) = given else { break };
                fed.clear();
                let one = self.statement(step.statement, given, fed, budget).await?;
                let failed = matches!(one.answer, Answer::Failed { .. });
                executed.push(one);
                if failed {
                    return Ok(executed);
                }
            }
        }
        Ok(executed)
    }

    async fn statement(
        &self,
        statement: usize,
        given: Vec<Argument>,
        fed: &mut Fed,
        budget: &mut Budget,
    ) -> Result<Executed> {
        let shape = &self.shapes[statement];
        let sql = shape.request.sql(&given)?;
        let answer = match shape.rules.controls_transaction {
            true => Answer::NotAsked(CONTROLS),
            false => self.answer(&sql, shape, fed, budget).await?,
        };
        let rows = match &answer {
            Answer::Rows(rows) => rows.len() as u64,
            Answer::Digest(digest) => digest.rows,
            Answer::Command(_) | Answer::NotAsked(_) | Answer::Failed { .. } => 0,
        };
        let bound = |count: Option<Count>| match count? {
            Count::Rows(rows) => Some(Some(rows)),
            // NULL is no bound.
            Count::Parameter(number) => given.get(number.checked_sub(1)?)?.0.as_ref().map(|text| text.parse().ok()),
            Count::Unknown => Some(None),
        };
        Ok(Executed {
            statement,
            cut_before: bound(shape.rules.offset).is_some_and(|offset| offset != Some(0)),
            cut_after: bound(shape.rules.limit).is_some_and(|limit| limit.is_none_or(|limit| rows >= limit)),
            parameters: given.into_iter().map(|(_, words)| words).collect(),
            answer,
        })
    }

    /// Executes a statement. What the server says of it is an answer; only a connection that is gone is an error.
    async fn answer(&self, sql: &str, shape: &Shape, fed: &mut Fed, budget: &mut Budget) -> Result<Answer> {
        let cause = match self.read(sql, shape, fed, budget).await {
            Ok(answer) => return Ok(answer),
            Err(cause) => cause,
        };
        let sqlstate = cause.sqlstate().map(str::to_owned);
        match sqlstate {
            // It returns something that is no rows, such as COPY does.
            None if !cause.is_lost() => Ok(Answer::NotAsked("what it returns cannot be read as rows")),
            Some(sqlstate) if !cause.is_lost() => Ok(Answer::Failed { sqlstate, message: server_words(&cause) }),
            _ => Err(Error::from_server("cannot execute a statement to compare its results", cause)),
        }
    }

    async fn read(
        &self,
        sql: &str,
        shape: &Shape,
        fed: &mut Fed,
        budget: &mut Budget,
    ) -> std::result::Result<Answer, Fault> {
        let long = if fed.is_read() { Long::Kept } else { Long::Digested };
        let _long = self.session.with_long(long);
        let mut messages = self.session.simple_query_raw(sql).await?;
        let mut reading = Reading::new(shape);
        let mut count = 0;
        while let Some(message) = messages.next().await? {
            match message {
                SimpleQueryMessage::Row(row) => {
                    fed.push(&row)?;
                    reading.push(cells(&row)?, budget);
                }
                SimpleQueryMessage::CommandComplete(rows) => count = rows,
                _ => {}
            }
        }
        Ok(match reading.end() {
            _ if !shape.has_rows() => Answer::Command(count),
            Ok(rows) => Answer::Rows(rows),
            Err(digest) => Answer::Digest(digest),
        })
    }
}

fn begin(role: Option<&str>) -> String {
    match role {
        Some(role) => format!("BEGIN; SET LOCAL ROLE {}", quote_identifier(role)),
        None => "BEGIN".to_owned(),
    }
}

fn cells(row: &SimpleQueryRow) -> std::result::Result<Row, Fault> {
    (0..row.len()).map(|index| Ok(row.try_get(index)?.map(Into::into))).collect()
}
