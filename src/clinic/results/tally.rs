//! What came of all executions of one statement as one role.

use std::collections::{HashMap, VecDeque};

use super::judge::{Judged, Shown, Side, judge};
use crate::{
    pg::{Answer, Executed, Shape},
    record::{ResultDifference, StatementResults},
};

/// Longest text that is shown of a value, in characters.
const LONGEST: usize = 200;

/// Most columns of a row that are kept to be shown.
const MOST_COLUMNS: usize = 100;

/// What came of all executions of one statement as one role.
#[derive(Debug, Default)]
pub(super) struct Tally {
    compared: u64,
    ties: u64,
    /// Sets that there was no time for.
    pub(super) left_out: u64,
    /// Executions that failed on both sides.
    failed: u64,
    differ: u64,
    first: Option<ResultDifference>,
    /// Executions whose difference may be none.
    open: u64,
    /// Executions that differ after steps before them did.
    fed: u64,
    /// Why, and why executions could not be compared at all.
    doubt: Option<String>,
    /// Why two executions in the same state differ.
    pub(super) unstable: Option<String>,
    failure: Option<String>,
}

/// A pair of executions with the same parameters, or else with those that steps before it returned.
struct Pair<'a> {
    before: &'a Executed,
    after: &'a Executed,
}

impl Tally {
    /// Compares the executions of the statement for one set of parameters. Whether all was the same.
    pub(super) fn add(&mut self, before: (&Shape, Vec<&Executed>), after: (&Shape, Vec<&Executed>)) -> bool {
        let ((shape, executed), (other_shape, others)) = (before, after);
        let mut all_same = executed.len() == others.len();
        if !all_same {
            self.doubt.get_or_insert_with(|| {
                "earlier steps returned different rows, so it was executed for different values".to_owned()
            });
        }
        for Pair { before, after } in pairs(executed, others) {
            let judged = judge(Side { shape, executed: before }, Side { shape: other_shape, executed: after });
            let fed_otherwise = before.parameters != after.parameters;
            self.compared += u64::from(!matches!(judged, Judged::NoAnswer(_)));
            all_same &= matches!(judged, Judged::Same { .. });
            match judged {
                Judged::Same { ties } => {
                    self.ties += ties;
                    if let Answer::Failed { message, .. } = &before.answer {
                        self.failed += 1;
                        self.failure.get_or_insert_with(|| message.clone());
                    }
                }
                Judged::Differ(_) | Judged::Open(_) if fed_otherwise => {
                    self.fed += 1;
                    self.doubt.get_or_insert_with(|| {
                        "its parameters come from an earlier step, which returned different rows".to_owned()
                    });
                }
                Judged::Differ(shown) => {
                    self.differ += 1;
                    if self.first.is_none() {
                        self.first = shown.map(|shown| difference(before, shown));
                    }
                }
                Judged::Open(why) => {
                    self.open += 1;
                    self.doubt.get_or_insert(why);
                }
                Judged::NoAnswer(words) => {
                    self.doubt.get_or_insert_with(|| format!("not every execution succeeded: {words}"));
                }
            }
        }
        all_same
    }

    /// Why two executions in one state, the pairs of this tally, show that the statement is not deterministic; `None` where they do not.
    pub(super) fn instability(&self) -> Option<String> {
        match (self.differ, self.open) {
            (0, 0) => None,
            (0, _) => self.doubt.clone(),
            _ => Some(String::new()),
        }
    }

    /// What it comes to.
    pub(super) fn end(self, name: &str, role: Option<&str>, shape: &Shape, volatile: Option<&str>) -> StatementResults {
        let counts = |count: u64| format!("{count} of {} results differ", self.compared);
        let unstable = match (&self.unstable, volatile) {
            (Some(why), _) => Some(why.clone()),
            (None, Some(volatile)) if self.differ + self.open > 0 => {
                let differ = counts(self.differ + self.open);
                Some(format!("its text has {volatile}, which differs from one execution to the next; {differ}"))
            }
            _ => None,
        };
        let deterministic = unstable.is_none();
        // What differs by itself differs anywhere.
        let difference = self.first.filter(|_| self.unstable.is_none());
        let (identical, reason) = match () {
            () if unstable.is_some() => (None, unstable),
            () if self.differ > 0 => {
                let hidden = if difference.is_some() { "" } else { "; the results are too large to show rows" };
                (Some(false), Some(format!("{}{hidden}", counts(self.differ))))
            }
            () if self.open + self.fed > 0 => {
                (None, Some(format!("{}: {}", counts(self.open + self.fed), self.doubt.clone().unwrap_or_default())))
            }
            () if self.doubt.is_some() => (None, self.doubt.clone()),
            () if self.compared == 0 && self.left_out > 0 => {
                let reason = "no execution ended in time; raise the time limit for comparing results";
                (None, Some(reason.to_owned()))
            }
            () if self.compared == 0 => {
                (None, Some("it was never executed: earlier steps returned no rows".to_owned()))
            }
            () if self.failed == self.compared => {
                let words = self.failure.clone().unwrap_or_default();
                (None, Some(format!("each of {} executions failed: {words}", self.compared)))
            }
            () => (Some(true), None),
        };
        StatementResults {
            name: name.to_owned(),
            role: role.map(str::to_owned),
            compared: self.compared,
            identical,
            deterministic,
            ordered: shape.rules.order.is_some(),
            ties: self.ties,
            reason,
            difference,
        }
    }
}

