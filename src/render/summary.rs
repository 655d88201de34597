//! A comparison, or a failure, as a short part of a CI job's page, in Markdown.

use super::{
    ci_report::CiReport,
    comparison::headline,
    document::{Block, Document},
    findings::changes_line,
    gates,
    markdown::markdown,
    price::price_line,
};
use crate::{
    compare::{Comparison, Side},
    record::{Outcome, Warning},
};

/// What failed; what changed, the verdict, the price, the findings, what came of the gates, and the notes. `folder` holds everything else, where
/// something was saved. Ends with a line end.
pub fn summary(report: &CiReport<'_>, folder: Option<&str>) -> String {
    let mut blocks = Vec::new();
    if let Some(failure) = &report.failure {
        blocks.push(Block::Heading(format!("{}: {failure}", report.name(' '))));
    }
    match report.comparison {
        Some(comparison) => blocks.extend(compared(comparison)),
        None => blocks.push(Block::Paragraph("Nothing was compared, and no gate was decided.".into())),
    }
    blocks.extend(folder.map(|folder| {
        Block::Paragraph(match report.comparison {
            Some(_) => format!("Tables, plans and histograms are in {folder}; start with comparison.md."),
            None => format!("The results are in {folder}."),
        })
    }));
    format!("{}\n", markdown(&Document { blocks }))
}

fn compared(comparison: &Comparison) -> Vec<Block> {
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
    let findings = comparison.findings.as_deref().and_then(changes_line);
    blocks.extend(findings.map(Block::Paragraph));
    blocks.extend(gates::blocks(all));
    let notes = notes(comparison);
    if !notes.is_empty() {
        blocks.extend([Block::Heading("Notes".into()), Block::List(notes)]);
    }
    blocks
}

/// Those on the comparison, then each side's warnings. What is to be done about them is in comparison.md.
fn notes(comparison: &Comparison) -> Vec<String> {
    let words = |Warning { id, message, .. }: &Warning| format!("{id}: {message}");
    let of_side = |phase: &'static str, side: &Side| {
        side.warnings.iter().map(|warning| format!("{phase}, {}", words(warning))).collect::<Vec<_>>()
    };
    let mut notes: Vec<String> = comparison.notes.iter().map(words).collect();
    notes.extend(of_side("before", &comparison.sides.before));
    notes.extend(of_side("after", &comparison.sides.after));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::sample, render::comparison::tests::compared as sample_comparison};

    #[test]
    fn the_summary_is_short_and_says_what_came_of_the_gates() {
        let mut comparison = sample_comparison();
        comparison.gates = gates::sample::gates();
        insta::assert_snapshot!(summary(&CiReport::compared(&comparison), Some("reports/events/20261121T012345Z-run")), @r#"
        ## p99 307 ms -> 399 µs, 770x faster

        Scenario events, fix: index on (user\_id, created\_at). Verdict: inconclusive; gates: 2 failed, 1 undecided, 2 passed.

        Findings: 1 gone (critical seq-scan-filter of latest\_of\_user).

        ## Thresholds

        | threshold | before | after | outcome after |
        | --- | ---: | ---: | --- |
        | latest:p(95)&lt;50ms | 190 ms | 163 µs | PASS |

        ## Gates

        | gate | change | outcome |
        | --- | --- | --- |
        | p99 improves by 2x | 769x faster (95 % 690 to 813) | PASS |
        | write.p95 regresses less than 10% | +30.0 % (95 % +21.0 to +40.2) | FAIL |
        | throughput regresses less than 5% | -3.0 % (97.5 % -8.0 to +2.0) | undecided: its interval contains the limit |
        | results identical | - | FAIL: &lt;3> rows & "more" after 100 % |

        ## Notes

        - measured-once: each side was measured once, so drift of the machine is not ruled out and there is no verdict
        - no-histogram: latency.hlog is missing in reports/events/20261121T012345Z-before and in reports/events/20261121T012345Z-after, so percentiles have no interval and cannot be verified

        Tables, plans and histograms are in reports/events/20261121T012345Z-run; start with comparison.md.
        "#);
        comparison.gates.clear();
        comparison.price = sample::full().price;
        assert!(summary(&CiReport::compared(&comparison), Some("r")).contains("The fix costs 31.0 MB, "));
        assert!(summary(&CiReport::compared(&comparison), Some("r")).contains("; no gates."));
    }

    #[test]
    fn a_failure_is_the_first_line() {
        let mut comparison = sample_comparison();
        comparison.sides.after.interrupted = true;
        comparison.sides.after.warnings = sample::full().warnings;
        let early = summary(&CiReport::compared(&comparison), None);
        assert!(early.starts_with("## latclinic events: the measurement after ended early\n\n## p99 "), "{early}");
        let warning = &comparison.sides.after.warnings[0];
        assert!(early.contains(&format!("\n- after, {}: ", warning.id)), "{early}");
        insta::assert_snapshot!(summary(&CiReport::failed(None, "cannot connect"), Some("out")), @"
        ## latclinic: cannot connect

        Nothing was compared, and no gate was decided.

        The results are in out.
        ");
    }
}
