//! Where the time goes.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    record::{Confidence, Severity},
    text::part as percent,
};

/// Shares of the time from which a step is told, is most of it, and is nearly all.
const TOLD_SHARE: f64 = 0.1;
const MOST_SHARE: f64 = 0.4;
const NEARLY_ALL_SHARE: f64 = 0.9;

/// Left out where another rule says why.
pub(crate) const ID: &str = "hot-node";

pub(crate) const RULE: Rule = Rule {
    id: ID,
    title: "Where the time goes",
    sees: "the node that takes most time itself, its children's left out, from 10 % of the statement's time; worded by 40 and 90 %; always info, and left out \
           where another rule says something of that node",
    why: "It is not wrong: some step has to take most of the time. It says where to look first where no other rule found a cause.",
    advice: "Ask whether this step has to work on so many rows.",
    source: "levels as pev2's: https://github.com/dalibo/pev2",
    shown_by: &[],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    let timed = nodes.filter_map(|(at, node)| Some((at, node, node.own_ms?)));
    let Some((at, node, ms)) = timed.max_by(|one, other| one.2.total_cmp(&other.2)) else { return Vec::new() };
    let Some(share) = case.share(ms).filter(|share| *share >= TOLD_SHARE) else { return Vec::new() };
    let much = match share {
        share if share >= NEARLY_ALL_SHARE => "nearly all of the time",
        share if share >= MOST_SHARE => "most of the time",
        _ => "more than any other step",
    };
    let took = if ms < 1.0 { format!("{ms:.2}") } else { format!("{ms:.1}") };
    vec![Sighting {
        severity: Severity::Info,
        node: Some(at),
        evidence: format!("{} took {took} ms itself, {}: {much}", node.label(), percent(share)),
        at_stake_ms: Some(ms),
        advice: "look here first: ask whether this step has to work on so many rows".to_owned(),
        statements: Vec::new(),
        confidence: Confidence::Low,
    }]
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::findings;
    use crate::record::Severity;

    #[test]
    fn where_no_rule_says_why_it_says_where() {
        let findings = findings("healthy_hash_join", 15);
        assert_eq!((findings[0].rule.as_str(), findings[0].severity), (super::ID, Severity::Info));
        insta::assert_snapshot!(findings[0].evidence, @"Seq Scan on purchases took 39.8 ms itself, 33 %: more than any other step");
    }

    #[test]
    fn where_a_rule_says_why_it_is_left_out() {
        assert!(findings("missing_index", 15).iter().all(|finding| finding.rule != super::ID));
    }
}
