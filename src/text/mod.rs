//! Numbers, shares, plurals and lists: one way to write each, everywhere.

mod field;

pub use field::Field;

/// In place of a figure that is not known.
pub const NOTHING: &str = "-";

/// A time in the unit that suits it, with three significant digits: `399 µs`, `307 ms`, `1.20 s`.
pub fn milliseconds(ms: f64) -> String {
    // Rounded before the unit is chosen: 999.7 ms is 1.00 s, not 1000 ms.
    let ms = to_significant(ms);
    match ms.abs() {
        0.0 => "0 ms".into(),
        size if size < 1.0 => format!("{} µs", significant(ms * 1e3)),
        size if size < 1e3 => format!("{} ms", significant(ms)),
        _ => format!("{} s", significant(ms / 1e3)),
    }
}

/// A whole number with its thousands apart: `1 000 000`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// The nearest whole number, its thousands apart; 0 for what is negative or no number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub fn rounded(value: f64) -> String {
    count(value.round() as u64)
}

/// How many there are of something: `no rows`, `1 row`, `1 000 rows`, `2 retries`.
pub fn counted(number: impl TryInto<u64>, what: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{} {}", count(number), plural(number, what))
}

/// The same, with a word for none.
pub fn counted_or_no(number: impl TryInto<u64>, what: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    if number == 0 { format!("no {}", plural(0, what)) } else { counted(number, what) }
}

/// A noun, in the plural unless there is one of it: `row`, `rows`, `retries`.
pub fn plural(number: u64, noun: &str) -> String {
    let ends_in_y = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    match ends_in_y {
        _ if number == 1 => noun.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [all @ .., last] => {
            let all: Vec<&str> = all.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", all.join(", "), last.as_ref())
        }
    }
}

/// A rate: `84 711/s`, `90.5/s`.
pub fn per_second(rate: f64) -> String {
    format!("{}/s", number(rate))
}

/// A share, 0 to 1, in percent: `0.0123 %`.
pub fn share(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// A share, 0 to 1, in percent, cut and not rounded: what is not all never reads as all. With decimals where it is near 0 or 1: `96.0 %`,
/// `99.99 %`, `0.4 %`.
pub fn part(share: f64) -> String {
    let percent = share.clamp(0.0, 1.0) * 100.0;
    let edge = percent.min(100.0 - percent);
    let decimals = if edge == 0.0 || edge >= 10.0 {
        0
    } else if edge >= 0.1 {
        1
    } else {
        2
    };
    let unit = 10_f64.powi(decimals);
    format!("{:.*} %", usize::try_from(decimals).unwrap_or(0), (percent * unit).floor() / unit)
}

/// A share, 0 to 1, in percent with a decimal at most: `95 %`, `98.3 %`.
pub fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// Bytes in the unit that suits them, 1 MB = 1024^2 bytes as PostgreSQL writes it: `205 MB`.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["bytes", "kB", "MB", "GB"] {
        if value < 1024.0 {
            return format!("{} {unit}", number(value));
        }
        value /= 1024.0;
    }
    format!("{} TB", number(value))
}

/// Three significant digits, or all of those before the point: `12.3`, `84 711`.
fn number(value: f64) -> String {
    if value.abs() >= 1e3 { grouped(value.round()) } else { significant(value) }
}

/// A change from `after / before`: `-99.9 %`, `+12 300 %`. What has not fallen to nothing is never written as -100 %.
pub fn change(ratio: f64) -> String {
    let percent = (ratio - 1.0) * 100.0;
    if ratio == 0.0 {
        return "-100 %".into();
    }
    if percent.abs() < 0.05 {
        return "0 %".into();
    }
    if percent.abs() >= 1e3 {
        return format!("+{} %", significant(percent));
    }
    for decimals in 1..=4 {
        let text = format!("{percent:+.decimals$}");
        if !text.starts_with("-100") {
            return format!("{text} %");
        }
    }
    "-99.9999 %".into()
}

/// A factor from `after / before`, with the word for less of it and the word for more: `770x faster`. `None` where the ratio
/// is 0, for there is no factor to nothing.
pub fn factor(ratio: f64, less: &str, more: &str) -> Option<String> {
    if ratio <= 0.0 {
        return None;
    }
    let (factor, word) = if ratio < 1.0 { (1.0 / ratio, less) } else { (ratio, more) };
    let text = significant(factor);
    if text == "1.00" { Some("the same".into()) } else { Some(format!("{text}x {word}")) }
}

