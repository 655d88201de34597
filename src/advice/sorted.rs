//! The conditions of a node by what an index does with them, and how many rows they leave.

use super::{
    condition::{Condition, Operand, Test},
    key::{Key, OrderKey},
    node::Asks,
    statistics::Statistics,
};

/// Columns that an index looks rows up by, at most.
const MOST_LOOKUPS: usize = 3;

/// Share of a table's rows below which the rows of a constant are worth an index of their own, that of a truth beside an order and a limit, and number of distinct values above
/// which a constant in a statement's text is one of many and no state.
const RARE: f64 = 0.1;
const HALF: f64 = 0.5;
const STATES: f64 = 20.0;

/// Share of NULLs from which `IS NULL` leaves nothing out, and from which `IS NOT NULL` leaves out most.
const ALL_NULL: f64 = 0.99;
const MOST_NULL: f64 = 0.5;

/// Share above which a column says next to nothing of a row.
const SAYS_NOTHING: f64 = 0.9;

/// The conditions by what an index does with them.
pub(crate) struct Sorted<'a> {
    pub(crate) asks: &'a Asks<'a>,
    pub(crate) statistics: Statistics<'a>,
    pub(crate) predicate: Vec<String>,
    /// Columns of the predicate.
    of_predicate: Vec<&'a Key>,
    pub(crate) equal: Vec<&'a Condition>,
    pub(crate) among: Vec<&'a Condition>,
    pub(crate) bounded: Vec<&'a Condition>,
    /// What other indexes than b-trees serve.
    pub(crate) special: Vec<&'a Condition>,
    /// Share of the rows that the predicate leaves, where that is known.
    pub(crate) share: f64,
}

impl<'a> Sorted<'a> {
    pub(crate) fn new(asks: &'a Asks<'a>) -> Self {
        let mut sorted = Self {
            asks,
            statistics: Statistics { table: asks.table },
            predicate: Vec::new(),
            of_predicate: Vec::new(),
            equal: Vec::new(),
            among: Vec::new(),
            bounded: Vec::new(),
            special: Vec::new(),
            share: 1.0,
        };
        let mut has_state = false;
        for condition in &asks.conditions {
            // One state makes an index of its own; several constants are values like others.
            let is_second = has_state && matches!(condition.test, Test::Equal(_));
            if let Some((text, share)) = sorted.as_predicate(condition).filter(|_| !is_second) {
                has_state |= matches!(condition.test, Test::Equal(_));
                sorted.predicate.push(text);
                sorted.of_predicate.push(&condition.key);
                sorted.share *= share.unwrap_or(1.0);
                continue;
            }
            match &condition.test {
                Test::Equal(_) => sorted.equal.push(condition),
                Test::OneOf(_) => sorted.among.push(condition),
                Test::Range { .. } | Test::Prefix => sorted.bounded.push(condition),
                Test::Holds | Test::Special { .. } => sorted.special.push(condition),
                Test::Null | Test::NotNull | Test::True | Test::False => {}
            }
        }
        sorted.order_lookups();
        sorted
    }

    /// The most distinct first, those that say nothing left out; in the statement's order where statistics do not tell.
    fn order_lookups(&mut self) {
        let statistics = self.statistics;
        let says_something =
            |condition: &Condition| statistics.share(condition).is_none_or(|share| share < SAYS_NOTHING);
        let mut seen: Vec<&Key> = Vec::new();
        self.equal.retain(|condition| {
            let is_new = !seen.contains(&&condition.key);
            seen.push(&condition.key);
            is_new && says_something(condition)
        });
        self.among.retain(|condition| !seen.contains(&&condition.key) && says_something(condition));
        // A range that all rows meet leaves nothing out, unless another bound of the key does.
        let narrow: Vec<&Key> =
            self.bounded.iter().filter(|condition| says_something(condition)).map(|condition| &condition.key).collect();
        self.bounded.retain(|condition| !seen.contains(&&condition.key) && narrow.contains(&&condition.key));
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
        let column = crate::sqltext::quote::identifier(name);
        let nulls = self.statistics.null_share(name);
        let rare = |value: &str| self.statistics.share_of(name, value).filter(|share| *share <= RARE);
        // What is read in order until a limit is full is read the longer, the more rows of the other value are met.
        let is_in_order = self.asks.limit.is_some() && !self.asks.order.is_empty();
        let state = |value: &str| match is_in_order {
            true => self.statistics.share_of(name, value).filter(|share| *share <= HALF),
            false => rare(value),
        };
        Some(match &condition.test {
            Test::Null if nulls.is_none_or(|share| share < ALL_NULL) => (format!("{column} IS NULL"), nulls),
            Test::NotNull => (format!("{column} IS NOT NULL"), Some(1.0 - nulls.filter(|share| *share > MOST_NULL)?)),
            Test::True => (column, Some(state("t")?)),
            Test::False => (format!("NOT {column}"), Some(state("f")?)),
            Test::Equal(Operand::Literal { sql, value }) => {
                // A value that no row has may be any value, and no state.
                self.statistics.distinct(&condition.key).filter(|distinct| *distinct <= STATES)?;
                self.statistics.is_common(name, value).then_some(())?;
                (format!("{column} = {sql}"), Some(rare(value)?))
            }
            _ => return None,
        })
    }

    /// Keys of the wanted order that are not looked up.
    pub(crate) fn order(&self) -> impl Iterator<Item = &'a OrderKey> {
        let fixed = |key: &Key| {
            self.asks.conditions.iter().any(|known| known.key == *key && matches!(known.test, Test::Equal(_)))
        };
        self.asks.order.iter().filter(move |key| !fixed(&key.key))
    }

    /// Conditions on truths and NULLs that the index does nothing with. What is asked for in its order is not NULL anyway.
    pub(crate) fn unserved(&self) -> usize {
        let simple =
            |condition: &&Condition| matches!(condition.test, Test::Null | Test::NotNull | Test::True | Test::False);
        let is_of_order = |condition: &&Condition| {
            condition.test == Test::NotNull && self.asks.order.iter().any(|key| key.key == condition.key)
        };
        self.asks
            .conditions
            .iter()
            .filter(simple)
            .filter(|condition| !self.of_predicate.contains(&&condition.key) && !is_of_order(condition))
            .count()
    }

    /// Column of the predicate that is named first.
    pub(crate) fn first_of_predicate(&self) -> Option<&'a Key> {
        self.of_predicate.first().copied()
    }

    /// Share of the rows that are looked up; `None` where statistics do not tell.
    pub(crate) fn looked_up(&self) -> Option<f64> {
        let mut share = self.share;
        let mut known = !self.predicate.is_empty() && self.share < 1.0;
        for of_one in self.equal.iter().chain(&self.among).filter_map(|condition| self.statistics.share(condition)) {
            share *= of_one;
            known = true;
        }
        known.then_some(share)
    }

    /// Share of the rows it read that the node kept.
    pub(crate) fn kept_by_node(&self) -> Option<f64> {
        let read = self.asks.node.rows_read();
        (read > 0.0).then(|| self.asks.node.rows() / read)
    }
}
