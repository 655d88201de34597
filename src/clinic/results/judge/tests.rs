use proptest::prelude::*;

use super::*;

const ORDERED: &str = "SELECT key, value FROM t ORDER BY key LIMIT 5";
const PLAIN: &str = "SELECT key, value FROM t";

fn shape(sql: &str) -> Shape {
    let keys = sql.contains("ORDER BY").then(|| vec![0]);
    Shape::of(&["key", "value"], &[Form::Text, Form::Text], keys, sql)
}

fn executed(answer: Answer, cut_after: bool) -> Executed {
    Executed { statement: 0, parameters: Vec::new(), answer, cut_before: false, cut_after }
}

fn rows(rows: &[(u8, u8)]) -> Vec<Row> {
    rows.iter().map(|(key, value)| [key, value].map(|cell| Some(cell.to_string().into())).into()).collect()
}

fn of(shape: &Shape, before: Answer, after: Answer, cut: bool) -> Judged {
    let (before, after) = (executed(before, cut), executed(after, cut));
    judge(Side { shape, executed: &before }, Side { shape, executed: &after })
}

fn failed(sqlstate: &str) -> Answer {
    Answer::Failed { sqlstate: sqlstate.to_owned(), message: format!("words of {sqlstate}") }
}

#[test]
fn errors_are_answers_unless_they_are_the_servers_state() {
    let shape = shape(PLAIN);
    assert_eq!(of(&shape, failed("22012"), failed("22012"), false), Judged::Same { ties: 0 });
    let judged = of(&shape, failed("22012"), Answer::Rows(Vec::new()), false);
    let Judged::Differ(Some(shown)) = judged else { panic!("{judged:?}") };
    assert_eq!((shown.row, shown.columns), (0, vec!["error".to_owned()]));
    assert_eq!((shown.before, shown.after), (Some(vec![Some("words of 22012".to_owned())]), Some(vec![None])));
    assert!(matches!(of(&shape, failed("22012"), failed("22003"), false), Judged::Differ(Some(_))));
    for state in ["57014", "40001", "53300", "55P03"] {
        assert_eq!(
            of(&shape, Answer::Rows(Vec::new()), failed(state), false),
            Judged::NoAnswer(format!("words of {state}"))
        );
    }
}

#[test]
fn what_was_written_counts() {
    let shape = Shape::of(&[], &[], None, "DELETE FROM t");
    assert_eq!(of(&shape, Answer::Command(3), Answer::Command(3), false), Judged::Same { ties: 0 });
    let judged = of(&shape, Answer::Command(3), Answer::Command(0), false);
    assert_eq!(judged, Judged::Differ(Some(figures("rows written", 3, 0))));
}

#[test]
fn keys_beside_the_output_are_compared_and_not_shown() {
    let shape =
        Shape::of(&["value"], &[Form::Text, Form::Text], Some(vec![1]), "SELECT value FROM t ORDER BY t.key LIMIT 1");
    let row = |value: u8, key: u8| Answer::Rows(rows(&[(value, key)]));
    assert_eq!(of(&shape, row(1, 7), row(2, 7), true), Judged::Same { ties: 1 });
    let judged = of(&shape, row(1, 7), row(2, 8), true);
    let Judged::Differ(Some(shown)) = judged else { panic!("{judged:?}") };
    assert_eq!((shown.row, shown.before, shown.after), (1, Some(vec![Some("1".into())]), Some(vec![Some("2".into())])));
    // The output is the same: whatever else it is sorted by.
    assert_eq!(of(&shape, row(1, 7), row(1, 8), true), Judged::Same { ties: 0 });
}

#[test]
fn large_results_with_floats_are_not_judged_by_a_digest_that_differs() {
    let shape = Shape::of(&["value"], &[Form::Float8], None, "SELECT value FROM t");
    let digest = |value: &str| Answer::Digest(Digest::of(&[[Some(value.into())].into()], &shape));
    assert_eq!(of(&shape, digest("0.1"), digest("0.1"), false), Judged::Same { ties: 0 });
    assert!(matches!(of(&shape, digest("0.1"), digest("0.2"), false), Judged::Open(_)));
}

proptest! {
    /// Whether one or both sides are digests, nothing is said that the rows themselves would not say.
    #[test]
    fn a_digest_says_no_more_than_the_rows(
        before in prop::collection::vec((0..3_u8, 0..3_u8), 0..6),
        changed in prop::collection::vec((0..3_u8, 0..3_u8), 0..6),
        shuffled in any::<bool>(),
        ordered in any::<bool>(),
        cut in any::<bool>(),
    ) {
        let shape = shape(if ordered { ORDERED } else { PLAIN });
        let (mut before, mut after) = (before, changed);
        if shuffled {
            after = before.iter().rev().copied().collect();
        }
        if ordered {
            before.sort_by_key(|(key, _)| *key);
            after.sort_by_key(|(key, _)| *key);
        }
        let (before, after) = (rows(&before), rows(&after));
        let of_digests = |one_only: bool| {
            let one = Answer::Digest(Digest::of(&before, &shape));
            let other = if one_only { Answer::Rows(after.clone()) } else { Answer::Digest(Digest::of(&after, &shape)) };
            of(&shape, one, other, cut)
        };
        let exact = of(&shape, Answer::Rows(before.clone()), Answer::Rows(after.clone()), cut);
        for judged in [of_digests(false), of_digests(true)] {
            match judged {
                Judged::Same { ties } => prop_assert_eq!(&exact, &Judged::Same { ties }),
                Judged::Differ(_) => prop_assert!(matches!(exact, Judged::Differ(_)), "{:?}", exact),
                Judged::Open(_) => prop_assert!(cut, "{:?}", exact),
                Judged::NoAnswer(words) => prop_assert!(false, "{}", words),
            }
        }
    }
}
