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
            let message =
                if at.is_empty() { "it is incomplete".into() } else { format!("unknown word `{}`", &text[at.clone()]) };
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
        return Err(ExpressionFault::new(at, format!("`{written}` is not an amount")).expected(EXPECTED));
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
mod tests;
