//! FORMAT TEXT to the normal form: what it says under the keys of FORMAT JSON. The tree is in the indentation.

mod broken;
mod details;
mod label;

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    draft::Draft,
    error::{Error, Kind},
    own,
    plan::{Actual, Buffers, Jit, Node, Plan, Trigger},
    read::MAX_DEPTH,
};
use details::{detail, list, number};

/// A line without its indentation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// Its number in the input, from 1.
    pub(super) number: usize,
    /// Characters of space before it.
    pub(super) indent: usize,
    pub(super) text: &'t str,
}

/// Whether a plan begins with `line`, which the line `next` follows.
pub(super) fn begins<'t>(line: &str, next: impl FnOnce() -> Option<&'t str>) -> bool {
    label::is_node(line)
        && (label::has_measures(line)
            || next().is_some_and(|next| next.starts_with("->") || is_statement_line(next) || is_detail(next)))
}

/// Lines of a statement as a whole, which follow the nodes.
const STATEMENT_KEYS: [&str; 7] = [
    "Planning Time",
    "Execution Time",
    "Planning time",
    "Execution time",
    "Settings",
    "Query Identifier",
    "Serialization",
];

fn is_statement_line(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| STATEMENT_KEYS.contains(&key) || key.starts_with("Trigger "))
        || matches!(line, "Planning:" | "JIT:")
}

fn is_detail(line: &str) -> bool {
    let key = line.split_once(": ").map_or("", |(key, _)| key);
    [
        "Filter",
        "Index Cond",
        "Recheck Cond",
        "TID Cond",
        "Join Filter",
        "Hash Cond",
        "Merge Cond",
        "Output",
        "Sort Key",
        "Presorted Key",
        "Group Key",
        "Order By",
        "Cache Key",
        "Function Call",
        "One-Time Filter",
    ]
    .contains(&key)
}

/// Reads the plan that `first` begins, which `rest` follows; gives the number of its lines too.
pub(super) fn read<'t>(
    first: Line<'t>,
    mut rest: impl Iterator<Item = Line<'t>> + Clone,
) -> Result<(Plan, usize), Error> {
    let mut reader = Reader { root_indent: first.indent, ..Reader::default() };
    let mut read = 0;
    let mut next = Some(first);
    while let Some(line) = next {
        let (text, more) = broken::joined(line.text, rest.clone())
            .map_or((Cow::Borrowed(line.text), 0), |(text, more)| (Cow::Owned(text), more));
        let whole = Line { text: &text, ..line };
        if reader.drafts.is_empty() {
            reader.node(whole, whole.text, whole.indent)?;
        } else if !whole.text.is_empty() && !reader.line(whole)? {
            broken::refuse_torn(line, rest, reader.root_indent, reader.execution_ms.is_some())?;
            break;
        }
        read += 1 + more;
        next = rest.nth(more);
    }
    Ok((reader.finish()?, read))
}

/// Lines that belong together by what heads them.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Block {
    Planning,
    Jit,
    /// A worker's.
    Other,
}

#[derive(Debug, Default)]
struct Reader {
    root_indent: usize,
    drafts: Vec<Draft>,
    /// Of each node its parent and the number of its line.
    places: Vec<(Option<usize>, usize)>,
    /// Nodes on the way to the last one, each with the indentation of what is below it.
    open: Vec<(usize, usize)>,
    /// The heading of a subplan, its indentation and the number of its line.
    heading: Option<(String, usize, usize)>,
    worker: Option<(usize, Draft)>,
    block: Option<(usize, Block)>,
    planning_ms: Option<f64>,
    execution_ms: Option<f64>,
    settings: BTreeMap<String, String>,
    jit: Option<Jit>,
    triggers: Vec<Trigger>,
}

