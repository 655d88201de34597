//! Whether the plans that were captured are those that ran under the load.

use crate::{
    compare::Side,
    record::{PlansUnderLoad, StatementUnderLoad},
    text,
};

/// A sentence a statement of which a plan was sampled, without a full stop, or one that says why none was.
pub(super) fn under_load(plans: &PlansUnderLoad) -> Vec<String> {
    match &plans.not_sampled {
        Some(reason) => vec![format!("the plans that ran under load are not known: {reason}")],
        None => plans.statements.iter().filter_map(of_statement).chain(few_sessions(plans)).collect(),
    }
}

/// On both sides: how many plans match, or which do not.
pub(super) fn in_brief([before, after]: [&Side; 2]) -> Vec<String> {
    let sides = [("before", before), ("after", after)];
    let known = sides.into_iter().filter_map(|(name, side)| Some((name, side.plans_under_load.as_ref()?)));
    let mut points = Vec::new();
    let mut matching = 0;
    for (name, plans) in known {
        points.extend(plans.not_sampled.as_ref().map(|_| format!("{name}: {}", under_load(plans).join("; "))));
        for statement in &plans.statements {
            match statement.agrees {
                Some(true) => matching += statement.sampled,
                Some(false) => points.extend(of_statement(statement).map(|words| format!("{name}: {words}"))),
                None => {}
            }
        }
    }
    if points.is_empty() && matching > 0 {
        points.push(format!("all {} sampled under load match these", text::counted(matching, "plan")));
    }
    points
}

/// That the measured window was seen in a part of the sessions only.
fn few_sessions(plans: &PlansUnderLoad) -> Option<String> {
    let PlansUnderLoad { sessions, sessions_sampled, .. } = plans;
    (sessions_sampled < sessions).then(|| {
        format!(
            "plans of the measured window were sampled in {} of {} sessions; the others had no complete warm-up",
            text::count(*sessions_sampled),
            text::count(*sessions)
        )
    })
}

fn of_statement(of: &StatementUnderLoad) -> Option<String> {
    let (name, sampled) = (&of.statement, text::count(of.sampled));
    let executions = text::plural(of.sampled, "execution");
    let (all, match_) = match of.sampled {
        1 => ("the only plan".to_owned(), "matches"),
        _ => (format!("all {sampled} plans"), "match"),
    };
    let when = match of.in_warmup {
        0 => "under the load".to_owned(),
        count if count == of.sampled => "in the warm-up".to_owned(),
        count => format!("under the load ({} in the warm-up)", text::count(count)),
    };
    if of.agrees? {
        return Some(format!("{name}: {all} sampled {when} {match_} these"));
    }
    let others = of.plans.iter().filter(|plan| plan.classes.is_empty());
    let (count, shapes) = others.fold((0, Vec::new()), |(count, mut shapes), plan| {
        shapes.push(plan.shape.as_str());
        (count + plan.count, shapes)
    });
    let count = text::count(count);
    Some(format!(
        "{name}: {count} of {sampled} {executions} sampled {when} had a plan that matches none of these: {}",
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
        latest_of_user: all 19 plans sampled under the load match these
        latest_of_user: 1 200 of 1 219 executions sampled under the load had a plan that matches none of these: Limit > Index Scan
        latest_of_user: all 24 plans sampled under the load (8 in the warm-up) match these
        latest_of_user: all 8 plans sampled in the warm-up match these
        plans of the measured window were sampled in 3 of 8 sessions; the others had no complete warm-up
        ");
        plans.not_sampled = Some("auto_explain is not there".into());
        assert_eq!(under_load(&plans), ["the plans that ran under load are not known: auto_explain is not there"]);
    }
}
