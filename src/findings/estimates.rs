//! Where the planner's estimates go wrong, what was chosen on them, and why they are wrong.

use super::case::Case;
use crate::{
    catalog::TableFacts,
    plan::{Node, Plan, names},
    record::Severity,
    sqltext::{
        condition::{Side, columns, comparison, constant, side, terms, unqualified},
        quote,
    },
    text::{part as percent, rounded as count},
};

/// Factors between planned and real rows from which an estimate is off, far off, and useless.
const OFF: f64 = 10.0;
const FAR_OFF: f64 = 100.0;
const USELESS: f64 = 1000.0;
/// Rows below which an estimate may be as far off as it likes.
const MIN_ROWS: f64 = 100.0;
/// Share of the time that what was chosen on it must take for it to matter, and from which it is the cause of most of it.
const HARM_SHARE: f64 = 0.1;
const MOST_SHARE: f64 = 0.4;
/// Rows that the other side of a join reads for the few that an estimate had as many.
const NEEDLESS_ROWS: f64 = 10_000.0;
/// What a table may change before its statistics are stale: what autovacuum waits for by default
/// (`autovacuum_analyze_threshold` and `autovacuum_analyze_scale_factor`).
const STALE_ROWS: f64 = 50.0;
const STALE_SHARE: f64 = 0.1;

/// A node at which an estimate goes wrong: those below it are right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// Its place.
    pub(crate) at: usize,
    pub(crate) node: &'a Node,
    /// Between planned and real rows, 10 or more.
    pub(crate) factor: f64,
    /// What was chosen on it and suffers most.
    pub(crate) harm: Option<Harm<'a>>,
}

/// A node that was chosen on a wrong estimate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Harm<'a> {
    pub(crate) at: usize,
    node: &'a Node,
    /// Milliseconds that another choice could save at most.
    pub(crate) ms: f64,
    share: f64,
}

/// Why an estimate is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cause<'a> {
    /// These tables have changed much since they were analyzed, or never were.
    Stale(Vec<&'a TableFacts>),
    /// The columns go together, and there are no statistics of them together.
    Correlated { table: String, name: String, columns: Vec<String> },
    /// There are no statistics of the expression.
    Expression { table: String, name: String, expression: String },
    /// Neither the plan nor the catalog says.
    Unknown,
}

