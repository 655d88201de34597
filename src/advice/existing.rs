//! Whether an index that exists does already what an advised one would.

use super::{
    condition::Test,
    index::{Index, IndexKey, Tail},
    key::Key,
    node::Asks,
    parse,
};
use crate::{
    catalog::{IndexFacts, IndexKey as ExistingKey},
    sqltext::quote::identifier as quoted,
};

/// Whether a unique index finds the one row that is asked for.
pub(crate) fn finds_one_row(asks: &Asks<'_>) -> bool {
    let equal: Vec<&str> = asks.equal_columns().collect();
    asks.table.is_some_and(|table| {
        table.indexes.iter().any(|index| {
            index.unique
                && index.predicate.is_none()
                && !index.keys.is_empty()
                && index.keys.iter().all(|key| !key.is_expression && equal.contains(&key.expression.as_str()))
        })
    })
}

/// Whether the existing index begins with the keys of the advised one: those that are looked up in any order, then the others in
/// theirs, all of them read forward or all of them backward.
pub(crate) fn serves(existing: &IndexFacts, index: &Index) -> bool {
    if existing.method != index.method || !holds_the_rows(existing, index) {
        return false;
    }
    if index.method != "btree" {
        return index.keys.iter().all(|key| existing.keys.iter().any(|there| is_same(there, key)));
    }
    let Some(begin) = existing.keys.get(..index.keys.len()) else { return false };
    let (lookups, tail) = index.keys.split_at(index.lookups.min(index.keys.len()));
    let (there, rest) = begin.split_at(lookups.len());
    let ordered = tail.len().saturating_sub(index.filters);
    let found = lookups.iter().all(|key| there.iter().any(|there| is_same(there, key)));
    let pairs = || tail.iter().zip(rest);
    let forward = pairs()
        .take(ordered)
        .all(|(key, there)| (key.descending, key.nulls_first) == (there.descending, there.nulls_first));
    let backward = pairs()
        .take(ordered)
        .all(|(key, there)| (key.descending, key.nulls_first) == (!there.descending, !there.nulls_first));
    found && pairs().all(|(key, there)| is_same(there, key)) && (forward || backward || index.tail != Tail::Order)
}

/// Whether an index that exists is looked up by the operator that the advised one is for, whatever its kind and class.
pub(crate) fn serves_operator(asks: &Asks<'_>, index: &Index) -> bool {
    let Some((table, Key::Column(name))) = asks.table.zip(index.keys.first().map(|key| &key.key)) else { return false };
    let operators = asks.conditions.iter().filter(|condition| condition.key == Key::Column(name.clone()));
    let operators = operators.filter_map(|condition| match &condition.test {
        Test::Special { operator, .. } => Some(vec![operator.as_str()]),
        Test::Holds => Some(vec!["~~", "~~*", "~", "~*"]),
        _ => None,
    });
    let serving = |operator: &str| {
        let known = table.operator(name, operator, None);
        known.into_iter().flat_map(|known| &known.indexes).any(|serving| {
            let there = table.indexes.iter().find(|there| there.name == *serving);
            there.is_some_and(|there| holds_the_rows(there, index))
        })
    };
    index.method != "btree" && operators.flatten().any(serving)
}

/// Whether the node looks rows up in an index by all that the advised one is for: one that is in use is no news, also where the
/// catalog is not known.
pub(crate) fn is_read(asks: &Asks<'_>, index: &Index) -> bool {
    let columns: Vec<_> = index
        .keys
        .iter()
        .map(|key| match &key.key {
            Key::Column(name) => Some(name.as_str()),
            Key::Expression { .. } => None,
        })
        .collect();
    let is_by_order = index.tail == Tail::Order && asks.limit.is_some();
    !is_by_order
        && index.predicate.is_empty()
        && asks.looked_up.iter().any(|text| {
            let (exprs, _) = parse::conjuncts(text);
            let found: Vec<_> = exprs.iter().filter_map(|expr| asks.reader.condition(expr)).collect();
            let is_found = |name: &str| found.iter().any(|known| known.key == Key::Column(name.to_owned()));
            columns.iter().all(|name| name.is_some_and(is_found))
        })
}

/// The existing index that the advised one does all of, so that it can go; none of a constraint.
pub(crate) fn superseded<'e>(existing: &'e [IndexFacts], index: &Index) -> Option<&'e IndexFacts> {
    existing.iter().find(|there| {
        there.method == "btree"
            && index.method == "btree"
            && !there.unique
            && there.predicate.is_none()
            && there.include.is_empty()
            && index.predicate.is_empty()
            && there.keys.len() < index.keys.len()
            && there.keys.iter().zip(&index.keys).all(|(there, key)| {
                is_same(there, key) && (there.descending, there.nulls_first) == (key.descending, key.nulls_first)
            })
    })
}

/// Share of the rows from which an index of all of them does as well as one of these.
const MOST_ROWS: f64 = 0.5;

fn holds_the_rows(existing: &IndexFacts, index: &Index) -> bool {
    match &existing.predicate {
        None => {
            index.predicate.is_empty() || index.share > MOST_ROWS && (index.lookups > 0 || index.tail != Tail::None)
        }
        Some(predicate) => bare(predicate) == bare(&index.predicate.join(" AND ")),
    }
}

fn is_same(there: &ExistingKey, key: &IndexKey) -> bool {
    if let (Key::Expression { sql, name }, Some(collation)) = (&key.key, &there.collation) {
        let is_column = !there.is_expression && there.expression == *name && there.operator_class == key.operator_class;
        return is_column && *sql == format!("{} COLLATE \"{}\"", quoted(name), collation.replace('"', "\"\""));
    }
    // In the order of its bytes a prefix is found as well.
    let is_bytewise = matches!(there.collation.as_deref(), Some("C" | "POSIX" | "ucs_basic"));
    let for_prefix = key.operator_class.as_deref().is_some_and(|class| class.ends_with("_pattern_ops"));
    let same_class = match for_prefix && is_bytewise {
        true => there.operator_class.is_none(),
        false => there.operator_class == key.operator_class && there.collation.is_none(),
    };
    same_class
        && match &key.key {
            Key::Column(name) => !there.is_expression && there.expression == *name,
            Key::Expression { sql, .. } => there.is_expression && bare(&there.expression) == bare(sql),
        }
}

/// An expression without what PostgreSQL adds to it when it prints it: parentheses, casts, space.
fn bare(sql: &str) -> String {
    let mut text = sql.to_lowercase();
    for cast in ["::text", "::character varying", "::bpchar", "::regconfig", "::integer", "::bigint", "::boolean"] {
        text = text.replace(cast, "");
    }
    text.retain(|c| !matches!(c, '(' | ')' | ' ' | '"'));
    text
}

/// Keys as SQL writes them: `user_id, created_at DESC`.
pub(crate) fn keys(keys: &[IndexKey]) -> String {
    let key = |key: &IndexKey| {
        let mut text = match &key.key {
            Key::Column(name) => quoted(name),
            // A call of a function needs no parentheses.
            Key::Expression { sql, name } if name != "expr" => sql.clone(),
            Key::Expression { sql, .. } => format!("({sql})"),
        };
        if let Some(class) = &key.operator_class {
            text.push(' ');
            text.push_str(class);
        }
        text.push_str(match (key.descending, key.nulls_first) {
            (false, false) => "",
            (false, true) => " NULLS FIRST",
            (true, true) => " DESC",
            (true, false) => " DESC NULLS LAST",
        });
        text
    };
    keys.iter().map(key).collect::<Vec<_>>().join(", ")
}
