//! FORMAT TEXT to the normal form: what it says under the keys of FORMAT JSON. The tree is in the indentation.

mod details;
mod indent;
mod label;
mod shape;
mod wrapped;

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    draft::Draft,
    error::{Error, Kind},
    own,
    paste::Damage,
    plan::{Actual, Buffers, Jit, Node, Plan, Trigger},
    read::MAX_DEPTH,
};
use details::{detail, list, number};
pub(super) use indent::unindented;
pub(super) use label::{MEASURES, is_node};
use shape::{Waiting, cut};
use wrapped::Layout;

/// A line of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// Its number in the input, from 1.
    pub(super) number: usize,
    /// Columns before it.
    indent: usize,
    /// As it stands there.
    raw: &'t str,
    /// The same without spaces around it.
    pub(super) text: &'t str,
}

impl<'t> Line<'t> {
    /// The line of this number.
    pub(super) fn new(number: usize, raw: &'t str) -> Self {
        let rest = unindented(raw);
        Self { number, indent: raw[..raw.len() - rest.len()].chars().count(), raw, text: rest.trim_end() }
    }
}

/// A plan that was read.
pub(super) struct Read {
    pub(super) plan: Plan,
    /// Number of its lines.
    pub(super) lines: usize,
    pub(super) damage: Damage,
}

/// Lines that a broken one is looked for in to see whether it is that of a node.
const MOST_BROKEN: usize = 16;

/// Whether a plan begins with `line`, which these lines follow, those that are empty left out; a part of one may begin with an arrow.
pub(super) fn begins<'t, I: Iterator<Item = &'t str>>(line: &str, following: impl FnOnce() -> I) -> bool {
    let arrow = line.strip_prefix("->").map(str::trim_start);
    let name = arrow.unwrap_or(line);
    if !label::begins_as_node(name) {
        return false;
    }
    if label::has_measures(name) && label::node(name).is_some() {
        return true;
    }
    let mut following = following().take(MOST_BROKEN);
    let Some(next) = following.next() else { return false };
    let is_of_plan = |next: &str| next.starts_with("->") || is_statement_line(next) || is_detail(next);
    if is_node(name) && !label::has_measures(name) && is_of_plan(next) {
        return arrow.is_none();
    }
    // Its line may be broken anywhere.
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let mut whole = squeezed(name);
    for next in std::iter::once(next).chain(following) {
        if next.starts_with("->") {
            return false;
        }
        whole.push_str(&squeezed(next));
        let is_measured = whole.contains("(cost=") || whole.contains("(actualtime=") || whole.contains("(actualrows=");
        if is_measured && whole.matches('(').count() == whole.matches(')').count() {
            return true;
        }
    }
    false
}

/// Whether a whole plan begins with `line`.
fn is_root(line: &str) -> bool {
    label::has_measures(line) && is_node(line)
}

/// Lines of a statement as a whole, which follow the nodes.
const STATEMENT_KEYS: [&str; 8] = [
    "Planning Time",
    "Execution Time",
    "Planning time",
    "Execution time",
    "Total runtime",
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

/// Reads the plan that `first` begins, which `rest` follows.
pub(super) fn read<'t>(first: Line<'t>, rest: impl Iterator<Item = Line<'t>> + Clone) -> Result<Read, Error> {
    let tabs = indent::Tabs::of(first, rest.clone());
    let mut rest = rest.map(|line| tabs.measured(line));
    let first = tabs.measured(first);
    let layout = Layout::of(first, rest.clone());
    let mut reader = Reader { root_indent: first.indent, ..Reader::default() };
    reader.damage.is_fragment = first.text.starts_with("->");
    reader.damage.is_rebuilt = layout.is_folded;
    let mut read = 0;
    let mut next = Some(first);
    while let Some(line) = next {
        let (text, more) = layout
            .joined(line, rest.clone())
            .map_or((Cow::Borrowed(line.text), 0), |(text, more)| (Cow::Owned(text), more));
        let whole = Line { text: text.trim(), ..line };
        if reader.drafts.is_empty() {
            let name = whole.text.strip_prefix("->").unwrap_or(whole.text);
            reader.node(whole, name.trim_start(), whole.indent)?;
        } else if !whole.text.is_empty() && !reader.line(whole)? {
            if !reader.damage.is_fragment {
                wrapped::refuse_torn(line, rest, reader.root_indent, reader.execution_ms.is_some())?;
            }
            break;
        }
        read += 1 + more;
        next = rest.nth(more);
    }
    let damage = reader.damage;
    Ok(Read { plan: reader.finish()?, lines: read, damage })
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
    /// The same where the indentation is lost.
    waiting: Waiting,
    damage: Damage,
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
        let is_folded = self.damage.is_rebuilt;
        if line.indent <= self.root_indent + 1 && !is_folded && (arrow.is_some() || is_detail(line.text)) {
            return if self.damage.is_fragment && arrow.is_some() { Ok(false) } else { Err(lost(line.number)) };
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
        if self.worker.as_ref().is_some_and(|(indent, _)| line.indent <= *indent) {
            self.end_worker();
        }
        let is_of_statement = line.indent <= self.root_indent && !is_folded;
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
            "Execution Time" | "Execution time" | "Total runtime" => self.execution_ms = number(value).ok(),
            "Settings" => {
                for (name, value) in list(value).into_iter().filter_map(|setting| setting.split_once(" = ")) {
                    self.settings.insert(name.to_owned(), value.trim_matches('\'').replace("''", "'"));
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
        let lines: Vec<usize> = self.places.iter().map(|(_, line)| *line).collect();
        for at in 0..nodes.len() {
            shape::relate(&mut nodes, at, &lines)?;
        }
        settle(&mut nodes);
        own::fill_in(&mut nodes);
        shape::check_times(&nodes, &lines)?;
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

fn lost(line: usize) -> Error {
    let message = format!("line {line}: the lines have lost their indentation, which says what is below what");
    pasted(message, "copy the plan as it was printed, or use EXPLAIN (FORMAT JSON)")
}

fn not(line: Line<'_>, expected: &str) -> Error {
    let message = format!("line {}: {:?} does not say {expected}", line.number, line.text);
    pasted(message, "copy the plan as it was printed, or use EXPLAIN (FORMAT JSON)")
}

fn pasted(message: String, hint: &'static str) -> Error {
    Kind::Pasted { message, hint: Some(hint) }.into()
}
