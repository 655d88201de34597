//! One side of a join is computed or read, and hardly any of it finds a partner.

use super::join_without_index;
use crate::{
    findings::{
        case::{Case, Sighting},
        estimates::{sides, underestimated},
        rule::Rule,
        vain::Vain,
    },
    plan::{Node, names},
    record::{Confidence, Severity},
    sqltext::{condition, quote},
    text::{part as percent, rounded as count},
};

/// Share of one side's rows that the other may have at most, and that may be joined at most.
const MOST_JOINED: f64 = 0.1;

pub(crate) const RULE: Rule = Rule {
    id: "joined-in-vain",
    title: "One side of a join is computed or read in vain",
    sees: "a join one side of which, made once, is a subquery, a CTE, a grouping, a function, a foreign table, or, under a Merge Join, any table, of 10 000 rows and over (or 1 000 that took 10 ms), where the other \
           side has a tenth of its rows at most, and a tenth at most is joined; a warning from 10 % of the time, critical from 40 %",
    why: "A subquery with GROUP BY, DISTINCT or a window function is computed for all keys before it is joined with the few that are wanted; what the other side asks for does not go into it. A merge \
          join reads both sides in order, up to the first row that matches.",
    advice: "Ask by LATERAL, so that the subquery is computed for the wanted keys only; repeat the condition inside; give the key an index; for a merge join repeat a range on the key on both sides.",
    source: "https://www.postgresql.org/docs/current/queries-table-expressions.html#QUERIES-LATERAL; https://www.postgresql.org/docs/current/planner-optimizer.html",
    shown_by: &["https://super-unix.com/database/postgresql-query-with-pagination-is-slow-when-using-merge-join/"],
    reads_estimates: false,
    explains: &["hot-node", "misestimate", "late-filter", "first-of-each", "join-filter"],
    throws_away: true,
    check,
};

/// What the side is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Computed,
    Cte,
    Function,
    Foreign,
    /// A table that a merge join reads in order.
    Merged,
}

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let joins = case.plan.nodes().iter().filter(|node| node.loops() > 0.0);
    let joins = joins.filter(|node| matches!(node.node_type.as_str(), "Hash Join" | "Merge Join" | "Nested Loop"));
    joins.filter_map(|join| sighting(case, join)).collect()
}

fn sighting(case: &Case<'_>, join: &Node) -> Option<Sighting> {
    let nodes = case.plan.nodes();
    let (outer, inner) = sides(case.plan, join)?;
    [(outer, inner), (inner, outer)].into_iter().find_map(|(large, few)| {
        if !join_without_index::may_leave_out(join, few == inner) {
            return None;
        }
        let (at, made) = made(case, join, large)?;
        // What a nested loop looks up for each row is what this advises.
        if join.node_type == "Nested Loop" && (nodes[at].loops() > 1.0 || equality(join).is_none()) {
            return None;
        }
        let (side, few) = (&nodes[at], &nodes[few]);
        // A row that a merge join reads again for each of several partners is one.
        let got = side.rows();
        if few.rows() > MOST_JOINED * got || join.rows() > MOST_JOINED * got {
            return None;
        }
        let ms = nodes[large].total_ms;
        let vain = Vain::of(case, got, join.rows(), side.rounding(), ms)?;
        let share = vain.removed;
        let (advice, statements) = advice(case, join, side, few, made);
        Some(Sighting {
            severity: if few.rows() == 0.0 { vain.severity.min(Severity::Warning) } else { vain.severity },
            node: Some(at),
            evidence: format!(
                "{} made {} rows to join {} of them with {} rows of the other side by {} ({} in vain){}",
                name(side),
                count(got),
                count(join.rows()),
                count(few.rows()),
                joined_by(join),
                percent(share),
                case.cost(nodes[large].buffers.map(|buffers| buffers.shared()), ms)
            ),
            at_stake_ms: vain.at_stake_ms,
            advice,
            statements,
            confidence: Confidence::Medium,
        })
    })
}

fn name(side: &Node) -> String {
    let alias = side.alias.as_deref().or(side.cte.as_deref()).filter(|_| side.relation.is_none());
    match alias {
        Some(alias) => format!("{} {alias}", side.label()),
        None => side.label(),
    }
}

fn joined_by(join: &Node) -> &str {
    let on = &join.conditions;
    on.hash.as_deref().or(on.merge.as_deref()).or(equality(join)).unwrap_or("their keys")
}

/// The equality that a nested loop tries on each pair.
fn equality(join: &Node) -> Option<&str> {
    let terms = condition::terms(join.conditions.join_filter.as_deref()?);
    terms.into_iter().find(|term| condition::comparison(term).is_some_and(|found| found.operator == "="))
}

/// The node that makes the rows of the side at `at`, and what it is; `None` for what other rules look at.
fn made(case: &Case<'_>, join: &Node, mut at: usize) -> Option<(usize, Made)> {
    let nodes = case.plan.nodes();
    loop {
        let node = &nodes[at];
        match node.node_type.as_str() {
            "Hash" | "Sort" | "Incremental Sort" | "Materialize" | "Gather" | "Gather Merge" => {
                at = *node.children.iter().find(|child| !nodes[**child].is_subplan())?;
            }
            "Subquery Scan" | "Aggregate" | "Group" | "Unique" | "WindowAgg" | "SetOp" => {
                return Some((at, Made::Computed));
            }
            "CTE Scan" => return Some((at, Made::Cte)),
            "Function Scan" => return Some((at, Made::Function)),
            "Foreign Scan" => return Some((at, Made::Foreign)),
            _ if join.node_type == "Merge Join" && node.scans_relation() => return Some((at, Made::Merged)),
            _ => return None,
        }
    }
}

