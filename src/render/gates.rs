//! Gates and thresholds of a comparison: their tables, and what was found for each in words.

use super::{
    document::{Align, Block, Cell, Table},
    rows,
};
use crate::{
    compare::{Gate, GateKind},
    record::{Outcome, ThresholdUnit},
    text,
};

/// A table of the thresholds and one of the gates, each under its heading, where there are any.
pub(super) fn blocks(gates: &[Gate]) -> Vec<Block> {
    let (thresholds, gates): (Vec<&Gate>, Vec<&Gate>) = gates.iter().partition(|gate| gate.kind == GateKind::Threshold);
    let mut blocks = Vec::new();
    if !thresholds.is_empty() {
        blocks.extend([Block::Heading("Thresholds".into()), Block::Table(of_values(&thresholds))]);
    }
    if !gates.is_empty() {
        blocks.extend([Block::Heading("Gates".into()), Block::Table(of_changes(&gates))]);
    }
    blocks
}

/// The outcome is that of the phase after.
fn of_values(thresholds: &[&Gate]) -> Table {
    let mut table = Table::of_figures(&["threshold", "before", "after", "outcome after"]);
    table.columns[3].align = Align::Left;
    for gate in thresholds {
        table.rows.push(vec![
            Cell::plain(&gate.expression),
            Cell::plain(value(gate, gate.before)),
            Cell::plain(value(gate, gate.after)),
            rows::outcome(gate.outcome, gate.reason.as_deref()),
        ]);
    }
    table
}

fn of_changes(gates: &[&Gate]) -> Table {
    let mut table = Table::of_words(&["gate", "change", "outcome"]);
    for gate in gates {
        table.rows.push(vec![
            Cell::plain(&gate.expression),
            Cell::plain(change(gate).unwrap_or_else(|| text::NOTHING.into())),
            rows::outcome(gate.outcome, gate.reason.as_deref()),
        ]);
    }
    table
}

/// What was found for a gate, in words: `307 ms -> 399 µs, 770x faster (95 % 690 to 812)`, and why it is not passed.
pub(super) fn found(gate: &Gate) -> String {
    let values = match gate.kind {
        GateKind::Threshold => gate.after.map(|after| value(gate, Some(after))),
        GateKind::Change | GateKind::Results | GateKind::Findings => match (gate.before, gate.after) {
            (Some(before), Some(after)) => {
                Some(format!("{} -> {}", value(gate, Some(before)), value(gate, Some(after))))
            }
            _ => None,
        },
    };
    let parts = [values, change(gate), gate.reason.clone()];
    let words = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if words.is_empty() { outcome_name(gate.outcome).to_owned() } else { words }
}

/// `passed`, `failed` or `undecided`.
pub(super) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Undecided => "undecided",
    }
}

/// How many of the gates came out so.
pub(super) fn count(gates: &[Gate], outcome: Outcome) -> usize {
    gates.iter().filter(|gate| gate.outcome == outcome).count()
}

fn value(gate: &Gate, value: Option<f64>) -> String {
    gate.unit.map_or_else(|| text::NOTHING.into(), |unit| rows::threshold_value(value, unit))
}

/// The change and its interval: `770x faster (95 % 690 to 812)`.
fn change(gate: &Gate) -> Option<String> {
    let ends = gate.ci_low.zip(gate.ci_high).zip(gate.confidence);
    Some(rows::effect_of(gate.unit == Some(ThresholdUnit::Ms), gate.ratio?, ends))
}

#[cfg(test)]
pub(super) mod sample {
    use super::*;

    /// A gate of each kind and outcome.
    pub(in crate::render) fn gates() -> Vec<Gate> {
        let change = Gate {
            expression: "p99 improves by 2x".into(),
            kind: GateKind::Change,
            before: Some(307.2),
            after: Some(0.399),
            unit: Some(ThresholdUnit::Ms),
            ratio: Some(0.0013),
            ci_low: Some(0.00123),
            ci_high: Some(0.00145),
            confidence: Some(0.95),
            outcome: Outcome::Passed,
            reason: None,
        };
        let none = Gate {
            before: None,
            after: None,
            unit: None,
            ratio: None,
            ci_low: None,
            ci_high: None,
            confidence: None,
            ..change.clone()
        };
        vec![
            Gate {
                expression: "latest:p(95)<50ms".into(),
                kind: GateKind::Threshold,
                before: Some(190.3),
                after: Some(0.163),
                unit: Some(ThresholdUnit::Ms),
                ..none.clone()
            },
            change.clone(),
            Gate {
                expression: "write.p95 regresses less than 10%".into(),
                before: Some(10.0),
                after: Some(13.0),
                ratio: Some(1.3),
                ci_low: Some(1.21),
                ci_high: Some(1.402),
                outcome: Outcome::Failed,
                ..change.clone()
            },
            Gate {
                expression: "throughput regresses less than 5%".into(),
                before: Some(100.0),
                after: Some(97.0),
                unit: Some(ThresholdUnit::PerS),
                ratio: Some(0.97),
                ci_low: Some(0.92),
                ci_high: Some(1.02),
                confidence: Some(0.975),
                outcome: Outcome::Undecided,
                reason: Some("its interval contains the limit".into()),
                ..change
            },
            Gate {
                expression: "results identical".into(),
                kind: GateKind::Results,
                outcome: Outcome::Failed,
                reason: Some("<3> rows & \"more\"\nafter 100 %".into()),
                ..none
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{document::Document, terminal};

    #[test]
    fn thresholds_and_gates_have_tables_of_their_own() {
        let text = terminal(&Document { blocks: blocks(&sample::gates()) }, 80, false);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text, @r#"
        Thresholds:
         threshold           before    after   outcome after
        ─────────────────────────────────────────────────────
         latest:p(95)<50ms   190 ms   163 µs   PASS

        Gates:
         gate                       change                     outcome
        ────────────────────────────────────────────────────────────────────────────────
         p99 improves by 2x         769x faster (95 % 690 to   PASS
                                    813)
         write.p95 regresses less   +30.0 % (95 % +21.0 to     FAIL
         than 10%                   +40.2)
         throughput regresses       -3.0 % (97.5 % -8.0 to     undecided: its interval
         less than 5%               +2.0)                      contains the limit
         results identical          -                          FAIL: <3> rows & "more"
                                                               after 100 %
        "#);
    }

    #[test]
    fn what_was_found_is_said_in_a_line() {
        let words: Vec<String> = sample::gates().iter().map(found).collect();
        insta::assert_snapshot!(words.join("\n"), @r#"
        163 µs
        307 ms -> 399 µs, 769x faster (95 % 690 to 813)
        10.0 ms -> 13.0 ms, +30.0 % (95 % +21.0 to +40.2)
        100/s -> 97.0/s, -3.0 % (97.5 % -8.0 to +2.0), its interval contains the limit
        <3> rows & "more"
        after 100 %
        "#);
        assert_eq!(blocks(&[]), []);
    }
}
