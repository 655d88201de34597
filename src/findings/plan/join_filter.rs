//! A join compares far more pairs of rows than it keeps.

use crate::{
    findings::{
        case::{Case, Sighting},
        equality::unhashed,
        estimates::sides,
        rule::Rule,
    },
    plan::Node,
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// Pairs below which comparing them is cheap anyway.
const MIN_PAIRS: f64 = 10_000.0;
/// Shares of the pairs dropped from which it is worth a change, and from which it is the cause of most of the time.
const WARNING_SHARE: f64 = 0.5;
const CRITICAL_SHARE: f64 = 0.9;
/// Share of the time below which it is only good to know.
const MIN_TIME_SHARE: f64 = 0.1;

pub(crate) const RULE: Rule = Rule {
    id: "join-filter",
    title: "A join compares far more pairs of rows than it keeps",
    sees: "a join that compared 10 000 pairs and over and dropped over 50 % of them by its Join Filter, critical over 90 %; info where it takes under 10 % of the time. \
           An OR between the pairs' columns is named as the cause, or why an equality was not hashed: estimates, settings, types",
    why: "A join finds its pairs quickly by an equality: by a hash, by a merge or by an index. What it cannot look up so it checks pair by pair, afterwards. An OR in \
          the condition takes away every quick way, so that every row is compared with every other.",
    advice: "Join by an equality; where it is one, see why it is not hashed: enable_hashjoin, an estimate that is far too low, types without a hash. Split an OR into two joins and put them together by UNION; make ranges equalities by joining on what they have in common.",
    source: "levels as pev2's for filters (https://github.com/dalibo/pev2); OR in joins: https://wiki.postgresql.org/wiki/Don%27t_Do_This",
    shown_by: &[
        "https://postgrespro.com/list/id/17545-a0ca4de888953169@postgresql.org",
        "https://postgrespro.com/list/id/587381.1687729675@sss.pgh.pa.us",
    ],
    reads_estimates: false,
    explains: &["nested-loop-blow-up"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    case.worth_a_word().filter_map(|(at, node)| sighting(case, at, node)).collect()
}

fn sighting(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let condition = node.conditions.join_filter.as_deref()?;
    let dropped = node.removed.join_filter * node.loops();
    let pairs = dropped + node.rows();
    let share = dropped / pairs;
    if pairs < MIN_PAIRS || share <= WARNING_SHARE {
        return None;
    }
    let is_or = condition.contains(" OR ");
    let ms = node.own_ms.map(|ms| ms + if is_or { repeated_ms(case, node) } else { 0.0 });
    let severity = match ms.and_then(|ms| case.share(ms)) {
        Some(of_time) if of_time < MIN_TIME_SHARE => Severity::Info,
        _ if share > CRITICAL_SHARE => Severity::Critical,
        _ => Severity::Warning,
    };
    let unhashed = unhashed(case, node).filter(|_| !is_or);
    let statements = unhashed.as_ref().map(|unhashed| unhashed.statements.clone()).unwrap_or_default();
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "{} compared {} pairs of rows by {condition} to keep {} ({} dropped){}",
            node.label(),
            count(pairs),
            count(node.rows()),
            percent(share),
            case.cost(None, ms)
        ),
        at_stake_ms: ms.map(|ms| ms * share),
        advice: if is_or {
            "split the OR: join by each of its conditions for itself and put the rows together by UNION".to_owned()
        } else {
            match unhashed {
                Some(unhashed) => unhashed.why,
                None => "join by an equality, so that pairs are looked up instead of tried".to_owned(),
            }
        },
        statements,
        confidence: if is_or { Confidence::High } else { Confidence::Medium },
    })
}

/// Milliseconds that a nested loop took to read again and again what it keeps of its inner side.
fn repeated_ms(case: &Case<'_>, join: &Node) -> f64 {
    let inner =
        sides(case.plan, join).filter(|_| join.node_type == "Nested Loop").map(|(_, inner)| &case.plan.nodes()[inner]);
    inner.and_then(|inner| inner.own_ms).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::findings;
    use crate::record::Severity;

    #[test]
    fn an_or_between_the_sides_is_the_cause() {
        let findings = findings("or_in_a_join", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("join-filter", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"Nested Loop compared 4 000 000 pairs of rows by ((t.sender = w.account) OR (t.receiver = w.account)) to keep 3 978 (99.90 % dropped), 98.5 % of the time");
        assert!(top.advice.contains("UNION"));
        assert!(findings.iter().all(|finding| finding.rule != "nested-loop-blow-up"));
    }

    #[test]
    fn joins_by_an_equality_drop_nothing() {
        for healthy in ["healthy_hash_join", "healthy_nested_loop", "healthy_not_exists"] {
            assert!(findings(healthy, 15).iter().all(|finding| finding.rule != "join-filter"), "{healthy}");
        }
    }
}
