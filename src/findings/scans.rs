//! Scans as rules look at them: what reads one table, its partitions taken together.

use std::{cell::OnceCell, collections::HashMap};

use super::{
    case::{Case, Sighting},
    scan::{Compared, Parts, Scan, Waste},
};
use crate::{
    advice::{self, IndexAdvice},
    plan::{Node, names},
    record::{Confidence, Severity},
    sqltext::condition::{self, Comparison, Side},
    text::{part as percent, rounded as count},
};

/// Rows below which reading a table whole is cheap anyway. A row found through an index is a page of its own at worst: there
/// fewer count.
const MIN_ROWS: f64 = 10_000.0;
const MIN_ROWS_BY_INDEX: f64 = 1_000.0;
/// Share of the rows dropped from which a scan is wasteful, and from which a better one is certain to pay.
const WASTEFUL_SHARE: f64 = 0.5;
const CERTAIN_SHARE: f64 = 0.9;
/// What finding a row through an index costs against reading it in passing: PostgreSQL's default `random_page_cost`.
const INDEX_COST: f64 = 4.0;

/// Operators that leave out what is compared with.
const NEGATED: [&str; 6] = ["<>", "!~~", "!~~*", "!~", "!~*", "<> ALL"];

impl<'a> Case<'a> {
    /// What reads the plan's tables and is worth a word, partitions taken together, in the order of the plan.
    pub(crate) fn scans(&self) -> &[Scan<'a>] {
        self.scans.get_or_init(|| self.find_scans())
    }

