//! What a node of a plan asks of its table.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    condition::{Condition, Operand, Test},
    key::{Key, OrderKey, Reader},
    parse,
    planned::Planned,
    query::{self, Asked},
};
use crate::{
    catalog::TableFacts,
    plan::{Node, Plan, names, stopped},
};

/// What a node asks of its table.
#[derive(Debug)]
pub(crate) struct Asks<'a> {
    pub(crate) node: &'a Node,
    /// The table to index: of a partition the partitioned one.
    pub(crate) table: Option<&'a TableFacts>,
    /// Its schema, where the statement needs it.
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    /// Whether the node reads a chunk of it.
    pub(crate) is_chunk: bool,
    /// Conditions on its rows that an index could answer.
    pub(crate) conditions: Vec<Condition>,
    /// How many other conditions there are.
    pub(crate) others: usize,
    /// The order that its rows are wanted in.
    pub(crate) order: Vec<OrderKey>,
    /// How many of the first rows in that order are wanted; `None` if all are.
    pub(crate) limit: Option<Limited>,
    /// Whether an index is walked for its order, and neither the text nor the catalog says which that is.
    pub(crate) in_unknown_order: bool,
    /// The key whose distance from a value the rows are wanted by, the nearest first, and the type of that value.
    pub(crate) nearest: Option<(Key, Option<String>)>,
    /// What the node looks up in an index, as printed; of a bitmap that of each of its indexes.
    pub(crate) looked_up: Vec<&'a str>,
    pub(crate) reader: Reader<'a>,
    /// The names in the statement that may be columns; `None` where all columns are taken, or it is not known.
    pub(crate) names: Option<Rc<BTreeSet<String>>>,
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limited {
    /// Rows that it takes.
    pub(crate) rows: f64,
    /// Whether there were as many.
    pub(crate) is_full: bool,
}