fn advice(case: &Case<'_>, join: &Node, side: &Node, few: &Node, made: Made) -> (String, Vec<String>) {
    let by = joined_by(join);
    let advice = match made {
        Made::Computed => format!(
            "compute it for the wanted keys only: JOIN LATERAL (the subquery, with {by} in its WHERE) ON true, with an index on the column that it is joined by; or repeat the \
             condition that leaves the other side {} rows inside the subquery",
            count(few.rows())
        ),
        Made::Cte => format!(
            "compute it for the wanted keys only: write the CTE as JOIN LATERAL (.. with {by} in its WHERE) ON true, or put the condition that leaves the other side {} rows into it as well",
            count(few.rows())
        ),
        Made::Function => "give the function the wanted keys as an argument, and call it by LATERAL for each of them".to_owned(),
        Made::Foreign => "let the other server look up the few rows: ALTER SERVER .. OPTIONS (ADD use_remote_estimate 'true') or ANALYZE the foreign table, so that a nested loop with \
                          the key as its parameter is chosen; or pass the keys as values: WHERE key = ANY (..)"
            .to_owned(),
        Made::Merged => return merged(case, join, side, few),
    };
    (advice, Vec::new())
}

/// A table that a merge join reads from its start, or sorts whole.
fn merged(case: &Case<'_>, join: &Node, side: &Node, few: &Node) -> (String, Vec<String>) {
    let table = side.relation.as_deref().unwrap_or("the table");
    let alias = side.alias.as_deref().unwrap_or(table);
    let terms = condition::terms(joined_by(join));
    let column =
        terms.into_iter().filter_map(condition::comparison).flat_map(|found| [found.left, found.right]).find_map(
            |one| match condition::side(one, alias) {
                condition::Side::Column(column) => Some(column),
                _ => None,
            },
        );
    let column = column.unwrap_or("the key");
    let range = [&few.conditions.index, &few.conditions.filter]
        .into_iter()
        .flatten()
        .find(|text| text.contains(" > ") || text.contains(" >= ") || text.contains(" < "));
    if side.node_type.starts_with("Index") {
        let estimate = match names::table(few).filter(|_| underestimated(few) || few.plan_rows > few.rows() * 3.0) {
            Some(other) => format!(
                ". It expected {} rows of the other side where {} came: ANALYZE {other}, so that a nested loop looks them up",
                count(few.plan_rows * few.loops()),
                count(few.rows())
            ),
            None => String::new(),
        };
        let repeated = range.map(|range| format!(" such as {range}")).unwrap_or_default();
        let advice = format!(
            "the index on {column} is read from its start up to the first match: repeat the other side's range on the key for {alias}.{column}{repeated}, which PostgreSQL does not \
             conclude from the join by itself{estimate}"
        );
        return (advice, Vec::new());
    }
    let facts = side.relation.as_deref().and_then(|name| case.statement.tables.find(side.schema.as_deref(), name));
    let is_there = facts.is_some_and(|facts| {
        facts.indexes.iter().any(|index| index.keys.first().is_some_and(|key| key.expression == quote::name(column)))
    });
    if is_there || column == "the key" {
        let advice = format!(
            "look the few rows up by the index on {column} instead of sorting {table}: ANALYZE both tables, and see whether random_page_cost is too high for disks without \
             moving parts (1.1 is usual)"
        );
        return (advice, Vec::new());
    }
    let statement = names::table(side).map(|of| format!("CREATE INDEX CONCURRENTLY ON {of} ({column})"));
    (
        format!("give {table} an index on {column}, by which the few rows can be looked up"),
        statement.into_iter().collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_silent, findings_of_text, rules_of};

    #[test]
    fn a_grouping_of_all_for_a_few_is_asked_by_lateral() {
        let findings = findings_of_text(
            "\
Hash Join  (cost=21000.00..23000.00 rows=5 width=40) (actual time=390.0..420.0 rows=5 loops=1)
  Hash Cond: (o.customer_id = c.id)
  ->  HashAggregate  (cost=20900.00..21900.00 rows=100000 width=12) (actual time=380.0..405.0 rows=100000 loops=1)
        Group Key: o.customer_id
        Batches: 5  Memory Usage: 8241kB  Disk Usage: 20000kB
        ->  Seq Scan on orders o  (cost=0.00..15900.00 rows=1000000 width=8) (actual time=0.01..80.0 rows=1000000 loops=1)
  ->  Hash  (cost=8.00..8.00 rows=5 width=20) (actual time=0.04..0.04 rows=5 loops=1)
        Buckets: 1024  Batches: 1  Memory Usage: 9kB
        ->  Index Scan using customers_city on customers c  (cost=0.29..8.00 rows=5 width=20) (actual time=0.02..0.03 rows=5 loops=1)
              Index Cond: (city = 'Ulm'::text)
Execution Time: 421.0 ms",
        );
        assert_eq!(rules_of(&findings), [RULE.id]);
        insta::assert_snapshot!(findings[0].evidence, @"HashAggregate made 100 000 rows to join 5 of them with 5 rows of the other side by (o.customer_id = c.id) (99.99 % in vain), 96.1 % of the time");
        assert!(findings[0].advice.contains("JOIN LATERAL"), "{}", findings[0].advice);
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_hash_join", "healthy_indexed_join", "hash_join_spill"]);
    }
}
