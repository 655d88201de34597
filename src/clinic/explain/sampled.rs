//! Whether the plans that were captured are those that ran under the load.

use super::capture::Captured;
use crate::{
    pg::{SampledPlan, SampledPlans},
    plan::Plan,
    record::{PlanUnderLoad, PlansUnderLoad, StatementUnderLoad, Warning},
    scenario::{Scenario, Statement},
};

/// Plans sampled under a load.
#[derive(Debug, Clone, Default)]
pub(in crate::clinic) struct Sampled {
    not_sampled: Option<String>,
    sessions: u64,
    sessions_sampled: u64,
    /// By statement: distinct plans with how often each was seen.
    statements: Vec<Vec<(Plan, Seen)>>,
}

/// How often a plan was seen.
#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u64,
    /// Of those.
    in_warmup: u64,
}

impl Sampled {
    /// Sorts plans by the statements of the workload. What cannot be read is left out.
    pub(in crate::clinic) fn new(scenario: &Scenario, sampled: SampledPlans) -> Self {
        let SampledPlans { plans, sessions, sessions_sampled, not_sampled } = sampled;
        let statements = vec![Vec::new(); scenario.statements.len()];
        let mut sampled = Self { not_sampled, sessions, sessions_sampled, statements };
        for SampledPlan { statement, json, in_warmup } in plans {
            if let Ok(plan) = Plan::parse(&json) {
                sampled.add(statement, plan, Seen { count: 1, in_warmup: u64::from(in_warmup) });
            }
        }
        sampled
    }

    /// Says that nobody wanted samples.
    pub(in crate::clinic) fn was_not_wanted(&mut self) {
        self.not_sampled = Some("plan sampling was switched off".to_owned());
    }

    /// Adds what was sampled in another block.
    pub(in crate::clinic) fn append(&mut self, other: Self) {
        self.not_sampled = self.not_sampled.take().or(other.not_sampled);
        self.sessions += other.sessions;
        self.sessions_sampled += other.sessions_sampled;
        self.statements.resize(self.statements.len().max(other.statements.len()), Vec::new());
        for (index, plans) in other.statements.into_iter().enumerate() {
            for (plan, seen) in plans {
                self.add(index, plan, seen);
            }
        }
    }

    fn add(&mut self, statement: usize, plan: Plan, seen: Seen) {
        let known = &mut self.statements[statement];
        match known.iter_mut().find(|(known, _)| known.has_shape_of(&plan)) {
            Some((_, known)) => {
                known.count += seen.count;
                known.in_warmup += seen.in_warmup;
            }
            None => known.push((plan, seen)),
        }
    }

    /// What a record keeps of it, beside the plans that were captured.
    pub(in crate::clinic) fn figures(&self, scenario: &Scenario, captured: Option<&Captured>) -> PlansUnderLoad {
        let of = |(statement, plans): (&Statement, &Vec<(Plan, Seen)>)| {
            let classes = |plan: &Plan| captured.map_or_else(Vec::new, |all| all.classes_of(&statement.name, plan));
            let mut plans: Vec<PlanUnderLoad> = plans
                .iter()
                .map(|(plan, Seen { count, in_warmup })| PlanUnderLoad {
                    shape: plan.shape(),
                    count: *count,
                    in_warmup: *in_warmup,
                    classes: classes(plan),
                })
                .collect();
            plans.sort_by_key(|plan| std::cmp::Reverse(plan.count));
            StatementUnderLoad {
                statement: statement.name.clone(),
                sampled: plans.iter().map(|plan| plan.count).sum(),
                in_warmup: plans.iter().map(|plan| plan.in_warmup).sum(),
                agrees: captured
                    .filter(|_| !plans.is_empty())
                    .map(|_| plans.iter().all(|plan| !plan.classes.is_empty())),
                plans,
            }
        };
        PlansUnderLoad {
            not_sampled: self.not_sampled.clone(),
            sessions: self.sessions,
            sessions_sampled: self.sessions_sampled,
            statements: scenario.statements.iter().zip(&self.statements).map(of).collect(),
        }
    }
}

impl Captured {
    /// Classes whose plan for a statement has the nodes of `plan`.
    fn classes_of(&self, statement: &str, plan: &Plan) -> Vec<String> {
        let found = self.statements.iter().find(|of| of.name == statement);
        let same = found.into_iter().flat_map(|of| &of.plans).filter(|one| one.plan.has_shape_of(plan));
        same.map(|one| one.class.clone()).collect()
    }
}

