//! Lines to nodes, one after the other: the tree is in the indentation.

use std::collections::BTreeMap;

use super::{
    details::{self, detail, list, number},
    label,
    line::{Line, STATEMENT_KEYS, is_detail, is_root, is_statement_line, pasted},
    shape::{self, Waiting, cut},
    torn, wrapped,
};
use crate::plan::{
    damage::Damage,
    error::{Error, Kind},
    json::read::MAX_DEPTH,
    model::{Actual, Buffers, Jit, Node, Plan, Trigger},
    own_time,
    unfinished_node::Draft,
};

/// Lines that belong together by what heads them.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Block {
    Planning,
    Jit,
    /// A worker's.
    Other,
}

#[derive(Debug, Default)]
pub(crate) struct Reader {
    root_indent: usize,
    drafts: Vec<Draft>,
    /// Of each node its parent and the number of its line.
    places: Vec<(Option<usize>, usize)>,
    /// Nodes on the way to the last one, each with the indentation of what is below it.
    open: Vec<(usize, usize)>,
    /// Whether what is right below the first node is not indented.
    is_flat: bool,
    /// The same where the indentation is lost.
    waiting: Waiting,
    damage: Damage,
    /// The heading of a subplan, its indentation and the number of its line.
    heading: Option<(String, usize, usize)>,
    /// A worker: the indentation of its first line, its number, what it says.
    worker: Option<(usize, String, Draft)>,
    block: Option<(usize, Block)>,
    planning_ms: Option<f64>,
    execution_ms: Option<f64>,
    settings: BTreeMap<String, String>,
    /// The lines below `JIT:`, without spaces.
    jit: String,
    triggers: Vec<Trigger>,
}

impl Reader {
    /// One that has read nothing of a plan whose first line has this indentation.
    pub(crate) fn new(root_indent: usize, damage: Damage) -> Self {
        Self { root_indent, damage, ..Self::default() }
    }

    /// Whether it has no node.
    pub(crate) fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Whether the line that says how long the statement took was read.
    pub(crate) fn is_timed(&self) -> bool {
        self.execution_ms.is_some()
    }

    /// Takes a line; whether it belongs to the plan.
    pub(crate) fn line(&mut self, line: Line<'_>) -> Result<bool, Error> {
        let arrow = line.text.strip_prefix("->");
        let is_folded = self.damage.is_rebuilt;
        if line.indent <= self.root_indent + 1 && !is_folded && (arrow.is_some() || is_detail(line.text)) {
            if self.damage.is_fragment && arrow.is_some() {
                return Ok(false);
            }
            // Some clients indent all but what is right below the first node.
            let is_first = self.drafts.len() == 1 && line.indent == self.root_indent;
            self.is_flat |= is_first && arrow.is_some();
            let is_below_first = self.is_flat && arrow.is_some() && line.indent == self.root_indent;
            if !(is_first || is_below_first) {
                return Err(lost(line.number));
            }
        }
        if let Some(arrow) = arrow {
            self.end_worker();
            self.block = None;
            return self.node(line, arrow.trim_start(), line.indent).map(|()| true);
        }
        if let Some((indent, block)) = self.block {
            if line.indent > indent || is_folded && wrapped::is_of_block(line.text) {
                self.in_block(block, line.text);
                return Ok(true);
            }
            self.block = None;
        }
        if self.worker.as_ref().is_some_and(|(indent, ..)| line.indent <= *indent) {
            self.end_worker();
        }
        // The times of what a custom scan ran on another server.
        let is_elsewhere = line.indent > self.root_indent + 1
            && is_statement_line(line.text)
            && line.text.contains(" Time: ")
            && self.open.iter().any(|(node, below)| *below <= line.indent && self.is_custom(*node));
        if is_elsewhere {
            let about = self.open.iter().rev().map(|(node, _)| *node).find(|node| self.is_custom(*node));
            if let Some(draft) = about.and_then(|node| self.drafts.get_mut(node)) {
                draft.other(line.text);
            }
            return Ok(true);
        }
        let is_of_first = self.drafts.len() == 1 && wrapped::is_own(line.text) && !is_statement_line(line.text);
        let is_of_statement = line.indent <= self.root_indent && !is_folded && !is_of_first;
        if is_of_statement || is_statement_line(line.text) || details::is_of_statement(line.text) {
            if self.worker.is_some() && line.text == "JIT:" {
                self.block = Some((line.indent, Block::Other));
                return Ok(true);
            }
            return Ok(self.statement_line(line));
        }
        if is_root(line.text) {
            return Ok(false);
        }
        if ["InitPlan ", "SubPlan ", "CTE ", "Distributed Subplan "].iter().any(|kind| line.text.starts_with(kind)) {
            if is_folded {
                return Err(lost(line.number));
            }
            self.heading = Some((line.text.to_owned(), line.indent, line.number));
            return Ok(true);
        }
        if is_folded && !line.text.contains(':') {
            return Ok(false);
        }
        if wrapped::is_rule(line.text) {
            return Ok(true);
        }
        if !details::is_known(line.text) && torn::is_part(line.text) {
            return Err(torn::part(line));
        }
        if let Some((number, rest)) = line.text.strip_prefix("Worker ").and_then(|rest| rest.split_once(':'))
            && number.parse::<u32>().is_ok()
        {
            self.end_worker();
            let (.., worker) = self.worker.insert((line.indent, number.to_owned(), Draft::default()));
            return match rest.trim().strip_prefix("actual ") {
                Some(_) => Ok(()),
                None if rest.trim().is_empty() => Ok(()),
                None => detail(worker, rest.trim()),
            }
            .map(|()| true)
            .map_err(|expected| not(line, expected));
        }
        let about = self.about(line.indent);
        let taken = match (&mut self.worker, self.drafts.get_mut(about)) {
            (Some((.., worker)), _) => detail(worker, line.text),
            (None, Some(node)) => detail(node, line.text),
            (None, None) => Ok(()),
        };
        taken.map(|()| true).map_err(|expected| not(line, expected))
    }

