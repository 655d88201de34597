//! An index holds the column, but not first.

use super::Rule;
use crate::{
    explain::{
        advice,
        condition::{self, Side},
        diagnose::{Case, Sighting},
        plan::Node,
        scans::Scan,
        sql,
        tables::{IndexFacts, TableFacts},
        words::count,
    },
    record::{Confidence, Severity},
};

/// Index pages below which reading all of an index does not matter.
const MIN_PAGES: u64 = 100;
/// Index pages for each row found.
const PAGES_A_ROW: f64 = 0.5;
/// Pages that going down an index takes at most.
const PAGES_A_SEARCH: f64 = 5.0;

pub(super) const RULE: Rule = Rule {
    id: "unused-index-column-order",
    title: "An index holds the column, but not first",
    sees: "a scan that read over 100 pages of a B-tree index, over one for every two rows it found, by a condition that leaves out the index's first column (known \
           from the catalog, or from an index name such as orders_customer_id_created_at_idx); where the catalog is known, also a scan as in seq-scan-filter \
           beside such an index",
    why: "An index on several columns is sorted by the first of them, then by the second, as a phone book is by last name, then by first name. Who knows only the \
          first name has to read all of it.",
    advice: "Make an index that begins with the column that is asked for, or put the columns of the existing one in another order where nothing else needs it.",
    source: "https://www.postgresql.org/docs/current/indexes-multicolumn.html",
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter", "read-efficiency", "low-selectivity-index", "hot-node"],
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for (at, node) in case.worth_a_word() {
        seen.extend(reads_all_of(case, at, node));
    }
    for (scan, waste) in case.wasteful().into_iter().filter(|(scan, _)| scan.node.node_type == "Seq Scan") {
        let Some((column, index)) = left_out(case, &scan) else { continue };
        seen.push(sighting(
            case,
            Place { at: scan.at, node: scan.node, table: scan.node },
            column,
            Sighting {
                severity: waste.severity,
                node: Some(scan.at),
                evidence: format!("{}; {} holds {column}, but not first", waste.evidence, index.name),
                at_stake_ms: waste.at_stake_ms,
                advice: String::new(),
                statements: Vec::new(),
                confidence: Confidence::High,
            },
        ));
    }
    seen
}

struct Place<'a> {
    at: usize,
    node: &'a Node,
    /// The node that names the table.
    table: &'a Node,
}

/// An index read from end to end for want of its first column.
fn reads_all_of(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let index = node.index.as_deref()?;
    let table = if node.relation.is_some() { node } else { above(case, node)? };
    let alias = table.alias.as_deref().or(table.relation.as_deref())?;
    let condition = node.conditions.index.as_deref()?;
    let compared: Vec<&str> = condition::columns(condition, alias);
    let column = *compared.first()?;
    let pages = node.own_buffers?.shared();
    let rows = node.rows() + node.rounding() + node.removed.filter * node.loops();
    // A scan of the table visits a page of it for each row.
    let of_rows = if node.relation.is_some() { rows } else { 0.0 };
    let searches = node.loops();
    let of_index = pages as f64 - of_rows - PAGES_A_SEARCH * searches;
    if pages < MIN_PAGES || of_index < MIN_PAGES as f64 || of_index < PAGES_A_ROW * rows {
        return None;
    }
    let leading = match facts(case, table).and_then(|facts| facts.indexes.iter().find(|facts| facts.name == index)) {
        Some(facts) => facts.keys.first().map(|key| key.expression.clone())?,
        None => first_by_name(index, table.relation.as_deref()?, &compared)?,
    };
    if compared.contains(&leading.as_str()) {
        return None;
    }
    let at_stake_ms = node.own_ms;
    Some(sighting(
        case,
        Place { at, node, table },
        column,
        Sighting {
            severity: case.by_share(at_stake_ms).max(Severity::Warning),
            node: Some(at),
            evidence: format!(
                "{} read {} pages of the index to find {} rows by {column}, which is not its first column{}",
                node.label(),
                count(pages as f64),
                count(node.rows()),
                case.cost(None, node.own_ms)
            ),
            at_stake_ms,
            advice: String::new(),
            statements: Vec::new(),
            confidence: Confidence::High,
        },
    ))
}

/// The sighting with what to do.
fn sighting(case: &Case<'_>, place: Place<'_>, column: &str, sighting: Sighting) -> Sighting {
    let statement = match advice::index_for(case, place.at) {
        Some(index) => Some(index.statement),
        None => sql::table(place.table).map(|table| format!("CREATE INDEX CONCURRENTLY ON {table} ({column})")),
    };
    let existing = place.node.index.as_ref().map(|index| format!(" instead of {index}")).unwrap_or_default();
    Sighting {
        advice: format!("make an index that begins with {column}{existing}"),
        statements: statement.into_iter().collect(),
        ..sighting
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
    let begins = |index: &IndexFacts| index.keys.first().is_some_and(|key| columns.contains(&key.expression.as_str()));
    if trees().any(begins) {
        return None;
    }
    trees().find_map(|index| {
        let column =
            index.keys.iter().skip(1).find_map(|key| columns.iter().find(|column| **column == key.expression))?;
        Some((*column, index))
    })
}

fn facts<'a>(case: &Case<'a>, table: &Node) -> Option<&'a TableFacts> {
    case.statement.tables.find(table.schema.as_deref(), table.relation.as_deref()?)
}

/// The scan of the table that a bitmap is for.
fn above<'a>(case: &Case<'a>, node: &'a Node) -> Option<&'a Node> {
    std::iter::successors(case.plan.parent(node), |above| case.plan.parent(above))
        .find(|above| above.relation.is_some())
}

/// What comes before the compared columns in a name that PostgreSQL gave the index: table, columns, `idx`. `None` where the name says
/// nothing of the kind.
fn first_by_name(index: &str, table: &str, compared: &[&str]) -> Option<String> {
    let columns = index.strip_prefix(table)?.strip_prefix('_')?;
    let columns = columns.trim_end_matches(|c: char| c.is_ascii_digit());
    let columns = ["_idx", "_key"].iter().find_map(|suffix| columns.strip_suffix(suffix))?;
    let before = compared.iter().filter_map(|column| {
        columns.strip_suffix(column).or_else(|| columns.find(&format!("_{column}_")).map(|at| &columns[..=at]))
    });
    before
        .map(|before| before.trim_end_matches('_').to_owned())
        .find(|before| !before.is_empty() && !compared.iter().any(|column| before.starts_with(column)))
}
