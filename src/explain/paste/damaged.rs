//! Tests: a plan that is damaged in the ways in which people's are is read as the same tree, or refused; never as another.

use std::{fs, path::PathBuf};

use proptest::prelude::*;

use super::*;

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
    let of = |node: &crate::explain::Node| {
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

#[derive(Debug, Clone, Copy)]
enum Damage {
    /// Broken at a column, by a terminal; whether spaces at the end of a line are lost, as some copy it.
    Column(usize, bool),
    /// Broken between words, by a mail.
    Words(usize),
    /// Broken by psql's `\pset format wrapped`.
    Marked(usize),
    /// Each line in quotes, those within doubled or not.
    Quotes(char, bool),
    /// Something before each line, of the list below.
    Prefix(usize),
    /// Blanks in a row are one.
    Folded,
    /// Eight spaces are a tab.
    Tabs,
    /// As in the source of a web page.
    Entities,
    /// Of a word processor, a terminal, another system.
    Characters(usize),
    /// Line ends as `\n` in one line of a log.
    Escaped,
}

const PREFIXES: usize = 12;

fn prefix(which: usize, number: usize) -> String {
    match which {
        0 => "db-1  | ".into(),
        1 => format!("Nov 30 10:00:{:02} dbhost postgres[771]: [5-{number}] #011", number % 60),
        2 => format!("2026-11-30T10:00:00.{:09}Z stdout F \t", 123 + number * 7919),
        3 => format!("{number} "),
        4 => format!("{number:6}\t"),
        5 => "> ".into(),
        6 => ">> ".into(),
        7 => format!("2026-11-30T10:00:00.{}+00:00 app[postgres.77]: [DATABASE] [7-{number}]  ", 1 + number * 31),
        8 => "-- ".into(),
        9 => format!("{number}. "),
        10 => "# ".into(),
        _ => "    ".into(),
    }
}

fn damaged(text: &str, damage: Damage) -> String {
    let lines = || text.lines();
    let each = |change: &dyn Fn(usize, &str) -> String| {
        lines().enumerate().map(|(at, line)| change(at + 1, line) + "\n").collect::<String>()
    };
    match damage {
        Damage::Column(width, trims) => each(&|_, line| {
            let chars: Vec<char> = line.chars().collect();
            let chunks = chars.chunks(width).map(|chunk| chunk.iter().collect::<String>());
            let chunks = chunks.map(|chunk| if trims { chunk.trim_end().to_owned() } else { chunk });
            chunks.collect::<Vec<_>>().join("\n")
        }),
        Damage::Words(width) => each(&|_, line| {
            let indent = line.len() - line.trim_start().len();
            let (mut out, mut column) = (line[..indent].to_owned(), indent);
            for (at, word) in line[indent..].split(' ').enumerate() {
                let length = word.chars().count();
                if at > 0 && column + 1 + length > width && column > indent && !word.is_empty() {
                    out.truncate(out.trim_end().len());
                    out.push('\n');
                    column = 0;
                } else if at > 0 {
                    out.push(' ');
                    column += 1;
                }
                out.push_str(word);
                column += length;
            }
            out
        }),
        Damage::Marked(width) => each(&|_, line| {
            let chars: Vec<char> = line.chars().collect();
            let chunks: Vec<String> = chars.chunks(width).map(|chunk| chunk.iter().collect()).collect();
            let last = chunks.len() - 1;
            let marked = chunks.iter().enumerate().map(|(at, chunk)| {
                let (before, after) = (if at > 0 { "." } else { " " }, if at < last { "." } else { "" });
                format!("{before}{chunk}{after}")
            });
            marked.collect::<Vec<_>>().join("\n")
        }),
        Damage::Quotes(quote, doubled) => each(&|_, line| {
            let line = if doubled { line.replace(quote, &format!("{quote}{quote}")) } else { line.to_owned() };
            format!("{quote}{line}{quote}")
        }),
        Damage::Prefix(which) => each(&|at, line| prefix(which, at) + line),
        Damage::Folded => each(&|_, line| {
            let begin = if line.starts_with(' ') { " " } else { "" };
            begin.to_owned() + &line.split_whitespace().collect::<Vec<_>>().join(" ")
        }),
        Damage::Tabs => each(&|_, line| {
            let indent = line.len() - line.trim_start().len();
            "\t".repeat(indent / 8) + &" ".repeat(indent % 8) + line.trim_start()
        }),
        Damage::Entities => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;"),
        Damage::Characters(0) => text.replace(' ', "\u{a0}"),
        Damage::Characters(1) => text.replace('\n', "\r\n"),
        Damage::Characters(2) => each(&|_, line| format!("\u{1b}[1;32m{line}\u{1b}[0m")),
        Damage::Characters(_) => text.replace('\'', "’").replace("->", "→"),
        Damage::Escaped => {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t").replace('\n', "\\n");
            format!("level=info msg=\"duration: 12.5 ms  plan:\\nQuery Text: SELECT 1\\n{text}\"\n")
        }
    }
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
        1 => (40_usize..180).prop_map(Damage::Marked),
        1 => (prop::sample::select(vec!['"', '\'']), any::<bool>()).prop_map(|(quote, doubled)| Damage::Quotes(quote, doubled)),
        2 => (0..PREFIXES).prop_map(Damage::Prefix),
        1 => Just(Damage::Folded),
        1 => Just(Damage::Tabs),
        1 => Just(Damage::Entities),
        1 => (0_usize..4).prop_map(Damage::Characters),
        1 => Just(Damage::Escaped),
    ]
}

/// Damages that take nothing away: what they leave is read.
#[test]
fn what_takes_nothing_away_is_read() {
    let mut damages = vec![Damage::Tabs, Damage::Entities, Damage::Escaped];
    damages.extend((0..PREFIXES).map(Damage::Prefix));
    damages.extend((0..4).map(Damage::Characters));
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
