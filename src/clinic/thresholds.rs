//! What came of thresholds on a measurement.

use std::borrow::Cow;

use hdrhistogram::Histogram;

use crate::{
    record::{Outcome, Record, ThresholdResult, ThresholdUnit},
    scenario::{Metric, Threshold},
    stats,
};

const NS_PER_MS: f64 = 1e6;

type Times<'h> = Cow<'h, Histogram<u64>>;

/// Judges each threshold by a record, whose own are not looked at.
///
/// `times` gives the histogram, in nanoseconds, of the response times of all operations (`None`) or of the operation of that
/// name, or of the service times of a step (`script.step`): a record has only the usual percentiles.
///
/// What has no value, or none that its samples support, is undecided and never passes.
pub(super) fn judge<'h>(
    thresholds: &[Threshold],
    record: &Record,
    times: impl Fn(Option<&str>) -> Option<Times<'h>>,
) -> Vec<ThresholdResult> {
    let judge = |threshold: &Threshold| {
        let operation = threshold.operation.as_deref();
        let value = match Counts::of(record, operation) {
            None => Err("the record has no such operation".to_owned()),
            Some(counts) => match threshold.metric {
                Metric::Percentile(percent) => percentile(times(operation), percent),
                Metric::Mean => some(times(operation)).map(|times| times.mean() / NS_PER_MS),
                Metric::Max => some(times(operation)).map(|times| times.max() as f64 / NS_PER_MS),
                Metric::ErrorRate => counts.error_rate(),
                Metric::Throughput => counts.throughput(record),
            },
        };
        let outcome = match value {
            Ok(value) if threshold.holds(value) => Outcome::Passed,
            Ok(_) => Outcome::Failed,
            Err(_) => Outcome::Undecided,
        };
        ThresholdResult {
            expression: threshold.to_string(),
            statement: threshold.operation.clone(),
            value: value.as_ref().ok().copied(),
            limit: threshold.limit,
            unit: unit(threshold),
            outcome,
            reason: value.err(),
        }
    };
    thresholds.iter().map(judge).collect()
}

/// The unit of what a threshold compares.
pub(super) fn unit(threshold: &Threshold) -> ThresholdUnit {
    match threshold.metric {
        Metric::Percentile(_) | Metric::Mean | Metric::Max => ThresholdUnit::Ms,
        Metric::ErrorRate => ThresholdUnit::Share,
        Metric::Throughput => ThresholdUnit::PerS,
    }
}

/// Executions with and without error.
struct Counts {
    all: u64,
    errors: u64,
}

impl Counts {
    /// Of all operations, of the one of that name, or of a step as `script.step`.
    fn of(record: &Record, name: Option<&str>) -> Option<Self> {
        let Some(name) = name else {
            return Some(Self { all: record.totals.operations, errors: record.totals.errors });
        };
        if let Some(statement) = record.statements.iter().find(|statement| statement.name == name) {
            return Some(Self { all: statement.totals.operations, errors: statement.totals.errors });
        }
        record.statements.iter().find_map(|script| {
            let step = name.strip_prefix(&script.name)?.strip_prefix('.')?;
            let step = script.steps.iter().find(|known| known.name == step)?;
            Some(Self { all: step.executions, errors: step.errors })
        })
    }

    fn error_rate(&self) -> Result<f64, String> {
        if self.all == 0 { Err(NONE.to_owned()) } else { Ok(self.errors as f64 / self.all as f64) }
    }

    /// None at all is a throughput of 0, but only where there was all of the time for one.
    fn throughput(&self, record: &Record) -> Result<f64, String> {
        let whole = !record.interrupted || record.measured_s >= record.load.duration_s;
        if record.sending_s <= 0.0 || (self.all == 0 && !whole) {
            return Err("no operation ended before the measurement ended".to_owned());
        }
        Ok(self.all.saturating_sub(self.errors) as f64 / record.sending_s)
    }
}

const NONE: &str = "no operation ended";

