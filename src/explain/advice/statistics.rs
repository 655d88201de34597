//! What the planner's statistics say of conditions.

use super::{
    condition::{Condition, Operand, Test},
    key::Key,
};
use crate::explain::tables::TableFacts;

/// Statistics of a table, where there are any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statistics<'a> {
    pub(super) table: Option<&'a TableFacts>,
}

impl Statistics<'_> {
    pub(super) fn type_of(&self, column: &str) -> Option<&str> {
        Some(self.table?.column(column)?.type_name.as_str())
    }

    pub(super) fn null_share(&self, column: &str) -> Option<f64> {
        self.table?.column(column)?.null_share
    }

    /// How many distinct values a column has.
    pub(super) fn distinct(&self, key: &Key) -> Option<f64> {
        let Key::Column(name) = key else { return None };
        let table = self.table?;
        let distinct = table.column(name)?.n_distinct.filter(|distinct| *distinct != 0.0)?;
        let count = if distinct < 0.0 { -distinct * table.rows } else { distinct };
        (count > 0.0).then_some(count.max(1.0))
    }

    /// Share of the rows whose column has this value.
    pub(super) fn share_of(&self, column: &str, value: &str) -> Option<f64> {
        let facts = self.table?.column(column)?;
        if let Some((_, share)) = facts.common.iter().find(|(common, _)| common == value) {
            return Some(*share);
        }
        let distinct = self.distinct(&Key::Column(column.to_owned()))?;
        let rest = 1.0 - facts.null_share.unwrap_or(0.0) - facts.common.iter().map(|(_, share)| share).sum::<f64>();
        if facts.common.is_empty() {
            return Some(1.0 / distinct);
        }
        Some(rest.max(0.0) / (distinct - facts.common.len() as f64).max(1.0))
    }

    /// Share of the rows that fulfil a condition on a value.
    pub(super) fn share(&self, condition: &Condition) -> Option<f64> {
        let average = |values: f64| Some((values / self.distinct(&condition.key)?).min(1.0));
        match (&condition.test, &condition.key) {
            (Test::Equal(Operand::Literal { value, .. }), Key::Column(name)) => self.share_of(name, value),
            (Test::Equal(_), _) => average(1.0),
            (Test::OneOf(values), _) => average(values.len().max(1) as f64),
            _ => None,
        }
    }
}
