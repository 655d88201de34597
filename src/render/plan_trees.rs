//! The plans of statements as trees.

use super::{
    document::{Block, Tree},
    findings::MOST,
    plan_tree::{Mark, plan_tree},
};
use crate::{
    record::{Finding, PlanFigures},
    text,
};

/// How trees are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trees {
    /// What stands before the name of each, such as `Before: `.
    pub(super) prefix: &'static str,
    /// As in [`Tree::in_terminal`].
    pub(super) in_terminal: bool,
    /// Whether the findings stand beside them in their order, by whose number nodes are marked.
    pub(super) numbered: bool,
}

/// The trees of plans, each once where several classes have the same, with the nodes marked that findings are on.
pub(super) fn trees(plans: &[&PlanFigures], findings: &[Finding], shown: Trees) -> Vec<Block> {
    let mut groups: Vec<Vec<&PlanFigures>> = Vec::new();
    for plan in plans.iter().filter(|plan| !plan.nodes.is_empty()) {
        match groups.iter_mut().find(|group| is_same(group[0], plan)) {
            Some(group) => group.push(plan),
            None => groups.push(vec![plan]),
        }
    }
    let tree = |mut group: Vec<&PlanFigures>| {
        let time = |plan: &PlanFigures| plan.execution_ms.unwrap_or(0.0);
        group.sort_by(|one, other| time(other).total_cmp(&time(one)));
        let others: Vec<&str> = group[1..].iter().map(|plan| plan.class.as_str()).collect();
        let summary = format!("{}{}", shown.prefix, about(group[0], &others, shown.prefix.is_empty()));
        let marks = marks(findings, group[0], shown.numbered);
        Block::Tree(Tree { summary, in_terminal: shown.in_terminal, ..plan_tree(&group[0].nodes, &marks) })
    };
    groups.into_iter().map(tree).collect()
}

/// Whether two plans of a statement have the same nodes, whatever they took.
fn is_same(one: &PlanFigures, other: &PlanFigures) -> bool {
    let nodes = |plan: &PlanFigures| plan.nodes.len();
    one.statement == other.statement
        && nodes(one) == nodes(other)
        && one.nodes.iter().zip(&other.nodes).all(|(one, other)| (one.depth, &one.label) == (other.depth, &other.label))
}

/// `Plan of latest for hot values (42): 74.8 ms, planned in 100 µs; the same plan for typical and cold values`.
fn about(plan: &PlanFigures, others: &[&str], is_begin: bool) -> String {
    let mut text = if is_begin { "Plan" } else { "plan" }.to_owned();
    if !plan.statement.is_empty() {
        text.push_str(&format!(" of {}", plan.statement));
    }
    match plan.class.as_str() {
        "" => {}
        "generic" => text.push_str(" for any values (generic)"),
        class => text.push_str(&format!(" for {class} values")),
    }
    if !plan.parameters.is_empty() {
        text.push_str(&format!(" ({})", plan.parameters.join(", ")));
    }
    match plan.execution_ms {
        Some(ms) => {
            text.push_str(&format!(": {}", text::milliseconds(ms)));
            let first = plan.first_ms.filter(|_| !plan.executions_ms.is_empty());
            text.push_str(
                &first.map_or_else(String::new, |first| format!(", the first {}", text::milliseconds(first))),
            );
        }
        None if plan.note.is_none() && plan.nodes.iter().all(|node| node.rows.is_none()) => {
            text.push_str(": not executed, estimates only")
        }
        None => {}
    }
    if plan.planning_ms > 0.0 {
        text.push_str(&format!(", planned in {}", text::milliseconds(plan.planning_ms)));
    }
    if let Some(note) = &plan.note {
        text.push_str(&format!("; {note}"));
    }
    if !others.is_empty() {
        text.push_str(&format!("; the same plan for {}", others.join(", ")));
    }
    text
}

/// Where the shown findings are in a plan: those that were seen in its class.
fn marks(findings: &[Finding], plan: &PlanFigures, numbered: bool) -> Vec<Mark> {
    let here = |of: &Finding| {
        of.statement.as_ref().is_none_or(|name| *name == plan.statement)
            && (of.classes.is_empty() || of.classes.contains(&plan.class))
    };
    let mark = |(number, finding): (usize, &Finding)| {
        let place = finding.node?;
        // The place is one among the nodes of the first class's plan; another class's may be another.
        let last = finding.path.rsplit(" > ").next().unwrap_or_default();
        let is_it = |at: &usize| plan.nodes.get(*at).is_some_and(|node| node.label == last);
        let node = Some(place).filter(is_it).or_else(|| (0..plan.nodes.len()).find(is_it))?;
        Some(Mark { node, number: numbered.then_some(number), severity: finding.severity })
    };
    (1..).zip(findings.iter().take(MOST)).filter(|(_, finding)| here(finding)).filter_map(mark).collect()
}