impl Reader {
    /// Takes a line; whether it belongs to the plan.
    fn line(&mut self, line: Line<'_>) -> Result<bool, Error> {
        let arrow = line.text.strip_prefix("->");
        if line.indent <= self.root_indent && (arrow.is_some() || is_detail(line.text)) {
            let message =
                format!("line {}: the lines have lost their indentation, which says what is below what", line.number);
            return Err(pasted(message, "copy the plan as it was printed, or use EXPLAIN (FORMAT JSON)"));
        }
        if let Some(arrow) = arrow {
            self.end_worker();
            self.block = None;
            return self.node(line, arrow.trim_start(), line.indent).map(|()| true);
        }
        if let Some((indent, block)) = self.block {
            if line.indent > indent {
                self.in_block(block, line.text);
                return Ok(true);
            }
            self.block = None;
        }
        if self.worker.as_ref().is_some_and(|(indent, _)| line.indent <= *indent) {
            self.end_worker();
        }
        if line.indent <= self.root_indent || is_statement_line(line.text) {
            if self.worker.is_some() && line.text == "JIT:" {
                self.block = Some((line.indent, Block::Other));
                return Ok(true);
            }
            return Ok(self.statement_line(line));
        }
        if label::is_node(line.text) && label::has_measures(line.text) {
            return Ok(false);
        }
        if ["InitPlan ", "SubPlan ", "CTE "].iter().any(|kind| line.text.starts_with(kind)) {
            self.heading = Some((line.text.to_owned(), line.indent, line.number));
            return Ok(true);
        }
        if let Some((number, rest)) = line.text.strip_prefix("Worker ").and_then(|rest| rest.split_once(':'))
            && number.parse::<u32>().is_ok()
        {
            let (_, worker) = self.worker.insert((line.indent, Draft::default()));
            return match rest.trim().strip_prefix("actual ") {
                Some(_) => Ok(()),
                None => detail(worker, rest.trim()),
            }
            .map(|()| true)
            .map_err(|expected| not(line, expected));
        }
        let taken = match (&mut self.worker, self.drafts.last_mut()) {
            (Some((_, worker)), _) => detail(worker, line.text),
            (None, Some(node)) => detail(node, line.text),
            (None, None) => Ok(()),
        };
        taken.map(|()| true).map_err(|expected| not(line, expected))
    }

    /// Takes the line of a node, whose arrow or name begins at `indent`.
    fn node(&mut self, line: Line<'_>, text: &str, indent: usize) -> Result<(), Error> {
        if text.is_empty() {
            let message = format!("line {}: nothing stands behind the arrow: the plan is cut off", line.number);
            return Err(pasted(message, "copy all of it, from the first line to the last"));
        }
        if text == "Task" || text.starts_with("Distributed Subplan ") || text == "MapMergeJob" {
            let message =
                format!("line {}: the plan is of Citus, which shows what its nodes ran as tasks", line.number);
            return Err(pasted(message, "run EXPLAIN (ANALYZE, BUFFERS) of a task's query on its node, and give that"));
        }
        let mut draft = label::node(text).ok_or_else(|| {
            let message = format!(
                "line {}: {text:?} is no node that EXPLAIN prints whole: the plan is cut off, or not PostgreSQL's",
                line.number
            );
            pasted(message, "copy all of it, from the first line to the last")
        })?;
        while self.open.last().is_some_and(|(_, below)| *below > indent) {
            self.open.pop();
        }
        let parent = self.open.last().map(|(parent, _)| *parent);
        if let Some((name, ..)) = self.heading.take().filter(|(_, of, _)| *of < indent) {
            let relationship = if name.starts_with("SubPlan ") { "SubPlan" } else { "InitPlan" };
            draft.node.relationship = Some(relationship.to_owned());
            draft.node.subplan = Some(name);
        }
        draft.node.depth = parent.map_or(0, |parent| self.drafts[parent].node.depth + 1);
        if draft.node.depth >= MAX_DEPTH {
            return Err(Kind::Depth(MAX_DEPTH).into());
        }
        let at = self.drafts.len();
        if let Some(parent) = parent {
            self.drafts[parent].node.children.push(at);
        }
        let below = if at == 0 { indent + 1 } else { indent + 3 };
        self.open.push((at, below));
        self.drafts.push(draft);
        self.places.push((parent, line.number));
        Ok(())
    }

    fn end_worker(&mut self) {
        if let (Some((_, worker)), Some(node)) = (self.worker.take(), self.drafts.last_mut()) {
            node.worker(worker);
        }
    }

    /// Takes a line of the statement as a whole; whether it is one.
    fn statement_line(&mut self, line: Line<'_>) -> bool {
        let block = match line.text {
            "Planning:" => Some(Block::Planning),
            "JIT:" => Some(Block::Jit),
            _ => None,
        };
        if let Some(block) = block {
            self.block = Some((line.indent, block));
            return true;
        }
        let Some((key, value)) = line.text.split_once(':') else { return false };
        let value = value.trim();
        match key {
            "Planning Time" | "Planning time" => self.planning_ms = number(value).ok(),
            "Execution Time" | "Execution time" => self.execution_ms = number(value).ok(),
            "Settings" => {
                for (name, value) in list(value).into_iter().filter_map(|setting| setting.split_once(" = ")) {
                    self.settings.insert(name.to_owned(), value.trim_matches('\'').replace("''", "'"));
                }
            }
            _ => match line.text.strip_prefix("Trigger ").and_then(trigger) {
                Some(trigger) => self.triggers.push(trigger),
                None => return STATEMENT_KEYS.contains(&key),
            },
        }
        true
    }

