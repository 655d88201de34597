//! Inside which node each node runs.
//!
//! That is its parent, but for what is only made when it is first asked for: a CTE runs inside the first of its CTE Scans that asks, an
//! InitPlan inside the first node whose conditions or output refer to it (`$0` before PostgreSQL 17, `(InitPlan 1).col1` from there), or
//! inside the Gather above that node, which makes it before it starts workers. Which one was first is not printed. It is one whose
//! time and buffers are left over by its children in a measure that can hold what ran inside it.

use std::collections::HashMap;

use super::model::{Buffers, Node};

/// Nodes that are looked at for one whose reference is not printed, as LIMIT's is not, nor those of the output without VERBOSE.
const MOST_LOOKED_AT: usize = 256;
/// Share of the time that rounding may hide.
const ROUNDING: f64 = 0.02;

/// A part of what a node took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part {
    /// The node that it ran inside.
    pub(crate) inside: usize,
    pub(crate) ms: f64,
    pub(crate) buffers: Buffers,
}

/// For each node what ran inside which other: all of it inside one, but where several CTE Scans asked for a CTE in turns. Nothing for the
/// root, and for what ran inside none.
pub(crate) fn runs_in(nodes: &[Node]) -> Vec<Vec<Part>> {
    let whole = |node: &Node, inside| Part {
        inside,
        ms: node.total_ms.unwrap_or(0.0),
        buffers: node.buffers.unwrap_or_default(),
    };
    let mut parts: Vec<Vec<Part>> =
        nodes.iter().map(|node| node.parent.map(|parent| whole(node, parent)).into_iter().collect()).collect();
    let made_when_asked = |at: &usize| nodes[*at].relationship.as_deref() == Some("InitPlan");
    if !(1..nodes.len()).any(|at| made_when_asked(&at)) {
        return parts;
    }
    let asks = Asks::new(nodes);
    let mut left = Left::new(nodes);
    for at in (1..nodes.len()).filter(made_when_asked) {
        let node = &nodes[at];
        let Some(defined_in) = node.parent else { continue };
        let mut asking = asks.for_node(nodes, at);
        asking.retain(|asking| !is_within(&parts, *asking, at));
        let one = asking.iter().copied().find(|asking| left.holds(*asking, node)).or_else(|| {
            // Who asks is not printed.
            let found = below(nodes, defined_in).find(|asking| left.holds(*asking, node));
            found.filter(|_| asking.is_empty())
        });
        parts[at] = match (one, asking.as_slice()) {
            (Some(one), _) => vec![whole(node, one)],
            (None, [_, ..]) => left.parts(&asking, whole(node, defined_in)),
            (None, []) if node.writes() => Vec::new(),
            (None, []) => vec![whole(node, defined_in)],
        };
        for part in &parts[at] {
            left.take(part);
        }
    }
    parts
}

/// Whether `at` runs inside `top`, or is it.
fn is_within(parts: &[Vec<Part>], at: usize, top: usize) -> bool {
    std::iter::successors(Some(at), |at| parts[*at].first().map(|part| part.inside)).any(|at| at == top)
}

/// The node and what feeds it rows, the next below first.
fn below(nodes: &[Node], top: usize) -> impl Iterator<Item = usize> {
    let mut next = std::collections::VecDeque::from([top]);
    std::iter::from_fn(move || {
        let at = next.pop_front()?;
        next.extend(nodes[at].children.iter().filter(|child| !nodes[**child].is_subplan()));
        Some(at)
    })
    .take(MOST_LOOKED_AT)
}

/// Which nodes ask for what.
struct Asks<'n> {
    /// By name of a CTE: the CTE Scans of it.
    scans: HashMap<&'n str, Vec<usize>>,
    /// By name of a CTE: the nodes that define one, in the order of the plan.
    definitions: HashMap<&'n str, Vec<usize>>,
    /// By `$0` or `InitPlan 1`: the nodes that refer to it.
    references: HashMap<&'n str, Vec<usize>>,
    /// First place after the nodes below each node.
    ends: Vec<usize>,
}

