//! Why a join by an equality was not made by a hash or a merge.

use super::{
    case::Case,
    estimates::{sides, underestimated},
};
use crate::{
    plan::{Node, names},
    sqltext::{condition, quote},
    text::rounded as count,
};

/// Factor from which an estimate is off.
const OFF: f64 = 3.0;
/// Pairs expected from which a hash is cheaper by the planner's own estimates.
const MANY_PAIRS: f64 = 1_000_000.0;

/// Types that PostgreSQL can neither hash nor sort, and those that it can only sort. Sorted.
const NEITHER: [&str; 9] = ["box", "circle", "json", "line", "lseg", "path", "point", "polygon", "xml"];
const NO_HASH: [&str; 4] = ["bit", "money", "tsquery", "tsvector"];

/// Why, and what to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unhashed {
    pub(crate) why: String,
    pub(crate) statements: Vec<String>,
}

/// Why the nested loop `join` tries the pairs that its Join Filter compares by an equality; `None` if no equality is in it.
pub(crate) fn unhashed(case: &Case<'_>, join: &Node) -> Option<Unhashed> {
    let condition = join.conditions.join_filter.as_deref()?;
    let (outer, inner) = sides(case.plan, join)?;
    let terms = condition::terms(condition);
    if let Some(term) = terms.iter().find(|term| term.contains(" IS DISTINCT FROM ")) {
        return Some(Unhashed {
            why: format!(
                "{term} is no equality that PostgreSQL can hash: write the columns with = and make them NOT NULL, or replace NULL on both sides by a value that \
                 does not occur, with COALESCE"
            ),
            statements: Vec::new(),
        });
    }
    let (equality, left, right) = terms.into_iter().find_map(|term| {
        let found = condition::comparison(term).filter(|found| found.operator == "=")?;
        let is_between = |one: &str, other: &str| {
            names(case, outer, one)
                && !names(case, inner, one)
                && names(case, inner, other)
                && !names(case, outer, other)
        };
        let joins = is_between(found.left, found.right) || is_between(found.right, found.left);
        joins.then_some((term, found.left, found.right))
    })?;
    let settings = &case.plan.settings;
    let off: Vec<&str> = ["enable_hashjoin", "enable_mergejoin"]
        .into_iter()
        .filter(|name| settings.get(*name).is_some_and(|value| value == "off"))
        .collect();
    if !off.is_empty() {
        return Some(Unhashed {
            why: format!(
                "set {} back: {equality} is an equality that could be hashed, and the settings of this plan, {} = off, keep the planner from it",
                off.join(" and "),
                off.join(" = off, ")
            ),
            statements: off.iter().map(|name| format!("RESET {name}")).collect(),
        });
    }
    if let Some(of) = [left, right].into_iter().find_map(|side| type_of(case, side)) {
        let what = if NEITHER.contains(&of.as_str()) { "neither hash nor sort" } else { "not hash" };
        return Some(Unhashed {
            why: format!(
                "{equality} compares values of type {of}, which PostgreSQL can {what}: join by a column of another type, or by an expression \
                 of one on both sides, such as a cast to text"
            ),
            statements: Vec::new(),
        });
    }
    if refers(case, inner, outer) {
        return Some(Unhashed {
            why: format!(
                "{equality} is an equality, but the inner side is computed for each row of the outer one (LATERAL), so that it cannot be hashed: take what it \
                 needs of the outer row into the condition of the join"
            ),
            statements: Vec::new(),
        });
    }
    Some(by_estimate(case, equality, outer, inner))
}

/// What is left: the planner expected so few rows that trying all pairs seemed cheap.
fn by_estimate(case: &Case<'_>, equality: &str, outer: usize, inner: usize) -> Unhashed {
    let nodes = case.plan.nodes();
    let off = [outer, inner].into_iter().flat_map(|side| case.plan.subtree(side));
    let off = off.filter(|node| node.scans_relation() && underestimated(node));
    let off = off.filter_map(|node| Some((node, node.misestimate().filter(|factor| *factor >= OFF)?)));
    let worst = off.max_by(|one, other| one.1.total_cmp(&other.1)).map(|(node, _)| node);
    let pairs = nodes[outer].plan_rows * nodes[inner].plan_rows;
    let other_causes = "SHOW enable_hashjoin and enable_mergejoin, which may be off, and see in pg_operator whether this = can hash or merge (oprcanhash, oprcanmerge)";
    let mut statements = Vec::new();
    let mut why = format!("{equality} is an equality that could be hashed, which the planner did not do");
    if let Some(node) = worst {
        why.push_str(&format!(
            ": it expected {} rows of {} where {} came",
            count(node.plan_rows),
            node.label(),
            count(node.actual.map_or(0.0, |actual| actual.rows))
        ));
        if let Some(table) = names::table(node) {
            why.push_str(&format!("; analyze {table}"));
            statements.push(format!("ANALYZE {table}"));
        }
    }
    if worst.is_none() || pairs >= MANY_PAIRS {
        let even = if worst.is_some() { "; even for the rows expected a hash is cheaper: " } else { ": " };
        why.push_str(&format!("{even}{other_causes}"));
    }
    Unhashed { why, statements }
}

/// Whether an expression names a column of what the node at `side` reads.
fn names(case: &Case<'_>, side: usize, expression: &str) -> bool {
    let aliases = case.plan.subtree(side).iter().filter_map(|node| node.alias.as_deref().or(node.relation.as_deref()));
    aliases
        .into_iter()
        .any(|alias| !condition::columns(expression, alias).is_empty() && is_qualified(expression, alias))
}

/// Whether it says that a column is of this table: without, it may be of any.
fn is_qualified(expression: &str, alias: &str) -> bool {
    expression.contains(&format!("{}.", quote::identifier(alias)))
}

/// Whether conditions below `inner` name what `outer` reads.
fn refers(case: &Case<'_>, inner: usize, outer: usize) -> bool {
    case.plan.subtree(inner).iter().any(|node| {
        let on = &node.conditions;
        let texts = [&on.index, &on.recheck, &on.filter, &on.join_filter, &on.hash, &on.merge, &on.one_time];
        texts.into_iter().flatten().any(|text| names(case, outer, text))
    })
}

/// The type of the column that a side is, if it cannot be hashed.
fn type_of(case: &Case<'_>, side: &str) -> Option<String> {
    case.plan.nodes().iter().filter(|node| node.scans_relation()).find_map(|node| {
        let alias = node.alias.as_deref().or(node.relation.as_deref())?;
        let condition::Side::Column(column) = condition::side(side, alias) else { return None };
        let table = case.statement.tables.find(node.schema.as_deref(), node.relation.as_deref()?)?;
        let of = &table.column(&quote::name(column))?.type_name;
        let plain = of.split('(').next().unwrap_or(of).trim();
        let plain = if plain == "bit varying" { "bit" } else { plain };
        (is_qualified(side, alias) && (NEITHER.contains(&plain) || NO_HASH.contains(&plain))).then(|| of.clone())
    })
}
