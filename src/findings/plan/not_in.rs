//! `NOT IN` with a subquery.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    plan::Node,
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// How often the subquery is read before that is too often.
const MIN_LOOPS: f64 = 2.0;

pub(crate) const RULE: Rule = Rule {
    id: "not-in",
    title: "NOT IN with a subquery",
    sees: "a filter `NOT (SubPlan)` whose subquery is kept and read again for each row; a warning, critical from 40 % of the time. `NOT (hashed SubPlan)`, where the subquery fits into memory, is \
           no slower and info, a warning where its column is known to be nullable",
    why: "NOT IN has to be false or unknown as soon as the subquery returns a NULL, so that PostgreSQL cannot join: it keeps the subquery's rows in a hash, and once they no longer fit into \
          memory it goes through all of them for each row. And a single NULL among them makes the whole condition return no row at all, which is hardly ever meant.",
    advice: "Write `NOT EXISTS (SELECT 1 FROM ... WHERE ... = ...)`, which is joined (an anti join) and does what is meant where there are NULLs.",
    source: "https://wiki.postgresql.org/wiki/Don%27t_Do_This",
    shown_by: &["https://dba.stackexchange.com/questions/295443", "https://stackoverflow.com/questions/7125291"],
    reads_estimates: false,
    explains: &["correlated-subquery", "seq-scan-filter", "index-filter", "misestimate"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    nodes.filter_map(|(at, node)| repeated(case, at, node).or_else(|| hashed(case, at, node))).collect()
}

/// Whether `child` is the subquery of a NOT IN of `node` that is read again for each row.
pub(crate) fn is_repeated(node: &Node, child: &Node) -> bool {
    let name = child.subplan.as_deref().unwrap_or_default();
    let negated = node.conditions.filter.as_deref().is_some_and(|filter| {
        // Before PostgreSQL 17 `(NOT (SubPlan 1))`; from there `(NOT (ANY (a.id = (SubPlan 1).col1)))`.
        filter.contains(&format!("NOT ({name})"))
            || (filter.contains("NOT (ANY (") && filter.contains(&format!("({name}).")))
    });
    // Kept to be read again: a subquery of NOT EXISTS, printed alike, is not.
    negated && child.relationship.as_deref() == Some("SubPlan") && child.node_type == "Materialize"
}

fn repeated(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let subquery = case.plan.children(node).find(|child| is_repeated(node, child))?;
    if subquery.loops() < MIN_LOOPS {
        return None;
    }
    let ms = subquery.total_ms.zip(node.own_ms).map(|(subquery, own)| subquery + own);
    let share = ms.and_then(|ms| case.share(ms));
    Some(Sighting {
        severity: case.by_share(ms).max(Severity::Warning),
        node: Some(at),
        evidence: format!(
            "{} went through the rows of a NOT IN's subquery {} times, {} rows in all{}",
            node.label(),
            count(subquery.loops()),
            count(subquery.rows()),
            share.map(|share| format!(", {} of the time", percent(share))).unwrap_or_default()
        ),
        at_stake_ms: ms.map(|ms| ms * (1.0 - 1.0 / subquery.loops())),
        advice: "write NOT EXISTS instead of NOT IN, which can be joined; a NULL in the subquery then no longer makes the result empty".to_owned(),
        statements: Vec::new(),
        confidence: Confidence::High,
    })
}

fn hashed(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let filter = node.conditions.filter.as_deref()?;
    let of_filter = |child: &&Node| {
        let name = child.subplan.as_deref().unwrap_or_default();
        child.is_subplan()
            && (filter.contains(&format!("NOT (hashed {name})"))
                || (filter.contains("NOT (ANY (") && filter.contains(&format!("(hashed {name})"))))
    };
    let child = node.children.iter().copied().find(|child| of_filter(&&case.plan.nodes()[*child]))?;
    let subquery = &case.plan.nodes()[child];
    let nullable = nullable(case, child);
    let (severity, of) = match nullable {
        Some(true) => {
            (Severity::Warning, format!("; {} can be NULL, and one NULL makes the result empty", output(subquery)))
        }
        Some(false) => (Severity::Info, String::new()),
        None => (Severity::Info, "; if one of them is NULL the result is empty".to_owned()),
    };
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "{} keeps the {} rows of a NOT IN's subquery in memory{of}",
            node.label(),
            count(subquery.rows())
        ),
        at_stake_ms: None,
        advice:
            "write NOT EXISTS instead of NOT IN: it can be joined when the rows outgrow work_mem, and NULLs do no harm"
                .to_owned(),
        statements: Vec::new(),
        confidence: Confidence::Medium,
    })
}

fn output(subquery: &Node) -> &str {
    subquery.conditions.output.first().map_or("its column", String::as_str)
}

/// Whether the subquery's column is one of a table that may be NULL; `None` where that is not known.
fn nullable(case: &Case<'_>, subquery: usize) -> Option<bool> {
    let (alias, column) = output(&case.plan.nodes()[subquery]).split_once('.')?;
    let scan = case.plan.subtree(subquery).iter().find(|node| node.alias.as_deref() == Some(alias))?;
    let table = case.statement.tables.find(scan.schema.as_deref(), scan.relation.as_deref()?)?;
    Some(!table.column(column.trim_matches('"'))?.not_null)
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{captured, findings};
    use crate::{
        catalog::{ColumnFacts, TableFacts, Tables},
        findings::{case::Examined, diagnose},
        record::{Finding, Severity},
    };

    fn of(findings: Vec<Finding>) -> Option<Finding> {
        findings.into_iter().find(|finding| finding.rule == super::RULE.id)
    }

    #[test]
    fn a_subquery_that_is_gone_through_for_each_row_is_told() {
        let findings = findings("not_in", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("not-in", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"Seq Scan on accounts went through the rows of a NOT IN's subquery 1 000 times, 6 350 000 rows in all, 99.8 % of the time");
        assert!(findings.iter().all(|finding| finding.rule != "correlated-subquery"));
    }

    #[test]
    fn one_in_memory_is_a_trap_where_its_column_is_nullable() {
        let (_, plans) = captured("not_in_hashed").next().unwrap();
        let with = |not_null| {
            let column = ColumnFacts { name: "account_id".to_owned(), not_null, ..ColumnFacts::default() };
            let name = "blocked".to_owned();
            let schema = "planted_not_in_hashed".to_owned();
            let blocked = TableFacts { schema, name, columns: vec![column], ..TableFacts::default() };
            let tables = Tables { tables: vec![blocked] };
            of(diagnose(&Examined { name: None, sql: None, plans: &plans, tables: &tables, executions: None })).unwrap()
        };
        assert_eq!([true, false].map(|not_null| with(not_null).severity), [Severity::Info, Severity::Warning]);
        insta::assert_snapshot!(with(false).evidence, @"Seq Scan on accounts keeps the 10 000 rows of a NOT IN's subquery in memory; blocked.account_id can be NULL, and one NULL makes the result empty");
    }

    #[test]
    fn not_exists_is_fine() {
        assert_eq!(of(findings("healthy_not_exists", 15)), None);
    }
}
