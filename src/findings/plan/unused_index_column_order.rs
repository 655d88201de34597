//! An index holds the column, but not first.

use crate::{
    advice,
    catalog::{IndexFacts, IndexKey, TableFacts},
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
    },
    plan::{Node, names},
    record::{Confidence, Severity},
    sqltext::{
        condition::{self, Side},
        quote,
    },
    text::rounded as count,
};

/// Index pages below which reading them does not matter.
const MIN_PAGES: f64 = 75.0;
/// Index pages for each row found.
const PAGES_A_ROW: f64 = 0.5;
/// Pages that going down an index takes at most.
const PAGES_A_SEARCH: f64 = 5.0;
/// The planner's cost of a search, and of each row it expects, above which it expects to read all of the index: 5 pages at
/// `random_page_cost` 4 a row.
const COST_A_SEARCH: f64 = 300.0;
const COST_A_ROW: f64 = 20.0;

pub(crate) const RULE: Rule = Rule {
    id: "unused-index-column-order",
    title: "An index holds the column, but not first",
    sees: "a scan that visited over 75 pages of an index, over one for every two rows it found, by a condition that leaves out the index's first column or asks \
           for a range of it and for one value of a later column; the columns are known from the catalog, and otherwise told by the \
           planner's cost, by an index name such as orders_customer_id_created_at_idx, or by the searches that PostgreSQL 18 counts; where the catalog is known, also a scan as in seq-scan-filter \
           beside such an index",
    why: "An index on several columns is sorted by the first of them, then by the second, as a phone book is by last name, then by first name. Who knows only the \
          first name has to read all of it.",
    advice: "Make an index that begins with the column that is asked for, or put the columns of the existing one in another order where nothing else needs it.",
    source: "https://www.postgresql.org/docs/current/indexes-multicolumn.html",
    shown_by: &["https://commandprompt.com/blog/second_element_index_usage_postgres"],
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter", "read-efficiency", "low-selectivity-index", "hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen: Vec<Sighting> = case.worth_a_word().filter_map(|(at, node)| reads_all_of(case, at, node)).collect();
    for (scan, waste) in case.wasteful().filter(|(scan, _)| scan.node.node_type == "Seq Scan") {
        let Some((column, index)) = left_out(case, scan) else { continue };
        seen.push(Sighting {
            evidence: format!("{}; {} holds {column}, but not first", waste.evidence, index.name),
            advice: format!("make an index that begins with {column}"),
            statements: statement(case, scan.at, scan.node, &[column]),
            confidence: Confidence::High,
            ..scan.wasted(waste)
        });
    }
    seen
}

/// An index read for want of its first column, or for all of a range of it.
fn reads_all_of(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let index = node.index.as_deref()?;
    let table = if node.relation.is_some() { node } else { above(case, node)? };
    let compared = compared(node.conditions.index.as_deref()?, alias(table));
    let pages = node.own_buffers?.shared() as f64;
    let rows = node.rows() + node.rounding() + node.removed.filter * node.loops();
    // A scan of the table visits a page of it for each row.
    let of_rows = if node.relation.is_some() { rows } else { 0.0 };
    let of_index = pages - of_rows - PAGES_A_SEARCH * node.loops();
    if of_index < MIN_PAGES || of_index < PAGES_A_ROW * rows {
        return None;
    }
    let (columns, because) = if let Some((column, range)) = behind_a_range(&compared) {
        (vec![column, range], format!("which it holds behind {range}, of which a range is asked for"))
    } else {
        let column = first_is_left_out(case, node, table, index, &compared)?;
        (vec![column], "which is not its first column".to_owned())
    };
    let sighting = Sighting {
        severity: case.by_share(node.own_ms).max(Severity::Warning),
        node: Some(at),
        evidence: format!(
            "{} visited {} pages to find {} rows by {}, {because}{}",
            node.label(),
            count(pages),
            count(node.rows()),
            columns[0],
            case.cost(None, node.own_ms)
        ),
        at_stake_ms: node.own_ms,
        advice: format!("make an index that begins with {} instead of {index}", columns.join(", then ")),
        statements: statement(case, at, table, &columns),
        confidence: Confidence::High,
    };
    Some(sighting)
}

