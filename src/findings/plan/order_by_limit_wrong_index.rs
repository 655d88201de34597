//! An index gives the order but not the rows.

use crate::{
    findings::{
        case::{Case, Sighting},
        estimates::sides,
        rule::Rule,
        scan::Scan,
    },
    plan::{Node, Plan},
    record::{Confidence, Severity},
    sqltext::condition,
    text::rounded as count,
};

/// Rows walked over below which it is cheap, and how many for each that is wanted.
const MIN_ROWS: f64 = 1_000.0;
const FACTOR: f64 = 10.0;

pub(crate) const RULE: Rule = Rule {
    id: "order-by-limit-wrong-index",
    title: "An index is walked in order until enough rows match",
    sees: "an Index Scan or Index Only Scan without a condition of its own, or with none but that its key is not NULL, as min() and max() have it, under a Limit that read over 1 000 rows, 10 times those that were wanted; not one that returns \
           the nearest first, as of PostGIS and pgvector",
    why: "To spare a sort, the planner walks an index in the order that is asked for and tests row after row until the Limit is full. It takes the matching rows \
          to be spread evenly. Where they are rare, or all at the far end, it walks through most of the table.",
    advice: "Make an index of the columns that the filter compares, followed by those of ORDER BY: it finds the rows and has them in order. Where a join drops the rows, keep \
             the column that decides in the walked table, too.",
    source: "https://pganalyze.com/blog/5mins-postgres-planner-order-by-limit",
    shown_by: &[
        "https://dba.stackexchange.com/questions/249617",
        "https://thebuild.com/blog/2014/11/19/when-limit-attacks",
    ],
    reads_estimates: false,
    explains: &["index-filter", "read-efficiency", "low-selectivity-index", "hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for scan in case.scans() {
        let walks = matches!(scan.node.node_type.as_str(), "Index Scan" | "Index Only Scan")
            && is_unconditional(scan)
            // No other index has rows in the order of their distance.
            && scan.node.conditions.order_by.is_none();
        let read = scan.rows_read();
        if !walks || read <= MIN_ROWS {
            continue;
        }
        let Some((limit, wanted)) = limit_over(case.plan, scan.node) else { continue };
        if read < FACTOR * wanted {
            continue;
        }
        let at_stake_ms = limit.total_ms.map(|ms| ms * (1.0 - wanted / read));
        let sighting = Sighting {
            severity: case.by_share(at_stake_ms).max(Severity::Warning),
            node: Some(scan.at),
            evidence: format!(
                "{} walked over {} rows in its order to find {} for the Limit{}",
                scan.label(),
                count(read),
                count(wanted),
                case.cost(limit.buffers.map(|buffers| buffers.shared()), limit.total_ms)
            ),
            at_stake_ms,
            advice: String::new(),
            statements: Vec::new(),
            confidence: Confidence::Medium,
        };
        seen.push(match scan.filter_columns().filter(|_| scan.removed_by_filter() >= read / 2.0) {
            Some(columns) => {
                let advice = format!("make an index of {columns}, followed by the columns of ORDER BY");
                Sighting { advice, ..sighting }.with_index(scan.index(case))
            }
            None => Sighting { advice: of_others(case.plan, scan.node, limit), ..sighting },
        });
    }
    seen
}

/// Whether the index is searched for nothing: `min()` and `max()` ask only that its key is not NULL, which leaves nothing out.
fn is_unconditional(scan: &Scan<'_>) -> bool {
    let is_not_null = |term: &&str| term.ends_with(" IS NOT NULL");
    scan.node.conditions.index.as_deref().is_none_or(|condition| condition::terms(condition).iter().all(is_not_null))
}

/// The Limit that stops the node as soon as it has enough rows, and the rows that it was given.
fn limit_over<'a>(plan: &'a Plan, node: &'a Node) -> Option<(&'a Node, f64)> {
    let mut below = node;
    while let Some(above) = plan.parent(below) {
        if below.is_subplan() {
            return None;
        }
        match above.node_type.as_str() {
            "Limit" => return Some((above, below.rows())),
            "Result" | "Subquery Scan" | "Append" | "Merge Append" | "Gather" | "Gather Merge" | "LockRows"
            | "ProjectSet" => {}
            "Nested Loop" | "Hash Join" if below.relationship.as_deref() == Some("Outer") => {}
            _ => return None,
        }
        below = above;
    }
    None
}