    /// The node that a line with this indentation says something of: the last one. A custom scan goes on below the plans
    /// that it shows of other servers, and is told by the indentation.
    fn about(&self, indent: usize) -> usize {
        let last = self.drafts.len().saturating_sub(1);
        let above = self.open.iter().rev().find(|(_, below)| *below <= indent).map(|(node, _)| *node);
        above.filter(|node| !self.damage.is_rebuilt && self.is_custom(*node)).unwrap_or(last)
    }

    fn is_custom(&self, node: usize) -> bool {
        self.drafts[node].node.node_type == "Custom Scan"
    }

    /// Takes the line of a node, whose arrow or name begins at `indent`.
    pub(crate) fn node(&mut self, line: Line<'_>, text: &str, indent: usize) -> Result<(), Error> {
        if text.is_empty() {
            let message = format!("line {}: nothing stands behind the arrow: the plan is cut off", line.number);
            return Err(pasted(message, "copy all of it, from the first line to the last"));
        }
        // What Citus ran on another node stands below this line, which measures nothing; what a subplan of its needs, too.
        if text == "Task" || text == "MapMergeJob" {
            return Ok(());
        }
        if text.starts_with("Distributed Subplan ") {
            self.heading = Some((text.to_owned(), indent, line.number));
            return Ok(());
        }
        let read = if self.drafts.is_empty() { label::node(text) } else { label::node_below(text) };
        let mut draft = read.ok_or_else(|| {
            let message = format!(
                "line {}: {text:?} is no node that EXPLAIN prints whole: the plan is cut off, or not PostgreSQL's",
                line.number
            );
            pasted(message, "copy all of it, from the first line to the last")
        })?;
        while self.open.last().is_some_and(|(_, below)| *below > indent) {
            self.open.pop();
        }
        let at = self.drafts.len();
        let parent = match self.damage.is_rebuilt && at > 0 {
            true => Some(self.waiting.parent().ok_or_else(|| lost(line.number))?),
            false => self.open.last().map(|(parent, _)| *parent),
        };
        self.waiting.push(at, &draft.node.node_type);
        if let Some((name, ..)) = self.heading.take().filter(|(_, of, _)| *of < indent) {
            let relationship = if name.starts_with("SubPlan ") { "SubPlan" } else { "InitPlan" };
            draft.node.relationship = Some(relationship.to_owned());
            draft.node.subplan = Some(name);
        }
        draft.node.depth = parent.map_or(0, |parent| self.drafts[parent].node.depth + 1);
        if draft.node.depth >= MAX_DEPTH {
            return Err(Kind::Depth(MAX_DEPTH).into());
        }
        if let Some(parent) = parent {
            self.drafts[parent].node.children.push(at);
        }
        let below = if at == 0 { indent } else { indent + 3 };
        self.open.push((at, below));
        self.drafts.push(draft);
        self.places.push((parent, line.number));
        Ok(())
    }

