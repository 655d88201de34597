//! Rows are joined and then thrown away by a condition on the joined rows.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        vain::Vain,
    },
    plan::Node,
    record::Confidence,
    sqltext::condition,
    text::{part as percent, rounded as count},
};

pub(crate) const RULE: Rule = Rule {
    id: "outer-join-filter",
    title: "Rows are joined and then thrown away by a condition on the result",
    sees: "a join that made 10 000 rows and over (or 1 000 in 10 ms) and removed over 50 % of them by its Filter, which is what WHERE says of an outer join's result; a warning from 10 % \
           of the time, critical from 40 %",
    why: "A LEFT JOIN keeps rows without a partner, so that a condition on the joined table can be checked only after the join. All rows are joined, and most are thrown away.",
    advice: "Join by JOIN if rows without a partner are not wanted; write IS NULL as NOT EXISTS; split an OR across both tables into two queries with UNION; put the condition into ON if it is on the joined table alone.",
    source: "https://www.postgresql.org/docs/current/explicit-joins.html; https://wiki.postgresql.org/wiki/Don%27t_Do_This",
    shown_by: &["https://mail.spinics.net/lists/pgsql-performance/msg12119.html"],
    reads_estimates: false,
    explains: &["hot-node", "misestimate"],
    throws_away: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    let joins = nodes.filter(|(_, node)| node.node_type == "Nested Loop" || node.node_type.ends_with(" Join"));
    joins.filter_map(|(at, node)| sighting(case, at, node)).collect()
}

fn sighting(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let filter = node.conditions.filter.as_deref()?;
    let Vain { got, kept, removed, severity, at_stake_ms } = Vain::by_filter(case, node)?;
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "{} joined {} rows to keep {} by {filter} ({} removed){}",
            node.label(),
            count(got),
            count(kept),
            percent(removed),
            case.cost(node.buffers.map(|buffers| buffers.shared()), node.total_ms)
        ),
        at_stake_ms,
        advice: advice(filter).to_owned(),
        statements: Vec::new(),
        confidence: Confidence::Medium,
    })
}

fn advice(filter: &str) -> &'static str {
    let alternatives = condition::alternatives(condition::bare(filter));
    if filter.contains("SubPlan") {
        "write the subquery in the condition as EXISTS or a join of its own, before the outer join"
    } else if alternatives.len() > 1 && alternatives.iter().any(|one| one.ends_with(" IS NULL")) {
        "split the OR with IS NULL: one query with JOIN and the condition, one with NOT EXISTS, put together by UNION ALL"
    } else if alternatives.len() > 1 {
        "split the OR across both tables: a query for each of its conditions, in which it can be looked up by an index, put together by UNION"
    } else if filter.contains(" IS NULL") {
        "write it as NOT EXISTS (SELECT FROM .. WHERE ..), which stops at the first partner, if rows without a partner are wanted; the column that is compared with NULL \
         has to be NOT NULL for that to mean the same"
    } else if filter.contains("COALESCE(") {
        "write the COALESCE as two conditions: join by JOIN with the condition on the column, and add rows without a partner by UNION ALL only if they meet it"
    } else {
        "write the LEFT JOIN as JOIN, if rows without a partner cannot meet the condition, so that it is checked before the join; or compare a column instead of an expression"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_silent, findings_of_text, rules_of};

    #[test]
    fn rows_joined_in_vain_are_reported_at_the_join() {
        let findings = findings_of_text(
            "\
Hash Left Join  (cost=3000.00..45000.00 rows=100 width=40) (actual time=40.2..400.0 rows=20 loops=1)
  Hash Cond: (a.holder = h.id)
  Filter: ((a.code = 'x7'::text) OR (h.mail = 'b@example.org'::text))
  Rows Removed by Filter: 499980
  ->  Seq Scan on accounts a  (cost=0.00..9000.00 rows=500000 width=20) (actual time=0.01..60.0 rows=500000 loops=1)
  ->  Hash  (cost=2000.00..2000.00 rows=50000 width=20) (actual time=40.0..40.0 rows=50000 loops=1)
        Buckets: 65536  Batches: 1  Memory Usage: 3000kB
        ->  Seq Scan on holders h  (cost=0.00..2000.00 rows=50000 width=20) (actual time=0.01..19.0 rows=50000 loops=1)
Execution Time: 401.0 ms",
        );
        assert_eq!(rules_of(&findings)[0], RULE.id);
        assert!(findings[0].advice.contains("UNION"), "{}", findings[0].advice);
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_hash_join", "healthy_not_exists", "or_in_a_join"]);
    }
}
