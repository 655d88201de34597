//! Tests: a plan that is damaged in the ways in which people's are is read as the same tree, or refused; never as another.

use crate::plan::Plan;
use std::{fs, path::PathBuf};

use proptest::prelude::*;
use ways::{CHARACTERS, Damage, FRAMES, PREFIXES, damaged};

use super::read::*;

mod ways;

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plans").join(name);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Text plans of many kinds: subplans, workers, long lines, quoted names, constants.
const PLANS: [&str; 16] = [
    "15/seq_scan_sort.txt",
    "15/hash_join.txt",
    "15/init_plan_shared.txt",
    "16/cte_in_sub_plan.txt",
    "16/delete_cascade.txt",
    "16/grouping_sets.txt",
    "17/merge_join.txt",
    "17/memoize.txt",
    "17/parallel_append.txt",
    "17/partitions.txt",
    "18/bitmap_or.txt",
    "18/parallel_hash.txt",
    "18/quoted_names.txt",
    "18/recursive_cte.txt",
    "18/union_all.txt",
    "14/sub_plan_filter.txt",
];

/// What a plan says of one of its nodes, spaces aside.
type Said = (Option<usize>, String, [Option<String>; 4], [f64; 3], [Option<f64>; 4], String);

fn said(plan: &Plan) -> Vec<Said> {
    let of = |node: &crate::plan::model::Node| {
        let conditions = &node.conditions;
        let texts = [&conditions.filter, &conditions.index, &conditions.hash, &conditions.join_filter];
        let text = texts.into_iter().flatten().chain(&conditions.sort_key).map(String::as_str).collect::<String>();
        let actual = node.actual;
        (
            node.parent,
            node.node_type.clone(),
            [node.relation.clone(), node.index.clone(), node.alias.clone(), node.subplan.clone()],
            [node.plan_rows, node.removed.filter, node.removed.join_filter],
            [
                node.total_cost,
                node.heap_fetches,
                actual.map(|actual| actual.rows),
                actual.and_then(|actual| actual.total_ms),
            ],
            text.replace(char::is_whitespace, ""),
        )
    };
    plan.nodes().iter().map(of).collect()
}

/// Whether the damaged plan is read; `Err` where it is read as another.
fn read(text: &str, damages: &[Damage]) -> Result<bool, String> {
    let whole = said(&read_plans(text.as_bytes()).unwrap()[0].plan);
    let damaged = damages.iter().fold(text.to_owned(), |text, damage| damaged(&text, *damage));
    match read_plans(damaged.as_bytes()) {
        Err(error) if error.to_string().is_empty() || error.hint().is_none() => Err("refused without a word".into()),
        Err(_) => Ok(false),
        Ok(plans) if plans.len() == 1 && said(&plans[0].plan) == whole => Ok(true),
        Ok(plans) => {
            let differs = plans[0].plan.nodes().len().to_string();
            let pairs = said(&plans[0].plan).into_iter().zip(whole).find(|(one, other)| one != other);
            Err(format!("{damages:?}: {} plans, {differs} nodes, {pairs:?}\n{damaged}", plans.len()))
        }
    }
}

fn any_damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (40_usize..180, any::<bool>()).prop_map(|(width, trims)| Damage::Column(width, trims)),
        2 => (50_usize..180).prop_map(Damage::Words),
        1 => (50_usize..180, 1_usize..12).prop_map(|(width, hangs)| Damage::Hanging(width, hangs)),
        1 => (40_usize..180).prop_map(Damage::Marked),
        1 => (0..FRAMES).prop_map(Damage::Frame),
        1 => (40_usize..180).prop_map(Damage::FrameColumn),
        1 => (prop::sample::select(vec!['"', '\'']), any::<bool>()).prop_map(|(quote, doubled)| Damage::Quotes(quote, doubled)),
        2 => (0..PREFIXES).prop_map(Damage::Prefix),
        1 => Just(Damage::Folded),
        1 => Just(Damage::Tabs),
        1 => Just(Damage::Entities),
        1 => (0..CHARACTERS).prop_map(Damage::Characters),
        1 => Just(Damage::Escaped),
    ]
}

