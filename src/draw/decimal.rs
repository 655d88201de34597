//! Exact decimals and PostgreSQL's binary form of `numeric`.
//!
//! The form (`numeric_recv`): int16 number of digits, int16 weight of the first digit, uint16 sign, int16 digits after the
//! point as displayed, then the digits in base 10 000, all big-endian.

use std::fmt;

/// Digits before the point that `numeric` can hold.
const MAX_WHOLE: usize = 131_072;
/// Digits after the point that `numeric` can hold.
const MAX_FRACTION: usize = 16_383;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;

/// `unscaled / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    /// All digits as a whole number.
    pub(super) unscaled: i64,
    /// Digits after the point, at most 18.
    pub(super) scale: u32,
}

impl Decimal {
    /// Appends the binary form.
    pub(super) fn write_binary(self, out: &mut Vec<u8>) {
        let mut buffer = [b'0'; 20];
        let mut rest = self.unscaled.unsigned_abs();
        let mut start = buffer.len();
        while rest > 0 {
            start -= 1;
            buffer[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let point = buffer.len() - self.scale as usize;
        let (whole, fraction) = buffer.split_at(point);
        write_digits(self.unscaled < 0, &whole[start.min(point)..], fraction, out);
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = 10_u64.pow(self.scale);
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let magnitude = self.unscaled.unsigned_abs();
        write!(f, "{sign}{}", magnitude / power)?;
        if self.scale > 0 {
            write!(f, ".{:0width$}", magnitude % power, width = self.scale as usize)?;
        }
        Ok(())
    }
}

/// Appends the binary form of a number written as text (`-12.50`, `1e-3`, `NaN`, `Infinity`); `None` if it is no number or
/// has more digits than `numeric` can hold.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let special = match text.to_ascii_lowercase().as_str() {
        "nan" => Some(NAN),
        "infinity" | "inf" | "+infinity" | "+inf" => Some(INFINITY),
        "-infinity" | "-inf" => Some(MINUS_INFINITY),
        _ => None,
    };
    if let Some(sign) = special {
        write_header(0, 0, sign, 0, out);
        return Some(());
    }
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let mut point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    if point < 0 {
        let missing = usize::try_from(-point).ok().filter(|missing| *missing <= MAX_FRACTION)?;
        digits.splice(0..0, std::iter::repeat_n(b'0', missing));
        point = 0;
    }
    let point = usize::try_from(point).ok().filter(|point| *point <= MAX_WHOLE)?;
    if point > digits.len() {
        digits.resize(point, b'0');
    }
    let (whole, fraction) = digits.split_at(point);
    if fraction.len() > MAX_FRACTION {
        return None;
    }
    write_digits(negative, whole, fraction, out);
    Some(())
}

fn write_header(digits: i16, weight: i16, sign: u16, scale: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&digits.to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&scale.to_be_bytes());
}

/// Appends the binary form of ASCII digits before and after the point, within the limits above.
fn write_digits(negative: bool, whole: &[u8], fraction: &[u8], out: &mut Vec<u8>) {
    let whole_groups = whole.len().div_ceil(4);
    let padding = whole_groups * 4 - whole.len();
    let group = |index: usize| {
        (index * 4..index * 4 + 4).fold(0_u16, |group, place| {
            let digit = match place.checked_sub(padding) {
                None => b'0',
                Some(place) if place < whole.len() => whole[place],
                Some(place) => fraction.get(place - whole.len()).copied().unwrap_or(b'0'),
            };
            group * 10 + u16::from(digit - b'0')
        })
    };
    let groups = whole_groups + fraction.len().div_ceil(4);
    let scale = fraction.len() as u16;
    let Some(first) = (0..groups).find(|index| group(*index) != 0) else {
        return write_header(0, 0, 0, scale, out);
    };
    let last = (first..groups).rfind(|index| group(*index) != 0).unwrap_or(first);
    let weight = whole_groups as i32 - 1 - first as i32;
    write_header((last - first + 1) as i16, weight as i16, if negative { NEGATIVE } else { 0 }, scale, out);
    for index in first..=last {
        out.extend_from_slice(&group(index).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `numeric_recv` and `numeric_out`, for what this module writes.
    pub(crate) fn read(bytes: &[u8]) -> String {
        let word = |index: usize| u16::from_be_bytes([bytes[index * 2], bytes[index * 2 + 1]]);
        let (count, weight, sign, scale) = (word(0) as i32, i32::from(word(1) as i16), word(2), word(3) as usize);
        match sign {
            NAN => return "NaN".into(),
            INFINITY => return "Infinity".into(),
            MINUS_INFINITY => return "-Infinity".into(),
            _ => {}
        }
        assert_eq!(bytes.len() as i32, 8 + 2 * count);
        let group = |power: i32| match weight - power {
            index if (0..count).contains(&index) => word(4 + index as usize),
            _ => 0,
        };
        let whole: String = (0..=weight.max(0)).rev().map(|power| format!("{:04}", group(power))).collect();
        let fraction: String = (1..=scale.div_ceil(4) as i32).map(|place| format!("{:04}", group(-place))).collect();
        let whole = whole.trim_start_matches('0');
        let mut text = String::from(if sign == NEGATIVE { "-" } else { "" });
        text.push_str(if whole.is_empty() { "0" } else { whole });
        if scale > 0 {
            text.push('.');
            text.push_str(&fraction[..scale]);
        }
        text
    }

    fn text(input: &str) -> Option<String> {
        let mut out = Vec::new();
        write_text(input, &mut out).map(|()| read(&out))
    }

    #[test]
    fn texts_as_postgresql_reads_them() {
        for (input, expected) in [
            ("0", "0"),
            ("-0.00", "0.00"),
            ("10000", "10000"),
            ("00012345.6000", "12345.6000"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0.00001234", "0.00001234"),
            ("1.5e3", "1500"),
            ("1.5e-6", "0.0000015"),
            ("-12e2", "-1200"),
            ("NaN", "NaN"),
            ("-inf", "-Infinity"),
            (
                "123456789012345678901234567890.000000000000000000000001",
                "123456789012345678901234567890.000000000000000000000001",
            ),
        ] {
            assert_eq!(text(input).as_deref(), Some(expected), "{input}");
        }
        for input in ["", "-", ".", "1e", "abc", "1.2.3", "1 000", "1e99999999", "1e-99999999"] {
            assert_eq!(text(input), None, "{input}");
        }
    }

    #[test]
    fn binary_form_is_the_documented_one() {
        let mut out = Vec::new();
        Decimal { unscaled: -1_234_567, scale: 2 }.write_binary(&mut out);
        // -12345.67 is the digits 1, 2345, 6700 with the first worth 10 000^1.
        let words = [3, 1, NEGATIVE, 2, 1, 2345, 6700];
        assert_eq!(out, words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>());
    }

    proptest! {
        #[test]
        fn decimals_survive(unscaled: i64, scale in 0_u32..=18) {
            let decimal = Decimal { unscaled, scale };
            let (mut direct, mut by_text) = (Vec::new(), Vec::new());
            decimal.write_binary(&mut direct);
            prop_assert_eq!(write_text(&decimal.to_string(), &mut by_text), Some(()));
            prop_assert_eq!(read(&direct), decimal.to_string());
            prop_assert_eq!(direct, by_text);
        }
    }
}