/// What to do where the rows are not dropped by a comparison of the walked table, but by a join above it.
fn of_others(plan: &Plan, node: &Node, limit: &Node) -> String {
    let above = std::iter::successors(Some(node), |below| plan.parent(below))
        .take_while(|below| !std::ptr::eq(*below, limit))
        .filter_map(|below| {
            let join = plan.parent(below)?;
            let (_, other) = sides(plan, join)?;
            Some((below.rows() / join.rows().max(1.0), plan.nodes().get(other)?))
        });
    let dropping = above.max_by(|one, other| one.0.total_cmp(&other.0)).filter(|(factor, _)| *factor > 1.0);
    match dropping {
        Some((_, other)) => {
            let other = if other.node_type == "Hash" {
                other.children.first().and_then(|child| plan.nodes().get(*child)).unwrap_or(other)
            } else {
                other
            };
            format!(
                "most rows are dropped by the join with {}: keep what that asks for in the walked table, too, and index it there before the columns of ORDER BY, or make \
                 that side so selective that the join begins with it",
                other.label()
            )
        }
        None => "no index of the walked table finds the rows that are kept: compare one of its columns with a value, and index that before the columns of ORDER BY"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_on_top, assert_silent, findings_of_text, rules_of, told};

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        assert_on_top(RULE.id, "wrong_index_for_order");
        insta::assert_snapshot!(told(RULE.id, "wrong_index_for_order"), @"
        critical: Index Scan Backward using alerts_pkey on alerts walked over 148 021 rows in its order to find 20 for the Limit, 2 639 buffers
        make an index of severity, followed by the columns of ORDER BY
        ");
    }

    #[test]
    fn the_side_of_a_join_that_drops_the_rows_is_named() {
        let findings = findings_of_text(
            "\
Limit  (cost=0.85..50.00 rows=20 width=80) (actual time=0.1..45.0 rows=20 loops=1)
  ->  Nested Loop  (cost=0.85..50000.00 rows=20000 width=80) (actual time=0.1..45.0 rows=20 loops=1)
        ->  Index Scan Backward using events_created_at_idx on events e  (cost=0.42..9000.00 rows=1000000 width=40) (actual time=0.01..12.0 rows=30000 loops=1)
        ->  Index Scan using users_pkey on users u  (cost=0.42..1.80 rows=1 width=40) (actual time=0.001..0.001 rows=0 loops=30000)
              Index Cond: (id = e.user_id)
              Filter: (country = 'DE'::text)
              Rows Removed by Filter: 1
Execution Time: 46.0 ms",
        );
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.statements.len()), (RULE.id, 0));
        assert!(
            top.advice.starts_with("most rows are dropped by the join with Index Scan using users_pkey on users: "),
            "{}",
            top.advice
        );
    }

    #[test]
    fn the_nearest_come_from_no_other_index() {
        let nearest = findings_of_text(
            "\
Limit  (cost=100.00..120.00 rows=10 width=40) (actual time=2.1..20.4 rows=10 loops=1)
  Buffers: shared hit=6523
  ->  Index Scan using shops_geom_idx on shops  (cost=100.00..90000.00 rows=1000 width=40) (actual time=2.0..20.3 rows=10 loops=1)
        Order By: (geom <-> '0101000020E6100000'::geometry)
        Filter: (kind = 'pharmacy'::text)
        Rows Removed by Filter: 2500
        Buffers: shared hit=6523
Execution Time: 20.5 ms",
        );
        assert_eq!(rules_of(&nearest), ["index-filter"]);
        assert_eq!((nearest[0].statements.len(), nearest[0].confidence), (0, Confidence::Low));
        insta::assert_snapshot!(nearest[0].advice, @"no index on a column returns the nearest first: where the filter is always the same, give the rows that it keeps a partial index, WHERE kind = 'pharmacy'::text");
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_latest_by_index", "offset_pagination", "healthy_keyset_page"]);
    }
}
