//! A join compares far more pairs of rows than it keeps.

use super::Rule;
use crate::{
    explain::{
        Node, condition,
        diagnose::{Case, Sighting},
        estimates::{sides, underestimated},
        sql,
        words::{count, percent},
    },
    record::{Confidence, Severity},
};

/// Pairs below which comparing them is cheap anyway.
const MIN_PAIRS: f64 = 10_000.0;
/// Shares of the pairs dropped from which it is worth a change, and from which it is the cause of most of the time.
const WARNING_SHARE: f64 = 0.5;
const CRITICAL_SHARE: f64 = 0.9;
/// Factor between planned and real rows from which the estimate is why a join is not hashed.
const FAR_OFF: f64 = 10.0;
/// Share of the time below which it is only good to know.
const MIN_TIME_SHARE: f64 = 0.1;

pub(super) const RULE: Rule = Rule {
    id: "join-filter",
    title: "A join compares far more pairs of rows than it keeps",
    sees: "a join that compared 10 000 pairs and over and dropped over 50 % of them by its Join Filter, critical over 90 %; only good to know where it takes under 10 % of the time. \
           An OR between the pairs' columns is named as the cause",
    why: "A join finds its pairs quickly by an equality: by a hash, by a merge or by an index. What it cannot look up so it checks pair by pair, afterwards. An OR in \
          the condition takes away every quick way, so that every row is compared with every other.",
    advice: "Join by an equality; where it is one, see why it is not hashed: enable_hashjoin, an estimate that is far too low, types without a hash. Split an OR into two joins and put them together by UNION; make ranges equalities by joining on what they have in common.",
    source: "levels as pev2's for filters (https://github.com/dalibo/pev2); OR in joins: https://wiki.postgresql.org/wiki/Don%27t_Do_This",
    shown_by: &["https://postgrespro.com/list/id/587381.1687729675@sss.pgh.pa.us"],
    reads_estimates: false,
    explains: &["nested-loop-blow-up"],
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    case.worth_a_word().filter_map(|(at, node)| sighting(case, at, node)).collect()
}

/// What to do, in a sighting that says nothing else.
fn advised(case: &Case<'_>, at: usize, is_or: bool, condition: &str) -> Sighting {
    let (advice, statements) = match unhashed(case, at, condition).filter(|_| !is_or) {
        Some(unhashed) => unhashed,
        None if is_or => (
            "split the OR: join by each of its conditions for itself and put the rows together by UNION".to_owned(),
            Vec::new(),
        ),
        None => ("join by an equality, so that pairs are looked up instead of tried".to_owned(), Vec::new()),
    };
    Sighting {
        severity: Severity::Info,
        node: Some(at),
        evidence: String::new(),
        at_stake_ms: None,
        advice,
        statements,
        confidence: if is_or { Confidence::High } else { Confidence::Medium },
    }
}

/// What to do where the pairs are compared by an equality, which a hash join would look up: why the planner did not choose one,
/// and the statements that change that. `None` where they are compared by something else.
pub(super) fn unhashed(case: &Case<'_>, at: usize, condition: &str) -> Option<(String, Vec<String>)> {
    let joins = |term: &&str| {
        condition::comparison(term).is_some_and(|compared| {
            compared.operator == "=" && [compared.left, compared.right].into_iter().all(condition::has_columns)
        })
    };
    let equality = condition::terms(condition).into_iter().find(joins)?;
    let off = |name: &str| case.plan.settings.get(name).is_some_and(|value| value == "off");
    let switched_off: Vec<&str> =
        ["enable_hashjoin", "enable_mergejoin"].into_iter().filter(|name| off(name)).collect();
    if switched_off.contains(&"enable_hashjoin") {
        let settings: Vec<String> = switched_off.iter().map(|name| format!("{name} = off")).collect();
        return Some((
            format!(
                "set {} back: {equality} is an equality, which a hash join would look up, and the settings of this plan, {}, keep the planner from it",
                switched_off.join(" and "),
                settings.join(", ")
            ),
            switched_off.iter().map(|name| format!("RESET {name}")).collect(),
        ));
    }
    let far_off = |node: &&Node| underestimated(node) && node.misestimate().is_some_and(|factor| factor >= FAR_OFF);
    let below = case.plan.subtree(at)[1..].iter().filter(far_off).filter(|node| node.relation.is_some());
    Some(match below.max_by(|one, other| one.rows().total_cmp(&other.rows())) {
        Some(scan) => (
            format!(
                "give the planner a better estimate: {equality} is an equality, which a hash join would look up, but it expected {} rows of {} where there were {}; analyze {}",
                count(scan.plan_rows * scan.loops()),
                scan.label(),
                count(scan.rows()),
                scan.relation.as_deref().unwrap_or_default()
            ),
            sql::table(scan).map(|table| format!("ANALYZE {table}")).into_iter().collect(),
        ),
        None => (
            format!(
                "find out why {equality}, an equality, is not hashed: the types of its sides cannot be (compare columns of one type, or cast one side), a hash join \
                 was switched off (SHOW enable_hashjoin), or the planner expected fewer rows than there were"
            ),
            Vec::new(),
        ),
    })
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
        ..advised(case, at, is_or, condition)
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
    use super::super::captured::findings;
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
