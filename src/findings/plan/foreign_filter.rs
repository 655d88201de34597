//! Rows are fetched from another server and thrown away here.

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

/// Share of the rows that is kept at most where nothing filters them.
const MOST_KEPT: f64 = 0.1;

pub(crate) const RULE: Rule = Rule {
    id: "foreign-filter",
    title: "Rows are fetched from another server and thrown away here",
    sees: "a Foreign Scan that fetched 10 000 rows and over (or 1 000 that took 10 ms) and removed over 50 % of them by its filter, or of which a sort, a limit or a grouping here made a tenth at most; a warning from 10 % of the time, critical from 40 %",
    why: "A condition is sent to the other server only if it means the same there for certain. What is not sent is checked here: the other server reads and sends all rows, and they \
          come over the network to be thrown away.",
    advice: "Write the condition with columns, constants, built-in operators and immutable functions; name the extensions that both servers have in the option `extensions`; give both sides the same \
             collation; or ask a view of the other server that has the condition. For ORDER BY, LIMIT and groupings set use_remote_estimate, or analyze the foreign table.",
    source: "https://www.postgresql.org/docs/current/postgres-fdw.html#POSTGRES-FDW-REMOTE-QUERY-OPTIMIZATION",
    shown_by: &["https://www.svix.com/blog/fdw-pitfalls"],
    reads_estimates: false,
    explains: &["hot-node", "misestimate"],
    throws_away: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    let foreign = nodes.filter(|(_, node)| node.node_type == "Foreign Scan");
    foreign.filter_map(|(at, node)| sighting(case, at, node).or_else(|| of_few(case, at, node))).collect()
}

/// All rows of the other server, of which a sort, a limit or a grouping here makes a few.
fn of_few(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let mut above = case.plan.parent(node)?;
    while matches!(above.node_type.as_str(), "Sort" | "Incremental Sort" | "Materialize") && above.rows() >= node.rows()
    {
        above = case.plan.parent(above)?;
    }
    let what = match above.node_type.as_str() {
        "Limit" | "Sort" | "Incremental Sort" => "ORDER BY and LIMIT",
        "Aggregate" | "Group" | "Unique" => "the grouping",
        _ => return None,
    };
    if above.rows() > MOST_KEPT * node.rows() {
        return None;
    }
    let Vain { got, kept, severity, at_stake_ms, .. } =
        Vain::of(case, node.rows(), above.rows(), node.rounding(), node.total_ms)?;
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "{} fetched {} rows from the other server, of which {} here made {}{}",
            node.label(),
            count(got),
            above.label(),
            count(kept),
            case.cost(None, node.total_ms)
        ),
        at_stake_ms,
        advice: format!(
            "let the other server do {what}: it is sent only if the planner finds it cheaper there, by its estimates: ALTER SERVER .. OPTIONS (ADD use_remote_estimate \
             'true'), or ANALYZE the foreign table, and give the other server an index in that order; and if all functions, operators and collations in it are sent"
        ),
        statements: Vec::new(),
        confidence: Confidence::Medium,
    })
}

fn sighting(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let filter = node.conditions.filter.as_deref()?;
    let Vain { got, kept, removed, severity, at_stake_ms } = Vain::by_filter(case, node)?;
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "{} fetched {} rows from the other server to keep {} by {filter} ({} removed){}",
            node.label(),
            count(got),
            count(kept),
            percent(removed),
            case.cost(None, node.total_ms)
        ),
        at_stake_ms,
        advice: format!("{}; or ask a view of the other server that has this condition", why_not_sent(filter)),
        statements: Vec::new(),
        confidence: Confidence::Medium,
    })
}

/// Why a condition is not sent, as far as its text says, and what to write instead.
fn why_not_sent(filter: &str) -> String {
    const STABLE: [&str; 8] =
        ["now", "statement_timestamp", "clock_timestamp", "date_trunc", "to_char", "date_part", "to_timestamp", "date"];
    let calls = condition::calls(filter);
    if filter.contains("SubPlan") {
        return "a subquery is not sent: join with its table, or ask for its rows first and pass them as values"
            .to_owned();
    }
    if let Some((name, _)) = calls.iter().find(|(name, _)| STABLE.contains(name)) {
        return format!(
            "{name}() depends on settings of the session and is not sent: compare the bare column with a value that is computed before, as a parameter"
        );
    }
    if let Some((name, _)) = calls.first() {
        return format!(
            "the call of {name}() is not sent unless it is built-in and immutable, or of an extension that the server's option names (ALTER SERVER .. OPTIONS (ADD \
             extensions '..')): compare the bare column instead"
        );
    }
    if filter.contains("CURRENT_") || filter.contains("LOCALTIME") {
        return "the current time is not sent: pass it as a parameter".to_owned();
    }
    "compare a bare column by a built-in operator: an operator of an extension is sent only if the server's option extensions names it, and a comparison of texts only by the column's own \
     collation"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{findings_of_text, rules_of};

    #[test]
    fn a_limit_that_is_not_sent_is_reported() {
        let findings = findings_of_text(
            "\
Limit  (cost=40000.00..40000.01 rows=1 width=8) (actual time=3001.2..3001.2 rows=1 loops=1)
  ->  Sort  (cost=40000.00..41000.00 rows=900000 width=8) (actual time=3001.1..3001.1 rows=1 loops=1)
        Sort Key: quoted_at DESC
        Sort Method: top-N heapsort  Memory: 25kB
        ->  Foreign Scan on quotes  (cost=100.00..35000.00 rows=900000 width=8) (actual time=1.2..2800.0 rows=900000 loops=1)
Execution Time: 3002.0 ms",
        );
        assert_eq!(rules_of(&findings)[0], RULE.id, "{findings:#?}");
        assert!(findings[0].advice.contains("use_remote_estimate"), "{findings:#?}");
    }

    #[test]
    fn rows_that_were_fetched_in_vain_are_reported_with_the_condition() {
        let findings = findings_of_text(
            "\
Foreign Scan on parcels  (cost=100.00..25000.00 rows=1000 width=40) (actual time=1.2..940.0 rows=310 loops=1)
  Filter: (date_trunc('day'::text, sent_at) = '2024-05-01 00:00:00'::timestamp without time zone)
  Rows Removed by Filter: 199690
Execution Time: 941.0 ms",
        );
        assert_eq!(rules_of(&findings), [RULE.id]);
        insta::assert_snapshot!(findings[0].evidence, @"Foreign Scan on parcels fetched 200 000 rows from the other server to keep 310 by (date_trunc('day'::text, sent_at) = '2024-05-01 00:00:00'::timestamp without time zone) (99.8 % removed), 99.8 % of the time");
        assert!(findings[0].advice.starts_with("date_trunc() depends on settings"), "{}", findings[0].advice);
    }
}
