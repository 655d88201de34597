//! Which index serves best what is asked.

use super::{
    btree,
    condition::{Condition, Test},
    existing,
    index::{Index, IndexKey, MOST_READ, Tail, plain},
    key::Key,
    methods::{self, Method},
    node::Asks,
    sorted::Sorted,
};

/// Share that the looked up rows may be at most for a b-tree to be better than an index of another kind.
const LOOKED_UP: f64 = 0.05;

/// Rows and pages from which a table is large enough for an index by ranges of pages, how far its rows have to be in the order of
/// the column, and which shares of them a range has to ask for: fewer are found faster by a b-tree.
const BRIN_ROWS: f64 = 1_000_000.0;
const BRIN_PAGES: u64 = 5_000;
const BRIN_CORRELATION: f64 = 0.99;
const BRIN_SHARES: std::ops::RangeInclusive<f64> = 0.01..=0.5;

/// Average bytes of a value from which a value may be too long for a b-tree, which takes 2 704 at most.
const TOO_WIDE: f64 = 700.0;

/// Types that have no order.
const UNSORTED: &[&str] = &["json", "xml", "point", "box", "polygon", "circle", "line", "lseg", "path"];

/// The index that serves what is asked; `None` where none would, or there is one.
pub(crate) fn choose(asks: &Asks<'_>) -> Option<Index> {
    let index = wanted(asks)?;
    let serves = |index: &Index| {
        asks.table.is_some_and(|table| {
            table.indexes.iter().any(|there| existing::serves(there, index))
                // Its name is taken, and it may be made valid.
                || table.invalid_indexes.iter().any(|there| existing::serves(there, index))
        })
    };
    (!serves(&index) && !existing::is_read(asks, &index) && !existing::serves_operator(asks, &index)).then_some(index)
}

/// The index that would serve what is asked, whether there is one or not.
pub(crate) fn wanted(asks: &Asks<'_>) -> Option<Index> {
    // What does not have that order changes nothing.
    if asks.in_unknown_order || existing::finds_one_row(asks) {
        return None;
    }
    let sorted = Sorted::new(asks);
    by_distance(asks)
        .or_else(|| other_than_btree(&sorted))
        .or_else(|| btree::index(&sorted).and_then(|index| fit(&sorted, index)))
}

/// An index that returns the nearest first.
fn by_distance(asks: &Asks<'_>) -> Option<Index> {
    let (key, value) = asks.nearest.as_ref().filter(|_| asks.limit.is_some())?;
    let kind = kind(asks, key).or_else(|| methods::kind_beside("<->", value.as_deref()?))?;
    let Method { name, class } = methods::method(kind, "<->")?;
    Some(of_one(name, class, key, Vec::new(), 1.0))
}

/// The index of another kind that the conditions ask for, unless a b-tree finds few enough rows.
fn other_than_btree(sorted: &Sorted<'_>) -> Option<Index> {
    let asks = sorted.asks;
    let few = sorted.looked_up().is_some_and(|share| share <= LOOKED_UP);
    if (!sorted.equal.is_empty() || !sorted.among.is_empty()) && (few || sorted.looked_up().is_none()) {
        return None;
    }
    // A rare text is not known to be rare; what the node kept tells.
    if sorted.kept_by_node().is_some_and(|share| share > MOST_READ) {
        return None;
    }
    sorted.special.iter().find_map(|condition| {
        let Method { name, class } = serving(asks, condition)?;
        Some(of_one(name, class, &condition.key, sorted.predicate.clone(), sorted.share))
    })
}

