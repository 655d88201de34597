//! A table is read whole to find the partners of a few rows.

use crate::{
    findings::{
        case::{Case, Sighting},
        estimates::{sides, underestimated},
        rule::Rule,
    },
    plan::{Node, names},
    record::{Confidence, Severity},
    sqltext::{condition, quote},
    text::rounded as count,
};

/// Rows below which reading a table whole is cheap anyway.
const MIN_ROWS: f64 = 10_000.0;
/// How many of the rows read a lookup by index may cost as many of: PostgreSQL's default `random_page_cost`.
const INDEX_COST: f64 = 4.0;
/// Share of the rows read that lookups and what they find must stay below, so that an index pays.
const MAX_SHARE: f64 = 0.1;

pub(crate) const RULE: Rule = Rule {
    id: "join-without-index",
    title: "A table is read whole to find the partners of a few rows",
    sees: "a Hash Join with a Seq Scan of 10 000 rows and over, of which a tenth at most finds a partner and the others are not wanted, and so few rows on the other side that looking each up by an index would touch less than a \
           tenth of the table; a warning from 10 % of the time, critical from 40 %",
    why: "A hash join reads both sides whole. Where one side is a handful of rows, such as the orders of one customer, and the other a large table, nearly all of what is read is thrown away. With an \
          index on the column it is joined by, PostgreSQL looks up each of the few rows. It does not make an index for a foreign key by itself.",
    advice: "Give the large table an index on the column that it is joined by.",
    source: "https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK; https://use-the-index-luke.com/sql/join",
    shown_by: &["https://askswarm.dev/q/bs-1779933644382"],
    reads_estimates: false,
    explains: &["seq-scan-filter"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let joins = case.plan.nodes().iter().filter(|node| node.node_type == "Hash Join" && node.loops() > 0.0);
    joins.filter_map(|join| sighting(case, join)).collect()
}

fn sighting(case: &Case<'_>, join: &Node) -> Option<Sighting> {
    let nodes = case.plan.nodes();
    let (outer, inner) = sides(case.plan, join)?;
    let (at, few) = [(outer, inner), (inner, outer)]
        .into_iter()
        .map(|(one, other)| (below_hash(case, one), other))
        .find(|(at, other)| {
            let scan = &nodes[*at];
            let may_leave_out = may_leave_out(join, *other == inner);
            may_leave_out && scan.node_type == "Seq Scan" && scan.rows_read() >= MIN_ROWS
        })?;
    let (scan, few) = (&nodes[at], &nodes[few]);
    let touched = INDEX_COST * (few.rows() + join.rows());
    if join.rows() > scan.rows() * MAX_SHARE || touched > scan.rows_read() * MAX_SHARE {
        return None;
    }
    // As many as were expected are not worth looking up one by one.
    let expected = INDEX_COST * (few.plan_rows * few.loops() + join.plan_rows * join.loops());
    let is_expected_few = expected <= scan.rows_read() * MAX_SHARE || underestimated(few);
    let column = joined_by(join, scan)?;
    let table = case.statement.tables.find(scan.schema.as_deref(), scan.relation.as_deref()?);
    let has_index = |column: &str| {
        table.is_some_and(|table| {
            table
                .indexes
                .iter()
                .any(|index| index.keys.first().is_some_and(|key| key.expression == quote::name(column)))
        })
    };
    if has_index(column) {
        return None;
    }
    let ms = scan.own_ms.zip(join.own_ms).map(|(scan, join)| scan + join);
    let at_stake = ms.map(|ms| ms * (1.0 - touched / scan.rows_read()));
    let mut advice =
        format!("give {} an index on {column}, by which the few rows can be looked up", scan.relation.as_deref()?);
    let (mut severity, mut confidence) = (case.by_share(at_stake), Confidence::High);
    if table.is_none() {
        advice.push_str("; the plan does not show whether there is such an index already");
        confidence = Confidence::Medium;
    }
    if !is_expected_few {
        advice.push_str(&format!(
            "; the hash join follows from the {} rows expected instead of {}: without a better estimate it would not be read",
            count(few.plan_rows * few.loops()),
            count(few.rows())
        ));
        (severity, confidence) = (severity.min(Severity::Warning), Confidence::Low);
    }
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "{} read {} rows for the {} that {} other rows are joined with by {column}{}",
            scan.label(),
            count(scan.rows_read()),
            count(join.rows()),
            count(few.rows()),
            case.cost(scan.own_buffers.map(|own| own.shared()), ms)
        ),
        at_stake_ms: at_stake,
        advice,
        confidence,
        statements: vec![format!("CREATE INDEX CONCURRENTLY ON {} ({column})", names::table(scan)?)],
    })
}