impl<'a> Case<'a> {
    /// Where estimates go wrong: rows that are 10 times off at a node whose inputs are not.
    pub(crate) fn origins(&self) -> Vec<Origin<'a>> {
        let nodes = self.plan.nodes().iter().enumerate();
        nodes
            .filter_map(|(at, node)| {
                let factor = self.off(at)?;
                let of_input = |child: &usize| {
                    let child = &self.plan.nodes()[*child];
                    !child.is_subplan() && !finds_rows_only(child) && child.misestimate().is_some_and(|off| off >= OFF)
                };
                if node.children.iter().any(of_input) || passes_on(node) || finds_rows_only(node) {
                    return None;
                }
                Some(Origin { at, node, factor, harm: self.harm(at) })
            })
            .collect()
    }

    /// How far the node's estimate is off, where it is and that is not for having been stopped early.
    fn off(&self, at: usize) -> Option<f64> {
        let node = &self.plan.nodes()[at];
        let factor = node.misestimate().filter(|factor| *factor >= OFF)?;
        let rows = node.rows().max(node.plan_rows * node.loops());
        let counted = match reading(self.plan, at) {
            Reading::Whole => true,
            Reading::CutShort => underestimated(node),
            Reading::Again => false,
        };
        (rows >= MIN_ROWS && counted).then_some(factor)
    }

    /// What was chosen on the node's estimate and suffers most, up to where estimates are right again.
    fn harm(&self, at: usize) -> Option<Harm<'a>> {
        let nodes = self.plan.nodes();
        let mut worst: Option<Harm<'a>> = None;
        let mut child = at;
        while let Some(parent) = nodes[child].parent
            && nodes[child].misestimate().is_some_and(|off| off >= OFF)
        {
            if nodes[child].is_subplan() {
                // What reads a CTE was chosen on the estimate of its rows.
                let Some(reader) = reader_of_cte(self.plan, &nodes[child]) else { break };
                child = reader;
                continue;
            }
            if let Some(ms) = self.suffers(parent, child)
                && let Some(share) = self.share(ms)
                && worst.is_none_or(|worst| ms > worst.ms)
            {
                worst = Some(Harm { at: parent, node: &nodes[parent], ms, share });
            }
            child = parent;
        }
        worst
    }

    /// Milliseconds of the node at `parent` that a right estimate of the one at `child` could save.
    fn suffers(&self, parent: usize, child: usize) -> Option<f64> {
        let nodes = self.plan.nodes();
        let (node, input) = (&nodes[parent], &nodes[child]);
        let under = underestimated(input);
        match node.node_type.as_str() {
            "Nested Loop" if under => {
                let (outer, inner) = sides(self.plan, node)?;
                let needless = 1.0 - 1.0 / input.misestimate()?;
                (outer == child).then_some(())?;
                Some((nodes[inner].total_ms? + node.own_ms?) * needless)
            }
            "Hash Join" | "Merge Join" if !under => {
                let (one, two) = sides(self.plan, node)?;
                let other = &nodes[if one == child { two } else { one }];
                (other.rows() >= NEEDLESS_ROWS && other.rows() >= OFF * input.rows().max(1.0))
                    .then_some(other.total_ms?)
            }
            _ if under && spilled(node) => node.own_ms,
            _ => None,
        }
    }

    /// Why the estimate is wrong.
    pub(crate) fn cause(&self, origin: &Origin<'a>) -> Cause<'a> {
        let stale = self.stale(origin.at);
        if stale.is_empty() { self.without_statistics(origin).unwrap_or(Cause::Unknown) } else { Cause::Stale(stale) }
    }

    /// Tables that the node at `at` reads, it or what is below it, whose statistics are stale.
    fn stale(&self, at: usize) -> Vec<&'a TableFacts> {
        let read = self.plan.subtree(at).iter().filter_map(|node| {
            self.statement
                .tables
                .find(node.schema.as_deref(), node.relation.as_deref()?)
                .filter(|table| is_stale(table))
        });
        let mut tables: Vec<&'a TableFacts> = Vec::new();
        for table in read {
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        tables
    }

    fn without_statistics(&self, origin: &Origin<'a>) -> Option<Cause<'a>> {
        let node = origin.node;
        if !node.group_by().is_empty() {
            return self.correlated_groups(origin);
        }
        let (table, alias) = (names::table(node)?, node.alias.as_deref().or(node.relation.as_deref())?);
        let conditions = [&node.conditions.index, &node.conditions.recheck, &node.conditions.filter];
        let (mut plain, mut expressions): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for term in conditions.into_iter().flatten().flat_map(|condition| terms(condition)) {
            let Some(found) = comparison(term) else { continue };
            for (one, other) in [(found.left, found.right), (found.right, found.left)] {
                if !is_fixed(other) {
                    continue;
                }
                match side(one, alias) {
                    Side::Column(name) | Side::Cast { column: name, .. } => push_new(&mut plain, name.to_owned()),
                    // An expression that calls nothing is hardly worth statistics, and one of many columns may be anything.
                    Side::Expression if columns(one, alias).len() == 1 => {
                        push_new(&mut expressions, unqualified(one, alias))
                    }
                    Side::Expression | Side::Value => {}
                }
            }
        }
        if !underestimated(node) && plain.len() > 1 {
            plain.clear();
        }
        if let Some(expression) = expressions.into_iter().next() {
            let name = statistics_name(node, &columns(&expression, alias));
            return Some(Cause::Expression { table, name, expression });
        }
        self.correlated(node, table, plain)
    }

    /// The groups of several columns of one table are fewer than the columns' values would make.
    fn correlated_groups(&self, origin: &Origin<'a>) -> Option<Cause<'a>> {
        let keys = origin.node.group_by();
        let of_one = |scan: &&Node| {
            let alias = scan.alias.as_deref().unwrap_or_default();
            scan.scans_relation() && keys.iter().all(|key| matches!(side(key, alias), Side::Column(_)))
        };
        let scan = self.plan.subtree(origin.at).iter().find(of_one)?;
        let alias = scan.alias.as_deref().unwrap_or_default();
        let names = keys.iter().map(|key| unqualified(key, alias)).collect();
        self.correlated(scan, names::table(scan)?, names)
    }

    /// These columns of the table that `node` reads, where there are several and no statistics of them together.
    fn correlated(&self, node: &Node, table: String, columns: Vec<String>) -> Option<Cause<'a>> {
        let known =
            self.statement.tables.find(node.schema.as_deref(), node.relation.as_deref()?).is_some_and(|facts| {
                facts
                    .extended_statistics
                    .iter()
                    .any(|of| columns.iter().all(|column| of.contains(&quote::name(column))))
            });
        let name = statistics_name(node, &columns.iter().map(String::as_str).collect::<Vec<_>>());
        (columns.len() > 1 && !known).then_some(Cause::Correlated { table, name, columns })
    }
}

impl Origin<'_> {
    /// By how far it is off and by what suffers for it; what nothing suffers for is only good to know.
    pub(crate) fn severity(&self) -> Severity {
        match self.harm.map_or(0.0, |harm| harm.share) {
            share if share < HARM_SHARE => Severity::Info,
            share if self.factor >= USELESS || (self.factor >= FAR_OFF && share >= MOST_SHARE) => Severity::Critical,
            share if self.factor >= FAR_OFF || share >= MOST_SHARE => Severity::Warning,
            _ => Severity::Info,
        }
    }

    /// `Seq Scan on orders found 500 rows where 1 was planned (500 times as many)`
    pub(crate) fn evidence(&self) -> String {
        let Some(actual) = self.node.actual else { return String::new() };
        let was = if self.node.plan_rows == 1.0 { "was" } else { "were" };
        let each =
            if actual.loops > 1.0 { format!(" in each of {} loops", count(actual.loops)) } else { String::new() };
        let times = if underestimated(self.node) { "times as many" } else { "times fewer" };
        format!(
            "{} found {} rows{each} where {} {was} planned ({} {times})",
            self.node.label(),
            count(actual.rows),
            count(self.node.plan_rows),
            count(self.factor),
        )
    }

    /// `; the Nested Loop chosen on that took 552 ms, 99 % of the time`, or nothing.
    pub(crate) fn harm_evidence(&self) -> String {
        match self.harm {
            None => String::new(),
            Some(harm) => format!(
                "; the {} chosen on that stands for {:.1} ms, {} of the time",
                harm.node.label(),
                harm.ms,
                percent(harm.share)
            ),
        }
    }
}

