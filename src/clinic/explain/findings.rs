//! What is wrong in the plans of a workload.

use std::{cmp::Ordering, time::Duration};

use super::{
    capture::{Captured, StatementPlans},
    what_if::{Advised, Site, TryBy, what_if},
};
use crate::{
    clinic::{Clinic, Error},
    findings::{Examined, diagnose},
    pg::Access,
    record::{Examination, Finding, Record, Severity, WhatIf},
    scenario::{Scenario, Script},
};

impl Captured {
    /// What the rules find, where the workload has most at stake first: the time of an execution times how often it is executed.
    /// `record` says how often each step was; without one that follows from the rows of the plans.
    pub(in crate::clinic) fn findings(&self, scenario: &Scenario, record: Option<&Record>) -> Vec<Finding> {
        let total: f64 = scenario.scripts.iter().map(|script| script.weight).sum();
        let mut found: Vec<(f64, Finding)> = Vec::new();
        for (index, StatementPlans { name, sql, plans, .. }) in self.statements.iter().enumerate() {
            let executions = self.executions(scenario, record, index);
            let tables = &self.tables;
            let statement = Examined { name: Some(name), sql: Some(sql), plans, tables, executions: Some(executions) };
            let of_all = script_of(scenario, index).map_or(1.0, |(_, script, _)| script.weight / total) * executions;
            found.extend(
                diagnose(&statement).into_iter().map(|finding| (finding.at_stake_ms.unwrap_or(0.0) * of_all, finding)),
            );
        }
        found.sort_by(rank);
        found.into_iter().map(|(_, finding)| finding).collect()
    }

    /// Tries the indexes that `findings` advise.
    pub(super) async fn try_advice(
        &self,
        clinic: &Clinic,
        scenario: &Scenario,
        findings: &[Finding],
        by: TryBy,
        time_limit: Duration,
    ) -> Result<Vec<WhatIf>, Error> {
        let site = Site { scenario: Some(scenario), access: Access::RolledBack, by, time_limit };
        let mut tried = Vec::new();
        for StatementPlans { name, sql, classes, .. } in &self.statements {
            tried.extend(what_if(clinic, &site, &Advised { name: Some(name), sql, classes, findings }).await?);
        }
        Ok(tried)
    }

    /// Each statement with its plans and those of `findings` that are its own.
    pub fn examinations(&self, findings: &[Finding]) -> Vec<Examination> {
        let of = |statement: &StatementPlans| {
            let name = Some(statement.name.as_str());
            let plans: Vec<_> =
                self.figures.iter().filter(|plan| Some(plan.statement.as_str()) == name).cloned().collect();
            let notes = plans.iter().filter_map(|plan| Some(format!("{}: {}", plan.class, plan.note.as_ref()?)));
            let refused =
                statement.refused.iter().map(|refused| format!("{}: no plan: {}", refused.class, refused.words));
            Examination {
                source: None,
                statement: Some(statement.sql.clone()),
                notes: notes.chain(refused).collect(),
                findings: findings.iter().filter(|finding| finding.statement.as_deref() == name).cloned().collect(),
                plans,
                what_if: self.what_if.iter().filter(|trial| trial.statement.as_deref() == name).cloned().collect(),
                slowest_of: None,
            }
        };
        self.statements.iter().map(of).collect()
    }

    /// How often an operation executes a statement, on average.
    fn executions(&self, scenario: &Scenario, record: Option<&Record>, statement: usize) -> f64 {
        let Some((place, script, step)) = script_of(scenario, statement) else { return 1.0 };
        let measured = record.and_then(|record| record.statements.get(place)).filter(|of| of.totals.operations > 0);
        if let Some((measured, step)) = measured.and_then(|of| Some((of, of.steps.get(step)?))) {
            return step.executions as f64 / measured.totals.operations as f64;
        }
        let Some(source) = script.steps[step].for_each.map(|source| script.steps[source].statement) else { return 1.0 };
        let source = &scenario.statements[source].name;
        let typical = self.figures.iter().find(|plan| plan.statement == *source && plan.class == "typical");
        typical.and_then(|plan| plan.rows_returned).map_or(1.0, |rows| rows as f64)
    }
}

/// The script that executes a statement, its place, and that of the step.
fn script_of(scenario: &Scenario, statement: usize) -> Option<(usize, &Script, usize)> {
    scenario.scripts.iter().enumerate().find_map(|(place, script)| {
        let step = script.steps.iter().position(|step| step.statement == statement)?;
        Some((place, script, step))
    })
}

/// What is only good to know comes last; otherwise the most at stake first.
fn rank((one_ms, one): &(f64, Finding), (other_ms, other): &(f64, Finding)) -> Ordering {
    let is_info = |finding: &Finding| finding.severity == Severity::Info;
    (is_info(one).cmp(&is_info(other)))
        .then_with(|| other_ms.total_cmp(one_ms))
        .then_with(|| other.severity.cmp(&one.severity))
}
