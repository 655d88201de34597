//! A subquery that runs once for each row.

use super::{Rule, not_in};
use crate::{
    explain::{
        Node, advice,
        diagnose::{Case, Sighting},
        words::{count, percent},
    },
    record::{Confidence, Severity},
};

/// How often it runs before that is too often: more than a page of rows.
const MIN_LOOPS: f64 = 100.0;
/// Share of the subquery's time that one scan in it takes to be the place to look at.
const MAIN_SHARE: f64 = 0.5;

pub(super) const RULE: Rule = Rule {
    id: "correlated-subquery",
    title: "A subquery runs once for each row",
    sees: "a SubPlan that ran 100 times and over and takes 10 % of the time; critical from 40 % where it reads a table whole each time",
    why: "A subquery in the output or the condition that names a column of the outer query is run for each of its rows. That is a query for each row, only without the way over \
          the network: right for a page of ten, slow for thousands, and a disaster where each run reads a table whole.",
    advice: "Join with the subquery's table, grouped by what it is looked up by, so that it is read once; or give what it looks up an index, if the rows are few.",
    source: "https://www.postgresql.org/docs/current/functions-subquery.html; SubPlan as explain.depesz.com and pgMustard count its loops",
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter"],
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    let subplans =
        nodes.filter(|(_, node)| node.relationship.as_deref() == Some("SubPlan") && node.loops() >= MIN_LOOPS);
    subplans.filter_map(|(at, node)| sighting(case, at, node)).collect()
}

fn sighting(case: &Case<'_>, at: usize, subquery: &Node) -> Option<Sighting> {
    let outer = case.plan.parent(subquery)?;
    if not_in::is_repeated(outer, subquery) {
        return None;
    }
    let ms = subquery.total_ms?;
    let severity = case.by_share(Some(ms));
    if severity == Severity::Info {
        return None;
    }
    let place = main_scan(case, at, ms).unwrap_or(at);
    let scan = &case.plan.nodes()[place];
    let whole = scan.node_type == "Seq Scan" && scan.loops() >= MIN_LOOPS;
    let index = advice::index_for(case, place);
    let name = subquery.subplan.as_deref().unwrap_or("a subquery");
    let read = if scan.scans_relation() {
        format!(", and read {} rows in all by {}", count(scan.rows_read()), scan.label())
    } else {
        String::new()
    };
    let join = "join with what it looks up, grouped by its key, so that that is read once";
    Some(Sighting {
        severity: if whole { severity } else { Severity::Warning },
        node: Some(place),
        evidence: format!(
            "{name} ran {} times, once for each row of {}{read}, {} of the time",
            count(subquery.loops()),
            outer.label(),
            percent(case.share(ms)?)
        ),
        at_stake_ms: Some(ms * (1.0 - 1.0 / subquery.loops())),
        advice: match &index {
            Some(index) => format!("{join}; or {}", index.why),
            None => join.to_owned(),
        },
        statements: index.map(|index| index.statement).into_iter().collect(),
        confidence: Confidence::Medium,
    })
}

/// The scan that takes most of the subquery's time.
fn main_scan(case: &Case<'_>, at: usize, ms: f64) -> Option<usize> {
    let mut below = at..at + case.plan.subtree(at).len();
    below.rfind(|place| {
        let node = &case.plan.nodes()[*place];
        node.scans_relation() && node.own_ms.is_some_and(|own| own >= MAIN_SHARE * ms)
    })
}

#[cfg(test)]
mod tests {
    use super::super::captured::findings;
    use crate::record::Severity;

    #[test]
    fn a_subquery_for_each_row_is_told_at_what_it_reads() {
        let findings = findings("correlated_subquery", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("correlated-subquery", Severity::Critical));
        assert!(top.path.ends_with("Seq Scan on payments"), "{}", top.path);
        insta::assert_snapshot!(top.evidence, @"SubPlan 1 ran 2 000 times, once for each row of Seq Scan on contracts, and read 8 000 000 rows in all by Seq Scan on payments, 98.8 % of the time");
        assert!(findings.iter().all(|finding| finding.rule != "seq-scan-filter"));
    }

    #[test]
    fn a_page_of_ten_is_fine() {
        assert!(findings("healthy_subquery", 15).iter().all(|finding| finding.rule != "correlated-subquery"));
    }
}