/// Executions with the same parameters, each with the next of its like; then what is left, in order.
fn pairs<'a>(executed: Vec<&'a Executed>, others: Vec<&'a Executed>) -> Vec<Pair<'a>> {
    let mut places: HashMap<&[String], VecDeque<usize>> = HashMap::new();
    for (at, after) in others.iter().enumerate() {
        places.entry(&after.parameters).or_default().push_back(at);
    }
    let mut found = vec![false; others.len()];
    let mut pairs = Vec::with_capacity(executed.len());
    let mut left = Vec::new();
    for before in executed {
        match places.get_mut(before.parameters.as_slice()).and_then(VecDeque::pop_front) {
            Some(at) => {
                found[at] = true;
                pairs.push(Pair { before, after: others[at] });
            }
            None => left.push(before),
        }
    }
    let others = others.into_iter().zip(found).filter_map(|(after, found)| (!found).then_some(after));
    pairs.extend(left.into_iter().zip(others).map(|(before, after)| Pair { before, after }));
    pairs
}

fn difference(executed: &Executed, shown: Shown) -> ResultDifference {
    let row = |row: Option<Vec<Option<String>>>| {
        row.map(|cells| cells.into_iter().take(MOST_COLUMNS).map(|cell| cell.map(|text| cut(&text))).collect())
    };
    ResultDifference {
        parameters: executed.parameters.iter().map(|text| cut(text)).collect(),
        row: shown.row,
        columns: shown.columns.into_iter().take(MOST_COLUMNS).collect(),
        before: row(shown.before),
        after: row(shown.after),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::{Form, Row};

    fn shape() -> Shape {
        Shape::of(&["value"], &[Form::Text], None, "SELECT value FROM t WHERE id = $1")
    }

    fn executed(parameter: &str, values: &[&str]) -> Executed {
        let row = |value: &&str| -> Row { [Some((*value).into())].into() };
        let answer = Answer::Rows(values.iter().map(row).collect());
        let parameters = vec![parameter.to_owned()];
        Executed { statement: 0, parameters, answer, cut_before: false, cut_after: false }
    }

    fn tally(pairs: &[(&[Executed], &[Executed])]) -> Tally {
        let shape = shape();
        let mut tally = Tally::default();
        for (before, after) in pairs {
            tally.add((&shape, before.iter().collect()), (&shape, after.iter().collect()));
        }
        tally
    }

    fn end(tally: Tally, volatile: Option<&str>) -> StatementResults {
        tally.end("find", None, &shape(), volatile)
    }

    #[test]
    fn the_first_difference_is_kept_and_all_are_counted() {
        let long = "x".repeat(300);
        let result = end(
            tally(&[
                (&[executed("1", &["a"])], &[executed("1", &["a"])]),
                (&[executed("2", &[&long])], &[executed("2", &["b"])]),
                (&[executed("3", &["c"])], &[executed("3", &["d"])]),
            ]),
            None,
        );
        assert_eq!(
            (result.identical, result.compared, result.reason.as_deref()),
            (Some(false), 3, Some("2 of 3 results differ"))
        );
        let difference = result.difference.unwrap();
        assert_eq!(difference.parameters, ["2"]);
        let shown = difference.before.unwrap()[0].clone().unwrap();
        assert_eq!((shown.chars().count(), shown.ends_with('…')), (201, true));
    }

    #[test]
    fn executions_belong_together_by_their_parameters() {
        let before = [executed("1", &["a"]), executed("2", &["b"]), executed("1", &["c"])];
        let after = [executed("2", &["b"]), executed("1", &["a"]), executed("1", &["c"])];
        assert_eq!(end(tally(&[(&before, &after)]), None).identical, Some(true));
        // With other parameters other rows are no difference of this statement, and the same rows are the same.
        let other = [executed("7", &["b"]), executed("1", &["a"]), executed("1", &["c"])];
        assert_eq!(end(tally(&[(&before, &other)]), None).identical, Some(true));
        let other = [executed("7", &["x"]), executed("1", &["a"]), executed("1", &["c"])];
        let result = end(tally(&[(&before, &other)]), None);
        assert_eq!((result.identical, result.deterministic), (None, true), "{result:?}");
        assert_eq!(tally(&[(&before, &other)]).instability(), None);
        assert_eq!(end(tally(&[(&before, &other[1..])]), None).identical, None);
    }

    #[test]
    fn a_volatile_text_and_an_unstable_statement_decide_nothing() {
        let differing = || tally(&[(&[executed("1", &["a"])], &[executed("1", &["b"])])]);
        let result = end(differing(), Some("now()"));
        assert_eq!((result.identical, result.deterministic, result.difference.is_some()), (None, false, true));
        let same = tally(&[(&[executed("1", &["a"])], &[executed("1", &["a"])])]);
        assert_eq!(end(same, Some("now()")).identical, Some(true));
        assert_eq!(differing().instability(), Some(String::new()));
        let result = end(Tally { unstable: Some("why".into()), ..differing() }, None);
        assert_eq!((result.identical, result.reason.as_deref(), result.difference), (None, Some("why"), None));
    }
}
