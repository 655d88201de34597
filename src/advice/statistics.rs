//! What the planner's statistics say of conditions.

use super::{
    condition::{Condition, Operand, Test},
    key::Key,
};
use crate::catalog::TableFacts;

/// Statistics of a table, where there are any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statistics<'a> {
    pub(crate) table: Option<&'a TableFacts>,
}

impl Statistics<'_> {
    pub(crate) fn rows(&self) -> Option<f64> {
        self.table.map(|table| table.rows).filter(|rows| *rows > 0.0)
    }

    pub(crate) fn null_share(&self, column: &str) -> Option<f64> {
        self.table?.column(column)?.null_share
    }

    /// How many distinct values a column has.
    pub(crate) fn distinct(&self, key: &Key) -> Option<f64> {
        let Key::Column(name) = key else { return None };
        let table = self.table?;
        let distinct = table.column(name)?.n_distinct.filter(|distinct| *distinct != 0.0)?;
        let count = if distinct < 0.0 { -distinct * table.rows } else { distinct };
        (count > 0.0).then_some(count.max(1.0))
    }

    /// Whether the value is among the most common ones of the column.
    pub(crate) fn is_common(&self, column: &str, value: &str) -> bool {
        let facts = self.table.and_then(|table| table.column(column));
        facts.is_some_and(|facts| facts.common.iter().any(|(common, _)| common == value))
    }

    /// Share of the rows whose column has this value.
    pub(crate) fn share_of(&self, column: &str, value: &str) -> Option<f64> {
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
    pub(crate) fn share(&self, condition: &Condition) -> Option<f64> {
        let of_one = |operand: &Operand| match (operand, &condition.key) {
            (Operand::Literal { value, .. }, Key::Column(name)) => self.share_of(name, value),
            _ => Some((1.0 / self.distinct(&condition.key)?).min(1.0)),
        };
        match (&condition.test, &condition.key) {
            (Test::Equal(operand), _) => of_one(operand),
            (Test::OneOf(values), _) if values.is_empty() => of_one(&Operand::Value),
            (Test::OneOf(values), _) => Some(values.iter().map(of_one).sum::<Option<f64>>()?.min(1.0)),
            (Test::Range { low, high }, Key::Column(name)) => self.within(name, low.as_deref(), high.as_deref()),
            _ => None,
        }
    }

    /// Share of the rows whose column is between these values; `None` where they are not known or of no scale.
    fn within(&self, column: &str, low: Option<&str>, high: Option<&str>) -> Option<f64> {
        let facts = self.table?.column(column)?;
        let (first, last) = facts.bounds.as_ref().filter(|_| low.is_some() || high.is_some())?;
        let (first, last) = (place(first)?, place(last)?);
        let at = |bound: Option<&str>, otherwise: f64| bound.map_or(Some(otherwise), place);
        let (low, high) = (at(low, first)?, at(high, last)?);
        if low <= first && high >= last {
            return Some(1.0);
        }
        let width = last - first;
        (width > 0.0).then(|| ((high.min(last) - low.max(first)) / width).clamp(0.0, 1.0))
    }
}

/// Where a number, or a date with or without a time, is on its scale: months are taken to have 31 days.
fn place(value: &str) -> Option<f64> {
    if let Ok(number) = value.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    let (date, time) = value.split_once([' ', 'T']).unwrap_or((value, ""));
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<f64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let time = time.split(['+', '-']).next().unwrap_or_default();
    let seconds =
        time.split(':').zip([3600.0, 60.0, 1.0]).filter_map(|(part, unit)| Some(part.parse::<f64>().ok()? * unit));
    Some(((year * 12.0 + month) * 31.0 + day) * 86_400.0 + seconds.sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ColumnFacts;

    #[test]
    fn a_range_that_all_rows_meet_is_known() {
        let share = |bounds: (&str, &str), low: Option<&str>, high: Option<&str>| {
            let bounds = Some((bounds.0.to_owned(), bounds.1.to_owned()));
            let column = ColumnFacts { name: "a".into(), bounds, ..ColumnFacts::default() };
            let table = TableFacts { columns: vec![column], ..TableFacts::default() };
            Statistics { table: Some(&table) }.within("a", low, high)
        };
        assert_eq!(share(("1", "101"), Some("0"), None), Some(1.0));
        assert_eq!(share(("1", "101"), Some("51"), None), Some(0.5));
        assert_eq!(share(("1", "101"), Some("500"), None), Some(0.0));
        let year = ("2024-01-01 00:00:00+00", "2024-12-31 00:00:00+00");
        assert_eq!(share(year, Some("2000-01-01"), None), Some(1.0));
        assert!(share(year, Some("2024-12-01 00:00:00+00"), None).unwrap() < 0.1);
        assert_eq!(share(("a", "z"), Some("b"), None), None);
    }
}
