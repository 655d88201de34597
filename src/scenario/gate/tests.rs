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
    it is incomplete, expected `than`
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
        ("p99 improves", "it is incomplete"),
        ("p99 improves by", "no amount"),
        ("p99 improves by at 2x", "unknown word `2x`"),
        ("p99 improves by 2", "an amount without its unit"),
        ("p99 improves by lots", "`lots` is not an amount"),
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
