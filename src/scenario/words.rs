//! Generators in words, for a person.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    generator_model::{Generator, JsonTemplate, RowOrder, TextKind, UuidVersion},
    workload_model::{ClassShares, ParameterSource},
};

impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequence { start, step } => {
                let next = |steps| i128::from(*start) + steps * i128::from(*step);
                write!(f, "{}, {}, {}, ..", next(0), next(1), next(2))
            }
            Self::Constant(value) => write!(f, "always {value}"),
            Self::Uniform { min, max, decimals } => write!(f, "uniform from {min} to {max}{}", Decimals(*decimals)),
            Self::Zipf { min, max, exponent } => {
                write!(f, "Zipf over {min} to {max}, exponent {exponent}, {min} the most frequent")
            }
            Self::Normal { mean, deviation, min, max, decimals } => {
                write!(f, "normal around {mean}, deviation {deviation}")?;
                if let Some(min) = min {
                    write!(f, ", at least {min}")?;
                }
                if let Some(max) = max {
                    write!(f, ", at most {max}")?;
                }
                write!(f, "{}", Decimals(*decimals))
            }
            Self::Choice(choices) => {
                let sum: f64 = choices.iter().map(|choice| choice.weight).sum();
                for (index, choice) in choices.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    let share = 100.0 * choice.weight / sum;
                    let digits = usize::from(share < 10.0 && share.fract() != 0.0);
                    write!(f, "{separator}{} {share:.digits$} %", choice.value)?;
                }
                Ok(())
            }
            Self::Timestamp { from, to, order } => {
                let growing = if *order == RowOrder::Growing { ", growing with the row" } else { "" };
                write!(f, "a moment from {} until {}{growing}", Moment(*from), Moment(*to))
            }
            Self::Text { min_length, max_length, kind } => {
                let kind = match kind {
                    TextKind::Words => "words",
                    TextKind::Alphanumeric => "letters and digits",
                    TextKind::Hex => "hexadecimal digits",
                };
                write!(f, "{kind}, {} characters", Range(*min_length, *max_length))
            }
            Self::Pattern(pattern) => write!(f, "pattern {pattern}"),
            Self::Uuid(UuidVersion::V4) => f.write_str("UUID v4"),
            Self::Uuid(UuidVersion::V7) => f.write_str("UUID v7"),
            Self::Json(template) => write!(f, "JSON {template}"),
            Self::Array { element, min_length, max_length } => {
                write!(f, "array of {} x ({element})", Range(*min_length, *max_length))
            }
            Self::ForeignKey { table, column, exponent } => match exponent {
                Some(exponent) => write!(f, "from {table}.{column}, Zipf with exponent {exponent}"),
                None => write!(f, "from {table}.{column}, uniform"),
            },
            Self::Bytes { min_length, max_length } => write!(f, "{} random bytes", Range(*min_length, *max_length)),
            Self::Inet { network, prefix } => write!(f, "an address in {network}/{prefix}"),
            Self::Boolean { true_share } => write!(f, "true {} %", (true_share * 1e4).round() / 100.0),
        }
    }
}

impl fmt::Display for JsonTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => write!(f, "{value}"),
            Self::Generated(generator) => write!(f, "({generator})"),
            Self::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Object(entries) => {
                f.write_str("{")?;
                for (index, (key, item)) in entries.iter().enumerate() {
                    write!(f, "{}{key}: {item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}

impl fmt::Display for ParameterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generator(generator) => write!(f, "{generator}"),
            Self::Query { sql, shares } => {
                if let Some(ClassShares { hot, typical, cold }) = shares {
                    let [hot, typical, cold] = [hot, typical, cold].map(|share| (share * 1e4).round() / 100.0);
                    write!(f, "hot {hot} %, typical {typical} %, cold {cold} % ")?;
                }
                write!(f, "from the rows of: {}", sql.text.trim())
            }
            Self::Result { step, column, all } => {
                let rows = if *all { ", all rows" } else { "" };
                write!(f, "column {column} of the result of step {}{rows}", step + 1)
            }
        }
    }
}

struct Decimals(u32);

impl fmt::Display for Decimals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(", 1 decimal"),
            many => write!(f, ", {many} decimals"),
        }
    }
}

struct Range(u32, u32);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == self.1 { write!(f, "{}", self.0) } else { write!(f, "{} to {}", self.0, self.1) }
    }
}

/// Microseconds since 1970 as a date, with the time of day unless it is midnight.
struct Moment(i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(moment) = Timestamp::from_microsecond(self.0) else { return write!(f, "{} us", self.0) };
        let civil = TimeZone::UTC.to_datetime(moment);
        if civil.time() == jiff::civil::Time::midnight() {
            write!(f, "{}", civil.date())
        } else {
            write!(f, "{} {} UTC", civil.date(), civil.time())
        }
    }
}