impl<'n> Asks<'n> {
    fn new(nodes: &'n [Node]) -> Self {
        let mut scans: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut definitions: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut references: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut ends: Vec<usize> = (1..=nodes.len()).collect();
        for (at, node) in nodes.iter().enumerate() {
            if let (Some(cte), "CTE Scan") = (&node.cte, node.node_type.as_str()) {
                scans.entry(cte).or_default().push(at);
            }
            if let (Some(cte), Some(parent)) = (node.subplan.as_deref().and_then(cte_name), node.parent) {
                definitions.entry(cte).or_default().push(parent);
            }
            for reference in &node.refers {
                references.entry(reference).or_default().push(at);
            }
        }
        for at in (1..nodes.len()).rev() {
            if let Some(parent) = nodes[at].parent {
                ends[parent] = ends[parent].max(ends[at]);
            }
        }
        Self { scans, definitions, references, ends }
    }

    /// Nodes that ran and ask for the CTE or InitPlan at `at`, in the order of the plan.
    fn for_node(&self, nodes: &[Node], at: usize) -> Vec<usize> {
        let (Some(name), Some(defined_in)) = (&nodes[at].subplan, nodes[at].parent) else { return Vec::new() };
        let in_reach = |asking: &&usize| {
            (defined_in..self.ends[defined_in]).contains(*asking) && !(at..self.ends[at]).contains(*asking)
        };
        let mut asking: Vec<usize> = Vec::new();
        if let Some(cte) = cte_name(name) {
            // The innermost of several of the same name is meant.
            let defined = |at: usize| {
                let definitions = self.definitions.get(cte).into_iter().flatten();
                definitions.copied().filter(|by| (*by..self.ends[*by]).contains(&at)).max()
            };
            let scans = self.scans.get(cte).into_iter().flatten().filter(in_reach);
            asking.extend(scans.filter(|scan| defined(**scan) == Some(defined_in)));
        } else {
            let (plain, returns) = name.split_once(" (returns ").unwrap_or((name, ""));
            for reference in returns.trim_end_matches(')').split(',').chain([plain]) {
                let found = self.references.get(reference.trim()).into_iter().flatten().filter(in_reach);
                asking.extend(found.map(|asking| gather_above(nodes, *asking, defined_in)));
            }
            asking.sort_unstable();
            asking.dedup();
        }
        asking.retain(|asking| !nodes[*asking].never_executed());
        asking
    }
}

fn cte_name(subplan: &str) -> Option<&str> {
    subplan.strip_prefix("CTE ")
}

/// The topmost Gather between the node and `top`, or the node.
fn gather_above(nodes: &[Node], at: usize, top: usize) -> usize {
    let above = std::iter::successors(Some(at), |at| nodes[*at].parent.filter(|parent| *parent >= top));
    above.filter(|at| nodes[*at].workers_planned.is_some()).last().unwrap_or(at)
}

/// What the children of each node leave over of its time and buffers, and what ran inside it beside them.
struct Left {
    ms: Vec<f64>,
    buffers: Vec<Buffers>,
}

impl Left {
    fn new(nodes: &[Node]) -> Self {
        let mut left = Self {
            ms: nodes.iter().map(|node| node.total_ms.unwrap_or(0.0)).collect(),
            buffers: nodes.iter().map(|node| node.buffers.unwrap_or_default()).collect(),
        };
        for node in nodes.iter().filter(|node| node.relationship.as_deref() != Some("InitPlan")) {
            if let Some(inside) = node.parent {
                let (ms, buffers) = (node.total_ms.unwrap_or(0.0), node.buffers.unwrap_or_default());
                left.take(&Part { inside, ms, buffers });
            }
        }
        left
    }

    /// Whether what is left over of `at` can hold all that `node` took.
    fn holds(&self, at: usize, node: &Node) -> bool {
        self.buffers[at].shared() >= node.buffers.unwrap_or_default().shared()
            && self.ms[at] >= node.total_ms.unwrap_or(0.0) * (1.0 - ROUNDING)
    }

    /// `whole` inside each of `asking` as far as it holds it, and what nobody holds inside the last.
    fn parts(&self, asking: &[usize], whole: Part) -> Vec<Part> {
        let mut rest = whole;
        let mut parts = Vec::new();
        for (index, inside) in asking.iter().copied().enumerate() {
            let part = if index + 1 == asking.len() {
                Part { inside, ..rest }
            } else {
                let ms = self.ms[inside].clamp(0.0, rest.ms);
                Part { inside, ms, buffers: self.buffers[inside].at_most(rest.buffers) }
            };
            rest = Part { ms: rest.ms - part.ms, buffers: rest.buffers.less(part.buffers), ..rest };
            parts.push(part);
        }
        parts
    }

    fn take(&mut self, part: &Part) {
        self.ms[part.inside] -= part.ms;
        self.buffers[part.inside] = self.buffers[part.inside].less(part.buffers);
    }
}