/// Columns that an index is searched by, with whether one value of each is asked for, in the order of the index; none where it is not
/// searched by their order.
fn compared<'a>(condition: &'a str, alias: &str) -> Vec<(&'a str, bool)> {
    const ORDERED: [&str; 6] = ["=", "= ANY", "<", "<=", ">", ">="];
    let terms = condition::terms(condition);
    if !terms
        .iter()
        .all(|term| condition::comparison(term).is_some_and(|comparison| ORDERED.contains(&comparison.operator)))
    {
        return Vec::new();
    }
    terms
        .into_iter()
        .flat_map(|term| {
            let equality =
                condition::comparison(term).is_some_and(|comparison| matches!(comparison.operator, "=" | "= ANY"));
            condition::columns(term, alias).into_iter().map(move |column| (column, equality))
        })
        .collect()
}

/// The column of which one value is asked for behind the column of which a range is, and that one.
fn behind_a_range<'a>(compared: &[(&'a str, bool)]) -> Option<(&'a str, &'a str)> {
    let range = compared.iter().position(|(_, equality)| !equality)?;
    let is_range_only = |name: &str| compared.iter().all(|(column, equality)| *column != name || !equality);
    let (first, _) = compared[range];
    let behind = compared[range..].iter().find(|(column, equality)| *equality && *column != first)?;
    is_range_only(first).then_some((behind.0, first))
}

/// The first column that is compared, where that is not the first of the index.
fn first_is_left_out<'a>(
    case: &Case<'_>,
    node: &Node,
    table: &Node,
    index: &str,
    compared: &[(&'a str, bool)],
) -> Option<&'a str> {
    let names: Vec<String> = compared.iter().map(|(column, _)| quote::name(column)).collect();
    let (column, _) = *compared.first()?;
    if let Some(facts) = facts(case, table).and_then(|facts| facts.indexes.iter().find(|facts| facts.name == index)) {
        let first = facts.keys.first()?;
        return (!names.contains(&first.expression)).then_some(column);
    }
    // PostgreSQL 18 searches such an index once for each value of its first column.
    let is_list = node.conditions.index.as_ref().is_some_and(|condition| condition.contains(" ANY "));
    let skips = !is_list && node.index_searches.is_some_and(|searches| searches > 2.0 * node.loops());
    let is_dear = !is_list && node.total_cost.is_some_and(|cost| cost > COST_A_SEARCH + COST_A_ROW * node.plan_rows);
    (skips || is_dear || is_behind_by_name(index, table.relation.as_deref()?, &names)).then_some(column)
}

fn alias(table: &Node) -> &str {
    table.alias.as_deref().or(table.relation.as_deref()).unwrap_or_default()
}

fn statement(case: &Case<'_>, at: usize, table: &Node, columns: &[&str]) -> Vec<String> {
    match advice::index_for(&case.planned, at) {
        Some(index) => index.statements(),
        None => names::table(table)
            .map(|table| format!("CREATE INDEX CONCURRENTLY ON {table} ({})", columns.join(", ")))
            .into_iter()
            .collect(),
    }
}

/// The column of the filter that an index of the table holds behind another, which the filter does not compare; none where some index
/// begins with a column that it does.
fn left_out<'a>(case: &Case<'a>, scan: &Scan<'a>) -> Option<(&'a str, &'a IndexFacts)> {
    let facts = facts(case, scan.node)?;
    let compared =
        scan.filter().into_iter().filter_map(|term| scan.compared(term)).filter(|compared| compared.is_ordered());
    let columns: Vec<&str> = compared
        .filter_map(|compared| match compared.side {
            Side::Column(column) => Some(column),
            _ => None,
        })
        .collect();
    let trees = || facts.indexes.iter().filter(|index| index.method == "btree" && index.predicate.is_none());
    let is = |column: &str, key: &IndexKey| quote::name(column) == key.expression;
    let begins =
        |index: &IndexFacts| index.keys.first().is_some_and(|key| columns.iter().any(|column| is(column, key)));
    if trees().any(begins) {
        return None;
    }
    trees().find_map(|index| {
        let column = index.keys.iter().skip(1).find_map(|key| columns.iter().find(|column| is(column, key)))?;
        Some((*column, index))
    })
}