/// The kind of index that serves a condition: the operator that is resolved on this database is asked for, before its name.
pub(crate) fn serving(asks: &Asks<'_>, condition: &Condition) -> Option<Method> {
    let (operator, value) = match &condition.test {
        Test::Special { operator, value } => (operator.as_str(), value.as_deref()),
        Test::Holds => ("holds", None),
        _ => return None,
    };
    let kind = match (kind(asks, &condition.key), &condition.key) {
        (Some(kind), _) => kind,
        (None, Key::Column(name)) if asks.table.is_some_and(|table| table.column(name).is_some()) => return None,
        _ if operator == "holds" => methods::Kind::Text,
        _ => methods::kind_beside(operator, value?)?,
    };
    let known = methods::method(kind, operator)?;
    let Key::Column(name) = &condition.key else { return Some(known) };
    let of_others =
        asks.table.and_then(|table| table.operator(name, operator, None)).filter(|of| of.schema != "pg_catalog");
    match of_others.and_then(|of| of.class.clone()) {
        Some((name, class)) => Some(Method { name, class: (!class.is_empty()).then_some(class) }),
        None => Some(known),
    }
}

/// The kind of a key, where the catalog says it, or an expression is of a type by itself.
pub(crate) fn kind(asks: &Asks<'_>, key: &Key) -> Option<methods::Kind> {
    match key {
        Key::Column(name) => methods::kind_of(asks.table?.column(name)?),
        Key::Expression { sql, name } => match (name.as_str(), sql.rsplit_once("::")) {
            ("to_tsvector", _) => Some(methods::Kind::Tsvector),
            ("string_to_array", _) => Some(methods::Kind::Array),
            ("expr", Some((_, of))) => methods::kind_named(of),
            ("expr", None) if sql.contains(" ->> ") || sql.contains(" #>> ") => Some(methods::Kind::Text),
            ("expr", None) if sql.contains(" -> ") || sql.contains(" #> ") => Some(methods::Kind::Jsonb),
            ("lower" | "upper" | "btrim" | "concat", _) => Some(methods::Kind::Text),
            _ => None,
        },
    }
}

/// The b-tree as PostgreSQL takes it: of values that are too long a hash index, of a wide range of a large table in its order an
/// index by ranges of pages.
pub(crate) fn fit(sorted: &Sorted<'_>, mut index: Index) -> Option<Index> {
    let column = |key: &IndexKey| match &key.key {
        Key::Column(name) => sorted.asks.table.and_then(|table| table.column(name)),
        Key::Expression { .. } => None,
    };
    if index.keys.iter().any(|key| column(key).is_some_and(|column| UNSORTED.contains(&column.base()))) {
        return None;
    }
    let is_wide = |key: &IndexKey| column(key).is_some_and(|column| column.width.is_some_and(|width| width > TOO_WIDE));
    if index.keys.iter().any(is_wide) {
        let (lookups, rest) = index.keys.split_at(index.lookups.min(index.keys.len()));
        let narrow: Vec<IndexKey> = lookups.iter().filter(|key| !is_wide(key)).cloned().collect();
        if narrow.is_empty() {
            let first = sorted.equal.first().filter(|_| !lookups.is_empty())?;
            return Some(of_one("hash".into(), None, &first.key, index.predicate, index.share));
        }
        index.filters = 0;
        index.tail = if rest.iter().any(is_wide) { Tail::None } else { index.tail };
        let rest = if index.tail == Tail::None { &[][..] } else { rest };
        (index.lookups, index.keys) = (narrow.len(), narrow.iter().chain(rest).cloned().collect());
        return Some(index);
    }
    if let ([only], Tail::Range) = (index.keys.as_slice(), index.tail)
        && sorted.statistics.rows().is_some_and(|rows| rows >= BRIN_ROWS)
        && sorted.asks.table.is_some_and(|table| table.pages >= BRIN_PAGES)
        && column(only).is_some_and(|column| column.correlation.is_some_and(|of| of.abs() >= BRIN_CORRELATION))
        && sorted.kept_by_node().is_some_and(|share| BRIN_SHARES.contains(&share))
    {
        return Some(of_one("brin".into(), None, &only.key, Vec::new(), 1.0));
    }
    Some(index)
}

pub(crate) fn of_one(
    method: String,
    operator_class: Option<String>,
    key: &Key,
    predicate: Vec<String>,
    share: f64,
) -> Index {
    let keys = vec![IndexKey { operator_class, ..plain(key) }];
    Index { method, keys, lookups: 1, tail: Tail::None, filters: 0, include: Vec::new(), predicate, share }
}
