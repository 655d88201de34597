//! `latency.hlog`: an HdrHistogram interval log, version 2 encoding, deflated, as the other implementations read it.

use std::{borrow::Cow, fmt, io, time::Duration};

use hdrhistogram::{
    Histogram,
    serialization::{
        V2DeflateSerializer,
        interval_log::{IntervalLogWriterBuilder, Tag},
    },
};

use super::model::Record;

/// A stretch of the measured window and its response times.
#[derive(Debug, Clone)]
pub struct Interval<'a> {
    /// Name of the statement it is about; `None` is all of them.
    pub statement: Option<&'a str>,
    /// Begin, from the begin of the window.
    pub start: Duration,
    /// Length.
    pub length: Duration,
    /// Response times in nanoseconds.
    pub histogram: Cow<'a, Histogram<u64>>,
}

/// What a log says of the record that it belongs to, in a comment; logs of earlier builds do not.
pub(super) fn origin(record: &Record) -> String {
    format!("[Measured: phase {} of scenario {}]", record.phase, record.scenario.escape_debug())
}

/// How [`origin`] begins.
pub(super) const ORIGIN: &str = "#[Measured: ";

/// Whole log of a record. Readers expect the intervals in the order of their begin.
pub(super) fn encode<'a>(record: &Record, intervals: impl IntoIterator<Item = Interval<'a>>) -> io::Result<Vec<u8>> {
    let mut log = Vec::new();
    let started_at = record.started_at;
    let origin = origin(record);
    let mut serializer = V2DeflateSerializer::new();
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("Written by latclinic. Values are response times in nanoseconds; Interval_Max is in milliseconds.")
        .add_comment("Lines without a tag cover all statements; a tag names the statement its line is about.")
        .add_comment(&origin)
        .with_start_time(started_at.into())
        .with_base_time(started_at.into())
        .with_max_value_divisor(1e6)
        .begin_log_with(&mut log, &mut serializer)?;
    for interval in intervals {
        let tag = interval.statement.map(tag_text);
        let tag = tag.as_deref().and_then(Tag::new);
        writer.write_histogram(&*interval.histogram, interval.start, interval.length, tag).map_err(other)?;
    }
    Ok(log)
}

/// A tag may hold neither commas nor space.
pub(super) fn tag_text(name: &str) -> Cow<'_, str> {
    let refused = |c: char| c == ',' || c.is_whitespace();
    if name.contains(refused) { name.replace(refused, "_").into() } else { name.into() }
}

fn other(error: impl fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use base64::{Engine, engine::general_purpose::STANDARD};
    use hdrhistogram::serialization::{
        Deserializer,
        interval_log::{IntervalLogIterator, LogEntry},
    };

    use super::*;
    use crate::record::{phase::Phase, sample};

    fn histogram(values: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        for value in values {
            histogram.record(*value).unwrap();
        }
        histogram
    }

    #[test]
    fn what_is_written_is_read_back_with_times_and_tags() {
        let (first, second) = (histogram(&[1_000_000, 2_000_000]), histogram(&[3_000_000_000]));
        let all = histogram(&[1_000_000, 2_000_000, 3_000_000_000]);
        let second_at = Duration::from_secs(1);
        let intervals = [
            Interval {
                statement: Some("latest, of a user"),
                start: Duration::ZERO,
                length: Duration::from_millis(1250),
                histogram: Cow::Borrowed(&all),
            },
            Interval { statement: None, start: Duration::ZERO, length: second_at, histogram: Cow::Borrowed(&first) },
            Interval {
                statement: None,
                start: second_at,
                length: Duration::from_millis(250),
                histogram: Cow::Borrowed(&second),
            },
        ];
        let record = sample::record(Phase::Before);
        let log =
            encode(&Record { started_at: "2026-11-21T01:23:45.5Z".parse().unwrap(), ..record }, intervals).unwrap();
        let mut times = Vec::new();
        let mut read = Vec::new();
        for entry in IntervalLogIterator::new(&log) {
            match entry.unwrap() {
                LogEntry::StartTime(at) | LogEntry::BaseTime(at) => times.push(at.as_secs_f64()),
                LogEntry::Interval(interval) => {
                    let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
                    let decoded: Histogram<u64> = Deserializer::new().deserialize(&mut Cursor::new(bytes)).unwrap();
                    let tag = interval.tag().map(|tag| tag.as_str().to_owned());
                    read.push((interval.start_timestamp(), interval.duration(), tag, decoded));
                }
            }
        }
        assert_eq!(times, [1_795_224_225.5, 1_795_224_225.5]);
        assert_eq!(
            read,
            [
                (Duration::ZERO, Duration::from_millis(1250), Some("latest__of_a_user".into()), all.clone()),
                (Duration::ZERO, second_at, None, first.clone()),
                (second_at, Duration::from_millis(250), None, second.clone()),
            ]
        );
    }
}
