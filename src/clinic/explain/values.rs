//! Parameter values for plans, found in the data: of the values that the load sends those with most, usual and fewest rows, and one
//! without.

use std::time::{Duration, Instant};

use crate::{
    clinic::{Clinic, Error},
    load::{ByRows, ClassValues, ParameterFacts, StatementFacts, Workload, beyond},
    pg::{self, Access, Column, Explained, Given, ValueCounts},
    plan::{Plan, compared},
    record::ValueSource,
    scenario::{ParameterSource, Scenario, Statement, Value},
};

/// How long one question about a column's values may take.
const QUESTION: Duration = Duration::from_secs(5);

/// How long all of them may.
const ALL_QUESTIONS: Duration = Duration::from_secs(20);

/// Values that are tried until one is absent.
const CANDIDATES: usize = 3;

/// The values of a statement's parameters: hot, typical, cold and absent.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::clinic) struct StatementValues(pub(super) [Values; 4]);

/// The values of one class.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values {
    pub(super) values: Vec<Value>,
    pub(super) from: Vec<ValueSource>,
    /// Rows of the table that have each; `None` where they were not counted.
    pub(super) rows: Vec<Option<u64>>,
    /// Whether the scenario names the class: then earlier steps are not asked.
    pub(super) named: bool,
}

impl StatementValues {
    /// As they follow from the distribution of what is sent.
    fn distributed(statement: &Statement, values: ClassValues) -> Self {
        let named = &statement.classes;
        let class = |values: Vec<Value>, is_named: bool| Values {
            from: statement.parameters.iter().map(|one| source(&one.source, is_named)).collect(),
            rows: vec![None; values.len()],
            named: is_named,
            values,
        };
        Self([
            class(values.hot, named.hot.is_some()),
            class(values.typical, named.typical.is_some()),
            class(values.cold, named.cold.is_some()),
            class(values.absent, named.absent.is_some()),
        ])
    }

    /// Takes a parameter's value of a class from the data, unless the scenario names it.
    fn set(&mut self, class: usize, parameter: usize, value: Value, rows: Option<u64>) {
        let class = &mut self.0[class];
        if !class.named {
            class.values[parameter] = value;
            class.from[parameter] = ValueSource::Data;
            class.rows[parameter] = rows;
        }
    }
}

fn source(source: &ParameterSource, named: bool) -> ValueSource {
    match source {
        _ if named => ValueSource::Scenario,
        ParameterSource::Generator(_) | ParameterSource::Query { .. } => ValueSource::Distribution,
        ParameterSource::Result { .. } => ValueSource::Result,
    }
}

/// The values of each statement's parameters. Those that a statement compares with a column by equality are found in its table, within
/// a time that is bounded; the others follow from what the load sends.
///
/// # Errors
/// The scenario names values that do not fit, the server cannot be reached, or stopped by a signal.
pub(in crate::clinic) async fn find(
    clinic: &Clinic,
    scenario: &Scenario,
    workload: &Workload,
    facts: &[StatementFacts],
) -> Result<Vec<StatementValues>, Error> {
    let (schema, connections) = (scenario.schema_name(), &scenario.load.connections);
    let session = pg::UserSession::of_load(clinic.connector(), "explain", &schema, connections).await?;
    let explainer = pg::Explainer::new(&session, clinic.stop(), Access::ReadOnly);
    let counts = ValueCounts::new(&session, clinic.stop(), QUESTION);
    let until = Instant::now() + ALL_QUESTIONS;
    let mut all = Vec::with_capacity(scenario.statements.len());
    for (index, statement) in scenario.statements.iter().enumerate() {
        let mut found = StatementValues::distributed(statement, workload.classes(index)?);
        let given_by_load =
            statement.parameters.iter().any(|one| !matches!(one.source, ParameterSource::Result { .. }));
        if given_by_load && found.0.iter().any(|class| !class.named) {
            clinic.step(format!("looking for the values of {}", statement.name));
            let sent = workload.sent(index);
            let search = Search { clinic, statement, counts, facts: &facts[index].parameters, sent: &sent, until };
            search.run(&explainer, &mut found).await?;
        }
        all.push(found);
    }
    Ok(all)
}

