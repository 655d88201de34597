//! A large scan that a setting kept from having workers.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    plan::Node,
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// Pages from which PostgreSQL gives a table two workers: three times `min_parallel_table_scan_size`.
const MIN_PAGES: f64 = 3072.0;
const MIN_MS: f64 = 100.0;
const MIN_SHARE: f64 = 0.4;
/// Workers that one Gather may have by default.
const DEFAULT_WORKERS: f64 = 2.0;
const SETTING: &str = "max_parallel_workers_per_gather";

pub(crate) const RULE: Rule = Rule {
    id: "too-few-workers",
    title: "A setting keeps a large scan from having workers",
    sees: "a Seq Scan of 24 MB and over which, with the grouping above it, takes 100 ms and 40 % of the time, in a session whose `max_parallel_workers_per_gather` is below the default of 2",
    why: "A table that has to be read whole can be read by several processes side by side. Where the setting forbids that, one processor does it all while others are idle.",
    advice: "Raise `max_parallel_workers_per_gather` for the session or role that runs it, as long as the server has processors to spare.",
    source: "https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-MAX-PARALLEL-WORKERS-PER-GATHER",
    shown_by: &[
        "https://stackoverflow.com/questions/42559280/postgres-9-6-parallel-query-does-not-take-max-parallel-workers-per-gather-setti",
    ],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let Some(setting) = case.plan.settings.get(SETTING) else { return Vec::new() };
    let Some(allowed) = setting.parse::<f64>().ok().filter(|allowed| *allowed < DEFAULT_WORKERS) else {
        return Vec::new();
    };
    // What writes has no workers.
    if case.plan.nodes().iter().any(|node| node.operation.is_some()) {
        return Vec::new();
    }
    let scans = case.plan.nodes().iter().enumerate().filter(|(_, node)| node.node_type == "Seq Scan");
    scans.filter_map(|(at, scan)| sighting(case, at, scan, allowed)).collect()
}

fn sighting(case: &Case<'_>, at: usize, scan: &Node, allowed: f64) -> Option<Sighting> {
    let pages = scan.own_buffers?.shared() as f64;
    if pages < MIN_PAGES || scan.loops() > allowed + 1.0 {
        return None;
    }
    let grouping = case.plan.parent(scan).filter(|parent| parent.node_type == "Aggregate");
    let ms = scan.own_ms? + grouping.and_then(|grouping| grouping.own_ms).unwrap_or(0.0);
    let share = case.share(ms).filter(|share| *share >= MIN_SHARE && ms >= MIN_MS)?;
    let with = grouping.map(|grouping| format!(" and the {} above it", grouping.label())).unwrap_or_default();
    Some(Sighting {
        severity: Severity::Warning,
        node: Some(at),
        evidence: format!(
            "{}{with} took {ms:.1} ms, {} of the time, for {} rows in {} buffers; {SETTING} is {}",
            scan.label(),
            percent(share),
            count(scan.rows_read()),
            count(pages),
            count(allowed)
        ),
        at_stake_ms: Some(ms * (1.0 - (allowed + 1.0) / (DEFAULT_WORKERS + 1.0))),
        advice: format!("allow it workers: raise {SETTING}, where the server has processors to spare under load"),
        statements: vec![format!("SET {SETTING} = {}", count(DEFAULT_WORKERS))],
        confidence: Confidence::Medium,
    })
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{captured, findings};
    use crate::{
        catalog::Tables,
        findings::{case::Examined, diagnose},
        record::Severity,
    };

    #[test]
    fn a_large_aggregate_that_may_have_no_worker_is_told() {
        let findings = findings("too_few_workers", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("too-few-workers", Severity::Warning));
        insta::assert_snapshot!(top.evidence, @"Seq Scan on trips and the HashAggregate above it took 749.8 ms, 99.92 % of the time, for 900 000 rows in 4 865 buffers; max_parallel_workers_per_gather is 0");
        assert_eq!(top.statements, ["SET max_parallel_workers_per_gather = 2"]);
    }

    #[test]
    fn with_the_default_it_is_the_planners_choice() {
        let (_, mut plans) = captured("too_few_workers").next().unwrap();
        plans[0].plan.settings.remove(super::SETTING);
        let tables = Tables::default();
        let found = diagnose(&Examined { name: None, sql: None, plans: &plans, tables: &tables, executions: None });
        assert!(found.iter().all(|finding| finding.severity == Severity::Info), "{found:?}");
    }

    #[test]
    fn small_tables_need_no_workers() {
        assert!(findings("healthy_hash_join", 15).iter().all(|finding| finding.rule != "too-few-workers"));
    }
}
