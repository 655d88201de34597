//! There is an index for the filter, and it is not used.

use crate::{
    catalog::{IndexFacts, OperatorFacts},
    findings::{
        case::{Case, Sighting},
        rewrite,
        rule::Rule,
        scan::Scan,
        unused::{self, By, Unused, Why},
    },
    plan::names,
    record::Confidence,
    sqltext::quote,
    text::rounded as count,
};

/// Pages of a scan below a policy from which it matters that an operator is not looked up.
const MIN_PAGES: u64 = 100;

/// Correlation below which the rows of neighbouring keys are on pages far from each other.
const SCATTERED: f64 = 0.5;

pub(crate) const RULE: Rule = Rule {
    id: "index-not-used",
    title: "There is an index for this, and it is not used",
    sees: "a scan as in seq-scan-filter or index-filter whose filter an index of the table is made for, and the reason why it is not used: the index is invalid; \
           row-level security is on and the operator is not leakproof (also where the scan reads 100 pages or more); the index has another operator class, collation, \
           expression or predicate; the condition is written so that no index serves it (`value = ANY (column)`); the pattern has fewer than three letters in a \
           row; planner settings are against it; the estimate is 10 times too high (a value that is known only when the statement runs, columns that go together, statistics); random_page_cost is too high for tables in memory or on SSDs. Without a database only settings are known",
    why: "The index costs space, and time at every write, and the statement reads the table all the same. Another index of the same columns would not be used either, \
          for the same reason.",
    advice: "Remove the reason: rebuild the index if it is invalid, write the condition as the index has it, or make the index as the condition needs it.",
    source: "https://www.postgresql.org/docs/current/indexes-examine.html; operator classes: https://www.postgresql.org/docs/current/indexes-opclass.html; \
             row-level security and LEAKPROOF: https://www.postgresql.org/docs/current/rules-privileges.html",
    shown_by: &[
        "https://stackoverflow.com/questions/15597602",
        "https://stackoverflow.com/questions/41186880",
        "https://coderwall.com/p/ey7mbq/make-pg-arrays-actually-use-the-gin-index-don-t-use-any",
    ],
    reads_estimates: false,
    explains: &[
        "seq-scan-filter",
        "index-filter",
        "leading-wildcard",
        "function-on-column",
        "read-efficiency",
        "hot-node",
    ],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    case.scans().iter().filter_map(|scan| sighting(case, scan)).collect()
}

fn sighting<'a>(case: &Case<'a>, scan: &Scan<'a>) -> Option<Sighting> {
    let is_large = scan.buffers().is_some_and(|buffers| buffers >= MIN_PAGES);
    if scan.waste.is_none() && !is_large {
        return None;
    }
    let unused = unused::of_scan(case, scan)?;
    let at_scan = match &scan.waste {
        Some(waste) => scan.wasted(waste),
        // Few rows are dropped, but the index leads past many pages.
        None if matches!(unused.why, Why::Leaky { .. }) && scan.removed_by_filter() > 0.0 => Sighting {
            severity: case.by_share(scan.own_ms()),
            evidence: format!(
                "{} read {} rows to keep {}{}",
                scan.label(),
                count(scan.rows_read()),
                count(scan.rows()),
                case.cost(scan.buffers(), scan.own_ms())
            ),
            at_stake_ms: scan.own_ms(),
            node: Some(scan.at),
            advice: String::new(),
            statements: Vec::new(),
            confidence: Confidence::Medium,
        },
        None => return None,
    };
    let (advice, statements, confidence) = advice(case, scan, &unused);
    Some(Sighting {
        evidence: format!("{}; {}", at_scan.evidence, reason(&unused)),
        advice,
        statements,
        confidence,
        ..at_scan
    })
}

/// Why the index is not used, in words.
fn reason(unused: &Unused<'_>) -> String {
    let key = &unused.key;
    match &unused.why {
        Why::Invalid(index) => format!("the index {} on {key} is invalid", index.name),
        Why::Leaky { operator, index } => {
            let not_used = match index {
                Some(index) => format!("the index {} has {key}, but is not looked up by it", index.name),
                None => format!("no index would be looked up by {key}"),
            };
            format!(
                "{not_used}: row-level security is on, and {}, the function of {}, is not marked LEAKPROOF",
                signature(operator),
                operator.name
            )
        }
        Why::Operator { operator, index, shadows: true } => format!(
            "the index {} is not used: {} is here the operator of schema {}, and the operator class of the index has the one of PostgreSQL",
            index.name, operator.name, operator.schema
        ),
        Why::Operator { operator, index, shadows: false } => {
            format!(
                "the index {} is not used: its operator class {} has no {}",
                index.name,
                class(index),
                operator.name
            )
        }
        Why::Written { index, .. } => {
            format!("the index {} on {key} is not used: no index serves the condition as it is written", index.name)
        }
        Why::Collation(index) => format!(
            "the index {} is not used: it has {key} in the order of its collation, and LIKE compares bytes",
            index.name
        ),
        Why::OtherCollation { index, collation } => format!(
            "the index {} is not used: it has {key} in the order of the collation {collation}, and the condition compares by the column's",
            index.name
        ),
        Why::FewLetters(index) => format!(
            "the index {} is of no use: the pattern has no three letters in a row, which are what it finds texts by",
            index.name
        ),
        Why::Predicate { index, predicate } => format!(
            "the index {} is not used: it holds only rows where {predicate}, and the statement does not say that it wants no others",
            index.name
        ),
        Why::Expression { index, expression } => {
            format!("the index {} is not used: it is on {expression}, and the condition is on {key}", index.name)
        }
        Why::Settings { settings, index } => {
            let settings: Vec<String> = settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let index =
                index.map_or_else(|| format!("no index on {key}"), |index| format!("not the index {}", index.name));
            format!("the settings {} let the planner use {index}", settings.join(", "))
        }
        Why::Estimate { index, planned, by } => {
            let by = match by {
                By::Subquery { .. } => ", since the value of a subquery is known only when the statement runs",
                By::Columns(_) => ", taking its columns for independent of each other",
                By::Statistics => "",
            };
            format!(
                "the index {} is not used: the planner expected {} rows{by}, for which reading the table is cheaper",
                index.name,
                count(*planned)
            )
        }
        Why::Cost(index) => format!(
            "the index {} is not used: the planner took reading the table to be cheaper, though it expected no more rows than there are",
            index.name
        ),
    }
}