fn facts<'a>(case: &Case<'a>, table: &Node) -> Option<&'a TableFacts> {
    case.statement.tables.find(table.schema.as_deref(), table.relation.as_deref()?)
}

/// The scan of the table that a bitmap is for.
fn above<'a>(case: &Case<'a>, node: &Node) -> Option<&'a Node> {
    std::iter::successors(case.plan.parent(node), |above| case.plan.parent(above))
        .find(|above| above.relation.is_some())
}

/// Whether a name that PostgreSQL gave the index (table, columns, `idx`) begins with another column than any compared.
fn is_behind_by_name(index: &str, table: &str, compared: &[String]) -> bool {
    let columns = index.strip_prefix(table).and_then(|rest| rest.strip_prefix('_')).unwrap_or_default();
    let columns = columns.trim_end_matches(|c: char| c.is_ascii_digit());
    let Some(columns) = ["_idx", "_key"].iter().find_map(|suffix| columns.strip_suffix(suffix)) else { return false };
    let begins = |column: &String| {
        columns == *column || columns.strip_prefix(column.as_str()).is_some_and(|rest| rest.starts_with('_'))
    };
    let holds = |column: &String| columns.ends_with(&format!("_{column}")) || columns.contains(&format!("_{column}_"));
    compared.iter().any(holds) && !compared.iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::Tables,
        findings::plan::captured::{assert_on_top, assert_silent, findings_beside, told},
    };

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        for name in ["column_order_by_name", "range_before_equality"] {
            assert_on_top(RULE.id, name);
        }
        insta::assert_snapshot!(told(RULE.id, "column_order_by_name"), @"
        critical: Index Scan using orders_shop_id_customer_id_idx on orders visited 103 pages to find 10 rows by customer_id, which is not its first column
        make an index that begins with customer_id instead of orders_shop_id_customer_id_idx
        CREATE INDEX CONCURRENTLY ON planted_column_order_by_name.orders (customer_id)
        ");
        insta::assert_snapshot!(told(RULE.id, "range_before_equality"), @"
        critical: Index Scan using log_lines_time_host on log_lines visited 794 pages to find 63 rows by host_id, which it holds behind logged_at, of which a range is asked for
        make an index that begins with host_id, then logged_at instead of log_lines_time_host
        CREATE INDEX CONCURRENTLY ON planted_range_before_equality.log_lines (host_id, logged_at)
        ");
    }

    #[test]
    fn names_in_quotes_are_those_of_the_catalog() {
        let top = |keys: [&str; 2]| {
            let keys = keys.map(|key| IndexKey { expression: key.into(), ..Default::default() }).to_vec();
            let index = IndexFacts { name: "i".into(), method: "btree".into(), keys, ..Default::default() };
            let table = TableFacts { name: "t".into(), indexes: vec![index], ..Default::default() };
            let plan = "\
Seq Scan on t  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..90.0 rows=100 loops=1)
  Filter: (\"userId\" = 42)
  Rows Removed by Filter: 900000
Execution Time: 90.5 ms";
            findings_beside(plan, &Tables { tables: vec![table] }).remove(0)
        };
        assert_eq!(top(["shopId", "userId"]).rule, RULE.id);
        assert_eq!(top(["userId", "shopId"]).rule, "seq-scan-filter");
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(
            RULE.id,
            &["dead_index_entries", "row_by_row", "vacuum_debt", "healthy_keyset_page", "partitions_by_another_column"],
        );
    }
}
