//! Pages further back are found by walking over all that come before.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    record::Confidence,
    text::rounded as count,
};

/// Rows made for each that is returned.
const FACTOR: f64 = 10.0;
/// Rows skipped below which that is cheap.
const MIN_SKIPPED: f64 = 1_000.0;

pub(crate) const RULE: Rule = Rule {
    id: "large-offset",
    title: "OFFSET walks over rows to skip them",
    sees: "a Limit that was given 10 times the rows that it returned, and over 1 000 more",
    why: "The database cannot jump to a row by its number: it makes all rows before the page, in order, and throws them away. Each page is slower than the one \
          before it.",
    advice: "Page by key: remember the last row of a page, and ask for what comes after it, WHERE (created_at, id) < (...) ORDER BY ... LIMIT, with an index in \
             that order.",
    source: "https://use-the-index-luke.com/no-offset",
    shown_by: &["https://github.com/hasura/graphql-engine/issues/1008"],
    reads_estimates: false,
    explains: &["hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for (at, limit) in case.plan.nodes().iter().enumerate().filter(|(_, node)| node.node_type == "Limit") {
        let Some(child) = case.plan.children(limit).find(|child| !child.is_subplan()) else { continue };
        let skipped = child.rows() - limit.rows();
        if skipped - child.rounding() < MIN_SKIPPED || child.rows() < FACTOR * limit.rows() {
            continue;
        }
        // What has to be sorted is read and sorted for any page.
        let ms = if child.node_type == "Sort" { child.own_ms } else { child.total_ms };
        let at_stake_ms = ms.map(|ms| ms * skipped / child.rows());
        if case.is_little(child.buffers.map(|buffers| buffers.shared()), at_stake_ms) {
            continue;
        }
        seen.push(Sighting {
            severity: case.by_share(at_stake_ms),
            node: Some(at),
            evidence: format!(
                "{} made {} rows for the Limit to return {} ({} skipped){}",
                child.label(),
                count(child.rows()),
                count(limit.rows()),
                count(skipped),
                case.cost(child.buffers.map(|buffers| buffers.shared()), child.total_ms)
            ),
            at_stake_ms,
            advice: "page by key instead of OFFSET: ask for the rows after the last one of the page before, in the order of an index".to_owned(),
            statements: Vec::new(),
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
        assert_on_top(RULE.id, "offset_pagination");
        insta::assert_snapshot!(told(RULE.id, "offset_pagination"), @"
        critical: Index Scan using posts_pkey on posts made 120 020 rows for the Limit to return 20 (120 000 skipped), 979 buffers
        page by key instead of OFFSET: ask for the rows after the last one of the page before, in the order of an index
        ");
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_keyset_page", "latest_without_index", "wrong_index_for_order"]);
    }
}