    fn find_scans(&self) -> Vec<Scan<'a>> {
        let nodes = self.plan.nodes();
        let mut scans: Vec<Scan<'a>> = Vec::new();
        // By Append, type and alias of the partitioned table: the scan of its first partition.
        let mut firsts: HashMap<(usize, &str, &str), usize> = HashMap::new();
        for (at, node) in nodes.iter().enumerate().filter(|(_, node)| node.scans_relation() && node.loops() > 0.0) {
            let is_append = |parent: &&Node| {
                parent.node_type.ends_with("Append") || parent.node_type == "Custom Scan" && hypertable(node).is_some()
            };
            let append = self.plan.parent(node).filter(is_append).and(node.parent);
            let first =
                append.map(|append| *firsts.entry((append, &node.node_type, base(node))).or_insert(scans.len()));
            match first.and_then(|first| scans.get_mut(first)) {
                Some(scan) if scan.node.relation != node.relation => {
                    scan.nodes.push(node);
                    scan.places.push(at);
                    if scan.parts == Parts::Heirs && node.rows_read() > scan.node.rows_read() {
                        (scan.at, scan.node) = (at, node);
                    }
                }
                _ => scans.push(Scan {
                    at,
                    node,
                    nodes: vec![node],
                    places: vec![at],
                    parts: self.parts(node),
                    waste: None,
                    comparisons: OnceCell::new(),
                    index: OnceCell::new(),
                }),
            }
        }
        scans.retain(|scan| !self.is_little(scan.buffers(), scan.own_ms()));
        for scan in &mut scans {
            scan.waste = self.waste(scan);
        }
        scans
    }

    /// What the table of a scan under an Append is a part of.
    fn parts(&self, node: &'a Node) -> Parts<'a> {
        let find = |schema: Option<&str>, name: &str| self.statement.tables.find(schema, name);
        let facts = node.relation.as_deref().and_then(|name| find(node.schema.as_deref(), name));
        let heir_of = facts.and_then(|facts| facts.heir_of.as_ref());
        match heir_of.and_then(|(schema, name)| find(Some(schema), name)) {
            Some(parent) if parent.hypertable => return Parts::Chunks(&parent.name),
            Some(_) => return Parts::Heirs,
            None => {}
        }
        // The parent's own rows come first.
        if facts.is_some_and(|facts| {
            let is_of_this = |other: &&crate::catalog::TableFacts| {
                other.heir_of.as_ref().is_some_and(|(schema, name)| (schema, name) == (&facts.schema, &facts.name))
            };
            !facts.hypertable && self.statement.tables.tables.iter().any(|other| is_of_this(&other))
        }) {
            return Parts::Heirs;
        }
        let above = self.plan.parent(node).and_then(|parent| parent.relation.as_deref());
        match hypertable(node) {
            Some(number) => Parts::Chunks(above.unwrap_or(number)),
            None => Parts::Partitions,
        }
    }

    /// Scans whose filter drops most of what they read, with that.
    pub(crate) fn wasteful(&self) -> impl Iterator<Item = (&Scan<'a>, &Waste)> {
        self.scans().iter().filter_map(|scan| Some((scan, scan.waste.as_ref()?)))
    }

    /// How often the node ran one after the other: workers side by side make one execution.
    pub(crate) fn executions(&self, node: &Node) -> f64 {
        let gather = std::iter::successors(self.plan.parent(node), |above| self.plan.parent(above))
            .find_map(|above| above.workers_launched);
        node.loops() / if node.parallel_aware { gather.unwrap_or(0) as f64 + 1.0 } else { 1.0 }
    }

    /// `, 14 706 buffers, 96 % of the time`, each where it is known.
    pub(crate) fn cost(&self, buffers: Option<u64>, ms: Option<f64>) -> String {
        let buffers = buffers.map(|buffers| format!(", {} buffers", count(buffers as f64))).unwrap_or_default();
        let share = ms.and_then(|ms| self.share(ms)).map(|share| format!(", {} of the time", percent(share)));
        buffers + &share.unwrap_or_default()
    }

    /// What the scan's filter drops, where that is wasteful.
    fn waste(&self, scan: &Scan<'_>) -> Option<Waste> {
        let whole = match scan.node.node_type.as_str() {
            "Seq Scan" => true,
            "Index Scan" | "Index Only Scan" | "Bitmap Heap Scan" => false,
            _ => return None,
        };
        if whole && scan.nodes.iter().all(|node| self.is_small(node)) {
            return None;
        }
        let (read, kept) = (scan.rows_read(), scan.rows());
        if read <= if whole { MIN_ROWS } else { MIN_ROWS_BY_INDEX } {
            return None;
        }
        // Both were rounded by loop.
        let rounding = scan.sum(Node::rounding);
        let removed = (scan.removed_by_filter() - rounding).max(0.0);
        let removed = removed / (removed + kept + rounding);
        if removed <= WASTEFUL_SHARE {
            return None;
        }
        let saved = (1.0 - INDEX_COST * (1.0 - removed)).max(0.0);
        let at_least = if rounding / read > 0.01 { "at least " } else { "" };
        Some(Waste {
            removed,
            severity: match removed {
                removed if removed > CERTAIN_SHARE => Severity::Critical,
                _ if saved > 0.0 => Severity::Warning,
                _ => Severity::Info,
            },
            evidence: format!(
                "{} read {} rows to keep {} ({at_least}{} removed){}",
                scan.label(),
                count(read),
                count(kept),
                percent(removed),
                self.cost(scan.buffers(), scan.own_ms())
            ),
            at_stake_ms: scan.own_ms().map(|ms| ms * saved),
        })
    }
}

impl<'a> Scan<'a> {
    /// What a rule saw at it, for the rule to say why and what to do.
    pub(crate) fn wasted(&self, waste: &Waste) -> Sighting {
        Sighting {
            severity: waste.severity,
            node: Some(self.at),
            evidence: waste.evidence.clone(),
            at_stake_ms: waste.at_stake_ms,
            advice: String::new(),
            statements: Vec::new(),
            confidence: Confidence::Medium,
        }
    }

    /// What a rule saw at it, where an index is what it lacks; `advice` words that for the columns where it is not known which index.
    pub(crate) fn to_be_indexed(&self, case: &Case<'_>, waste: &Waste, advice: impl Fn(&str) -> String) -> Sighting {
        let sighting = self.wasted(waste);
        let index = self.index(case);
        if index.is_some() {
            return sighting.with_index(index);
        }
        let (advice, confidence) = match self.filter_columns() {
            // Its name is not known.
            Some(columns) if matches!(self.parts, Parts::Chunks(_)) => (
                format!(
                    "give the hypertable an index on {columns}: made on it, not concurrently, each chunk has it, those to come as well"
                ),
                Confidence::Medium,
            ),
            Some(columns) => (advice(&columns), Confidence::Medium),
            None => (self.unserved(), Confidence::Low),
        };
        Sighting { advice, confidence, ..sighting }
    }

