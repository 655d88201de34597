//! What a person pastes or names may be of any shape: the time to read it grows with its size, not with the square of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use latclinic::{clinic, scenario};

/// Four times the size takes at most so many times the time; of a square it would be 16.
const MOST: f64 = 9.0;

/// Below this, what is measured is the machine.
const NOTICEABLE: Duration = Duration::from_millis(40);

/// The shortest of three.
fn time(work: impl Fn()) -> Duration {
    let once = || {
        let begin = Instant::now();
        work();
        begin.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap()
}

/// Reads what `make` makes of a size and of four times that.
fn grows_with_size(what: &str, size: usize, make: impl Fn(usize) -> String, read: impl Fn(&str)) {
    let (small, large) = (make(size), make(4 * size));
    let measure = || (time(|| read(&small)), time(|| read(&large)));
    // A busy machine may slow one of them down: what is of the square is so each time.
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (short, long) = measure();
        if long < NOTICEABLE || long.as_secs_f64() < MOST * short.as_secs_f64() {
            return;
        }
        seen.push((short, long));
    }
    panic!("{what}: {size} and {} took {seen:?}", 4 * size);
}

fn plan(text: &str) {
    let _ = black_box(clinic::examine_plans("stdin", text.as_bytes()));
}

const SCAN: &str = "Seq Scan on t  (cost=0.00..100.00 rows=1000 width=4) (actual time=0.1..9.2 rows=1000 loops=1)";

fn filtered(filter: &str) -> String {
    format!("{SCAN}\n  Filter: {filter}\n  Rows Removed by Filter: 1000000\n")
}

#[test]
fn pasted_plans() {
    type Case = (&'static str, usize, fn(usize) -> String);
    let cases: [Case; 18] = [
        ("parentheses around", 5_000, |n| filtered(&format!("{}a = 1{}", "(".repeat(n), ")".repeat(n)))),
        ("parentheses that stay open", 5_000, |n| filtered(&"(".repeat(n))),
        ("ANDs in each other", 2_000, |n| filtered(&format!("{}a = 1{}", "(".repeat(n), " AND b = 2)".repeat(n)))),
        ("ANDs in a row", 1_000, |n| filtered(&format!("(a = 1){}", " AND (b = 2)".repeat(n)))),
        ("ORs in a row", 1_000, |n| filtered(&format!("((a = 1){})", " OR (b = 2)".repeat(n)))),
        ("calls in each other", 2_000, |n| filtered(&format!("({}a{} = 1)", "f(".repeat(n), ")".repeat(n)))),
        ("a long list", 10_000, |n| filtered(&format!("(a = ANY ('{{{}}}'::integer[]))", "1,".repeat(n)))),
        ("a long text", 100_000, |n| filtered(&format!("(a = '{}'::text)", "x''".repeat(n)))),
        ("many details", 2_000, |n| format!("{SCAN}\n{}", "  Output: a, b, c\n".repeat(n))),
        ("many plans", 200, |n| format!("{SCAN}\n\n").repeat(n)),
        ("parts of plans", 200, |n| format!("  ->  {SCAN}\n").repeat(n)),
        ("lines in quotes", 200, |n| format!("\"{SCAN}\"\n\"  Filter: (a = 1)\"\n").repeat(n)),
        ("lines with a prefix", 200, |n| {
            let entry = |i| format!("db-1  | {SCAN}\nweb-1  | GET /{i}\ndb-1  |   Filter: (a = 1)\n");
            (0..n).map(entry).collect()
        }),
        ("numbered lines", 500, |n| {
            format!("1 {SCAN}\n") + &(2..n).map(|i| format!("{i}   Output: a\n")).collect::<String>()
        }),
        ("broken lines", 2_000, |n| {
            format!("{SCAN}\n{}", format!("  Output: {}\n{}\n", "a, ".repeat(29), "b, ".repeat(30)).repeat(n))
        }),
        ("lines that nobody knows", 2_000, |n| format!("{SCAN}\n{}", "  Some Thing: 5\n".repeat(n))),
        ("names without measures", 500, |n| format!("{SCAN}\n{}", "Sort on\n".repeat(n))),
        ("line ends that are escaped", 200, |n| format!("msg=\"plan:\\n{SCAN}\\n  Output: a\\n\"\n").repeat(n)),
    ];
    for (what, size, make) in cases {
        grows_with_size(what, size, make, plan);
    }
}

#[test]
fn scenarios() {
    let file = |columns: &str, workload: &str| {
        format!(
            "title = \"t\"\n[dataset]\nschema = \"CREATE TABLE t (id bigint PRIMARY KEY)\"\n[dataset.tables.t]\nrows = 10\n\
             [dataset.tables.t.columns]\nid = {{ sequence = {{}} }}\n{columns}{workload}\
             [fix]\ntitle = \"x\"\nup = \"CREATE INDEX i ON t (id)\"\ndown = \"DROP INDEX i\"\n"
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        if let Err(scenario::Error::Faults(faults)) = black_box(scenario::load(path.to_str().unwrap())) {
            black_box(faults.render(false));
        }
    };
    let workload = "[workload.statements.s]\nsql = \"SELECT 1\"\n";
    grows_with_size(
        "unknown columns",
        1_000,
        |n| file(&(0..n).map(|i| format!("c{i} = {{ sequence = {{}} }}\n")).collect::<String>(), workload),
        read,
    );
    grows_with_size(
        "unknown keys",
        1_000,
        |n| file("", &(0..n).map(|i| format!("k{i} = 1\n")).collect::<String>()),
        read,
    );
    grows_with_size("a long key", 5_000, |n| file(&format!("{} = 1\n", "k".repeat(n)), workload), read);
    grows_with_size("lines that do not parse", 1_000, |n| file(&"= = =\n".repeat(n), workload), read);
}
