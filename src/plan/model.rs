//! The normal form: nodes of a tree in the order EXPLAIN prints them.
//!
//! What PostgreSQL prints by loop stays by loop here, since that is what was measured; the methods give totals.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use super::relatives::Relative;

/// Labels that a path ends with.
const MOST_LABELS: usize = 16;

/// One statement's plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// All nodes, each before its children; the first is the root. Never empty.
    pub(crate) nodes: Vec<Node>,
    /// Planning time in milliseconds; `None` where EXPLAIN did not say.
    pub planning_ms: Option<f64>,
    /// Execution time in milliseconds; `None` without ANALYZE.
    pub execution_ms: Option<f64>,
    /// Planner settings that differ from their default.
    pub settings: BTreeMap<String, String>,
    /// What compiling expressions took; `None` where nothing was compiled.
    pub jit: Option<Jit>,
    /// Triggers that the statement fired, those of foreign keys among them.
    pub triggers: Vec<Trigger>,
    /// The statement's text, where it came with the plan (auto_explain).
    pub query: Option<String>,
}

/// One node of a plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// Place of its parent among the plan's nodes; `None` at the root.
    pub parent: Option<usize>,
    /// Places of what it reads from, in the order of the plan, subplans among them.
    pub children: Vec<usize>,
    /// Levels below the root.
    pub depth: usize,
    /// `Node Type`, such as `Index Scan`.
    pub node_type: String,
    /// How it serves its parent, such as `Outer`, `Inner`, `InitPlan`, `SubPlan`; `None` at the root.
    pub relationship: Option<String>,
    /// Name of the subplan it is the top of, such as `CTE recent` or `InitPlan 1`.
    pub subplan: Option<String>,
    /// Whether workers share its work.
    pub parallel_aware: bool,
    /// Whether an index is read from its end.
    pub backward: bool,
    /// Table it reads or changes.
    pub relation: Option<String>,
    /// Schema of that table; `None` where EXPLAIN did not say (it does with VERBOSE).
    pub schema: Option<String>,
    /// Alias of that table in the statement.
    pub alias: Option<String>,
    /// Index it reads.
    pub index: Option<String>,
    /// CTE it reads.
    pub cte: Option<String>,
    /// Function it reads.
    pub function: Option<String>,
    /// The extension's name of a custom scan: `Citus Adaptive`.
    pub provider: Option<String>,
    /// `Insert`, `Update`, `Delete` or `Merge` of a node that writes.
    pub operation: Option<String>,
    /// How it aggregates or makes sets: `Plain`, `Sorted`, `Hashed`, `Mixed`.
    pub strategy: Option<String>,
    /// `Partial` or `Finalize` where workers aggregate.
    pub partial_mode: Option<String>,
    /// `Inner`, `Left`, `Semi` and the like of a join.
    pub join_type: Option<String>,
    /// Whether at most one row of the inner side matches one of the outer.
    pub inner_unique: bool,
    /// Planner's cost until the first row; `None` with COSTS off.
    pub startup_cost: Option<f64>,
    /// Planner's cost until the last row.
    pub total_cost: Option<f64>,
    /// Rows the planner expected, by loop.
    pub plan_rows: f64,
    /// Bytes that the planner expected of a row.
    pub plan_width: f64,
    /// What was measured; `None` without ANALYZE.
    pub actual: Option<Actual>,
    /// Rows that it read and dropped, by loop.
    pub removed: Removed,
    /// Blocks that it and its children touched, over all loops; `None` without BUFFERS.
    pub buffers: Option<Buffers>,
    /// Conditions and keys, as PostgreSQL writes them.
    pub conditions: Conditions,
    /// What a sort did; of several workers the one that used most.
    pub sort: Option<Sort>,
    /// What the hash table of a join took.
    pub hash: Option<HashTable>,
    /// What a hashed aggregate took.
    pub hash_aggregate: Option<HashAggregate>,
    /// What a Memoize did.
    pub cache: Option<Memoize>,
    /// Rows that an index-only scan had to look up in the heap, over all loops.
    pub heap_fetches: Option<f64>,
    /// Pages that a bitmap named row by row, over all loops.
    pub exact_blocks: Option<f64>,
    /// Pages that a bitmap named whole, over all loops.
    pub lossy_blocks: Option<f64>,
    /// Times that an index was descended, over all loops; from PostgreSQL 18.
    pub index_searches: Option<f64>,
    /// Partitions that were left out when execution began; `None` where none could be.
    pub subplans_removed: Option<f64>,
    /// Whether a setting such as `enable_seqscan = off` speaks against it, and it was taken all the same; from PostgreSQL 18.
    pub disabled: bool,
    /// Workers that were planned; `None` where the node starts none.
    pub workers_planned: Option<u64>,
    /// Workers that ran.
    pub workers_launched: Option<u64>,
    /// Milliseconds that it took itself over all loops, its children's left out and workers side by side counted once; `None` where
    /// nothing was timed.
    pub own_ms: Option<f64>,
    /// Milliseconds that it and its children took over all loops, workers side by side counted once; `None` where nothing was
    /// timed.
    pub total_ms: Option<f64>,
    /// Blocks that it touched itself, its children's left out.
    pub own_buffers: Option<Buffers>,
    /// Lines that nothing is made of, as they were printed: those of PostgreSQL's relatives, of extensions, and of later versions.
    pub others: Vec<String>,
    /// Whose node it is, if it has what only this relative of PostgreSQL prints.
    pub(crate) relative: Option<Relative>,
    /// Parameters and InitPlans that its conditions, keys and output refer to: `$0`, `InitPlan 1`.
    pub(crate) refers: Vec<String>,
}

