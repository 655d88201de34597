//! What a node of a plan asks of its table.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    condition::{Condition, Operand, Test},
    key::{Key, OrderKey, Reader},
    parse,
    query::{self, Asked},
};
use crate::explain::{
    diagnose::Case,
    plan::{Node, Plan},
    tables::TableFacts,
};

/// What a node asks of its table.
#[derive(Debug)]
pub(super) struct Asks<'a> {
    pub(super) node: &'a Node,
    /// The table to index: of a partition the partitioned one.
    pub(super) table: Option<&'a TableFacts>,
    /// Its schema, where the statement needs it.
    pub(super) schema: Option<String>,
    pub(super) name: String,
    /// Conditions on its rows that an index could answer.
    pub(super) conditions: Vec<Condition>,
    /// How many other conditions there are.
    pub(super) others: usize,
    /// The order that its rows are wanted in.
    pub(super) order: Vec<OrderKey>,
    /// Whether only the first rows in that order are wanted.
    pub(super) limited: bool,
    /// The names in the statement that may be columns; `None` where all columns are taken, or it is not known.
    pub(super) names: Option<Rc<BTreeSet<String>>>,
}

/// What the node at `at` asks, or the scan that feeds it; `None` where no scan of a table does.
pub(super) fn asks<'a>(case: &Case<'a>, at: usize) -> Option<Asks<'a>> {
    let at = scan_below(case.plan, at)?;
    let node = &case.plan.nodes()[at];
    let relation = node.relation.as_deref()?;
    let tables = case.statement.tables;
    let own = tables.find(node.schema.as_deref(), relation);
    let root = own.and_then(|own| own.partition_of.as_ref()).and_then(|(schema, name)| tables.find(Some(schema), name));
    let table = root.or(own);
    let name = table.map_or_else(|| relation.to_owned(), |table| table.name.clone());
    let alias = node.alias.as_deref().unwrap_or(relation);

    let text = case.text();
    let mentioned = query::of_node(&text.asked, &name, alias);
    let schema = match mentioned {
        Some(mentioned) => mentioned.schema.clone(),
        None => {
            table.map(|table| table.schema.clone()).or_else(|| node.schema.clone()).filter(|schema| schema != "public")
        }
    };

    let reader = Reader { alias, alone: true, table: own.or(table) };
    let (mut conditions, others) = conditions(case.plan, node, &reader);
    if let Some(mentioned) = mentioned {
        spell_out(&mut conditions, mentioned);
    } else {
        conditions.iter_mut().for_each(|condition| forget_literals(&mut condition.test));
    }
    // A sort above the partitions names their parent.
    let parent = Reader { alias: root.map_or(alias, |_| query::unnumbered(alias)), ..reader };
    let (order, limited) = order(case.plan, node, &parent, mentioned);
    Some(Asks {
        node,
        table,
        schema,
        name,
        conditions,
        others,
        order,
        limited,
        names: mentioned.and_then(|_| text.names.clone()),
    })
}

/// The node itself if it reads a table, or the only scan below that its rows come from.
fn scan_below(plan: &Plan, at: usize) -> Option<usize> {
    let mut at = heap_scan(plan, at)?;
    loop {
        let node = plan.nodes().get(at)?;
        if node.scans_relation() && !node.node_type.starts_with("Bitmap Index") {
            return Some(at);
        }
        let passes = [
            "Sort",
            "Incremental Sort",
            "Limit",
            "Gather",
            "Gather Merge",
            "Materialize",
            "Hash",
            "Append",
            "Merge Append",
            "LockRows",
            "Memoize",
        ];
        if !passes.contains(&node.node_type.as_str()) {
            return None;
        }
        at = *node.children.iter().find(|child| plan.nodes().get(**child).is_some_and(|child| !child.is_subplan()))?;
    }
}

/// The heap scan that a part of a bitmap is for; any other node itself.
fn heap_scan(plan: &Plan, at: usize) -> Option<usize> {
    let is_of_bitmap = |at: &usize| {
        let node = plan.nodes().get(*at);
        node.is_some_and(|node| ["Bitmap Index Scan", "BitmapAnd", "BitmapOr"].contains(&node.node_type.as_str()))
    };
    if !is_of_bitmap(&at) {
        return Some(at);
    }
    let heap = std::iter::successors(Some(at), |at| plan.nodes().get(*at)?.parent).find(|at| !is_of_bitmap(at))?;
    (plan.nodes().get(heap)?.node_type == "Bitmap Heap Scan").then_some(heap)
}

