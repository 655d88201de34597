//! The lines below a node: `Filter: (user_id = 42)`, `Sort Method: quicksort  Memory: 25kB`.

use super::line::is_detail;
use crate::plan::{
    known_words::is_passed_over,
    unfinished_node::{Draft, Field},
};

/// How lines of a statement as a whole begin that relatives of PostgreSQL print, or extensions of it.
const OF_STATEMENT: &[&str] = &[
    "Storage Read Requests:",
    "Storage Read Execution Time:",
    "Storage Read Ops:",
    "Storage Rows Scanned:",
    "Storage Write Requests:",
    "Storage Write Execution Time:",
    "Storage Flush Requests:",
    "Storage Flush Execution Time:",
    "Storage Execution Time:",
    "Catalog Read",
    "Catalog Write",
    "Catalog Reads",
    "Metric ",
    "Peak Memory Usage:",
    "Optimizer:",
    "Optimizer status:",
    "Memory used:",
    "Memory wanted:",
    "(slice",
    "* (slice",
    "Slice statistics:",
    "Statement statistics:",
    "SQL Hash:",
    "Note: An Approved plan",
    "Note: A ",
    "Data node ",
];

/// Keys whose lines say something that rules use.
const KEYS: [&str; 28] = [
    "Filter",
    "Index Cond",
    "Recheck Cond",
    "TID Cond",
    "Join Filter",
    "Hash Cond",
    "Merge Cond",
    "One-Time Filter",
    "Order By",
    "Cache Key",
    "Function Call",
    "Sort Key",
    "Group Key",
    "Presorted Key",
    "Output",
    "Rows Removed by Filter",
    "Rows Removed by Index Recheck",
    "Rows Removed by Join Filter",
    "Heap Fetches",
    "Heap Blocks",
    "Index Searches",
    "Subplans Removed",
    "Workers Planned",
    "Workers Launched",
    "Sort Method",
    "Buffers",
    "I/O Timings",
    "Run Condition",
];

const TARGETS: [&str; 7] = [
    "Insert on ",
    "Update on ",
    "Delete on ",
    "Merge on ",
    "Foreign Insert on ",
    "Foreign Update on ",
    "Foreign Delete on ",
];

/// Whether the line is one of the statement as a whole that PostgreSQL itself does not print.
pub(crate) fn is_of_statement(line: &str) -> bool {
    OF_STATEMENT.iter().any(|beginning| line.starts_with(beginning))
}

/// Whether the line is one of a node as PostgreSQL prints them.
pub(crate) fn is_known(line: &str) -> bool {
    TARGETS.iter().any(|target| line.starts_with(target))
        || line.split_once(':').is_some_and(|(key, _)| is_passed_over(key))
        || is_detail(line)
        || line.starts_with("Worker ")
}

/// Takes a line of a node; what nothing is made of is kept as it is.
///
/// # Errors
/// A figure is none.
pub(crate) fn detail(draft: &mut Draft, line: &str) -> Result<(), &'static str> {
    let Some((key, value)) = line.split_once(':') else {
        // Tables that a statement writes to, each in a line.
        if !TARGETS.iter().any(|target| line.starts_with(target)) {
            draft.other(line);
        }
        return Ok(());
    };
    let value = value.trim();
    match key {
        "Sort Key" | "Group Key" | "Presorted Key" | "Output" | "Params Evaluated" if value != "()" => {
            draft.set(key, &Field::Texts(list(value)))
        }
        "Hash Key" => draft.set("Group Key", &Field::Texts(list(value))),
        "Group Key" => Ok(()),
        "Rows Removed by Filter"
        | "Rows Removed by Index Recheck"
        | "Rows Removed by Join Filter"
        | "Heap Fetches"
        | "Index Searches"
        | "Subplans Removed"
        | "Workers Planned"
        | "Workers Launched" => draft.set(key, &Field::Number(value.parse().map_err(|_| "a number")?)),
        "Inner Unique" | "Disabled" => draft.set(key, &Field::Bool(value == "true")),
        "Sort Method" => {
            let parts = parts(line);
            let space = |name| parts.iter().find(|(key, _)| *key == name).map(|(_, value)| number(value));
            match (space("Disk"), space("Memory")) {
                (Some(kib), _) => draft.sorted(parts[0].1, kib?, true),
                (None, Some(kib)) => draft.sorted(parts[0].1, kib?, false),
                (None, None) => {}
            }
            Ok(())
        }
        "Full-sort Groups" | "Pre-sorted Groups" => groups(draft, line),
        "Buckets" => set_each(draft, line, &[("Batches", "Hash Batches"), ("Memory Usage", "Peak Memory Usage")])
            .and_then(|()| {
                let original = value.split_once("Batches: ").and_then(|(_, rest)| rest.split_once("(originally "));
                match original {
                    Some((_, original)) => draft.set("Original Hash Batches", &Field::Number(number(original)?)),
                    None => Ok(()),
                }
            }),
        "Planned Partitions" | "Batches" => set_each(
            draft,
            line,
            &[("Batches", "HashAgg Batches"), ("Memory Usage", "Peak Memory Usage"), ("Disk Usage", "Disk Usage")],
        ),
        "Hits" => set_each(
            draft,
            line,
            &[
                ("Hits", "Cache Hits"),
                ("Misses", "Cache Misses"),
                ("Evictions", "Cache Evictions"),
                ("Overflows", "Cache Overflows"),
            ],
        ),
        "Heap Blocks" => {
            keep_unknown(draft, key, value, &["exact", "lossy"]);
            for (name, key) in [("exact=", "Exact Heap Blocks"), ("lossy=", "Lossy Heap Blocks")] {
                let blocks = value.split(' ').find_map(|part| part.strip_prefix(name));
                draft.set(key, &Field::Number(blocks.map_or(Ok(0.0), number)?))?;
            }
            Ok(())
        }
        "Buffers" => buffers(draft, value),
        "I/O Timings" => {
            keep_unknown(draft, key, value, &["read", "write", "extend"]);
            Ok(())
        }
        "WAL" => {
            keep_unknown(draft, key, value, &["records", "fpi", "bytes", "full"]);
            Ok(())
        }
        "Filter"
        | "Index Cond"
        | "Recheck Cond"
        | "TID Cond"
        | "Join Filter"
        | "Hash Cond"
        | "Merge Cond"
        | "One-Time Filter"
        | "Order By"
        | "Cache Key"
        | "Function Call"
        | "Storage Filter"
        | "Storage Index Filter"
        | "Remote Filter" => draft.set(key, &Field::Text(value)),
        "Storage Table Rows Scanned" | "Storage Index Rows Scanned" => draft.set(key, &Field::Number(number(value)?)),
        _ => match whole(key) {
            Some(known) => detail(draft, &format!("{known}: {value}")),
            None => draft.set(key, &Field::Text(value)),
        },
    }
}

