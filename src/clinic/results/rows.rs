//! Rows against rows, before and after.

use std::collections::HashMap;

use crate::pg::{Form, Row};

/// Above this many pairs of rows that may be the same but for rounding they are compared in the order of their numbers.
const MOST_PAIRS: usize = 1_000_000;

/// Rows among which the one is looked for that is most like another.
const MOST_ALIKE: usize = 1_000;

/// How rows are compared: the form of each column, and where the sort keys stand on both sides.
#[derive(Debug)]
pub(super) struct Terms {
    /// Of the columns that both sides return.
    pub(super) forms: Vec<Form>,
    /// The sort keys, each with its place before and after and its form; `None` where they are not known.
    pub(super) keys: Option<Vec<(usize, usize, Form)>>,
    /// Whether the statement orders its rows.
    pub(super) ordered: bool,
    /// Whether rows before the first may have been cut off.
    pub(super) cut_before: bool,
    /// Whether rows after the last may have been cut off.
    pub(super) cut_after: bool,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The same, but for rows of the same key in place of each other where the result is truncated.
    Same {
        /// How many.
        ties: u64,
    },
    /// They differ, first in these rows.
    Differ {
        /// Before.
        before: Option<usize>,
        /// After.
        after: Option<usize>,
    },
    /// They differ, and that they do is allowed or cannot be judged.
    Open(&'static str),
}

impl Terms {
    /// Compares two results.
    pub(super) fn compare(&self, before: &[Row], after: &[Row]) -> Found {
        if before.len() == after.len() && before.iter().zip(after).all(|(one, other)| self.same(one, other)) {
            return Found::Same { ties: 0 };
        }
        match &self.keys {
            _ if !self.ordered => self.compare_any_order(before, after),
            Some(keys) => self.compare_by_key(keys, before, after),
            None => match self.compare_any_order(before, after) {
                Found::Same { .. } => Found::Open(
                    "its rows come in a different order, and its sort keys cannot be determined from its text",
                ),
                Found::Open(_) => {
                    Found::Open("LIMIT or OFFSET cuts it, and its sort keys cannot be determined from its text")
                }
                differ => differ,
            },
        }
    }

    fn compare_any_order(&self, before: &[Row], after: &[Row]) -> Found {
        let (of_before, of_after) = self.unmatched(before, after);
        match () {
            () if of_before.is_empty() && of_after.is_empty() => Found::Same { ties: 0 },
            // However many it leaves out, their number is the same.
            () if (self.cut_before || self.cut_after) && before.len() == after.len() => {
                Found::Open("it has LIMIT or OFFSET without ORDER BY, which may return any rows")
            }
            () => self.differ((before, 0, &of_before), (after, 0, &of_after)),
        }
    }

    fn compare_by_key(&self, keys: &[(usize, usize, Form)], before: &[Row], after: &[Row]) -> Found {
        let same_key = |one: &Row, other: &Row| {
            keys.iter().all(|(at, other_at, form)| form.same_key(cell(one, *at), cell(other, *other_at)))
        };
        let aligned = before.iter().zip(after).take_while(|(one, other)| same_key(one, other)).count();
        if aligned < before.len().max(after.len()) {
            let there = |rows: &[Row]| (aligned < rows.len()).then_some(aligned);
            return Found::Differ { before: there(before), after: there(after) };
        }
        let same_group =
            |one: &Row, next: &Row| keys.iter().all(|(at, _, form)| form.same_key(cell(one, *at), cell(next, *at)));
        let (mut begin, mut ties) = (0, 0);
        for group in before.chunk_by(same_group) {
            let end = begin + group.len();
            let (of_before, of_after) = self.unmatched(group, &after[begin..end]);
            let cut = begin == 0 && self.cut_before || end == before.len() && self.cut_after;
            match () {
                () if of_before.is_empty() => {}
                () if cut => ties += of_before.len() as u64,
                () => return self.differ((group, begin, &of_before), (&after[begin..end], begin, &of_after)),
            }
            begin = end;
        }
        Found::Same { ties }
    }

