//! Whether the results are the same before and after the fix.

use serde::{Deserialize, Serialize};

/// Whether the results are the same before and after the fix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultsCheck {
    /// False when those of one statement differ, null when those of one could not be decided, else true.
    pub identical: Option<bool>,
    /// Sets of parameters that each operation was to be compared for.
    pub sample: u32,
    /// Of these, over all operations and roles, those that there was no time for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_compared: u64,
    /// Seconds that the comparison was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_s: Option<f64>,
    /// Each statement, for each role.
    pub statements: Vec<StatementResults>,
}

/// Whether the results of one statement are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementResults {
    /// Its name in the workload; of a step `script.step`.
    pub name: String,
    /// The role as which it was executed; null is the session's own.
    pub role: Option<String>,
    /// Executions that were compared.
    pub compared: u64,
    /// Whether their results are the same; null when that could not be decided.
    pub identical: Option<bool>,
    /// Whether two executions in the same state gave the same, as far as it was seen.
    pub deterministic: bool,
    /// Whether the order of the rows was compared: the statement has an ORDER BY.
    pub ordered: bool,
    /// Rows in whose place LIMIT or OFFSET left another one of the same sort key; no differences.
    pub ties: u64,
    /// Why it is not identical, in words; null where it is.
    pub reason: Option<String>,
    /// The first difference; null where there is none to show.
    pub difference: Option<ResultDifference>,
}

/// Where two results differ first. Long values are cut and end in `…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultDifference {
    /// The values of `$1`, `$2`, as SQL writes them.
    pub parameters: Vec<String>,
    /// Number of the row, from 1: in the result before, or after where it is only there; 0 where it is about no row.
    pub row: u64,
    /// Names of the columns, as they are before.
    pub columns: Vec<String>,
    /// The row before, each value as text or null; null where there is none.
    pub before: Option<Vec<Option<String>>>,
    /// The row after.
    pub after: Option<Vec<Option<String>>>,
}

impl ResultsCheck {
    /// Of these statements.
    pub fn new(sample: u32, statements: Vec<StatementResults>) -> Self {
        let identical = match () {
            () if statements.iter().any(|statement| statement.identical == Some(false)) => Some(false),
            () if statements.iter().any(|statement| statement.identical.is_none()) => None,
            () => Some(true),
        };
        Self { identical, sample, not_compared: 0, time_limit_s: None, statements }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_difference_makes_it_false_and_one_doubt_null() {
        let of = |statements: &[Option<bool>]| {
            let statement = |identical: &Option<bool>| StatementResults {
                name: "s".into(),
                role: None,
                compared: 1,
                identical: *identical,
                deterministic: true,
                ordered: false,
                ties: 0,
                reason: None,
                difference: None,
            };
            ResultsCheck::new(200, statements.iter().map(statement).collect()).identical
        };
        assert_eq!(of(&[Some(true), Some(true)]), Some(true));
        assert_eq!(of(&[Some(true), None]), None);
        assert_eq!(of(&[None, Some(false), Some(true)]), Some(false));
    }
}