/// Damages that take nothing away: what they leave is read.
#[test]
fn what_takes_nothing_away_is_read() {
    let mut damages =
        vec![Damage::Tabs, Damage::Entities, Damage::Escaped, Damage::Page, Damage::Rows(true), Damage::Rows(false)];
    damages.extend((0..PREFIXES).map(Damage::Prefix));
    damages.extend((0..CHARACTERS).map(Damage::Characters));
    damages.extend((0..FRAMES).map(Damage::Frame));
    damages.extend(
        [('"', true), ('"', false), ('\'', true), ('\'', false)].map(|(quote, doubled)| Damage::Quotes(quote, doubled)),
    );
    let mut unread = Vec::new();
    for name in PLANS {
        let text = fixture(name);
        for damage in &damages {
            match read(&text, &[*damage]) {
                Ok(true) => {}
                Ok(false) => unread.push(format!("{name} {damage:?}: refused")),
                Err(other) => unread.push(format!("{name} {other}")),
            }
        }
    }
    assert!(unread.is_empty(), "{} of {}:\n{}", unread.len(), PLANS.len() * damages.len(), unread.join("\n"));
}

/// Of lines that are broken at a column almost all are read: not those whose indentation is broken.
#[test]
fn broken_lines_are_read() {
    let (mut refused, mut wrong, mut all) = (Vec::new(), Vec::new(), 0);
    for name in PLANS {
        let text = fixture(name);
        for width in (60..180).step_by(3) {
            for damage in
                [Damage::Column(width, false), Damage::Column(width, true), Damage::Words(width), Damage::Marked(width)]
            {
                all += 1;
                match read(&text, &[damage]) {
                    Ok(true) => {}
                    Ok(false) => refused.push(format!("{name} {damage:?}")),
                    Err(other) => wrong.push(format!("{name} {other}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(refused.len() * 50 < all, "{} of {all}:\n{}", refused.len(), refused.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_damaged_plan_is_never_read_as_another(
        of in prop::sample::select(PLANS.to_vec()),
        damage in any_damage(),
    ) {
        let read = read(&fixture(of), &[damage]);
        prop_assert!(read.is_ok(), "{}", read.unwrap_err());
    }
}

/// Two of them on top of each other: a plan in a table or in quotes that a terminal breaks, lines that were broken twice.
#[test]
fn a_plan_that_is_damaged_twice_is_never_read_as_another() {
    let (mut wrong, mut read_well, mut all) = (Vec::new(), 0, 0);
    for (at, name) in PLANS.iter().enumerate() {
        let text = fixture(name);
        // Another part of the widths for each plan.
        for width in (44 + at..180).step_by(13) {
            let narrower = 40 + (width * 7 + at) % 100;
            for damages in [
                [Damage::Column(width, false), Damage::Column(narrower, false)],
                [Damage::Column(width, true), Damage::Words(narrower)],
                [Damage::Words(width), Damage::Column(narrower, true)],
                [Damage::Marked(width), Damage::Column(narrower, false)],
                [Damage::Hanging(width, 4), Damage::Column(narrower, false)],
                [Damage::Frame(width % FRAMES), Damage::Column(width, true)],
                [Damage::Prefix(width % PREFIXES), Damage::Column(width, false)],
                [Damage::Quotes('\'', false), Damage::Column(width, false)],
                [Damage::Column(width, false), Damage::Prefix(narrower % PREFIXES)],
                [Damage::Column(width, true), Damage::Quotes('"', true)],
            ] {
                all += 1;
                match read(&text, &damages) {
                    Ok(is_read) => read_well += usize::from(is_read),
                    Err(other) => wrong.push(format!("{name} {other}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(read_well * 3 > all * 2, "{read_well} of {all} are read");
}
