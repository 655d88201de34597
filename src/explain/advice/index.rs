//! The index that follows from what a node asks.

use super::{
    condition::{Condition, Operand, Test},
    existing,
    key::Key,
    node::Asks,
    statistics::Statistics,
};

/// Columns that an index looks rows up by, at most, and that it has in all.
const MOST_LOOKUPS: usize = 3;
const MOST_KEYS: usize = 5;

/// Share of a table's rows below which the rows of a constant are worth an index of their own, and number of distinct values above
/// which a constant in a statement's text is one of many and no state.
const RARE: f64 = 0.1;
const STATES: f64 = 20.0;

/// Share of NULLs from which `IS NULL` leaves nothing out, and from which `IS NOT NULL` leaves out most.
const ALL_NULL: f64 = 0.99;
const MOST_NULL: f64 = 0.5;

/// Share of the rows that an index has to leave out to be read instead of the table, and share of kept rows below which reading
/// in order until enough are found takes too long.
const MOST_READ: f64 = 0.3;
const FEW_KEPT: f64 = 0.1;

/// Share above which a column says next to nothing of a row.
const SAYS_NOTHING: f64 = 0.9;

/// Share that the looked up rows may be at most for a b-tree to be better than GIN.
const LOOKED_UP: f64 = 0.05;

/// Rows that have to come from the table for columns beside the key to pay, how many and how wide these may be, and share of
/// the pages that have to be all visible.
const INCLUDE_ROWS: f64 = 1_000.0;
const INCLUDE_COLUMNS: usize = 2;
const INCLUDE_BYTES: f64 = 24.0;
const INCLUDE_VISIBLE: f64 = 0.5;

/// An index to make.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Index {
    /// `btree` or `gin`.
    pub(super) method: &'static str,
    pub(super) keys: Vec<IndexKey>,
    /// How many of the first keys are looked up, so that their order does not matter.
    pub(super) lookups: usize,
    /// What the keys after those are for.
    pub(super) tail: Tail,
    pub(super) include: Vec<String>,
    /// Conditions that it holds the rows of.
    pub(super) predicate: Vec<String>,
    /// Share of the table's rows that these are, as far as it is known.
    pub(super) share: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct IndexKey {
    pub(super) key: Key,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
    pub(super) operator_class: Option<&'static str>,
}

/// What the keys after the looked up ones are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    None,
    Range,
    Order,
}

/// The index that serves what is asked; `None` where none would, or there is one.
pub(super) fn choose(asks: &Asks<'_>) -> Option<Index> {
    if existing::finds_one_row(asks) {
        return None;
    }
    let index = Choice::new(asks).choose()?;
    let there = asks.table.is_some_and(|table| table.indexes.iter().any(|existing| existing::serves(existing, &index)));
    (!there).then_some(index)
}

/// The conditions by what an index does with them.
struct Choice<'a> {
    asks: &'a Asks<'a>,
    statistics: Statistics<'a>,
    predicate: Vec<String>,
    /// Columns of the predicate.
    of_predicate: Vec<&'a Key>,
    equal: Vec<&'a Condition>,
    among: Vec<&'a Condition>,
    bounded: Vec<&'a Condition>,
    gin: Vec<&'a Condition>,
    /// Share of the rows that the predicate leaves, where that is known.
    share: f64,
}

impl<'a> Choice<'a> {
    fn new(asks: &'a Asks<'a>) -> Self {
        let statistics = Statistics { table: asks.table };
        let mut choice = Self {
            asks,
            statistics,
            predicate: Vec::new(),
            of_predicate: Vec::new(),
            equal: Vec::new(),
            among: Vec::new(),
            bounded: Vec::new(),
            gin: Vec::new(),
            share: 1.0,
        };
        let mut has_state = false;
        for condition in &asks.conditions {
            // One state makes an index of its own; several constants are values like others.
            let is_second = has_state && matches!(condition.test, Test::Equal(_));
            if let Some((text, share)) = choice.as_predicate(condition).filter(|_| !is_second) {
                has_state |= matches!(condition.test, Test::Equal(_));
                choice.predicate.push(text);
                choice.of_predicate.push(&condition.key);
                choice.share *= share.unwrap_or(1.0);
                continue;
            }
            match &condition.test {
                Test::Equal(_) => choice.equal.push(condition),
                Test::OneOf(_) => choice.among.push(condition),
                Test::Range | Test::Prefix => choice.bounded.push(condition),
                Test::Holds | Test::Gin(_) => choice.gin.push(condition),
                Test::Null | Test::NotNull | Test::True | Test::False => {}
            }
        }
        choice.order_lookups();
        choice
    }