/// What to do, the statements that do it, and how sure that is.
fn advice<'a>(case: &Case<'a>, scan: &Scan<'a>, unused: &Unused<'a>) -> (String, Vec<String>, Confidence) {
    let key = &unused.key;
    let table = || names::table(scan.node).filter(|_| scan.nodes.len() == 1);
    let index = scan.index(case);
    let statements = || index.clone().map(crate::advice::IndexAdvice::statements).unwrap_or_default();
    match &unused.why {
        // The one of a partitioned table becomes valid by those of its partitions.
        Why::Invalid(index) if is_partition(case, scan) => (
            format!("give every partition the index and attach it to {}, which is valid then", index.name),
            Vec::new(),
            Confidence::High,
        ),
        Why::Invalid(index) => {
            let name = quote::identifier(&index.name);
            let name = match scan.node.schema.as_deref().filter(|schema| *schema != "public") {
                Some(schema) => format!("{}.{name}", quote::identifier(schema)),
                None => name,
            };
            let advice = format!(
                "rebuild {}, or drop it and make it again: a CREATE INDEX CONCURRENTLY that failed left it behind, no statement reads it, and every \
                 write keeps it up",
                index.name
            );
            (advice, vec![format!("REINDEX INDEX CONCURRENTLY {name}")], Confidence::High)
        }
        Why::Leaky { operator, .. } if is_comparison(operator) => (
            format!(
                "have a superuser mark the function LEAKPROOF, in the whole database, or give {key} a type whose {} is leakproof, such as integer or text: below a policy \
                 an operator that is not could reveal values of rows that the policy hides, so it is checked after it, row by row",
                operator.name
            ),
            vec![format!("ALTER FUNCTION {} LEAKPROOF", signature(operator))],
            Confidence::Medium,
        ),
        Why::Leaky { operator, .. } => (
            format!(
                "no index on {key} helps below the policy, since {} may reveal values of rows that it hides: ask through a SECURITY DEFINER function that checks \
                 the rights itself, or make the policy compare a column that leaves fewer rows",
                operator.name
            ),
            Vec::new(),
            Confidence::Medium,
        ),
        Why::Operator { operator, shadows: true, .. } => (
            format!(
                "write the operator as OPERATOR(pg_catalog.{}), which the index serves, or give {key} an index of the extension's operator class",
                operator.name
            ),
            statements(),
            Confidence::High,
        ),
        Why::Operator { operator, .. } => {
            (format!("give {key} an index whose operator class has {}", operator.name), statements(), Confidence::High)
        }
        Why::Written { index, rewrite } => (
            format!("write the condition as {}, which the index {} serves", rewrite.condition, index.name),
            Vec::new(),
            Confidence::High,
        ),
        Why::Collation(_) => match &index {
            Some(index) => (index.why.clone(), statements(), Confidence::High),
            None => (
                format!("give {key} an index with the operator class text_pattern_ops"),
                table()
                    .map(|table| format!("CREATE INDEX CONCURRENTLY ON {table} ({key} text_pattern_ops)"))
                    .into_iter()
                    .collect(),
                Confidence::High,
            ),
        },
        Why::OtherCollation { collation, .. } => (
            format!(
                "give {key} an index of its own collation, or write {key} COLLATE {} in the condition, where that order is meant",
                quote::identifier(collation)
            ),
            statements(),
            Confidence::High,
        ),
        Why::FewLetters(_) => (
            format!(
                "let people search {key} by at least three letters in a row; for fewer, compare the beginning of {key} (LIKE 'ab%') by a b-tree"
            ),
            Vec::new(),
            Confidence::Medium,
        ),
        Why::Predicate { predicate, .. } => (
            format!("add {predicate} to the statement if it wants no other rows; otherwise make an index of all rows"),
            statements(),
            Confidence::Medium,
        ),
        Why::Expression { expression, .. } => {
            (format!("compare {expression}, as the index has it, or index {key}"), statements(), Confidence::Medium)
        }
        Why::Settings { settings, .. } => {
            let names: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
            (
                format!(
                    "set {} back to the default, for the session, the role or the database that has it",
                    names.join(", ")
                ),
                names.iter().map(|name| format!("RESET {name}")).collect(),
                Confidence::High,
            )
        }
        Why::Estimate { by: By::Subquery { operator }, .. } => (
            format!(
                "ask for the value first, and give it as a constant or a parameter; or bound {key} on the other side as well ({key} {operator} (SELECT ..) AND {key} {} a value \
                 beyond all others), for which the planner expects few rows",
                if operator.starts_with('>') { "<" } else { ">" }
            ),
            Vec::new(),
            Confidence::Medium,
        ),
        Why::Estimate { by: By::Columns(columns), .. } => {
            let relation = scan.node.relation.as_deref().unwrap_or_default();
            let names: Vec<String> = columns.iter().map(|column| quote::name(column)).collect();
            let of_table = table().map(|table| {
                let name =
                    quote::identifier(&format!("{relation}_{}", names.join("_")).chars().take(60).collect::<String>());
                vec![
                    format!("CREATE STATISTICS {name} (mcv) ON {} FROM {table}", columns.join(", ")),
                    format!("ANALYZE {table}"),
                ]
            });
            (
                format!(
                    "let the planner know how few rows have these values of {} together: create extended statistics, whose list of the most common combinations tells it",
                    columns.join(" and ")
                ),
                of_table.unwrap_or_default(),
                Confidence::Medium,
            )
        }
        Why::Estimate { .. } => (
            format!(
                "let the planner know how few rows there are: analyze the table, or raise the statistics target of {key} first (SET STATISTICS 1000)"
            ),
            table()
                .into_iter()
                .flat_map(|table| {
                    [format!("ALTER TABLE {table} ALTER COLUMN {key} SET STATISTICS 1000"), format!("ANALYZE {table}")]
                })
                .collect(),
            Confidence::Low,
        ),
        Why::Cost(index) => {
            let scattered = index
                .keys
                .first()
                .and_then(|key| correlation(case, scan, &key.expression))
                .is_some_and(|of| of < SCATTERED);
            let rows = if scattered {
                "the rows that it finds are scattered over the table, each on a page of its own at worst, and "
            } else {
                ""
            };
            (
                format!(
                    "lower random_page_cost if the table is in memory or on SSDs: {rows}the default of 4 takes a page at random to cost as much as four in a row, as on \
                     spinning disks; 1.1 is usual, for the tablespace or the database. Set effective_cache_size to the memory that caches files as well"
                ),
                Vec::new(),
                Confidence::Low,
            )
        }
    }
}