    /// The first row that only one side has, beside the one of the other side that is most like it. Each side is its rows, the number of
    /// the first of them, and which are unmatched.
    fn differ(&self, before: (&[Row], usize, &[usize]), after: (&[Row], usize, &[usize])) -> Found {
        let ((rows, first, unmatched), (other_rows, other_first, others)) = (before, after);
        let Some(&row) = unmatched.first() else {
            return Found::Differ { before: None, after: others.first().map(|at| other_first + at) };
        };
        let alike = |other: &usize| {
            let cells = (0..self.forms.len()).filter(|at| self.same_cell(&rows[row], &other_rows[*other], *at));
            // Of equals the first.
            (cells.count(), std::cmp::Reverse(*other))
        };
        let nearest = others.iter().take(MOST_ALIKE).copied().max_by_key(alike);
        Found::Differ { before: Some(first + row), after: nearest.map(|at| other_first + at) }
    }

    /// The rows of each side that the other one does not have, as often.
    fn unmatched(&self, before: &[Row], after: &[Row]) -> (Vec<usize>, Vec<usize>) {
        let columns = self.forms.len();
        let mut places: HashMap<&[Option<Box<str>>], Vec<usize>> = HashMap::new();
        for (at, row) in after.iter().enumerate().rev() {
            places.entry(&row[..columns.min(row.len())]).or_default().push(at);
        }
        let mut alone = |row: &Row| match places.get_mut(&row[..columns.min(row.len())]) {
            Some(equal) => equal.pop().is_none(),
            None => true,
        };
        let of_before: Vec<usize> = (0..before.len()).filter(|at| alone(&before[*at])).collect();
        let mut of_after: Vec<usize> = places.into_values().flatten().collect();
        of_after.sort_unstable();
        if self.forms.iter().any(|form| form.is_float()) {
            return self.without_close(before, of_before, after, of_after);
        }
        (of_before, of_after)
    }

    /// Takes rows away that are the same but for the rounding of their floating point numbers.
    fn without_close(
        &self,
        before: &[Row],
        of_before: Vec<usize>,
        after: &[Row],
        of_after: Vec<usize>,
    ) -> (Vec<usize>, Vec<usize>) {
        // Only rows that have all else in common can be.
        let rest = |row: &Row| -> Vec<Option<Box<str>>> {
            let exact = row.iter().zip(&self.forms).filter(|(_, form)| !form.is_float());
            exact.map(|(cell, _)| cell.clone()).collect()
        };
        let mut groups: HashMap<Vec<Option<Box<str>>>, Vec<usize>> = HashMap::new();
        for at in of_after {
            groups.entry(rest(&after[at])).or_default().push(at);
        }
        let mut by_group: HashMap<Vec<Option<Box<str>>>, Vec<usize>> = HashMap::new();
        for at in of_before {
            by_group.entry(rest(&before[at])).or_default().push(at);
        }
        let mut left = Vec::new();
        for (key, mut rows) in by_group {
            let Some(others) = groups.get_mut(&key) else {
                left.extend(rows);
                continue;
            };
            if rows.len() * others.len() > MOST_PAIRS {
                rows.sort_by(|one, other| self.by_number(&before[*one], &before[*other]));
                others.sort_by(|one, other| self.by_number(&after[*one], &after[*other]));
                let pairs = rows.iter().zip(others.iter());
                if rows.len() == others.len()
                    && pairs.into_iter().all(|(at, other)| self.same(&before[*at], &after[*other]))
                {
                    others.clear();
                    continue;
                }
                left.extend(rows);
                continue;
            }
            for at in rows {
                match others.iter().position(|other| self.same(&before[at], &after[*other])) {
                    Some(found) => drop(others.remove(found)),
                    None => left.push(at),
                }
            }
        }
        left.sort_unstable();
        let mut others: Vec<usize> = groups.into_values().flatten().collect();
        others.sort_unstable();
        (left, others)
    }

    fn by_number(&self, one: &Row, other: &Row) -> std::cmp::Ordering {
        let numbers = |row: &Row| -> Vec<f64> {
            let floats = row.iter().zip(&self.forms).filter(|(_, form)| form.is_float());
            floats.map(|(cell, _)| cell.as_deref().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)).collect()
        };
        let (one, other) = (numbers(one), numbers(other));
        one.iter()
            .zip(&other)
            .map(|(one, other)| one.total_cmp(other))
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    }

    fn same(&self, one: &Row, other: &Row) -> bool {
        (0..self.forms.len()).all(|at| self.same_cell(one, other, at))
    }

    fn same_cell(&self, one: &Row, other: &Row, at: usize) -> bool {
        self.forms[at].same(cell(one, at), cell(other, at))
    }
}

fn cell(row: &Row, at: usize) -> Option<&str> {
    row.get(at)?.as_deref()
}

#[cfg(test)]
mod tests;
