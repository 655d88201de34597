//! Two tables are joined without a condition.

use crate::{
    findings::{
        case::{Case, Sighting},
        estimates::sides,
        rule::Rule,
    },
    plan::Node,
    record::Confidence,
    sqltext::condition::{self, Side},
    text::rounded as count,
};

/// Pairs below which it does not matter.
const MIN_PAIRS: f64 = 10_000.0;

pub(crate) const RULE: Rule = Rule {
    id: "cartesian-product",
    title: "Two tables are joined without a condition",
    sees: "a Nested Loop of 10 000 rows and over without a Join Filter, neither side of which is looked up by the other, both of which have several rows and are not looked up by the same value; a warning from 10 % of the time, critical from 40 %",
    why: "Each row of one side is put beside each row of the other. That is seldom meant: a condition was forgotten, or a table was left in the FROM that is no longer used. The rows \
          are as many as one side times the other, and all that follows, often a DISTINCT that hides it, works on them.",
    advice: "Add the condition that joins them, or take the table out.",
    source: "https://www.postgresql.org/docs/current/queries-table-expressions.html#QUERIES-JOIN",
    shown_by: &["https://www.cybertec-postgresql.com/en/cross-join-in-postgresql/"],
    reads_estimates: false,
    explains: &["nested-loop-blow-up"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    nodes
        .filter(|(_, node)| node.node_type == "Nested Loop")
        .filter_map(|(at, node)| sighting(case, at, node))
        .collect()
}

fn sighting(case: &Case<'_>, at: usize, join: &Node) -> Option<Sighting> {
    let (outer_at, inner_at) = sides(case.plan, join)?;
    let (left, right) = (&case.plan.nodes()[outer_at], &case.plan.nodes()[inner_at]);
    let by_loop = |node: &Node| node.actual.map_or(0.0, |actual| actual.rows);
    let joined = join.conditions.join_filter.is_some() || join.join_type.as_deref().is_some_and(|kind| kind != "Inner");
    if joined || by_loop(left) <= 1.0 || by_loop(right) <= 1.0 || join.rows() < MIN_PAIRS {
        return None;
    }
    let (outer, inner) = (case.plan.subtree(outer_at), case.plan.subtree(inner_at));
    // What a function or a subquery reads of the other side is not printed as a condition.
    let is_other = |node: &Node| node.node_type.ends_with("Scan") && node.relation.is_none() && node.index.is_none();
    if inner.iter().chain(outer).any(is_other) || looks_up(inner, outer) || have_a_value_in_common(inner, outer) {
        return None;
    }
    let ms = join.own_ms.zip(right.total_ms).map(|(own, inner)| own + inner);
    Some(Sighting {
        severity: case.by_share(ms),
        node: Some(at),
        evidence: format!(
            "Nested Loop put each of {} rows ({}) beside each of {} ({}), {} rows in all{}",
            count(left.rows()),
            tables(outer),
            count(by_loop(right)),
            tables(inner),
            count(join.rows()),
            case.cost(None, ms)
        ),
        at_stake_ms: ms,
        advice: format!(
            "join {} and {} by a condition, or take the one out that is not used",
            tables(outer),
            tables(inner)
        ),
        statements: Vec::new(),
        confidence: Confidence::Medium,
    })
}

/// Whether a condition of the inner side names a table of the outer one.
fn looks_up(inner: &[Node], outer: &[Node]) -> bool {
    let aliases: Vec<&str> = outer.iter().filter_map(alias).collect();
    let conditions = inner.iter().flat_map(|node| {
        let conditions = &node.conditions;
        let texts = [
            &conditions.index,
            &conditions.recheck,
            &conditions.tid,
            &conditions.order_by,
            &conditions.filter,
            &conditions.join_filter,
            &conditions.hash,
            &conditions.merge,
            &conditions.one_time,
            &conditions.cache_key,
            &conditions.order_by,
        ];
        texts.into_iter().flatten().chain(&conditions.sort_key).map(String::as_str).collect::<Vec<_>>()
    });
    conditions.into_iter().any(|text| aliases.iter().any(|alias| condition::unqualified(text, alias) != text))
}

/// Whether both sides hold a column to the same value: the planner makes that of a join by these columns where one of them is given.
fn have_a_value_in_common(inner: &[Node], outer: &[Node]) -> bool {
    let values = values(outer);
    self::values(inner).iter().any(|value| values.contains(value))
}

/// What columns of these nodes are held to be equal to.
fn values(nodes: &[Node]) -> Vec<&str> {
    let mut values = Vec::new();
    for node in nodes {
        let conditions = [&node.conditions.index, &node.conditions.recheck, &node.conditions.filter];
        let terms = conditions.into_iter().flatten().flat_map(|text| condition::terms(text));
        let Some(alias) = alias(node) else { continue };
        for equality in terms.filter_map(condition::comparison).filter(|found| found.operator == "=") {
            match (condition::side(equality.left, alias), condition::side(equality.right, alias)) {
                (Side::Column(_) | Side::Cast { .. }, Side::Value) => values.push(equality.right),
                (Side::Value, Side::Column(_) | Side::Cast { .. }) => values.push(equality.left),
                _ => {}
            }
        }
    }
    values
}

fn alias(node: &Node) -> Option<&str> {
    node.alias.as_deref().or(node.relation.as_deref())
}

fn tables(side: &[Node]) -> String {
    let names: Vec<&str> = side.iter().filter_map(|node| node.relation.as_deref()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{findings, findings_of_text};
    use crate::record::Severity;

    #[test]
    fn tables_without_a_condition_between_them_are_named() {
        let findings = findings("cartesian_product", 15);
        let top = &findings[0];
        assert_eq!(top.rule, "cartesian-product");
        assert!(top.severity > Severity::Info);
        insta::assert_snapshot!(top.evidence, @"Nested Loop put each of 19 682 rows (books) beside each of 60 (languages), 1 180 920 rows in all, 29 % of the time");
    }

    /// A nested loop of 100 rows beside 200, with these conditions on both sides.
    fn is_told(outer: &str, inner: &str) -> bool {
        let plan = format!(
            "Nested Loop  (cost=0.84..900.00 rows=20000 width=80) (actual time=0.05..12.0 rows=20000 loops=1)
  ->  Index Scan using orders_idx on {outer}
  ->  Index Scan using visits_idx on {inner}
Execution Time: 13.0 ms"
        );
        findings_of_text(&plan).iter().any(|finding| finding.rule == "cartesian-product")
    }

    #[test]
    fn what_the_inner_side_is_looked_up_by_may_be_quoted_or_an_order_or_a_place() {
        let outer = "\"Order\"  (cost=0.42..50.00 rows=100 width=40) (actual time=0.01..0.2 rows=100 loops=1)";
        let inner = |condition: &str| {
            format!(
                "visits  (cost=0.42..79.00 rows=200 width=40) (actual time=0.01..0.4 rows=200 loops=100)\n        {condition}"
            )
        };
        assert!(is_told(outer, &inner("Index Cond: (\"orderId\" > 7)")));
        assert!(is_told(outer, &inner("Index Cond: (\"orderId\" = \"PreOrder\".id)")));
        assert!(!is_told(outer, &inner("Index Cond: (\"orderId\" = \"Order\".id)")));
        assert!(!is_told(outer, &inner("Order By: (place <-> \"Order\".place)")));
        assert!(!is_told(outer, &inner("TID Cond: (ctid = \"Order\".visit)")));
    }

    #[test]
    fn sides_of_the_same_value_are_joined_by_it() {
        let outer = |value: &str| {
            format!(
                "orders  (cost=0.42..50.00 rows=100 width=40) (actual time=0.01..0.2 rows=100 loops=1)\n        Index Cond: (customer_id = {value})"
            )
        };
        let inner = "visits  (cost=0.42..79.00 rows=200 width=40) (actual time=0.01..0.4 rows=200 loops=100)\n        Index Cond: (customer_id = $1)";
        assert!(is_told(&outer("$2"), inner));
        assert!(!is_told(&outer("$1"), inner));
    }

    #[test]
    fn one_row_beside_each_and_joins_by_a_condition_are_fine() {
        for healthy in ["healthy_cross_join", "healthy_nested_loop", "nested_loop_on_a_misestimate", "or_in_a_join"] {
            assert!(findings(healthy, 15).iter().all(|finding| finding.rule != "cartesian-product"), "{healthy}");
        }
    }
}
