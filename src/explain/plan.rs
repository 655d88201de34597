//! The normal form: a tree of nodes.
//!
//! What PostgreSQL prints by loop stays by loop here, since that is what was measured; the methods give totals.

use std::{collections::BTreeMap, fmt::Write};

/// One statement's plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The topmost node.
    pub root: Node,
    /// Planning time in milliseconds; `None` where EXPLAIN did not say.
    pub planning_ms: Option<f64>,
    /// Execution time in milliseconds; `None` without ANALYZE.
    pub execution_ms: Option<f64>,
    /// Planner settings that differ from their default.
    pub settings: BTreeMap<String, String>,
}

/// One node of a plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
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
    /// Schema of that table.
    pub schema: Option<String>,
    /// Alias of that table in the statement.
    pub alias: Option<String>,
    /// Index it reads.
    pub index: Option<String>,
    /// `Insert`, `Update`, `Delete` or `Merge` of a node that writes.
    pub operation: Option<String>,
    /// How it aggregates or makes sets: `Plain`, `Sorted`, `Hashed`, `Mixed`.
    pub strategy: Option<String>,
    /// `Partial` or `Finalize` where workers aggregate.
    pub partial_mode: Option<String>,
    /// `Inner`, `Left`, `Semi` and the like of a join.
    pub join_type: Option<String>,
    /// Rows the planner expected, by loop.
    pub plan_rows: f64,
    /// What was measured; `None` without ANALYZE.
    pub actual: Option<Actual>,
    /// Rows that it read and dropped, by loop.
    pub removed: Removed,
    /// Blocks that it and its children touched, over all loops.
    pub buffers: Buffers,
    /// Workers that were planned; `None` where the node starts none.
    pub workers_planned: Option<u64>,
    /// Workers that ran.
    pub workers_launched: Option<u64>,
    /// What it reads from, in the order of the plan, subplans among them.
    pub children: Vec<Node>,
}

/// What ANALYZE measured at a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Actual {
    /// How often it ran, over all workers; 0 when it was never executed.
    pub loops: f64,
    /// Rows it returned, by loop: a whole number before PostgreSQL 18, two decimals from there.
    pub rows: f64,
    /// Milliseconds to the first row, by loop.
    pub startup_ms: f64,
    /// Milliseconds to the last row, by loop, its children's included.
    pub total_ms: f64,
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

impl Plan {
    /// All nodes, each before its children.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let mut ahead = vec![&self.root];
        std::iter::from_fn(move || {
            let node = ahead.pop()?;
            ahead.extend(node.children.iter().rev());
            Some(node)
        })
    }

    /// Labels from the root down the first child that feeds it rows: `Limit > Sort > Seq Scan on events`.
    pub fn shape(&self) -> String {
        std::iter::successors(Some(&self.root), |node| node.children.iter().find(|child| !child.is_subplan()))
            .map(Node::label)
            .collect::<Vec<_>>()
            .join(" > ")
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

    /// Whether it makes a value or a CTE for other nodes instead of rows for its parent.
    pub fn is_subplan(&self) -> bool {
        matches!(self.relationship.as_deref(), Some("InitPlan" | "SubPlan"))
    }

    /// Its type, index and relation as EXPLAIN's text names them: `Index Scan using events_pkey on events`.
    pub fn label(&self) -> String {
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
        if let Some(mode) = self.partial_mode.as_deref().filter(|mode| *mode != "Simple") {
            label = format!("{mode} {label}");
        }
        if self.parallel_aware {
            label = format!("Parallel {label}");
        }
        if self.backward {
            label.push_str(" Backward");
        }
        // Writing to a String cannot fail.
        let _ = match (&self.index, &self.relation) {
            (Some(index), Some(relation)) => write!(label, " using {index} on {relation}"),
            (Some(name), None) | (None, Some(name)) => write!(label, " on {name}"),
            (None, None) => Ok(()),
        };
        label
    }
}