/// What the node at `at` asks, or the scan that feeds it; `None` where no scan of a table does.
pub(crate) fn asks<'a>(planned: &Planned<'a>, at: usize) -> Option<Asks<'a>> {
    let at = scan_below(planned.plan, at)?;
    let node = &planned.plan.nodes()[at];
    let relation = node.relation.as_deref()?;
    let tables = planned.tables;
    let own = tables.find(node.schema.as_deref(), relation);
    let of = |parent: Option<&'a (String, String)>| parent.and_then(|(schema, name)| tables.find(Some(schema), name));
    let hypertable = of(own.and_then(|own| own.heir_of.as_ref())).filter(|parent| parent.hypertable);
    let root = of(own.and_then(|own| own.partition_of.as_ref())).or(hypertable);
    let table = root.or(own);
    let is_chunk = names::hypertable_of(relation).is_some();
    let name = match (table, is_chunk) {
        (Some(table), _) => table.name.clone(),
        (None, false) => relation.to_owned(),
        // Only what reads the chunks names it.
        (None, true) => planned.plan.parent(node)?.relation.clone()?,
    };
    let alias = node.alias.as_deref().unwrap_or(relation);

    let text = planned.text();
    let reader = Reader { alias, alone: true, table: own.or(table) };
    let mentioned = query::of_node(&text.asked, &name, alias).or_else(|| {
        let (known, _) = conditions(planned.plan, node, &reader, |_, _| false);
        query::with_conditions(&text.asked, &name, &known)
    });
    let schema = match mentioned {
        Some(mentioned) => mentioned.schema.clone(),
        None => {
            let of_node = || node.schema.clone().filter(|_| !is_chunk);
            table.map(|table| table.schema.clone()).or_else(of_node).filter(|schema| schema != "public")
        }
    };

    let leaky = |key: &Key, operator: &str| {
        let is_asked = mentioned.is_none_or(|asked| asked.conditions.iter().any(|known| known.key == *key));
        is_asked && table.is_some_and(|table| is_leaky(table, key, operator))
    };
    let (mut conditions, others) = conditions(planned.plan, node, &reader, leaky);
    if let Some(mentioned) = mentioned {
        spell_out(&mut conditions, mentioned);
    } else {
        conditions.iter_mut().for_each(|condition| forget_literals(&mut condition.test));
    }
    // A sort above the partitions names their parent.
    let parent = Reader { alias: root.map_or(alias, |_| query::unnumbered(alias)), ..reader };
    let (order, limit) = order(planned.plan, node, &parent, mentioned);
    let nearest = nearest(planned.plan, node, &parent);
    let is_walk = node.node_type.starts_with("Index") && node.conditions.index.is_none();
    let in_unknown_order = is_walk && limit.is_some() && order.is_empty() && mentioned.is_none();
    Some(Asks {
        node,
        table,
        schema,
        name,
        is_chunk,
        conditions,
        others,
        order,
        limit,
        in_unknown_order,
        nearest,
        looked_up: looked_up(planned.plan, at),
        reader,
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
fn conditions(
    plan: &Plan,
    node: &Node,
    reader: &Reader<'_>,
    leaky: impl Fn(&Key, &str) -> bool,
) -> (Vec<Condition>, usize) {
    let own = &node.conditions;
    let checked = if own.recheck.is_some() { &own.recheck } else { &own.index };
    let (mut conditions, mut others) = (Vec::new(), 0);
    let mut read = |text: &String| {
        let (exprs, unread) = parse::conjuncts(text);
        others += unread;
        for expr in exprs {
            let asked = reader.conditions(&expr);
            others += usize::from(asked.is_empty());
            for condition in asked {
                // No index is looked up by it.
                if leaky(&condition.key, &crate::advice::condition::operator_of(&expr)) {
                    others += 1;
                } else if !conditions.contains(&condition) {
                    conditions.push(condition);
                }
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

/// Whether row-level security forbids that an index is looked up by this operator: it may reveal values of rows that the policy
/// hides.
fn is_leaky(table: &TableFacts, key: &Key, operator: &str) -> bool {
    let Key::Column(name) = key else { return table.row_security_applies };
    table.row_security_applies && table.operator(name, operator, None).is_some_and(|known| !known.leakproof)
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

/// The order that the rows are wanted in, and how many of the first: by the sort above the node, or where an index that gives the
/// order is read, by the statement or by that index.
fn order(plan: &Plan, node: &Node, reader: &Reader<'_>, mentioned: Option<&Asked>) -> (Vec<OrderKey>, Option<Limited>) {
    let (mut below, mut order) = (node, None);
    // How many of its first rows what is above a sort fetched, through whatever nodes, if not all.
    let mut stopped = None;
    while let Some(parent) = plan.parent(below) {
        match parent.node_type.as_str() {
            "Gather" | "Gather Merge" | "Append" | "Merge Append" | "LockRows" => {}
            // The rows of its outer side come in their order.
            "Nested Loop" if below.relationship.as_deref() == Some("Outer") => {}
            "Sort" | "Incremental Sort" if order.is_none() => {
                let keys = parent.conditions.sort_key.iter().map(|key| reader.order_key(&parse::sort_key(key)?));
                order = Some(keys.collect::<Option<Vec<_>>>().unwrap_or_default());
                stopped =
                    stopped::is_for_the_first(plan, parent).then(|| Limited { rows: parent.rows(), is_full: true });
            }
            "Limit" => {
                let of_text = || mentioned.filter(|asked| asked.limited).map(|asked| asked.order.clone());
                let order = order.or_else(of_text).filter(|order| !order.is_empty());
                return (order.unwrap_or_else(|| walked_order(node, reader)), Some(limited(parent, below)));
            }
            _ if stopped.is_some() => break,
            _ => return (Vec::new(), None),
        }
        below = parent;
    }
    (order.unwrap_or_default(), stopped)
}

/// How many rows a Limit takes of the node below it.
fn limited(limit: &Node, below: &Node) -> Limited {
    let planned = limit.plan_rows * limit.loops().max(1.0);
    Limited { rows: below.rows().max(planned), is_full: limit.actual.is_none() || limit.rows() >= planned }
}

/// The order that an index is walked in, as far as the catalog knows its keys, or the plan by itself: `min()` and `max()` ask only
/// that the key is not NULL.
fn walked_order(node: &Node, reader: &Reader<'_>) -> Vec<OrderKey> {
    let Some(name) = node.index.as_deref().filter(|_| node.node_type.starts_with("Index")) else { return Vec::new() };
    let known = reader.table.and_then(|table| table.indexes.iter().find(|index| index.name == name));
    if let Some(first) = known.filter(|index| index.method == "btree").and_then(|index| index.keys.first()) {
        return match first.is_expression {
            true => Vec::new(),
            false => vec![OrderKey {
                key: Key::Column(first.expression.clone()),
                descending: first.descending != node.backward,
                nulls_first: first.nulls_first != node.backward,
            }],
        };
    }
    let (exprs, _) = node.conditions.index.as_deref().map(parse::conjuncts).unwrap_or_default();
    let not_null = exprs.iter().filter_map(|expr| reader.condition(expr)).find(|known| known.test == Test::NotNull);
    let key =
        |condition: Condition| OrderKey { key: condition.key, descending: node.backward, nulls_first: node.backward };
    not_null.map(key).into_iter().collect()
}

/// What is looked up in the indexes that a scan reads.
fn looked_up(plan: &Plan, at: usize) -> Vec<&str> {
    let parts = plan.subtree(at).iter().enumerate();
    let parts = parts.filter(|(place, node)| *place == 0 || node.node_type.starts_with("Bitmap Index"));
    parts.filter_map(|(_, node)| node.conditions.index.as_deref()).collect()
}

/// What the sort above the node measures its rows' distance by.
fn nearest(plan: &Plan, node: &Node, reader: &Reader<'_>) -> Option<(Key, Option<String>)> {
    let above = std::iter::successors(plan.parent(node), |above| plan.parent(above));
    let sort = above.take_while(|above| above.node_type != "Limit").find(|above| above.node_type == "Sort")?;
    let [only] = sort.conditions.sort_key.as_slice() else { return None };
    reader.distance(&parse::sort_key(only)?)
}

impl Asks<'_> {
    /// Whether the table is PostgreSQL's own, which nobody indexes.
    pub(crate) fn is_of_system(&self) -> bool {
        match self.table.map(|table| table.schema.as_str()).or(self.node.schema.as_deref()) {
            Some(schema) => schema.starts_with("pg_") || schema == "information_schema",
            None => self.name.starts_with("pg_"),
        }
    }

    /// Names of the columns that a condition asks for equality.
    pub(crate) fn equal_columns(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match (&condition.key, &condition.test) {
            (Key::Column(name), Test::Equal(_)) => Some(name.as_str()),
            _ => None,
        })
    }
}
