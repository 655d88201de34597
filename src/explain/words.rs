//! Figures in the words of a finding.

/// A count with its digits in groups: `1 000 000`.
pub(super) fn count(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A share in percent, with decimals where it is so near 0 or 1 that they tell it apart: `96 %`, `99.99 %`, `0.4 %`.
pub(super) fn percent(share: f64) -> String {
    let percent = share.clamp(0.0, 1.0) * 100.0;
    let edge = percent.min(100.0 - percent);
    let decimals = if edge == 0.0 || edge >= 10.0 {
        0
    } else if edge >= 0.1 {
        1
    } else {
        2
    };
    // Cut, not rounded: what is not all does not read as 100 %.
    let unit = 10_f64.powi(decimals);
    format!("{:.*} %", usize::try_from(decimals).unwrap_or(0), (percent * unit).floor() / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0.0, 999.0, 1000.0, 1_234_567.4].map(count), ["0", "999", "1 000", "1 234 567"]);
    }

    #[test]
    fn what_is_not_all_is_not_told_as_all() {
        assert_eq!(
            [0.0, 0.004, 0.5, 0.96, 0.9999, 1.0].map(percent),
            ["0 %", "0.4 %", "50 %", "96.0 %", "99.99 %", "100 %"]
        );
    }
}
