//! Compiling takes longer than it saves.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// Shares of the statement's time.
const INFO_SHARE: f64 = 0.1;
const WARNING_SHARE: f64 = 0.4;
const CRITICAL_SHARE: f64 = 0.9;

pub(crate) const RULE: Rule = Rule {
    id: "jit",
    title: "The statement is compiled first, for longer than that saves",
    sees: "a statement whose expressions are compiled first (JIT) for 10 % of its time and over; a warning from 40 %, critical from 90 %",
    why: "For a statement that it expects to be expensive PostgreSQL compiles the expressions to machine code, anew at each execution. That pays where many millions of rows go \
          through them. For a statement of some milliseconds, or whose cost is overestimated, it only adds time, and processor load for all others.",
    advice: "Turn `jit` off for this session or role, or raise `jit_above_cost` above this statement's cost.",
    source: "levels as pev2's: https://github.com/dalibo/pev2; https://www.postgresql.org/docs/current/jit-decision.html",
    shown_by: &["https://loke.dev/blog/postgres-jit-latency-penalty"],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let Some(jit) = case.plan.jit else { return Vec::new() };
    // The time of all processes, which compile side by side.
    let processes = case.plan.nodes().iter().filter_map(|node| node.workers_launched).max().unwrap_or(0) as f64 + 1.0;
    let ms = jit.total_ms / processes;
    let severity = match case.share(ms) {
        None => return Vec::new(),
        Some(share) if share < INFO_SHARE => return Vec::new(),
        Some(share) if share < WARNING_SHARE => Severity::Info,
        Some(share) if share < CRITICAL_SHARE => Severity::Warning,
        Some(_) => Severity::Critical,
    };
    let cost = case.plan.root().total_cost;
    let cost = cost.map(|cost| format!(", since its cost was estimated at {}", count(cost))).unwrap_or_default();
    vec![Sighting {
        severity,
        node: None,
        evidence: format!(
            "compiling {} functions took {ms:.1} ms, {} of the time{cost}",
            count(jit.functions),
            percent(case.share(ms).unwrap_or(0.0))
        ),
        at_stake_ms: Some(ms),
        advice: "turn jit off for the session or the role that runs it, or raise jit_above_cost above its cost"
            .to_owned(),
        statements: vec!["SET jit = off".to_owned()],
        confidence: if severity > Severity::Info { Confidence::High } else { Confidence::Low },
    }]
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::findings;
    use crate::record::Severity;

    #[test]
    fn a_short_query_is_compiled_for_longer_than_it_runs() {
        let findings = findings("jit_on_a_short_query", 15);
        let top = &findings[0];
        assert_eq!(top.rule, "jit");
        assert!(top.severity > Severity::Info);
        insta::assert_snapshot!(top.evidence, @"compiling 6 functions took 317.9 ms, 88 % of the time, since its cost was estimated at 2 021");
        assert_eq!(top.statements, ["SET jit = off"]);
    }

    #[test]
    fn compiling_a_long_query_is_fine() {
        assert!(findings("jit_on_a_long_query", 15).iter().all(|finding| finding.rule != "jit"));
    }
}
