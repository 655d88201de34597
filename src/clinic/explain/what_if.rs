//! What the indexes that findings advise would change: each tried by itself, on the statement that it was advised for.

use std::time::Duration;

use super::plans::ClassGiven;
use crate::{
    clinic::{Clinic, Error, ErrorKind},
    pg::{self, Access, CapturedPlan, Explained, Explainer, HypoPg, TimeLimits, TriedIndex, UserSession},
    plan::{Plan, figures},
    record::{Finding, Trial, TriedPlan, WhatIf},
    scenario::Scenario,
};

/// How an advised index is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TryBy {
    /// With HypoPG where it is there, otherwise by building it.
    #[default]
    Either,
    /// With HypoPG: costs, and nothing is built.
    Costs,
    /// By building it in the scenario's schema, in a transaction that is rolled back.
    Build,
}

/// Where and how indexes are tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    /// The scenario in whose schema they may be built; without one nothing is built.
    pub(super) scenario: Option<&'a Scenario>,
    pub(super) access: Access,
    pub(super) by: TryBy,
    /// How long one execution may take.
    pub(super) time_limit: Duration,
}

/// A statement with what was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Advised<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) sql: &'a str,
    pub(super) classes: &'a [ClassGiven],
    pub(super) findings: &'a [Finding],
}

/// Tries each index that a finding on the statement advises.
pub(super) async fn what_if(clinic: &Clinic, site: &Site<'_>, advised: &Advised<'_>) -> Result<Vec<WhatIf>, Error> {
    let mut tried: Vec<WhatIf> = Vec::new();
    for finding in advised.findings.iter().filter(|finding| finding.statement.as_deref() == advised.name) {
        let Some((index, first)) = index_of(&finding.statements) else { continue };
        if tried.iter().any(|known| known.advice == finding.statements) {
            continue;
        }
        clinic.check_stop()?;
        clinic.step(format!("trying {index}"));
        let given = class_of(finding, advised.classes);
        let mut one = WhatIf {
            statement: advised.name.map(str::to_owned),
            class: given.map_or_else(String::new, |given| given.class.clone()),
            parameters: given.map_or_else(Vec::new, |given| given.parameters.clone()),
            advice: finding.statements.clone(),
            how: None,
            note: None,
            before: None,
            after: None,
            used: None,
            index_bytes: None,
            build_ms: None,
        };
        let values = given.map_or(&[][..], |given| &given.values);
        let in_plan = finding.node.is_some();
        let trying = Trying { clinic, site, sql: advised.sql, values, index, first: &first, in_plan };
        if let Err(error) = trying.run(&mut one).await {
            // What the trial could not do is no failure of what was asked first.
            if error.kind() == ErrorKind::Interrupted || clinic.stop().is_cancelled() {
                return Err(error.interrupted_if(true));
            }
            (one.how, one.before, one.after) = (None, None, None);
            one.note = Some(error.to_string());
        }
        tried.push(one);
    }
    Ok(tried)
}

/// The statement that makes the index, and those that have to be run before it; `None` where a finding advises something else too.
fn index_of(statements: &[String]) -> Option<(&str, Vec<&str>)> {
    let begins =
        |statement: &str, with: &str| statement.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    let (index, first) = statements.split_last()?;
    let makes = begins(index, "CREATE INDEX") && first.iter().all(|statement| begins(statement, "CREATE EXTENSION"));
    makes.then(|| (index.as_str(), first.iter().map(String::as_str).collect()))
}

/// The typical values where the finding was seen for them, otherwise those that it was seen for first.
fn class_of<'a>(finding: &Finding, classes: &'a [ClassGiven]) -> Option<&'a ClassGiven> {
    let called = |name: &str| classes.iter().find(|given| given.class == name);
    let seen = |given: &&ClassGiven| finding.classes.is_empty() || finding.classes.contains(&given.class);
    called("typical")
        .filter(seen)
        .or_else(|| finding.classes.iter().find_map(|name| called(name)))
        .or_else(|| called("typical"))
        .or(classes.first())
}

