//! An index-only scan that looks into the table after all.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    plan::names,
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// Share of the rows looked up in the table.
const WARNING_SHARE: f64 = 0.01;
const CRITICAL_SHARE: f64 = 0.1;
/// Rows looked up below which it does not matter: what was written last is always among them.
const MIN_FETCHES: f64 = 100.0;
/// What looking into the table is taken to be of a scan that does so for every row.
const FETCHES_SHARE: f64 = 0.5;

pub(crate) const RULE: Rule = Rule {
    id: "heap-fetches",
    title: "An index-only scan looks into the table after all",
    sees: "an Index Only Scan that looked up over 100 rows in the table, over 1 % of those it read; critical over 10 %",
    why: "An index does not know which of its rows are still valid. Pages that vacuum has marked as all-visible need no check; for rows of others the scan \
          fetches the table's page, so that it does the work of an ordinary index scan.",
    advice: "Vacuum the table, and have autovacuum do so more often (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor of the table).",
    source: "shares as in https://github.com/dalibo/pev2; https://www.postgresql.org/docs/current/indexes-index-only-scans.html",
    shown_by: &["https://blog.makandra.com/2018/11/investigating-slow-postgres-index-only-scans/"],
    reads_estimates: false,
    explains: &["read-efficiency", "hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for scan in case.scans().iter().filter(|scan| scan.node.heap_fetches.is_some()) {
        let fetches = scan.sum(|node| node.heap_fetches.unwrap_or(0.0));
        let share = (fetches / scan.rows_read().max(fetches)).clamp(0.0, 1.0);
        if fetches < MIN_FETCHES || share <= WARNING_SHARE {
            continue;
        }
        let facts =
            case.statement.tables.find(scan.node.schema.as_deref(), scan.node.relation.as_deref().unwrap_or_default());
        let visible = facts.filter(|facts| facts.pages > 0).map(|facts| {
            let share = facts.all_visible_pages as f64 / facts.pages as f64;
            format!("; {} of the table's pages are marked as all-visible", percent(share))
        });
        seen.push(Sighting {
            severity: if share > CRITICAL_SHARE { Severity::Critical } else { Severity::Warning },
            node: Some(scan.at),
            evidence: format!(
                "{} looked up {} of {} rows in the table ({}){}{}",
                scan.label(),
                count(fetches),
                count(scan.rows_read().max(fetches)),
                percent(share),
                case.cost(scan.buffers(), scan.own_ms()),
                visible.unwrap_or_default()
            ),
            at_stake_ms: scan.own_ms().map(|ms| ms * share * FETCHES_SHARE),
            advice: "vacuum the table, and let autovacuum come more often, so that the index alone answers".to_owned(),
            statements: scan
                .nodes
                .iter()
                .filter_map(|node| Some(format!("VACUUM (ANALYZE) {}", names::table(node)?)))
                .collect(),
            confidence: Confidence::High,
        });
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_on_top, assert_silent, told};

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        assert_on_top(RULE.id, "vacuum_debt");
        insta::assert_snapshot!(told(RULE.id, "vacuum_debt"), @"
        critical: Index Only Scan using payments_account_cents on payments looked up 10 000 of 10 000 rows in the table (100 %), 10 011 buffers
        vacuum the table, and let autovacuum come more often, so that the index alone answers
        VACUUM (ANALYZE) planted_vacuum_debt.payments
        ");
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_index_only"]);
    }
}
