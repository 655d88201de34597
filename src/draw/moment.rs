//! Dates and timestamps: drawn, and to and from text.
//!
//! PostgreSQL counts from 2000-01-01, in days and in microseconds; the greatest and the least number stand for infinity.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    fmt::temporal::DateTimePrinter,
};

use super::random::Random;
use crate::scenario::RowOrder;

/// Days from 1970-01-01 to 2000-01-01.
pub(super) const UNIX_TO_POSTGRES_DAYS: i64 = 10_957;
/// Microseconds from 1970-01-01 to 2000-01-01.
pub(super) const UNIX_TO_POSTGRES_MICROS: i64 = UNIX_TO_POSTGRES_DAYS * 86_400_000_000;

const POSTGRES_DATE: Date = jiff::civil::date(2000, 1, 1);
const POSTGRES_DATETIME: DateTime = POSTGRES_DATE.at(0, 0, 0, 0);

/// A moment of a range.
#[derive(Debug, Clone)]
pub(super) struct MomentLaw {
    /// Microseconds since 1970.
    from: i64,
    /// Length of the range in microseconds, at least 1.
    span: u64,
    /// Rows over which the moments grow; `None` for any moment in any row.
    rows: Option<u64>,
}

impl MomentLaw {
    /// Moments from `from` to before `to`; growing over `rows` where asked for.
    pub(super) fn new(from: i64, to: i64, order: RowOrder, rows: Option<u64>) -> Result<Self, String> {
        let span = i128::from(to) - i128::from(from);
        let span = u64::try_from(span).ok().filter(|span| *span > 0).ok_or("its end is not after its begin")?;
        let rows = match order {
            RowOrder::Random => None,
            RowOrder::Growing => Some(rows.ok_or("growing moments need rows to grow with, and a parameter has none")?),
        };
        Ok(Self { from, span, rows })
    }

    /// Microseconds since 1970.
    #[inline]
    pub(super) fn draw(&self, random: &mut Random, row: u64) -> i64 {
        let offset = match self.rows {
            None => random.below(self.span),
            Some(rows) => {
                // Each row has its own slot of the range, so that moments grow whatever is drawn within it.
                let slot = |row: u64| (u128::from(row) * u128::from(self.span) / u128::from(rows.max(1))) as u64;
                let (start, end) = (slot(row), slot(row + 1));
                start + random.below((end - start).max(1))
            }
        };
        self.from.wrapping_add(offset as i64)
    }
}

/// `2025-03-01`, or as many days beyond what can be written.
pub(super) fn date_text(days: i32) -> String {
    match days {
        i32::MAX => return "infinity".into(),
        i32::MIN => return "-infinity".into(),
        _ => {}
    }
    let date = POSTGRES_DATE.checked_add(SignedDuration::from_hours(i64::from(days) * 24));
    date.map_or_else(|_| format!("{days} days from 2000-01-01"), |date| date.to_string())
}

/// `2025-03-01 12:00:00`.
pub(super) fn timestamp_text(micros: i64) -> String {
    if let Some(text) = infinite(micros) {
        return text.into();
    }
    let printer = DateTimePrinter::new().separator(b' ');
    let moment = POSTGRES_DATETIME.checked_add(SignedDuration::from_micros(micros));
    moment.map_or_else(|_| format!("{micros} us from 2000-01-01"), |moment| printer.datetime_to_string(&moment))
}

/// `2025-03-01 12:00:00Z`.
pub(super) fn timestamptz_text(micros: i64) -> String {
    if let Some(text) = infinite(micros) {
        return text.into();
    }
    let printer = DateTimePrinter::new().separator(b' ');
    let moment = Timestamp::from_microsecond(micros.saturating_add(UNIX_TO_POSTGRES_MICROS));
    moment.map_or_else(|_| format!("{micros} us from 2000-01-01"), |moment| printer.timestamp_to_string(&moment))
}

/// `2025-03-01T12:00:00Z`, for JSON.
pub(super) fn rfc3339_text(micros: i64) -> String {
    timestamptz_text(micros).replacen(' ', "T", 1)
}

/// Days since 2000-01-01.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    match text {
        "infinity" => return Some(i32::MAX),
        "-infinity" => return Some(i32::MIN),
        _ => {}
    }
    let date: Date = text.parse().ok()?;
    i32::try_from(date.duration_since(POSTGRES_DATE).as_hours() / 24).ok()
}

/// Microseconds since 2000-01-01; a bare date is its midnight.
pub(super) fn parse_timestamp(text: &str) -> Option<i64> {
    if let Some(micros) = parse_infinite(text) {
        return Some(micros);
    }
    let moment: DateTime = text.parse().ok()?;
    i64::try_from(moment.duration_since(POSTGRES_DATETIME).as_micros()).ok()
}

/// Microseconds since 2000-01-01T00:00:00Z; without an offset it is UTC.
pub(super) fn parse_timestamptz(text: &str) -> Option<i64> {
    if let Some(micros) = parse_infinite(text) {
        return Some(micros);
    }
    match text.parse::<Timestamp>() {
        Ok(moment) => moment.as_microsecond().checked_sub(UNIX_TO_POSTGRES_MICROS),
        Err(_) => parse_timestamp(text),
    }
}

fn infinite(micros: i64) -> Option<&'static str> {
    match micros {
        i64::MAX => Some("infinity"),
        i64::MIN => Some("-infinity"),
        _ => None,
    }
}

fn parse_infinite(text: &str) -> Option<i64> {
    match text {
        "infinity" => Some(i64::MAX),
        "-infinity" => Some(i64::MIN),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        assert_eq!(parse_date("2000-01-02"), Some(1));
        assert_eq!(parse_date("1999-12-31"), Some(-1));
        assert_eq!(parse_date("2025-02-30"), None);
        assert_eq!(parse_timestamp("2000-01-01 00:00:01.5"), Some(1_500_000));
        assert_eq!(parse_timestamp("2000-01-02"), Some(86_400_000_000));
        assert_eq!(parse_timestamptz("2000-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_timestamptz("2000-01-01 00:00:00+00"), Some(0));
        assert_eq!(parse_timestamptz("2000-01-01 00:00:00"), Some(0));
        assert_eq!(parse_timestamptz("infinity"), Some(i64::MAX));
        assert_eq!(parse_timestamptz("yesterday"), None);
    }

    #[test]
    fn growing_moments_grow_within_the_range() {
        let law = MomentLaw::new(0, 1000, RowOrder::Growing, Some(300)).unwrap();
        let moments: Vec<i64> = (0..300).map(|row| law.draw(&mut Random::clone(&random()), row)).collect();
        assert!(moments.is_sorted());
        assert!(moments[0] < 4 && *moments.last().unwrap() >= 996 && *moments.last().unwrap() < 1000);
        assert!(MomentLaw::new(0, 10, RowOrder::Growing, None).is_err());
        assert!(MomentLaw::new(10, 10, RowOrder::Random, None).is_err());
    }

    fn random() -> Random {
        super::super::random::Stream::new(1, &["moment"]).at(0)
    }
}
