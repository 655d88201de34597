//! Any statement on any database: its plans, and what is wrong in them.

use std::time::Duration;

use super::{
    found::{self, Found},
    plans::{self, Budget, ClassGiven},
    what_if::{Advised, Site, TryBy},
};
use crate::{
    clinic::{Clinic, Error, ErrorKind},
    findings::{ClassPlan, Examined, diagnose},
    pg::{self, Access, Given},
    plan::Plan,
    record::{Confidence, Examination, Finding, Severity, ValueSource, WhatIf},
    scenario::{self, Known},
    text::{self, Field},
};

/// SQLSTATE `read_only_sql_transaction`.
const READ_ONLY: &str = "25006";

/// SQLSTATE `insufficient_privilege`.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// A statement to be examined.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// One statement.
    pub sql: String,
    /// Values for its parameters by class; empty where it has none, or is to be explained for any values, without executing it.
    pub classes: Vec<ClassGiven>,
    /// How often one piece of work executes it; `None` where that is not known.
    pub executions: Option<f64>,
    /// How long one execution may take; a plan takes at most as long again for repeating it.
    pub time_limit: Duration,
    /// Why it is not to be executed, as a note; `None` if it is.
    pub not_executed: Option<String>,
}

/// Examines a statement of anybody's on a database of anybody's. With `what_if` the indexes that are advised are tried with HypoPG where
/// that is in the database. Unless `may_write` it can only read; with it, each execution is
/// rolled back. `parameters` are in text form, `None` being NULL.
///
/// Neither stops a function from doing what is not part of the transaction: a statement that calls such ones is executed only
/// with `execute_volatile`.
///
/// # Errors
/// `text` is not one statement that has a plan (kind usage), it would write and may not (usage), it does not prepare or fails, the
/// number of values is not that of its parameters (usage), the server cannot be reached, or stopped by a signal.
pub async fn explain_query(
    clinic: &Clinic,
    text: &str,
    parameters: Vec<Option<String>>,
    may_write: bool,
    execute_volatile: bool,
    time_limit: Duration,
    what_if: bool,
) -> Result<Examination, Error> {
    let (sql, left_out) = super::question(text)?;
    clinic.connector().set_time_limit(time_limit);
    // In a read-only transaction PostgreSQL refuses it, but not under EXPLAIN ANALYZE.
    if !may_write && scenario::selects_into(&sql) {
        return Err(would_write("the statement creates a table (SELECT .. INTO)"));
    }
    let access = if may_write { Access::RolledBack } else { Access::ReadOnly };
    let session = pg::UserSession::open(clinic.connector(), "explain").await?;
    let explainer = pg::Explainer::new(&session, clinic.stop(), access).within(time_limit);
    let shown = parameters.iter().map(|value| value.clone().unwrap_or_else(|| "NULL".to_owned())).collect();
    let given = ClassGiven {
        class: String::new(),
        values_from: vec![ValueSource::Given; parameters.len()],
        value_rows: vec![None; parameters.len()],
        parameters: shown,
        values: parameters.into_iter().map(Given).collect(),
    };
    let mut classes = if given.values.is_empty() { Vec::new() } else { vec![given] };
    // On a standby PostgreSQL says nothing of that when it executes it.
    if scenario::selects_into(&sql)
        && let Some(why) = explainer.why_read_only().await
    {
        return Err(read_only("the statement creates a table (SELECT .. INTO)", &why));
    }
    clinic.step("explaining the statement");
    let volatile = volatile(&session, clinic, &sql).await?;
    let not_executed = volatile.as_ref().filter(|_| !execute_volatile).map(|volatile| {
        format!("not executed, only estimated: {volatile}; --execute-volatile executes it, but its effects outside the transaction cannot be rolled back")
    });
    let mut values_note = None;
    if classes.is_empty() && not_executed.is_none() {
        match without_values(clinic, &session, &explainer, &sql, may_write, volatile.is_none()).await? {
            Some(Found::Classes { classes: found, note }) => {
                values_note = Some(note);
                classes = found;
            }
            Some(Found::Nothing(why)) => values_note = Some(why),
            None => {}
        }
    }
    let question = Question { sql, classes, executions: None, time_limit, not_executed };
    let mut examination = examine(&explainer, &question).await?;
    examination.notes.extend(values_note);
    let is_advised = examination.findings.iter().any(|finding| !finding.statements.is_empty());
    // Asking costs nothing where HypoPG is in the database; what was not asked for is not shown.
    let may_ask = is_advised && matches!(pg::hypopg(&session).await, Ok(pg::HypoPg::There(_)));
    let makes_index =
        |finding: &Finding| finding.statements.iter().any(|statement| statement.starts_with("CREATE INDEX"));
    if !may_ask && examination.findings.iter().any(makes_index) {
        examination.notes.push(NOT_PLANNED.to_owned());
    }
    if what_if || may_ask {
        let site = Site { scenario: None, access, by: TryBy::Costs, time_limit };
        let Question { sql, classes, .. } = &question;
        let advised = Advised { name: None, sql, classes, findings: &examination.findings };
        let tried = super::what_if::what_if(clinic, &site, &advised).await?;
        note_planned(&mut examination.findings, &tried);
        if let Some(kind) = unknown_to_hypopg(&tried) {
            examination.notes.push(format!(
                "the advised {kind} index was not planned, since HypoPG knows no such indexes: it follows from PostgreSQL's rules and the statistics"
            ));
        }
        if what_if {
            examination.what_if = tried;
        }
    }
    examination.notes.extend(left_out);
    if let Some(volatile) = volatile.filter(|_| execute_volatile) {
        examination.notes.push(format!("{volatile}: its effects outside the transaction were not rolled back"));
    }
    if may_write && examination.plans.iter().any(|plan| plan.execution_ms.is_some()) {
        examination.notes.push(
            "each execution was rolled back; effects that are not transactional stay, such as advanced sequences"
                .to_owned(),
        );
    }
    Ok(examination)
}

