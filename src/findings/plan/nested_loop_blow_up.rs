//! The inner side of a nested loop runs far too often.

use super::misestimate;
use crate::{
    advice,
    findings::{
        case::{Case, Sighting},
        equality::{Unhashed, unhashed},
        estimates::{Cause, Origin, sides, underestimated},
        rule::Rule,
    },
    plan::Node,
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// How often a table is read whole before that is too often.
const MIN_LOOPS: f64 = 1000.0;
/// Rows read so, or pairs compared, below which that is cheap anyway.
const MIN_ROWS: f64 = 10_000.0;
/// Planned rows and cost below which a table is one of a few pages: 1 000 rows in 10 pages cost 20.
const SMALL_ROWS: f64 = 1000.0;
const SMALL_COST: f64 = 20.0;
/// Factor between the planned and the real rows of the outer side.
const BLOWN_UP: f64 = 10.0;
const MIN_OUTER_ROWS: f64 = 100.0;

pub(crate) const RULE: Rule = Rule {
    id: "nested-loop-blow-up",
    title: "A nested loop runs its inner side far too often",
    sees: "a Nested Loop whose inner side reads a table of over 1 000 rows or 10 pages whole 1000 times and over, or compares 100 000 pairs so (from the estimates alone where the plan was not executed), or \
           whose outer side returned 10 times the planned rows and over; from 10 % of the time, critical from 40 %. Where it is known why the estimate is off, \
           the output names that cause instead",
    why: "A nested loop runs its inner side once for each row of its outer side. That is right for a handful of rows and an index to find each. Where the rows are \
          thousands, or the inner side is a whole table, the work is one times the other.",
    advice: "Give the inner side an index on what it is joined by; or where the planner expected far fewer outer rows, a better estimate, so that it joins by a hash.",
    source: "https://pganalyze.com/docs/explain/insights; how PostgreSQL joins: https://www.postgresql.org/docs/current/planner-optimizer.html",
    shown_by: &["https://www.cybertec-postgresql.com/en/exploding-runtime-how-nested-loops-can-destroy-speed/"],
    reads_estimates: true,
    explains: &["seq-scan-filter", "join-filter"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let origins = case.origins();
    let nodes = case.plan.nodes().iter().enumerate();
    let loops = nodes.filter(|(_, node)| node.node_type == "Nested Loop" && !node.never_executed());
    loops
        .filter_map(|(at, node)| {
            let (outer, inner) = sides(case.plan, node)?;
            if !case.plan.is_analyzed() {
                return planned(case, outer, inner);
            }
            let of_this = |origin: &&Origin<'_>| origin.harm.is_some_and(|harm| harm.at == at);
            let mut of_this = origins.iter().filter(of_this);
            if of_this.any(|origin| origin.severity() > Severity::Info && case.cause(origin) != Cause::Unknown) {
                return None;
            }
            whole_table(case, outer, inner)
                .or_else(|| every_pair(case, at, outer, inner))
                .or_else(|| blown_up(case, at, outer, inner, &origins))
        })
        .collect()
}

/// A table that is read whole for each row of the outer side.
fn whole_table(case: &Case<'_>, outer: usize, inner: usize) -> Option<Sighting> {
    let nodes = case.plan.nodes();
    let below = inner..inner + case.plan.subtree(inner).len();
    let scans = below.filter(|at| nodes[*at].node_type == "Seq Scan" && nodes[*at].loops() >= MIN_LOOPS);
    let nearest = scans.filter(|at| runs_for(case, *at) == Some(inner));
    let at = nearest
        .max_by(|one, other| nodes[*one].own_ms.unwrap_or(0.0).total_cmp(&nodes[*other].own_ms.unwrap_or(0.0)))?;
    let scan = &nodes[at];
    let (severity, share) = severity(case, scan.own_ms)?;
    if scan.rows_read() < MIN_ROWS || case.is_small(scan) {
        return None;
    }
    let index = advice::index_for(&case.planned, at);
    let join = nodes[inner].parent.map(|join| &nodes[join]);
    let unhashed = join.filter(|_| index.is_none()).and_then(|join| unhashed(case, join));
    let is_sure = index.is_some();
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "{} ran {} times, once for each row of {}, and read {} rows in all to keep {}, {} of the time",
            scan.label(),
            count(scan.loops()),
            source(case, outer),
            count(scan.rows_read()),
            count(scan.rows()),
            percent(share)
        ),
        at_stake_ms: scan.own_ms.map(|ms| ms * (1.0 - 1.0 / scan.loops())),
        advice: match (&index, &unhashed) {
            (Some(index), _) => index.why.clone(),
            (None, Some(unhashed)) => unhashed.why.clone(),
            (None, None) => format!(
                "give {} an index on what it is joined by, or join by an equality, which can be hashed",
                scan.relation.as_deref().unwrap_or("the inner table")
            ),
        },
        confidence: if is_sure { Confidence::High } else { Confidence::Medium },
        statements: match (index, unhashed) {
            (Some(index), _) => index.statements(),
            (None, unhashed) => unhashed.map(|unhashed| unhashed.statements).unwrap_or_default(),
        },
    })
}

