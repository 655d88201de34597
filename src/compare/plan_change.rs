//! Two plans side by side: nodes matched by relation and shape, and what changed.

mod conditions;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{Deserialize, Serialize};

use self::conditions::conditions;
use crate::record::{PlanFigures, PlanNode, Severity};

/// Ratio of two times of one execution each below which they count as the same.
const NOISE_RATIO: f64 = 1.25;
/// Milliseconds between two such times below which they do.
const NOISE_MS: f64 = 0.05;
/// The same of nodes that read the same rows and buffers, which a single execution of each does not tell apart by less.
const NOISE_RATIO_SAME_WORK: f64 = 2.0;
const NOISE_MS_SAME_WORK: f64 = 1.0;
/// Ratio of rows or buffers up to which they are the same.
const SAME_WORK: f64 = 1.1;
/// Ratio of rows or buffers from which on a node that is otherwise the same counts as changed.
const MOVED: f64 = 2.0;
/// Share of the plan's time from which on that is worth a word.
const WORTH: f64 = 0.01;

/// What changed at a node between two plans of a statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanChange {
    /// What kind of change it is.
    pub kind: PlanChangeKind,
    /// Whether it is for the better: by the times of both, where both were executed, else by its kind.
    pub effect: Effect,
    /// How bad it is; `info` for what is not for the worse, or where the plan as a whole is faster.
    pub severity: Severity,
    /// The change in words: `Seq Scan became Index Scan`.
    pub what: String,
    /// Place of the node among those of the plan before; null where it is new.
    pub before: Option<usize>,
    /// Place of the node among those of the plan after; null where it is gone.
    pub after: Option<usize>,
}

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanChangeKind {
    /// A table is read in another way.
    Scan,
    /// By another index.
    Index,
    /// Tables are joined by another method.
    Join,
    /// A sort is new, gone, or of another kind.
    Sort,
    /// Workers came or went.
    Parallel,
    /// Another node is new, gone, or of another kind.
    Node,
    /// The conditions or keys of a node.
    Details,
    /// What a node read, by 2x and more, while the node is the same.
    Figures,
}

/// Whether a change is for the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It is.
    Better,
    /// It is for the worse.
    Worse,
    /// Neither: the times are the same within noise, or its kind does not tell.
    Neither,
}

/// What changed from one plan to the other, in the order of the nodes; nothing where either has none.
pub(super) fn changes(before: &PlanFigures, after: &PlanFigures) -> Vec<PlanChange> {
    let (from, to) = (before.nodes.as_slice(), after.nodes.as_slice());
    if from.is_empty() || to.is_empty() {
        return Vec::new();
    }
    let works = [works(from), works(to)];
    let by_time = |one: usize, other: usize| by_time(&from[one], &to[other], works[0][one].is_same(&works[1][other]));
    let whole = by_time(0, 0);
    let change = |pair: Pair| {
        let seen = match pair {
            (Some(one), Some(other)) => of_pair(&from[one], &to[other], by_time(one, other))?,
            (Some(one), None) => of_one(&from[one], true, whole)?,
            (None, Some(other)) => of_one(&to[other], false, whole)?,
            (None, None) => return None,
        };
        let Seen { kind, effect, severity, what } = seen;
        let is_bad = effect == Effect::Worse && whole != Some(Effect::Better);
        let severity = if is_bad { severity } else { Severity::Info };
        Some(PlanChange { kind, effect, severity, what, before: pair.0, after: pair.1 })
    };
    aligned(from, to).into_iter().filter_map(change).collect()
}

/// A change before it has a place; `severity` is that of a change for the worse.
struct Seen {
    kind: PlanChangeKind,
    effect: Effect,
    severity: Severity,
    what: String,
}

impl Seen {
    fn info(kind: PlanChangeKind, effect: Effect, what: String) -> Self {
        Self { kind, effect, severity: Severity::Info, what }
    }
}

/// What kind of node it is, as far as nodes of different types do the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Family<'n> {
    Scan,
    Join,
    Sort,
    Aggregate,
    Gather,
    /// Comes and goes with the node above it.
    Helper,
    Other(&'n str),
}

