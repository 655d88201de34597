//! A subquery that runs once for each row.

use super::not_in;
use crate::{
    advice,
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    plan::Node,
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// How often it runs before that is too often: more than a page of rows.
const MIN_LOOPS: f64 = 100.0;
/// Milliseconds of all its runs below which lookups by an index, or of a table of a few pages, are right as they are.
const FAST_MS: f64 = 10.0;
/// Share of the subquery's time that one scan in it takes to be the place to look at.
const MAIN_SHARE: f64 = 0.5;
/// Share of the rows that it runs for of which at most is kept, so that the others are in vain.
const MOST_KEPT: f64 = 0.1;

pub(crate) const RULE: Rule = Rule {
    id: "correlated-subquery",
    title: "A subquery runs once for each row",
    sees: "a SubPlan that ran 100 times and over and takes 10 % of the time; critical from 40 % where it reads a table of over 1 000 rows or 10 pages whole each \
           time; lookups by an index, or of a smaller table, that take less than 10 ms in all are info",
    why: "A subquery in the output or the condition that names a column of the outer query is run for each of its rows. That is a query for each row, only without the way over \
          the network: right for a page of ten, slow for thousands, and a disaster where each run reads a table whole.",
    advice: "If most of the rows are thrown away after it, choose the rows first and run it for those. Join with the subquery's table, grouped by what it is looked up by, so that it is read once; or give what it looks up an index, if the rows are few.",
    source: "https://www.postgresql.org/docs/current/functions-subquery.html; SubPlan as explain.depesz.com and pgMustard count its loops",
    shown_by: &["https://dev.to/philip_mcclarence_2ef9475/postgresql-subquery-and-cte-optimization-53f4"],
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter"],
    throws_away: false,
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
    let small = scan.node_type == "Seq Scan" && case.is_small(scan);
    let whole = scan.node_type == "Seq Scan" && scan.loops() >= MIN_LOOPS && !small;
    let served = is_served(scan);
    let index = if served || small { None } else { advice::index_for(&case.planned, place) };
    let name = subquery.subplan.as_deref().unwrap_or("a subquery");
    let read = if scan.scans_relation() {
        format!(", and read {} rows in all by {}", count(scan.rows_read()), scan.label())
    } else {
        String::new()
    };
    let join = match kept(case, outer, subquery.loops()) {
        Some(kept) => format!(
            "only {} of these rows are kept: choose them first, in a subquery with the ORDER BY, LIMIT or condition, and run this one for them alone",
            count(kept)
        ),
        None => "join with what it looks up, grouped by its key, so that that is read once".to_owned(),
    };
    Some(Sighting {
        severity: match whole {
            true => severity,
            false if (served || small) && ms < FAST_MS => Severity::Info,
            false => Severity::Warning,
        },
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
            None => join,
        },
        statements: index.map(|index| index.statement).into_iter().collect(),
        confidence: Confidence::Medium,
    })
}

/// Rows that are left of those that a subquery ran for, if what is above throws nearly all of them away: a sort, a limit or a condition,
/// but nothing that makes other rows of them.
fn kept(case: &Case<'_>, outer: &Node, ran: f64) -> Option<f64> {
    let passes = ["Sort", "Limit", "Subquery Scan", "Result", "Gather", "Gather Merge", "Unique", "LockRows"];
    // What it returns decides which rows are kept: it has to run for all of them.
    let decides = |node: &Node| node.conditions.sort_key.iter().any(|key| key.contains("SubPlan"));
    let mut rows = outer.rows();
    let mut node = outer;
    while let Some(above) = case.plan.parent(node).filter(|_| !node.is_subplan())
        && passes.contains(&above.node_type.as_str())
    {
        if decides(above) {
            return None;
        }
        rows = rows.min(above.rows());
        node = above;
    }
    (rows <= MOST_KEPT * ran).then_some(rows)
}

/// Whether an index finds exactly the rows it returns.
fn is_served(scan: &Node) -> bool {
    let by_index = scan.conditions.index.is_some() || scan.conditions.recheck.is_some();
    by_index && scan.conditions.filter.is_none() && scan.removed.sum() == 0.0
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
    use crate::findings::plan::captured::{findings, findings_of_text};
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

    /// What is told of a subquery that ran 800 times, so long each, by this scan.
    fn told(scan: &str, ms: f64) -> Vec<(String, Severity, usize)> {
        let found = findings_of_text(&format!(
            "Seq Scan on orders o  (cost=0.4..900.00 rows=800 width=80) (actual time=0.05..{} rows=800 loops=1)
  SubPlan 1
    ->  {}
Execution Time: {} ms",
            800.0 * ms + 1.0,
            scan.replace(
                "TIME",
                &format!("(cost=0.00..1.25 rows=1 width=8) (actual time=0.002..{ms} rows=1 loops=800)")
            ),
            800.0 * ms + 1.1
        ));
        found.into_iter().map(|finding| (finding.rule, finding.severity, finding.statements.len())).collect()
    }

    #[test]
    fn an_index_that_is_used_is_not_advised() {
        let used = "Index Only Scan using lines_order_id_idx on lines l  TIME\n          Index Cond: (order_id = o.id)";
        assert_eq!(told(used, 0.005), [("correlated-subquery".into(), Severity::Info, 0)]);
        assert_eq!(told(used, 0.5), [("correlated-subquery".into(), Severity::Warning, 0)]);
        let filtered = format!("{used}\n          Filter: (kind = 3)\n          Rows Removed by Filter: 90");
        // As bad as what it stands for: the rows that the index finds for nothing.
        assert_eq!(told(&filtered, 0.5), [("correlated-subquery".into(), Severity::Critical, 1)]);
    }

    #[test]
    fn a_table_of_a_page_needs_no_index() {
        let of = |removed: u32, ms| {
            told(
                &format!(
                    "Seq Scan on status s  TIME\n          Filter: (id = o.status_id)\n          Rows Removed by Filter: {removed}"
                ),
                ms,
            )
        };
        assert_eq!(of(19, 0.005), [("correlated-subquery".into(), Severity::Info, 0)]);
        assert_eq!(of(19, 0.05), [("correlated-subquery".into(), Severity::Warning, 0)]);
        assert_eq!(of(1900, 0.05), [("correlated-subquery".into(), Severity::Critical, 1)]);
    }

    #[test]
    fn a_page_of_ten_is_fine() {
        assert!(findings("healthy_subquery", 15).iter().all(|finding| finding.rule != "correlated-subquery"));
    }
}