/// What the node checks, and where that is nothing, what the join above it checks of its rows.
fn conditions(plan: &Plan, node: &Node, reader: &Reader<'_>) -> (Vec<Condition>, usize) {
    let own = &node.conditions;
    let checked = if own.recheck.is_some() { &own.recheck } else { &own.index };
    let (mut conditions, mut others) = (Vec::new(), 0);
    let mut read = |text: &String| {
        let (exprs, unread) = parse::conjuncts(text);
        others += unread;
        for expr in exprs {
            match reader.condition(&expr) {
                Some(condition) if !conditions.contains(&condition) => conditions.push(condition),
                Some(_) => {}
                None => others += 1,
            }
        }
    };
    checked.iter().chain(&own.filter).for_each(&mut read);
    if let Some(join) = join_above(plan, node) {
        let on = &join.conditions;
        let texts: Vec<&String> = if join.node_type == "Nested Loop" {
            on.join_filter.iter().collect()
        } else if own.filter.is_none() && checked.is_none() {
            on.hash.iter().chain(&on.merge).collect()
        } else {
            Vec::new()
        };
        texts.into_iter().for_each(&mut read);
    }
    (conditions, others)
}

/// The join that the node's rows go to as they are, where an index could serve it.
fn join_above<'p>(plan: &'p Plan, node: &'p Node) -> Option<&'p Node> {
    let mut below = node;
    loop {
        let parent = plan.parent(below)?;
        match parent.node_type.as_str() {
            "Hash" | "Materialize" | "Memoize" | "Sort" | "Gather" | "Gather Merge" => below = parent,
            "Nested Loop" => return (below.relationship.as_deref() == Some("Inner")).then_some(parent),
            "Hash Join" | "Merge Join" => return Some(parent),
            _ => return None,
        }
    }
}

/// Which values are literals in the statement's text: those of a plan may come from parameters.
fn spell_out(conditions: &mut [Condition], mentioned: &Asked) {
    for condition in conditions {
        let of_text = mentioned
            .conditions
            .iter()
            .find(|known| known.key == condition.key && matches!(known.test, Test::Equal(Operand::Literal { .. })));
        match (&mut condition.test, of_text) {
            (Test::Equal(operand @ Operand::Literal { .. }), Some(Condition { test: Test::Equal(literal), .. })) => {
                *operand = literal.clone();
            }
            (test, _) => forget_literals(test),
        }
    }
}

fn forget_literals(test: &mut Test) {
    if let Test::Equal(operand @ Operand::Literal { .. }) = test {
        *operand = Operand::Value;
    }
}

/// The order that the rows are wanted in, and whether only the first of them: by the sort above the node, or by the statement where
/// an index that gives the order is read.
fn order(plan: &Plan, node: &Node, reader: &Reader<'_>, mentioned: Option<&Asked>) -> (Vec<OrderKey>, bool) {
    let (mut below, mut order) = (node, None);
    while let Some(parent) = plan.parent(below) {
        match parent.node_type.as_str() {
            "Gather" | "Gather Merge" | "Append" | "Merge Append" | "LockRows" => {}
            "Sort" | "Incremental Sort" if order.is_none() => {
                let keys = parent.conditions.sort_key.iter().map(|key| reader.order_key(&parse::sort_key(key)?));
                order = Some(keys.collect::<Option<Vec<_>>>().unwrap_or_default());
            }
            "Limit" => {
                let of_text = || mentioned.filter(|asked| asked.limited).map(|asked| asked.order.clone());
                return (order.or_else(of_text).unwrap_or_default(), true);
            }
            _ => return (Vec::new(), false),
        }
        below = parent;
    }
    (order.unwrap_or_default(), false)
}

impl Asks<'_> {
    /// Whether the table is PostgreSQL's own, which nobody indexes.
    pub(super) fn is_of_system(&self) -> bool {
        match self.table.map(|table| table.schema.as_str()).or(self.node.schema.as_deref()) {
            Some(schema) => schema.starts_with("pg_") || schema == "information_schema",
            None => self.name.starts_with("pg_"),
        }
    }

    /// Names of the columns that a condition asks for equality.
    pub(super) fn equal_columns(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match (&condition.key, &condition.test) {
            (Key::Column(name), Test::Equal(_)) => Some(name.as_str()),
            _ => None,
        })
    }
}
