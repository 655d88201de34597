//! A plan as a tree: what its nodes took, with the guilty ones marked.

use super::document::{Tone, Tree, TreeColumn, TreeNode};
use crate::{
    record::{PlanNode, Severity},
    text,
};

/// Nodes of a plan from which on parts of little weight are folded.
const FOLD_FROM: usize = 40;
/// Share of the time below which a part is folded.
const FOLD_BELOW: f64 = 0.01;
/// Factor between the planner's rows and the real ones from which on it is told.
const MISESTIMATE: f64 = 10.0;
/// Cells of a bar.
const BAR: usize = 6;

/// A finding on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Place of the node.
    pub(super) node: usize,
    /// The finding's number, where it has one.
    pub(super) number: Option<usize>,
    pub(super) severity: Severity,
}

/// The tree of a plan, without a summary.
pub(super) fn plan_tree(nodes: &[PlanNode], marks: &[Mark]) -> Tree {
    let has = Has::of(nodes);
    let sizes = subtree_sizes(nodes);
    let weights = weights(nodes, &sizes);
    let folds = foldable(nodes, &sizes, &weights, marks);
    let stopped = stopped_early(nodes);
    let mut tree = Tree {
        summary: String::new(),
        in_terminal: true,
        columns: has.columns(),
        nodes: Vec::new(),
        legend: String::new(),
    };
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        let (mut end, mut weight) = (at, 0.0);
        while folds.get(end) == Some(&true) && nodes[end].depth == node.depth {
            weight += weights.as_ref().map_or(0.0, |weights| weights[end]);
            end += sizes[end];
        }
        if end - at > 1 {
            tree.nodes.push(folded(node.depth, end - at, weight, has.time, tree.columns.len()));
            at = end;
        } else {
            let factor = misestimate(node).filter(|_| !(stopped[at] && node.rows < Some(node.estimated_rows)));
            tree.nodes.push(drawn(node, at, &has, marks, factor));
            at += 1;
        }
    }
    tree.legend = has.legend(tree.nodes.iter().any(|node| node.remark.is_some()));
    tree
}

/// What is known of any node.
struct Has {
    time: bool,
    cost: bool,
    rows: bool,
    /// Rows are expected, where they are not known.
    estimates: bool,
    buffers: bool,
}

impl Has {
    fn of(nodes: &[PlanNode]) -> Self {
        let time = nodes.iter().any(|node| node.own_ms.is_some());
        Self {
            time,
            cost: !time && nodes.iter().any(|node| node.cost.is_some()),
            rows: nodes.iter().any(|node| node.rows.is_some()),
            estimates: nodes.iter().all(|node| node.rows.is_none())
                && nodes.iter().any(|node| node.estimated_rows > 0.0),
            buffers: nodes.iter().any(|node| node.own_buffers.is_some()),
        }
    }

