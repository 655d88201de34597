//! One execution before against the same after.

use super::rows::{Found, Terms};
use crate::pg::{Answer, Digest, Executed, Form, Row, Shape};

/// Classes of SQLSTATE that say something of the server's state and nothing of the statement: lost connections, rollbacks, resources,
/// locks, operators, the system, the server itself.
const NO_ANSWER: &[&str] = &["08", "40", "53", "55", "57", "58", "XX"];

/// An execution and what is known of its statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) shape: &'a Shape,
    pub(super) executed: &'a Executed,
}

/// What came of a pair of executions.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// The results are the same.
    Same {
        /// Rows in whose place another one of the same key stands.
        ties: u64,
    },
    /// They differ; where, if it can be shown.
    Differ(Option<Shown>),
    /// They differ, and whether they may cannot be told; why.
    Open(String),
    /// It was not executed, or the server was in no state to answer; in words.
    NoAnswer(String),
}

/// Where two results differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Number of the row from 1; 0 where it is about none.
    pub(super) row: u64,
    pub(super) columns: Vec<String>,
    pub(super) before: Option<Vec<Option<String>>>,
    pub(super) after: Option<Vec<Option<String>>>,
}

/// Compares two executions of a statement with the same parameters.
pub(super) fn judge(before: Side<'_>, after: Side<'_>) -> Judged {
    match (&before.executed.answer, &after.executed.answer) {
        (Answer::NotAsked(why), _) | (_, Answer::NotAsked(why)) => Judged::NoAnswer((*why).to_owned()),
        (Answer::Failed { sqlstate, message }, _) | (_, Answer::Failed { sqlstate, message })
            if NO_ANSWER.contains(&sqlstate.get(..2).unwrap_or_default()) =>
        {
            Judged::NoAnswer(message.clone())
        }
        (Answer::Failed { sqlstate: one, .. }, Answer::Failed { sqlstate: other, .. }) if one == other => {
            Judged::Same { ties: 0 }
        }
        (one @ Answer::Failed { .. }, other) | (one, other @ Answer::Failed { .. }) => {
            let words = |answer: &Answer| match answer {
                Answer::Failed { message, .. } => Some(vec![Some(message.clone())]),
                _ => Some(vec![None]),
            };
            Judged::Differ(Some(Shown {
                row: 0,
                columns: vec!["error".to_owned()],
                before: words(one),
                after: words(other),
            }))
        }
        (Answer::Command(one), Answer::Command(other)) if one == other => Judged::Same { ties: 0 },
        (Answer::Command(one), Answer::Command(other)) => Judged::Differ(Some(figures("rows written", *one, *other))),
        _ if before.shape.columns.len() != after.shape.columns.len() => {
            let count = |side: Side<'_>| side.shape.columns.len() as u64;
            Judged::Differ(Some(figures("number of columns", count(before), count(after))))
        }
        (Answer::Rows(rows), Answer::Rows(others)) => judge_rows(before, rows, after, others),
        (one, other) => match (digest(one, before.shape), digest(other, after.shape)) {
            (Some(one), Some(other)) => judge_digests(before, one, after, other),
            _ => Judged::Differ(None),
        },
    }
}

fn judge_rows(before: Side<'_>, rows: &[Row], after: Side<'_>, others: &[Row]) -> Judged {
    match terms(before, after).compare(rows, others) {
        Found::Same { ties } => Judged::Same { ties },
        Found::Open(why) => Judged::Open(why.to_owned()),
        Found::Differ { before: at, after: other } => match choice(before, after) {
            Some(why) => Judged::Open(why.to_owned()),
            None => {
                let columns = before.shape.columns.clone();
                let shown = |rows: &[Row], at: Option<usize>| {
                    let row = rows.get(at?)?.iter().take(columns.len());
                    Some(row.map(|cell| cell.as_deref().map(str::to_owned)).collect())
                };
                let row = at.or(other).map_or(0, |at| at as u64 + 1);
                let (before, after) = (shown(rows, at), shown(others, other));
                Judged::Differ(Some(Shown { row, columns, before, after }))
            }
        },
    }
}

fn terms(before: Side<'_>, after: Side<'_>) -> Terms {
    let (one, other) = (before.shape, after.shape);
    let columns = one.columns.len();
    let form = |at: usize, other_at: usize| Some(one.forms.get(at)?.with(*other.forms.get(other_at)?));
    let keys = one.keys.as_ref().and_then(|keys| {
        // What the statement before orders by counts; a rewrite may say it in other words.
        let others = match &other.keys {
            _ if keys.iter().all(|key| *key < columns) => keys,
            Some(others) if others.len() >= keys.len() => others,
            _ => return None,
        };
        keys.iter().zip(others).map(|(key, other)| Some((*key, *other, form(*key, *other)?))).collect()
    });
    Terms {
        forms: (0..columns).map(|at| form(at, at).unwrap_or(Form::Text)).collect(),
        keys,
        ordered: one.rules.order.is_some(),
        cut_before: before.executed.cut_before || after.executed.cut_before,
        cut_after: before.executed.cut_after || after.executed.cut_after,
    }
}

fn choice(before: Side<'_>, after: Side<'_>) -> Option<&'static str> {
    before.shape.rules.choice.or(after.shape.rules.choice)
}

fn digest(answer: &Answer, shape: &Shape) -> Option<Digest> {
    match answer {
        Answer::Rows(rows) => Some(Digest::of(rows, shape)),
        Answer::Digest(digest) => Some(*digest),
        Answer::Command(_) | Answer::Failed { .. } | Answer::NotAsked(_) => None,
    }
}

/// Results of which one at least was too large to be kept.
fn judge_digests(before: Side<'_>, one: Digest, after: Side<'_>, other: Digest) -> Judged {
    let (shape, other_shape) = (before.shape, after.shape);
    let ordered = shape.rules.order.is_some();
    let alike = shape.forms == other_shape.forms && shape.keys == other_shape.keys;
    let by_key = ordered && alike && shape.keys.is_some();
    let cut = |side: Side<'_>| side.executed.cut_before || side.executed.cut_after;
    match () {
        () if one.sequence == other.sequence && one.rows == other.rows => Judged::Same { ties: 0 },
        () if one.multiset == other.multiset && (!ordered || by_key && one.keys == other.keys) => {
            Judged::Same { ties: 0 }
        }
        () if one.rows != other.rows => Judged::Differ(Some(figures("number of rows", one.rows, other.rows))),
        () if !alike || shape.forms.iter().any(|form| form.is_float()) => Judged::Open(
            "it is too large to compare row by row, and its floating point numbers may differ by rounding".to_owned(),
        ),
        () if by_key && one.keys != other.keys && choice(before, after).is_none() => Judged::Differ(None),
        () if cut(before) || cut(after) => Judged::Open(
            "it is too large to compare row by row, and LIMIT or OFFSET may have returned different rows with the same sort key".to_owned(),
        ),
        () if ordered && !by_key => {
            Judged::Open("it is too large to compare row by row, and its sort keys cannot be determined from its text".to_owned())
        }
        () => match choice(before, after) {
            Some(why) => Judged::Open(why.to_owned()),
            None => Judged::Differ(None),
        },
    }
}

fn figures(what: &str, before: u64, after: u64) -> Shown {
    let row = |figure: u64| Some(vec![Some(figure.to_string())]);
    Shown { row: 0, columns: vec![what.to_owned()], before: row(before), after: row(after) }
}

#[cfg(test)]
mod tests;
