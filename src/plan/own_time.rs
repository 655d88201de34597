//! What each node took itself.
//!
//! EXPLAIN counts at every node what it and all that ran inside it took, by loop. Own time is the node's total less the totals of what
//! ran inside it. Two things make that more than a subtraction:
//!
//! - Below a Gather the loops of all processes are counted, which run side by side. There times are divided by the processes that
//!   ran: launched workers and the leader, or fewer, where the loops show it.
//! - A CTE and an InitPlan hang where they are defined but run inside the node that first asks for them, see [`crate::plan::enclosing`]; what
//!   nobody asks for, such as a CTE that writes, runs after the rest, inside none.
//!
//! Times are rounded by loop, so that what ran inside a node can seem to take longer than the node: it is then scaled to fit. Own times are
//! therefore never negative and add up to the root's total, and to those of what ran inside none.

use super::{
    enclosing::{self as runs_in, Part},
    model::Node,
};

/// Fills in `total_ms`, `own_ms` and `own_buffers` of all nodes, each before its children.
pub(crate) fn fill_in(nodes: &mut [Node]) {
    let mut processes = vec![1.0; nodes.len()];
    for at in 0..nodes.len() {
        if let Some(parent) = nodes[at].parent {
            processes[at] = processes[parent] * below(&nodes[parent], &nodes[at]);
        }
        let actual = nodes[at].actual;
        nodes[at].total_ms = actual.and_then(|actual| Some(actual.total_ms? * actual.loops / processes[at]));
    }
    let parts = runs_in::runs_in(nodes);
    let mut inside: Vec<Vec<(usize, Part)>> = vec![Vec::new(); nodes.len()];
    for (at, parts) in parts.iter().enumerate() {
        for part in parts {
            inside[part.inside].push((at, *part));
        }
    }
    // What a node took, scaled to what it ran inside; known once all that is is.
    let mut scaled: Vec<f64> =
        (0..nodes.len()).map(|at| if parts[at].is_empty() { nodes[at].total_ms.unwrap_or(0.0) } else { 0.0 }).collect();
    let mut waits_for: Vec<usize> = parts.iter().map(Vec::len).collect();
    let mut next: Vec<usize> = (0..nodes.len()).filter(|at| waits_for[*at] == 0).collect();
    while let Some(at) = next.pop() {
        let of_inside: f64 = inside[at].iter().map(|(_, part)| part.ms).sum();
        let fit = if of_inside > scaled[at] { scaled[at] / of_inside } else { 1.0 };
        nodes[at].own_ms = nodes[at].total_ms.map(|_| (scaled[at] - of_inside * fit).max(0.0));
        nodes[at].own_buffers =
            nodes[at].buffers.map(|buffers| inside[at].iter().fold(buffers, |left, (_, part)| left.less(part.buffers)));
        for (child, part) in &inside[at] {
            scaled[*child] += part.ms * fit;
            waits_for[*child] -= 1;
            if waits_for[*child] == 0 {
                next.push(*child);
            }
        }
    }
}

/// Processes that run `child` side by side for one that runs its parent.
fn below(parent: &Node, child: &Node) -> f64 {
    match parent.workers_launched {
        Some(launched) if !child.is_subplan() && child.loops() > 0.0 => {
            (child.loops() / parent.loops().max(1.0)).clamp(1.0, launched as f64 + 1.0)
        }
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests;