/// Of an index that serves a trigger.
const IN_NO_PLAN: &str =
    "not tried: queries of the statement's triggers are in no plan, so only building the index shows what it saves";

struct Trying<'a> {
    clinic: &'a Clinic,
    site: &'a Site<'a>,
    sql: &'a str,
    values: &'a [pg::Given],
    index: &'a str,
    first: &'a [&'a str],
    /// Whether it is the plan that could use the index, rather than what the statement's triggers do.
    in_plan: bool,
}

impl Trying<'_> {
    async fn run(&self, one: &mut WhatIf) -> Result<(), Error> {
        let Site { scenario, access, by, time_limit } = *self.site;
        // A session of its own: what it is told of ends with it.
        let connector = self.clinic.connector();
        let session = match scenario {
            Some(scenario) => {
                let connections = &scenario.load.connections;
                UserSession::of_load(connector, "what-if", &scenario.schema_name(), connections).await?
            }
            None => UserSession::open(connector, "what-if").await?,
        };
        let stop = self.clinic.stop();
        let hypopg = pg::hypopg(&session).await?;
        let usable = match &hypopg {
            HypoPg::There(_) => true,
            // In a database of somebody's nothing is made that was not asked for, not even for a moment.
            HypoPg::Creatable => scenario.is_some(),
            HypoPg::Absent => false,
        };
        let costs = by == TryBy::Costs || by == TryBy::Either && usable && self.in_plan;
        if !self.in_plan && (costs || scenario.is_none()) {
            return Err(Error::new(ErrorKind::Failed, IN_NO_PLAN));
        }
        match (costs, scenario) {
            (true, _) if usable => {
                let nothing = TimeLimits { execution: Duration::ZERO, plan: Duration::ZERO };
                let explainer = Explainer::new(&session, stop, access).within(time_limit);
                let before = self.explain(&explainer, nothing).await?;
                let index = pg::hypothetical(&session, self.index, &hypopg).await?;
                let after = self.explain(&explainer, nothing).await?;
                one.how = Some(Trial::Hypothetical);
                fill_in(one, &before, &after, index)
            }
            (false, Some(scenario)) => {
                let limits = TimeLimits { execution: time_limit, plan: time_limit };
                let before = self
                    .explain(&Explainer::new(&session, stop, Access::RolledBack).within(time_limit), limits)
                    .await?;
                let lock = pg::lock_limit(time_limit);
                let within = Explainer::new(&session, stop, Access::Within).within(time_limit);
                let work = async |index| Ok::<_, Error>((self.explain(&within, limits).await?, index));
                let (after, index) =
                    pg::built(&session, stop, &scenario.schema_name(), self.first, self.index, lock, work).await?;
                if index.unusable {
                    return Err(Error::new(
                        ErrorKind::Failed,
                        "the transaction that built the index could not use it yet, because rows of the table have older versions; VACUUM the table, then try again",
                    ));
                }
                one.how = Some(Trial::Built);
                one.note = not_executed(&before, &after);
                fill_in(one, &before, &after, index)?;
                // What a trigger looks up is in no plan.
                one.used = one.used.filter(|_| self.in_plan);
                Ok(())
            }
            (_, None) | (true, _) => Err(Error::new(ErrorKind::Failed, absent(&hypopg, scenario.is_some()))),
        }
    }

    async fn explain(&self, explainer: &Explainer<'_>, limits: TimeLimits) -> Result<Explanation, Error> {
        let statement = Explained { sql: self.sql, place: "the statement" };
        if self.values.is_empty() && explainer.parameters(&statement).await? > 0 {
            let captured = explainer.generic_estimate(&statement).await?;
            return Ok(Explanation { captured, given_up_after: None });
        }
        let captured = explainer.custom(&statement, self.values, limits).await?;
        let given_up = !captured.was_executed() && !limits.execution.is_zero();
        Ok(Explanation { captured, given_up_after: given_up.then_some(limits.execution) })
    }
}