    fn in_block(&mut self, block: Block, line: &str) {
        if block != Block::Jit {
            return;
        }
        let jit = self.jit.get_or_insert(Jit { functions: 0.0, total_ms: 0.0 });
        if let Some(functions) = line.strip_prefix("Functions: ") {
            jit.functions = number(functions).unwrap_or(0.0);
        } else if let Some((_, total)) = line.strip_prefix("Timing: ").and_then(|line| line.rsplit_once("Total ")) {
            jit.total_ms = number(total).unwrap_or(0.0);
        }
    }

    fn finish(mut self) -> Result<Plan, Error> {
        self.end_worker();
        if let Some((name, _, line)) = self.heading {
            return Err(cut(line, &format!("{name:?}")));
        }
        let mut nodes: Vec<Node> = self.drafts.into_iter().map(Draft::finish).collect();
        for (node, (parent, _)) in nodes.iter_mut().zip(&self.places) {
            node.parent = *parent;
        }
        for (at, (_, line)) in self.places.iter().enumerate() {
            relate(&mut nodes, at)
                .map_err(|()| cut(*line, &format!("{:?} that it could read from", nodes[at].label())))?;
        }
        settle(&mut nodes);
        own::fill_in(&mut nodes);
        Ok(Plan {
            nodes,
            planning_ms: self.planning_ms,
            execution_ms: self.execution_ms,
            settings: self.settings,
            jit: self.jit,
            triggers: self.triggers,
            query: None,
        })
    }
}

/// Says of what feeds a node how it does, which text leaves out.
///
/// # Errors
/// There is less than the node reads from.
fn relate(nodes: &mut [Node], at: usize) -> Result<(), ()> {
    let feeding: Vec<usize> =
        nodes[at].children.iter().copied().filter(|child| nodes[*child].relationship.is_none()).collect();
    let (least, names): (usize, &[&str]) = match nodes[at].node_type.as_str() {
        "Nested Loop" | "Hash Join" | "Merge Join" | "Recursive Union" => (2, &["Outer", "Inner"]),
        "Append" | "Merge Append" => (0, &["Member"]),
        "BitmapAnd" | "BitmapOr" => (2, &["Member"]),
        "Subquery Scan" => (1, &["Subquery"]),
        "SetOp" => (1, &["Outer", "Inner"]),
        "Aggregate" | "Gather" | "Gather Merge" | "Incremental Sort" | "Sort" | "Materialize" | "Memoize" | "Group"
        | "WindowAgg" | "Unique" | "LockRows" | "Limit" | "ProjectSet" | "Hash" | "ModifyTable"
        | "Bitmap Heap Scan" => (1, &["Outer"]),
        _ => (0, &["Outer", "Inner"]),
    };
    if feeding.len() < least {
        return Err(());
    }
    for (index, child) in feeding.into_iter().enumerate() {
        nodes[child].relationship = Some(names[index.min(names.len() - 1)].to_owned());
    }
    Ok(())
}

/// Fills in what text leaves out where it is nothing: no buffers, no time of what never ran.
fn settle(nodes: &mut [Node]) {
    let has_buffers = nodes.iter().any(|node| node.buffers.is_some());
    let is_timed = nodes.iter().any(|node| node.actual.is_some_and(|actual| actual.total_ms.is_some()));
    for node in nodes {
        if has_buffers {
            node.buffers.get_or_insert_with(Buffers::default);
        }
        if let Some(actual @ Actual { loops: 0.0, total_ms: None, .. }) = &mut node.actual
            && is_timed
        {
            (actual.startup_ms, actual.total_ms) = (Some(0.0), Some(0.0));
        }
    }
}

/// `touched: time=0.123 calls=10`, `RI_x for constraint y on t: calls=1`.
fn trigger(line: &str) -> Option<Trigger> {
    let (names, figures) = line.rsplit_once(": ")?;
    let figure = |name| figures.split(' ').find_map(|figure| number(figure.strip_prefix(name)?).ok());
    let (names, relation) =
        names.rsplit_once(" on ").map_or((names, None), |(names, relation)| (names, Some(relation)));
    let (name, constraint) = match names.split_once("for constraint ") {
        Some((name, constraint)) => (name.trim_end(), Some(constraint)),
        None => (names, None),
    };
    Some(Trigger {
        name: name.to_owned(),
        constraint: constraint.map(str::to_owned),
        relation: relation.map(str::to_owned),
        calls: figure("calls=")?,
        time_ms: figure("time="),
    })
}

fn cut(line: usize, what: &str) -> Error {
    let message = format!("line {line}: nothing stands below {what}: the plan is cut off");
    pasted(message, "copy all of it, from the first line to the last")
}

fn not(line: Line<'_>, expected: &str) -> Error {
    let message = format!("line {}: {:?} does not say {expected}", line.number, line.text);
    pasted(message, "copy the plan as it was printed, or use EXPLAIN (FORMAT JSON)")
}

fn pasted(message: String, hint: &'static str) -> Error {
    Kind::Pasted { message, hint: Some(hint) }.into()
}
