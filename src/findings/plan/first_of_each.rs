//! All rows are read to return the first few of each key.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
        vain::Vain,
    },
    plan::Node,
    record::{Confidence, Severity},
    sqltext::{condition, quote},
    text::{part as percent, rounded as count},
};

/// Share of the rows that is returned at most: a lookup by an index for each key then costs less than reading all.
const MOST_KEPT: f64 = 0.1;

pub(crate) const RULE: Rule = Rule {
    id: "first-of-each",
    title: "All rows are read to return the first few of each key",
    sees: "a Unique, a WindowAgg with a Run Condition, or a grouping with nothing but one min() or max() that got 10 000 rows and over (or 1 000 that took 10 ms) of one table and passed on a tenth of them at most; a warning from \
           10 % of the time, critical from 40 %",
    why: "DISTINCT, DISTINCT ON, max() by key and row_number() <= n read and sort all rows, also where a key has thousands and only the first is wanted. PostgreSQL does not jump in an index from one key \
          to the next by itself.",
    advice: "Make an index of the key and the order. Ask for each key by LATERAL (.. ORDER BY .. LIMIT n), with the keys from their own table, or walk from key to key with a recursive CTE.",
    source: "https://wiki.postgresql.org/wiki/Loose_indexscan; https://www.postgresql.org/docs/current/queries-table-expressions.html#QUERIES-LATERAL",
    shown_by: &["https://codedump.io/share/4iKXjc6BpDoU/1/optimize-groupwise-maximum-query"],
    reads_estimates: false,
    explains: &["hot-node", "misestimate"],
    throws_away: true,
    check,
};

/// What keeps the first of each key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// DISTINCT: only the keys.
    Keys,
    /// DISTINCT ON: one row of each.
    One,
    /// row_number() and the like up to a limit.
    Numbered,
    /// min() or max() of each.
    Extreme,
}

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen: Vec<Sighting> = Vec::new();
    let mut covered = 0;
    for (at, node) in case.plan.nodes().iter().enumerate() {
        // Of several steps of one DISTINCT, as workers take them, the topmost.
        if at >= covered
            && let Some(sighting) = kind(case, node).and_then(|kind| sighting(case, at, node, kind))
        {
            covered = at + case.plan.subtree(at).len();
            seen.push(sighting);
        }
    }
    seen
}

