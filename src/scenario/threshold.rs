//! What a measurement has to keep, such as `p(95)<50ms`.

use std::{fmt, ops::Range};

use serde::{Serialize, Serializer};

use super::{
    expression::{ExpressionFault, trimmed, unknown_operation},
    nearest::nearest,
    rate::parse_target_rate,
    schema::one_of,
};

const METRICS: [&str; 5] = ["p(95)", "mean", "max", "error_rate", "throughput"];

/// Units of time and what they are in milliseconds.
const UNITS: [(&str, f64); 7] =
    [("ns", 1e-6), ("us", 1e-3), ("µs", 1e-3), ("μs", 1e-3), ("ms", 1.0), ("s", 1e3), ("min", 6e4)];

/// What a measurement has to keep. It is written, shown and serialized as its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    text: String,
    /// The operation that it is about, or the step of a script, as `script.step`; `None` is all operations together.
    pub operation: Option<String>,
    /// What it is about.
    pub metric: Metric,
    /// How the metric has to stand to the limit.
    pub relation: Relation,
    /// Its limit: milliseconds for a time, a share of 0 to 1 for the error rate, operations a second for the throughput.
    pub limit: f64,
}

/// What a threshold is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// A percentile of the response time, above 0 and below 100.
    Percentile(f64),
    /// The mean response time.
    Mean,
    /// The longest response time.
    Max,
    /// The share of operations that failed.
    ErrorRate,
    /// Operations a second.
    Throughput,
}

/// How a metric has to stand to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Below.
    Less,
    /// At most.
    LessOrEqual,
    /// Above.
    Greater,
    /// At least.
    GreaterOrEqual,
}

impl Threshold {
    /// Reads `[operation:]metric relation limit`.
    ///
    /// # Errors
    /// The first fault of the text, with its place.
    pub fn parse(text: &str) -> Result<Self, ExpressionFault> {
        let metric_start = text.rfind(':').map_or(0, |colon| colon + 1);
        let operation = match metric_start {
            0 => None,
            start => Some(&text[..start - 1]),
        };
        if operation.is_some_and(|name| name.trim().is_empty()) {
            return Err(
                ExpressionFault::new(0..metric_start, "no name before the colon").expected("the name of an operation")
            );
        }
        let rest = &text[metric_start..];
        let comparing = |letter: char| "<>=!".contains(letter);
        let start = rest.find(comparing).unwrap_or(rest.len());
        let end = rest[start..].find(|letter| !comparing(letter)).map_or(rest.len(), |length| start + length);
        let metric_at = trimmed(text, metric_start..metric_start + start);
        let metric = metric(text, metric_at.clone())?;
        let relation = match &rest[start..end] {
            "<" => Relation::Less,
            "<=" => Relation::LessOrEqual,
            ">" => Relation::Greater,
            ">=" => Relation::GreaterOrEqual,
            other => {
                let (span, message) = match other {
                    "" => (metric_at.end..metric_at.end, "no relation after it".to_owned()),
                    _ => (metric_start + start..metric_start + end, format!("unknown relation `{other}`")),
                };
                return Err(ExpressionFault::new(span, message).expected(one_of(["<", "<=", ">", ">="])));
            }
        };
        let limit = limit(text, trimmed(text, metric_start + end..text.len()), metric)?;
        let operation = operation.map(|name| name.trim().to_owned());
        Ok(Self { text: text.trim().to_owned(), operation, metric, relation, limit })
    }

    /// Whether a value of its metric, in the unit of its limit, keeps it.
    pub fn holds(&self, value: f64) -> bool {
        match self.relation {
            Relation::Less => value < self.limit,
            Relation::LessOrEqual => value <= self.limit,
            Relation::Greater => value > self.limit,
            Relation::GreaterOrEqual => value >= self.limit,
        }
    }

