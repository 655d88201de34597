//! What a record keeps of the captured plans.

use serde::{Deserialize, Serialize};

/// One captured plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFigures {
    /// Statement's name.
    pub statement: String,
    /// Whose parameter values it was made for: `hot`, `typical`, `cold` or `absent`; `generic` is the plan made for any values, executed
    /// with the typical ones.
    pub class: String,
    /// The parameter values, as a person reads them.
    pub parameters: Vec<String>,
    /// Node types and relations from the root down the first child, such as `Limit > Sort > Seq Scan on events`.
    pub shape: String,
    /// Distinct ways that relations are read, such as `Seq Scan on events`.
    pub scans: Vec<String>,
    /// Planning time in milliseconds; 0 where EXPLAIN did not say.
    pub planning_ms: f64,
    /// Execution time in milliseconds; null where it was not executed, since it would have taken too long.
    pub execution_ms: Option<f64>,
    /// Rows that scans read: those they returned and those their filters removed, over all loops; null as above.
    pub rows_read: Option<u64>,
    /// Rows the plan returned; null as above.
    pub rows_returned: Option<u64>,
    /// Shared buffers found in the cache; null as above.
    pub buffers_hit: Option<u64>,
    /// Shared buffers read from outside the cache; null as above.
    pub buffers_read: Option<u64>,
    /// The tree, each node before its children; empty in records of earlier builds.
    #[serde(default)]
    pub nodes: Vec<PlanNode>,
    /// Where each of the parameters comes from; empty in records of earlier builds.
    #[serde(default)]
    pub values_from: Vec<ValueSource>,
    /// Rows of the table that have each of the parameters; null where they were not counted, empty in records of earlier builds.
    #[serde(default)]
    pub value_rows: Vec<Option<u64>>,
    /// Milliseconds of the first execution, with whatever was cached; null where it was not executed.
    #[serde(default)]
    pub first_ms: Option<f64>,
    /// Milliseconds of the executions after it, in their order; `execution_ms` is their median, or the first's where there are none.
    #[serde(default)]
    pub executions_ms: Vec<f64>,
    /// Whether the plan made for any values has this shape too; null where that was not looked at.
    #[serde(default)]
    pub generic_is_same: Option<bool>,
    /// What limits what the plan says, such as `not executed: it took more than 30 s`; null where nothing does.
    #[serde(default)]
    pub note: Option<String>,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueSource {
    /// Of the values that the load sends, chosen by the rows that the table has of them.
    Data,
    /// From how often the load sends it.
    Distribution,
    /// The scenario names it.
    Scenario,
    /// From what an earlier step of the script returned.
    Result,
    /// From who asked.
    Given,
}

impl PlanFigures {
    /// Shared buffers touched, in the cache or not; `None` where the plan was not executed.
    pub fn buffers(&self) -> Option<u64> {
        Some(self.buffers_hit?.saturating_add(self.buffers_read?))
    }
}

/// A node of a captured plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanNode {
    /// Levels below the root.
    pub depth: usize,
    /// Type, index and relation as EXPLAIN's text names them: `Index Scan using events_pkey on events`.
    pub label: String,
    /// `Node Type`, such as `Index Scan`.
    pub node_type: String,
    /// Table it reads or changes.
    pub relation: Option<String>,
    /// Alias of that table in the statement.
    pub alias: Option<String>,
    /// Index it reads.
    pub index: Option<String>,
    /// Name of the subplan it is the top of, such as `CTE recent` or `InitPlan 1`.
    pub subplan: Option<String>,
    /// Conditions, keys and what was measured beside them, as EXPLAIN's text prints them: `Filter: (user_id = 42)`.
    pub details: Vec<String>,
    /// What the planner expected it and all below it to cost, by loop; null with COSTS off, and in records of earlier builds.
    #[serde(default)]
    pub cost: Option<f64>,
    /// Rows the planner expected, over all loops; by loop where the plan was not executed.
    pub estimated_rows: f64,
    /// Rows it returned, over all loops and workers; null where the plan was not executed.
    pub rows: Option<f64>,
    /// Rows it read and dropped, over all loops and workers; null as above.
    pub rows_removed: Option<f64>,
    /// How often it ran, over all workers, 0 when never; null as above.
    pub loops: Option<f64>,
    /// Milliseconds that it took itself; null where nothing was timed.
    pub own_ms: Option<f64>,
    /// Milliseconds that it and all below it took; null as above.
    pub total_ms: Option<f64>,
    /// Shared buffers that it touched itself, in the cache or not; null without BUFFERS.
    pub own_buffers: Option<u64>,
    /// `own_ms` as a share of that of all nodes, 0 to 1; null where nothing was timed.
    pub share: Option<f64>,
    /// Factor between the planner's rows and the real ones, 1 or more, both taken as at least 1; null where the plan was not
    /// executed or the node never ran.
    pub misestimate: Option<f64>,
}

/// The plans that ran under the load, as far as they were sampled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PlansUnderLoad {
    /// Why none could be sampled; null where they could.
    pub not_sampled: Option<String>,
    /// Sessions that could be sampled, over all blocks; 0 in older records.
    #[serde(default)]
    pub sessions: u64,
    /// Those of which plans of the measured window could be sampled: they had their warm-up.
    #[serde(default)]
    pub sessions_sampled: u64,
    /// The statements, in the order of the workload.
    pub statements: Vec<StatementUnderLoad>,
}

/// The sampled plans of one statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementUnderLoad {
    /// Statement's name.
    pub statement: String,
    /// Executions whose plan was sampled.
    pub sampled: u64,
    /// Those of them that ran in the warm-up, the others in the measured window.
    #[serde(default)]
    pub in_warmup: u64,
    /// Its plans, the most frequent first.
    pub plans: Vec<PlanUnderLoad>,
    /// Whether each of them is among the captured plans; null where none was sampled, or none captured.
    pub agrees: Option<bool>,
}

/// A plan that ran under the load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanUnderLoad {
    /// Node types and relations from the root down the first child.
    pub shape: String,
    /// Sampled executions that had it.
    pub count: u64,
    /// Those of them in the warm-up.
    #[serde(default)]
    pub in_warmup: u64,
    /// Classes of the captured plans that have the same nodes; empty where none has.
    pub classes: Vec<String>,
}