impl Node {
    /// Keys of a grouping of several columns.
    fn group_by(&self) -> &[String] {
        if self.conditions.group_key.len() > 1 { &self.conditions.group_key } else { &[] }
    }
}

/// Whether more rows came than were planned.
pub(crate) fn underestimated(node: &Node) -> bool {
    node.actual.is_some_and(|actual| actual.rows.max(1.0) > node.plan_rows.max(1.0))
}

/// Places of a join's outer and inner side.
pub(crate) fn sides(plan: &Plan, join: &Node) -> Option<(usize, usize)> {
    let mut inputs = join.children.iter().copied().filter(|child| !plan.nodes()[*child].is_subplan());
    Some((inputs.next()?, inputs.next()?))
}

/// Whether it went through temporary files.
fn spilled(node: &Node) -> bool {
    node.sort.as_ref().is_some_and(|sort| sort.on_disk)
        || node.hash.is_some_and(|hash| hash.batches > 1.0)
        || node.hash_aggregate.is_some_and(|hash| hash.batches > 1.0)
}

/// Whether it gives on the rows that it gets, so that their number is not its own estimate.
fn passes_on(node: &Node) -> bool {
    let kinds = [
        "Hash",
        "Sort",
        "Incremental Sort",
        "Materialize",
        "Memoize",
        "Gather",
        "Gather Merge",
        "Limit",
        "WorkTable Scan",
    ];
    // The rows of a CTE are estimated where it is made.
    let reads_cte = node.node_type == "CTE Scan" && node.conditions.filter.is_none();
    kinds.contains(&node.node_type.as_str()) || reads_cte
}

