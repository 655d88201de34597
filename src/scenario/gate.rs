//! What a comparison has to keep, such as `p99 improves by 2x`.

use std::{fmt, ops::Range};

use serde::{Serialize, Serializer};

use super::{
    expression::{ExpressionFault, trimmed, unknown_operation},
    nearest::nearest,
    schema::one_of,
    threshold::Relation,
};

const METRICS: [(&str, GateMetric); 4] = [
    ("p50", GateMetric::P50),
    ("p95", GateMetric::P95),
    ("p99", GateMetric::P99),
    ("throughput", GateMetric::Throughput),
];

/// Metrics of a measurement that have no interval over rounds, and the threshold that limits each.
const OF_THRESHOLDS: [(&str, &str); 3] = [("mean", "mean<5ms"), ("max", "max<1s"), ("error_rate", "error_rate<1%")];

const GATES: [&str; 4] =
    ["p99 improves by 2x", "p99 regresses less than 10%", "results identical", "findings none worse"];

/// More of a factor or a percentage than anybody means.
const GREATEST: f64 = 1e9;

/// What a comparison has to keep. It is written, shown and serialized as its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    text: String,
    /// What that is. Gates of the same condition are the same, however they are written.
    pub condition: GateCondition,
}

/// What has to be so.
#[derive(Debug, Clone, PartialEq)]
pub enum GateCondition {
    /// A metric has changed enough, or not too much.
    Change(Change),
    /// Both phases return the same rows.
    ResultsIdentical,
    /// No finding is new or worse than before.
    FindingsNoneWorse,
}

/// How the ratio of a metric, after / before, has to stand to a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The operation that it is about; `None` is all operations together.
    pub operation: Option<String>,
    /// What it is about.
    pub metric: GateMetric,
    /// How the ratio has to stand to the limit.
    pub relation: Relation,
    /// Its limit, above 0: 0.5 for a time that improves by 2x.
    pub limit: f64,
}

/// What is judged over rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateMetric {
    /// Median response time.
    P50,
    /// 95th percentile of the response time.
    P95,
    /// 99th percentile of the response time.
    P99,
    /// Operations without error a second.
    Throughput,
}

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Improves,
    Regresses,
}

/// How large a change is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Amount {
    /// `2x`.
    Factor(f64),
    /// `30%`, as a share.
    Share(f64),
}

impl Gate {
    /// Reads `[operation.]metric improves by [at least] amount`, `[operation.]metric regresses less than amount`,
    /// `results identical` or `findings none worse`; an amount is `2x` or `30%`.
    ///
    /// # Errors
    /// The first fault of the text, with its place.
    pub fn parse(text: &str) -> Result<Self, ExpressionFault> {
        let words = words(text);
        let word = |at: &Range<usize>| &text[at.clone()];
        let verb = words.iter().rposition(|at| direction(word(at)).is_some());
        let condition = match (verb, words.iter().map(word).collect::<Vec<_>>().as_slice()) {
            (Some(verb), _) => GateCondition::Change(change(text, &words, verb)?),
            (None, ["results", "identical"]) => GateCondition::ResultsIdentical,
            (None, ["findings", "none", "worse"]) => GateCondition::FindingsNoneWorse,
            (None, _) => return Err(no_gate(text, &words)),
        };
        Ok(Self { text: text.trim().to_owned(), condition })
    }

