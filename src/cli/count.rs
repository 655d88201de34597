//! Counts as people write them: `100000`, `100_000`, `100k`, `1e5`, `1.5M`.

/// What is understood, for a message.
const FORMS: &str = "1000, 1_000, 1k and 1e3 are the same";

/// A whole number from `least` to `most`.
///
/// # Errors
/// That it is none, with the forms that are understood.
pub(super) fn count(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = parse(text.trim()).filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("expected a whole number from {least} to {most} ({FORMS})"))
}

/// Rows of a table.
pub(super) fn rows(text: &str) -> Result<u64, String> {
    count(text, 1, 1_000_000_000_000)
}

/// Clients or connections.
pub(super) fn clients(text: &str) -> Result<u32, String> {
    small(text, 1, 100_000)
}

/// Threads.
pub(super) fn threads(text: &str) -> Result<u32, String> {
    small(text, 1, 1024)
}

/// Retries of an operation.
pub(super) fn retries(text: &str) -> Result<u32, String> {
    small(text, 0, 1000)
}

fn small(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = count(text, least.into(), most.into())?;
    u32::try_from(number).map_err(|error| error.to_string())
}

/// `None` for what is no whole number or does not fit.
fn parse(text: &str) -> Option<u64> {
    let (mantissa, exponent) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (&text[..at], 3),
        (at, 'M') => (&text[..at], 6),
        _ => match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, whole(exponent.strip_prefix('+').unwrap_or(exponent))?),
            None => (text, 0),
        },
    };
    let (digits, fraction) = match mantissa.split_once('.') {
        Some((digits, fraction)) => (digits, fraction.trim_end_matches('0')),
        None => (mantissa, ""),
    };
    if mantissa.ends_with('.') || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals = u64::try_from(fraction.len()).ok()?;
    let zeros = u32::try_from(exponent.checked_sub(decimals)?).ok()?;
    let unit = |digits: &str, zeros: u32| whole(digits)?.checked_mul(10_u64.checked_pow(zeros)?);
    let of_fraction = if fraction.is_empty() { 0 } else { unit(fraction, zeros)? };
    unit(digits, u32::try_from(exponent).ok()?)?.checked_add(of_fraction)
}

/// Digits, single underscores between them.
fn whole(text: &str) -> Option<u64> {
    let is_sound = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_sound && is_digits { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1", Some(1))]
    #[case(" 100000 ", Some(100_000))]
    #[case("100_000", Some(100_000))]
    #[case("100k", Some(100_000))]
    #[case("100K", Some(100_000))]
    #[case("1M", Some(1_000_000))]
    #[case("1.5M", Some(1_500_000))]
    #[case("1e5", Some(100_000))]
    #[case("1E+5", Some(100_000))]
    #[case("2.50e3", Some(2_500))]
    #[case("1.0", Some(1))]
    #[case("0", Some(0))]
    #[case("18446744073709551615", Some(u64::MAX))]
    #[case("18446744073709551616", None)]
    #[case("1e20", None)]
    #[case("1e99999999999999999999", None)]
    #[case("", None)]
    #[case("k", None)]
    #[case("-1", None)]
    #[case("+1", None)]
    #[case("1.5", None)]
    #[case("1.", None)]
    #[case(".5k", None)]
    #[case("1.5.5k", None)]
    #[case("1e", None)]
    #[case("1e-3", None)]
    #[case("1e5k", None)]
    #[case("1 000", None)]
    #[case("1,000", None)]
    #[case("_1", None)]
    #[case("1_", None)]
    #[case("1__0", None)]
    #[case("100m", None)]
    #[case("1 k", None)]
    #[case("0x10", None)]
    #[case("nan", None)]
    #[case("１", None)]
    fn forms(#[case] text: &str, #[case] number: Option<u64>) {
        assert_eq!(parse(text.trim()), number);
    }

    #[test]
    fn what_is_out_of_range_names_the_range_and_the_forms() {
        assert_eq!(rows("1M"), Ok(1_000_000));
        let refused = "expected a whole number from 1 to 1024 (1000, 1_000, 1k and 1e3 are the same)";
        for wrong in ["0", "1025", "4294967297", "two"] {
            assert_eq!(threads(wrong), Err(refused.to_owned()), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_plain_numbers_are_themselves(text in "[0-9_.eEkKM+-]{0,24}", number: u64) {
            let _ = parse(&text);
            proptest::prop_assert_eq!(parse(&number.to_string()), Some(number));
        }
    }
}
