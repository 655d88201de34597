//! One operation executes the statement many times.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// Executions by operation from which it is worth a change, and from which it is the cause of most of the time.
const WARNING_TIMES: f64 = 10.0;
const CRITICAL_TIMES: f64 = 100.0;

pub(crate) const RULE: Rule = Rule {
    id: "n-plus-one",
    title: "One operation executes the statement many times",
    sees: "a statement that an operation executes 10 times and over on average, critical from 100; known only where a workload was measured",
    why: "The rows of one statement are looked up one by one by another: each lookup may be fast, but each costs a way over the network, a parse and a start, and holds the connection \
          meanwhile. Mappers of objects do so behind one's back.",
    advice: "Ask for all at once: `WHERE id = ANY($1)` with an array of what was looked up one by one, or a join with the statement that the rows come from.",
    source: "https://pganalyze.com/docs/explain/insights; https://www.postgresql.org/docs/current/functions-comparisons.html",
    shown_by: &["https://github.com/jesse-ai/jesse/issues/618"],
    reads_estimates: true,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let Some(times) = case.statement.executions.filter(|times| *times >= WARNING_TIMES) else { return Vec::new() };
    let ms = case.statement_ms();
    let needless = 1.0 - 1.0 / times;
    let each = ms.map(|ms| format!(", {ms:.2} ms each, {:.1} ms in all", ms * times)).unwrap_or_default();
    vec![Sighting {
        severity: if times >= CRITICAL_TIMES { Severity::Critical } else { Severity::Warning },
        node: None,
        evidence: format!(
            "an operation executes it {} times{each}; all but one, {} of them, could be one statement",
            count(times),
            percent(needless)
        ),
        at_stake_ms: ms.map(|ms| ms * needless),
        advice: "ask for all rows at once: compare with = ANY($1) and pass an array, or join with the statement that the values come from".to_owned(),
        statements: Vec::new(),
        confidence: Confidence::High,
    }]
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::captured;
    use crate::{
        catalog::Tables,
        findings::{case::Examined, diagnose},
        record::{Finding, Severity},
    };

    fn with(executions: Option<f64>) -> Vec<Finding> {
        let (_, plans) = captured("n_plus_one").find(|(major, _)| *major == 15).unwrap();
        diagnose(&Examined { name: None, sql: None, plans: &plans, tables: &Tables::default(), executions })
    }

    #[test]
    fn many_lookups_by_an_operation_are_told_once() {
        let findings = with(Some(50.0));
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("n-plus-one", Severity::Warning));
        insta::assert_snapshot!(top.evidence, @"an operation executes it 50 times, 0.06 ms each, 2.9 ms in all; all but one, 98.0 % of them, could be one statement");
        assert_eq!(findings.iter().filter(|finding| finding.rule == "n-plus-one").count(), 1);
    }

    #[test]
    fn once_or_a_few_times_is_fine() {
        for executions in [None, Some(1.0), Some(9.0)] {
            assert!(with(executions).iter().all(|finding| finding.rule != "n-plus-one"));
        }
    }
}
