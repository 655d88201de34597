//! What may stand below a node: how it feeds it, and whether the tree that the indentation gives can be one.

use super::line::pasted;
use crate::plan::{error::Error, model::Node};

/// What a node takes, subplans aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Takes {
    least: usize,
    most: usize,
    names: &'static [&'static str],
}

const ANY: usize = usize::MAX;

/// What a node of this type takes.
pub(crate) fn takes(node_type: &str) -> Takes {
    let (least, most, names): (usize, usize, &[&str]) = match node_type {
        "Nested Loop" | "Hash Join" | "Merge Join" | "Recursive Union" => (2, 2, &["Outer", "Inner"]),
        "Append" | "Merge Append" => (0, ANY, &["Member"]),
        "BitmapAnd" | "BitmapOr" => (2, ANY, &["Member"]),
        "Subquery Scan" => (1, 1, &["Subquery"]),
        "SetOp" => (1, 2, &["Outer", "Inner"]),
        "Aggregate" | "Gather" | "Gather Merge" | "Incremental Sort" | "Sort" | "Materialize" | "Memoize" | "Group"
        | "WindowAgg" | "Unique" | "LockRows" | "Limit" | "ProjectSet" | "Hash" | "Bitmap Heap Scan" => {
            (1, 1, &["Outer"])
        }
        "ModifyTable" => (1, ANY, &["Outer"]),
        "Result" => (0, 1, &["Outer"]),
        "Seq Scan"
        | "Sample Scan"
        | "Index Scan"
        | "Index Only Scan"
        | "Bitmap Index Scan"
        | "Tid Scan"
        | "Tid Range Scan"
        | "Function Scan"
        | "Table Function Scan"
        | "Values Scan"
        | "CTE Scan"
        | "Named Tuplestore Scan"
        | "WorkTable Scan" => (0, 0, &["Outer"]),
        _ => (0, ANY, &["Outer", "Inner"]),
    };
    Takes { least, most, names }
}

/// Which node each next one is below where the indentation is lost: a node's line follows that of the node it is below, and those of
/// what that takes before it. That says it beyond doubt as long as every node takes a known number of others; one that takes any number
/// has all that follows, if none above it waits for more.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Vec<(usize, Takes)>);

impl Waiting {
    /// The node that the next one is below; `None` where there may be several, or none.
    pub(crate) fn parent(&mut self) -> Option<usize> {
        while self.0.last().is_some_and(|(_, takes)| takes.most == 0) {
            self.0.pop();
        }
        let waiting = self.0.len();
        let (above, last) = self.0.split_at_mut(waiting.saturating_sub(1));
        let (node, takes) = last.first_mut()?;
        if takes.most != ANY {
            // It may take less, and what follows be another's.
            if takes.least < takes.most {
                return None;
            }
            takes.most -= 1;
            takes.least -= 1;
        } else if takes.names != ["Member"] || above.iter().any(|(_, above)| above.most > 0) {
            return None;
        }
        Some(*node)
    }

    /// A node that others may be below.
    pub(crate) fn push(&mut self, node: usize, node_type: &str) {
        self.0.push((node, takes(node_type)));
    }
}

/// Says of what feeds a node how it does, which text leaves out.
///
/// # Errors
/// There is less than the node reads from, or more; `lines` are the nodes' numbers.
pub(crate) fn relate(nodes: &mut [Node], at: usize, lines: &[usize]) -> Result<(), Error> {
    let feeding: Vec<usize> =
        nodes[at].children.iter().copied().filter(|child| nodes[*child].relationship.is_none()).collect();
    let Takes { mut least, most, names } = takes(&nodes[at].node_type);
    if matches!(nodes[at].node_type.as_str(), "Append" | "Merge Append") && nodes[at].subplans_removed.is_none() {
        least = 1;
    }
    if feeding.len() < least {
        return Err(cut(lines[at], &format!("{:?} that it could read from", nodes[at].label())));
    }
    if let Some(more) = feeding.get(most) {
        let message = format!(
            "line {}: {:?} stands below {:?} of line {}, which takes {}: the indentation of the lines is damaged",
            lines[*more],
            nodes[*more].label(),
            nodes[at].label(),
            lines[at],
            match most {
                0 => "none".to_owned(),
                1 => "one only".to_owned(),
                most => format!("{most} only"),
            }
        );
        return Err(pasted(message, "copy the plan as it was printed, or use EXPLAIN (FORMAT JSON)"));
    }
    for (index, child) in feeding.into_iter().enumerate() {
        nodes[child].relationship = Some(names[index.min(names.len() - 1)].to_owned());
    }
    Ok(())
}

/// Factor beyond which what ran inside a node cannot have taken longer than the node.
const LONGER: f64 = 5.0;
/// Milliseconds below which it may.
const NOTHING_MS: f64 = 50.0;

/// Checks that no node took far less time than one that feeds it.
///
/// # Errors
/// One did: the tree is not the one that was printed.
pub(crate) fn check_times(nodes: &[Node], lines: &[usize]) -> Result<(), Error> {
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| !node.is_subplan()) {
        let Some(above) = node.parent else { continue };
        let (Some(inner), Some(outer)) = (node.total_ms, nodes[above].total_ms) else { continue };
        // Times are rounded by loop.
        let rounding = 0.001 * (node.loops() + nodes[above].loops());
        if inner > outer * LONGER + NOTHING_MS + rounding {
            let message = format!(
                "line {}: {:?} took {inner:.0} ms, but stands below {:?} of line {}, which took {outer:.0} ms in all: the \
                 indentation of the lines is damaged",
                lines[at],
                node.label(),
                nodes[above].label(),
                lines[above],
            );
            return Err(pasted(message, "copy the plan as it was printed, or use EXPLAIN (FORMAT JSON)"));
        }
    }
    Ok(())
}

/// A plan that ends before what it has to have.
pub(crate) fn cut(line: usize, what: &str) -> Error {
    let message = format!("line {line}: nothing stands below {what}: the plan is cut off");
    pasted(message, "copy all of it, from the first line to the last")
}
