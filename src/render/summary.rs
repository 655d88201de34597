//! A comparison as a short part of a CI job's page, in Markdown.

use super::{
    comparison::headline,
    document::{Block, Document},
    gates,
    markdown::markdown,
    price::price_line,
};
use crate::{compare::Comparison, record::Outcome};

/// What changed, the verdict, the price, and what came of the gates; `report` is the folder that holds everything else. Ends with a line
/// end.
pub fn summary(comparison: &Comparison, report: &str) -> String {
    let all = &comparison.gates;
    let counted = |outcome| match gates::count(all, outcome) {
        0 => None,
        count => Some(format!("{count} {}", gates::outcome_name(outcome))),
    };
    let outcomes: Vec<String> =
        [Outcome::Failed, Outcome::Undecided, Outcome::Passed].into_iter().filter_map(counted).collect();
    let outcomes = if outcomes.is_empty() { "no gates".to_owned() } else { format!("gates: {}", outcomes.join(", ")) };
    let mut blocks = vec![
        Block::Heading(headline(comparison)),
        Block::Paragraph(format!(
            "Scenario {}, fix: {}. Verdict: {}; {outcomes}.",
            comparison.scenario,
            comparison.fix,
            comparison.verdict.as_str()
        )),
    ];
    blocks.extend(comparison.price.as_ref().map(|price| Block::Paragraph(format!("The fix {}.", price_line(price)))));
    blocks.extend(gates::blocks(all));
    blocks.push(Block::Paragraph(format!(
        "Tables, plans, histograms and notes are in {report}, in comparison.md first."
    )));
    format!("{}\n", markdown(&Document { blocks }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::sample, render::comparison::tests::compared};

    #[test]
    fn the_summary_is_short_and_says_what_came_of_the_gates() {
        let mut comparison = compared();
        comparison.gates = gates::sample::gates();
        insta::assert_snapshot!(summary(&comparison, "reports/events/20261121T012345Z-run"), @r#"
        ## p99 307 ms -> 399 µs, 770x faster

        Scenario events, fix: index on (user\_id, created\_at). Verdict: inconclusive; gates: 2 failed, 1 undecided, 2 passed.

        ## Thresholds

        | threshold | before | after | outcome after |
        | --- | ---: | ---: | --- |
        | latest:p(95)&lt;50ms | 190 ms | 163 µs | PASS |

        ## Gates

        | gate | change | outcome |
        | --- | --- | --- |
        | p99 improves by 2x | 769x faster (95 % 690 to 813) | PASS |
        | write.p95 regresses less than 10% | +30.0 % (95 % +21.0 to +40.2) | FAIL |
        | throughput regresses less than 5% | -3.0 % (97.5 % -8.0 to +2.0) | undecided: its interval lies on both sides of the limit |
        | results identical | - | FAIL: &lt;3> rows & "more" after 100 % |

        Tables, plans, histograms and notes are in reports/events/20261121T012345Z-run, in comparison.md first.
        "#);
        comparison.gates.clear();
        comparison.price = sample::full().price;
        assert!(summary(&comparison, "r").contains("The fix costs 31.0 MB, "));
        assert!(summary(&comparison, "r").contains("; no gates."));
    }
}
