//! Runs the rules over the plans of a statement and ranks what they find.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeSet, HashMap, hash_map::Entry},
};

use super::{
    case::{Case, ClassPlan, Examined, NOTHING_SHARE, Sighting, WARNING_SHARE},
    plan::{hot_node, plan_flip},
    redundant,
    rule::Rule,
    rules::RULES,
};
use crate::{
    plan::{Plan, feeding},
    record::{Finding, Severity},
};

/// Rules that say what making rows takes.
const COSTS_OF_ROWS: [&str; 4] = ["sort-spill", "hash-spill", "low-selectivity-index", "hot-node"];

/// What the rules find in a statement's plans, the greatest time at stake first. What is seen in several classes of parameter values is
/// told once, with the figures of the class where most is at stake.
pub fn diagnose(statement: &Examined<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    // By rule, place and how many such the plan has before it: several nodes of a plan may have the same.
    let mut known: HashMap<(String, String, usize), usize> = HashMap::new();
    for ClassPlan { class, plan } in statement.plans {
        let mut before: HashMap<(String, String), usize> = HashMap::new();
        for finding in of_plan(&Case::new(class, plan, statement)) {
            let (rule, place) = (finding.rule.clone(), place(plan, &finding));
            let number = before.entry((rule.clone(), place.clone())).or_default();
            *number += 1;
            match known.entry((rule, place, *number)) {
                Entry::Occupied(known) => merge(&mut findings[*known.get()], finding),
                Entry::Vacant(new) => {
                    new.insert(findings.len());
                    findings.push(finding);
                }
            }
        }
    }
    leave_out_unused_generic(&mut findings);
    findings.sort_by(rank);
    fold(&mut findings);
    redundant::merge(&mut findings);
    findings
}

/// Leaves out what is seen in the generic plan only, if PostgreSQL does not use that: its cost is higher than planning for the values.
fn leave_out_unused_generic(findings: &mut Vec<Finding>) {
    let is_generic = |finding: &Finding| finding.classes == [plan_flip::GENERIC];
    let says_unused = |finding: &Finding| finding.rule == plan_flip::RULE.id && finding.severity == Severity::Info;
    if findings.iter().any(|finding| is_generic(finding) && says_unused(finding)) {
        findings.retain(|finding| finding.rule == plan_flip::RULE.id || !is_generic(finding));
    }
}

/// Where a finding is, in all plans of a statement: the table that its node reads, under its alias, in whatever way; of a node that reads
/// none its path.
fn place(plan: &Plan, finding: &Finding) -> String {
    let node = finding.node.and_then(|at| plan.nodes().get(at));
    match node.and_then(|node| Some((node.relation.as_ref()?, node))) {
        Some((relation, node)) => {
            let (schema, alias) =
                (node.schema.as_deref().unwrap_or_default(), node.alias.as_deref().unwrap_or_default());
            format!("{schema}.{relation} {alias}")
        }
        None => finding.path.clone(),
    }
}

/// Of findings that advise the same statements the one where most is at stake stays: they have one cause, and one remedy.
fn fold(ranked: &mut Vec<Finding>) {
    let mut seen: HashMap<Vec<String>, usize> = HashMap::new();
    let mut kept: Vec<Finding> = Vec::with_capacity(ranked.len());
    for finding in ranked.drain(..) {
        if finding.statements.is_empty() {
            kept.push(finding);
            continue;
        }
        match seen.entry(finding.statements.clone()) {
            Entry::Occupied(first) => {
                let first = &mut kept[*first.get()];
                first.severity = first.severity.max(finding.severity);
                if first.classes.is_empty() || finding.classes.is_empty() {
                    first.classes.clear();
                } else {
                    first.classes.extend(finding.classes);
                    let mut known = BTreeSet::new();
                    first.classes.retain(|class| known.insert(class.clone()));
                }
            }
            Entry::Vacant(new) => {
                new.insert(kept.len());
                kept.push(finding);
            }
        }
    }
    *ranked = kept;
}

fn of_plan(case: &Case<'_>) -> Vec<Finding> {
    let mut seen: Vec<(&Rule, Sighting)> = Vec::new();
    for rule in RULES {
        if case.plan.is_analyzed() || rule.reads_estimates {
            seen.extend((rule.check)(case).into_iter().map(|sighting| (rule, sighting)));
        }
    }
    leave_out_explained(&mut seen);
    leave_out_thrown_away(case.plan, &mut seen);
    seen.into_iter().map(|(rule, sighting)| finding(case, rule, sighting)).collect()
}