/// Whether rows of one side that find no partner are not wanted: of the outer one, or of the inner one.
pub(crate) fn may_leave_out(join: &Node, outer: bool) -> bool {
    match join.join_type.as_deref() {
        None | Some("Inner" | "Semi" | "Right Semi") => true,
        Some("Left" | "Anti") => !outer,
        Some("Right" | "Right Anti") => outer,
        Some(_) => false,
    }
}

/// The node, or what its hash table is made of.
fn below_hash(case: &Case<'_>, at: usize) -> usize {
    let node = &case.plan.nodes()[at];
    if node.node_type == "Hash" { node.children.first().copied().unwrap_or(at) } else { at }
}

/// The scan's column in the first condition of the join that compares one.
fn joined_by<'a>(join: &'a Node, scan: &Node) -> Option<&'a str> {
    let alias = scan.alias.as_deref().or(scan.relation.as_deref())?;
    let comparisons = condition::terms(join.conditions.hash.as_deref()?).into_iter().filter_map(condition::comparison);
    comparisons.flat_map(|found| [found.left, found.right]).find_map(|one| match condition::side(one, alias) {
        condition::Side::Column(column) => Some(column),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{findings, findings_of_text};
    use crate::record::{Confidence, Severity};

    #[test]
    fn a_table_read_whole_for_a_few_partners_gets_an_index() {
        let findings = findings("join_without_index", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("join-without-index", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"Seq Scan on lines read 200 000 rows for the 80 that 10 other rows are joined with by order_id, 1 082 buffers, 99.5 % of the time");
        insta::assert_snapshot!(top.statements.join("\n"), @"CREATE INDEX CONCURRENTLY ON planted_join_without_index.lines (order_id)");
    }

    /// A join of a million items with the few orders, by this many of them expected.
    fn told(join: &str, expected: u32) -> Option<(Severity, Confidence, String)> {
        let plan = format!(
            "Hash {join}  (cost=30.00..20000.00 rows=5 width=8) (actual time=180.1..200.0 rows=5 loops=1)
  Hash Cond: (i.order_id = o.id)
  ->  Seq Scan on items i  (cost=0.00..18000.00 rows=1000000 width=8) (actual time=0.01..90.0 rows=1000000 loops=1)
  ->  Hash  (cost=20.00..20.00 rows={expected} width=4) (actual time=0.5..0.5 rows=1000 loops=1)
        ->  Seq Scan on orders o  (cost=0.00..20.00 rows={expected} width=4) (actual time=0.01..0.3 rows=1000 loops=1)
Execution Time: 200.5 ms"
        );
        let found = findings_of_text(&plan).into_iter().find(|finding| finding.rule == super::RULE.id)?;
        Some((found.severity, found.confidence, found.advice))
    }

    #[test]
    fn a_side_all_of_whose_rows_are_wanted_has_to_be_read() {
        for join in ["Join", "Semi Join", "Right Join", "Right Anti Join"] {
            assert!(told(join, 1000).is_some(), "{join}");
        }
        for join in ["Anti Join", "Left Join", "Full Join"] {
            assert_eq!(told(join, 1000), None, "{join}");
        }
    }

    #[test]
    fn a_join_that_follows_from_an_estimate_is_no_certain_case_for_an_index() {
        let (severity, confidence, advice) = told("Join", 1000).unwrap();
        assert_eq!((severity, confidence), (Severity::Critical, Confidence::Medium));
        insta::assert_snapshot!(advice, @"give items an index on order_id, by which the few rows can be looked up; the plan does not show whether there is such an index already");
        let (severity, confidence, advice) = told("Join", 90_000).unwrap();
        assert_eq!((severity, confidence), (Severity::Warning, Confidence::Low));
        insta::assert_snapshot!(advice, @"give items an index on order_id, by which the few rows can be looked up; the plan does not show whether there is such an index already; the hash join follows from the 90 000 rows expected instead of 1 000: without a better estimate it would not be read");
    }

    #[test]
    fn joins_of_whole_tables_are_fine() {
        for healthy in ["healthy_hash_join", "healthy_not_exists", "hash_join_spill"] {
            assert!(findings(healthy, 15).iter().all(|finding| finding.rule != "join-without-index"), "{healthy}");
        }
    }
}