/// What is looked for for one statement.
struct Search<'a> {
    clinic: &'a Clinic,
    statement: &'a Statement,
    counts: ValueCounts<'a>,
    facts: &'a [ParameterFacts],
    /// The distinct values of each parameter, with how often each is sent.
    sent: &'a [Vec<(Value, u64)>],
    until: Instant,
}

impl Search<'_> {
    async fn run(&self, explainer: &pg::Explainer<'_>, found: &mut StatementValues) -> Result<(), Error> {
        let sql = self.statement.sql.only();
        let Ok(estimate) = explainer.generic_estimate(&Explained { sql, place: &self.statement.name }).await else {
            self.clinic.check_stop()?;
            return Ok(());
        };
        let Ok(plan) = Plan::from_json(&estimate.json) else { return Ok(()) };
        for compared in compared(&plan) {
            let Some(schema) = &compared.schema else { continue };
            let column = Column { schema, table: &compared.table, name: &compared.column };
            let at = compared.parameter - 1;
            if self.sent.get(at).is_none_or(Vec::is_empty) {
                continue;
            }
            if !self.parameter(at, &column, found).await? {
                self.clinic.note(format!(
                    "the values of ${} of {} are taken from the load, because counting them in {}.{} takes too long or is not possible",
                    at + 1,
                    self.statement.name,
                    column.table,
                    column.name,
                ));
            }
        }
        Ok(())
    }

    /// Finds the values of one parameter; whether it could.
    async fn parameter(&self, at: usize, column: &Column<'_>, found: &mut StatementValues) -> Result<bool, Error> {
        if Instant::now() >= self.until {
            return Ok(false);
        }
        let sent = &self.sent[at];
        let texts: Option<Vec<Given>> = sent.iter().map(|(value, _)| self.given(at, value)).collect();
        let Some(texts) = texts else { return Ok(false) };
        let Some(counted) = self.counts.rows(self.statement.sql.only(), at + 1, column, &texts).await? else {
            return Ok(false);
        };
        let times: Vec<u64> = sent.iter().map(|(_, times)| *times).collect();
        let places = ByRows::of(&times, &counted.rows);
        if let Some(ByRows { hot, typical, cold, .. }) = places {
            for (class, place) in [hot, typical, cold].into_iter().enumerate() {
                // Of a sample it is known which has more, not how many.
                found.set(class, at, sent[place].0.clone(), counted.all.then_some(counted.rows[place]));
            }
        }
        let sent_and_absent = places.and_then(|places| places.absent).filter(|_| counted.all);
        match sent_and_absent {
            Some(place) => found.set(3, at, sent[place].0.clone(), Some(0)),
            None => self.absent(at, column, found).await?,
        }
        Ok(true)
    }

    /// Tries values that cannot be sent until one is absent.
    async fn absent(&self, at: usize, column: &Column<'_>, found: &mut StatementValues) -> Result<(), Error> {
        let mut value = found.0[3].values[at].clone();
        let mut there: Vec<Value> = self.sent[at].iter().map(|(value, _)| value.clone()).collect();
        for _ in 0..CANDIDATES {
            let Some(given) = self.given(at, &value).filter(|given| given.0.is_some()) else { return Ok(()) };
            match self.counts.exists(self.statement.sql.only(), at + 1, column, &given).await? {
                Some(false) => {
                    found.set(3, at, value, Some(0));
                    return Ok(());
                }
                Some(true) => {
                    there.push(value);
                    value = beyond(&there, &self.facts[at].column_type);
                }
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// A value in text form; `None` where it is none of the parameter's type.
    fn given(&self, at: usize, value: &Value) -> Option<Given> {
        Given::new(value, &self.facts.get(at)?.column_type)
    }
}
