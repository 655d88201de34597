//! The response times behind a record's figures, read back from its `latency.hlog`.

use std::{io::Read, path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::ZlibDecoder;
use hdrhistogram::{
    Histogram,
    serialization::{
        Deserializer,
        interval_log::{IntervalLogIterator, LogEntry},
    },
};

use super::{
    agree_histograms,
    error::Result,
    histogram_log,
    model::Record,
    read::{Found, read_file, unreadable},
};
use crate::{
    record::block_histograms::BlockHistograms,
    stats::{CompactHistogram, SliceTimes, empty_histogram, has_our_layout, merge},
};

/// Name of the file that holds the response times.
pub const HISTOGRAMS_FILE: &str = "latency.hlog";

/// Reads the response times of a record, block by block; none where it has no `latency.hlog`.
///
/// # Errors
/// [`Unreadable`](super::ErrorKind::Unreadable) when the file is truncated or does not belong to the record; [`Io`](super::ErrorKind::Io)
/// when the file system refuses.
pub fn read_histograms(found: &Found) -> Result<Vec<BlockHistograms>> {
    let file = found.folder.join(HISTOGRAMS_FILE);
    match read_file(&file)? {
        Some(log) => histograms_of(&found.record, &log, &file),
        None => Ok(Vec::new()),
    }
}

/// The text of the `latency.hlog` beside a record, if there is one.
///
/// # Errors
/// As [`read_histograms`], but for what is in it.
pub fn histograms_text(found: &Found) -> Result<Option<String>> {
    let file = found.folder.join(HISTOGRAMS_FILE);
    let text = |log| String::from_utf8(log).map_err(|_| unreadable(&file, "is not an HdrHistogram log"));
    read_file(&file)?.map(text).transpose()
}

/// The response times of a record from the text of its log; `file` is named where they cannot be read.
pub(super) fn histograms_of(record: &Record, log: &[u8], file: &Path) -> Result<Vec<BlockHistograms>> {
    let foreign = |what: String| {
        unreadable(file, &format!("does not belong to its record: {what}"))
            .with_hint("put the record.json and the latency.hlog of one measurement into one folder, or measure again")
    };
    origin_of(log, record).map_or(Ok(()), |what| Err(foreign(what)))?;
    let blocks = parse(log, record, file)?;
    let statements = record.statements.len();
    let fits = blocks.len() == record.blocks.len().max(1) && blocks.iter().all(|b| b.statements.len() == statements);
    if !fits {
        return Err(unreadable(file, "is truncated, or does not belong to its record"));
    }
    match agree_histograms::with_histograms(record, &blocks) {
        Some(what) => Err(foreign(what)),
        None => Ok(blocks),
    }
}

/// That a log says of itself that it is of another measurement, in words.
fn origin_of(log: &[u8], record: &Record) -> Option<String> {
    let lines = log.split(|byte| *byte == b'\n').take_while(|line| line.first() == Some(&b'#'));
    let own = format!("#{}", histogram_log::origin(record));
    let mut origins = lines.filter(|line| line.starts_with(histogram_log::ORIGIN.as_bytes()));
    let other = origins.find(|line| **line != *own.as_bytes())?;
    let other = String::from_utf8_lossy(other.strip_prefix(b"#").unwrap_or(other)).into_owned();
    Some(format!("the log says {other}, the record is of phase {} of {}", record.phase, record.scenario))
}

/// Parses the text of a `latency.hlog`; `file` is named where it cannot be.
///
/// A block begins with a tagged line for each operation, after which come its slices.
///
/// # Errors
/// [`ErrorKind::Unreadable`](super::ErrorKind::Unreadable).
fn parse(log: &[u8], record: &Record, file: &Path) -> Result<Vec<BlockHistograms>> {
    let bad = |what: &str| unreadable(file, what);
    if log.last().is_some_and(|last| *last != b'\n') {
        return Err(bad("is truncated"));
    }
    let tags: Vec<_> = record.statements.iter().map(|statement| histogram_log::tag_text(&statement.name)).collect();
    // Each line takes much more memory than room on the disk.
    let most = record.blocks.len().max(1).saturating_mul(tags.len()).saturating_add(record.slices.len());
    let mut blocks: Vec<BlockHistograms> = Vec::new();
    let mut total = empty_histogram();
    let mut lines = 0;
    for entry in IntervalLogIterator::new(log) {
        let interval = match entry.map_err(|_| bad("is not an HdrHistogram log"))? {
            LogEntry::Interval(interval) => interval,
            LogEntry::StartTime(at) if !is_begin(at, record) => {
                let (at, own) = (at.as_secs_f64(), record.started_at);
                let what = format!("does not belong to its record: the record starts at {own}, the log at {at:.3} s");
                return Err(bad(&what).with_hint("put the files of one measurement into one folder, or measure again"));
            }
            LogEntry::StartTime(_) | LogEntry::BaseTime(_) => continue,
        };
        lines += 1;
        if lines > most {
            return Err(bad("does not belong to its record: it has more lines than the record has slices"));
        }
        let histogram = decode(interval.encoded_histogram()).ok_or_else(|| bad("is damaged"))?;
        if !has_our_layout(&histogram) {
            return Err(bad("has histograms with a different value range than latclinic's"));
        }
        let times = CompactHistogram::new(&histogram);
        let tag = interval.tag();
        if blocks.last().is_none_or(|block| tag.is_some() && !block.slices.is_empty()) {
            close(&mut blocks, &mut total);
            blocks.push(BlockHistograms::default());
        }
        let Some(block) = blocks.last_mut() else { continue };
        match tag {
            Some(tag) => {
                let expected = tags.get(block.statements.len());
                if expected.is_none_or(|expected| *expected != tag.as_str()) {
                    let what = format!("does not belong to its record: it has the statement {}", tag.as_str());
                    return Err(bad(&what));
                }
                block.statements.push(times);
            }
            None => {
                merge(&mut total, &histogram);
                block.slices.push(SliceTimes::from(&times));
            }
        }
    }
    close(&mut blocks, &mut total);
    Ok(blocks)
}

/// Ends the last block: what its slices had together becomes its total.
fn close(blocks: &mut [BlockHistograms], total: &mut Histogram<u64>) {
    if let Some(block) = blocks.last_mut() {
        block.total = CompactHistogram::new(total);
        total.reset();
    }
}

/// Whether a record's window began then; a log has milliseconds.
fn is_begin(at: Duration, record: &Record) -> bool {
    let own = record.started_at.as_millisecond();
    i64::try_from(at.as_millis()).is_ok_and(|at| (at - own).abs() <= 1)
}

/// A histogram in the deflated V2 encoding; `None` where it is none, or says of itself that it is much larger than ours are.
fn decode(text: &str) -> Option<Histogram<u64>> {
    // Cookie and length of what is deflated, then of what was: cookie, length, offset, digits, lowest, highest, ratio.
    const OUTER: usize = 8;
    const INNER: usize = 40;
    const MOST: u32 = 1 << 20;
    let bytes = STANDARD.decode(text).ok()?;
    let mut inflated = ZlibDecoder::new(bytes.get(OUTER..)?);
    let mut header = [0; INNER];
    inflated.read_exact(&mut header).ok()?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    if number(4)? > MOST || number(12)? > 3 {
        return None;
    }
    Deserializer::new().deserialize(&mut header.chain(inflated)).ok()
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, fs};

    use super::*;
    use crate::record::{
        Block, BlockStatement, ErrorKind, Interval, Slice, StatementFigures, Store,
        phase::Phase,
        sample,
        totals::{Latency, Totals},
    };

    fn histogram(values: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        values.iter().for_each(|value| histogram.record(*value).unwrap());
        histogram
    }

    fn interval(statement: Option<&'static str>, start_s: u64, values: &[u64]) -> Interval<'static> {
        let (start, length) = (Duration::from_secs(start_s), Duration::from_secs(1));
        Interval { statement, start, length, histogram: Cow::Owned(histogram(values)) }
    }

    /// What is done to a record, and what is then said of it.
    type Change = (fn(&mut Record), &'static str);

    /// Milliseconds.
    const TIMES: [&[u64]; 4] = [&[1, 2, 2, 3, 4, 5, 9], &[3], &[], &[5, 5, 6, 7, 8]];
    const NAME: &str = "latest_of_user";

    /// A record of two blocks of two slices each, in a folder.
    fn found(root: &Path) -> Found {
        let times = TIMES.map(|slice| slice.iter().map(|ms| ms * 1_000_000).collect::<Vec<u64>>());
        let latency = |slices: &[Vec<u64>]| Latency::from_histogram(&histogram(&slices.concat()));
        let totals = |slices: &[Vec<u64>]| Totals::new(slices.concat().len() as u64, 0, Duration::from_secs(30));
        let block = |round: u32, slices: &[Vec<u64>]| Block {
            round,
            sending_s: 30.0,
            totals: totals(slices),
            latency_ms: latency(slices),
            statements: vec![BlockStatement { name: NAME.into(), totals: totals(slices), latency_ms: latency(slices) }],
            ..Block::default()
        };
        let record = Record {
            totals: totals(&times),
            latency_ms: latency(&times),
            statements: vec![StatementFigures {
                name: NAME.into(),
                totals: totals(&times),
                latency_ms: latency(&times),
                ..StatementFigures::default()
            }],
            blocks: vec![block(1, &times[..2]), block(2, &times[2..])],
            slices: times
                .iter()
                .map(|slice| Slice { latency_ms: latency(std::slice::from_ref(slice)), ..Slice::default() })
                .collect(),
            ..sample::record(Phase::Before)
        };
        let folder = Store::new(root).prepare("events", "before", record.started_at, None).unwrap();
        let intervals = [
            interval(Some(NAME), 0, &times[..2].concat()),
            interval(None, 0, &times[0]),
            interval(None, 1, &times[1]),
            interval(Some(NAME), 9, &times[2..].concat()),
            interval(None, 9, &times[2]),
            interval(None, 10, &times[3]),
        ];
        folder.write_histograms(&record, intervals).unwrap();
        folder.write_record(&record).unwrap();
        Found { folder: folder.path().to_owned(), record }
    }

    #[test]
    fn blocks_come_back_with_their_statements_and_slices() {
        let root = tempfile::tempdir().unwrap();
        let found = found(root.path());
        assert_eq!(crate::record::read(&found.folder).unwrap(), found);
        let blocks = read_histograms(&found).unwrap();
        let slices: Vec<Vec<u64>> =
            blocks.iter().map(|block| block.slices.iter().map(SliceTimes::samples).collect()).collect();
        assert_eq!(slices, [[7, 1], [0, 5]]);
        assert_eq!(blocks[0].statements[0].samples(), 8);
        let max = blocks[1].total.histogram().max();
        assert_eq!((blocks[0].total.samples(), max), (8, histogram(&[8_000_000]).max()));

        let file = found.folder.join(HISTOGRAMS_FILE);
        let log = fs::read(&file).unwrap();
        for length in [log.len() / 2, log.len() - 10] {
            let error = histograms_of(&found.record, &log[..length], &file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unreadable);
        }
        // A log of an earlier build does not say what it is of.
        let text = String::from_utf8(log).unwrap();
        let earlier: String =
            text.lines().filter(|line| !line.contains("Measured:")).map(|l| format!("{l}\n")).collect();
        assert_ne!(earlier, text);
        assert_eq!(histograms_of(&found.record, earlier.as_bytes(), &file).unwrap(), blocks);
        fs::remove_file(&file).unwrap();
        assert_eq!(read_histograms(&found).unwrap(), []);
    }

    #[test]
    fn a_record_and_a_log_of_another_measurement_or_of_changed_figures_are_told_apart() {
        let root = tempfile::tempdir().unwrap();
        let found = found(root.path());
        let changes: [Change; 15] = [
            (|record| record.phase = Phase::After, "phase before of scenario events], the record is of phase after"),
            (|record| record.scenario = "orders".into(), "the record is of phase before of orders"),
            (|record| record.started_at += Duration::from_secs(1), "the log at 1795224225.000 s"),
            (|record| drop(record.blocks.pop()), "it has more lines than the record has slices"),
            (|record| record.blocks.push(Block::default()), "is truncated, or does not belong to its record"),
            (
                |record| record.latency_ms.samples += 1,
                "14 response times of all operations in the record, 13 in the log",
            ),
            (|record| record.latency_ms.p50 = Some(0.1), "p50 of all operations is 0.1000 ms in the record, 5.0"),
            (|record| record.latency_ms.p99 = Some(9.0), "p99 of all operations is 9.0000 ms in the record, none"),
            (|record| record.latency_ms.max = Some(9.5), "max of all operations"),
            (|record| record.latency_ms.mean = Some(1.0), "mean of all operations"),
            (|record| record.statements[0].latency_ms.p50 = Some(0.1), "p50 of latest_of_user is"),
            (|record| record.statements[0].name = "other".into(), "it has the statement latest_of_user"),
            (|record| record.blocks[1].latency_ms.p50 = Some(0.1), "p50 of the block of round 2 is"),
            (|record| record.slices[0].latency_ms.samples = 6, "6 response times of the slice at 0 s"),
            (|record| record.slices.truncate(3), "it has more lines than the record has slices"),
        ];
        for (change, words) in changes {
            let mut changed = found.clone();
            change(&mut changed.record);
            let error = read_histograms(&changed).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unreadable);
            assert!(error.to_string().contains(words), "{error}\n{words}");
        }
    }

    #[test]
    fn a_record_whose_figures_contradict_each_other_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let found = found(root.path());
        let changes: [Change; 12] = [
            (|record| record.totals.operations = 14, "a throughput of"),
            (|record| record.totals.errors = 20, "20 errors in 13 operations"),
            (|record| record.totals.throughput_per_s = 99.0, "a throughput of 99/s"),
            (|record| record.totals.error_rate = 0.5, "an error rate of 0.5"),
            (|record| record.latency_ms.samples = 14, "14 response times with 13 operations"),
            (|record| record.latency_ms.p50 = Some(100.0), "percentiles that do not ascend"),
            (|record| record.latency_ms.min = Some(-1.0), "percentiles that do not ascend"),
            (|record| record.measured_s = -1.0, "`measured_s` is -1"),
            (|record| record.statements.clear(), "where its statements have 0 and 0 together"),
            (|record| drop(record.blocks.pop()), "where its blocks have 8 and 0 together"),
            (|record| record.blocks[0].statements[0].name = "x".into(), "other statements in the block of round 1"),
            (|record| record.plans[0].statement = "x".into(), "a plan of the statement x"),
        ];
        for (change, words) in changes {
            let mut changed = found.record.clone();
            change(&mut changed);
            let file = found.folder.join("record.json");
            fs::write(&file, serde_json::to_vec(&changed).unwrap()).unwrap();
            let error = crate::record::read(&file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unreadable);
            assert!(error.to_string().contains(words), "{error}\n{words}");
        }
    }

    #[test]
    fn a_histogram_that_says_it_is_huge_is_not_made() {
        use std::io::Write;
        let encoded = |length: u32, digits: u32| {
            let mut inner = Vec::new();
            inner.extend(0x1c84_9313_u32.to_be_bytes());
            inner.extend(length.to_be_bytes());
            inner.extend(0_u32.to_be_bytes());
            inner.extend(digits.to_be_bytes());
            inner.extend(1_u64.to_be_bytes());
            inner.extend(3_600_000_000_000_u64.to_be_bytes());
            inner.extend(1_f64.to_be_bytes());
            inner.extend(vec![2; length.min(8) as usize]);
            let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            deflated.write_all(&inner).unwrap();
            let deflated = deflated.finish().unwrap();
            let outer = [0x1c84_9314_u32.to_be_bytes(), (deflated.len() as u32).to_be_bytes()].concat();
            STANDARD.encode([outer, deflated].concat())
        };
        assert_eq!(decode(&encoded(8, 3)).unwrap().len(), 8);
        assert!(decode(&encoded(u32::MAX, 3)).is_none());
        assert!(decode(&encoded(8, 5)).is_none());
        assert!(decode("AAAA").is_none() && decode("?").is_none());
    }
}
