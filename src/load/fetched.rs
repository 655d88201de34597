//! Values that a query gave, drawn alike or by class.

use std::ops::Range;

use super::classes::Frequencies;
use crate::{
    draw::Random,
    scenario::{ClassShares, Value},
};

/// Rows of which one in this many is hot.
const HOT_PART: usize = 100;

/// The rows of a parameter's query; never empty.
#[derive(Debug)]
pub(super) struct Fetched {
    rows: Vec<Value>,
    /// Shares of the classes, where they are drawn by class: the rows come from the most to the least frequent.
    shares: Option<ClassShares>,
}

/// Where the classes lie among the rows; none is empty, but where rows are few they overlap.
#[derive(Debug, PartialEq)]
struct Parts {
    hot: Range<usize>,
    typical: Range<usize>,
    cold: Range<usize>,
}

impl Fetched {
    pub(super) fn new(rows: Vec<Value>, shares: Option<ClassShares>) -> Self {
        Self { rows, shares }
    }

    /// A row of a class drawn by its share, or any.
    pub(super) fn value(&self, random: &mut Random) -> Value {
        let part = match self.shares {
            None => 0..self.rows.len(),
            Some(ClassShares { hot, typical, .. }) => {
                let at = random.unit();
                let parts = Parts::of(self.rows.len());
                match () {
                    () if at < hot => parts.hot,
                    () if at < hot + typical => parts.typical,
                    () => parts.cold,
                }
            }
        };
        self.rows[part.start + random.below(part.len() as u64) as usize].clone()
    }

    /// By the order of the rows where they are drawn by class, otherwise by how often each value is among them.
    pub(super) fn classes(&self) -> Frequencies {
        if self.shares.is_none() {
            return Frequencies::of(self.rows.iter().cloned());
        }
        let Parts { typical, .. } = Parts::of(self.rows.len());
        let row = |at: usize| self.rows.get(at).cloned().unwrap_or(Value::Null);
        Frequencies {
            hot: row(0),
            typical: row(usize::midpoint(typical.start, typical.end - 1)),
            cold: row(self.rows.len() - 1),
        }
    }
}

impl Parts {
    fn of(rows: usize) -> Self {
        let hot = (rows / HOT_PART).max(1);
        let middle = (rows / 2).max(hot);
        let some = |part: Range<usize>, instead: Range<usize>| if part.is_empty() { instead } else { part };
        Self { hot: 0..hot, typical: some(hot..middle, 0..hot), cold: some(middle..rows, 0..hot) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Stream;

    fn fetched(rows: i64, [hot, typical, cold]: [f64; 3]) -> Fetched {
        Fetched::new((0..rows).map(Value::Int).collect(), Some(ClassShares { hot, typical, cold }))
    }

    fn draws(fetched: &Fetched) -> Vec<i64> {
        let value = |number| match fetched.value(&mut Stream::new(7, &[]).at(number)) {
            Value::Int(value) => value,
            other => panic!("{other}"),
        };
        (0..100_000).map(value).collect()
    }

    #[test]
    fn each_class_has_its_share_and_all_of_its_rows() {
        let draws = draws(&fetched(1000, [0.2, 0.5, 0.3]));
        for (part, share) in [(0..10, 0.2), (10..500, 0.5), (500..1000, 0.3)] {
            let found = draws.iter().filter(|value| part.contains(*value)).count() as f64 / 100_000.0;
            assert!((found - share).abs() < 0.007, "{part:?}: {found}");
            assert!(part.clone().all(|row| draws.contains(&row)), "{part:?}");
        }
    }

    #[test]
    fn few_rows_are_enough() {
        assert_eq!(Parts::of(1), Parts { hot: 0..1, typical: 0..1, cold: 0..1 });
        assert_eq!(Parts::of(2), Parts { hot: 0..1, typical: 0..1, cold: 1..2 });
        assert_eq!(Parts::of(10), Parts { hot: 0..1, typical: 1..5, cold: 5..10 });
        for rows in 1..5 {
            assert!(draws(&fetched(rows, [0.0, 0.0, 1.0])).iter().all(|value| *value < rows));
            fetched(rows, [1.0, 0.0, 0.0]).classes();
        }
    }

    #[test]
    fn classes_follow_the_order_of_the_rows() {
        let Frequencies { hot, typical, cold } = fetched(1000, [0.2, 0.5, 0.3]).classes();
        assert_eq!([hot, typical, cold], [0, 254, 999].map(Value::Int));
    }
}