    /// The most distinct first, those that say nothing left out; in the statement's order where statistics do not tell.
    fn order_lookups(&mut self) {
        let statistics = self.statistics;
        let mut seen: Vec<&Key> = Vec::new();
        self.equal.retain(|condition| {
            let is_new = !seen.contains(&&condition.key);
            seen.push(&condition.key);
            is_new && statistics.share(condition).is_none_or(|share| share < SAYS_NOTHING)
        });
        self.among.retain(|condition| {
            !seen.contains(&&condition.key) && statistics.share(condition).is_none_or(|share| share < SAYS_NOTHING)
        });
        self.bounded.retain(|condition| !seen.contains(&&condition.key));
        let distinct: Option<Vec<f64>> =
            self.equal.iter().map(|condition| statistics.distinct(&condition.key)).collect();
        if let Some(distinct) = distinct {
            let mut ranked: Vec<_> = distinct.into_iter().zip(self.equal.iter().copied()).collect();
            ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
            self.equal = ranked.into_iter().map(|(_, condition)| condition).collect();
        }
        self.equal.truncate(MOST_LOOKUPS);
        self.among.truncate(MOST_LOOKUPS.saturating_sub(self.equal.len()));
    }

    /// The condition as one that the index holds the rows of, and their share of the table; `None` where it is none of a constant, or
    /// leaves out too little.
    fn as_predicate(&self, condition: &Condition) -> Option<(String, Option<f64>)> {
        let Key::Column(name) = &condition.key else { return None };
        let column = super::name::quoted(name);
        let nulls = self.statistics.null_share(name);
        let rare = |value: &str| self.statistics.share_of(name, value).filter(|share| *share <= RARE);
        Some(match &condition.test {
            Test::Null if nulls.is_none_or(|share| share < ALL_NULL) => (format!("{column} IS NULL"), nulls),
            Test::NotNull => (format!("{column} IS NOT NULL"), Some(1.0 - nulls.filter(|share| *share > MOST_NULL)?)),
            Test::True => (column, Some(rare("t")?)),
            Test::False => (format!("NOT {column}"), Some(rare("f")?)),
            Test::Equal(Operand::Literal { sql, value }) => {
                self.statistics.distinct(&condition.key).filter(|distinct| *distinct <= STATES)?;
                (format!("{column} = {sql}"), Some(rare(value)?))
            }
            _ => return None,
        })
    }

    fn choose(&self) -> Option<Index> {
        let looked_up = self.looked_up();
        if let [first, ..] = self.gin.as_slice()
            && (self.equal.is_empty() && self.among.is_empty() || looked_up.is_some_and(|share| share > LOOKED_UP))
        {
            return self.gin_index(first);
        }
        let mut keys: Vec<IndexKey> =
            self.equal.iter().chain(&self.among).map(|condition| plain(&condition.key)).collect();
        let lookups = keys.len();
        let tail = self.tail();
        match tail {
            Tail::Order => keys.extend(self.order().map(|key| IndexKey {
                key: key.key.clone(),
                descending: key.descending,
                nulls_first: key.nulls_first,
                operator_class: None,
            })),
            Tail::Range => {
                let bounded = self.bounded.first()?;
                let operator_class = if bounded.test == Test::Prefix { self.pattern_class(&bounded.key) } else { None };
                keys.push(IndexKey { operator_class, ..plain(&bounded.key) });
            }
            Tail::None => {}
        }
        if keys.is_empty() {
            // How many are NULL only statistics tell, or the node where it asks for nothing else.
            let alone = self.asks.conditions.len() == 1 && self.asks.others == 0;
            if self.share >= 1.0 && !alone {
                return None;
            }
            keys.push(plain(&self.any_key()?));
        }
        keys.truncate(MOST_KEYS);
        let reads_in_order = tail == Tail::Order && self.asks.limited;
        if !reads_in_order && self.kept(looked_up, tail).is_some_and(|share| share > MOST_READ) {
            return None;
        }
        let include = if reads_in_order { Vec::new() } else { self.include(&keys) };
        Some(Index {
            method: "btree",
            keys,
            lookups,
            tail,
            include,
            predicate: self.predicate.clone(),
            share: self.share,
        })
    }

    /// What the keys after the looked up ones are best for.
    fn tail(&self) -> Tail {
        let asks = self.asks;
        let first = self.order().next();
        let leaves_out = !self.equal.is_empty() || !self.predicate.is_empty();
        // Values of a list come one after the other, not in one order.
        let by_order = first.is_some() && self.among.is_empty() && (asks.limited || leaves_out);
        let same = first.is_some_and(|first| self.bounded.first().is_some_and(|bounded| bounded.key == first.key));
        let few_kept = self.kept_by_node().is_none_or(|share| share < FEW_KEPT);
        let unserved = asks.others > 0 || !self.gin.is_empty() || self.unserved() > 0;
        if by_order && same {
            return Tail::Order;
        }
        let order_is_better = by_order && asks.limited && !few_kept;
        if !self.bounded.is_empty() && !order_is_better {
            return Tail::Range;
        }
        if by_order && (leaves_out || !few_kept || !unserved) { Tail::Order } else { Tail::None }
    }

