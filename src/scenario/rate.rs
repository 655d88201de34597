//! Rates as they are written: `500/s`, `30/min`.

/// Greatest rate, in arrivals a second: what can still be counted one by one.
pub const GREATEST_RATE: f64 = 10_000_000.0;

/// Why a text is no rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateFault {
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What is valid.
    pub expected: &'static str,
}

/// Reads a rate, such as `500/s` or `30/min`, and gives it in 1/s.
///
/// # Errors
/// When it is no rate, or not above 0 and at most 10 000 000/s.
pub fn parse_rate(text: &str) -> Result<f64, RateFault> {
    within(text, |rate| rate > 0.0 && rate <= GREATEST_RATE, "above 0/s, at most 10000000/s")
}

/// Reads a rate that may be 0.
pub(super) fn parse_target_rate(text: &str) -> Result<f64, RateFault> {
    within(text, |rate| (0.0..=GREATEST_RATE).contains(&rate), "0/s to 10000000/s")
}

fn within(text: &str, valid: impl Fn(f64) -> bool, bounds: &'static str) -> Result<f64, RateFault> {
    let text = text.trim();
    let rate = text.split_once('/').and_then(|(number, unit)| {
        let seconds = match unit.trim() {
            "s" => 1.0,
            "min" => 60.0,
            _ => return None,
        };
        Some(number.trim().parse::<f64>().ok().filter(|number| number.is_finite())? / seconds)
    });
    match rate {
        Some(rate) if valid(rate) => Ok(rate),
        Some(_) => Err(RateFault { message: format!("`{text}` is out of range"), expected: bounds }),
        None => {
            Err(RateFault { message: format!("`{text}` is not a rate"), expected: "something like 500/s or 30/min" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_its_unit() {
        for (text, rate) in [("500/s", 500.0), (" 30 / min ", 0.5), ("0.25/s", 0.25), ("1e7/s", 1e7)] {
            assert_eq!(parse_rate(text), Ok(rate), "{text}");
        }
        assert_eq!(parse_target_rate("0/s"), Ok(0.0));
        for text in ["", "500", "/s", "500/h", "many/s", "inf/s", "nan/s", "5/s/s"] {
            assert!(parse_rate(text).unwrap_err().message.ends_with("is not a rate"), "{text}");
        }
        for text in ["0/s", "-1/s", "10000001/s", "1e300/min"] {
            assert!(parse_rate(text).unwrap_err().message.ends_with("is out of range"), "{text}");
        }
    }
}