/// Leaves out what a cause at the same node explains: one advice is enough. The cause is then as bad as what it explains, unless it is
/// only good to know: that explains nothing worse.
fn leave_out_explained(seen: &mut Vec<(&Rule, Sighting)>) {
    // The worst first, so that of two that explain each other it stays.
    let mut order: Vec<usize> = (0..seen.len()).collect();
    order.sort_by_key(|place| Reverse(seen[*place].1.severity));
    let mut at_node: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    for place in order {
        at_node.entry(seen[place].1.node).or_default().push(place);
    }
    let mut left_out = vec![false; seen.len()];
    for places in at_node.values() {
        for &place in places {
            let (rule, cause) = (seen[place].0, seen[place].1.severity);
            let explains = |other: &Rule| {
                rule.explains.contains(&other.id) || (rule.id != hot_node::ID && other.id == hot_node::ID)
            };
            for &other in places {
                let symptom = seen[other].1.severity;
                let is_symptom = explains(seen[other].0) && (cause > Severity::Info || symptom == Severity::Info);
                let is_cause_of_this = left_out[place] && seen[other].0.explains.contains(&rule.id);
                if is_symptom && !is_cause_of_this {
                    left_out[other] = true;
                    seen[place].1.severity = symptom.max(seen[place].1.severity);
                }
            }
        }
    }
    let mut left_out = left_out.into_iter();
    seen.retain(|_| !left_out.next().unwrap_or(false));
}

/// Leaves out what making rows took that are thrown away further up: more memory would only make them faster.
fn leave_out_thrown_away(plan: &Plan, seen: &mut Vec<(&Rule, Sighting)>) {
    let causes = seen.iter().filter(|(rule, cause)| rule.throws_away && cause.severity > Severity::Info);
    let mut causes: Vec<(usize, f64)> =
        causes.filter_map(|(_, cause)| Some((cause.node?, cause.at_stake_ms.unwrap_or(0.0)))).collect();
    if causes.is_empty() {
        return;
    }
    causes.sort_by(|one, other| other.1.total_cmp(&one.1));
    // The cause with most at stake that each node's rows go to, and that.
    let mut at_stake: Vec<Option<(usize, f64)>> = vec![None; plan.nodes().len()];
    for (at, ms) in causes {
        if at_stake[at].is_none() {
            for below in feeding::feeding(plan, at) {
                at_stake[below].iter_mut().for_each(|known| *known = Some(known.unwrap_or((at, ms))));
            }
        }
    }
    seen.retain(|(rule, symptom)| {
        let of_cause = symptom.node.and_then(|at| at_stake[at]);
        let is_below = of_cause.is_some_and(|(cause, ms)| {
            symptom.at_stake_ms.unwrap_or(0.0) <= ms && (!rule.throws_away || symptom.node != Some(cause))
        });
        // What else is thrown away on the way there would not be made either.
        !(is_below && (rule.throws_away || COSTS_OF_ROWS.contains(&rule.id)))
    });
}

fn finding(case: &Case<'_>, rule: &Rule, sighting: Sighting) -> Finding {
    // Figures that no server measured may be too large to count with.
    let at_stake_ms = sighting.at_stake_ms.filter(|ms| ms.is_finite());
    let share = at_stake_ms.and_then(|ms| case.share(ms));
    Finding {
        rule: rule.id.to_owned(),
        severity: sighting.severity.min(worst_of(share)),
        statement: case.statement.name.map(str::to_owned),
        classes: if case.class.is_empty() { Vec::new() } else { vec![case.class.to_owned()] },
        node: sighting.node,
        path: sighting.node.map_or_else(String::new, |node| case.plan.path(node)),
        evidence: sighting.evidence,
        share,
        at_stake_ms,
        advice: sighting.advice,
        statements: sighting.statements,
        confidence: sighting.confidence,
        planned: None,
    }
}

/// How bad a finding can be at most by the share of the time at stake: what hardly matters for the statement is no cause of it.
fn worst_of(share: Option<f64>) -> Severity {
    match share {
        Some(share) if share < NOTHING_SHARE => Severity::Info,
        Some(share) if share < WARNING_SHARE => Severity::Warning,
        _ => Severity::Critical,
    }
}

/// The one of the class where more is at stake, with the classes of both, that one's first.
fn merge(known: &mut Finding, mut other: Finding) {
    if rank(&other, known) == Ordering::Less {
        std::mem::swap(known, &mut other);
    }
    // Values that somebody gave have no class: seen for these, it need not be said where else.
    if known.classes.is_empty() || other.classes.is_empty() {
        known.classes.clear();
    }
    for class in other.classes {
        if !known.classes.contains(&class) && !known.classes.is_empty() {
            known.classes.push(class);
        }
    }
}

/// What is only good to know comes last; otherwise the greatest time at stake first.
fn rank(one: &Finding, other: &Finding) -> Ordering {
    let is_info = |finding: &Finding| finding.severity == Severity::Info;
    let at_stake = |finding: &Finding| finding.at_stake_ms.unwrap_or(0.0);
    (is_info(one).cmp(&is_info(other)))
        .then_with(|| at_stake(other).total_cmp(&at_stake(one)))
        .then_with(|| other.severity.cmp(&one.severity))
}

#[cfg(test)]
mod tests;
