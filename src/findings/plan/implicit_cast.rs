//! A filter converts a column to the type of the value beside it.

use super::function_on_column::is_time;
use crate::{
    catalog::{ColumnFacts, IndexFacts},
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
    },
    plan::{Node, names},
    record::Confidence,
    sqltext::{
        condition::{self, Side},
        quote,
    },
};

pub(crate) const RULE: Rule = Rule {
    id: "implicit-cast",
    title: "A column is converted to the type of the value it is compared with",
    sees: "a scan as in seq-scan-filter or index-filter whose filter converts a column, such as `(id)::numeric = '42'::numeric`; text only where \
           the catalog says that the column is of no character type, or the planner took a number or a UUID to equal one row in 200, as it does without statistics of what is compared: \
           a varchar is printed the same and needs no conversion",
    why: "The value was sent in another type than the column's, so the database converts the column, row by row, instead of the value, once. An index on \
          the column holds values of the column's type and is of no use then.",
    advice: "Send the value in the column's type: bind the parameter with that type, or cast it in the statement.",
    source: "https://www.postgresql.org/docs/current/typeconv-oper.html; thresholds as in seq-scan-filter",
    shown_by: &["https://minhle.xyz/blog/implicit-cast-index-not-used-postgres-bigint-varchar"],
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter", "hot-node"],
    throws_away: false,
    check,
};

/// Share of the rows that the planner takes to be equal to a value where it has no statistics of what is compared: PostgreSQL's
/// `DEFAULT_NUM_DISTINCT` is 200. How far the rows it knew of may be from those read.
const SHARE_WITHOUT_STATISTICS: f64 = 1.0 / 200.0;
const TOLERANCE: f64 = 0.1;

/// How sure it is that the conversion keeps an index from being used; `None` where it does not.
fn certainty(case: &Case<'_>, scan: &Scan<'_>, column: &str, to: &str, value: &str) -> Option<Confidence> {
    let is_text = matches!(to, "text" | "character varying");
    let relation = scan.node.relation.as_deref().unwrap_or_default();
    let table = case.statement.tables.find(scan.node.schema.as_deref(), relation);
    let known = table.and_then(|table| table.column(&quote::name(column))).map(ColumnFacts::base);
    match known {
        Some(known) if is_text => is_no_text(known).then_some(Confidence::High),
        Some(_) => Some(Confidence::High),
        None if !is_text => Some(Confidence::Medium),
        // A varchar is printed the same, but has statistics.
        None => (is_without_statistics(scan)
            && condition::constant(value).is_some_and(|value| is_number(&value) || is_uuid(&value)))
        .then_some(Confidence::Low),
    }
}

/// Whether the planner's rows are those of a single comparison of something that it has no statistics of.
fn is_without_statistics(scan: &Scan<'_>) -> bool {
    let planned = scan.sum(|node: &Node| node.plan_rows);
    let expected = scan.rows_read() * SHARE_WITHOUT_STATISTICS;
    scan.node.node_type == "Seq Scan"
        && scan.sum(Node::loops) == scan.nodes.len() as f64
        && scan.filter().len() == 1
        && (planned - expected).abs() <= TOLERANCE * expected
}

fn is_no_text(type_name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "bigint",
        "boolean",
        "character",
        "date",
        "double precision",
        "inet",
        "integer",
        "json",
        "jsonb",
        "numeric",
        "real",
        "smallint",
        "time",
        "timestamp",
        "uuid",
    ];
    let plain = type_name.split('(').next().unwrap_or(type_name).trim();
    OTHERS.contains(&plain) || plain.starts_with("timestamp ") || plain.starts_with("time ")
}

fn is_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_uuid(value: &str) -> bool {
    value.len() == 36 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// The index that serves once the column is compared as it is, and what makes it where the catalog knows of none.
fn index(case: &Case<'_>, scan: &Scan<'_>, column: &str) -> (String, Vec<String>) {
    let relation = scan.node.relation.as_deref().unwrap_or_default();
    let Some(table) = case.statement.tables.find(scan.node.schema.as_deref(), relation) else {
        return (format!("an index on {column}"), Vec::new());
    };
    let begins = |index: &&IndexFacts| index.keys.first().is_some_and(|key| key.expression == quote::name(column));
    match (table.indexes.iter().find(begins), names::table(scan.node).filter(|_| scan.nodes.len() == 1)) {
        (Some(index), _) => (format!("the index {} on {column}", index.name), Vec::new()),
        (None, Some(name)) if table.partition_of.is_none() && !table.columns.is_empty() => (
            format!("an index on {column}, of which there is none yet,"),
            vec![format!("CREATE INDEX CONCURRENTLY ON {name} ({column})")],
        ),
        _ => (format!("an index on {column}"), Vec::new()),
    }
}

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for (scan, waste) in case.wasteful() {
        let mut ordered = scan.comparisons().iter().filter(|compared| compared.is_ordered() && !is_time(compared));
        let converted = ordered.find_map(|compared| {
            let Side::Cast { column, to } = compared.side else { return None };
            let confidence = certainty(case, scan, column, to, compared.value)?;
            Some((column, to, confidence))
        });
        let Some((column, to, confidence)) = converted else { continue };
        let index = index(case, scan, column);
        seen.push(Sighting {
            evidence: format!("{}; the filter converts {column} to {to} in every row", waste.evidence),
            advice: match confidence {
                Confidence::Low => format!(
                    "unless {column} is a text column, send the value in the type of {column}, so that an index on it serves; if it is one, give it an index"
                ),
                _ => format!("send the value in the type of {column} instead of {to}, so that {} serves", index.0),
            },
            statements: if confidence == Confidence::Low { Vec::new() } else { index.1 },
            confidence,
            ..scan.wasted(waste)
        });
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{TableFacts, Tables},
        findings::plan::captured::{assert_on_top, assert_silent, findings_beside, findings_of_text, rules_of, told},
    };

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        for name in ["implicit_cast", "number_as_text"] {
            assert_on_top(RULE.id, name);
        }
        insta::assert_snapshot!(told(RULE.id, "implicit_cast"), @"
        critical: Seq Scan on parcels read 150 000 rows to keep 1 (99.99 % removed), 811 buffers; the filter converts tracking to numeric in every row
        send the value in the type of tracking instead of numeric, so that an index on tracking serves
        ");
        insta::assert_snapshot!(told(RULE.id, "number_as_text"), @"
        critical: Seq Scan on customers read 100 000 rows to keep 1 (99.99 % removed), 736 buffers; the filter converts customer_no to text in every row
        unless customer_no is a text column, send the value in the type of customer_no, so that an index on it serves; if it is one, give it an index
        ");
    }

    #[test]
    fn a_varchar_is_printed_as_converted_to_text_but_is_not() {
        let plan = "\
Seq Scan on addresses  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..90.0 rows=100 loops=1)
  Filter: ((zip)::text = '80331'::text)
  Rows Removed by Filter: 900000
Execution Time: 90.5 ms";
        assert_eq!(rules_of(&findings_of_text(plan)), ["seq-scan-filter"]);
        let of_type = |type_name: &str| {
            let column = ColumnFacts { name: "zip".into(), type_name: type_name.into(), ..Default::default() };
            let table = TableFacts { name: "addresses".into(), columns: vec![column], ..Default::default() };
            findings_beside(plan, &Tables { tables: vec![table] })
        };
        assert_eq!(rules_of(&of_type("integer")), [RULE.id]);
        assert_eq!(rules_of(&of_type("character varying(10)")), ["seq-scan-filter"]);
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["varchar_without_index", "day_of_a_timestamp", "missing_index"]);
    }
}