/// How a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Whole,
    Index,
    IndexOnly,
    Other,
}

fn family(node: &PlanNode) -> Family<'_> {
    match node.node_type.as_str() {
        "Nested Loop" | "Hash Join" | "Merge Join" => Family::Join,
        "Sort" | "Incremental Sort" => Family::Sort,
        "Aggregate" | "Group" => Family::Aggregate,
        "Gather" | "Gather Merge" => Family::Gather,
        "Hash" | "Materialize" | "Memoize" | "BitmapAnd" | "BitmapOr" | "Bitmap Index Scan" => Family::Helper,
        scan if scan.ends_with("Scan") => Family::Scan,
        other => Family::Other(other),
    }
}

fn access(node: &PlanNode) -> Access {
    match node.node_type.as_str() {
        "Seq Scan" | "Sample Scan" => Access::Whole,
        "Index Scan" | "Bitmap Heap Scan" => Access::Index,
        "Index Only Scan" => Access::IndexOnly,
        _ => Access::Other,
    }
}

/// A node in both plans; `None` where nothing changed. `by_time` is what became of its time, where that is known.
fn of_pair(before: &PlanNode, after: &PlanNode, by_time: Option<Effect>) -> Option<Seen> {
    let by_kind = |kind| by_time.unwrap_or(kind);
    if before.node_type != after.node_type {
        let what = format!("{} became {}", before.node_type, after.node_type);
        let seen = |kind, severity, worth| Some(Seen { kind, effect: by_kind(worth), severity, what: what.clone() });
        return match family(after) {
            Family::Scan => match (access(before), access(after)) {
                (Access::Index | Access::IndexOnly, Access::Whole) => {
                    seen(PlanChangeKind::Scan, Severity::Critical, Effect::Worse)
                }
                (Access::IndexOnly, Access::Index) => seen(PlanChangeKind::Scan, Severity::Warning, Effect::Worse),
                (Access::Whole, Access::Index | Access::IndexOnly) | (Access::Index, Access::IndexOnly) => {
                    seen(PlanChangeKind::Scan, Severity::Info, Effect::Better)
                }
                _ => seen(PlanChangeKind::Scan, Severity::Info, Effect::Neither),
            },
            Family::Join => seen(PlanChangeKind::Join, Severity::Warning, by_cost(before, after)),
            Family::Sort => seen(PlanChangeKind::Sort, Severity::Info, Effect::Neither),
            Family::Gather => seen(PlanChangeKind::Parallel, Severity::Info, Effect::Neither),
            Family::Helper => None,
            Family::Aggregate | Family::Other(_) => seen(PlanChangeKind::Node, Severity::Info, Effect::Neither),
        };
    }
    if before.index != after.index && family(after) != Family::Helper {
        let name = |node: &PlanNode| node.index.clone().unwrap_or_else(|| "no index".into());
        let what = format!("by {} instead of {}", name(after), name(before));
        return Some(Seen::info(PlanChangeKind::Index, by_kind(Effect::Neither), what));
    }
    if before.label != after.label && family(after) != Family::Helper {
        let what = format!("{} became {}", before.label, after.label);
        return Some(Seen::info(PlanChangeKind::Node, by_kind(Effect::Neither), what));
    }
    if conditions(before) != conditions(after) {
        return Some(Seen::info(PlanChangeKind::Details, by_kind(Effect::Neither), "other conditions or keys".into()));
    }
    let is_worth = |node: &PlanNode| node.share.is_some_and(|share| share >= WORTH);
    let moved = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => one.max(1.0) / other.max(1.0) >= MOVED || other.max(1.0) / one.max(1.0) >= MOVED,
        _ => false,
    };
    let buffers = |node: &PlanNode| node.own_buffers.map(|buffers| buffers as f64);
    let has_moved = moved(rows_read(before), rows_read(after)) || moved(buffers(before), buffers(after));
    (has_moved && (is_worth(before) || is_worth(after)))
        .then(|| Seen::info(PlanChangeKind::Figures, by_kind(Effect::Neither), "the same node, other figures".into()))
}