/// Each row of one side compared with each row of the other, which is kept in memory.
fn every_pair(case: &Case<'_>, at: usize, outer: usize, inner: usize) -> Option<Sighting> {
    let nodes = case.plan.nodes();
    let (join, kept) = (&nodes[at], &nodes[inner]);
    let condition = join.conditions.join_filter.as_deref().filter(|condition| !condition.contains(" OR "))?;
    let pairs = kept.rows();
    if kept.node_type != "Materialize" || kept.loops() < MIN_LOOPS || pairs < MIN_ROWS * BLOWN_UP {
        return None;
    }
    let ms = join.own_ms? + kept.own_ms?;
    let (severity, share) = severity(case, Some(ms))?;
    let Unhashed { why, statements } = unhashed(case, join).unwrap_or_else(|| Unhashed {
        why: "join by an equality, which can be hashed, or give one side an index that serves the condition".to_owned(),
        statements: Vec::new(),
    });
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "Nested Loop compared each row of {} with each of {}, {} pairs for {} rows, by {condition}, {} of the time",
            source(case, outer),
            source(case, inner),
            count(pairs),
            count(join.rows()),
            percent(share)
        ),
        at_stake_ms: Some(ms),
        advice: why,
        statements,
        confidence: Confidence::Medium,
    })
}

/// Far more rows on the outer side than it was chosen for.
fn blown_up<'a>(case: &Case<'a>, at: usize, outer: usize, inner: usize, origins: &[Origin<'a>]) -> Option<Sighting> {
    let nodes = case.plan.nodes();
    let (join, rows) = (&nodes[at], &nodes[outer]);
    let factor = rows.misestimate()?;
    if factor < BLOWN_UP || !underestimated(rows) || rows.rows() < MIN_OUTER_ROWS {
        return None;
    }
    let ms = (nodes[inner].total_ms? + join.own_ms?) * (1.0 - 1.0 / factor);
    let (severity, share) = severity(case, Some(ms))?;
    let below = outer..outer + case.plan.subtree(outer).len();
    let origin = origins.iter().find(|origin| below.contains(&origin.at));
    let wrong = origin
        .filter(|origin| origin.at != outer)
        .map(|origin| format!("; the estimate goes wrong where {}", origin.evidence()));
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "Nested Loop ran its inner side, {}, {} times where {} {} planned: {} returned {} times the rows expected{}; {} of the time",
            source(case, inner),
            count(rows.rows()),
            count(rows.plan_rows * rows.loops()),
            if rows.plan_rows * rows.loops() == 1.0 { "was" } else { "were" },
            source(case, outer),
            count(factor),
            wrong.unwrap_or_default(),
            percent(share)
        ),
        at_stake_ms: Some(ms),
        advice: format!(
            "give the planner a better estimate, with which it would join another way: {}",
            origin.map_or_else(|| "analyze the tables of the outer side".to_owned(), misestimate::unknown)
        ),
        statements: Vec::new(),
        confidence: Confidence::Medium,
    })
}

/// By the estimates alone: a table read whole for each row of the outer side.
fn planned(case: &Case<'_>, outer: usize, inner: usize) -> Option<Sighting> {
    let nodes = case.plan.nodes();
    let (rows, scan) = (nodes[outer].plan_rows, &nodes[inner]);
    // What it reads is not told of a scan with a filter: by its cost.
    let is_small = scan.plan_rows < SMALL_ROWS && scan.total_cost.is_some_and(|cost| cost < SMALL_COST);
    if scan.node_type != "Seq Scan" || rows < MIN_LOOPS || is_small {
        return None;
    }
    let index = advice::index_for(&case.planned, inner);
    Some(Sighting {
        severity: Severity::Warning,
        node: Some(inner),
        evidence: format!(
            "{} is to run {} times, once for each row of {}, by the planner's estimates",
            scan.label(),
            count(rows),
            source(case, outer)
        ),
        at_stake_ms: None,
        advice: match &index {
            Some(index) => index.why.clone(),
            None => "give the inner table an index on what it is joined by".to_owned(),
        },
        statements: index.map(advice::IndexAdvice::statements).unwrap_or_default(),
        confidence: Confidence::Low,
    })
}

fn severity(case: &Case<'_>, ms: Option<f64>) -> Option<(Severity, f64)> {
    let severity = case.by_share(ms);
    (severity > Severity::Info).then_some((severity, case.share(ms?)?))
}

/// Inner side of the nested loop that makes the node at `at` run again: the nearest above it, subplans apart.
fn runs_for(case: &Case<'_>, at: usize) -> Option<usize> {
    let nodes = case.plan.nodes();
    let mut child = at;
    while let Some(parent) = nodes[child].parent {
        if nodes[child].is_subplan() {
            return None;
        }
        if nodes[parent].node_type == "Nested Loop" && sides(case.plan, &nodes[parent])?.1 == child {
            return Some(child);
        }
        child = parent;
    }
    None
}

