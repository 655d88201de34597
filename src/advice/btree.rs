//! What a b-tree can do: it finds rows by equality with its first keys, and then either reads a range of the next key or returns
//! the rows in the order of the next keys. A list of values or a range in front takes the order of what follows away, since the
//! rows come by those first.

use super::{
    condition::{Condition, Operand, Test},
    index::{Index, IndexKey, MOST_READ, Tail, ordered, plain},
    key::Key,
    node::Limited,
    sorted::Sorted,
};

/// Keys that an index has at most.
const MOST_KEYS: usize = 5;

/// Version from which PostgreSQL reads an index in order and looks a list up in it at once.
const LISTS_IN_ORDER: u32 = 17;

/// Share of kept rows below which reading in order until enough are found takes too long.
const FEW_KEPT: f64 = 0.1;

/// Rows that have to come from the table for columns beside the key to pay, how many and how wide these may be, and share of
/// the pages that have to be all visible.
const INCLUDE_ROWS: f64 = 1_000.0;
const INCLUDE_COLUMNS: usize = 2;
const INCLUDE_BYTES: f64 = 24.0;
const INCLUDE_VISIBLE: f64 = 0.5;

/// The b-tree that serves the conditions and the order; `None` where none would.
pub(crate) fn index(sorted: &Sorted<'_>) -> Option<Index> {
    let asks = sorted.asks;
    let tail = tail(sorted);
    let reads_in_order = tail == Tail::Order && asks.limit.is_some();
    // In front of the order they would take it away.
    let among = if tail == Tail::Order { &[][..] } else { &sorted.among };
    let mut keys: Vec<IndexKey> = sorted.equal.iter().chain(among).map(|condition| plain(&condition.key)).collect();
    let lookups = keys.len();
    match tail {
        Tail::Order => keys.extend(sorted.order().map(ordered)),
        Tail::Range => {
            let bounded = sorted.bounded.first()?;
            let operator_class = if bounded.test == Test::Prefix { pattern_class(sorted, &bounded.key) } else { None };
            keys.push(IndexKey { operator_class: operator_class.map(str::to_owned), ..plain(&bounded.key) });
        }
        Tail::None => {}
    }
    if keys.is_empty() {
        // How many are NULL only statistics tell, or the node where it asks for nothing else.
        let alone = asks.conditions.len() == 1 && asks.others == 0;
        if sorted.share >= 1.0 && !alone {
            return None;
        }
        keys.push(plain(&any_key(sorted)?));
    }
    let filters = if reads_in_order { behind(sorted, &keys) } else { Vec::new() };
    let filters: Vec<IndexKey> = filters.into_iter().take(MOST_KEYS.saturating_sub(keys.len())).collect();
    keys.truncate(MOST_KEYS);
    let of_filters = filters.len();
    keys.extend(filters);
    if !reads_in_order && kept(sorted, tail).is_some_and(|share| share > MOST_READ) {
        return None;
    }
    let include = if reads_in_order { Vec::new() } else { include(sorted, &keys) };
    let (predicate, share) = (sorted.predicate.clone(), sorted.share);
    Some(Index { method: "btree".to_owned(), keys, lookups, tail, filters: of_filters, include, predicate, share })
}

/// Lists of which few rows are met in the order: behind its keys they leave out the others before the table is visited. PostgreSQL
/// keeps the order beside a list from version 17 on; before it, it checks the list of each row in the table.
fn behind(sorted: &Sorted<'_>, keys: &[IndexKey]) -> Vec<IndexKey> {
    if sorted.asks.table.is_none_or(|table| table.server < LISTS_IN_ORDER) {
        return Vec::new();
    }
    let is_new = |condition: &&&Condition| !keys.iter().any(|key| key.key == condition.key);
    let is_rare = |condition: &&&Condition| sorted.statistics.share(condition).is_some_and(|share| share < MOST_READ);
    sorted.among.iter().filter(is_new).filter(is_rare).map(|condition| plain(&condition.key)).collect()
}

