//! A table is read whole and most of it thrown away.

use super::Rule;
use crate::{
    explain::{
        advice,
        diagnose::{Case, Sighting},
        words::{count, percent},
    },
    record::{Confidence, Severity},
};

/// Rows below which reading a table whole is cheap anyway.
const MIN_ROWS: f64 = 10_000.0;
/// Share of the rows thrown away from which an index is worth a thought, and from which it is certain to pay.
const WARNING_SHARE: f64 = 0.5;
const CRITICAL_SHARE: f64 = 0.9;

pub(super) const RULE: Rule = Rule {
    id: "seq-scan-filter",
    title: "A table is read whole and most of it thrown away",
    sees: "a Seq Scan that read over 10 000 rows and removed over 50 % of them by its filter; critical over 90 %",
    why: "Every execution reads every row of the table to find the few that it wants: it takes as long for one row as for all, grows with the table, and \
          under concurrent load it takes the processor and the cache from everything else.",
    advice: "Give the filter an index, so that only the rows it keeps are read.",
    source: "thresholds as pgMustard's and pganalyze's: https://pganalyze.com/docs/explain/insights/inefficient-index",
    reads_estimates: false,
    explains: &[],
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for (at, node) in case.worth_a_word() {
        let read = node.rows_read();
        if node.node_type != "Seq Scan" || read <= MIN_ROWS {
            continue;
        }
        let removed = node.removed.filter * node.loops() / read;
        if removed <= WARNING_SHARE {
            continue;
        }
        let index = advice::index_for(case, at);
        let buffers =
            node.own_buffers.map(|own| format!(", {} buffers", count(own.shared() as f64))).unwrap_or_default();
        let share = case.own_share(node).map(|share| format!(", {} of the time", percent(share))).unwrap_or_default();
        seen.push(Sighting {
            severity: if removed > CRITICAL_SHARE { Severity::Critical } else { Severity::Warning },
            node: Some(at),
            evidence: format!(
                "{} read {} rows to keep {} ({} removed){buffers}{share}",
                node.label(),
                count(read),
                count(node.rows()),
                percent(removed)
            ),
            at_stake_ms: node.own_ms.map(|ms| ms * removed),
            advice: match &index {
                Some(index) => index.why.clone(),
                None => "give its filter an index, so that only the rows it keeps are read".to_owned(),
            },
            confidence: if index.is_some() { Confidence::High } else { Confidence::Medium },
            statements: index.map(advice::IndexAdvice::statements).unwrap_or_default(),
        });
    }
    seen
}

#[cfg(test)]
mod tests {
    use crate::{
        explain::rules::captured::{captured, findings},
        record::Severity,
    };

    #[test]
    fn reading_a_table_for_a_few_rows_is_critical_in_every_version() {
        for (major, _) in captured("missing_index") {
            let found = findings("missing_index", major);
            assert_eq!((found[0].rule.as_str(), found[0].severity), ("seq-scan-filter", Severity::Critical), "{major}");
            assert_eq!(found[0].classes.len(), 2, "{major}: {found:?}");
        }
    }
}
