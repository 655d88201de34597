//! What each node took itself.
//!
//! EXPLAIN counts at every node what it and all below it took, by loop. Own time is the node's time over its loops less its children's.
//! Below a Gather the loops of all processes are counted, which run side by side: there the time is divided by the
//! processes. A CTE and an InitPlan hang where they are defined but run inside the node that first asks for them.

use super::plan::{Buffers, Node};

/// Fills in `total_ms`, `own_ms` and `own_buffers` of all nodes, each before its children.
pub(super) fn fill_in(nodes: &mut [Node]) {
    let mut processes = vec![1.0; nodes.len()];
    for at in 0..nodes.len() {
        if let Some(parent) = nodes[at].parent {
            processes[at] = processes[parent] * below(&nodes[parent], &nodes[at]);
        }
        let actual = nodes[at].actual;
        nodes[at].total_ms = actual.and_then(|actual| Some(actual.total_ms? * actual.loops / processes[at]));
    }
    for at in 0..nodes.len() {
        let children = || nodes[at].children.iter().map(|child| &nodes[*child]).filter(|child| runs_in_parent(child));
        let of_children: f64 = children().filter_map(|child| child.total_ms).sum();
        let blocks = children()
            .filter_map(|child| child.buffers)
            .fold(nodes[at].buffers, |left: Option<Buffers>, of_child| left.map(|left| left.less(of_child)));
        nodes[at].own_ms = nodes[at].total_ms.map(|total| (total - of_children).max(0.0));
        nodes[at].own_buffers = blocks;
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

fn runs_in_parent(child: &Node) -> bool {
    child.relationship.as_deref() != Some("InitPlan")
}