    /// What all has to hold of a row that it returns, beside the condition of an index.
    pub(crate) fn filter(&self) -> Vec<&'a str> {
        self.node.conditions.filter.as_deref().map(condition::terms).unwrap_or_default()
    }

    /// The comparisons among the filter's terms, of the table with a value from elsewhere.
    pub(crate) fn comparisons(&self) -> &[Compared<'a>] {
        self.comparisons.get_or_init(|| self.filter().into_iter().filter_map(|term| self.compared(term)).collect())
    }

    /// The comparison that a term makes of the table with a value from elsewhere.
    pub(crate) fn compared(&self, term: &'a str) -> Option<Compared<'a>> {
        let Comparison { left, operator, right } = condition::comparison(term)?;
        match (condition::side(left, self.alias()), condition::side(right, self.alias())) {
            (Side::Value, Side::Value) => None,
            (side, Side::Value) => Some(Compared { side, expression: left, operator, value: right }),
            (Side::Value, side) if !operator.ends_with("ANY") => {
                let operator = match operator {
                    "<" => ">",
                    ">" => "<",
                    "<=" => ">=",
                    ">=" => "<=",
                    same => same,
                };
                Some(Compared { side, expression: right, operator, value: left })
            }
            _ => None,
        }
    }

    /// Columns of the filter's terms that an index could serve, each once, for an advice: `user_id, kind`; `None` where it serves none, or
    /// would not return the nearest first as well.
    pub(crate) fn filter_columns(&self) -> Option<String> {
        if self.returns_nearest() {
            return None;
        }
        let mut columns: Vec<&str> = Vec::new();
        for term in self.filter().into_iter().filter(|term| self.is_served(term)) {
            for column in condition::columns(term, self.alias()) {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
        }
        (!columns.is_empty()).then(|| columns.join(", "))
    }

    /// What to do about a filter of which an index serves no term.
    pub(crate) fn unserved(&self) -> String {
        let filter = self.node.conditions.filter.as_deref().unwrap_or_default();
        if filter.contains("SubPlan") {
            "no index serves the filter as it is: write its subquery as a join, EXISTS or NOT EXISTS".to_owned()
        } else {
            let why = if self.returns_nearest() {
                "no index on a column returns the nearest first"
            } else {
                "no index on a column serves such a comparison"
            };
            if !self.returns_nearest() && self.filter().into_iter().all(|term| is_of_a_value(term, self.alias())) {
                return format!(
                    "{why} as it is written: compare a column itself, by an operator that an index has, or index the expression that is compared"
                );
            }
            format!(
                "{why}: where the filter is always the same, give the rows that it keeps a partial index, WHERE {}",
                condition::unqualified(condition::bare(filter), self.alias())
            )
        }
    }

    /// Whether an index could find the rows that the term keeps.
    fn is_served(&self, term: &'a str) -> bool {
        let alternatives = condition::alternatives(term);
        if alternatives.len() > 1 {
            let any_of = |terms: Vec<&'a str>| terms.into_iter().any(|term| self.is_served(term));
            return alternatives.into_iter().all(|side| any_of(condition::terms(side)));
        }
        if term.contains("SubPlan") {
            return false;
        }
        match condition::comparison(term) {
            Some(_) => self.compared(term).is_some_and(|compared| !NEGATED.contains(&compared.operator)),
            // A boolean, or one that is asked for NULL.
            None => condition::calls(term).is_empty() && !term.contains(" DISTINCT FROM "),
        }
    }

    /// The index that would serve it. Of partitions only the catalog knows the table that is to have it.
    pub(crate) fn index(&self, case: &Case<'_>) -> Option<IndexAdvice> {
        let is_known = self.nodes.len() == 1 || !case.statement.tables.tables.is_empty();
        // The index of a foreign table is the other server's.
        let is_local = self.node.node_type != "Foreign Scan";
        let can_have = is_local && (is_known || matches!(self.parts, Parts::Chunks(_))) && !self.returns_nearest();
        self.index.get_or_init(|| can_have.then(|| self.find_index(case)).flatten()).clone()
    }

    /// Of several tables that inherit from one each is to have it: those that most of the rows are read from.
    fn find_index(&self, case: &Case<'_>) -> Option<IndexAdvice> {
        if self.parts != Parts::Heirs || self.nodes.len() == 1 {
            return advice::index_for(&case.planned, self.at);
        }
        let is_read = |node: &Node| node.rows_read() > MIN_ROWS_BY_INDEX;
        let places = self.places.iter().zip(&self.nodes).filter(|(_, node)| is_read(node)).map(|(at, _)| *at);
        advice::index_for_each(&case.planned, places)
    }

    /// Whether its index returns rows by their distance, as those of PostGIS and pgvector do.
    fn returns_nearest(&self) -> bool {
        self.node.conditions.order_by.is_some()
    }

    /// As EXPLAIN names it; of partitions how many and of what: `Seq Scan on 12 partitions of events`.
    pub(crate) fn label(&self) -> String {
        let label = self.node.label();
        let (Some((kind, _)), [_, _, ..]) = (label.split_once(" on "), self.nodes.as_slice()) else { return label };
        let kind = kind.split(" using ").next().unwrap_or(kind);
        let count = self.nodes.len();
        match self.parts {
            Parts::Partitions => format!("{kind} on {count} partitions of {}", base(self.node)),
            Parts::Chunks(of) => format!("{kind} on {count} chunks of {of}"),
            Parts::Heirs => format!(
                "{kind} on {} and {} more tables of its inheritance",
                self.node.relation.as_deref().unwrap_or_default(),
                count - 1
            ),
        }
    }

    /// Names of the indexes that it reads.
    pub(crate) fn indexes<'c>(&self, case: &Case<'c>) -> Vec<&'c str> {
        case.plan.subtree(self.at).iter().filter_map(|node| node.index.as_deref()).collect()
    }

    /// Alias of its table as its conditions qualify columns.
    pub(crate) fn alias(&self) -> &str {
        alias(self.node)
    }

    /// Rows it read, over all loops and workers.
    pub(crate) fn rows_read(&self) -> f64 {
        self.sum(Node::rows_read)
    }

    /// Rows it returned.
    pub(crate) fn rows(&self) -> f64 {
        self.sum(Node::rows)
    }

    /// Rows its filter dropped.
    pub(crate) fn removed_by_filter(&self) -> f64 {
        self.sum(|node| node.removed.filter * node.loops())
    }

    /// Milliseconds it took itself; `None` where nothing was timed.
    pub(crate) fn own_ms(&self) -> Option<f64> {
        self.nodes.iter().map(|node| node.own_ms).sum()
    }

    /// Shared blocks it touched itself; `None` without BUFFERS.
    pub(crate) fn buffers(&self) -> Option<u64> {
        self.nodes.iter().map(|node| node.own_buffers.map(|own| own.shared())).sum()
    }

    /// A figure of all its nodes together.
    pub(crate) fn sum(&self, of: impl Fn(&Node) -> f64) -> f64 {
        self.nodes.iter().map(|node| of(node)).sum()
    }
}