/// That statements ran with plans under the load that are none of those captured; `None` where they did not.
pub(in crate::clinic) fn warning(under_load: &PlansUnderLoad) -> Option<Warning> {
    let others: Vec<String> = under_load
        .statements
        .iter()
        .filter(|statement| statement.agrees == Some(false))
        .flat_map(|statement| {
            statement.plans.iter().filter(|plan| plan.classes.is_empty()).map(|plan| {
                format!("{} of {} of {}: {}", plan.count, statement.sampled, statement.statement, plan.shape)
            })
        })
        .collect();
    (!others.is_empty()).then(|| Warning {
        id: "plan-differs-under-load".to_owned(),
        message: format!("some plans that ran under load differ from the captured ones ({})", others.join("; ")),
        advice: "the findings may not be about what was slow: name parameter values that get that plan (`classes`), or look at what \
                 changes between the load and the capture"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::Tables,
        clinic::explain::capture::StatementPlans,
        findings::ClassPlan,
        scenario::{self, SqlText},
    };

    const SQL: &str = "SELECT id FROM events WHERE user_id = $1";

    fn plan(node: &str) -> String {
        format!(r#"{{"Plan": {{"Node Type": "{node}", "Relation Name": "events"}}}}"#)
    }

    fn seen(nodes: &[&str]) -> SampledPlans {
        let of = |(nth, node): (usize, &&str)| SampledPlan { statement: 0, json: plan(node), in_warmup: nth == 0 };
        let plans = nodes.iter().enumerate().map(of).collect();
        SampledPlans { plans, sessions: 2, sessions_sampled: 1, not_sampled: None }
    }

    fn scenario() -> Scenario {
        let mut scenario = scenario::load("events").unwrap();
        scenario.statements.truncate(1);
        let source = String::new();
        scenario.statements[0].sql = SqlText { source, text: format!("{SQL}\n"), statements: Vec::new() };
        scenario.statements[0].name = "find".to_owned();
        scenario
    }

    fn captured(node: &str) -> Captured {
        let plans = vec![ClassPlan { class: "hot".to_owned(), plan: Plan::parse(&plan(node)).unwrap() }];
        let statements = vec![StatementPlans {
            name: "find".to_owned(),
            sql: SQL.to_owned(),
            classes: Vec::new(),
            plans,
            refused: Vec::new(),
        }];
        let (text, json) = (String::new(), String::new());
        Captured { text, json, figures: Vec::new(), statements, tables: Tables::default(), what_if: Vec::new() }
    }

    #[test]
    fn a_plan_that_was_not_captured_is_warned_of() {
        let scenario = scenario();
        let mut sampled = Sampled::new(&scenario, seen(&["Seq Scan", "Index Scan"]));
        let cut_off = SampledPlan { statement: 0, json: "cut off".to_owned(), in_warmup: false };
        sampled.append(Sampled::new(&scenario, SampledPlans { plans: vec![cut_off], ..SampledPlans::default() }));
        sampled.append(Sampled::new(&scenario, seen(&["Index Scan"])));
        let figures = sampled.figures(&scenario, Some(&captured("Seq Scan")));
        let find = &figures.statements[0];
        assert_eq!((find.sampled, find.in_warmup, find.agrees), (3, 2, Some(false)));
        assert_eq!((figures.sessions, figures.sessions_sampled), (4, 2));
        let told: Vec<_> = find
            .plans
            .iter()
            .map(|plan| (plan.shape.as_str(), plan.count, plan.in_warmup, plan.classes.len()))
            .collect();
        assert_eq!(told, [("Index Scan on events", 2, 1, 0), ("Seq Scan on events", 1, 1, 1)]);
        insta::assert_snapshot!(warning(&figures).unwrap().message, @"some plans that ran under load differ from the captured ones (2 of 3 of find: Index Scan on events)");
    }

    #[test]
    fn what_was_not_sampled_or_captured_is_no_disagreement() {
        let scenario = scenario();
        let nothing = Sampled::new(
            &scenario,
            SampledPlans { not_sampled: Some("no superuser".to_owned()), ..SampledPlans::default() },
        );
        let figures = nothing.figures(&scenario, Some(&captured("Seq Scan")));
        assert_eq!((figures.statements[0].agrees, warning(&figures)), (None, None));
        assert_eq!(figures.not_sampled.as_deref(), Some("no superuser"));
        let seen = Sampled::new(&scenario, seen(&["Seq Scan"]));
        assert_eq!(seen.figures(&scenario, None).statements[0].agrees, None);
    }
}
