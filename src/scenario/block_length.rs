//! How long a block of a run is, as it is written: `5s`, `2s..20s`.

use std::{fmt, time::Duration};

use jiff::SignedDuration;
use serde::{Serialize, Serializer};

/// Longest block: 7 days.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// How long a block of a run is. It is written and serialized as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLength {
    /// The least time, above 0.
    pub least: Duration,
    /// The most time, at least `least`. A block of a closed load ends between the two, as soon as it has the samples that its
    /// percentiles need.
    pub most: Duration,
}

impl BlockLength {
    /// Exactly so long.
    pub fn fixed(length: Duration) -> Self {
        Self { least: length, most: length }
    }

    /// Whether only the time ends a block.
    pub fn is_fixed(self) -> bool {
        self.least == self.most
    }

    /// Reads `5s` or `2s..20s`.
    ///
    /// # Errors
    /// When it is neither; the message is a lower-case fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let (least, most) = (time(least)?, time(most)?);
        if least > most {
            return Err(format!("`{}` ends before it begins", text.trim()));
        }
        Ok(Self { least, most })
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let parsed = text.parse::<SignedDuration>().map_err(|_| format!("`{text}` is not a duration"))?;
    let within = |time: &Duration| !time.is_zero() && *time <= LONGEST;
    Duration::try_from(parsed).ok().filter(within).ok_or_else(|| format!("`{text}` is out of range"))
}

impl fmt::Display for BlockLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_fixed() {
            true => write!(f, "{:?}", self.least),
            false => write!(f, "{:?}..{:?}", self.least, self.most),
        }
    }
}

impl Serialize for BlockLength {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_or_two_bounds() {
        let seconds = Duration::from_secs;
        assert_eq!(BlockLength::parse(" 5s "), Ok(BlockLength::fixed(seconds(5))));
        assert_eq!(BlockLength::parse("2s .. 1m 30s"), Ok(BlockLength { least: seconds(2), most: seconds(90) }));
        for text in ["5s", "2s..20s", "250ms..1s"] {
            assert_eq!(BlockLength::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "5", "..", "2s..", "..2s", "0s..2s", "20s..2s", "2s..8d", "-1s", "1s..2s..3s"] {
            assert!(BlockLength::parse(wrong).is_err(), "{wrong}");
        }
    }
}
