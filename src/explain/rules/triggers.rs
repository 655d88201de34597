//! Triggers take the time.

use super::Rule;
use crate::{
    explain::{
        Trigger,
        diagnose::{Case, Sighting},
        words::{count, percent},
    },
    record::{Confidence, Severity},
};

/// Shares of the statement's time.
const INFO_SHARE: f64 = 0.1;
const WARNING_SHARE: f64 = 0.4;
const CRITICAL_SHARE: f64 = 0.9;
/// Milliseconds by call from which a foreign key's check does not use an index: a lookup takes some hundredths.
const SLOW_CALL_MS: f64 = 0.5;

pub(super) const RULE: Rule = Rule {
    id: "triggers",
    title: "Triggers take the time, not the statement",
    sees: "the slowest trigger, that of a foreign key included, where it takes 10 % of the statement's time, a warning from 40 %, critical from 90 %; one of a foreign key only where \
           a call takes half a millisecond and over, else it is good to know",
    why: "A DELETE, or an UPDATE of a key, has to look for rows that refer to the row, once for each row and foreign key. PostgreSQL makes no index for that by itself: without one \
          it reads the referring table whole each time. Triggers of one's own run once for each row as well, and what they do is in no plan.",
    advice: "Make an index on the referring columns of the foreign key. Make a trigger of one's own run once for the statement (FOR EACH STATEMENT with a transition table), or do less.",
    source: "levels as pev2's: https://github.com/dalibo/pev2; https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK",
    reads_estimates: false,
    explains: &[],
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    // Of several the slowest: the others are next when that one is cured.
    let slowest = case
        .plan
        .triggers
        .iter()
        .max_by(|one, other| one.time_ms.unwrap_or(0.0).total_cmp(&other.time_ms.unwrap_or(0.0)));
    slowest.and_then(|trigger| sighting(case, trigger)).into_iter().collect()
}

fn sighting(case: &Case<'_>, trigger: &Trigger) -> Option<Sighting> {
    let ms = trigger.time_ms?;
    let share = case.share(ms).filter(|share| *share >= INFO_SHARE)?;
    let by_call = ms / trigger.calls.max(1.0);
    let severity = match share {
        _ if trigger.constraint.is_some() && by_call < SLOW_CALL_MS => Severity::Info,
        share if share < WARNING_SHARE => Severity::Info,
        share if share < CRITICAL_SHARE => Severity::Warning,
        _ => Severity::Critical,
    };
    let table = trigger.relation.as_deref().unwrap_or("its table");
    let took = format!(
        "took {ms:.1} ms, {} of the time, in {} calls of {by_call:.2} ms",
        percent(share),
        count(trigger.calls)
    );
    let (evidence, advice) = match &trigger.constraint {
        Some(constraint) => (
            format!("checking the foreign key {constraint} for the rows changed in {table} {took}"),
            format!(
                "make an index on the referring columns of {constraint}, so that the rows which refer to one of {table} need not be searched for"
            ),
        ),
        None => (
            format!("the trigger {} on {table} {took}", trigger.name),
            format!("look at what {} does for each row; have it run once for the statement where it can", trigger.name),
        ),
    };
    Some(Sighting {
        severity,
        node: None,
        evidence,
        at_stake_ms: Some(ms),
        advice,
        statements: Vec::new(),
        confidence: if trigger.constraint.is_some() { Confidence::High } else { Confidence::Medium },
    })
}

#[cfg(test)]
mod tests {
    use super::super::captured::findings;
    use crate::record::Severity;

    #[test]
    fn a_foreign_key_without_an_index_is_named() {
        let findings = findings("foreign_key_without_index", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("triggers", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"checking the foreign key lines_invoice_id_fkey for the rows changed in invoices took 499.5 ms, 99.94 % of the time, in 100 calls of 5.00 ms");
    }

    #[test]
    fn lookups_of_a_foreign_key_by_an_index_are_only_good_to_know() {
        let findings = findings("foreign_key_with_index", 15);
        assert!(findings.iter().all(|finding| finding.severity == Severity::Info), "{findings:?}");
    }
}
