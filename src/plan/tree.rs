//! A plan as a record keeps it.

use super::model::{Node, Plan};
use crate::record::PlanNode;

/// The nodes of a plan, each before its children.
pub fn tree(plan: &Plan) -> Vec<PlanNode> {
    let all: f64 = plan.nodes().iter().filter_map(|node| node.own_ms).sum();
    plan.nodes().iter().map(|node| plan_node(node, all)).collect()
}

fn plan_node(node: &Node, all_ms: f64) -> PlanNode {
    let loops = node.actual.map(|actual| actual.loops);
    let removed = node.removed.filter + node.removed.recheck + node.removed.join_filter;
    PlanNode {
        depth: node.depth,
        label: node.label(),
        node_type: node.node_type.clone(),
        relation: node.relation.clone(),
        alias: node.alias.clone(),
        index: node.index.clone(),
        subplan: node.subplan.clone(),
        details: details(node),
        cost: node.total_cost,
        estimated_rows: node.plan_rows * loops.unwrap_or(1.0),
        rows: loops.map(|_| node.rows()),
        rows_removed: loops.map(|loops| removed * loops),
        loops,
        own_ms: node.own_ms,
        total_ms: node.total_ms,
        own_buffers: node.own_buffers.map(|buffers| buffers.shared()),
        share: node.own_ms.filter(|_| all_ms > 0.0).map(|own| own / all_ms),
        misestimate: node.misestimate(),
    }
}

/// As EXPLAIN's text prints them.
fn details(node: &Node) -> Vec<String> {
    let conditions = &node.conditions;
    let of = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}: {value}"));
    let keys = |name: &str, keys: &[String]| (!keys.is_empty()).then(|| format!("{name}: {}", keys.join(", ")));
    let sort = node.sort.as_ref().map(|sort| {
        let place = if sort.on_disk { "Disk" } else { "Memory" };
        format!("Sort Method: {}  {place}: {:.0}kB", sort.method, sort.kib)
    });
    [
        of("Index Cond", &conditions.index),
        of("Order By", &conditions.order_by),
        of("Recheck Cond", &conditions.recheck),
        of("Hash Cond", &conditions.hash),
        of("Merge Cond", &conditions.merge),
        of("Join Filter", &conditions.join_filter),
        of("Filter", &conditions.filter),
        of("Run Condition", &conditions.run),
        of("One-Time Filter", &conditions.one_time),
        of("Cache Key", &conditions.cache_key),
        keys("Sort Key", &conditions.sort_key),
        keys("Presorted Key", &conditions.presorted_key),
        keys("Group Key", &conditions.group_key),
        sort,
        node.hash.map(|hash| format!("Batches: {:.0}  Memory Usage: {:.0}kB", hash.batches, hash.peak_kib)),
        node.heap_fetches.map(|fetches| format!("Heap Fetches: {fetches:.0}")),
        node.lossy_blocks
            .map(|lossy| format!("Heap Blocks: exact={:.0} lossy={lossy:.0}", node.exact_blocks.unwrap_or(0.0))),
        node.workers_launched
            .map(|launched| format!("Workers: {} planned, {launched} launched", node.workers_planned.unwrap_or(0))),
    ]
    .into_iter()
    .flatten()
    .chain(node.others.iter().cloned())
    .collect()
}