    /// The fault of naming an operation that is not there. The name is the text up to the colon.
    pub(super) fn unknown_operation<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> Option<ExpressionFault> {
        let name = self.operation.as_deref()?;
        unknown_operation(name, self.text.find(name).unwrap_or(0), known)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

fn metric(text: &str, at: Range<usize>) -> Result<Metric, ExpressionFault> {
    let name = &text[at.clone()];
    if let Some(inner) = name.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')')) {
        return match inner.trim().parse::<f64>() {
            Ok(percent) if percent > 0.0 && percent < 100.0 => Ok(Metric::Percentile(percent)),
            _ => Err(ExpressionFault::new(at.start + 2..at.end - 1, format!("`{inner}` is not a percentile"))
                .expected("a number above 0 and below 100")),
        };
    }
    match name {
        "mean" => Ok(Metric::Mean),
        "max" => Ok(Metric::Max),
        "error_rate" => Ok(Metric::ErrorRate),
        "throughput" => Ok(Metric::Throughput),
        "" => Err(ExpressionFault::new(at, "no metric").expected(one_of(METRICS))),
        _ => {
            let percent = name.strip_prefix('p').filter(|rest| rest.parse::<f64>().is_ok());
            let near = percent.map(|percent| format!("p({percent})"));
            let near = near.or_else(|| nearest(name, METRICS[1..].iter().copied()).map(str::to_owned));
            Err(ExpressionFault::new(at, format!("unknown metric `{name}`"))
                .expected(one_of(METRICS))
                .did_you_mean(near))
        }
    }
}