/// What ANALYZE measured at a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Actual {
    /// How often it ran, over all workers; 0 when it was never executed.
    pub loops: f64,
    /// Rows it returned, by loop: a whole number before PostgreSQL 18, two decimals from there.
    pub rows: f64,
    /// Milliseconds to the first row, by loop; `None` with TIMING off.
    pub startup_ms: Option<f64>,
    /// Milliseconds to the last row, by loop, its children's included; `None` with TIMING off.
    pub total_ms: Option<f64>,
}

/// Rows that a node read and dropped, by loop. PostgreSQL rounds them to whole numbers after dividing by the loops.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Removed {
    /// By its filter.
    pub filter: f64,
    /// By rechecking what an index or a lossy bitmap found.
    pub recheck: f64,
    /// By a join's filter.
    pub join_filter: f64,
}

/// Conditions and keys of a node, as PostgreSQL writes them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Conditions {
    /// Looked up in the index.
    pub index: Option<String>,
    /// Checked again on what a bitmap or an index found.
    pub recheck: Option<String>,
    /// Rows looked up by their place in the table.
    pub tid: Option<String>,
    /// Checked on every row it read.
    pub filter: Option<String>,
    /// Checked on every pair of a join beyond its own condition.
    pub join_filter: Option<String>,
    /// A hash join's.
    pub hash: Option<String>,
    /// A merge join's.
    pub merge: Option<String>,
    /// Up to which a window function's values are wanted.
    pub run: Option<String>,
    /// Checked once before anything is read.
    pub one_time: Option<String>,
    /// Keys of a sort.
    pub sort_key: Vec<String>,
    /// Distance by which an index returns its rows, the nearest first.
    pub order_by: Option<String>,
    /// Keys of a sort that its input is sorted by already.
    pub presorted_key: Vec<String>,
    /// Keys of an aggregate, those of all its grouping sets.
    pub group_key: Vec<String>,
    /// Key of a Memoize.
    pub cache_key: Option<String>,
    /// What it returns, with VERBOSE.
    pub output: Vec<String>,
}

/// What a sort did.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// `quicksort`, `top-N heapsort`, `external merge` and the like.
    pub method: String,
    /// KiB it took.
    pub kib: f64,
    /// Whether that was on disk.
    pub on_disk: bool,
}

/// What the hash table of a join took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HashTable {
    /// Parts it was worked off in; more than 1 went through temporary files.
    pub batches: f64,
    /// Parts that were planned.
    pub planned_batches: f64,
    /// KiB of memory at most.
    pub peak_kib: f64,
}

/// What a hashed aggregate took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HashAggregate {
    /// Parts it was worked off in; more than 1 went through temporary files.
    pub batches: f64,
    /// KiB of memory at most.
    pub peak_kib: f64,
    /// KiB of temporary files.
    pub disk_kib: f64,
}

/// What a Memoize did, over all loops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memoize {
    /// Lookups that were answered from memory.
    pub hits: f64,
    /// Lookups that were not.
    pub misses: f64,
    /// Entries that gave way to others.
    pub evictions: f64,
    /// Lookups whose rows did not fit.
    pub overflows: f64,
}

/// What compiling expressions took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jit {
    /// Functions compiled.
    pub functions: f64,
    /// Milliseconds in all.
    pub total_ms: f64,
}

/// A trigger that the statement fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The constraint that it serves, such as a foreign key.
    pub constraint: Option<String>,
    /// Table it is on.
    pub relation: Option<String>,
    /// How often it ran.
    pub calls: f64,
    /// Milliseconds in all; `None` with TIMING off.
    pub time_ms: Option<f64>,
}

/// Blocks touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Buffers {
    /// Shared, found in the cache.
    pub hit: u64,
    /// Shared, read from outside the cache.
    pub read: u64,
    /// Shared, made dirty.
    pub dirtied: u64,
    /// Shared, written.
    pub written: u64,
    /// Temporary, read.
    pub temp_read: u64,
    /// Temporary, written.
    pub temp_written: u64,
}