/// A node in one of the plans only. `whole` is what became of the time of the plan.
fn of_one(node: &PlanNode, is_gone: bool, whole: Option<Effect>) -> Option<Seen> {
    let happened = if is_gone { "is gone" } else { "is new" };
    let what = format!("{} {happened}", node.label);
    Some(match family(node) {
        Family::Helper => return None,
        Family::Sort => {
            let worth = if is_gone { Effect::Better } else { Effect::Worse };
            let effect = if whole.is_none_or(|whole| whole == worth) { worth } else { Effect::Neither };
            Seen { kind: PlanChangeKind::Sort, effect, severity: Severity::Warning, what }
        }
        Family::Gather => Seen::info(PlanChangeKind::Parallel, Effect::Neither, what),
        _ => Seen::info(PlanChangeKind::Node, Effect::Neither, what),
    })
}

/// Rows that a node read, those that it dropped among them.
fn rows_read(node: &PlanNode) -> Option<f64> {
    Some(node.rows? + node.rows_removed.unwrap_or(0.0))
}

/// What a node and all below it read; each `None` where that was not measured.
#[derive(Debug, Clone, Copy)]
struct Work {
    rows: Option<f64>,
    buffers: Option<f64>,
}

impl Work {
    fn is_same(&self, other: &Self) -> bool {
        let same = |one: Option<f64>, other: Option<f64>| {
            one.zip(other)
                .map(|(one, other)| (one.max(1.0) / other.max(1.0)).max(other.max(1.0) / one.max(1.0)) <= SAME_WORK)
        };
        same(self.rows, other.rows) == Some(true) && same(self.buffers, other.buffers) == Some(true)
    }
}

/// For each node the work of its subtree.
fn works(nodes: &[PlanNode]) -> Vec<Work> {
    let own = |node: &PlanNode| Work { rows: rows_read(node), buffers: node.own_buffers.map(|buffers| buffers as f64) };
    let mut works: Vec<Work> = nodes.iter().map(own).collect();
    let mut above: Vec<usize> = Vec::new();
    for at in (0..nodes.len()).rev() {
        while let Some(child) = above.pop_if(|next| nodes[*next].depth > nodes[at].depth) {
            let Work { rows, buffers } = works[child];
            let add = |own: Option<f64>, of_child: Option<f64>| Some(own? + of_child?);
            works[at] = Work { rows: add(works[at].rows, rows), buffers: add(works[at].buffers, buffers) };
        }
        above.push(at);
    }
    works
}

/// `None` where either was not timed. Where the work is the same, only a large difference is no noise.
fn by_time(before: &PlanNode, after: &PlanNode, same_work: bool) -> Option<Effect> {
    let (before, after) = (before.total_ms?, after.total_ms?);
    let (ratio, ms) = if same_work { (NOISE_RATIO_SAME_WORK, NOISE_MS_SAME_WORK) } else { (NOISE_RATIO, NOISE_MS) };
    let beyond = |less: f64, more: f64| more > less * ratio && more - less > ms;
    Some(match () {
        () if beyond(after, before) => Effect::Better,
        () if beyond(before, after) => Effect::Worse,
        () => Effect::Neither,
    })
}

/// What the planner thinks of it, where nothing was executed.
fn by_cost(before: &PlanNode, after: &PlanNode) -> Effect {
    match (before.cost, after.cost) {
        (Some(before), Some(after)) if after > before * NOISE_RATIO => Effect::Worse,
        (Some(before), Some(after)) if before > after * NOISE_RATIO => Effect::Better,
        _ => Effect::Neither,
    }
}

/// Places of a node before and after.
type Pair = (Option<usize>, Option<usize>);

