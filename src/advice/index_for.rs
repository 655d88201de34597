//! The index that would serve a node of a plan.
//!
//! The conditions and the order come from the plan, which has them as PostgreSQL resolved them, casts included; the statement's text
//! tells which values in them are constants, which columns are returned and how the table is named; the catalog has the types, the
//! statistics and the indexes that exist. Where anything is in doubt there is no advice.

use super::{
    choose,
    existing::{self, keys},
    index::{self, Index, Tail},
    key::Key,
    name::index_name,
    node::{self, Asks},
    planned::Planned,
    query,
};
use crate::{catalog::IndexFacts, plan::Node, sqltext::quote::identifier as quoted};

/// An index to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexAdvice {
    /// The statement that makes it: `CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)`.
    pub statement: String,
    /// Those that make the same one on further tables that share no index with the first.
    pub others: Vec<String>,
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
        statements.extend(self.others);
        statements
    }
}

/// The index that would serve what the node at `at` reads, or the scan below it; `None` where none would, or nothing is known of the
/// statement or its tables, or there is one already.
pub(crate) fn index_for(planned: &Planned<'_>, at: usize) -> Option<IndexAdvice> {
    let asks = node::asks(planned, at).filter(|asks| !asks.is_of_system())?;
    let index = choose::choose(&asks)?;
    let trigrams = is_of_trigrams(&index);
    Some(IndexAdvice {
        statement: statement(planned, &asks, &index),
        others: Vec::new(),
        first: trigrams.then(|| "CREATE EXTENSION IF NOT EXISTS pg_trgm".to_owned()).into_iter().collect(),
        why: why(&asks, &index),
    })
}

/// The invalid index that would serve what the node at `at` reads; `None` where there is none, or a valid one does.
pub(crate) fn invalid_index<'a>(planned: &Planned<'a>, at: usize) -> Option<&'a IndexFacts> {
    let asks = node::asks(planned, at)?;
    let index = choose::wanted(&asks)?;
    let table = asks.table.filter(|table| !table.indexes.iter().any(|there| existing::serves(there, &index)))?;
    table.invalid_indexes.iter().find(|there| existing::serves(there, &index))
}

/// Whether the statement itself compares a column of the table that a node reads, rather than a policy does: where its text is not
/// known, it may.
pub(crate) fn is_asked(planned: &Planned<'_>, node: &Node, column: &str) -> bool {
    let name = node.relation.as_deref().unwrap_or_default();
    let asked = query::of_node(&planned.text().asked, name, node.alias.as_deref().unwrap_or(name));
    let is_of_column = |key: &Key| match key {
        Key::Column(known) => known == column,
        Key::Expression { .. } => false,
    };
    asked.is_none_or(|asked| asked.conditions.iter().any(|condition| is_of_column(&condition.key)))
}

/// The same for each of these scans, of tables that have no index in common: the reason is that of the first.
pub(crate) fn index_for_each(planned: &Planned<'_>, places: impl Iterator<Item = usize>) -> Option<IndexAdvice> {
    let mut of_each = places.filter_map(|at| index_for(planned, at));
    let mut advice = of_each.next()?;
    advice.others = of_each.map(|other| other.statement).collect();
    if !advice.others.is_empty() {
        advice.why.push_str(
            "; the same for each table of the inheritance, those to come as well: an index of the parent holds the parent's own rows only",
        );
    }
    Some(advice)
}

fn is_partitioned(asks: &Asks<'_>) -> bool {
    asks.table.is_some_and(|table| table.partitioned)
}

fn is_hypertable(asks: &Asks<'_>) -> bool {
    asks.is_chunk || asks.table.is_some_and(|table| table.hypertable)
}

fn is_of_trigrams(index: &Index) -> bool {
    let is_class = |class: &String| class == "gin_trgm_ops" || class == "gist_trgm_ops";
    index.keys.iter().any(|key| key.operator_class.as_ref().is_some_and(is_class))
}

