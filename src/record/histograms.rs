//! The response times behind a record's figures, read back from its `latency.hlog`.

use std::{io::Cursor, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{
        Deserializer,
        interval_log::{IntervalLogIterator, LogEntry},
    },
};

use super::{
    error::{Error, ErrorKind, Result},
    model::Record,
    read::{Found, read_file, unreadable},
};

/// Name of the file that holds the response times.
pub const HISTOGRAMS_FILE: &str = "latency.hlog";

/// Response times of one block, in nanoseconds. A record that was measured in one go has one.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockHistograms {
    /// Over all statements.
    pub total: Histogram<u64>,
    /// By operation of the mix, in the order of the record's.
    pub statements: Vec<Histogram<u64>>,
    /// Over all statements, second by second.
    pub slices: Vec<Histogram<u64>>,
}

/// Reads the response times of a record, block by block; none where it has no `latency.hlog`.
///
/// # Errors
/// [`ErrorKind::Unreadable`] when the file is cut off or does not belong to the record; [`ErrorKind::Io`] when the file system
/// refuses.
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
pub fn histogram_log(found: &Found) -> Result<Option<String>> {
    let file = found.folder.join(HISTOGRAMS_FILE);
    let text = |log| String::from_utf8(log).map_err(|_| unreadable(&file, "is no HdrHistogram log"));
    read_file(&file)?.map(text).transpose()
}

/// The response times of a record from the text of its log; `file` is named where they cannot be read.
pub(super) fn histograms_of(record: &Record, log: &[u8], file: &Path) -> Result<Vec<BlockHistograms>> {
    let blocks = parse_histograms(log, file)?;
    let statements = record.statements.len();
    let fits = blocks.len() == record.blocks.len().max(1) && blocks.iter().all(|b| b.statements.len() == statements);
    if !fits {
        let message = format!("{} is cut off, or does not belong to its record", file.display());
        return Err(Error::new(ErrorKind::Unreadable, message));
    }
    Ok(blocks)
}

/// Parses the text of a `latency.hlog`; `file` is named where it cannot be.
///
/// A block begins with a tagged line for each operation, after which come its slices.
///
/// # Errors
/// [`ErrorKind::Unreadable`].
fn parse_histograms(log: &[u8], file: &Path) -> Result<Vec<BlockHistograms>> {
    let unreadable = |what: &str| Error::new(ErrorKind::Unreadable, format!("{} {what}", file.display()));
    if log.last().is_some_and(|last| *last != b'\n') {
        return Err(unreadable("is cut off"));
    }
    let mut blocks: Vec<BlockHistograms> = Vec::new();
    for entry in IntervalLogIterator::new(log) {
        let LogEntry::Interval(interval) = entry.map_err(|_| unreadable("is no HdrHistogram log"))? else { continue };
        let bytes = STANDARD.decode(interval.encoded_histogram()).map_err(|_| unreadable("is damaged"))?;
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut Cursor::new(bytes)).map_err(|_| unreadable("is damaged"))?;
        let tagged = interval.tag().is_some();
        if blocks.last().is_none_or(|block| tagged && !block.slices.is_empty()) {
            let mut total = histogram.clone();
            total.reset();
            blocks.push(BlockHistograms { total, statements: Vec::new(), slices: Vec::new() });
        }
        let Some(block) = blocks.last_mut() else { continue };
        if tagged {
            block.statements.push(histogram);
        } else {
            block.total.add(&histogram).map_err(|_| unreadable("has histograms of different ranges"))?;
            block.slices.push(histogram);
        }
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, fs, time::Duration};

    use super::*;
    use crate::record::{Block, Interval, Phase, Store, sample};

    fn histogram(values: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        values.iter().for_each(|value| histogram.record(*value).unwrap());
        histogram
    }

    fn interval(statement: Option<&str>, start_s: u64, values: &[u64]) -> Interval<'static> {
        let statement = statement.map(|name| &*Box::leak(name.to_owned().into_boxed_str()));
        let (start, length) = (Duration::from_secs(start_s), Duration::from_secs(1));
        Interval { statement, start, length, histogram: Cow::Owned(histogram(values)) }
    }

    #[test]
    fn blocks_come_back_with_their_statements_and_slices() {
        let root = tempfile::tempdir().unwrap();
        let mut record = sample::record(Phase::Before);
        record.blocks = vec![Block::default(), Block::default()];
        let folder = Store::new(root.path()).prepare("events", "before", record.started_at, None).unwrap();
        let name = Some("latest_of_user");
        let intervals = [
            interval(name, 0, &[1000, 2000, 3000]),
            interval(None, 0, &[1000, 2000]),
            interval(None, 1, &[3000]),
            interval(name, 9, &[5000]),
            interval(None, 9, &[]),
            interval(None, 10, &[5000]),
        ];
        folder.write_histograms(record.started_at, intervals).unwrap();
        let mut found = Found { folder: folder.path().to_owned(), record };
        let blocks = read_histograms(&found).unwrap();
        let slices: Vec<Vec<u64>> =
            blocks.iter().map(|block| block.slices.iter().map(|slice| slice.len()).collect()).collect();
        assert_eq!(slices, [[2, 1], [0, 1]]);
        assert_eq!(blocks[0].statements, [histogram(&[1000, 2000, 3000])]);
        assert_eq!((blocks[0].total.len(), blocks[1].total.max()), (3, histogram(&[5000]).max()));

        found.record.blocks.clear();
        let error = read_histograms(&found).unwrap_err();
        assert!(error.to_string().ends_with("latency.hlog is cut off, or does not belong to its record"));
        let file = found.folder.join(HISTOGRAMS_FILE);
        let log = fs::read(&file).unwrap();
        for length in [log.len() / 2, log.len() - 10] {
            let error = parse_histograms(&log[..length], &file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unreadable);
        }
        fs::remove_file(&file).unwrap();
        assert_eq!(read_histograms(&found).unwrap(), []);
    }
}