/// Every node of both plans once, with its counterpart where it has one: first by kind, relation and alias, or the relations
/// below; then by kind and relation; then by kind alone, in the order of the nodes. A join of other relations is another join.
fn aligned(before: &[PlanNode], after: &[PlanNode]) -> Vec<Pair> {
    let ambiguous = [before, after].map(of_several_aliases).concat().into_iter().collect();
    let below = [before, after].map(|nodes| relations_below(nodes, &ambiguous));
    let exact = |side: usize, at: usize, node: &PlanNode| {
        Some((hash(&(family(node), &node.relation, &node.alias)), below[side][at]))
    };
    let loose = |_: usize, _: usize, node: &PlanNode| {
        let is_known = match family(node) {
            Family::Join => false,
            // One of no table, such as of a CTE, has nothing else to be known by.
            Family::Scan => node.relation.is_some(),
            _ => true,
        };
        is_known.then(|| (hash(&(family(node), &node.relation)), 0))
    };
    let mut counterpart = vec![None; before.len()];
    let mut found = vec![None; after.len()];
    pass([before, after], &exact, &mut counterpart, &mut found);
    pass([before, after], &loose, &mut counterpart, &mut found);
    let mut nearest = 0;
    let mut placed: Vec<(usize, bool, usize, Pair)> = Vec::new();
    for (at, other) in found.into_iter().enumerate() {
        nearest = other.unwrap_or(nearest);
        placed.push((nearest, other.is_none(), at, (other, Some(at))));
    }
    let gone = counterpart.iter().enumerate().filter(|(_, other)| other.is_none());
    placed.extend(gone.map(|(at, _)| (at, false, 0, (Some(at), None))));
    placed.sort_by_key(|(at, is_new, order, _)| (*at, *is_new, *order));
    placed.into_iter().map(|(_, _, _, pair)| pair).collect()
}

type Key = (u64, u64);

/// Pairs what has no counterpart yet and the same key, in order.
fn pass(
    [before, after]: [&[PlanNode]; 2],
    key: &dyn Fn(usize, usize, &PlanNode) -> Option<Key>,
    counterpart: &mut [Option<usize>],
    found: &mut [Option<usize>],
) {
    let mut waiting: HashMap<Key, VecDeque<usize>> = HashMap::new();
    for (at, node) in before.iter().enumerate().filter(|(at, _)| counterpart[*at].is_none()) {
        if let Some(key) = key(0, at, node) {
            waiting.entry(key).or_default().push_back(at);
        }
    }
    for (at, node) in after.iter().enumerate() {
        if found[at].is_some() {
            continue;
        }
        let first = key(1, at, node).and_then(|key| waiting.get_mut(&key)?.pop_front());
        if let Some(other) = first {
            (found[at], counterpart[other]) = (Some(other), Some(at));
        }
    }
}

/// Relations that are read under more than one alias, so that only the alias tells which is meant. Others are known by themselves,
/// for a rewritten query may call them otherwise.
fn of_several_aliases(nodes: &[PlanNode]) -> Vec<&str> {
    let mut aliases: HashMap<&str, &Option<String>> = HashMap::new();
    let mut several = Vec::new();
    for node in nodes {
        if let Some(relation) = &node.relation
            && *aliases.entry(relation).or_insert(&node.alias) != &node.alias
        {
            several.push(relation.as_str());
        }
    }
    several
}

/// For each node which relations are scanned by it and below it, in any order, as a sum of hashes. Of a relation that is `ambiguous`,
/// and of what is none, such as a CTE, the alias is meant too.
fn relations_below(nodes: &[PlanNode], ambiguous: &HashSet<&str>) -> Vec<u64> {
    let own = |node: &PlanNode| match (family(node), &node.relation) {
        (Family::Scan, Some(relation)) if !ambiguous.contains(relation.as_str()) => hash(relation),
        (Family::Scan, relation) => hash(&(relation, &node.alias)),
        _ => 0,
    };
    let mut sums: Vec<u64> = nodes.iter().map(own).collect();
    let mut after: Vec<usize> = Vec::new();
    for at in (0..nodes.len()).rev() {
        while let Some(child) = after.pop_if(|next| nodes[*next].depth > nodes[at].depth) {
            sums[at] = sums[at].wrapping_add(sums[child]);
        }
        after.push(at);
    }
    sums
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
