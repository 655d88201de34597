//! Whether the plans that were captured are those that ran under the load.

use crate::{
    explain::Plan,
    record::{PlanUnderLoad, PlansUnderLoad, StatementUnderLoad, Warning},
    scenario::{Scenario, Statement},
};

use super::capture::Captured;

/// Plans sampled under a load.
#[derive(Debug, Clone, Default)]
pub(in crate::clinic) struct Sampled {
    not_sampled: Option<String>,
    /// By statement: distinct plans with how often each was seen.
    statements: Vec<Vec<(Plan, u64)>>,
}

impl Sampled {
    /// Sorts plans, as JSON with their text, by the statements of the workload. Those of no statement are left out.
    pub(in crate::clinic) fn new(scenario: &Scenario, (plans, not_sampled): (Vec<String>, Option<String>)) -> Self {
        let mut sampled = Self { not_sampled, statements: vec![Vec::new(); scenario.statements.len()] };
        for plan in plans.iter().filter_map(|json| Plan::parse(json).ok()) {
            let of = |statement: &Statement| {
                plan.query.as_deref().is_some_and(|text| text.trim() == statement.sql.only().trim())
            };
            if let Some(index) = scenario.statements.iter().position(of) {
                sampled.add(index, plan, 1);
            }
        }
        sampled
    }

    /// Says that nobody wanted samples.
    pub(in crate::clinic) fn was_not_wanted(&mut self) {
        self.not_sampled = Some("plans were not to be sampled (--no-plan-samples)".to_owned());
    }

    /// Adds what was sampled in another block.
    pub(in crate::clinic) fn append(&mut self, other: Self) {
        self.not_sampled = self.not_sampled.take().or(other.not_sampled);
        self.statements.resize(self.statements.len().max(other.statements.len()), Vec::new());
        for (index, plans) in other.statements.into_iter().enumerate() {
            for (plan, count) in plans {
                self.add(index, plan, count);
            }
        }
    }

    fn add(&mut self, statement: usize, plan: Plan, count: u64) {
        let known = &mut self.statements[statement];
        match known.iter_mut().find(|(known, _)| known.has_shape_of(&plan)) {
            Some((_, known)) => *known += count,
            None => known.push((plan, count)),
        }
    }

    /// What a record keeps of it, beside the plans that were captured.
    pub(in crate::clinic) fn figures(&self, scenario: &Scenario, captured: Option<&Captured>) -> PlansUnderLoad {
        let of = |(statement, plans): (&Statement, &Vec<(Plan, u64)>)| {
            let classes = |plan: &Plan| captured.map_or_else(Vec::new, |all| all.classes_of(&statement.name, plan));
            let mut plans: Vec<PlanUnderLoad> = plans
                .iter()
                .map(|(plan, count)| PlanUnderLoad { shape: plan.shape(), count: *count, classes: classes(plan) })
                .collect();
            plans.sort_by_key(|plan| std::cmp::Reverse(plan.count));
            StatementUnderLoad {
                statement: statement.name.clone(),
                sampled: plans.iter().map(|plan| plan.count).sum(),
                agrees: captured
                    .filter(|_| !plans.is_empty())
                    .map(|_| plans.iter().all(|plan| !plan.classes.is_empty())),
                plans,
            }
        };
        PlansUnderLoad {
            not_sampled: self.not_sampled.clone(),
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
        message: format!("plans ran under the load that are none of those captured ({})", others.join("; ")),
        advice: "the findings may not be about what was slow: name parameter values that get that plan (`classes`), or look at what \
                 changes between the load and the capture"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clinic::explain::capture::StatementPlans,
        explain::{ClassPlan, Tables},
        scenario::{self, SqlText},
    };

    const SQL: &str = "SELECT id FROM events WHERE user_id = $1";

    fn plan(node: &str) -> String {
        format!(r#"{{"Query Text": "{SQL}", "Plan": {{"Node Type": "{node}", "Relation Name": "events"}}}}"#)
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
        let statements =
            vec![StatementPlans { name: "find".to_owned(), sql: SQL.to_owned(), classes: Vec::new(), plans }];
        let (text, json) = (String::new(), serde_json::Value::Null);
        Captured { text, json, figures: Vec::new(), statements, tables: Tables::default(), what_if: Vec::new() }
    }

    #[test]
    fn a_plan_that_was_not_captured_is_warned_of() {
        let scenario = scenario();
        let other = plan("Seq Scan").replace("SELECT id", "SELECT 1");
        let seen = vec![plan("Seq Scan"), plan("Index Scan"), other, "cut off".to_owned()];
        let mut sampled = Sampled::new(&scenario, (seen, None));
        sampled.append(Sampled::new(&scenario, (vec![plan("Index Scan")], None)));
        let figures = sampled.figures(&scenario, Some(&captured("Seq Scan")));
        let find = &figures.statements[0];
        assert_eq!((find.sampled, find.agrees), (3, Some(false)));
        let told: Vec<_> =
            find.plans.iter().map(|plan| (plan.shape.as_str(), plan.count, plan.classes.len())).collect();
        assert_eq!(told, [("Index Scan on events", 2, 0), ("Seq Scan on events", 1, 1)]);
        insta::assert_snapshot!(warning(&figures).unwrap().message, @"plans ran under the load that are none of those captured (2 of 3 of find: Index Scan on events)");
    }

    #[test]
    fn what_was_not_sampled_or_captured_is_no_disagreement() {
        let scenario = scenario();
        let nothing = Sampled::new(&scenario, (Vec::new(), Some("no superuser".to_owned())));
        let figures = nothing.figures(&scenario, Some(&captured("Seq Scan")));
        assert_eq!((figures.statements[0].agrees, warning(&figures)), (None, None));
        assert_eq!(figures.not_sampled.as_deref(), Some("no superuser"));
        let seen = Sampled::new(&scenario, (vec![plan("Seq Scan")], None));
        assert_eq!(seen.figures(&scenario, None).statements[0].agrees, None);
    }
}