/// Of an advised index that the planner was not asked about.
const NOT_PLANNED: &str = "the advised index was not planned: it follows from PostgreSQL's rules and the statistics. With the extension hypopg in the \
                           database the planner is asked whether it would use it";

/// The kind of the first index that was to be tried and that HypoPG does not know.
fn unknown_to_hypopg(tried: &[WhatIf]) -> Option<&'static str> {
    let unknown = tried.iter().filter(|trial| trial.used.is_none()).filter_map(|trial| trial.advice.last());
    let kinds = [(" USING gin ", "GIN"), (" USING gist ", "GiST"), (" USING spgist ", "SP-GiST")];
    unknown.into_iter().find_map(|index| kinds.iter().find(|(using, _)| index.contains(using)).map(|(_, kind)| *kind))
}

/// Notes of each advised index whether the planner used it. What it would not use is no longer advised, and comes after what is.
fn note_planned(findings: &mut [Finding], tried: &[WhatIf]) {
    for finding in findings.iter_mut().filter(|finding| !finding.statements.is_empty()) {
        finding.planned = tried.iter().find(|trial| trial.advice == finding.statements).and_then(|trial| trial.used);
        match finding.planned {
            Some(true) => finding.confidence = Confidence::High,
            Some(false) => {
                finding.confidence = Confidence::Low;
                finding.statements.clear();
            }
            None => {}
        }
    }
    findings.sort_by_key(|finding| (finding.severity == Severity::Info, finding.planned == Some(false)));
}

/// Values found in the data for a statement that takes some and got none; `None` if it takes none, or cannot be planned.
async fn without_values(
    clinic: &Clinic,
    session: &pg::UserSession,
    explainer: &pg::Explainer<'_>,
    sql: &str,
    may_write: bool,
    may_compute: bool,
) -> Result<Option<Found>, Error> {
    let statement = pg::Explained { sql, place: "the statement" };
    // What fails here fails again where it is explained, with its reason.
    let Ok(captured) = explainer.generic_estimate(&statement).await else {
        clinic.check_stop()?;
        return Ok(None);
    };
    let Ok(plan) = Plan::from_json(&captured.json) else { return Ok(None) };
    if scenario::placeholders(sql).is_empty() {
        return Ok(None);
    }
    if !may_write && plan.nodes().iter().any(|node| node.writes() || node.node_type == "LockRows") {
        return Ok(Some(Found::Nothing(
            "it writes or locks rows: --rollback executes it, with values that are found in the data".to_owned(),
        )));
    }
    clinic.step("looking for values in the data");
    found::find(clinic, session, sql, &plan, may_compute).await.map(Some)
}

/// What a statement calls that may do more than a transaction can take back, as a clause; `None` if nothing.
///
/// # Errors
/// The connection breaks, or stopped by a signal.
async fn volatile(session: &pg::UserSession, clinic: &Clinic, sql: &str) -> Result<Option<String>, Error> {
    let reading = scenario::reach_unordered(sql, &Known::new("", []));
    if reading.coded {
        return Ok(Some("it has an identifier with Unicode escapes (U&\"..\"), and may call any function".to_owned()));
    }
    let asked =
        async { pg::Effects::new(session, clinic.stop()).await?.of(sql, &reading, pg::Beyond::Transaction).await };
    match asked.await {
        Ok(effects) if effects.is_empty() => Ok(None),
        Ok(effects) => {
            let calls: Vec<String> = effects.iter().map(ToString::to_string).collect();
            Ok(Some(format!("{} (volatile)", calls.join(", "))))
        }
        Err(error) if error.is_stopped() || error.is_disconnect() => Err(error.into()),
        Err(error) => Ok(Some(format!("the functions that it calls are not known ({error})"))),
    }
}

