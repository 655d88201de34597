//! Examines plans that somebody pastes, without a database.

mod log;

use std::io::Read;

use self::log::Group;
use crate::{
    catalog::Tables,
    clinic::{Error, ErrorKind},
    findings::{ClassPlan, Examined, diagnose},
    plan::{self, Damage, PastedPlan, Plan, figures},
    record::{Examination, SlowestOf},
};

/// Examines all plans of an input that is called `name`: EXPLAIN's JSON or text, as psql, auto_explain's log and clients print it.
///
/// # Errors
/// It cannot be read, is larger than [`plan::MAX_BYTES`], or holds no whole plan.
pub fn examine_plans(name: &str, input: impl Read) -> Result<Vec<Examination>, Error> {
    let failed = |hint: Option<&'static str>, cause: Box<dyn std::error::Error + Send + Sync>| {
        let error = Error::new(ErrorKind::Failed, format!("cannot read a plan from {name}")).with_source(cause);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(plan::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    input.take(most).read_to_end(&mut bytes).map_err(|cause| failed(None, cause.into()))?;
    let plans = plan::read_plans(&bytes).map_err(|cause| failed(cause.hint(), cause.into()))?;
    drop(bytes);
    let several = plans.len() > 1;
    let cut = plans.iter().filter(|plan| plan.damage.is_followed_by_cut).count();
    let mut examinations: Vec<_> =
        log::groups(plans).into_iter().map(|group| examine(several.then_some(name), group)).collect();
    if let Some(first) = examinations.first_mut().filter(|_| cut > 0) {
        let are = if cut == 1 { "a plan of the log is" } else { "plans of the log are" };
        first.notes.push(format!("{are} cut off in the middle, and left out"));
    }
    Ok(examinations)
}

fn examine(name: Option<&str>, Group { worst, plans: of, total_ms }: Group) -> Examination {
    let PastedPlan { line, plan, damage } = worst;
    let mut statement = plan.query.clone();
    let plans = [ClassPlan { class: String::new(), plan }];
    let tables = Tables::default();
    let sql = statement.as_deref();
    let findings = diagnose(&Examined { name: None, sql, plans: &plans, tables: &tables, executions: None });
    Examination {
        source: name.map(|name| format!("{name}, line {line}")),
        statement: statement.take(),
        notes: notes(&plans[0].plan, damage),
        plans: vec![figures(&plans[0].plan, "", "", Vec::new())],
        findings,
        slowest_of: (of > 1).then_some(SlowestOf { plans: of, total_ms }),
        ..Examination::default()
    }
}

/// What the plan does not say, and how it would; whose it is, and what was damaged in it.
fn notes(plan: &Plan, damage: Damage) -> Vec<String> {
    let unsaid = if !plan.is_analyzed() {
        "the plan was not executed: it has estimates only, and most rules need actual rows and times; use EXPLAIN (ANALYZE, BUFFERS)"
    } else if plan.root().total_ms.is_none() {
        "no node was timed, so findings cannot be ranked by time; use EXPLAIN (ANALYZE, BUFFERS) without TIMING OFF"
    } else if plan.root().buffers.is_none() {
        "buffers were not counted; use EXPLAIN (ANALYZE, BUFFERS)"
    } else {
        ""
    };
    let relative = plan.relative().map(|relative| {
        format!(
            "the plan is {relative}'s: it is read as PostgreSQL's, with what only {relative} prints shown at the nodes; check \
             that {relative} has what is advised"
        )
    });
    let unknown: usize = plan.nodes().iter().map(|node| node.others.len()).sum();
    let unknown = (unknown > 0 && relative.is_none()).then(|| {
        let lines =
            if unknown == 1 { "1 line of the plan is".to_owned() } else { format!("{unknown} lines of the plan are") };
        format!(
            "{lines} unknown to latclinic: it shows them at their nodes as they were printed, and no rule uses them"
        )
    });
    let fragment =
        "the plan is a fragment: the lines above its first node are missing, and shares refer to this part only";
    let rebuilt = "the lines have lost their indentation; the tree was rebuilt from what each node reads, which is unambiguous here";
    [
        (!unsaid.is_empty()).then_some(unsaid),
        damage.is_fragment.then_some(fragment),
        damage.is_rebuilt.then_some(rebuilt),
    ]
    .into_iter()
    .flatten()
    .map(str::to_owned)
    .chain(relative)
    .chain(unknown)
    .collect()
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
            "buffers were not counted",
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
    fn plans_that_a_log_lost_a_part_of_are_left_out_and_said() {
        let plan = r#"{"Query Text": "SELECT 1", "Plan": {"Node Type": "Result", "Plan Rows": 1, "Plan Width": 4}}"#;
        let entry = |plan: &str| format!("2026-11-30 21:07:57 UTC [7] LOG:  duration: 0.7 ms  plan:\n\t{plan}\n");
        let cut = &plan[..70];
        let of = |log: String| {
            let examined = examined(&log);
            let plans: u64 = examined.iter().map(|one| one.slowest_of.as_ref().map_or(1, |of| of.plans as u64)).sum();
            (plans, examined[0].notes.last().unwrap().clone())
        };
        let said = |what: &str| format!("{what} cut off in the middle, and left out");
        assert_eq!(of(entry(plan) + &entry(cut)), (1, said("a plan of the log is")));
        assert_eq!(of(entry(plan) + &entry(cut) + &entry(plan)), (2, said("a plan of the log is")));
        assert_eq!(of(entry(plan) + &entry(cut) + &entry(plan) + &entry(cut)), (2, said("plans of the log are")));
        assert!(examine_plans("one.json", cut.as_bytes()).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_told_with_the_way_out() {
        let error = examine_plans("plans.txt", "nothing".as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "cannot read a plan from plans.txt");
        assert!(error.hint().unwrap().starts_with("use EXPLAIN"));
        let error = examine_plans("-", std::io::repeat(b' ')).unwrap_err();
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the input is larger than 128 MiB");
    }
}
