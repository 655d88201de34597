//! What became of findings, and whether anything is worse.

use serde::{Deserialize, Serialize};

use super::model::{Comparison, PlanComparison};
use crate::record::{Finding, Outcome, PlanFigures, Severity};

/// Reasons that a gate names.
const MOST_REASONS: usize = 3;

/// What a rule saw in the plans of a statement before and after the fix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingChange {
    /// The rule's id.
    pub rule: String,
    /// Statement's name.
    pub statement: Option<String>,
    /// What became of it.
    pub change: FindingState,
    /// Findings before, as in the record; empty where there is none.
    pub before: Vec<Finding>,
    /// Findings after.
    pub after: Vec<Finding>,
}

/// What became of a finding, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    /// It is only after the fix.
    New,
    /// It is in both, of higher severity after.
    Worse,
    /// It is not as on the other side, where the plan was not executed, or not captured, so that it could not be seen.
    Unknown,
    /// It is in both, as severe as before.
    Stays,
    /// It is in both, of lower severity after.
    Milder,
    /// It is only before.
    Gone,
}

impl FindingChange {
    /// The highest severity before and after.
    pub fn severities(&self) -> [Option<Severity>; 2] {
        [&self.before, &self.after].map(|side| side.iter().map(|finding| finding.severity).max())
    }

    /// The first of the most severe ones after, or before where it is gone.
    pub fn worst(&self) -> Option<&Finding> {
        let side = if self.after.is_empty() { &self.before } else { &self.after };
        let worst = side.iter().map(|finding| finding.severity).max()?;
        side.iter().find(|finding| finding.severity == worst)
    }
}

/// Pairs findings by rule and statement; `None` where either side was not examined. `plans` say what could be seen.
pub(super) fn changes(
    before: Option<&[Finding]>,
    after: Option<&[Finding]>,
    plans: &[PlanComparison],
) -> Option<Vec<FindingChange>> {
    let mut changes: Vec<FindingChange> = Vec::new();
    for (finding, is_after) in
        after?.iter().map(|finding| (finding, true)).chain(before?.iter().map(|finding| (finding, false)))
    {
        let same = |known: &&mut FindingChange| known.rule == finding.rule && known.statement == finding.statement;
        let place = match changes.iter_mut().find(same) {
            Some(known) => known,
            None => {
                changes.push(FindingChange {
                    rule: finding.rule.clone(),
                    statement: finding.statement.clone(),
                    change: FindingState::Stays,
                    before: Vec::new(),
                    after: Vec::new(),
                });
                let last = changes.len() - 1;
                &mut changes[last]
            }
        };
        let side = if is_after { &mut place.after } else { &mut place.before };
        side.push(finding.clone());
    }
    for change in &mut changes {
        change.change = state(change, plans);
    }
    let severity = |change: &FindingChange| change.worst().map(|finding| finding.severity);
    changes.sort_by(|one, other| (one.change, severity(other)).cmp(&(other.change, severity(one))));
    Some(changes)
}

fn state(change: &FindingChange, plans: &[PlanComparison]) -> FindingState {
    let [before, after] = change.severities();
    let state = match (before, after) {
        (None, _) => FindingState::New,
        (_, None) => FindingState::Gone,
        _ if after > before => FindingState::Worse,
        _ if after < before => FindingState::Milder,
        _ => return FindingState::Stays,
    };
    let is_after = after > before;
    let (side, known) = if is_after { (&change.after, before) } else { (&change.before, after) };
    let mut differing = side.iter().filter(|finding| Some(finding.severity) > known);
    if differing.any(|finding| would_show(finding, plans, is_after)) { state } else { FindingState::Unknown }
}

/// Whether a finding of one side would show on the other, were it there: for one of its classes the plan was executed there, or on
/// neither side, so that both were examined by their estimates.
fn would_show(finding: &Finding, plans: &[PlanComparison], is_after: bool) -> bool {
    let Some(statement) = &finding.statement else { return true };
    let was_executed = |plan: &PlanFigures| plan.execution_ms.is_some();
    let is_its = |plan: &&PlanComparison| {
        plan.statement == *statement && (finding.classes.is_empty() || finding.classes.contains(&plan.class))
    };
    plans.iter().filter(is_its).any(|plan| {
        let (own, other) = if is_after { (&plan.after, &plan.before) } else { (&plan.before, &plan.after) };
        let is_estimated = !own.as_ref().is_some_and(was_executed);
        other.as_ref().is_some_and(|other| is_estimated || was_executed(other))
    })
}