/// Examines a statement in a session that is prepared for it: names resolve and settings hold as it has them.
///
/// # Errors
/// As of [`explain_query`], the statement itself not being looked at.
pub async fn examine(explainer: &pg::Explainer<'_>, question: &Question) -> Result<Examination, Error> {
    let Question { sql, classes, executions, time_limit, not_executed } = question;
    let statement = pg::Explained { sql, place: "the statement" };
    let taken = explainer.parameters(&statement).await?;
    if let Some(wrong) = classes.iter().find(|given| given.values.len() != taken) {
        let (class, count) = (&wrong.class, wrong.values.len());
        let of = if class.is_empty() { String::new() } else { format!(" for class {class}") };
        let are = if count == 1 { "is" } else { "are" };
        let message = format!(
            "the statement has {}, and {} {are} given{of}",
            text::counted_or_no(taken, "parameter"),
            text::counted_or_no(count, "value")
        );
        return Err(Error::new(ErrorKind::Usage, message).with_hint("give one value for each of $1..$n, or none"));
    }
    let no_values = [ClassGiven::default()];
    let classes: &[ClassGiven] = if taken == 0 { &no_values } else { classes };
    let budget = Budget { not_executed: not_executed.clone(), ..Budget::of_each(*time_limit) };
    let captured = match classes.is_empty() {
        true => vec![plans::without_values(explainer, &statement).await?],
        false => plans::plans(explainer, &statement, "", classes, &budget, classes.len() + 1).await?.captured,
    };
    let tables = explainer.tables(captured.iter().map(|one| &one.plan.plan)).await?;
    let plans: Vec<ClassPlan> = captured.iter().map(|one| one.plan.clone()).collect();
    let examined = Examined { name: None, sql: Some(sql), plans: &plans, tables: &tables, executions: *executions };
    let findings = diagnose(&examined);
    let notes = captured.iter().filter_map(|one| {
        let note = one.figures.note.as_ref()?;
        Some(match one.figures.class.as_str() {
            "" => note.clone(),
            class => format!("{class}: {note}"),
        })
    });
    Ok(Examination {
        source: None,
        statement: Some(sql.clone()),
        notes: notes.collect(),
        plans: captured.into_iter().map(|one| one.figures).collect(),
        findings,
        what_if: Vec::new(),
        slowest_of: None,
    })
}

/// [`pg::Error`] of a statement, with the way out if it would write, or its role lacks a right.
pub(super) async fn refusal(explainer: &pg::Explainer<'_>, error: pg::Error) -> Error {
    match error.sqlstate() {
        Some(READ_ONLY) => match explainer.why_read_only().await {
            // Allowing it to write does not help then.
            Some(why) => read_only(&format!("{error}: the statement writes"), &why),
            None => would_write(&format!("{error}: the statement writes")),
        },
        Some(INSUFFICIENT_PRIVILEGE) => Error::from(error)
            .with_hint("explaining a statement takes the rights that the statement itself takes: use a role that has them, or let the owner GRANT them"),
        _ => error.into(),
    }
}

fn read_only(what: &str, why: &pg::Error) -> Error {
    let refused = Error::new(ErrorKind::Failed, format!("{what}, and {why}"));
    why.hint().map(str::to_owned).into_iter().fold(refused, Error::with_hint)
}

fn would_write(what: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{what}, and only reads are allowed"))
        .with_hint(format!("pass {} to execute it in transactions that are rolled back", Field::Rollback))
        .about(&[Field::Rollback])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Record, sample};

    #[test]
    fn what_the_planner_would_not_use_is_not_advised_first() {
        let finding = |statement: &str| {
            let record: Record = sample::full();
            let known = record.findings.unwrap_or_default().remove(0);
            Finding { statements: vec![statement.to_owned()], severity: Severity::Critical, ..known }
        };
        let trial = |statement: &str, used: bool| WhatIf {
            statement: None,
            class: String::new(),
            parameters: Vec::new(),
            advice: vec![statement.to_owned()],
            how: None,
            note: None,
            before: None,
            after: None,
            used: Some(used),
            index_bytes: None,
            build_ms: None,
        };
        let mut findings = vec![finding("CREATE INDEX a"), finding("CREATE INDEX b"), finding("CREATE INDEX c")];
        note_planned(&mut findings, &[trial("CREATE INDEX a", false), trial("CREATE INDEX b", true)]);
        let told: Vec<_> = findings.iter().map(|finding| (finding.planned, finding.statements.len())).collect();
        assert_eq!(told, [(Some(true), 1), (None, 1), (Some(false), 0)]);
    }
}