/// The limit in the unit of [`Threshold::limit`].
fn limit(text: &str, at: Range<usize>, metric: Metric) -> Result<f64, ExpressionFault> {
    let written = &text[at.clone()];
    let example = match metric {
        Metric::Percentile(_) | Metric::Mean | Metric::Max => "a time like 50ms",
        Metric::ErrorRate => "a share like 1%",
        Metric::Throughput => "a rate like 100/s",
    };
    if written.is_empty() {
        return Err(ExpressionFault::new(at, "no limit").expected(example));
    }
    if metric == Metric::Throughput {
        return parse_target_rate(written).map_err(|wrong| ExpressionFault::new(at, wrong.message).expected(example));
    }
    let digits = written.find(|letter: char| !letter.is_ascii_digit() && !"+-.".contains(letter));
    let (number, unit) = written.split_at(digits.unwrap_or(written.len()));
    let Ok(number) = number.parse::<f64>() else {
        return Err(ExpressionFault::new(at, format!("`{written}` is not a limit")).expected(example));
    };
    let unit_at = trimmed(text, at.end - unit.len()..at.end);
    let unit = unit.trim();
    let (value, most) = if metric == Metric::ErrorRate {
        match unit {
            "%" => (number / 100.0, 1.0),
            "" => (number, 1.0),
            _ => {
                return Err(ExpressionFault::new(unit_at, format!("unknown unit `{unit}`"))
                    .expected("`%`, or a share of 0 to 1"));
            }
        }
    } else {
        match UNITS.iter().find(|(name, _)| *name == unit) {
            Some((_, milliseconds)) => (number * milliseconds, f64::MAX),
            None if unit.is_empty() => {
                return Err(ExpressionFault::new(at, "a time without its unit").expected(example));
            }
            None => {
                let units = one_of(["us", "ms", "s", "min"]);
                return Err(ExpressionFault::new(unit_at, format!("unknown unit `{unit}`")).expected(units));
            }
        }
    };
    if (0.0..=most).contains(&value) {
        return Ok(value);
    }
    let bounds = if metric == Metric::ErrorRate { "0% to 100%" } else { "at least 0" };
    Err(ExpressionFault::new(at, format!("`{written}` is out of range")).expected(bounds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> (Option<String>, Metric, Relation, f64) {
        let Threshold { operation, metric, relation, limit, .. } = Threshold::parse(text).unwrap();
        (operation, metric, relation, limit)
    }

    fn refused(text: &str) -> String {
        Threshold::parse(text).unwrap_err().render(text)
    }

    #[test]
    fn a_threshold_is_a_metric_a_relation_and_a_limit() {
        use Relation::{Greater, GreaterOrEqual, Less, LessOrEqual};
        assert_eq!(parsed("p(95)<50ms"), (None, Metric::Percentile(95.0), Less, 50.0));
        assert_eq!(parsed(" p(99.9) <= 1.5 s "), (None, Metric::Percentile(99.9), LessOrEqual, 1500.0));
        assert_eq!(parsed("mean<500us"), (None, Metric::Mean, Less, 0.5));
        assert_eq!(parsed("a b.c:max>=2min"), (Some("a b.c".to_owned()), Metric::Max, GreaterOrEqual, 120_000.0));
        assert_eq!(parsed("error_rate<1%"), (None, Metric::ErrorRate, Less, 0.01));
        assert_eq!(parsed("error_rate<=0.02"), (None, Metric::ErrorRate, LessOrEqual, 0.02));
        assert_eq!(parsed("throughput>120/min"), (None, Metric::Throughput, Greater, 2.0));
        let threshold = Threshold::parse(" p(95) < 50ms ").unwrap();
        assert_eq!(serde_json::to_string(&threshold).unwrap(), "\"p(95) < 50ms\"");
        assert!(threshold.holds(49.9) && !threshold.holds(50.0));
        assert!(Threshold::parse("throughput>=2/s").unwrap().holds(2.0));
    }

    #[test]
    fn what_does_not_parse_is_marked() {
        insta::assert_snapshot!(refused("p95<50ms"), @"
        unknown metric `p95`, expected `p(95)`, `mean`, `max`, `error_rate` or `throughput`, did you mean `p(95)`?
          p95<50ms
          ^^^
        ");
        insta::assert_snapshot!(refused("read: p(100) < 50ms"), @"
        `100` is not a percentile, expected a number above 0 and below 100
          read: p(100) < 50ms
                  ^^^
        ");
        insta::assert_snapshot!(refused("p(95) < 50"), @"
        a time without its unit, expected a time like 50ms
          p(95) < 50
                  ^^
        ");
        insta::assert_snapshot!(refused("mean<5 parsecs"), @"
        unknown unit `parsecs`, expected `us`, `ms`, `s` or `min`
          mean<5 parsecs
                 ^^^^^^^
        ");
        insta::assert_snapshot!(refused("p(95)==50ms"), @"
        unknown relation `==`, expected `<`, `<=`, `>` or `>=`
          p(95)==50ms
               ^^
        ");
        insta::assert_snapshot!(refused("throughput"), @"
        no relation after it, expected `<`, `<=`, `>` or `>=`
          throughput
                    ^
        ");
        insta::assert_snapshot!(refused("trouhgput>1/s"), @"
        unknown metric `trouhgput`, expected `p(95)`, `mean`, `max`, `error_rate` or `throughput`, did you mean `throughput`?
          trouhgput>1/s
          ^^^^^^^^^
        ");
        insta::assert_snapshot!(refused("throughput>100"), @"
        `100` is not a rate, expected a rate like 100/s
          throughput>100
                     ^^^
        ");
        insta::assert_snapshot!(refused("error_rate<200%"), @"
        `200%` is out of range, expected 0% to 100%
          error_rate<200%
                     ^^^^
        ");
        for (text, message) in [
            ("", "no metric"),
            (":p(95)<1ms", "no name before the colon"),
            ("<1ms", "no metric"),
            ("p(95)<", "no limit"),
            ("p(95)<-1ms", "`-1ms` is out of range"),
            ("p(nan)<1ms", "`nan` is not a percentile"),
            ("p(95)<fast", "`fast` is not a limit"),
            ("error_rate<1ms", "unknown unit `ms`"),
        ] {
            assert_eq!(Threshold::parse(text).unwrap_err().message, message, "{text}");
        }
    }

    #[test]
    fn an_unknown_operation_is_marked() {
        let threshold = Threshold::parse("raed:p(95)<50ms").unwrap();
        assert_eq!(threshold.unknown_operation(["raed"]), None);
        let near = threshold.unknown_operation(["read", "write"]).unwrap();
        insta::assert_snapshot!(near.render("raed:p(95)<50ms"), @"
        no operation `raed`, did you mean `read`?
          raed:p(95)<50ms
          ^^^^
        ");
        assert_eq!(threshold.unknown_operation(["other"]).unwrap().expected.unwrap(), "`other`");
    }

    proptest! {
        #[test]
        fn any_text_is_a_threshold_or_has_a_fault_within(text in "[a-z:]{0,8}[p(]{0,2}[0-9.)µ ]{0,6}[<>=]{0,3}\\PC{0,8}") {
            if let Err(fault) = Threshold::parse(&text) {
                prop_assert!(text.get(fault.span.clone()).is_some(), "{fault:?}");
            }
        }
    }
}