impl Removed {
    /// All of them.
    pub fn sum(&self) -> f64 {
        self.filter + self.recheck + self.join_filter
    }

    fn each(self, change: impl Fn(f64) -> f64) -> Self {
        Self { filter: change(self.filter), recheck: change(self.recheck), join_filter: change(self.join_filter) }
    }
}

impl Buffers {
    /// Shared blocks touched, in the cache or not.
    pub fn shared(&self) -> u64 {
        self.hit.saturating_add(self.read)
    }

    /// The smaller figure of the two, one by one.
    pub(crate) fn at_most(self, other: Self) -> Self {
        Self {
            hit: self.hit.min(other.hit),
            read: self.read.min(other.read),
            dirtied: self.dirtied.min(other.dirtied),
            written: self.written.min(other.written),
            temp_read: self.temp_read.min(other.temp_read),
            temp_written: self.temp_written.min(other.temp_written),
        }
    }

    /// What is left without `other`, no less than 0.
    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            hit: self.hit.saturating_sub(other.hit),
            read: self.read.saturating_sub(other.read),
            dirtied: self.dirtied.saturating_sub(other.dirtied),
            written: self.written.saturating_sub(other.written),
            temp_read: self.temp_read.saturating_sub(other.temp_read),
            temp_written: self.temp_written.saturating_sub(other.temp_written),
        }
    }
}

impl Plan {
    /// All nodes, each before its children; the first is the root.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The operators in the conditions of its nodes, as printed.
    pub fn operators(&self) -> BTreeSet<&str> {
        let texts = self.nodes.iter().flat_map(|Node { conditions: of, .. }| {
            let texts = [&of.index, &of.recheck, &of.filter, &of.join_filter, &of.hash, &of.merge];
            texts.into_iter().flatten()
        });
        texts.flat_map(|text| crate::sqltext::condition::operators(text)).collect()
    }

    /// The topmost node.
    pub fn root(&self) -> &Node {
        &self.nodes[0]
    }

    /// The node above, where there is one.
    pub fn parent(&self, node: &Node) -> Option<&Node> {
        node.parent.and_then(|parent| self.nodes.get(parent))
    }

    /// What the node reads from, in the order of the plan, subplans among them.
    pub fn children<'p>(&'p self, node: &'p Node) -> impl DoubleEndedIterator<Item = &'p Node> {
        node.children.iter().filter_map(|child| self.nodes.get(*child))
    }

    /// The node and all below it, each before its children. `at` is the node's place.
    pub fn subtree(&self, at: usize) -> &[Node] {
        let depth = self.nodes[at].depth;
        let length = self.nodes[at + 1..].iter().take_while(|node| node.depth > depth).count();
        &self.nodes[at..=at + length]
    }

    /// The relative of PostgreSQL whose plan it is; `None` if nothing in it is a relative's.
    pub fn relative(&self) -> Option<Relative> {
        self.nodes.iter().find_map(|node| node.relative)
    }

    /// Whether ANALYZE ran it.
    pub fn is_analyzed(&self) -> bool {
        self.root().actual.is_some()
    }

    /// Labels from the root down the first child that feeds it rows: `Limit > Sort > Seq Scan on events`.
    pub fn shape(&self) -> String {
        let mut labels = Vec::new();
        let mut next = Some(self.root());
        while let Some(node) = next {
            labels.push(node.label());
            next = self.children(node).find(|child| !child.is_subplan());
        }
        labels.join(" > ")
    }

    /// Whether both have the same nodes in the same order. What was measured, and what the planner expected, may differ.
    pub fn has_shape_of(&self, other: &Self) -> bool {
        let same = |(one, other): (&Node, &Node)| one.depth == other.depth && one.label() == other.label();
        self.nodes.len() == other.nodes.len() && self.nodes.iter().zip(&other.nodes).all(same)
    }

    /// Labels from the root down to the node at `at`; of a deep one the first and the last ones.
    pub fn path(&self, at: usize) -> String {
        let up = std::iter::successors(self.nodes.get(at), |node| self.parent(node));
        let mut labels: Vec<String> = up.take(MOST_LABELS).map(Node::label).collect();
        if self.nodes.get(at).is_some_and(|node| node.depth >= MOST_LABELS) {
            labels.extend(["...".to_owned(), self.root().label()]);
        }
        labels.reverse();
        labels.join(" > ")
    }
}

impl Node {
    /// How often it ran, over all workers; 0 without ANALYZE.
    pub fn loops(&self) -> f64 {
        self.actual.map_or(0.0, |actual| actual.loops)
    }

    /// Whether ANALYZE ran the statement but never this node.
    pub fn never_executed(&self) -> bool {
        self.actual.is_some_and(|actual| actual.loops == 0.0)
    }

