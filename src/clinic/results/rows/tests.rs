use proptest::{prelude::*, sample::SizeRange};

use super::*;

/// Rows of a key, which is no column of the output where `hidden`, and a value.
fn terms(keys: Option<usize>, ordered: bool) -> Terms {
    let keys = keys.map(|at| vec![(at, at, Form::Text)]);
    Terms { forms: vec![Form::Text, Form::Text], keys, ordered, cut_before: false, cut_after: false }
}

fn rows(rows: &[(u8, u8)]) -> Vec<Row> {
    rows.iter().map(|(key, value)| [key, value].map(|cell| Some(cell.to_string().into())).into()).collect()
}

fn differ(before: Option<usize>, after: Option<usize>) -> Found {
    Found::Differ { before, after }
}

#[test]
fn the_order_counts_only_where_there_is_one() {
    let (one, other) = (rows(&[(1, 1), (2, 2)]), rows(&[(2, 2), (1, 1)]));
    assert_eq!(terms(None, false).compare(&one, &other), Found::Same { ties: 0 });
    assert_eq!(terms(Some(0), true).compare(&one, &other), differ(Some(0), Some(0)));
    assert!(matches!(terms(None, true).compare(&one, &other), Found::Open(_)));
}

#[test]
fn ties_are_rows_of_the_same_key_in_a_group_that_is_cut() {
    let one = rows(&[(1, 1), (1, 2), (2, 3), (3, 4), (3, 5)]);
    let last = rows(&[(1, 2), (1, 1), (2, 3), (3, 5), (3, 6)]);
    let first = rows(&[(1, 7), (1, 1), (2, 3), (3, 4), (3, 5)]);
    let middle = rows(&[(1, 1), (1, 2), (2, 9), (3, 4), (3, 5)]);
    let cut = |cut_before, cut_after| Terms { cut_before, cut_after, ..terms(Some(0), true) };
    assert_eq!(cut(false, true).compare(&one, &last), Found::Same { ties: 1 });
    assert_eq!(cut(true, false).compare(&one, &last), differ(Some(3), Some(4)));
    assert_eq!(cut(true, false).compare(&one, &first), Found::Same { ties: 1 });
    assert_eq!(cut(false, true).compare(&one, &first), differ(Some(1), Some(0)));
    assert_eq!(cut(true, true).compare(&one, &middle), differ(Some(2), Some(2)));
    // One row less is none.
    assert_eq!(cut(true, true).compare(&one, &one[..4]), differ(Some(4), None));
    assert_eq!(cut(true, true).compare(&one[..4], &one), differ(None, Some(4)));
}

#[test]
fn a_bound_without_order_decides_nothing_but_the_number_of_rows() {
    let (one, other) = (rows(&[(1, 1), (2, 2)]), rows(&[(3, 3), (1, 1)]));
    for ordered in [false, true] {
        let cut = Terms { cut_after: true, ..terms(None, ordered) };
        assert!(matches!(cut.compare(&one, &other), Found::Open(_)));
        assert_eq!(cut.compare(&one, &other[..1]), differ(Some(0), Some(0)));
        assert_eq!(terms(None, ordered).compare(&one, &other), differ(Some(1), Some(0)));
    }
}

#[test]
fn the_row_that_is_most_alike_is_shown_beside_the_first() {
    let (one, other) = (rows(&[(1, 1), (2, 5)]), rows(&[(7, 8), (2, 6), (1, 1)]));
    assert_eq!(terms(None, false).compare(&one, &other), differ(Some(1), Some(1)));
    assert_eq!(terms(None, false).compare(&one[..1], &other), differ(None, Some(0)));
}

#[test]
fn null_is_no_value() {
    let row = |cell: Option<&str>| -> Vec<Row> { vec![[cell.map(Into::into)].into()] };
    let terms = Terms { forms: vec![Form::Float8], ..terms(None, false) };
    assert_eq!(terms.compare(&row(None), &row(None)), Found::Same { ties: 0 });
    assert_eq!(terms.compare(&row(None), &row(Some("0"))), differ(Some(0), Some(0)));
}