struct Explanation {
    captured: CapturedPlan,
    given_up_after: Option<Duration>,
}

/// Why a statement was not executed on one side or both; `None` where it was on both.
fn not_executed(before: &Explanation, after: &Explanation) -> Option<String> {
    let side = match [before, after].map(|side| side.captured.was_executed()) {
        [true, true] => return None,
        [false, false] => "neither without the index nor with it",
        [false, true] => "without the index",
        [true, false] => "with the index",
    };
    let why = match before.given_up_after.or(after.given_up_after) {
        Some(limit) => format!("it takes more than {} s", limit.as_secs_f64()),
        None => "no values were given for its parameters".to_owned(),
    };
    Some(format!("not executed {side}: {why}"))
}

/// Why HypoPG is not used, and what would help.
fn absent(hypopg: &HypoPg, of_scenario: bool) -> String {
    let nothing_built = if of_scenario { "" } else { "latclinic builds no index in a database of yours; " };
    match hypopg {
        HypoPg::Absent => format!(
            "not tried: {nothing_built}the extension hypopg is not installed on the server, or this role may not make it (package \
             postgresql-NN-hypopg, then CREATE EXTENSION hypopg)"
        ),
        _ => format!("not tried: {nothing_built}the extension hypopg is not in the database: CREATE EXTENSION hypopg"),
    }
}

fn fill_in(one: &mut WhatIf, before: &Explanation, after: &Explanation, index: TriedIndex) -> Result<(), Error> {
    let (without, with) = (plan(&before.captured)?, plan(&after.captured)?);
    one.used = Some(with.nodes().iter().any(|node| node.index.as_ref().is_some_and(|name| index.names.contains(name))));
    one.before = Some(tried(&without, before.given_up_after));
    one.after = Some(tried(&with, after.given_up_after));
    if let (Some(after), None, [name, ..]) = (&mut one.after, index.build, index.names.as_slice()) {
        // HypoPG gives it a name with a number.
        after.shape = after.shape.replace(name, "the hypothetical index");
    }
    one.index_bytes = Some(index.bytes);
    one.build_ms = index.build.map(|took| took.as_secs_f64() * 1e3);
    Ok(())
}

fn plan(captured: &CapturedPlan) -> Result<Plan, Error> {
    Plan::from_json(&captured.json)
        .map_err(|cause| Error::new(ErrorKind::Failed, "the plan of the trial cannot be read").with_source(cause))
}

fn tried(plan: &Plan, given_up_after: Option<Duration>) -> TriedPlan {
    let figures = figures(plan, "", "", Vec::new());
    TriedPlan {
        buffers: figures.buffers(),
        shape: figures.shape,
        cost: plan.root().total_cost.unwrap_or(0.0),
        execution_ms: figures.execution_ms,
        given_up_after_ms: given_up_after.map(|limit| limit.as_secs_f64() * 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_makes_an_index_is_tried() {
        let of = |statements: &[&str]| {
            let statements: Vec<String> = statements.iter().map(|text| (*text).to_owned()).collect();
            index_of(&statements).map(|(index, first)| (index.to_owned(), first.len()))
        };
        assert_eq!(of(&["create index concurrently on t (a)"]), Some(("create index concurrently on t (a)".into(), 0)));
        assert_eq!(
            of(&["CREATE EXTENSION IF NOT EXISTS pg_trgm", "CREATE INDEX i ON t (a)"]).map(|(_, first)| first),
            Some(1)
        );
        assert_eq!(of(&["ANALYZE t"]), None);
        assert_eq!(of(&["DROP TABLE t", "CREATE INDEX i ON t (a)"]), None);
        assert_eq!(of(&[]), None);
    }
}