/// How far the rows of the table are in the order of a column, from 0 to 1.
fn correlation(case: &Case<'_>, scan: &Scan<'_>, column: &str) -> Option<f64> {
    let table = case.statement.tables.find(scan.node.schema.as_deref(), scan.node.relation.as_deref()?)?;
    table.column(column)?.correlation.map(f64::abs)
}

fn is_partition(case: &Case<'_>, scan: &Scan<'_>) -> bool {
    let relation = scan.node.relation.as_deref().unwrap_or_default();
    let table = case.statement.tables.find(scan.node.schema.as_deref(), relation);
    table.is_some_and(|table| table.partition_of.is_some())
}

fn signature(operator: &OperatorFacts) -> String {
    operator.function.replace(',', ", ")
}

/// Whether it is one of those that b-trees have: they give nothing but an order.
fn is_comparison(operator: &OperatorFacts) -> bool {
    matches!(operator.name.as_str(), "=" | "<" | ">" | "<=" | ">=") && operator.schema == "pg_catalog"
}

fn class(index: &IndexFacts) -> &str {
    index.keys.first().and_then(|key| key.operator_class.as_deref()).unwrap_or("of the type")
}

/// What a filter that no index serves as it is could be instead, with the index that this needs.
pub(crate) fn rewritten(case: &Case<'_>, scan: &Scan<'_>) -> Option<(String, Vec<String>)> {
    let (_, rewrite) = rewrite::of_scan(scan)?;
    let table = case.statement.tables.find(scan.node.schema.as_deref(), scan.node.relation.as_deref()?);
    if let Some(index) = table.and_then(|table| rewrite::existing(table, &rewrite, &scan.indexes(case))) {
        return Some((
            format!("write the condition as {}, which the index {} serves", rewrite.condition, index.name),
            Vec::new(),
        ));
    }
    let kind = match rewrite.method {
        "gin" => "a GIN index",
        "gist" => "a GiST index",
        _ => "an index",
    };
    let advice = format!("write the condition as {}, and give {} {kind}", rewrite.condition, rewrite.key);
    let statements = if scan.nodes.len() == 1 { rewrite::statements(scan.node, table, &rewrite) } else { Vec::new() };
    Some((advice, statements))
}
