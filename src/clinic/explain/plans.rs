//! The plans of one statement: one a class of parameter values, and the generic one where it is another.

use std::time::{Duration, Instant};

use super::examine::refusal;
use crate::{
    clinic::{Error, ErrorKind},
    findings::ClassPlan,
    pg::{self, CapturedPlan, Given, TimeLimits},
    plan::{Plan, figures},
    record::{PlanFigures, ValueSource},
};

/// How long one execution may take unless asked otherwise.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// How long the plans of a phase may take in all while it is measured.
const WHILE_MEASURED: Duration = Duration::from_secs(60);

/// How long the first execution of a plan may take at least while there is time.
const LEAST: Duration = Duration::from_secs(1);

/// A class of parameter values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClassGiven {
    /// `hot`, `typical`, `cold` or `absent`; empty where it is none of them.
    pub class: String,
    /// Its values, in text form.
    pub values: Vec<Given>,
    /// The values as a person reads them.
    pub parameters: Vec<String>,
    /// Where each comes from.
    pub values_from: Vec<ValueSource>,
    /// Rows of the table that have each; `None` where they were not counted.
    pub value_rows: Vec<Option<u64>>,
}

const NOT_EXECUTED: TimeLimits = TimeLimits { execution: Duration::ZERO, plan: Duration::ZERO };

/// How long plans may take.
#[derive(Debug, Clone)]
pub(in crate::clinic) struct Budget {
    /// One execution.
    pub(super) execution: Duration,
    /// All executions of a plan.
    pub(super) plan: Duration,
    /// All plans: how long, and until when.
    pub(super) all: Option<(Duration, Instant)>,
    /// Why nothing is executed at all, as a note.
    pub(super) not_executed: Option<String>,
}

impl Budget {
    /// So long for an execution, and for the executions of a plan; any time for all plans.
    pub(super) fn of_each(execution: Duration) -> Self {
        Self { execution, plan: execution, all: None, not_executed: None }
    }

    /// That of the plans of a phase that is measured.
    pub(in crate::clinic) fn while_measured() -> Self {
        Self { all: Some((WHILE_MEASURED, Instant::now() + WHILE_MEASURED)), ..Self::of_each(TIME_LIMIT) }
    }

    fn limits(&self, plans_left: usize) -> TimeLimits {
        let Some((_, until)) = self.all else { return TimeLimits { execution: self.execution, plan: self.plan } };
        let left = until.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(plans_left.max(1)).unwrap_or(u32::MAX);
        TimeLimits { execution: self.execution.min(share.max(LEAST)).min(left), plan: self.plan.min(share) }
    }
}

/// A plan of a statement, in all its forms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Captured {
    pub(super) captured: CapturedPlan,
    pub(super) plan: ClassPlan,
    pub(super) figures: PlanFigures,
}

/// The plans of a statement.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Plans {
    pub(super) captured: Vec<Captured>,
    pub(super) refused: Vec<Refused>,
}

/// A class of whose values the server takes none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    pub(super) class: String,
    /// The server's words.
    pub(super) words: String,
}

/// Explains a statement for each class, and for any values. Where all plans share a time, one that was too slow for a class is executed for
/// no further one. `plans_left` counts the plans that share what is left of the budget,
/// these among them. Of a class whose values the server refuses there is no plan, and of one whose execution fails an estimated one.
///
/// # Errors
/// There is no plan for any class, an answer cannot be read, or stopped by a signal.
pub(super) async fn plans(
    explainer: &pg::Explainer<'_>,
    statement: &pg::Explained<'_>,
    name: &str,
    classes: &[ClassGiven],
    budget: &Budget,
    plans_left: usize,
) -> Result<Plans, Error> {
    let (mut plans, mut refusals) = (Plans::default(), Vec::new());
    let mut given_up = budget.not_executed.clone();
    for (index, given) in classes.iter().enumerate() {
        let limits = match given_up {
            None => budget.limits(plans_left - index.min(plans_left)),
            Some(_) => NOT_EXECUTED,
        };
        let attempt = async |limits| explainer.custom(statement, &given.values, limits).await;
        match tolerant(explainer, given, limits, attempt).await? {
            Attempt::Captured(captured) => {
                let note = given_up.clone().or_else(|| note(&captured, budget, limits));
                if budget.all.is_some() && !captured.was_executed() && !captured.locked {
                    given_up.clone_from(&note);
                }
                plans.captured.push(read(statement, name, &given.class, given, captured, note)?);
            }
            Attempt::Failed(captured, words) => {
                let note = Some(format!("not executed: the server refuses it: {words}"));
                plans.captured.push(read(statement, name, &given.class, given, captured, note)?);
            }
            Attempt::Refused(words, error) => {
                plans.refused.push(Refused { class: given.class.clone(), words });
                refusals.push(error);
            }
        }
    }
    let Plans { captured: all, refused } = &mut plans;
    if let (true, Some(error)) = (all.is_empty(), refusals.pop()) {
        return Err(error);
    }
    let usual = classes.iter().position(|given| given.class == "typical").unwrap_or(0);
    let Some(given) = classes.get(usual).filter(|given| !given.values.is_empty()) else { return Ok(plans) };
    if refused.iter().any(|refused| refused.class == given.class) {
        return Ok(plans);
    }
    // What is too slow for these values, fails, or met a lock, is not tried again with another plan.
    if let Some(usual) = all.iter().find(|one| one.figures.class == given.class)
        && !usual.captured.was_executed()
    {
        given_up.clone_from(&usual.figures.note);
    }
    let limits = match given_up {
        None => budget.limits(plans_left.saturating_sub(classes.len())),
        Some(_) => NOT_EXECUTED,
    };
    let attempt = async |limits| explainer.generic(statement, &given.values, limits).await;
    let (captured, note) = match tolerant(explainer, given, limits, attempt).await? {
        Attempt::Captured(captured) => {
            let note = given_up.or_else(|| note(&captured, budget, limits));
            (captured, note)
        }
        Attempt::Failed(captured, words) => (captured, Some(format!("not executed: the server refuses it: {words}"))),
        Attempt::Refused(..) => return Ok(plans),
    };
    let generic = read(statement, name, "generic", given, captured, note)?;
    let mut differs = false;
    for one in &mut *all {
        let same = one.plan.plan.has_shape_of(&generic.plan.plan);
        one.figures.generic_is_same = Some(same);
        differs |= !same;
    }
    if differs {
        all.push(generic);
    }
    Ok(plans)
}

