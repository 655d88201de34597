//! The statistics against what SciPy, NumPy and statsmodels say of the same values: `tests/fixtures/statistics/make.py` made them.

#![expect(clippy::unwrap_used, reason = "a test fails by it, as it should")]

use hdrhistogram::Histogram;
use latclinic::stats;
use serde_json::Value;

fn expected(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("fixtures/statistics/expected.json")).unwrap();
    let part = all[part].as_array().unwrap().clone();
    assert!(!part.is_empty());
    part
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

#[track_caller]
fn assert_near(found: f64, expected: &Value, case: &Value) {
    let expected = number(expected);
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected} of {case}");
}

#[test]
fn t_intervals() {
    for case in expected("t_intervals") {
        let found = stats::t_interval(&numbers(&case["effects"]), number(&case["confidence"])).unwrap();
        assert_near(found.low, &case["low"], &case);
        assert_near(found.high, &case["high"], &case);
        assert_near(found.sd, &case["sd"], &case);
    }
}

#[test]
fn welch_intervals() {
    for case in expected("welch_intervals") {
        let (before, after) = (numbers(&case["before"]), numbers(&case["after"]));
        let found = stats::welch_interval(&before, &after, number(&case["confidence"])).unwrap();
        assert_near(found.effect, &case["effect"], &case);
        assert_near(found.low, &case["low"], &case);
        assert_near(found.high, &case["high"], &case);
    }
}

#[test]
fn quantiles() {
    for case in expected("quantiles") {
        let mut block = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        for value in case["values"].as_array().unwrap() {
            block.record(value.as_u64().unwrap()).unwrap();
        }
        assert_near(stats::block_quantile(&block, number(&case["p"])).unwrap(), &case["quantile"], &case);
    }
}

#[test]
fn trends() {
    for case in expected("trends") {
        let found = stats::trend(&numbers(&case["values"])).unwrap();
        assert_near(found.tau, &case["tau"], &case);
        assert_near(found.p, &case["p"], &case);
        assert_near(found.change, &case["change"], &case);
    }
}

#[test]
fn families() {
    for case in expected("families") {
        let p = numbers(&case["p"]);
        let steps = stats::step_down(p.len(), 0.05, |member, confidence| p[member] <= 1.0 - confidence);
        let rejected: Vec<bool> = steps.iter().map(|step| step.decided).collect();
        assert_eq!(serde_json::to_value(rejected).unwrap(), case["rejected"], "{case}");
    }
}

#[test]
fn spending() {
    for case in expected("spending") {
        let looks = stats::looks(case["max"].as_u64().unwrap().try_into().unwrap());
        assert_eq!(serde_json::to_value(&looks).unwrap(), case["looks"]);
        for (look, expected) in case["increments"].as_array().unwrap().iter().enumerate() {
            assert_near(stats::alpha_of_look(look, &looks, 0.05), expected, &case);
        }
    }
}

#[test]
fn bootstraps() {
    for case in expected("bootstraps") {
        let found = stats::bootstrap_interval(&numbers(&case["effects"]), number(&case["confidence"]), 1);
        let (low, high) = found.unwrap();
        assert_near(low, &case["low"], &case);
        assert_near(high, &case["high"], &case);
    }
}