/// The known key that this one is with other spaces, as those of a line that was broken within it.
fn whole(key: &str) -> Option<&'static str> {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let known = || KEYS.into_iter().filter(|known| *known != key);
    key.contains(' ').then(|| known().find(|known| squeezed(known) == squeezed(key))).flatten()
}

/// `shared hit=1 read=2, temp written=3`.
fn buffers(draft: &mut Draft, value: &str) -> Result<(), &'static str> {
    let is_figure = |word: &str| !word.contains('=') && word.starts_with(|c: char| c.is_ascii_digit());
    if value.split([' ', ',']).any(|word| word.starts_with('=') || is_figure(word)) {
        return Err("how many blocks");
    }
    draft.set("Shared Hit Blocks", &Field::Number(0.0))?;
    keep_unknown(draft, "Buffers", value, &["hit", "read", "dirtied", "written"]);
    for (of, name, blocks) in counters(value) {
        let key = match (of, name) {
            // The name is broken, or cut off.
            (of, "hit" | "read" | "dirtied" | "written") if is_cut(of) => return Err("of which blocks"),
            ("shared", "hit") => "Shared Hit Blocks",
            ("shared", "read") => "Shared Read Blocks",
            ("shared", "dirtied") => "Shared Dirtied Blocks",
            ("shared", "written") => "Shared Written Blocks",
            ("temp", "read") => "Temp Read Blocks",
            ("temp", "written") => "Temp Written Blocks",
            _ => continue,
        };
        draft.set(key, &Field::Number(number(blocks)?))?;
    }
    Ok(())
}

fn is_cut(name: &str) -> bool {
    ["shared", "local", "temp"].iter().all(|kind| *kind != name)
        && ["shared", "local", "temp"].iter().any(|kind| kind.contains(name))
}

/// The counters of a line, `shared hit=1 read=2, temp written=3`: of what each is, its name, its figure.
fn counters(value: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut of = "";
    value.split([' ', ',']).filter_map(move |word| match word.split_once('=') {
        Some((name, figure)) => Some((of, name, figure)),
        None => {
            of = if word.is_empty() { of } else { word };
            None
        }
    })
}

/// Keeps counters that PostgreSQL itself does not print: `aurora_storage_read=40`, `fast hit=2`.
fn keep_unknown(draft: &mut Draft, key: &str, value: &str, known: &[&str]) {
    let mut unknown = String::new();
    let mut last = "";
    for (of, name, figure) in counters(value) {
        let is_known = ["", "shared", "local", "temp", "shared/local", "buffers"].contains(&of);
        if !is_known || !known.contains(&name) {
            if !is_known && of != last {
                unknown.push(' ');
                unknown.push_str(of);
            }
            unknown.push_str(&format!(" {name}={figure}"));
            last = of;
        }
    }
    if !unknown.is_empty() {
        draft.other(&format!("{key}:{unknown}"));
    }
}

/// `Full-sort Groups: 5  Sort Methods: quicksort, top-N heapsort  Average Memory: 28kB  Peak Memory: 28kB`.
fn groups(draft: &mut Draft, line: &str) -> Result<(), &'static str> {
    let parts = parts(line);
    let value = |names: &[&str]| parts.iter().find(|(key, _)| names.contains(key)).map(|(_, value)| *value);
    let Some(method) = value(&["Sort Method", "Sort Methods"]).and_then(|methods| methods.rsplit(", ").next()) else {
        return Ok(());
    };
    for (name, on_disk) in [("Peak Memory", false), ("Peak Disk", true)] {
        if let Some(kib) = value(&[name]) {
            draft.sorted(method, number(kib)?, on_disk);
        }
    }
    Ok(())
}

fn set_each(draft: &mut Draft, line: &str, keys: &[(&str, &str)]) -> Result<(), &'static str> {
    for (name, value) in parts(line) {
        if let Some((_, key)) = keys.iter().find(|(known, _)| *known == name) {
            draft.set(key, &Field::Number(number(value)?))?;
        }
    }
    Ok(())
}

/// `Batches: 1  Memory Usage: 24kB`, part by part.
fn parts(line: &str) -> Vec<(&str, &str)> {
    line.split("  ").filter_map(|part| part.trim().split_once(": ")).collect()
}

/// The figure that the text begins with: `25kB`, `4 (originally 1)`.
pub(crate) fn number(text: &str) -> Result<f64, &'static str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].parse().map_err(|_| "a number")
}

/// `a, f(b, c), "d, e"`, part by part: commas in brackets and quotes part nothing.
pub(crate) fn list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut depth, mut quote) = (0, 0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}
