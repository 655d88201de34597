//! Fewer workers ran than were planned.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    record::{Confidence, Severity},
    text::rounded as count,
};

pub(crate) const RULE: Rule = Rule {
    id: "workers-short",
    title: "Fewer workers ran than were planned",
    sees: "a Gather whose launched workers are fewer than planned; always info",
    why: "The plan was chosen for more processes than it got: under load all sessions share the workers of the server (`max_parallel_workers`, \
          8 by default). What was to be fast by workers is then as slow as without, just when the server is busy.",
    advice: "Raise `max_parallel_workers` (and `max_worker_processes`) where there are processors for it; otherwise count on this statement running without workers.",
    source: "https://www.postgresql.org/docs/current/when-can-parallel-query-be-used.html",
    shown_by: &["https://dba.stackexchange.com/questions/328375/random-page-cost-and-memoize-plan-relation"],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for (at, node) in case.plan.nodes().iter().enumerate().filter(|(_, node)| !node.never_executed()) {
        let (Some(planned), Some(launched)) = (node.workers_planned, node.workers_launched) else { continue };
        // Each of several loops asks for its workers; what is printed is their sum.
        if launched as f64 >= planned as f64 * node.loops().max(1.0) {
            continue;
        }
        seen.push(Sighting {
            severity: Severity::Info,
            node: Some(at),
            evidence: format!(
                "{} got {} of {} workers planned",
                node.label(),
                count(launched as f64),
                count(planned as f64)
            ),
            at_stake_ms: None,
            advice: "see whether max_parallel_workers leaves enough workers when the server is busy".to_owned(),
            statements: Vec::new(),
            confidence: Confidence::Low,
        });
    }
    seen
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::findings;

    #[test]
    fn workers_that_did_not_come_are_told() {
        let findings = findings("workers_short", 15);
        let found = findings.iter().find(|finding| finding.rule == "workers-short").unwrap();
        insta::assert_snapshot!(found.evidence, @"Gather got 0 of 2 workers planned");
    }

    #[test]
    fn all_workers_is_fine() {
        assert!(findings("healthy_workers", 15).iter().all(|finding| finding.rule != "workers-short"));
    }
}
