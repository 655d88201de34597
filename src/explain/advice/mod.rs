//! The index that would serve a node of a plan.
//!
//! The conditions and the order come from the plan, which has them as PostgreSQL resolved them, casts included; the statement's text
//! tells which values in them are constants, which columns are returned and how the table is named; the catalog has the types, the
//! statistics and the indexes that exist. Where anything is in doubt there is no advice.

mod condition;
mod existing;
mod foreign_key;
mod index;
mod key;
mod name;
mod node;
mod parse;
mod query;
mod statistics;
#[cfg(test)]
mod tests;

pub(super) use foreign_key::index_for_key;
pub(super) use query::Text;

use super::diagnose::Case;
use existing::keys;
use index::{Index, Tail};
use key::Key;
use name::{index_name, quoted};
use node::Asks;

/// An index to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexAdvice {
    /// The statement that makes it: `CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)`.
    pub statement: String,
    /// What has to be run before it, such as the one that makes an extension.
    pub first: Vec<String>,
    /// Why it serves, in a sentence that begins with a verb in lower case and has no full stop.
    pub why: String,
}

impl IndexAdvice {
    /// All statements in their order.
    pub fn statements(self) -> Vec<String> {
        let mut statements = self.first;
        statements.push(self.statement);
        statements
    }
}

/// The index that would serve what the node at `at` reads, or the scan below it; `None` where none would, or nothing is known of the
/// statement or its tables, or there is one already.
pub(super) fn index_for(case: &Case<'_>, at: usize) -> Option<IndexAdvice> {
    let asks = node::asks(case, at).filter(|asks| !asks.is_of_system())?;
    let index = index::choose(&asks)?;
    let trigrams = index.keys.iter().any(|key| key.operator_class == Some("gin_trgm_ops"));
    Some(IndexAdvice {
        statement: statement(case, &asks, &index),
        first: trigrams.then(|| "CREATE EXTENSION IF NOT EXISTS pg_trgm".to_owned()).into_iter().collect(),
        why: why(&asks, &index),
    })
}

fn is_partitioned(asks: &Asks<'_>) -> bool {
    asks.table.is_some_and(|table| table.partitioned)
}

fn statement(case: &Case<'_>, asks: &Asks<'_>, index: &Index) -> String {
    let columns: Vec<String> = index
        .keys
        .iter()
        .map(|key| match &key.key {
            Key::Column(name) | Key::Expression { name, .. } => name.clone(),
        })
        .chain(index.include.iter().cloned())
        .collect();
    let existing = asks.table.map_or(&[][..], |table| &table.indexes);
    let is_taken = |name: &str| existing.iter().any(|index| index.name == name) || case.index_names().contains(name);
    let name = quoted(&index_name(&asks.name, &columns, is_taken));
    let table = match &asks.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&asks.name)),
        None => quoted(&asks.name),
    };
    // A partitioned table cannot be indexed concurrently.
    let concurrently = if is_partitioned(asks) { "" } else { " CONCURRENTLY" };
    let using = if index.method == "btree" { String::new() } else { format!("USING {} ", index.method) };
    let mut statement = format!("CREATE INDEX{concurrently} {name} ON {table} {using}({})", keys(&index.keys));
    if !index.include.is_empty() {
        let include: Vec<String> = index.include.iter().map(|name| quoted(name)).collect();
        statement.push_str(&format!(" INCLUDE ({})", include.join(", ")));
    }
    if !index.predicate.is_empty() {
        statement.push_str(&format!(" WHERE {}", index.predicate.join(" AND ")));
    }
    statement
}

fn why(asks: &Asks<'_>, index: &Index) -> String {
    let method = if index.method == "gin" { "a GIN index" } else { "an index" };
    let mut why = format!("give {} {method} on ({})", asks.name, keys(&index.keys));
    if !index.predicate.is_empty() {
        why.push_str(&format!(" of the rows where {}", index.predicate.join(" AND ")));
    }
    let (lookups, tail) = index.keys.split_at(index.lookups.min(index.keys.len()));
    let mut uses = Vec::new();
    if !lookups.is_empty() {
        let plain: Vec<_> = lookups.iter().map(|key| index::IndexKey { operator_class: None, ..key.clone() }).collect();
        uses.push(format!("finds the rows by {}", keys(&plain)));
    }
    match index.tail {
        Tail::Order => uses.push(format!("has them in the order of {}", keys(tail))),
        Tail::Range => uses.push(format!("reads only the part of {} that is asked for", keys(tail))),
        Tail::None if lookups.is_empty() => uses.push("holds no others".to_owned()),
        Tail::None => {}
    }
    why.push_str(&format!(": it {}", uses.join(" and ")));
    if !index.include.is_empty() {
        why.push_str(&format!("; with {} in it, the table need not be visited", index.include.join(" and ")));
    }
    if index.keys.iter().any(|key| key.operator_class.is_some_and(|class| class.ends_with("_pattern_ops"))) {
        why.push_str("; of its operator class, since the collation does not sort as LIKE compares");
    }
    if index.keys.iter().any(|key| key.operator_class == Some("gin_trgm_ops")) {
        why.push_str("; it finds a text anywhere by its trigrams, with the extension pg_trgm");
    }
    if is_partitioned(asks) {
        why.push_str(
            "; a partitioned table cannot be indexed concurrently: where writes must not wait, index each partition concurrently, the \
             parent with ON ONLY, and attach them",
        );
    }
    let existing = asks.table.map_or(&[][..], |table| &table.indexes);
    if let Some(old) = existing::superseded(existing, index) {
        why.push_str(&format!("; the index {} can go then", old.name));
    }
    if asks.table.is_none() {
        why.push_str("; this follows from the plan alone, which does not say whether there is such an index already");
    }
    why
}