/// The first node that reads the CTE whose topmost node this is, and all of its rows.
fn reader_of_cte(plan: &Plan, top: &Node) -> Option<usize> {
    let name = top.subplan.as_deref()?.strip_prefix("CTE ")?;
    let reads = |node: &Node| node.cte.as_deref() == Some(name) && node.node_type == "CTE Scan" && passes_on(node);
    // It stands behind all of the CTE: from reader to reader the way leads to the end of the plan.
    let (at, _) = plan.nodes().iter().enumerate().find(|(_, node)| std::ptr::eq(*node, top))?;
    let behind = at + plan.subtree(at).len();
    plan.nodes().iter().skip(behind).position(reads).map(|place| behind + place)
}

/// Whether it only finds where rows are; what it counts may be pages.
fn finds_rows_only(node: &Node) -> bool {
    node.node_type.starts_with("Bitmap") && !node.scans_relation()
}

/// How what a node returned stands to what it would have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// All of it.
    Whole,
    /// Maybe not all of it: what is above it needed no more.
    CutShort,
    /// Some of it more than once.
    Again,
}

fn reading(plan: &Plan, at: usize) -> Reading {
    let nodes = plan.nodes();
    let mut child = at;
    let mut reading = Reading::Whole;
    while let Some(parent) = nodes[child].parent {
        let above = &nodes[parent];
        if nodes[child].is_subplan() {
            let is_cte = nodes[child].subplan.as_deref().is_some_and(|name| name.starts_with("CTE"));
            return if is_cte { reading } else { Reading::CutShort };
        }
        let (outer, inner) = sides(plan, above).unzip();
        match above.node_type.as_str() {
            "Limit" => return Reading::CutShort,
            "Merge Join" if inner == Some(child) => return Reading::Again,
            "Merge Join" => reading = Reading::CutShort,
            "Nested Loop" if inner == Some(child) && stops_at_a_match(above) => reading = Reading::CutShort,
            // Without anything to match it reads no more than a row of what would be matched.
            "Hash Join" if outer == Some(child) && inner.is_some_and(|inner| nodes[inner].rows() == 0.0) => {
                reading = Reading::CutShort;
            }
            "Sort" | "Hash" | "ModifyTable" => return reading,
            "Aggregate" if above.strategy.as_deref() != Some("Sorted") => return reading,
            _ => {}
        }
        child = parent;
    }
    reading
}

fn stops_at_a_match(join: &Node) -> bool {
    join.inner_unique || matches!(join.join_type.as_deref(), Some("Semi" | "Anti"))
}

fn is_stale(table: &TableFacts) -> bool {
    let never = table.analyzed_at.is_none() && table.rows < 0.0;
    never || table.modified_since_analyze as f64 > STALE_ROWS + STALE_SHARE * table.rows.max(0.0)
}

/// Whether a side of a comparison is a constant or a parameter.
fn is_fixed(side: &str) -> bool {
    let side = side.trim_start_matches('(');
    constant(side).is_some() || side.starts_with('$') || side.starts_with("'{") || side.starts_with("ARRAY[")
}

fn push_new(names: &mut Vec<String>, name: String) {
    if !names.contains(&name) {
        names.push(name);
    }
}

/// `orders_city_zip`, in the table's schema; PostgreSQL before 16 wants a name.
fn statistics_name(node: &Node, columns: &[&str]) -> String {
    let mut name = node.relation.clone().unwrap_or_default();
    for column in columns {
        name.push('_');
        name.push_str(column.trim_matches('"'));
    }
    // The longest name that PostgreSQL keeps.
    while name.len() > 63 {
        name.pop();
    }
    let name = quote::identifier(&name);
    match node.schema.as_deref().filter(|schema| *schema != "public") {
        Some(schema) => format!("{}.{name}", quote::identifier(schema)),
        None => name,
    }
}
