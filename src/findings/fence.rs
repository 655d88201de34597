//! What keeps a condition above a subquery from being checked where the rows are read.

use super::case::Case;
use crate::{
    plan::{Node, feeding, names},
    sqltext::{condition, quote},
    text::rounded as count,
};

/// What a condition cannot go below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fence {
    /// `key` is the first column of DISTINCT ON; `table` the only one that is read, and `columns` those of an index in the order needed.
    DistinctOn {
        key: String,
        table: Option<String>,
        columns: String,
    },
    Window,
    Grouped,
    /// OFFSET 0, which leaves nothing in the plan.
    Offset,
    Limit,
    /// UNION, INTERSECT, EXCEPT.
    Set,
    /// A CTE that is computed for itself, by what `inside` has of it besides.
    Cte {
        name: String,
        readers: usize,
        inside: Option<Box<Fence>>,
    },
    Recursive {
        name: String,
    },
    Writes {
        name: String,
    },
    Function {
        name: String,
    },
    SetReturning,
    Locks,
    Unknown,
}

impl Fence {
    /// Whether no condition goes below it but one on its keys.
    pub(crate) fn is_firm(&self) -> bool {
        matches!(self, Self::DistinctOn { .. } | Self::Window | Self::Limit | Self::SetReturning | Self::Locks)
    }

    /// How the rows came about, to follow `rows were computed`.
    pub(crate) fn computed(&self) -> String {
        match self {
            Self::DistinctOn { key, .. } => format!(" by DISTINCT ON ({key}, ..)"),
            Self::Window => " with a window function".to_owned(),
            Self::Grouped => " by a grouping".to_owned(),
            Self::Offset => " behind OFFSET 0".to_owned(),
            Self::Limit => " behind a LIMIT".to_owned(),
            Self::Set => " by a UNION or the like".to_owned(),
            Self::Cte { readers: 1, .. } => " in a CTE that is materialized".to_owned(),
            Self::Cte { readers, .. } => format!(" in a CTE that is read {} times", count(*readers as f64)),
            Self::Recursive { .. } => " by a recursive CTE".to_owned(),
            Self::Writes { .. } => " by a CTE that writes".to_owned(),
            Self::Function { .. } => " by a function".to_owned(),
            Self::SetReturning => " by a function that returns several rows".to_owned(),
            Self::Locks => " and locked".to_owned(),
            Self::Unknown => String::new(),
        }
    }
}

/// What is between the filter of the node at `at` and the tables.
pub(crate) fn fence(case: &Case<'_>, at: usize) -> Fence {
    let node = &case.plan.nodes()[at];
    match node.node_type.as_str() {
        "Function Scan" => {
            let name = node.function.as_deref().or(node.alias.as_deref()).unwrap_or("the function");
            Fence::Function { name: name.to_owned() }
        }
        "CTE Scan" => of_cte(case, node),
        _ => {
            let child = node.children.iter().find(|child| !case.plan.nodes()[**child].is_subplan());
            match child.map_or(Fence::Unknown, |child| below(case, *child)) {
                Fence::Unknown if mentions_offset_0(case) => Fence::Offset,
                found => found,
            }
        }
    }
}

fn of_cte(case: &Case<'_>, scan: &Node) -> Fence {
    let name = scan.cte.clone().unwrap_or_default();
    let Some(at) = feeding::definition(case.plan, scan) else {
        return Fence::Cte { readers: feeding::readers(case.plan, &name), name, inside: None };
    };
    match below(case, at) {
        _ if case.plan.nodes()[at].node_type == "Recursive Union" => Fence::Recursive { name },
        _ if case.plan.nodes()[at].writes() => Fence::Writes { name },
        inside => {
            let inside = (inside != Fence::Unknown).then(|| Box::new(inside));
            Fence::Cte { readers: feeding::readers(case.plan, &name), name, inside }
        }
    }
}

/// The first fence from the node at `at` downwards.
fn below(case: &Case<'_>, mut at: usize) -> Fence {
    let plan = case.plan;
    loop {
        let node = &plan.nodes()[at];
        let next = node.children.iter().copied().find(|child| !plan.nodes()[*child].is_subplan());
        match node.node_type.as_str() {
            "Unique" => return distinct_on(case, at),
            "WindowAgg" => return Fence::Window,
            "Aggregate" | "Group" => {
                let of_set = next.is_some_and(|next| plan.nodes()[next].node_type == "Append");
                return if of_set { Fence::Set } else { Fence::Grouped };
            }
            "Limit" => return Fence::Limit,
            "SetOp" => return Fence::Set,
            "Append" | "Merge Append" if plan.children(node).any(|child| child.node_type == "Subquery Scan") => {
                return Fence::Set;
            }
            "ProjectSet" => return Fence::SetReturning,
            "LockRows" => return Fence::Locks,
            "Sort" | "Incremental Sort" | "Materialize" | "Memoize" | "Gather" | "Gather Merge" | "Result"
            | "Subquery Scan" => match next {
                Some(next) => at = next,
                None => return Fence::Unknown,
            },
            _ => return Fence::Unknown,
        }
    }
}

fn distinct_on(case: &Case<'_>, at: usize) -> Fence {
    let below = case.plan.subtree(at);
    let mut scans = below.iter().filter(|node| node.scans_relation());
    let scan = scans.next().filter(|_| scans.next().is_none());
    let sorted = below.iter().map(|node| &node.conditions.sort_key).find(|keys| !keys.is_empty());
    let alias = scan.and_then(|scan| scan.alias.as_deref().or(scan.relation.as_deref())).unwrap_or_default();
    let columns: Vec<String> = match sorted {
        Some(keys) => keys.iter().map(|key| condition::unqualified(key, alias)).collect(),
        // It is read in order: by an index that the catalog knows.
        None => scan.map(|scan| index_keys(case, scan)).unwrap_or_default(),
    };
    let key = columns.first().map_or("key", |key| key.split(' ').next().unwrap_or(key)).to_owned();
    // What is there need not be advised.
    let is_new = sorted.is_some();
    Fence::DistinctOn {
        key,
        table: scan.and_then(names::table),
        columns: if is_new { columns.join(", ") } else { String::new() },
    }
}

/// Columns of the index that a scan reads.
fn index_keys(case: &Case<'_>, scan: &Node) -> Vec<String> {
    let table = scan.relation.as_deref().and_then(|name| case.statement.tables.find(scan.schema.as_deref(), name));
    let index = table.and_then(|table| table.indexes.iter().find(|index| Some(&index.name) == scan.index.as_ref()));
    let name = |key: &crate::catalog::IndexKey| {
        if key.is_expression { key.expression.clone() } else { quote::identifier(&key.expression) }
    };
    index.map(|index| index.keys.iter().map(name).collect()).unwrap_or_default()
}

fn mentions_offset_0(case: &Case<'_>) -> bool {
    let Some(sql) = case.statement.sql.or(case.plan.query.as_deref()) else { return false };
    let words: Vec<&str> = sql.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ';' | ',')).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.windows(2).any(|pair| pair[0].eq_ignore_ascii_case("offset") && pair[1] == "0")
}