    fn columns(&self) -> Vec<TreeColumn> {
        let column = |title, is_optional| TreeColumn { title, is_optional };
        let of = |has: bool, title| has.then_some(column(title, false));
        [
            of(self.time, "time"),
            self.time.then_some(column("share", true)),
            of(self.cost, "cost"),
            of(self.rows, "rows"),
            of(self.estimates, "est rows"),
            of(self.buffers, "buffers"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn figures(&self, node: &PlanNode) -> Vec<String> {
        let ran = node.loops != Some(0.0);
        let text = |text: Option<String>| text.filter(|_| ran).unwrap_or_else(|| text::NOTHING.into());
        let of = |has: bool, figure: Option<String>| has.then(|| text(figure));
        [
            of(self.time, node.own_ms.map(text::milliseconds)),
            of(self.time, node.share.map(bar)),
            of(self.cost, node.cost.map(text::rounded)),
            of(self.rows, node.rows.map(text::rounded)),
            of(self.estimates, Some(text::rounded(node.estimated_rows))),
            of(self.buffers, node.own_buffers.map(text::count)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// What the columns hold. `is_off` is whether an estimate stands among them.
    fn legend(&self, is_off: bool) -> String {
        match () {
            () if self.rows => {}
            () if self.cost && self.estimates => {
                return "Cost and rows are what the planner expects; the cost is that of a node with all below it."
                    .into();
            }
            () => return String::new(),
        }
        let own = match (self.time, self.buffers) {
            (true, true) => {
                "Time, share and buffers are a node's own, without the nodes below it; rows are all that it returned"
            }
            (true, false) => {
                "Time and share are a node's own, without the nodes below it; rows are all that it returned"
            }
            (false, true) => "Buffers are a node's own, without the nodes below it; rows are all that it returned",
            (false, false) => "Rows are all that a node returned",
        };
        let est = if is_off { "; est is what the planner expected, where that was off by 10x or more" } else { "" };
        format!("{own}{est}.")
    }

    /// Place of the column of rows.
    fn rows_column(&self) -> usize {
        2 * usize::from(self.time) + usize::from(self.cost)
    }
}

fn drawn(node: &PlanNode, at: usize, has: &Has, marks: &[Mark], misestimate: Option<f64>) -> TreeNode {
    let own: Vec<&Mark> = marks.iter().filter(|mark| mark.node == at).collect();
    let never_ran = node.loops == Some(0.0);
    let guilty = own.iter().any(|mark| mark.severity > Severity::Info);
    let removed = node.rows_removed.filter(|removed| *removed > 0.0);
    let mut details = node.details.clone();
    details.extend(removed.map(|removed| format!("Rows Removed: {}", text::rounded(removed))));
    TreeNode {
        depth: node.depth,
        mark: mark(&own),
        label: label(node),
        tone: match () {
            () if guilty => Tone::Bad,
            () if never_ran => Tone::Faint,
            () => Tone::Plain,
        },
        figures: has.figures(node),
        remark: misestimate.map(|factor| {
            (has.rows_column(), format!("est {} ✗{}x", text::rounded(node.estimated_rows), text::significant(factor)))
        }),
        details,
    }
}

/// How far off its rows were, where that is worth a word and any were expected (there are none with COSTS off).
fn misestimate(node: &PlanNode) -> Option<f64> {
    node.misestimate.filter(|factor| *factor >= MISESTIMATE && node.rows.is_some() && node.estimated_rows > 0.0)
}

/// For each node whether one above it may have taken no more of its rows than it needed, so that fewer than expected are no error.
fn stopped_early(nodes: &[PlanNode]) -> Vec<bool> {
    // Reads all of its input before it returns a row.
    let reads_all = |node: &PlanNode| {
        matches!(node.node_type.as_str(), "Sort" | "Aggregate" | "Hash" | "BitmapAnd" | "BitmapOr" | "Bitmap Heap Scan")
    };
    let mut above: Vec<usize> = Vec::new();
    let mut stopped: Vec<bool> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        while above.pop_if(|top| nodes[*top].depth >= node.depth).is_some() {}
        let parent = above.last().map(|parent| (&nodes[*parent], stopped[*parent]));
        stopped.push(parent.is_some_and(|(parent, by_above)| {
            node.subplan.is_none() && (parent.node_type == "Limit" || (by_above && !reads_all(parent)))
        }));
        above.push(at);
    }
    stopped
}

/// `►1`, `►1,2`, `►1,2+`, `►` without numbers; `▷3` for what is only good to know.
fn mark(marks: &[&Mark]) -> String {
    let Some(worst) = marks.iter().map(|mark| mark.severity).max() else {
        return String::new();
    };
    let numbers: Vec<String> =
        marks.iter().filter_map(|mark| mark.number).take(2).map(|number| number.to_string()).collect();
    let more = if numbers.len() < marks.len() && !numbers.is_empty() { "+" } else { "" };
    format!("{}{}{more}", if worst == Severity::Info { '▷' } else { '►' }, numbers.join(","))
}

/// What a node is, with its alias and how often it ran.
pub(super) fn label(node: &PlanNode) -> String {
    let mut label = node.subplan.as_ref().map_or_else(String::new, |subplan| format!("{subplan}: "));
    label.push_str(&node.label);
    if let Some(alias) = node.alias.as_ref().filter(|alias| node.relation.as_ref() != Some(alias)) {
        label.push_str(&format!(" {alias}"));
    }
    let ran = match node.loops {
        Some(0.0) => " (never executed)".to_owned(),
        Some(loops) if loops > 1.0 => format!(" ({} loops)", text::rounded(loops)),
        _ => return label,
    };
    // Not broken within the brackets.
    label + " " + &ran[1..].replace(' ', "\u{a0}")
}

fn folded(depth: usize, nodes: usize, weight: f64, timed: bool, columns: usize) -> TreeNode {
    let of = if timed { "time" } else { "cost" };
    TreeNode {
        depth,
        mark: String::new(),
        label: format!("… {} nodes, {} of the {of}", text::count(nodes as u64), text::percent(weight)),
        tone: Tone::Faint,
        figures: vec![String::new(); columns],
        remark: None,
        details: Vec::new(),
    }
}

/// Nodes of each subtree, its top among them.
fn subtree_sizes(nodes: &[PlanNode]) -> Vec<usize> {
    let mut sizes = vec![1; nodes.len()];
    // Tops of finished subtrees, the nearest last.
    let mut after: Vec<usize> = Vec::new();
    for at in (0..nodes.len()).rev() {
        while let Some(child) = after.pop_if(|next| nodes[*next].depth > nodes[at].depth) {
            sizes[at] += sizes[child];
        }
        after.push(at);
    }
    sizes
}

/// Share of each subtree in the time, or in the cost where nothing was timed; `None` where that is not known either.
fn weights(nodes: &[PlanNode], sizes: &[usize]) -> Option<Vec<f64>> {
    if nodes.iter().any(|node| node.share.is_some()) {
        let mut sums = vec![0.0];
        for node in nodes {
            sums.push(sums[sums.len() - 1] + node.share.unwrap_or(0.0));
        }
        return Some(sizes.iter().enumerate().map(|(at, size)| sums[at + size] - sums[at]).collect());
    }
    let all = nodes.first()?.cost.filter(|cost| *cost > 0.0)?;
    Some(nodes.iter().map(|node| node.cost.unwrap_or(0.0) / all).collect())
}

/// For each node whether it is told in a line with all below it.
fn foldable(nodes: &[PlanNode], sizes: &[usize], weights: &Option<Vec<f64>>, marks: &[Mark]) -> Vec<bool> {
    let Some(weights) = weights.as_ref().filter(|_| nodes.len() > FOLD_FROM) else {
        return vec![false; nodes.len()];
    };
    let mut marked: Vec<usize> = marks.iter().map(|mark| mark.node).collect();
    marked.sort_unstable();
    let holds_mark =
        |at: usize| marked.get(marked.partition_point(|mark| *mark < at)).is_some_and(|mark| *mark < at + sizes[at]);
    (0..nodes.len()).map(|at| at > 0 && weights[at] < FOLD_BELOW && !holds_mark(at)).collect()
}

/// A share, 0 to 1, as a bar.
fn bar(share: f64) -> String {
    let full = (0..BAR).filter(|cell| share * BAR as f64 >= *cell as f64 + 0.5).count();
    "█".repeat(full) + &"░".repeat(BAR - full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Phase, sample},
        render::tree::lines,
    };

    fn node(depth: usize, label: &str, share: f64) -> PlanNode {
        let sample = sample::record(Phase::Before).plans[0].nodes[0].clone();
        let ms = Some(share * 100.0);
        PlanNode {
            depth,
            label: label.into(),
            share: Some(share),
            own_ms: ms,
            total_ms: ms,
            misestimate: None,
            ..sample
        }
    }

    fn drawn(nodes: &[PlanNode], marks: &[Mark]) -> String {
        lines(&plan_tree(nodes, marks), 80, false).join("\n")
    }

    #[test]
    fn the_guilty_node_is_marked_and_what_never_ran_says_so() {
        let nodes = [
            PlanNode {
                relation: None,
                alias: None,
                details: vec!["Join Filter: (o.id = e.id)".into()],
                rows_removed: Some(1e6),
                ..node(0, "Nested Loop", 0.2)
            },
            PlanNode {
                alias: Some("e".into()),
                misestimate: Some(100.0),
                rows: Some(500.0),
                estimated_rows: 5.0,
                ..node(1, "Seq Scan on events", 0.75)
            },
            PlanNode {
                loops: Some(500.0),
                rows: Some(5_000.0),
                subplan: Some("CTE recent".into()),
                ..node(1, "Index Scan using orders_pkey on orders", 0.05)
            },
            PlanNode { loops: Some(0.0), rows: Some(0.0), ..node(2, "Seq Scan on other", 0.0) },
        ];
        let marks = [
            Mark { node: 1, number: Some(1), severity: Severity::Critical },
            Mark { node: 1, number: Some(3), severity: Severity::Info },
            Mark { node: 2, number: Some(2), severity: Severity::Info },
        ];
        insta::assert_snapshot!(drawn(&nodes, &marks), @"
             node                                           time   share   rows  buffers
        ────────────────────────────────────────────────────────────────────────────────
             Nested Loop                                 20.0 ms  █░░░░░     20   17 412
             │   Join Filter: (o.id = e.id)
             │   Rows Removed: 1 000 000
        ►1,3 ├─ Seq Scan on events e                     75.0 ms  █████░    500   17 412
             │      Filter: (user_id = 4711)                        est 5 ✗100x
             │      Rows Removed: 999 980
        ▷2   └─ CTE recent: Index Scan using             5.00 ms  ░░░░░░  5 000   17 412
                │   orders_pkey on orders (500 loops)
                │   Filter: (user_id = 4711)
                │   Rows Removed: 999 980
                └─ Seq Scan on other (never executed)          -       -      -        -
                       Filter: (user_id = 4711)
                       Rows Removed: 999 980
        ");
    }

    #[test]
    fn without_analyze_there_are_costs_and_estimates() {
        let of = |node: PlanNode, cost| PlanNode {
            cost: Some(cost),
            own_ms: None,
            total_ms: None,
            share: None,
            rows: None,
            rows_removed: None,
            loops: None,
            own_buffers: None,
            ..node
        };
        let nodes = [of(node(0, "Sort", 0.0), 22_400.2), of(node(1, "Seq Scan on events", 0.0), 21_353.0)];
        insta::assert_snapshot!(drawn(&nodes, &[]), @"
        node                                                              cost  est rows
        ────────────────────────────────────────────────────────────────────────────────
        Sort                                                            22 400       100
        │   Filter: (user_id = 4711)
        └─ Seq Scan on events                                           21 353       100
               Filter: (user_id = 4711)
        ");
    }

    #[test]
    fn what_takes_little_of_a_huge_plan_is_folded_but_never_a_finding() {
        let mut nodes = vec![node(0, "Append", 0.01)];
        for part in 0..5_000 {
            let share = if part == 2_000 { 0.8 } else { 0.19 / 4_999.0 };
            nodes.extend([node(1, &format!("Sort {part}"), 0.0), node(2, &format!("Seq Scan on part_{part}"), share)]);
        }
        let begin = std::time::Instant::now();
        let text = drawn(&nodes, &[Mark { node: 9_000, number: Some(1), severity: Severity::Warning }]);
        assert!(begin.elapsed().as_secs_f64() < 2.0);
        insta::assert_snapshot!(text, @"
           node                                              time   share  rows  buffers
        ────────────────────────────────────────────────────────────────────────────────
           Append                                         1.00 ms  ░░░░░░    20   17 412
           │   Filter: (user_id = 4711)
           │   Rows Removed: 999 980
           ├─ … 4 000 nodes, 7.6 % of the time
           ├─ Sort 2000                                      0 ms  ░░░░░░    20   17 412
           │  │   Filter: (user_id = 4711)
           │  │   Rows Removed: 999 980
           │  └─ Seq Scan on part_2000                    80.0 ms  █████░    20   17 412
           │         Filter: (user_id = 4711)
           │         Rows Removed: 999 980
           ├─ … 4 996 nodes, 9.5 % of the time
           ├─ Sort 4499                                      0 ms  ░░░░░░    20   17 412
           │  │   Filter: (user_id = 4711)
           │  │   Rows Removed: 999 980
        ►1 │  └─ Seq Scan on part_4499                    3.80 µs  ░░░░░░    20   17 412
           │         Filter: (user_id = 4711)
           │         Rows Removed: 999 980
           └─ … 1 000 nodes, 1.9 % of the time
        ");
    }

    #[test]
    fn fewer_rows_than_expected_below_a_limit_are_no_misestimate() {
        let of = |depth, node_type: &str, rows, estimated_rows| PlanNode {
            node_type: node_type.into(),
            rows: Some(rows),
            estimated_rows,
            misestimate: Some(1_000.0),
            ..node(depth, node_type, 0.1)
        };
        let told = |nodes: &[PlanNode]| {
            let tree = plan_tree(nodes, &[]);
            tree.nodes.iter().map(|node| node.remark.is_some()).collect::<Vec<_>>()
        };
        let limit = || of(0, "Limit", 20.0, 20_000.0);
        let nodes = [limit(), of(1, "Nested Loop", 20.0, 20_000.0), of(2, "Index Scan", 20_000.0, 20.0)];
        assert_eq!(told(&nodes), [true, false, true]);
        let nodes = [limit(), of(1, "Sort", 20.0, 20_000.0), of(2, "Seq Scan", 20.0, 20_000.0)];
        assert_eq!(told(&nodes), [true, false, true]);
    }

    #[test]
    fn a_bar_is_full_only_for_nearly_all() {
        assert_eq!(
            [0.0, 0.05, 0.1, 0.5, 0.9, 0.95, 1.0].map(bar),
            ["░░░░░░", "░░░░░░", "█░░░░░", "███░░░", "█████░", "██████", "██████"]
        );
    }
}
