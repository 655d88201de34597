//! Examines plans that somebody pastes, without a database.

use std::io::Read;

use crate::{
    clinic::{Error, ErrorKind},
    explain::{self, ClassPlan, Examined, PastedPlan, Plan, Tables, diagnose, figures},
    record::Examination,
};

/// Examines all plans of an input that is called `name`: EXPLAIN's JSON or text, as psql, auto_explain's log and clients print it.
///
/// # Errors
/// It cannot be read, is larger than [`explain::MAX_BYTES`], or holds no whole plan.
pub fn examine_plans(name: &str, input: impl Read) -> Result<Vec<Examination>, Error> {
    let failed = |hint: Option<&'static str>, cause: Box<dyn std::error::Error + Send + Sync>| {
        let error = Error::new(ErrorKind::Failed, format!("cannot read a plan from {name}")).with_source(cause);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(explain::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    input.take(most).read_to_end(&mut bytes).map_err(|cause| failed(None, cause.into()))?;
    let plans = explain::read_plans(&bytes).map_err(|cause| failed(cause.hint(), cause.into()))?;
    drop(bytes);
    let several = plans.len() > 1;
    Ok(plans.into_iter().map(|pasted| examine(several.then_some(name), pasted)).collect())
}

fn examine(name: Option<&str>, PastedPlan { line, plan }: PastedPlan) -> Examination {
    let mut statement = plan.query.clone();
    let plans = [ClassPlan { class: String::new(), plan }];
    let tables = Tables::default();
    let sql = statement.as_deref();
    let findings = diagnose(&Examined { name: None, sql, plans: &plans, tables: &tables, executions: None });
    Examination {
        source: name.map(|name| format!("{name}, line {line}")),
        statement: statement.take(),
        notes: notes(&plans[0].plan),
        plans: vec![figures(&plans[0].plan, "", "", Vec::new())],
        findings,
        ..Examination::default()
    }
}

/// What the plan does not say, and how it would.
fn notes(plan: &Plan) -> Vec<String> {
    let note = if !plan.is_analyzed() {
        "the plan was not executed: it has estimates only, and most rules need more; EXPLAIN (ANALYZE, BUFFERS) executes it"
    } else if plan.root().total_ms.is_none() {
        "no node was timed, so that nothing is ranked by time; EXPLAIN (ANALYZE, BUFFERS) without TIMING OFF does it"
    } else if plan.root().buffers.is_none() {
        "blocks were not counted; EXPLAIN (ANALYZE, BUFFERS) does it"
    } else {
        return Vec::new();
    };
    vec![note.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined(input: &str) -> Vec<Examination> {
        examine_plans("plans.txt", input.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_plan_does_not_say_is_noted() {
        let notes = ["", " (actual rows=1 loops=1)", " (actual time=0.1..0.2 rows=1 loops=1)"].map(|actual| {
            examined(&format!("Result  (cost=0.00..0.01 rows=1 width=4){actual}")).remove(0).notes.remove(0)
        });
        insta::assert_debug_snapshot!(notes.map(|note| note.split_once([':', ';', ',']).unwrap().0.to_owned()), @r#"
        [
            "the plan was not executed",
            "no node was timed",
            "blocks were not counted",
        ]
        "#);
    }

    #[test]
    fn each_of_several_plans_is_told_with_its_line() {
        let plan = "Result  (cost=0.00..0.01 rows=1 width=4)";
        assert_eq!(examined(plan)[0].source, None);
        let sources: Vec<_> =
            examined(&format!("{plan}\n\n{plan}\n")).into_iter().map(|one| one.source.unwrap()).collect();
        assert_eq!(sources, ["plans.txt, line 1", "plans.txt, line 3"]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_the_way_out() {
        let error = examine_plans("plans.txt", "nothing".as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "cannot read a plan from plans.txt");
        assert!(error.hint().unwrap().starts_with("use EXPLAIN"));
        let error = examine_plans("-", std::io::repeat(b' ')).unwrap_err();
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the input is larger than 64 MiB");
    }
}