/// Three significant digits: `0.0931`, `12.3`, `1 230`.
pub fn significant(value: f64) -> String {
    let value = to_significant(value);
    if value == 0.0 {
        return "0".into();
    }
    if value.abs() >= 100.0 {
        return grouped(value);
    }
    let decimals = usize::try_from(2 - magnitude(value)).unwrap_or(0);
    format!("{value:.decimals$}")
}

fn to_significant(value: f64) -> f64 {
    // Through text: dividing by a power of ten and multiplying again would leave noise in the last digits.
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// Power of ten of the first digit.
fn magnitude(value: f64) -> i32 {
    value.abs().log10().floor() as i32
}

fn grouped(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", count(value.abs() as u64))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0.0, "0 ms")]
    #[case(0.000_041, "0.0410 µs")]
    #[case(0.0931, "93.1 µs")]
    #[case(0.4, "400 µs")]
    #[case(0.9996, "1.00 ms")]
    #[case(9.999, "10.0 ms")]
    #[case(307.2, "307 ms")]
    #[case(999.7, "1.00 s")]
    #[case(1_204.0, "1.20 s")]
    #[case(3_600_000.0, "3 600 s")]
    fn times_have_three_digits_and_a_unit(#[case] ms: f64, #[case] text: &str) {
        assert_eq!(milliseconds(ms), text);
    }

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(1_000, "1 000")]
    #[case(1_234_567, "1 234 567")]
    fn counts_are_grouped(#[case] value: u64, #[case] text: &str) {
        assert_eq!(count(value), text);
    }

    #[rstest]
    #[case(770.3, Some("770x slower"))]
    #[case(1.0 / 770.3, Some("770x faster"))]
    #[case(1.0, Some("the same"))]
    #[case(1.004, Some("the same"))]
    #[case(0.5, Some("2.00x faster"))]
    #[case(1.0 / 50_000.0, Some("50 000x faster"))]
    #[case(0.0, None)]
    fn factors_have_a_word(#[case] ratio: f64, #[case] text: Option<&str>) {
        assert_eq!(factor(ratio, "faster", "slower").as_deref(), text);
    }

    #[rstest]
    #[case(0.4 / 307.0, "-99.9 %")]
    #[case(20.0 / 1_000_000.0, "-99.998 %")]
    #[case(1e-9, "-99.9999 %")]
    #[case(0.0, "-100 %")]
    #[case(1.0, "0 %")]
    #[case(1.25, "+25.0 %")]
    #[case(936.0, "+93 500 %")]
    fn changes_never_round_to_nothing_left(#[case] ratio: f64, #[case] text: &str) {
        assert_eq!(change(ratio), text);
    }

    #[test]
    fn nouns_follow_their_number() {
        let counted = |number: u64, noun| counted(number, noun);
        assert_eq!(
            [counted(0, "row"), counted(1, "row"), counted(1_000, "row"), counted(2, "retry"), counted(2, "day")],
            ["0 rows", "1 row", "1 000 rows", "2 retries", "2 days"]
        );
        assert_eq!(counted_or_no(0_usize, "parameter"), "no parameters");
        assert_eq!(counted_or_no(1_usize, "parameter"), "1 parameter");
    }

    #[test]
    fn lists_end_with_and() {
        assert_eq!([list::<&str>(&[]), list(&["a"]), list(&["a", "b", "c"])], ["", "a", "a, b and c"]);
    }

    #[test]
    fn what_is_not_all_is_not_shown_as_all() {
        assert_eq!(
            [0.0, 0.004, 0.5, 0.96, 0.9999, 1.0].map(part),
            ["0 %", "0.4 %", "50 %", "96.0 %", "99.99 %", "100 %"]
        );
        assert_eq!([0.0, -1.0, 999.0, 1000.0, 1_234_567.4].map(rounded), ["0", "0", "999", "1 000", "1 234 567"]);
    }

    #[test]
    fn other_quantities() {
        assert_eq!(per_second(84_711.2), "84 711/s");
        assert_eq!(per_second(90.5), "90.5/s");
        assert_eq!(share(0.0), "0 %");
        assert_eq!(share(0.000_123), "0.0123 %");
        assert_eq!(share(1.0), "100 %");
        assert_eq!(bytes(512), "512 bytes");
        assert_eq!(bytes(215_000_000), "205 MB");
        assert_eq!(bytes(8 << 30), "8.00 GB");
    }
}