fn statement(planned: &Planned<'_>, asks: &Asks<'_>, index: &Index) -> String {
    let columns: Vec<String> = index
        .keys
        .iter()
        .map(|key| match &key.key {
            Key::Column(name) | Key::Expression { name, .. } => name.clone(),
        })
        .chain(index.include.iter().cloned())
        .collect();
    let is_known = |name: &str| {
        asks.table.is_some_and(|table| {
            let indexes = table.indexes.iter().chain(&table.invalid_indexes).map(|index| &index.name);
            indexes.chain(&table.taken_names).any(|taken| taken == name)
        })
    };
    let is_taken = |name: &str| is_known(name) || planned.index_names().contains(name);
    let name = quoted(&index_name(&asks.name, &columns, is_taken));
    let table = match &asks.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&asks.name)),
        None => quoted(&asks.name),
    };
    // Neither a partitioned table nor a hypertable can be indexed concurrently.
    let concurrently = if is_partitioned(asks) || is_hypertable(asks) { "" } else { " CONCURRENTLY" };
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
    let method = match index.method.as_str() {
        "gin" => "a GIN index",
        "gist" => "a GiST index",
        "brin" => "a BRIN index",
        "hash" => "a hash index",
        _ => "an index",
    };
    let mut why = format!("give {} {method} on ({})", asks.name, keys(&index.keys));
    if !index.predicate.is_empty() {
        why.push_str(&format!(" of the rows where {}", index.predicate.join(" AND ")));
    }
    let (lookups, tail) = index.keys.split_at(index.lookups.min(index.keys.len()));
    let (tail, filters) = tail.split_at(tail.len().saturating_sub(index.filters));
    let mut uses = Vec::new();
    if !lookups.is_empty() {
        let plain: Vec<_> = lookups.iter().map(|key| index::IndexKey { operator_class: None, ..key.clone() }).collect();
        match asks.nearest.as_ref().filter(|(key, _)| index.method == "gist" && lookups[0].key == *key) {
            Some(_) => uses.push("returns the nearest rows first".to_owned()),
            None => uses.push(format!("finds the rows by {}", keys(&plain))),
        }
    }
    match index.tail {
        Tail::Order => uses.push(format!("has them in the order of {}", keys(tail))),
        Tail::Range => uses.push(format!("reads only the part of {} that is asked for", keys(tail))),
        Tail::None if lookups.is_empty() => uses.push("holds no others".to_owned()),
        Tail::None => {}
    }
    if !filters.is_empty() {
        uses.push(format!("leaves out rows by {} before the table is visited", keys(filters)));
    }
    why.push_str(&format!(": it {}", uses.join(" and ")));
    if !index.include.is_empty() {
        why.push_str(&format!("; with {} in it, the table need not be visited", index.include.join(" and ")));
    }
    if index.keys.iter().any(|key| key.operator_class.as_ref().is_some_and(|class| class.ends_with("_pattern_ops"))) {
        why.push_str("; of its operator class, since the collation does not sort as LIKE compares");
    }
    if is_of_trigrams(index) {
        why.push_str("; it finds a text anywhere by its trigrams, with the extension pg_trgm");
    }
    if index.method == "brin" {
        why.push_str(
            "; the rows of the table are in the order of that column, so an index of ranges of pages is enough: a few pages large, and it \
             costs writes next to nothing",
        );
    }
    if index.method == "hash" {
        why.push_str("; a b-tree takes values of at most 2 704 bytes, and those of the column are longer on average than is safe");
    }
    if is_hypertable(asks) {
        why.push_str(
            "; on the hypertable, so that each chunk has it, those to come as well: TimescaleDB does not make it concurrently, but WITH \
             (timescaledb.transaction_per_chunk) locks one chunk at a time",
        );
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
    let invalid = asks.table.map_or(&[][..], |table| &table.invalid_indexes);
    if let Some(old) = existing::superseded(invalid, index) {
        why.push_str(&format!("; drop the index {}: it is invalid, and no statement reads it", old.name));
    }
    if asks.table.is_none() {
        why.push_str("; this follows from the plan alone, which does not say whether there is such an index already");
    }
    why
}

#[cfg(test)]
mod tests;
