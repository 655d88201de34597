//! Whether the plans that were captured are those that ran under the load.

use super::units;
use crate::record::{PlansUnderLoad, StatementUnderLoad};

/// A sentence a statement of which a plan was sampled, without a full stop, or one that says why none was.
pub(super) fn under_load(plans: &PlansUnderLoad) -> Vec<String> {
    match &plans.not_sampled {
        Some(reason) => vec![format!("the plans that ran under the load are not known: {reason}")],
        None => plans.statements.iter().filter_map(of_statement).chain(few_sessions(plans)).collect(),
    }
}

/// That the measured window was seen in a part of the sessions only.
fn few_sessions(plans: &PlansUnderLoad) -> Option<String> {
    let PlansUnderLoad { sessions, sessions_sampled, .. } = plans;
    (sessions_sampled < sessions).then(|| {
        format!(
            "plans of the measured window were sampled in {} of {} sessions: the others had no whole warm-up",
            units::count(*sessions_sampled),
            units::count(*sessions)
        )
    })
}

fn of_statement(of: &StatementUnderLoad) -> Option<String> {
    let (name, sampled) = (&of.statement, units::count(of.sampled));
    let executions = if of.sampled == 1 { "execution" } else { "executions" };
    let when = match of.in_warmup {
        0 => "under the load".to_owned(),
        count if count == of.sampled => "in the warm-up".to_owned(),
        count => format!("under the load ({} in the warm-up)", units::count(count)),
    };
    if of.agrees? {
        return Some(format!("{name}: the plan of {sampled} {executions} sampled {when} is among these"));
    }
    let others = of.plans.iter().filter(|plan| plan.classes.is_empty());
    let (count, shapes) = others.fold((0, Vec::new()), |(count, mut shapes), plan| {
        shapes.push(plan.shape.as_str());
        (count + plan.count, shapes)
    });
    let count = units::count(count);
    Some(format!(
        "{name}: {count} of {sampled} {executions} sampled {when} had a plan that is not among these: {}",
        shapes.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Phase, PlanUnderLoad, sample};

    #[test]
    fn another_plan_under_the_load_is_told_and_why_none_is_known() {
        let mut plans = sample::record(Phase::Before).plans_under_load.unwrap();
        let of = plans.statements[0].clone();
        let other =
            PlanUnderLoad { shape: "Limit > Index Scan".into(), count: 1_200, in_warmup: 0, classes: Vec::new() };
        plans.statements.push(StatementUnderLoad {
            sampled: 1_219,
            plans: [of.plans.clone(), vec![other]].concat(),
            agrees: Some(false),
            ..of.clone()
        });
        plans.statements.push(StatementUnderLoad { sampled: 0, plans: Vec::new(), agrees: None, ..of.clone() });
        plans.statements.push(StatementUnderLoad { sampled: 24, in_warmup: 8, ..of.clone() });
        plans.statements.push(StatementUnderLoad { sampled: 8, in_warmup: 8, ..of });
        plans.sessions_sampled = 3;
        insta::assert_snapshot!(under_load(&plans).join("\n"), @"
        latest_of_user: the plan of 19 executions sampled under the load is among these
        latest_of_user: 1 200 of 1 219 executions sampled under the load had a plan that is not among these: Limit > Index Scan
        latest_of_user: the plan of 24 executions sampled under the load (8 in the warm-up) is among these
        latest_of_user: the plan of 8 executions sampled in the warm-up is among these
        plans of the measured window were sampled in 3 of 8 sessions: the others had no whole warm-up
        ");
        plans.not_sampled = Some("auto_explain is not there".into());
        assert_eq!(under_load(&plans), ["the plans that ran under the load are not known: auto_explain is not there"]);
    }
}