/// What came of explaining a statement for a class.
enum Attempt {
    Captured(CapturedPlan),
    /// The execution fails, for the reason in the server's words; it was planned only.
    Failed(CapturedPlan, String),
    /// The server does not take the values: its words, and the error with its place.
    Refused(String, Error),
}

/// Explains within `limits`; if the server refuses the values of a class that we have made, without executing.
async fn tolerant(
    explainer: &pg::Explainer<'_>,
    given: &ClassGiven,
    limits: TimeLimits,
    explain: impl AsyncFn(TimeLimits) -> pg::Result<CapturedPlan>,
) -> Result<Attempt, Error> {
    let error = match explain(limits).await {
        Ok(captured) => return Ok(Attempt::Captured(captured)),
        Err(error) => error,
    };
    // Without a class somebody gave these values, and wants to know what comes of them.
    let Some(words) = error.of_values().filter(|_| !given.class.is_empty()) else {
        return allowed(explainer, Err(error)).await.map(Attempt::Captured);
    };
    match explain(NOT_EXECUTED).await {
        Ok(captured) => Ok(Attempt::Failed(captured, words)),
        Err(error) if error.of_values().is_some() => Ok(Attempt::Refused(words, refusal(explainer, error).await)),
        Err(error) => Err(refusal(explainer, error).await),
    }
}

/// The plan for any values, of a statement whose values nobody gave.
pub(super) async fn without_values(
    explainer: &pg::Explainer<'_>,
    statement: &pg::Explained<'_>,
) -> Result<Captured, Error> {
    let captured = allowed(explainer, explainer.generic_estimate(statement).await).await?;
    let (plan, mut figures) = normal(statement, "", "generic", &captured, Vec::new())?;
    figures.note = Some("not executed: no values were given for its parameters".to_owned());
    Ok(Captured { captured, plan: ClassPlan { class: "generic".to_owned(), plan }, figures })
}

async fn allowed(explainer: &pg::Explainer<'_>, captured: pg::Result<CapturedPlan>) -> Result<CapturedPlan, Error> {
    match captured {
        Ok(captured) => Ok(captured),
        Err(error) => Err(refusal(explainer, error).await),
    }
}

fn read(
    statement: &pg::Explained<'_>,
    name: &str,
    class: &str,
    given: &ClassGiven,
    captured: CapturedPlan,
    note: Option<String>,
) -> Result<Captured, Error> {
    let (plan, mut figures) = normal(statement, name, class, &captured, given.parameters.clone())?;
    figures.values_from.clone_from(&given.values_from);
    figures.value_rows.clone_from(&given.value_rows);
    figures.first_ms = captured.first_ms;
    figures.executions_ms.clone_from(&captured.executions_ms);
    figures.note = note;
    Ok(Captured { captured, plan: ClassPlan { class: class.to_owned(), plan }, figures })
}

fn normal(
    statement: &pg::Explained<'_>,
    name: &str,
    class: &str,
    captured: &CapturedPlan,
    parameters: Vec<String>,
) -> Result<(Plan, PlanFigures), Error> {
    let plan = Plan::from_json(&captured.json).map_err(|cause| {
        Error::new(ErrorKind::Failed, format!("{}: its plan cannot be read", statement.place)).with_source(cause)
    })?;
    let figures = figures(&plan, name, class, parameters);
    Ok((plan, figures))
}

/// Why there is less than there could be.
fn note(captured: &CapturedPlan, budget: &Budget, limits: TimeLimits) -> Option<String> {
    if captured.locked {
        return Some("not executed: another session holds a lock that it needs".to_owned());
    }
    if let Some(own) = captured.ended_by {
        return Some(format!(
            "not executed: it takes more than {}, the statement_timeout that the role, database or URL sets",
            seconds(own)
        ));
    }
    if !captured.was_executed() {
        return Some(match budget.all {
            Some((all, _)) if limits.execution < budget.execution => {
                format!("not executed: its share of the {} time limit for all plans is too short", seconds(all))
            }
            _ => format!("not executed: it takes more than {}", seconds(budget.execution)),
        });
    }
    captured.executions_ms.is_empty().then(|| "executed only once, because it takes long".to_owned())
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_shared_by_the_plans_that_are_left() {
        let second = Duration::from_secs(1);
        let of = |left: Duration, plans_left: usize| {
            let budget = Budget { all: Some((WHILE_MEASURED, Instant::now() + left)), ..Budget::of_each(second * 30) };
            let limits = budget.limits(plans_left);
            (limits.execution.as_secs_f64().round(), limits.plan.as_secs_f64().round())
        };
        assert_eq!(of(second * 60, 20), (3.0, 3.0));
        assert_eq!(of(second * 60, 1), (30.0, 30.0));
        // An execution may take a second even where that is more than its share, but no longer than what is left.
        assert_eq!(of(second * 10, 100), (1.0, 0.0));
        assert_eq!(of(Duration::ZERO, 5), (0.0, 0.0));
    }
}