fn kind(case: &Case<'_>, node: &Node) -> Option<Kind> {
    match node.node_type.as_str() {
        "Unique" => Some(if is_distinct_on(case, node) { Kind::One } else { Kind::Keys }),
        "WindowAgg" => node.conditions.run.as_ref().map(|_| Kind::Numbered),
        // Without VERBOSE it is not said whether it has aggregates.
        "Aggregate" | "Group" => {
            let (keys, output) = (&node.conditions.group_key, &node.conditions.output);
            let others: Vec<&String> = output.iter().filter(|one| !keys.iter().any(|key| is_same(one, key))).collect();
            if keys.is_empty() || node.conditions.filter.is_some() {
                return None;
            }
            match others.as_slice() {
                [] if output.is_empty() => extreme_of_others(case).map(|_| Kind::Extreme),
                [] => Some(Kind::Keys),
                [only] => extreme(only).map(|_| Kind::Extreme),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether both are one column: VERBOSE qualifies the keys of a single table, but not its output.
fn is_same(one: &str, other: &str) -> bool {
    let ends =
        |long: &str, short: &str| long.strip_suffix(short).is_some_and(|head| head.is_empty() || head.ends_with('.'));
    ends(one, other) || ends(other, one)
}

/// The column of `max(x)` or `min(x)`, as an index has it.
fn extreme(output: &str) -> Option<String> {
    let inside = |aggregate| output.strip_prefix(aggregate)?.strip_suffix(')');
    let is_column =
        |text: &&str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_.\"".contains(&c));
    let largest = inside("max(").filter(is_column).map(|column| format!("{column} DESC"));
    largest.or_else(|| inside("min(").filter(is_column).map(str::to_owned))
}

/// The same of a condition that compares it: what the aggregate returns is not said without VERBOSE.
fn extreme_of_others(case: &Case<'_>) -> Option<String> {
    let conditions = case.plan.nodes().iter().flat_map(|node| {
        let on = &node.conditions;
        [&on.index, &on.hash, &on.merge, &on.join_filter].into_iter().flatten()
    });
    let sides = conditions.flat_map(|text| condition::terms(text)).filter_map(condition::comparison);
    sides.flat_map(|found| [found.left, found.right]).find_map(|side| extreme(condition::bare(side)))
}

/// DISTINCT ON returns columns by which it does not sort, or is written in the statement.
fn is_distinct_on(case: &Case<'_>, unique: &Node) -> bool {
    let keys = case.plan.children(unique).map(|below| &below.conditions.sort_key).find(|keys| !keys.is_empty());
    let bare = |key: &str| key.split(" DESC").next().unwrap_or(key).split(" NULLS").next().unwrap_or(key).to_owned();
    let keys: Vec<String> = keys.into_iter().flatten().map(|key| bare(key)).collect();
    let is_more = unique.conditions.output.iter().any(|output| !keys.iter().any(|key| is_same(output, key)));
    let text = case.statement.sql.or(case.plan.query.as_deref()).unwrap_or_default().to_ascii_lowercase();
    let is_written = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .windows(2)
        .any(|pair| pair[0].ends_with("distinct") && pair[1].starts_with("on"));
    is_written || !keys.is_empty() && is_more
}

fn sighting(case: &Case<'_>, at: usize, node: &Node, kind: Kind) -> Option<Sighting> {
    let below = at..at + case.plan.subtree(at).len();
    let scans = case.scans();
    let place = |at| scans.partition_point(|scan| scan.at < at);
    let [scan] = &scans[place(below.start)..place(below.end)] else { return None };
    // A condition that keeps little is what to look at, and the keys then are of few rows.
    let is_alone = case.plan.subtree(at)[1..]
        .iter()
        .all(|node| !node.node_type.ends_with("Join") && node.node_type != "Nested Loop");
    let got = scan.rows();
    if !is_alone || node.rows() > MOST_KEPT * got {
        return None;
    }
    let Vain { got, kept, removed, severity, at_stake_ms } =
        Vain::of(case, got, node.rows(), scan.sum(Node::rounding), node.total_ms)?;
    let order = order(case, at, node, scan, kind)?;
    let of = scan.label();
    Some(Sighting {
        severity: if scan.waste.is_some() { severity.min(Severity::Warning) } else { severity },
        node: Some(at),
        evidence: format!(
            "{} read {} rows of {of} to return {} ({} left out){}",
            node.label(),
            count(got),
            count(kept),
            percent(removed),
            case.cost(node.buffers.map(|buffers| buffers.shared()), node.total_ms)
        ),
        at_stake_ms,
        advice: advice(scan, kind, &order, is_there(case, scan, &order)),
        // An index alone would not be read: the query has to ask otherwise.
        statements: Vec::new(),
        confidence: Confidence::Medium,
    })
}

/// Columns of an index in the order that is needed; `None` where it is not of columns.
fn order(case: &Case<'_>, at: usize, node: &Node, scan: &Scan<'_>, kind: Kind) -> Option<Vec<String>> {
    let sorted = case.plan.subtree(at).iter().map(|node| &node.conditions.sort_key).find(|keys| !keys.is_empty());
    let of_output =
        || node.conditions.output.iter().find_map(|output| extreme(output)).or_else(|| extreme_of_others(case));
    let mut with_extreme = node.conditions.group_key.clone();
    with_extreme.extend(of_output().filter(|_| kind == Kind::Extreme));
    let keys = match (&with_extreme, sorted) {
        (group, _) if !group.is_empty() => group,
        (_, Some(sorted)) => sorted,
        // It is read in order already.
        _ => return Some(Vec::new()),
    };
    let plain = |key: &String| {
        let column = key.split(" DESC").next()?.split(" NULLS").next()?;
        matches!(condition::side(column, scan.alias()), condition::Side::Column(_))
            .then(|| condition::unqualified(key, scan.alias()))
    };
    keys.iter().map(plain).collect()
}

/// Whether an index begins with these columns.
fn is_there(case: &Case<'_>, scan: &Scan<'_>, order: &[String]) -> bool {
    let facts =
        case.statement.tables.find(scan.node.schema.as_deref(), scan.node.relation.as_deref().unwrap_or_default());
    order.is_empty()
        || facts.is_some_and(|facts| {
            facts.indexes.iter().any(|index| {
                let names = || index.keys.iter().map(|key| key.expression.as_str());
                let wanted = || order.iter().map(|key| quote::name(key.split(' ').next().unwrap_or(key)));
                index.predicate.is_none()
                    && names().count() >= order.len()
                    && wanted().zip(names()).all(|(one, other)| one == other)
            })
        })
}

fn advice(scan: &Scan<'_>, kind: Kind, order: &[String], is_there: bool) -> String {
    let table = scan.node.relation.as_deref().unwrap_or("the table");
    let key = order.first().map_or("the key", |key| key.split(' ').next().unwrap_or(key));
    let index = match order {
        [] => "the index that is read here serves it".to_owned(),
        _ if is_there => format!("the index on ({}) that is there serves it", order.join(", ")),
        _ => format!("an index on {table} ({}) serves it", order.join(", ")),
    };
    match kind {
        Kind::Keys => format!(
            "walk from key to key instead of reading all: WITH RECURSIVE k AS ((SELECT {key} FROM {table} ORDER BY {key} LIMIT 1) UNION ALL SELECT (SELECT {key} FROM {table} \
             WHERE {key} > k.{key} ORDER BY {key} LIMIT 1) FROM k WHERE k.{key} IS NOT NULL) SELECT {key} FROM k WHERE {key} IS NOT NULL; or ask the table whose key {key} is, with \
             EXISTS; {index}"
        ),
        Kind::One | Kind::Numbered | Kind::Extreme => {
            let limit = if kind == Kind::Numbered { "LIMIT n" } else { "LIMIT 1" };
            format!(
                "ask for each key by itself: FROM the table whose key {key} is, CROSS JOIN LATERAL (SELECT .. FROM {table} WHERE {table}.{key} = its key ORDER BY .. {limit}); \
                 without such a table, find the keys with a recursive CTE that walks from one to the next; {index}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_silent, findings_of_text, rules_of};

    #[test]
    fn distinct_on_over_all_rows_asks_for_a_lookup_by_key() {
        let plan = "\
Unique  (cost=61000.00..63500.00 rows=200 width=20) (actual time=400.0..590.0 rows=200 loops=1)
  Output: device, at, degrees
  ->  Sort  (cost=61000.00..62250.00 rows=500000 width=20) (actual time=400.0..520.0 rows=500000 loops=1)
        Output: device, at, degrees
        Sort Key: readings.device, readings.at DESC
        Sort Method: external merge  Disk: 16000kB
        ->  Seq Scan on public.readings  (cost=0.00..8000.00 rows=500000 width=20) (actual time=0.01..60.0 rows=500000 loops=1)
              Output: device, at, degrees
Execution Time: 595.0 ms";
        let findings = findings_of_text(plan);
        assert_eq!(rules_of(&findings), [RULE.id]);
        insta::assert_snapshot!(findings[0].advice, @"ask for each key by itself: FROM the table whose key device is, CROSS JOIN LATERAL (SELECT .. FROM readings WHERE readings.device = its key ORDER BY .. LIMIT 1); without such a table, find the keys with a recursive CTE that walks from one to the next; an index on readings (device, at DESC) serves it");
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_aggregate_over_most", "hash_aggregate_spill", "healthy_sort"]);
    }
}