/// The histogram, where there is something in it.
fn some(times: Option<Times<'_>>) -> Result<Times<'_>, String> {
    times.filter(|times| !times.is_empty()).ok_or_else(|| "no operation ended without error".to_owned())
}

/// In milliseconds.
fn percentile(times: Option<Times<'_>>, percent: f64) -> Result<f64, String> {
    let times = some(times)?;
    let p = percent / 100.0;
    let unsupported = || format!("needs {} samples; there are {}", stats::samples_needed(p), times.len());
    stats::percentile(&times, p).map(|ns| ns as f64 / NS_PER_MS).ok_or_else(unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Phase, StepFigures, Totals, sample};

    /// 1 to `samples` milliseconds.
    fn histogram(samples: u64) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        (1..=samples).for_each(|ms| histogram.record(ms * 1_000_000).unwrap());
        histogram
    }

    fn judged(expression: &str, record: &Record, times: &Histogram<u64>) -> (Outcome, Option<f64>, Option<String>) {
        let threshold = Threshold::parse(expression).unwrap();
        let result = judge(&[threshold], record, |_| Some(Cow::Borrowed(times))).remove(0);
        assert_eq!(result.expression, expression);
        assert_eq!(result.reason.is_some(), result.outcome == Outcome::Undecided);
        (result.outcome, result.value, result.reason)
    }

    fn record() -> Record {
        Record {
            totals: Totals { operations: 100, errors: 2, throughput_per_s: 98.0 / 30.0, ..Totals::default() },
            ..sample::record(Phase::Before)
        }
    }

    fn near(value: Option<f64>, expected: f64) -> bool {
        (value.unwrap() / expected - 1.0).abs() < 0.002
    }

    #[test]
    fn times_pass_and_fail_odd_percentiles_too() {
        let times = histogram(200);
        for (expression, outcome, value) in [
            ("p(95)<200ms", Outcome::Passed, 190.0),
            ("p(95)<150ms", Outcome::Failed, 190.0),
            ("p(97.5)<0.2s", Outcome::Passed, 195.0),
            ("p(50)>=100ms", Outcome::Passed, 100.0),
            ("mean<100ms", Outcome::Failed, 100.5),
            ("max<=201ms", Outcome::Passed, 200.0),
        ] {
            let (found, measured, _) = judged(expression, &record(), &times);
            assert_eq!(found, outcome, "{expression}");
            assert!(near(measured, value), "{expression}: {measured:?}");
        }
    }

    #[test]
    fn a_percentile_is_undecided_until_its_samples_support_it() {
        let (outcome, value, reason) = judged("p(95)<10s", &record(), &histogram(58));
        assert_eq!((outcome, value), (Outcome::Undecided, None));
        assert_eq!(reason.unwrap(), "needs 59 samples; there are 58");
        assert_eq!(judged("p(95)<10s", &record(), &histogram(59)).0, Outcome::Passed);
        assert_eq!(judged("p(95)<1ms", &record(), &histogram(58)).0, Outcome::Undecided);
        assert_eq!(judged("p(97.5)<10s", &record(), &histogram(118)).0, Outcome::Undecided);
        assert_eq!(judged("p(97.5)<10s", &record(), &histogram(119)).0, Outcome::Passed);
    }

    #[test]
    fn nothing_measured_never_passes() {
        let mut empty = record();
        empty.totals = Totals::default();
        for expression in ["p(50)<1min", "mean<1min", "max<1min", "error_rate<100%"] {
            let (outcome, value, _) = judged(expression, &empty, &histogram(0));
            assert_eq!((outcome, value), (Outcome::Undecided, None), "{expression}");
        }
    }

    #[test]
    fn error_rate_and_throughput_come_from_the_counts() {
        let times = histogram(98);
        assert_eq!(judged("error_rate<=2%", &record(), &times), (Outcome::Passed, Some(0.02), None));
        assert_eq!(judged("error_rate<2%", &record(), &times).0, Outcome::Failed);
        assert_eq!(judged("throughput>3/s", &record(), &times), (Outcome::Passed, Some(98.0 / 30.0), None));
        assert_eq!(judged("throughput>4/s", &record(), &times).0, Outcome::Failed);
    }

    #[test]
    fn a_throughput_of_nothing_is_decided_only_by_a_whole_window() {
        let mut nothing = record();
        nothing.totals = Totals::default();
        assert_eq!(judged("throughput>1/s", &nothing, &histogram(0)), (Outcome::Failed, Some(0.0), None));
        nothing.interrupted = true;
        nothing.measured_s = 10.0;
        assert_eq!(judged("throughput>1/s", &nothing, &histogram(0)).0, Outcome::Undecided);
        nothing.totals.operations = 100;
        assert_eq!(judged("throughput>1/s", &nothing, &histogram(0)).0, Outcome::Passed);
        nothing.sending_s = 0.0;
        assert_eq!(judged("throughput<1/s", &nothing, &histogram(0)).0, Outcome::Undecided);
    }

    #[test]
    fn one_operation_one_step_and_one_that_is_not_there() {
        let mut record = record();
        record.statements[0].totals = Totals { operations: 10, errors: 1, ..Totals::default() };
        record.statements[0].steps =
            vec![StepFigures { name: "authors".into(), executions: 40, errors: 1, ..StepFigures::default() }];
        let (all, one, step) = (histogram(100), histogram(60), histogram(59));
        let times = |of: Option<&str>| match of {
            None => Some(Cow::Borrowed(&all)),
            Some("latest_of_user") => Some(Cow::Borrowed(&one)),
            Some("latest_of_user.authors") => Some(Cow::Borrowed(&step)),
            Some(_) => None,
        };
        let texts = [
            "max<1s",
            "latest_of_user:max<1s",
            "latest_of_user.authors:max<1s",
            "latest_of_user:error_rate<1%",
            "latest_of_user.authors:error_rate<5%",
            "other:max<1s",
        ];
        let thresholds: Vec<_> = texts.iter().map(|text| Threshold::parse(text).unwrap()).collect();
        let results = judge(&thresholds, &record, times);
        assert!(near(results[0].value, 100.0) && near(results[1].value, 60.0) && near(results[2].value, 59.0));
        assert_eq!((results[3].value, results[4].value), (Some(0.1), Some(0.025)));
        assert_eq!(results[1].statement.as_deref(), Some("latest_of_user"));
        assert_eq!(results[5].reason.as_deref(), Some("the record has no such operation"));
        let outcomes: Vec<_> = results.iter().map(|result| result.outcome).collect();
        assert_eq!(outcomes[3..], [Outcome::Failed, Outcome::Passed, Outcome::Undecided]);
    }
}