    /// The fault of naming an operation that is not there, placed in the gate's own text.
    pub fn unknown_operation<'a>(&self, operations: impl IntoIterator<Item = &'a str>) -> Option<ExpressionFault> {
        match &self.condition {
            GateCondition::Change(Change { operation: Some(name), .. }) => unknown_operation(name, 0, operations),
            _ => None,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Gate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Where the words of a text are.
fn words(text: &str) -> Vec<Range<usize>> {
    let start = |word: &str| word.as_ptr().addr() - text.as_ptr().addr();
    text.split_whitespace().map(|word| start(word)..start(word) + word.len()).collect()
}

fn direction(word: &str) -> Option<Direction> {
    match word {
        "improves" => Some(Direction::Improves),
        "regresses" => Some(Direction::Regresses),
        _ => None,
    }
}

/// The fault of a text without a verb that is none of the gates without one.
fn no_gate(text: &str, words: &[Range<usize>]) -> ExpressionFault {
    let Some(first) = words.first() else {
        return ExpressionFault::new(0..text.len(), "no gate").expected(one_of(GATES));
    };
    let whole = trimmed(text, 0..text.len());
    if text.contains(['<', '>']) {
        return ExpressionFault::new(whole, "a limit on a value is a threshold, not a gate")
            .expected("a change such as `p99 improves by 2x`, or `--threshold 'p(99)<5ms'`");
    }
    let gate = |text| nearest(text, GATES[2..].iter().copied());
    for (fixed, rest) in [("results", "identical"), ("findings", "none worse")] {
        if &text[first.clone()] == fixed {
            let at = words.get(1).map_or(whole.end..whole.end, |second| second.start..whole.end);
            return ExpressionFault::new(at, format!("unknown gate on {fixed}")).expected(format!("`{rest}`"));
        }
    }
    if let Some(near) = gate(&text[whole.clone()]) {
        return ExpressionFault::new(whole, "unknown gate").did_you_mean(Some(near));
    }
    for at in &words[1..] {
        if let Some(near) = nearest(&text[at.clone()], ["improves", "regresses"]) {
            let message = format!("unknown change `{}`", &text[at.clone()]);
            return ExpressionFault::new(at.clone(), message).did_you_mean(Some(near));
        }
    }
    let at = words.get(1).map_or(whole.end..whole.end, |second| second.start..whole.end);
    ExpressionFault::new(at, "no change").expected(one_of(["improves by", "regresses less than"]))
}

fn change(text: &str, words: &[Range<usize>], verb: usize) -> Result<Change, ExpressionFault> {
    let (operation, metric) = subject(text, trimmed(text, 0..words[verb].start))?;
    let direction = direction(&text[words[verb].clone()]).unwrap_or(Direction::Improves);
    let mut rest = &words[verb + 1..];
    let mut skip = |expected: &str, all: &str| match rest.split_first() {
        Some((at, after)) if &text[at.clone()] == expected => {
            rest = after;
            Ok(())
        }
        found => {
            let at = found.map_or_else(|| end(text), |(at, _)| at.clone());
            let message = if at.is_empty() {
                "it ends too early".into()
            } else {
                format!("unknown word `{}`", &text[at.clone()])
            };
            Err(ExpressionFault::new(at, message).expected(format!("`{all}`")))
        }
    };
    match direction {
        Direction::Improves => {
            skip("by", "by")?;
            if skip("at", "at least").is_ok() {
                skip("least", "least")?;
            }
        }
        Direction::Regresses => {
            skip("less", "less than")?;
            skip("than", "than")?;
        }
    }
    let at = rest.first().map_or_else(|| end(text), |first| trimmed(text, first.start..text.len()));
    let amount = amount(text, at.clone())?;
    if let Some(expected) = out_of_range(amount, direction, metric) {
        return Err(ExpressionFault::new(at.clone(), format!("`{}` is out of range", &text[at])).expected(expected));
    }
    let (relation, limit) = bound(amount, direction, metric);
    Ok(Change { operation, metric, relation, limit })
}

/// Where the text ends, without the space after it.
fn end(text: &str) -> Range<usize> {
    let end = text.trim_end().len();
    end..end
}

/// `operation.metric` or `metric`.
fn subject(text: &str, at: Range<usize>) -> Result<(Option<String>, GateMetric), ExpressionFault> {
    let subject = &text[at.clone()];
    // No metric begins with a digit: the dot of `p99.9` parts nothing.
    let parts = |dot: usize| !subject[dot + 1..].starts_with(|letter: char| letter.is_ascii_digit());
    let dot = subject.rmatch_indices('.').map(|(dot, _)| dot).find(|dot| parts(*dot));
    let operation = dot.map(|dot| subject[..dot].trim());
    if operation == Some("") {
        return Err(ExpressionFault::new(at, "no name before the dot").expected("the name of an operation"));
    }
    let at = trimmed(text, at.start + dot.map_or(0, |dot| dot + 1)..at.end);
    let name = &text[at.clone()];
    if let Some((_, metric)) = METRICS.iter().find(|(known, _)| *known == name) {
        return Ok((operation.map(str::to_owned), *metric));
    }
    let metrics = one_of(METRICS.map(|(name, _)| name));
    if name.is_empty() {
        return Err(ExpressionFault::new(at, "no metric").expected(metrics));
    }
    if let Some((_, threshold)) = OF_THRESHOLDS.iter().find(|(known, _)| *known == name.replace(' ', "_")) {
        let message = format!("`{name}` is not judged over rounds");
        return Err(ExpressionFault::new(at, message).expected(format!("{metrics}, or `--threshold '{threshold}'`")));
    }
    if let Some(colon) = name.find(':') {
        let colon = at.start + colon;
        return Err(ExpressionFault::new(colon..colon + 1, "a colon after the operation").expected("`.`"));
    }
    let plain: String = name.chars().filter(|letter| !"()".contains(*letter)).collect();
    let near = nearest(&plain, METRICS[3..].iter().map(|(name, _)| *name));
    let near = METRICS.iter().map(|(name, _)| *name).find(|metric| *metric == plain).or(near);
    Err(ExpressionFault::new(at, format!("unknown metric `{name}`")).expected(metrics).did_you_mean(near))
}

/// `2x` or `30%`.
fn amount(text: &str, at: Range<usize>) -> Result<Amount, ExpressionFault> {
    const EXPECTED: &str = "a factor like `2x`, or a percentage like `30%`";
    let written = &text[at.clone()];
    if written.is_empty() {
        return Err(ExpressionFault::new(at, "no amount").expected(EXPECTED));
    }
    let digits = written.find(|letter: char| !letter.is_ascii_digit() && !"+-.".contains(letter));
    let (number, unit) = written.split_at(digits.unwrap_or(written.len()));
    let Ok(number) = number.parse::<f64>() else {
        return Err(ExpressionFault::new(at, format!("`{written}` is no amount")).expected(EXPECTED));
    };
    let unit_at = trimmed(text, at.end - unit.len()..at.end);
    match unit.trim() {
        "x" => Ok(Amount::Factor(number)),
        "%" => Ok(Amount::Share(number / 100.0)),
        "" => Err(ExpressionFault::new(at, "an amount without its unit").expected(EXPECTED)),
        unit => Err(ExpressionFault::new(unit_at, format!("unknown unit `{unit}`")).expected(one_of(["x", "%"]))),
    }
}

/// What would be within the range where the amount is not.
fn out_of_range(amount: Amount, direction: Direction, metric: GateMetric) -> Option<&'static str> {
    // What falls cannot fall by all of it.
    let falls = (direction == Direction::Improves) != (metric == GateMetric::Throughput);
    match amount {
        Amount::Factor(factor) => (!(factor > 1.0 && factor <= GREATEST)).then_some("above 1x"),
        Amount::Share(share) if falls => (!(share > 0.0 && share < 1.0)).then_some("above 0%, below 100%"),
        Amount::Share(share) => (!(share > 0.0 && share <= GREATEST)).then_some("above 0%"),
    }
}

/// What the ratio after / before has to keep. More of a time is worse, more of the throughput better.
fn bound(amount: Amount, direction: Direction, metric: GateMetric) -> (Relation, f64) {
    let (less, more) = match amount {
        Amount::Factor(factor) => (1.0 / factor, factor),
        Amount::Share(share) => (1.0 - share, 1.0 + share),
    };
    match (direction, metric == GateMetric::Throughput) {
        (Direction::Improves, false) => (Relation::LessOrEqual, less),
        (Direction::Improves, true) => (Relation::GreaterOrEqual, more),
        (Direction::Regresses, false) => (Relation::Less, more),
        (Direction::Regresses, true) => (Relation::Greater, less),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> (Option<String>, GateMetric, Relation, f64) {
        match Gate::parse(text).map(|gate| gate.condition) {
            Ok(GateCondition::Change(Change { operation, metric, relation, limit })) => {
                (operation, metric, relation, limit)
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    fn refused(text: &str) -> String {
        Gate::parse(text).unwrap_err().render(text)
    }

    #[test]
    fn a_gate_is_a_metric_a_change_and_an_amount() {
        use GateMetric::{P50, P95, P99, Throughput};
        use Relation::{Greater, GreaterOrEqual, Less, LessOrEqual};
        assert_eq!(parsed("p99 improves by 2x"), (None, P99, LessOrEqual, 0.5));
        assert_eq!(parsed("  p50  improves by  at least 30 % "), (None, P50, LessOrEqual, 0.7));
        assert_eq!(parsed("p95 regresses less than 10%"), (None, P95, Less, 1.1));
        assert_eq!(parsed("p95 regresses less than 1.2x"), (None, P95, Less, 1.2));
        assert_eq!(parsed("throughput improves by 30%"), (None, Throughput, GreaterOrEqual, 1.3));
        assert_eq!(parsed("throughput improves by 4x"), (None, Throughput, GreaterOrEqual, 4.0));
        assert_eq!(parsed("throughput regresses less than 10%"), (None, Throughput, Greater, 0.9));
        assert_eq!(parsed("throughput regresses less than 4x"), (None, Throughput, Greater, 0.25));
        assert_eq!(parsed("write.p99 improves by 2x").0.unwrap(), "write");
        assert_eq!(parsed("a write. of.x .p99 improves by 2x").0.unwrap(), "a write. of.x");
        assert_eq!(parsed("it improves by night.p99 improves by 2x").0.unwrap(), "it improves by night");
        assert_eq!(Gate::parse("results  identical").unwrap().condition, GateCondition::ResultsIdentical);
        let findings = Gate::parse(" findings none worse ").unwrap();
        assert_eq!(findings.condition, GateCondition::FindingsNoneWorse);
        assert_eq!(serde_json::to_string(&findings).unwrap(), "\"findings none worse\"");
    }

    #[test]
    fn what_does_not_parse_is_marked() {
        insta::assert_snapshot!(refused("p90 improves by 2x"), @"
        unknown metric `p90`, expected `p50`, `p95`, `p99` or `throughput`
          p90 improves by 2x
          ^^^
        ");
        insta::assert_snapshot!(refused("read.p(99) improves by 2x"), @"
        unknown metric `p(99)`, expected `p50`, `p95`, `p99` or `throughput`, did you mean `p99`?
          read.p(99) improves by 2x
               ^^^^^
        ");
        insta::assert_snapshot!(refused("error_rate regresses less than 1%"), @"
        `error_rate` is not judged over rounds, expected `p50`, `p95`, `p99` or `throughput`, or `--threshold 'error_rate<1%'`
          error_rate regresses less than 1%
          ^^^^^^^^^^
        ");
        insta::assert_snapshot!(refused("p(99)<5ms"), @"
        a limit on a value is a threshold, not a gate, expected a change such as `p99 improves by 2x`, or `--threshold 'p(99)<5ms'`
          p(99)<5ms
          ^^^^^^^^^
        ");
        insta::assert_snapshot!(refused("read:p99 improves by 2x"), @"
        a colon after the operation, expected `.`
          read:p99 improves by 2x
              ^
        ");
        insta::assert_snapshot!(refused("p99 improves 2x"), @"
        unknown word `2x`, expected `by`
          p99 improves 2x
                       ^^
        ");
        insta::assert_snapshot!(refused("p99 regresses less"), @"
        it ends too early, expected `than`
          p99 regresses less
                            ^
        ");
        insta::assert_snapshot!(refused("p99 improvs by 2x"), @"
        unknown change `improvs`, did you mean `improves`?
          p99 improvs by 2x
              ^^^^^^^
        ");
        insta::assert_snapshot!(refused("p99 stays as it is"), @"
        no change, expected `improves by` or `regresses less than`
          p99 stays as it is
              ^^^^^^^^^^^^^^
        ");
        insta::assert_snapshot!(refused("results the same"), @"
        unknown gate on results, expected `identical`
          results the same
                  ^^^^^^^^
        ");
        insta::assert_snapshot!(refused("result identical"), @"
        unknown gate, did you mean `results identical`?
          result identical
          ^^^^^^^^^^^^^^^^
        ");
        insta::assert_snapshot!(refused("p99 improves by 2ms"), @"
        unknown unit `ms`, expected `x` or `%`
          p99 improves by 2ms
                           ^^
        ");
        insta::assert_snapshot!(refused("p99 improves by 100%"), @"
        `100%` is out of range, expected above 0%, below 100%
          p99 improves by 100%
                          ^^^^
        ");
        for (text, message) in [
            ("", "no gate"),
            ("  ", "no gate"),
            ("improves by 2x", "no metric"),
            (".p99 improves by 2x", "no name before the dot"),
            ("p99.9 improves by 2x", "unknown metric `p99.9`"),
            ("p99 improves", "it ends too early"),
            ("p99 improves by", "no amount"),
            ("p99 improves by at 2x", "unknown word `2x`"),
            ("p99 improves by 2", "an amount without its unit"),
            ("p99 improves by lots", "`lots` is no amount"),
            ("p99 improves by 1x", "`1x` is out of range"),
            ("p99 improves by 0.5x", "`0.5x` is out of range"),
            ("throughput regresses less than 100%", "`100%` is out of range"),
            ("p99 regresses less than 0%", "`0%` is out of range"),
            ("p99 improves by -3%", "`-3%` is out of range"),
        ] {
            let fault = Gate::parse(text).unwrap_err();
            assert_eq!(fault.message, message, "{text}");
            assert!(text.get(fault.span).is_some(), "{text}");
        }
    }

    #[test]
    fn an_unknown_operation_is_marked() {
        let gate = Gate::parse(" raed.p99 improves by 2x").unwrap();
        assert_eq!(gate.unknown_operation(["raed"]), None);
        insta::assert_snapshot!(gate.unknown_operation(["read", "write"]).unwrap().render(&gate.to_string()), @"
        no operation `raed`, did you mean `read`?
          raed.p99 improves by 2x
          ^^^^
        ");
        assert_eq!(gate.unknown_operation(["other"]).unwrap().expected.unwrap(), "`other`");
        assert_eq!(Gate::parse("p99 improves by 2x").unwrap().unknown_operation([]), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_gate_or_has_a_fault_within(
            text in "[a-z.é ]{0,6}(p99|throughput|max|)[ .:]?(improves|regresses|improvs|) ?(by|less than|) ?[0-9.]{0,3}[x% ]{0,2}\\PC{0,4}"
        ) {
            if let Err(fault) = Gate::parse(&text) {
                prop_assert!(text.get(fault.span.clone()).is_some(), "{fault:?}");
                prop_assert!(!fault.render(&text).is_empty());
            }
        }

        #[test]
        fn an_improvement_and_a_tolerated_regression_never_overlap(hundredths in 101_u32..10_000, throughput: bool) {
            let amount = f64::from(hundredths) / 100.0;
            let metric = if throughput { "throughput" } else { "p99" };
            let (_, _, _, improved) = parsed(&format!("{metric} improves by {amount}x"));
            let (_, _, _, regressed) = parsed(&format!("{metric} regresses less than {amount}x"));
            prop_assert!((improved * regressed - 1.0).abs() < 1e-9);
            prop_assert_eq!(improved > 1.0, throughput);
        }
    }
}