/// Whether no finding above info is new or more severe, and no plan changed for the worse, and why not.
pub(super) fn none_worse(comparison: &Comparison) -> (Outcome, Option<String>) {
    let findings = comparison.findings.iter().flatten().filter_map(worse_finding);
    let worse: Vec<String> = findings.chain(worse_plans(&comparison.plans)).collect();
    if !worse.is_empty() {
        return (Outcome::Failed, Some(listed(&worse)));
    }
    let missing = match &comparison.findings {
        None => Some(
            "the plans of the two phases were not both examined; measure again with this version of latclinic"
                .to_owned(),
        ),
        Some(changes) => without_plans(comparison)
            .map(|name| format!("there is no plan of {name} on both sides to compare; measure both phases again"))
            .or_else(|| not_executed(&comparison.plans))
            .or_else(|| changes.iter().find_map(unknown_finding)),
    };
    (if missing.is_some() { Outcome::Undecided } else { Outcome::Passed }, missing)
}

fn listed(reasons: &[String]) -> String {
    let mut told = reasons[..reasons.len().min(MOST_REASONS)].join("; ");
    if reasons.len() > MOST_REASONS {
        told.push_str(&format!("; and {} more", reasons.len() - MOST_REASONS));
    }
    told
}

/// The plans of both sides of which one has estimates only, in which few rules see anything:
/// `latest was not executed for hot values after the fix (it takes more than 30 s)`.
fn not_executed(plans: &[PlanComparison]) -> Option<String> {
    let of_plan = |plan: &PlanComparison| -> Option<String> {
        let (before, after) = (plan.before.as_ref()?, plan.after.as_ref()?);
        let is_estimated = |side: &PlanFigures| side.execution_ms.is_none();
        let (side, phase) = match () {
            () if is_estimated(after) => (after, "after"),
            () if is_estimated(before) => (before, "before"),
            () => return None,
        };
        let note = side.note.as_deref().and_then(|note| note.strip_prefix("not executed: "));
        let why = note.map(|why| format!(" ({why})")).unwrap_or_default();
        Some(format!("{} was not executed for {} values {phase} the fix{why}", plan.statement, plan.class))
    };
    let found: Vec<String> = plans.iter().filter_map(of_plan).collect();
    (!found.is_empty()).then(|| format!("a regression may be missed: {}", listed(&found)))
}

/// A finding above info that has no plan on the other side to be looked for in.
fn unknown_finding(change: &FindingChange) -> Option<String> {
    let severity = change.severities().into_iter().flatten().max().filter(|severity| *severity > Severity::Info)?;
    let of = change.statement.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    (change.change == FindingState::Unknown).then(|| {
        format!(
            "what became of the {} finding {}{of} is unknown: one phase has no plan for the values that it was seen for; \
             measure both phases again",
            severity.as_str(),
            change.rule
        )
    })
}

/// `new critical finding seq-scan-filter of latest: Seq Scan on events read ...`.
fn worse_finding(change: &FindingChange) -> Option<String> {
    let worst = change.worst().filter(|finding| finding.severity > Severity::Info)?;
    let of = change.statement.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let (rule, severity, evidence) = (&change.rule, worst.severity.as_str(), &worst.evidence);
    match (change.change, change.severities()[0]) {
        (FindingState::New, _) => Some(format!("new {severity} finding {rule}{of}: {evidence}")),
        (FindingState::Worse, Some(before)) => {
            Some(format!("finding {rule}{of} is {severity}, was {}: {evidence}", before.as_str()))
        }
        _ => None,
    }
}

/// `plan of latest for hot values: Index Scan became Seq Scan on events (critical)`; what changed alike for several classes is told once.
fn worse_plans(plans: &[PlanComparison]) -> Vec<String> {
    let mut worse: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for plan in plans {
        for change in plan.changes.iter().filter(|change| change.severity > Severity::Info) {
            let node = change.after.and_then(|at| plan.after.as_ref()?.nodes.get(at));
            let on = node.and_then(|node| node.relation.as_ref()).map(|on| format!(" on {on}")).unwrap_or_default();
            let what = format!("{}{on} ({})", change.what, change.severity.as_str());
            match worse.iter_mut().find(|(statement, known, _)| *statement == plan.statement && *known == what) {
                Some((_, _, classes)) => classes.push(&plan.class),
                None => worse.push((&plan.statement, what, vec![&plan.class])),
            }
        }
    }
    let told = |(statement, what, classes): (&str, String, Vec<&str>)| {
        format!("plan of {statement} for {} values: {what}", classes.join(", "))
    };
    worse.into_iter().map(told).collect()
}

/// The first statement of which no class has a plan with nodes on both sides.
fn without_plans(comparison: &Comparison) -> Option<&str> {
    let has_nodes = |plan: &PlanComparison| {
        [&plan.before, &plan.after].iter().all(|side| side.as_ref().is_some_and(|figures| !figures.nodes.is_empty()))
    };
    let known = |name: &str| comparison.plans.iter().any(|plan| plan.statement == name && has_nodes(plan));
    let named = comparison.plans.iter().map(|plan| plan.statement.as_str());
    match comparison.plans.is_empty() {
        // Those of a script's steps have names of their own, so that only a record without any plan is without one here.
        true => comparison.statements.first().map(|statement| statement.name.as_str()),
        false => named.into_iter().find(|name| !known(name)),
    }
}

#[cfg(test)]
mod tests;