/// What the keys after the looked up ones are best for.
fn tail(sorted: &Sorted<'_>) -> Tail {
    let asks = sorted.asks;
    let leaves_out = !sorted.equal.is_empty() || !sorted.predicate.is_empty();
    let range = if sorted.bounded.is_empty() { Tail::None } else { Tail::Range };
    let Some(first) = sorted.order().next() else { return range };
    let Some(limit) = asks.limit.as_ref() else {
        let by_order = leaves_out && sorted.among.is_empty();
        let same = sorted.bounded.first().is_some_and(|bounded| bounded.key == first.key);
        return if by_order && (same || sorted.bounded.is_empty()) { Tail::Order } else { range };
    };
    // A range of the order's first key is read in that order.
    let others: Vec<_> =
        sorted.among.iter().chain(&sorted.bounded).filter(|condition| condition.key != first.key).copied().collect();
    let few_kept = sorted.kept_by_node().is_none_or(|share| share < FEW_KEPT);
    if others.is_empty() {
        let is_range = !sorted.bounded.is_empty();
        let unserved = asks.others > 0 || !sorted.special.is_empty() || sorted.unserved() > 0;
        return if is_range || leaves_out || !few_kept || !unserved { Tail::Order } else { Tail::None };
    }
    let is_walked = match rows(sorted, &others, limit) {
        Some((walked, found)) => walked <= found,
        None if leaves_out => sorted.bounded.is_empty() || !few_kept,
        None => !few_kept,
    };
    if is_walked { Tail::Order } else { range }
}

/// Rows that are met in the wanted order until the limit is full, and rows that are found by the conditions that would stand in
/// its place; `None` where statistics do not tell.
fn rows(sorted: &Sorted<'_>, others: &[&Condition], limit: &Limited) -> Option<(f64, f64)> {
    let all = sorted.statistics.rows()?;
    let share = |conditions: &[&Condition]| {
        conditions.iter().map(|condition| sorted.statistics.share(condition)).product::<Option<f64>>()
    };
    let looked_up = all * sorted.share * share(&sorted.equal)?;
    let of_others = share(others)?;
    let walked = if limit.is_full { (limit.rows / of_others.max(f64::MIN_POSITIVE)).min(looked_up) } else { looked_up };
    Some((walked, looked_up * of_others))
}

/// Share of the rows that would be read: what the plan measured where the index answers all conditions.
fn kept(sorted: &Sorted<'_>, tail: Tail) -> Option<f64> {
    let answers_range = sorted.bounded.is_empty() || tail == Tail::Range && sorted.bounded.len() == 1;
    let answers_all = sorted.asks.others == 0 && sorted.unserved() == 0 && sorted.special.is_empty() && answers_range;
    let joins = sorted.equal.iter().any(|condition| condition.test == Test::Equal(Operand::Join));
    match sorted.kept_by_node() {
        Some(kept) if answers_all && !joins => Some(kept),
        _ => sorted.looked_up(),
    }
}

/// A key for an index that only its predicate is for: the primary key, or the predicate's column.
fn any_key(sorted: &Sorted<'_>) -> Option<Key> {
    let first = sorted.first_of_predicate()?;
    let primary = sorted.asks.table.and_then(|table| table.indexes.iter().find(|index| index.primary));
    Some(match primary.map(|index| index.keys.as_slice()) {
        Some([only]) => Key::Column(only.expression.clone()),
        _ => first.clone(),
    })
}

/// The operator class by which a prefix is found where texts are not in the order of their bytes.
fn pattern_class(sorted: &Sorted<'_>, key: &Key) -> Option<&'static str> {
    let column = match key {
        Key::Column(name) => sorted.asks.table.and_then(|table| table.column(name)),
        Key::Expression { .. } => None,
    };
    match column {
        Some(column) if column.bytewise => None,
        Some(column) if column.base().starts_with("character") && !column.base().contains("varying") => {
            Some("bpchar_pattern_ops")
        }
        _ => Some("text_pattern_ops"),
    }
}

/// Columns beside the key with which the table need not be visited; none where that saves little or costs much.
fn include(sorted: &Sorted<'_>, keys: &[IndexKey]) -> Vec<String> {
    let asks = sorted.asks;
    let wanted = || {
        let (table, names) = (asks.table?, asks.names.as_ref()?);
        let visible = table.pages > 0 && table.all_visible_pages as f64 >= INCLUDE_VISIBLE * table.pages as f64;
        if !visible || asks.node.rows() < INCLUDE_ROWS || !keys.iter().all(|key| matches!(key.key, Key::Column(_))) {
            return None;
        }
        let is_key = |name: &str| keys.iter().any(|key| key.key == Key::Column(name.to_owned()));
        let beside: Vec<_> =
            table.columns.iter().filter(|column| names.contains(&column.name) && !is_key(&column.name)).collect();
        let bytes: f64 = beside.iter().map(|column| column.width).sum::<Option<f64>>()?;
        (beside.len() <= INCLUDE_COLUMNS && bytes <= INCLUDE_BYTES)
            .then(|| beside.into_iter().map(|column| column.name.clone()).collect())
    };
    wanted().unwrap_or_default()
}
