//! What a fix costs, in a line and in a table.

use super::document::{Block, Cell, Table, Tone};
use crate::{
    record::{BreakEven, LockHeld, Operation, Price, WritePrice, WriteVerdict},
    text,
};

/// Waits from which on they belong into the line, in milliseconds.
const LONG_WAIT_MS: f64 = 100.0;
/// Less time than this to build is nothing that costs, in seconds.
const NO_TIME_S: f64 = 0.1;

/// The price in a line: `costs 31.0 MB, 900 ms to build, inserts +12 % (95 % 9 to 15)`.
pub(super) fn price_line(price: &Price) -> String {
    if price.builds == 0 {
        return "costs nothing to apply".into();
    }
    let waits = long_waits(price);
    let several = price.writes.iter().any(|write| write.table != price.writes[0].table);
    let writes: Vec<&WritePrice> = price.writes.iter().filter(|write| counts(write)).collect();
    let size = price.size_bytes.unwrap_or(0);
    let cheap = size == 0 && price.build_s.is_none_or(|seconds| seconds < NO_TIME_S) && waits.is_none();
    if cheap
        && writes.iter().all(|write| matches!(write.verdict, WriteVerdict::Equivalent | WriteVerdict::Inconclusive))
    {
        return "costs nothing that could be measured".into();
    }
    let mut parts = Vec::new();
    if size > 0 {
        parts.push(text::bytes(size.unsigned_abs()));
    }
    if let Some(seconds) = price.build_s {
        parts.push(format!("{} to build", text::milliseconds(seconds * 1e3)));
    }
    parts.extend(waits);
    parts.extend(writes.into_iter().map(|write| write_in_words(write, several)));
    let frees = if size < 0 { format!("; frees {}", text::bytes(size.unsigned_abs())) } else { String::new() };
    format!("costs {}{frees}", parts.join(", "))
}

/// An interval whose ends are further apart says nothing.
const WIDEST: f64 = 20.0;

/// What stands behind [`price_line`], under a heading.
pub(super) fn price(price: &Price) -> Vec<Block> {
    let mut blocks = Vec::new();
    if price.writes.iter().any(|write| write.before_ms.is_some() || write.after_ms.is_some()) {
        blocks.push(Block::Table(writes(&price.writes)));
    }
    let mut points = Vec::new();
    if price.builds > 1 {
        points.push(format!("applied {} times: times and sizes are medians, waits are the longest", price.builds));
    }
    points.extend(locks(&price.locks));
    if price.builds > 0 {
        points.extend(waits(price).map(|waits| format!("during the build, {waits}")));
    }
    points.extend(price.writes.iter().filter_map(hot));
    match (&price.break_even, &price.no_break_even) {
        (Some(even), _) => points.push(break_even(even)),
        (None, Some(reason)) if price.builds > 0 => points.push(format!("no break-even: {reason}")),
        (None, _) => {}
    }
    points.extend(price.notes.iter().cloned());
    if !points.is_empty() {
        blocks.push(Block::List(points));
    }
    blocks
}

/// Whether a write belongs into the line: inserts do, the others where their verdict is that they change.
fn counts(write: &WritePrice) -> bool {
    let changes = matches!(write.verdict, WriteVerdict::Improved | WriteVerdict::Regressed);
    write.ratio.is_some() && (write.operation == Operation::Insert || changes)
}

/// `inserts +12 % (95 % 9 to 15)`, `inserts perhaps +12 % ..` without a verdict; with `several` tables the one that is meant.
fn write_in_words(write: &WritePrice, several: bool) -> String {
    let (what, of) = match write.operation {
        Operation::Insert => ("inserts", "into"),
        Operation::Update => ("updates", "of"),
        Operation::Delete => ("deletes", "from"),
    };
    let what = if several { format!("{what} {of} {}", write.table) } else { what.to_owned() };
    let perhaps = if write.verdict == WriteVerdict::Inconclusive { "perhaps " } else { "" };
    format!("{what} {perhaps}{}", change(write))
}

/// `+12 % (95 % 9 to 15)`, or where it is more than twice or less than half `3.10x slower (95 % 2.90 to 3.31)`.
fn change(write: &WritePrice) -> String {
    let Some(ratio) = write.ratio else { return text::NOTHING.into() };
    let ends = write.ci_low.zip(write.ci_high);
    let says_nothing = ends.is_some_and(|(low, high)| low <= 0.0 || high / low > WIDEST);
    let rounds = text::counted(write.rounds, "round");
    let ends = ends.filter(|_| !says_nothing);
    let (text, interval) = if (0.5..=2.0).contains(&ratio) {
        let percent = |ratio: f64| (ratio - 1.0) * 100.0;
        let widest = ends.map_or(ratio, |(low, high)| if 1.0 - low > high - 1.0 { low } else { high });
        let decimals = usize::from(percent(widest).abs() < 10.0);
        let number = |ratio: f64| {
            let text = format!("{:.decimals$}", percent(ratio));
            // Neither -0 nor 0.0.
            if text.contains(|digit| matches!(digit, '1'..='9')) { text } else { "0".to_owned() }
        };
        let change = number(ratio);
        let sign = if ratio > 1.0 && change != "0" { "+" } else { "" };
        (format!("{sign}{change} %"), ends.map(|(low, high)| (number(low), number(high))))
    } else {
        let faster = ratio < 1.0;
        let number = |ratio: f64| text::significant(if faster { 1.0 / ratio } else { ratio });
        let text = format!("{}x {}", number(ratio), if faster { "faster" } else { "slower" });
        let in_order = |(low, high)| if faster { (number(high), number(low)) } else { (number(low), number(high)) };
        (text, ends.map(in_order))
    };
    let confidence = write.confidence.map(|confidence| format!("{} ", text::percent(confidence))).unwrap_or_default();
    match interval {
        Some((low, high)) => format!("{text} ({confidence}{low} to {high})"),
        None if says_nothing => format!("{text} ({rounds}, which differ too much for an interval)"),
        None => format!("{text} ({rounds})"),
    }
}