    fn end_worker(&mut self) {
        if let (Some((_, number, worker)), Some(node)) = (self.worker.take(), self.drafts.last_mut()) {
            node.worker(&number, worker);
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
            "Execution Time" | "Execution time" | "Total runtime" => self.execution_ms = number(value).ok(),
            "Settings" => {
                // Greenplum writes no spaces around the sign.
                for (name, value) in list(value).into_iter().filter_map(|setting| setting.split_once('=')) {
                    let value = unbroken(value).trim_matches('\'').replace("''", "'");
                    self.settings.insert(unbroken(name), value);
                }
            }
            _ => match line.text.strip_prefix("Trigger ").and_then(trigger) {
                Some(trigger) => self.triggers.push(trigger),
                None if details::is_of_statement(line.text) => {
                    self.drafts.iter_mut().take(1).for_each(|root| root.other(line.text));
                }
                None => return STATEMENT_KEYS.contains(&key),
            },
        }
        true
    }

    fn in_block(&mut self, block: Block, line: &str) {
        if block == Block::Jit && (wrapped::is_of_block(line) || torn::is_part(line)) {
            // Its lines may be broken in any word.
            self.jit.extend(line.chars().filter(|c| !c.is_whitespace()));
        } else if !wrapped::is_of_block(line) {
            self.drafts.iter_mut().take(1).for_each(|root| root.other(line));
        }
    }

    /// Checks that each node has the costs and the measurements that the first one has.
    fn check_measures(&self) -> Result<(), Error> {
        let has = |draft: &Draft| (draft.node.total_cost.is_some(), draft.is_analyzed());
        let of_first = self.drafts.first().map_or((false, false), has);
        match self.drafts.iter().position(|draft| has(draft) != of_first) {
            None => Ok(()),
            Some(at) => {
                let (costs, measured) = has(&self.drafts[at]);
                let what = match (costs == of_first.0, measured) {
                    (false, _) if costs => "costs",
                    (false, _) => "no costs",
                    (true, true) => "times or rows",
                    (true, false) => "no times or rows",
                };
                let (line, name) = (self.places[at].1, self.drafts[at].node.label());
                let message = format!("line {line}: {name:?} has {what}, unlike the first node: its line is broken");
                Err(pasted(message, "put broken lines together, or use EXPLAIN (FORMAT JSON)"))
            }
        }
    }

    /// The plan.
    pub(crate) fn finish(mut self) -> Result<Plan, Error> {
        self.end_worker();
        if let Some((name, _, line)) = self.heading {
            return Err(cut(line, &format!("{name:?}")));
        }
        self.check_measures()?;
        let mut nodes: Vec<Node> = self.drafts.into_iter().map(Draft::finish).collect();
        for (node, (parent, _)) in nodes.iter_mut().zip(&self.places) {
            node.parent = *parent;
        }
        let lines: Vec<usize> = self.places.iter().map(|(_, line)| *line).collect();
        for at in 0..nodes.len() {
            shape::relate(&mut nodes, at, &lines)?;
        }
        settle(&mut nodes);
        own_time::fill_in(&mut nodes);
        shape::check_times(&nodes, &lines)?;
        Ok(Plan {
            nodes,
            planning_ms: self.planning_ms,
            execution_ms: self.execution_ms,
            settings: self.settings,
            jit: jit(&self.jit),
            triggers: self.triggers,
            query: None,
        })
    }
}

/// `Functions:4Options:..Timing:Generation0.3ms,..Total2.4ms`.
fn jit(text: &str) -> Option<Jit> {
    let behind = |name: &str| text.rsplit_once(name).and_then(|(_, figure)| number(figure).ok());
    (!text.is_empty())
        .then(|| Jit { functions: behind("Functions:").unwrap_or(0.0), total_ms: behind("Total").unwrap_or(0.0) })
}

/// The name or the value of a setting, without the spaces of a broken line: behind commas only there are others.
fn unbroken(text: &str) -> String {
    let mut last = ',';
    let mut whole = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if c != ' ' || last == ',' {
            whole.push(c);
        }
        last = if c == ' ' { last } else { c };
    }
    whole
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

fn lost(line: usize) -> Error {
    let message = format!("line {line}: the lines have lost their indentation, which says what is below what");
    pasted(message, "copy the plan as it was printed, or use EXPLAIN (FORMAT JSON)")
}

fn not(line: Line<'_>, expected: &str) -> Error {
    let message = format!("line {}: {:?} does not say {expected}", line.number, line.text);
    pasted(message, "copy the plan as it was printed, or use EXPLAIN (FORMAT JSON)")
}
