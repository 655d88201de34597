//! A cache of lookups that hardly answers any.

use crate::{
    findings::{
        case::{Case, Sighting},
        memory::{Memory, work_mem},
        rule::Rule,
    },
    plan::Node,
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// Lookups below which it does not matter.
const MIN_LOOKUPS: f64 = 1000.0;
/// Bytes of an entry beside its row, twice the row's head: the entry has a key and a row.
const ENTRY_BYTES: f64 = 128.0;

pub(crate) const RULE: Rule = Rule {
    id: "memoize-thrash",
    title: "A cache of lookups that hardly answers any",
    sees: "a Memoize over 1000 lookups and more that missed more often than it hit, with entries evicted or rows that did not fit; a warning where it and the lookups it lost take 10 % of the time",
    why: "Memoize keeps the result of each lookup so that the same one need not be done again. Where nearly every lookup is a new one, or the cache is too small to \
          keep one until it is asked for again, all that work is for nothing. The planner chose it since it expected fewer different values.",
    advice: "Correct the number of distinct values that the planner expects (ANALYZE, `ALTER TABLE ... ALTER ... SET (n_distinct = ...)`), or raise `work_mem` so that they fit.",
    source: "https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-ENABLE-MEMOIZE",
    shown_by: &["https://dba.stackexchange.com/questions/328375/random-page-cost-and-memoize-plan-relation"],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    nodes.filter_map(|(at, node)| sighting(case, at, node)).collect()
}

fn sighting(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let cache = node.cache?;
    let lookups = cache.hits + cache.misses;
    if lookups < MIN_LOOKUPS || cache.misses <= cache.hits || cache.evictions + cache.overflows == 0.0 {
        return None;
    }
    let lost = ((cache.evictions + cache.overflows) / lookups).min(1.0);
    let at_stake_ms = at_stake(node, lost);
    let key = node.conditions.cache_key.as_deref().unwrap_or("its key");
    let Memory { advice, .. } = work_mem(case.plan, cache.misses * (node.plan_width + ENTRY_BYTES), "look up");
    Some(Sighting {
        severity: case.by_share(at_stake_ms).min(Severity::Warning),
        node: Some(at),
        evidence: format!(
            "Memoize on {key} answered {} of {} lookups ({}) and evicted the rows of {}{}",
            count(cache.hits),
            count(lookups),
            percent(cache.hits / lookups),
            count(cache.evictions),
            case.cost(None, at_stake_ms)
        ),
        at_stake_ms,
        advice: format!(
            "correct the number of distinct values expected of {key}: analyze its table, and reset an n_distinct set by hand; or {advice}"
        ),
        statements: Vec::new(),
        confidence: Confidence::Medium,
    })
}

/// Time of the cache itself and of the share of the lookups below it whose rows it lost, in ms. Its own time alone is little more than
/// rounding: a plan tells times in µs an execution, and a lookup takes few.
fn at_stake(node: &Node, lost: f64) -> Option<f64> {
    let own = node.own_ms?;
    Some(own + (node.total_ms? - own) * lost)
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::findings;
    use crate::record::Severity;

    #[test]
    fn a_cache_that_evicts_what_it_is_asked_for_is_told() {
        let findings = findings("memoize_thrash", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("memoize-thrash", Severity::Warning));
        insta::assert_snapshot!(top.evidence, @"Memoize on l.page_id answered 0 of 90 000 lookups (0 %) and evicted the rows of 88 253, 86 % of the time");
    }

    #[test]
    fn a_cache_that_answers_is_fine() {
        assert!(findings("healthy_memoize", 15).iter().all(|finding| finding.rule != "memoize-thrash"));
    }
}
