//! A table is read whole and most of it thrown away.

use super::Rule;
use crate::{
    explain::{
        advice,
        diagnose::{Case, Sighting},
    },
    record::Confidence,
};

pub(super) const RULE: Rule = Rule {
    id: "seq-scan-filter",
    title: "A table is read whole and most of it thrown away",
    sees: "a Seq Scan, or those of a table's partitions together, that read over 10 000 rows and removed over 50 % of them by its filter; critical over 90 %, good to \
           know up to 75 %, where an index would hardly be faster",
    why: "Every execution reads every row of the table to find the few that it wants: it takes as long for one row as for all, grows with the table, and \
          under concurrent load it takes the processor and the cache from everything else.",
    advice: "Give the filter an index, so that only the rows it keeps are read.",
    source: "rows removed as in https://pganalyze.com/docs/explain/insights/inefficient-index; a row by an index is taken to cost 4 read in passing, as \
             random_page_cost: https://www.postgresql.org/docs/current/runtime-config-query.html",
    reads_estimates: false,
    explains: &[],
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let scans = case.scans();
    let wasteful = scans.iter().filter(|scan| scan.node.node_type == "Seq Scan");
    wasteful
        .filter_map(|scan| {
            let waste = case.waste(scan)?;
            let sighting = Sighting {
                severity: waste.severity,
                node: Some(scan.at),
                evidence: waste.evidence,
                at_stake_ms: waste.at_stake_ms,
                advice: format!("give {} an index, so that only the rows kept are read", scan.filter_columns()),
                statements: Vec::new(),
                confidence: Confidence::Medium,
            };
            Some(sighting.with_index(advice::index_for(case, scan.at)))
        })
        .collect()
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
