//! Which nodes a node's rows come from, through CTEs too.

use std::ops::Range;

use super::model::{Node, Plan};

/// Places of the node and of all that it reads from, the CTEs that it scans among them.
pub(crate) fn feeding(plan: &Plan, at: usize) -> Vec<Range<usize>> {
    let of = |at: usize| at..at + plan.subtree(at).len();
    let mut ranges = vec![of(at)];
    let mut next = 0;
    while let Some(range) = ranges.get(next).cloned() {
        next += 1;
        for scan in plan.nodes()[range].iter().filter(|node| node.node_type == "CTE Scan") {
            if let Some(cte) = definition(plan, scan)
                && !ranges.iter().any(|known| known.contains(&cte))
            {
                ranges.push(of(cte));
            }
        }
    }
    ranges
}

/// Place of the topmost node of the CTE that a CTE Scan reads; `None` where several have its name.
pub(crate) fn definition(plan: &Plan, scan: &Node) -> Option<usize> {
    let name = scan.cte.as_deref()?;
    let is_it = |node: &Node| node.subplan.as_deref().and_then(|of| of.strip_prefix("CTE ")) == Some(name);
    let mut found = plan.nodes().iter().enumerate().filter(|(_, node)| is_it(node)).map(|(at, _)| at);
    found.next().filter(|_| found.next().is_none())
}

/// How many nodes read the CTE of this name.
pub(crate) fn readers(plan: &Plan, name: &str) -> usize {
    let reads = |node: &&Node| node.node_type == "CTE Scan" && node.cte.as_deref() == Some(name);
    plan.nodes().iter().filter(reads).count()
}