/// The node, or what it only passes on.
fn source(case: &Case<'_>, at: usize) -> String {
    let mut node = &case.plan.nodes()[at];
    let passes_on = |node: &Node| matches!(node.node_type.as_str(), "Materialize" | "Memoize" | "Sort" | "Limit");
    while passes_on(node)
        && let Some(child) = case.plan.children(node).next()
    {
        node = child;
    }
    node.label()
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{captured, findings, findings_of_text};
    use crate::{
        catalog::Tables,
        findings::{
            case::{ClassPlan, Examined},
            diagnose,
        },
        plan::Plan,
        record::{Finding, Severity},
    };

    fn of(name: &str) -> Vec<Finding> {
        let mut findings = findings(name, 15);
        findings.retain(|finding| finding.rule == super::RULE.id);
        findings
    }

    #[test]
    fn a_table_read_whole_for_each_row_is_told_at_its_scan() {
        let findings = findings("nested_loop_inner_seq_scan", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("nested-loop-blow-up", Severity::Critical));
        assert!(top.path.ends_with("Seq Scan on shifts"), "{}", top.path);
        insta::assert_snapshot!(top.evidence, @"Seq Scan on shifts ran 2 000 times, once for each row of Seq Scan on readings, and read 4 000 000 rows in all to keep 466 000, 83 % of the time");
        assert!(findings.iter().all(|finding| finding.rule != "seq-scan-filter"));
    }

    #[test]
    fn far_more_outer_rows_than_planned_are_told_at_the_join() {
        let findings = findings("nested_loop_on_a_misestimate", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("nested-loop-blow-up", Severity::Critical));
        assert!(top.path.ends_with("Nested Loop"), "{}", top.path);
        insta::assert_snapshot!(top.evidence, @"Nested Loop ran its inner side, Index Scan using lines_order on lines, 54 000 times where 300 were planned: Seq Scan on orders returned 180 times the rows expected; 92.5 % of the time");
        insta::assert_snapshot!(top.advice, @"give the planner a better estimate, with which it would join another way: analyze orders; if the estimate stays off, compare columns with values instead of with each other, or raise the statistics target of the columns in its condition");
        assert!(findings.iter().all(|finding| finding.rule != "misestimate"));
    }

    #[test]
    fn lookups_by_an_index_as_planned_are_fine() {
        assert_eq!(of("healthy_nested_loop"), []);
        assert_eq!(of("healthy_limit"), []);
        assert_eq!(of("healthy_memoize"), []);
    }

    #[test]
    fn where_the_cause_is_known_that_is_told_instead() {
        assert_eq!(of("correlated_columns"), []);
    }

    #[test]
    fn a_table_of_a_page_is_as_fast_as_an_index() {
        let of = |table: &str, measured: [&str; 2]| {
            let plan = format!(
                "Nested Loop  (cost=0.00..9000.00 rows=5000 width=8){}
  ->  Seq Scan on orders  (cost=0.00..80.00 rows=5000 width=8){}
  ->  Seq Scan on status s  {table}",
                measured[0], measured[1]
            );
            let told = |finding: &Finding| finding.severity > Severity::Info;
            findings_of_text(&plan)
                .iter()
                .filter(|finding| told(finding))
                .map(|finding| finding.rule.clone())
                .collect::<Vec<_>>()
        };
        assert!(of("(cost=0.00..1.25 rows=20 width=4)", ["", ""]).is_empty());
        assert_eq!(of("(cost=0.00..60.00 rows=20 width=4)", ["", ""]), ["nested-loop-blow-up"]);
        let measured = [" (actual time=0.02..38.0 rows=5000 loops=1)", " (actual time=0.01..2.0 rows=5000 loops=1)"];
        let scan = |removed: u32| {
            format!(
                "(cost=0.00..1.25 rows=1 width=8) (actual time=0.002..0.007 rows=1 loops=5000)\n        Filter: (status_id = id)\n        Rows Removed by Filter: {removed}"
            )
        };
        assert!(of(&scan(19), measured).is_empty());
        assert_eq!(of(&scan(1900), measured), ["nested-loop-blow-up"]);
    }

    #[test]
    fn estimates_alone_suffice_for_a_guess() {
        let (_, mut plans) = captured("or_in_a_join").next().unwrap();
        let text = r#"[{"Plan": {"Node Type": "Nested Loop", "Plan Rows": 3000, "Plans": [
            {"Node Type": "Seq Scan", "Relation Name": "readings", "Plan Rows": 3000, "Parent Relationship": "Outer"},
            {"Node Type": "Seq Scan", "Relation Name": "shifts", "Plan Rows": 1, "Parent Relationship": "Inner"}]}}]"#;
        plans = vec![ClassPlan { class: String::new(), plan: Plan::parse(text).unwrap() }, plans.remove(0)];
        let tables = Tables::default();
        let found =
            diagnose(&Examined { name: None, sql: None, plans: &plans[..1], tables: &tables, executions: None });
        insta::assert_snapshot!(found[0].evidence, @"Seq Scan on shifts is to run 3 000 times, once for each row of Seq Scan on readings, by the planner's estimates");
    }
}
