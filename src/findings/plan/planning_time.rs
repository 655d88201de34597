//! Finding the plan takes longer than running it.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// Milliseconds of planning below which it is not told, and below which it is only good to know: a new connection reads the catalog for
/// its first statements, so that a lookup by primary key is planned in some milliseconds.
const MIN_MS: f64 = 1.0;
const MIN_WARNING_MS: f64 = 10.0;
/// Shares of the statement's time.
const INFO_SHARE: f64 = 0.1;
const WARNING_SHARE: f64 = 0.4;
const CRITICAL_SHARE: f64 = 0.9;
/// Relations from which they are many.
const MANY: usize = 8;

pub(crate) const RULE: Rule = Rule {
    id: "planning-time",
    title: "Finding the plan takes as long as running it",
    sees: "planning of 1 ms and over that takes 10 % of the statement's time, a warning from 40 %, critical from 90 %; below 10 ms info",
    why: "Before PostgreSQL runs a statement it looks for the best way to. That grows fast with the number of tables joined and with the number of partitions that cannot be \
          ruled out, and a statement sent as text is planned anew each time. Planning is processor time, which runs short under concurrent load.",
    advice: "Prepare the statement once a connection and execute it many times (a pooler has to support that); name the partition key in the condition; join fewer tables, or in \
             an order that is given (`join_collapse_limit`).",
    source: "levels as pev2's: https://github.com/dalibo/pev2; https://www.postgresql.org/docs/current/explicit-joins.html",
    shown_by: &[
        "https://dba.stackexchange.com/questions/186427/planning-of-select-on-postgresql-9-6-partitioned-table-very-slow",
    ],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let planning = case.plan.planning_ms.filter(|ms| *ms >= MIN_MS);
    let Some((ms, share)) = planning.and_then(|ms| Some((ms, case.share(ms)?))) else { return Vec::new() };
    let severity = match share {
        share if share < INFO_SHARE => return Vec::new(),
        share if share < WARNING_SHARE || ms < MIN_WARNING_MS => Severity::Info,
        share if share < CRITICAL_SHARE => Severity::Warning,
        _ => Severity::Critical,
    };
    let nodes = case.plan.nodes();
    let relations = nodes.iter().filter(|node| node.scans_relation()).count();
    let partitions = nodes
        .iter()
        .filter(|node| node.node_type.ends_with("Append"))
        .map(|node| node.children.len())
        .max()
        .unwrap_or(0);
    let (of, cure) = if partitions >= MANY {
        (
            format!(" for {} partitions", count(partitions as f64)),
            "name the partition key in the condition, so that most partitions are ruled out; or ",
        )
    } else if relations >= MANY {
        (
            format!(" for {} tables", count(relations as f64)),
            "join fewer tables, or give their order by JOINs and a low join_collapse_limit; or ",
        )
    } else {
        (String::new(), "")
    };
    vec![Sighting {
        severity,
        node: None,
        evidence: format!(
            "planning{of} took {ms:.1} ms, {} of the time; running it took {:.1} ms",
            percent(share),
            case.plan.execution_ms.unwrap_or(0.0)
        ),
        at_stake_ms: Some(ms),
        advice: format!("{cure}prepare the statement once a connection and execute it many times"),
        statements: Vec::new(),
        confidence: Confidence::Medium,
    }]
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{findings, findings_of_text};
    use crate::record::Severity;

    #[test]
    fn many_joins_take_long_to_plan() {
        let findings = findings("planning_time", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("planning-time", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"planning for 9 tables took 187.9 ms, 99.8 % of the time; running it took 0.4 ms");
    }

    #[test]
    fn a_lookup_planned_on_a_new_connection_is_only_good_to_know() {
        let of = |planning: &str| {
            let plan = " Index Scan using users_pkey on users  (cost=0.42..8.44 rows=1 width=72) (actual time=0.031..0.032 rows=1 loops=1)
   Index Cond: (id = 42)
 Planning Time: PLANNING ms
 Execution Time: 0.061 ms";
            findings_of_text(&plan.replace("PLANNING", planning)).remove(0).severity
        };
        assert_eq!((of("2.412"), of("9.9"), of("12")), (Severity::Info, Severity::Info, Severity::Critical));
    }

    #[test]
    fn a_fraction_of_a_millisecond_is_nothing_whatever_its_share() {
        assert!(findings("healthy_lookup", 15).iter().all(|finding| finding.rule != "planning-time"));
    }
}