fn alias(node: &Node) -> &str {
    node.alias.as_deref().or(node.relation.as_deref()).unwrap_or_default()
}

/// Whether a term compares with a value that is likely another one the next time, so that no index of its rows serves the next; what
/// leaves a state out, and what compares columns, is always the same.
fn is_of_a_value(term: &str, alias: &str) -> bool {
    let of = |compared: Comparison<'_>| {
        let sides = [compared.left, compared.right].map(|side| condition::side(side, alias));
        !NEGATED.contains(&compared.operator) && sides.contains(&Side::Value)
    };
    // `st_contains(place, '..')`
    let of_call = || {
        let call = condition::calls(term).into_iter().next().filter(|(name, _)| term.starts_with(name));
        let values = |arguments| {
            condition::arguments(arguments)
                .into_iter()
                .any(|one| !one.is_empty() && condition::side(one, alias) == Side::Value)
        };
        condition::comparison(term).is_none() && call.is_some_and(|(_, arguments)| values(arguments))
    };
    condition::comparison(term).is_some_and(of) || of_call()
}

/// The hypertable that a node reads a chunk of, as the chunk's name has it.
fn hypertable(node: &Node) -> Option<&str> {
    names::hypertable_of(node.relation.as_deref()?)
}

/// Alias without the number that PostgreSQL gives each partition of a table: `events` of `events_7`.
pub(crate) fn base(node: &Node) -> &str {
    let alias = alias(node);
    if let Some(of) = names::hypertable_of(alias) {
        return of;
    }
    match alias.rsplit_once('_') {
        Some((base, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => alias,
    }
}
