//! A filter whose alternatives look at different columns.

use super::leading_wildcard;
use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
    },
    plan::names,
    record::Confidence,
    sqltext::{
        condition::{self, Side},
        quote,
    },
};

pub(crate) const RULE: Rule = Rule {
    id: "or-condition",
    title: "OR across different columns",
    sees: "a scan as in seq-scan-filter or index-filter whose filter holds an OR, the sides of which look at different columns, at a subquery, or at a \
           parameter only",
    why: "No single index finds the rows of both sides of such an OR. Unless each side has an index of its own, which the database can then combine, it reads \
          every row to test all sides.",
    advice: "Give each side of the OR an index of its own, or write the sides as statements joined by UNION; leave out a condition that is switched off by a \
             parameter.",
    source: "https://www.postgresql.org/docs/current/indexes-bitmap-scans.html; thresholds as in seq-scan-filter",
    shown_by: &[
        "https://proxies-free.com/postgresql-why-is-or-statement-slower-than-union/",
        "https://postgresql.org/message-id/2555.1341528681%40sss.pgh.pa.us",
    ],
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter", "hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for (scan, waste) in case.wasteful() {
        let sides = scan.filter().into_iter().map(condition::alternatives).find(|sides| are_different(scan, sides));
        // An index by what else the filter compares is the better advice.
        let Some(sides) = sides.filter(|_| scan.index(case).is_none()) else { continue };
        let term = condition::unqualified(&sides.join(" OR "), scan.alias())
            .replace("hashed SubPlan", "subquery")
            .replace("SubPlan", "subquery");
        let statements = statements(case, scan, &sides);
        let has_subquery = sides.iter().any(|side| side.contains("SubPlan"));
        let is_optional = sides.iter().any(|side| condition::columns(side, scan.alias()).is_empty()) && !has_subquery;
        seen.push(Sighting {
            evidence: format!("{}; the filter has to test {term}", waste.evidence),
            advice: if is_optional {
                "leave the condition out of the statement where its parameter switches it off".to_owned()
            } else if has_subquery {
                "write the sides of the OR as two statements joined by UNION, so that the subquery becomes a join".to_owned()
            } else {
                "give each side of the OR an index of its own, so that the database can combine them, or join the sides by UNION".to_owned()
            },
            confidence: if statements.is_empty() { Confidence::Medium } else { Confidence::High },
            statements,
            ..scan.wasted(waste)
        });
    }
    seen
}

/// Whether there are sides, and no single column that all of them look at.
fn are_different(scan: &Scan<'_>, sides: &[&str]) -> bool {
    let columns = sides.iter().map(|side| condition::columns(side, scan.alias()));
    let mut columns = columns.collect::<Vec<_>>().into_iter();
    match columns.next() {
        Some(first) if sides.len() > 1 => {
            let others: Vec<_> = columns.collect();
            !first.iter().any(|column| others.iter().all(|other| other.contains(column)))
        }
        _ => false,
    }
}

/// An index for each side; none where a side cannot be looked up in one, or all have one.
fn statements<'a>(case: &Case<'_>, scan: &Scan<'a>, sides: &[&'a str]) -> Vec<String> {
    let Some(table) = names::table(scan.node).filter(|_| scan.nodes.len() == 1) else { return Vec::new() };
    let facts =
        case.statement.tables.find(scan.node.schema.as_deref(), scan.node.relation.as_deref().unwrap_or_default());
    let mut statements: Vec<String> = Vec::new();
    for side in sides {
        // Of several conditions on a side one suffices.
        let of_side = condition::terms(side).into_iter().find_map(|term| {
            let compared = scan.compared(term)?;
            match compared.side {
                _ if leading_wildcard::is_search(&compared) => {
                    Some(trigram_index(scan, &leading_wildcard::searched(scan, &compared)))
                }
                Side::Column(column) if compared.is_ordered() => {
                    let has_one = facts.is_some_and(|facts| {
                        facts.indexes.iter().any(|index| {
                            index.predicate.is_none()
                                && index.keys.first().is_some_and(|key| key.expression == quote::name(column))
                        })
                    });
                    Some(if has_one {
                        Vec::new()
                    } else {
                        vec![format!("CREATE INDEX CONCURRENTLY ON {table} ({column})")]
                    })
                }
                _ => None,
            }
        });
        let Some(of_side) = of_side else { return Vec::new() };
        statements.extend(of_side);
    }
    let mut once: Vec<String> = Vec::new();
    for statement in statements {
        if !once.contains(&statement) {
            once.push(statement);
        }
    }
    once
}

/// What makes an index of all three letters in a row of the expression.
fn trigram_index(scan: &Scan<'_>, expression: &str) -> Vec<String> {
    let Some(table) = names::table(scan.node).filter(|_| scan.nodes.len() == 1) else { return Vec::new() };
    let key = if condition::columns(expression, scan.alias()) == [expression] {
        expression.to_owned()
    } else {
        format!("({expression})")
    };
    vec![
        "CREATE EXTENSION IF NOT EXISTS pg_trgm".to_owned(),
        format!("CREATE INDEX CONCURRENTLY ON {table} USING gin ({key} gin_trgm_ops)"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{IndexFacts, IndexKey, TableFacts, Tables},
        findings::plan::captured::{assert_on_top, assert_silent, findings_beside, findings_of_text, told},
    };

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        for name in ["or_across_columns", "or_with_subquery"] {
            assert_on_top(RULE.id, name);
        }
        insta::assert_snapshot!(told(RULE.id, "or_across_columns"), @"
        critical: Seq Scan on mails read 150 000 rows to keep 50 (99.96 % removed), 1 102 buffers; the filter has to test sender_id = 42 OR receiver_id = 42
        give each side of the OR an index of its own, so that the database can combine them, or join the sides by UNION
        CREATE INDEX CONCURRENTLY ON planted_or_across_columns.mails (sender_id)
        CREATE INDEX CONCURRENTLY ON planted_or_across_columns.mails (receiver_id)
        ");
        insta::assert_snapshot!(told(RULE.id, "or_with_subquery"), @"
        critical: Seq Scan on files read 100 000 rows to keep 53 (99.94 % removed), 637 buffers; the filter has to test owner_id = 42 OR subquery 1
        write the sides of the OR as two statements joined by UNION, so that the subquery becomes a join
        ");
    }

    #[test]
    fn a_side_that_has_an_index_gets_no_other() {
        let plan = "\
Seq Scan on mails m  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..90.0 rows=100 loops=1)
  Filter: ((\"senderId\" = 42) OR (\"receiverId\" = 42))
  Rows Removed by Filter: 900000
Execution Time: 90.5 ms";
        let of_sender = "CREATE INDEX CONCURRENTLY ON mails (\"senderId\")";
        let of_receiver = "CREATE INDEX CONCURRENTLY ON mails (\"receiverId\")";
        assert_eq!(findings_of_text(plan)[0].statements, [of_sender, of_receiver]);
        let key = IndexKey { expression: "senderId".into(), ..Default::default() };
        let index = IndexFacts { name: "s".into(), method: "btree".into(), keys: vec![key], ..Default::default() };
        let table = TableFacts { name: "mails".into(), indexes: vec![index], ..Default::default() };
        assert_eq!(findings_beside(plan, &Tables { tables: vec![table] })[0].statements, [of_receiver]);
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["missing_index", "queue_of_open_jobs", "healthy_in_list"]);
    }
}
