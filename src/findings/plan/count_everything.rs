//! An aggregate over all rows of a table.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
    },
    plan::{Node, Plan, names},
    record::{Confidence, Severity},
    sqltext::condition::{self, Side},
    text::rounded as count,
};

/// Rows from which counting all of them is noticed.
const MIN_ROWS: f64 = 100_000.0;

pub(crate) const RULE: Rule = Rule {
    id: "count-everything",
    title: "All rows of a table are read for one figure",
    sees: "an aggregate without GROUP BY over a scan of over 100 000 rows without any condition, such as SELECT count(*)",
    why: "PostgreSQL keeps no count of a table's rows, since each transaction may see other rows: it visits all of them each time. No index makes that \
          independent of the table's size.",
    advice: "Ask whether the exact figure is needed: the planner's estimate (pg_class.reltuples) is there at once, a count up to a limit is bounded, and a summary \
             table kept by the application or by triggers is exact. A minimum or maximum comes from an index on the column.",
    source: "https://wiki.postgresql.org/wiki/Slow_Counting",
    shown_by: &["https://wiki.postgresql.org/wiki/Slow_Counting"],
    reads_estimates: false,
    explains: &["hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for scan in case.scans().iter().filter(|scan| scan.rows_read() > MIN_ROWS && is_unconditional(scan.node)) {
        let Some(aggregate) = aggregate_over(case.plan, scan.node) else { continue };
        let output = &aggregate.conditions.output;
        let extreme = extreme_of(scan, output);
        let table = names::table(scan.node).filter(|_| scan.nodes.len() == 1);
        let (advice, statement) = match (extreme, table) {
            (Some(column), table) => (
                format!("give {column} an index: its ends are the minimum and the maximum"),
                table.map(|table| format!("CREATE INDEX CONCURRENTLY ON {table} ({column})")),
            ),
            (None, Some(table)) if output.len() == 1 && output[0] == "count(*)" => (
                "take the planner's estimate where the exact figure is not needed, count up to a limit, or keep the figure in a table of its own".to_owned(),
                Some(format!("SELECT reltuples::bigint FROM pg_class WHERE oid = '{}'::regclass", table.replace('\'', "''"))),
            ),
            _ => ("keep the figure in a summary table, or take an estimate where it need not be exact".to_owned(), None),
        };
        let at_stake_ms = aggregate.total_ms;
        seen.push(Sighting {
            severity: if extreme.is_some() { case.by_share(at_stake_ms) } else { Severity::Warning },
            node: Some(scan.at),
            evidence: format!(
                "{} read all of {} rows for one row of {}{}",
                scan.label(),
                count(scan.rows_read()),
                if output.is_empty() { "aggregates".to_owned() } else { output.join(", ") },
                case.cost(scan.buffers(), at_stake_ms)
            ),
            at_stake_ms,
            advice,
            confidence: if extreme.is_some() { Confidence::High } else { Confidence::Medium },
            statements: statement.into_iter().collect(),
        });
    }
    seen
}

fn is_unconditional(node: &Node) -> bool {
    let conditions = &node.conditions;
    [&conditions.index, &conditions.recheck, &conditions.filter, &conditions.one_time]
        .iter()
        .all(|condition| condition.is_none())
}

/// The aggregate that makes one row of all that the node returns.
fn aggregate_over<'a>(plan: &'a Plan, scan: &'a Node) -> Option<&'a Node> {
    let mut above = std::iter::successors(plan.parent(scan), |node| plan.parent(node))
        .skip_while(|node| matches!(node.node_type.as_str(), "Append" | "Gather" | "Result"))
        .take_while(|node| {
            matches!(node.node_type.as_str(), "Aggregate" | "Gather" | "Append") && node.conditions.group_key.is_empty()
        });
    let first = above.next()?;
    let top = above.filter(|node| node.node_type == "Aggregate").last().unwrap_or(first);
    (first.node_type == "Aggregate" && top.rows() <= top.loops()).then_some(top)
}

/// The column, where only its minimum or maximum is asked for.
fn extreme_of<'a>(scan: &Scan<'a>, output: &'a [String]) -> Option<&'a str> {
    let mut columns = output.iter().map(|output| {
        let (name, argument) = condition::calls(output).into_iter().next()?;
        let is_all = matches!(name, "min" | "max") && *output == format!("{name}({argument})");
        match condition::side(argument, scan.alias()) {
            Side::Column(column) if is_all => Some(column),
            _ => None,
        }
    });
    let first = columns.next()??;
    columns.all(|column| column == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_on_top, assert_silent, findings_of_text, told};

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        for name in ["count_everything", "least_without_index"] {
            assert_on_top(RULE.id, name);
        }
        insta::assert_snapshot!(told(RULE.id, "count_everything"), @"
        warning: Seq Scan on comments read all of 200 000 rows for one row of count(*), 5 883 buffers
        take the planner's estimate where the exact figure is not needed, count up to a limit, or keep the figure in a table of its own
        SELECT reltuples::bigint FROM pg_class WHERE oid = 'planted_count_everything.comments'::regclass
        ");
        insta::assert_snapshot!(told(RULE.id, "least_without_index"), @"
        critical: Seq Scan on offers read all of 150 000 rows for one row of min(cents), max(cents), 1 547 buffers
        give cents an index: its ends are the minimum and the maximum
        CREATE INDEX CONCURRENTLY ON planted_least_without_index.offers (cents)
        ");
    }

    #[test]
    fn an_index_has_the_ends_of_a_column_alone() {
        let statements = |output: &str| {
            let mut findings = findings_of_text(&format!(
                "\
Aggregate  (cost=20000.00..20000.01 rows=1 width=8) (actual time=90.1..90.1 rows=1 loops=1)
  Output: {output}
  ->  Seq Scan on public.t  (cost=0.00..20000.00 rows=1000000 width=80) (actual time=0.05..40.0 rows=1000000 loops=1)
        Output: id, name
Execution Time: 90.5 ms"
            ));
            assert_eq!(findings[0].rule, RULE.id);
            findings.remove(0).statements
        };
        assert_eq!(statements("max(t.id)"), ["CREATE INDEX CONCURRENTLY ON t (id)"]);
        for output in ["min(lower((t.name)::text))", "max(t.id) FILTER (WHERE (t.name = 'x'::text))", "max((t.id + 1))"]
        {
            assert!(statements(output).is_empty(), "{output}");
        }
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_count_of_a_few", "healthy_aggregate_over_most", "vacuum_debt"]);
    }
}