    /// Rows it returned, over all loops and workers, to within [`Self::rounding`].
    pub fn rows(&self) -> f64 {
        self.actual.map_or(0.0, |actual| actual.rows * actual.loops)
    }

    /// Rows it read from its relation, over all loops and workers: returned, filtered out, and dropped by a recheck.
    /// 0 where it reads no relation itself.
    pub fn rows_read(&self) -> f64 {
        if self.scans_relation() {
            self.rows() + (self.removed.filter + self.removed.recheck) * self.loops()
        } else {
            0.0
        }
    }

    /// How far each of the totals may be off: what was rounded was divided by the loops before. 0 for a single loop.
    pub fn rounding(&self) -> f64 {
        if self.loops() > 1.0 { self.loops() / 2.0 } else { 0.0 }
    }

    /// Whether it reads the rows of a relation. A bitmap index scan does not: it finds where they are.
    pub fn scans_relation(&self) -> bool {
        self.relation.is_some() && self.node_type.ends_with("Scan")
    }

    /// Rows that it read and dropped, over all loops and workers, as printed: to within [`Self::rounding`] each.
    pub fn removed_in_all(&self) -> Removed {
        self.removed.each(|rows| rows * self.loops())
    }

    /// The most rows that it may have read and dropped, over all loops and workers: what is printed was divided by the loops and rounded
    /// to a whole number, so that 0 over a million loops can be half a million rows. 0 for what it has no condition to drop rows by.
    pub fn removed_at_most(&self) -> Removed {
        let Conditions { filter, index, recheck, join_filter, .. } = &self.conditions;
        let rounding = |there: bool| if there { self.rounding() } else { 0.0 };
        let printed = self.removed_in_all();
        Removed {
            filter: printed.filter + rounding(filter.is_some() || self.removed.filter > 0.0),
            recheck: printed.recheck + rounding(recheck.is_some() || index.is_some() || self.removed.recheck > 0.0),
            join_filter: printed.join_filter + rounding(join_filter.is_some() || self.removed.join_filter > 0.0),
        }
    }

    /// Whether it changes tables.
    pub fn writes(&self) -> bool {
        self.node_type == "ModifyTable"
    }

    /// Whether it makes a value or a CTE for other nodes instead of rows for its parent.
    pub fn is_subplan(&self) -> bool {
        matches!(self.relationship.as_deref(), Some("InitPlan" | "SubPlan"))
    }

    /// Factor between the planner's rows and the real ones, 1 or more, both taken as at least 1; `None` without ANALYZE or where
    /// the node never ran.
    pub fn misestimate(&self) -> Option<f64> {
        let actual = self.actual.filter(|actual| actual.loops > 0.0)?;
        let (planned, rows) = (self.plan_rows.max(1.0), actual.rows.max(1.0));
        Some((planned / rows).max(rows / planned))
    }

    /// What its line names.
    pub(crate) fn names(&self) -> [Option<String>; 6] {
        [&self.relation, &self.schema, &self.alias, &self.index, &self.cte, &self.function].map(Clone::clone)
    }

    /// Its type, index and relation as EXPLAIN's text names them: `Index Scan using events_pkey on events`.
    pub fn label(&self) -> String {
        // Writing to a String cannot fail.
        let strategy = self.strategy.as_deref();
        let join = self.join_type.as_deref().filter(|kind| *kind != "Inner");
        let mut label = match (self.node_type.as_str(), self.operation.as_deref()) {
            ("ModifyTable", Some(operation)) => operation.to_owned(),
            ("Aggregate", _) if strategy == Some("Sorted") => "GroupAggregate".to_owned(),
            ("Aggregate", _) if strategy == Some("Hashed") => "HashAggregate".to_owned(),
            ("Aggregate", _) if strategy == Some("Mixed") => "MixedAggregate".to_owned(),
            ("SetOp", _) if strategy == Some("Hashed") => "HashSetOp".to_owned(),
            (other, _) => match (other.strip_suffix(" Join").unwrap_or(other), join) {
                (kind, Some(join)) => format!("{kind} {join} Join"),
                (_, None) => other.to_owned(),
            },
        };
        if let Some(provider) = &self.provider {
            let _ = write!(label, " ({provider})");
        }
        if let Some(mode) = self.partial_mode.as_deref().filter(|mode| *mode != "Simple") {
            label = format!("{mode} {label}");
        }
        if self.parallel_aware {
            label = format!("Parallel {label}");
        }
        if self.backward {
            label.push_str(" Backward");
        }
        let _ = match (&self.index, &self.relation) {
            (Some(index), Some(relation)) => write!(label, " using {index} on {relation}"),
            (Some(name), None) | (None, Some(name)) => write!(label, " on {name}"),
            (None, None) => Ok(()),
        };
        label
    }
}