fn writes(writes: &[WritePrice]) -> Table {
    let several = writes.iter().any(|write| write.table != writes[0].table);
    let mut table = Table::of_figures(&["write of a row", "before", "after", "change", "WAL bytes"]);
    for write in writes {
        let of = if several { format!(" {}", write.table) } else { String::new() };
        let time = |ms: Option<f64>| Cell::plain(ms.map_or_else(|| text::NOTHING.into(), text::milliseconds));
        let wal = match (write.wal_bytes_before, write.wal_bytes_after) {
            (Some(before), Some(after)) => format!("{before:.0} -> {after:.0}"),
            _ => text::NOTHING.into(),
        };
        let tone = match write.verdict {
            WriteVerdict::Improved => Tone::Good,
            WriteVerdict::Regressed => Tone::Bad,
            WriteVerdict::Equivalent | WriteVerdict::Inconclusive => Tone::Plain,
        };
        table.rows.push(vec![
            Cell::plain(format!("{}{of}", write.operation.as_str())),
            time(write.before_ms),
            time(write.after_ms),
            Cell { text: change(write), tone },
            Cell::plain(wal),
        ]);
    }
    table
}

/// A point for each relation: `locks events in ShareLock: writes wait`.
fn locks(locks: &[LockHeld]) -> Vec<String> {
    let mut by_relation: Vec<(&str, Vec<&str>)> = Vec::new();
    for lock in locks {
        match by_relation.iter_mut().find(|(relation, _)| *relation == lock.relation) {
            Some((_, modes)) => modes.push(&lock.mode),
            None => by_relation.push((&lock.relation, vec![&lock.mode])),
        }
    }
    let point = |(relation, modes): (&str, Vec<&str>)| {
        let consequence = modes.iter().map(|mode| strength(mode)).max().map_or("", |(_, consequence)| consequence);
        format!("locks {relation} in {}: {consequence}", modes.join(", "))
    };
    by_relation.into_iter().map(point).collect()
}

/// Whom a lock keeps waiting, by PostgreSQL's table of conflicting lock modes.
fn strength(mode: &str) -> (u8, &'static str) {
    match mode {
        "AccessExclusiveLock" => (3, "reads and writes wait"),
        "ExclusiveLock" => (2, "writes and SELECT .. FOR UPDATE wait"),
        "ShareLock" | "ShareRowExclusiveLock" => (1, "writes wait"),
        _ => (0, "neither reads nor writes wait"),
    }
}

/// `writes wait up to 900 ms`, where they wait long.
fn long_waits(price: &Price) -> Option<String> {
    let long = |ms: Option<f64>| ms.filter(|ms| *ms >= LONG_WAIT_MS);
    let (who, longest) = match (long(price.reader_longest_ms), long(price.writer_longest_ms)) {
        (Some(read), Some(write)) => ("reads and writes", read.max(write)),
        (Some(read), None) => ("reads", read),
        (None, Some(write)) => ("writes", write),
        (None, None) => return None,
    };
    Some(format!("{who} wait up to {}", text::milliseconds(longest)))
}