    /// Keys of the wanted order that are not looked up.
    fn order(&self) -> impl Iterator<Item = &'a super::key::OrderKey> {
        let fixed = |key: &Key| {
            self.asks.conditions.iter().any(|known| known.key == *key && matches!(known.test, Test::Equal(_)))
        };
        self.asks.order.iter().filter(move |key| !fixed(&key.key))
    }

    /// Conditions on truths and NULLs that the index does nothing with.
    fn unserved(&self) -> usize {
        let simple =
            |condition: &&Condition| matches!(condition.test, Test::Null | Test::NotNull | Test::True | Test::False);
        self.asks
            .conditions
            .iter()
            .filter(simple)
            .filter(|condition| !self.of_predicate.contains(&&condition.key))
            .count()
    }

    /// Share of the rows that are looked up; `None` where statistics do not tell.
    fn looked_up(&self) -> Option<f64> {
        let mut share = self.share;
        let mut known = !self.predicate.is_empty() && self.share < 1.0;
        for of_one in self.equal.iter().chain(&self.among).filter_map(|condition| self.statistics.share(condition)) {
            share *= of_one;
            known = true;
        }
        known.then_some(share)
    }

    /// Share of the rows that would be read: what the plan measured where the index answers all conditions.
    fn kept(&self, looked_up: Option<f64>, tail: Tail) -> Option<f64> {
        let answers_range = self.bounded.is_empty() || tail == Tail::Range && self.bounded.len() == 1;
        let answers_all = self.asks.others == 0 && self.unserved() == 0 && self.gin.is_empty() && answers_range;
        let joins = self.equal.iter().any(|condition| condition.test == Test::Equal(Operand::Join));
        match self.kept_by_node() {
            Some(kept) if answers_all && !joins => Some(kept),
            _ => looked_up,
        }
    }

    /// Share of the rows it read that the node kept.
    fn kept_by_node(&self) -> Option<f64> {
        let read = self.asks.node.rows_read();
        (read > 0.0).then(|| self.asks.node.rows() / read)
    }

    /// A key for an index that only its predicate is for: the primary key, or the predicate's column.
    fn any_key(&self) -> Option<Key> {
        let first = self.of_predicate.first()?;
        let primary = self.asks.table.and_then(|table| table.indexes.iter().find(|index| index.primary));
        Some(match primary.map(|index| index.keys.as_slice()) {
            Some([only]) => Key::Column(only.expression.clone()),
            _ => (*first).clone(),
        })
    }

    fn gin_index(&self, condition: &Condition) -> Option<Index> {
        let of = match &condition.key {
            Key::Column(name) => self.statistics.type_of(name),
            Key::Expression { .. } => None,
        };
        let is_expression = matches!(condition.key, Key::Expression { .. });
        let operator_class = match (&condition.test, of) {
            (Test::Holds, Some("text") | None) => Some("gin_trgm_ops"),
            (Test::Holds, Some(of)) if of.starts_with("character varying") => Some("gin_trgm_ops"),
            (Test::Gin("@>"), Some("jsonb")) => Some("jsonb_path_ops"),
            (Test::Gin("?" | "?&" | "?|"), Some("jsonb")) => None,
            (Test::Gin("@>" | "&&"), Some(of)) if of.ends_with("[]") => None,
            (Test::Gin("@@"), Some("tsvector")) => None,
            (Test::Gin("@@"), None) if is_expression => None,
            _ => return None,
        };
        // A rare text is not known to be rare; what the node kept tells.
        if self.kept_by_node().is_some_and(|share| share > MOST_READ) {
            return None;
        }
        Some(Index {
            method: "gin",
            keys: vec![IndexKey { operator_class, ..plain(&condition.key) }],
            lookups: 1,
            tail: Tail::None,
            include: Vec::new(),
            predicate: self.predicate.clone(),
            share: self.share,
        })
    }

    /// The operator class by which a prefix is found where texts are not in the order of their bytes.
    fn pattern_class(&self, key: &Key) -> Option<&'static str> {
        let column = match key {
            Key::Column(name) => self.asks.table.and_then(|table| table.column(name)),
            Key::Expression { .. } => None,
        };
        match column {
            Some(column) if column.bytewise => None,
            Some(column) if column.type_name.starts_with("character(") => Some("bpchar_pattern_ops"),
            _ => Some("text_pattern_ops"),
        }
    }

    /// Columns beside the key with which the table need not be visited; none where that saves little or costs much.
    fn include(&self, keys: &[IndexKey]) -> Vec<String> {
        let wanted = || {
            let (table, names) = (self.asks.table?, self.asks.names.as_ref()?);
            let visible = table.pages > 0 && table.all_visible_pages as f64 >= INCLUDE_VISIBLE * table.pages as f64;
            if !visible
                || self.asks.node.rows() < INCLUDE_ROWS
                || !keys.iter().all(|key| matches!(key.key, Key::Column(_)))
            {
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
}

fn plain(key: &Key) -> IndexKey {
    IndexKey { key: key.clone(), descending: false, nulls_first: false, operator_class: None }
}
