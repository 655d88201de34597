//! Sorts of which only the first rows were fetched.

use super::model::{Node, Plan};

/// Rows sorted below which it is cheap, and share of them that was fetched at most.
const MIN_ROWS: f64 = 10_000.0;
const MOST_FETCHED: f64 = 0.1;

/// Rows that went into a sort. What it returned may be less: only what is above it decides how much of it is fetched.
pub(crate) fn sorted(plan: &Plan, sort: &Node) -> f64 {
    let input = plan.children(sort).find(|child| !child.is_subplan());
    input.map_or(0.0, Node::rows).max(sort.rows())
}

/// Whether it sorted everything for the first rows: as top-N, or as any sort of which what is above it fetched few rows. A limit
/// reaches a sort as top-N only from right above, not through LockRows, a join, a CTE or a subquery. A merge join that ran out
/// of partners does not count: it does not want the first rows, but those that match.
pub(crate) fn is_for_the_first(plan: &Plan, sort: &Node) -> bool {
    if sort.sort.as_ref().is_some_and(|sort| sort.method.starts_with("top-N")) {
        return true;
    }
    let (sorted, fetched) = (sorted(plan, sort), sort.rows());
    let is_few = sorted > MIN_ROWS && fetched <= MOST_FETCHED * sorted;
    sort.node_type == "Sort" && sort.loops() == 1.0 && is_few && !is_merged(plan, sort)
}

/// Whether its rows are merged with others, with nothing but nodes between that pass rows on.
fn is_merged(plan: &Plan, sort: &Node) -> bool {
    let mut below = sort;
    while let Some(parent) = plan.parent(below) {
        match parent.node_type.as_str() {
            "Merge Join" => return true,
            "Materialize" | "Gather Merge" | "Subquery Scan" => below = parent,
            _ => return false,
        }
    }
    false
}