#[test]
fn many_numbers_that_are_rounded_otherwise_are_found_the_same() {
    let numbers = |offset: f64| -> Vec<Row> {
        let number = |at: i32| Some((f64::from(at) * (1.0 + offset)).to_string().into());
        (0..3_000).map(|at| [number(at)].into()).collect()
    };
    let terms = Terms { forms: vec![Form::Float8], ..terms(None, false) };
    let turned: Vec<Row> = numbers(1e-12).into_iter().rev().collect();
    assert_eq!(terms.compare(&numbers(0.0), &turned), Found::Same { ties: 0 });
    assert!(matches!(terms.compare(&numbers(0.0), &numbers(1e-6)), Found::Differ { .. }));
}

fn few(size: impl Into<SizeRange>) -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop::collection::vec((0..4_u8, 0..4_u8), size)
}

proptest! {
    #[test]
    fn any_order_of_the_same_rows_is_the_same(
        (one, other) in few(0..20).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        prop_assert_eq!(terms(None, false).compare(&rows(&one), &rows(&other)), Found::Same { ties: 0 });
        // Sorted by the key, with the others as they come.
        let sorted = |mut rows: Vec<(u8, u8)>| { rows.sort_by_key(|(key, _)| *key); rows };
        let (one, other) = (sorted(one), sorted(other));
        prop_assert_eq!(terms(Some(0), true).compare(&rows(&one), &rows(&other)), Found::Same { ties: 0 });
    }

    #[test]
    fn other_rows_are_never_the_same(mut one in few(0..12), mut other in few(0..12)) {
        let found = terms(None, false).compare(&rows(&one), &rows(&other));
        let (shown_one, shown_other) = (one.clone(), other.clone());
        one.sort_unstable();
        other.sort_unstable();
        prop_assert_eq!(found == Found::Same { ties: 0 }, one == other);
        if let Found::Differ { before, after } = found {
            // What is shown is there, and not as often on the other side.
            let often = |rows: &[(u8, u8)], row| rows.iter().filter(|other| **other == row).count();
            if let Some(row) = before.map(|at| shown_one[at]) {
                prop_assert!(often(&one, row) > often(&other, row));
            }
            if let Some(row) = after.map(|at| shown_other[at]) {
                prop_assert!(often(&other, row) > often(&one, row));
            }
        }
    }

    #[test]
    fn a_cut_hides_rows_of_its_own_key_only(all in few(1..20), kept in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let mut all = all;
        all.sort_unstable();
        let kept = 1 + kept.index(all.len());
        let one = &all[..kept];
        let mut other = one.to_vec();
        let at = at.index(kept);
        other[at].1 += 10;
        let cut = Terms { cut_after: true, ..terms(Some(0), true) };
        let expected = all[at].0 == one[kept - 1].0;
        let found = cut.compare(&rows(one), &rows(&other));
        prop_assert_eq!(found == Found::Same { ties: 1 }, expected, "{:?} {:?}", one, other);
    }

    #[test]
    fn noise_below_the_tolerance_makes_no_difference(
        numbers in prop::collection::vec((0..3_u8, -1e6..1e6_f64), 0..30),
        noise in prop::collection::vec(-1e-11..1e-11_f64, 30),
    ) {
        let row = |key: u8, number: f64| -> Row { [Some(key.to_string().into()), Some(number.to_string().into())].into() };
        let one: Vec<Row> = numbers.iter().map(|(key, number)| row(*key, *number)).collect();
        let mut other: Vec<Row> =
            numbers.iter().zip(&noise).map(|((key, number), noise)| row(*key, number * (1.0 + noise))).collect();
        other.reverse();
        let terms = Terms { forms: vec![Form::Text, Form::Float8], ..terms(None, false) };
        prop_assert_eq!(terms.compare(&one, &other), Found::Same { ties: 0 });
    }
}