/// `a read took up to 2.10 ms, a write took up to 3.20 ms`.
fn waits(price: &Price) -> Option<String> {
    let parts = [
        (price.reader_longest_ms, "a read took up to"),
        (price.writer_longest_ms, "a write took up to"),
        (price.longest_wait_ms, "the longest lock wait was"),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter_map(|(ms, words)| Some(format!("{words} {}", text::milliseconds(ms?)))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn hot(write: &WritePrice) -> Option<String> {
    let (before, after) = (write.hot_ratio_before?, write.hot_ratio_after?);
    let percent = |ratio: f64| format!("{:.0} %", ratio * 100.0);
    Some(format!("heap-only updates (HOT) of {}: {} -> {}", write.table, percent(before), percent(after)))
}

/// How many reads pay for a write, or for how many writes a read pays.
fn break_even(even: &BreakEven) -> String {
    let (what, of) = match even.operation {
        Operation::Insert => ("an insert", "into"),
        Operation::Update => ("an update", "of"),
        Operation::Delete => ("a delete", "from"),
    };
    let (extra, saved) = (text::milliseconds(even.extra_write_ms), text::milliseconds(even.saved_read_ms));
    let pays = if even.reads_per_write < 1.0 {
        format!("one read pays for {} writes", text::count((1.0 / even.reads_per_write) as u64))
    } else {
        format!("{:.1} reads pay for one write", even.reads_per_write)
    };
    format!(
        "break-even: {what} {of} {} takes {extra} more on the server, a read {saved} less under this load: {pays}",
        even.table
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::sample::price_of_index,
        render::{Document, terminal},
    };

    #[test]
    fn the_line() {
        let full = price_of_index();
        assert_eq!(price_line(&full), "costs 31.0 MB, 900 ms to build, inserts +12 % (95 % 9 to 15)");
        assert_eq!(price_line(&Price::default()), "costs nothing to apply");
        let setting = Price { builds: 1, build_s: Some(0.002), size_bytes: Some(0), ..Price::default() };
        assert_eq!(price_line(&setting), "costs nothing that could be measured");

        let blocking = Price { writer_longest_ms: Some(900.0), size_bytes: Some(-(3 << 20)), ..full.clone() };
        assert_eq!(
            price_line(&blocking),
            "costs 900 ms to build, writes wait up to 900 ms, inserts +12 % (95 % 9 to 15); frees 3.00 MB"
        );
        let ratios = |ratio, ci_low, ci_high| WritePrice {
            ratio: Some(ratio),
            ci_low: Some(ci_low),
            ci_high: Some(ci_high),
            ..full.writes[0].clone()
        };
        assert_eq!(change(&ratios(0.01, 0.008, 0.0125)), "100x faster (95 % 80.0 to 125)");
        assert_eq!(change(&ratios(3.0, 2.5, 3.6)), "3.00x slower (95 % 2.50 to 3.60)");
        assert_eq!(change(&ratios(0.999_9, 0.99, 1.01)), "0 % (95 % -1.0 to 1.0)");
        // Two rounds that differ have an interval that nobody wants to read.
        let wide = WritePrice { rounds: 2, ..ratios(1.56, 0.000_1, 1.6e13) };
        assert_eq!(change(&wide), "+56 % (2 rounds, which differ too much for an interval)");
        let mut several = full.clone();
        several.writes[1] = WritePrice {
            table: "users".into(),
            ratio: Some(0.96),
            ci_low: Some(0.94),
            ci_high: Some(0.98),
            verdict: WriteVerdict::Improved,
            ..several.writes[1].clone()
        };
        several.writes[0] =
            WritePrice { rounds: 1, ci_low: None, ci_high: None, confidence: None, ..several.writes[0].clone() };
        assert_eq!(
            price_line(&several),
            "costs 31.0 MB, 900 ms to build, inserts into events +12 % (1 round), updates of users -4.0 % (95 % -6.0 to -2.0)"
        );
        // Two rounds decide nothing, whatever their interval.
        let mut undecided = several.clone();
        undecided.writes.iter_mut().for_each(|write| write.verdict = WriteVerdict::Inconclusive);
        assert_eq!(
            price_line(&undecided),
            "costs 31.0 MB, 900 ms to build, inserts into events perhaps +12 % (1 round)"
        );
    }

    #[test]
    fn in_full_it_fits_80_columns() {
        let text = terminal(&Document { blocks: price(&price_of_index()) }, 80, false);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text, @"
         write of a row    before     after                      change    WAL bytes
        ─────────────────────────────────────────────────────────────────────────────
         insert           50.0 µs   56.0 µs        +12 % (95 % 9 to 15)   183 -> 247
         update           50.0 µs   50.5 µs   +1.0 % (95 % -2.0 to 4.0)   183 -> 247
         delete                 -         -                           -            -

        - applied 6 times: times and sizes are medians, waits are the longest
        - locks events in ShareUpdateExclusiveLock: neither reads nor writes wait
        - during the build, a read took up to 2.10 ms, a write took up to 3.20 ms, the
          longest lock wait was 1.40 ms
        - heap-only updates (HOT) of events: 98 % -> 49 %
        - break-even: an insert into events takes 6.00 µs more on the server, a read
          88.0 ms less under this load: one read pays for 14 666 writes
        - events: rows could not be deleted: permission denied
        ");
    }

    #[test]
    fn the_strongest_lock_says_who_waits_and_a_dear_write_how_many_reads_pay() {
        let lock = |relation: &str, mode: &str| LockHeld { relation: relation.into(), mode: mode.into() };
        let all = [lock("a", "RowExclusiveLock"), lock("a", "ShareLock"), lock("b", "AccessExclusiveLock")];
        assert_eq!(
            locks(&all),
            [
                "locks a in RowExclusiveLock, ShareLock: writes wait",
                "locks b in AccessExclusiveLock: reads and writes wait"
            ]
        );
        let even = BreakEven {
            table: "a".into(),
            operation: Operation::Update,
            extra_write_ms: 3.0,
            saved_read_ms: 2.0,
            reads_per_write: 1.5,
        };
        assert_eq!(
            break_even(&even),
            "break-even: an update of a takes 3.00 ms more on the server, a read 2.00 ms less under this load: 1.5 reads pay for one write"
        );
    }
}
