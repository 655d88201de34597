//! Groups are computed and most of them thrown away by HAVING.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        vain::Vain,
    },
    plan::Node,
    record::{Confidence, Severity},
    sqltext::condition,
    text::{part as percent, rounded as count},
};

pub(crate) const RULE: Rule = Rule {
    id: "having-filter",
    title: "Groups are computed and most of them thrown away by HAVING",
    sees: "a grouping of 10 000 groups and over (or 1 000 that took 10 ms) of which its filter (HAVING) removed over 50 %; a warning from 10 % of the time and critical from 40 % where a condition \
           on single rows says which groups are wanted; otherwise a warning at most where the grouping went through temporary files, and info where it did not",
    why: "HAVING is checked after all rows are read and grouped. Often a single row already says that its group is wanted, such as that one value is above a limit: an index finds \
          these rows, and the other groups need not be made.",
    advice: "Write max(x) > limit as WHERE x > limit, or keep the groups that have such a row: WHERE key IN (SELECT key FROM .. WHERE x > limit). Write count(y) = 0 after a LEFT JOIN as NOT EXISTS.",
    source: "https://www.postgresql.org/docs/current/tutorial-agg.html; https://www.postgresql.org/docs/current/queries-table-expressions.html#QUERIES-GROUP",
    shown_by: &[],
    reads_estimates: false,
    explains: &["hot-node", "misestimate"],
    throws_away: true,
    check,
};

/// What a HAVING says of single rows.
#[derive(Debug, PartialEq, Eq)]
enum Rows {
    /// The group is wanted if a row meets this: `x > 5` of `max(x) > 5`.
    One(String),
    /// The group is wanted if no row has this value: `count(y) = 0`.
    None(String),
}

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    let grouping = nodes.filter(|(_, node)| matches!(node.node_type.as_str(), "Aggregate" | "Group"));
    grouping.filter_map(|(at, node)| sighting(case, at, node)).collect()
}

fn sighting(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let filter = node.conditions.filter.as_deref()?;
    let Vain { got, kept, removed, severity, at_stake_ms } = Vain::by_filter(case, node)?;
    let key = node.conditions.group_key.first().map_or("the key", String::as_str);
    let rows = condition::terms(filter).into_iter().find_map(of_rows);
    let (advice, severity) = match &rows {
        Some(Rows::One(condition)) => (
            format!(
                "keep only the groups that have such a row before they are made: WHERE {key} IN (SELECT {key} FROM .. WHERE {condition}), or only WHERE {condition} if nothing \
                 but this aggregate is returned; an index on the column of {condition} finds these rows"
            ),
            severity,
        ),
        Some(Rows::None(value)) => (
            format!("write count({value}) = 0 as NOT EXISTS (SELECT FROM .. WHERE ..), without the join and the grouping"),
            severity,
        ),
        None => (
            "no single row says which groups are wanted: if this runs often, keep the aggregate in a table or a materialized view, with an index; an index that \
             holds the columns read makes the grouping cheaper"
                .to_owned(),
            // More memory would only make what is thrown away faster.
            if spills(case, at) { severity.min(Severity::Warning) } else { Severity::Info },
        ),
    };
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "{} made {} groups by {} to keep {} by {filter} ({} removed){}",
            node.label(),
            count(got),
            node.conditions.group_key.join(", "),
            count(kept),
            percent(removed),
            case.cost(node.buffers.map(|buffers| buffers.shared()), node.total_ms)
        ),
        at_stake_ms,
        advice,
        statements: Vec::new(),
        confidence: if rows.is_some() { Confidence::Medium } else { Confidence::Low },
    })
}

/// Whether the grouping, or a sort for it, went through temporary files.
fn spills(case: &Case<'_>, at: usize) -> bool {
    case.plan.subtree(at).iter().any(|node| {
        node.hash_aggregate.is_some_and(|hash| hash.batches > 1.0)
            || node.sort.as_ref().is_some_and(|sort| sort.on_disk)
    })
}

/// What a condition on a group says of its rows.
fn of_rows(term: &str) -> Option<Rows> {
    let condition::Comparison { left, operator, right } = condition::comparison(term)?;
    let (aggregate, argument) = match condition::calls(left).as_slice() {
        [(name, argument), ..] => (*name, *argument),
        [] => return None,
    };
    // `max(x)`, with nothing else around it.
    if !left.starts_with(aggregate)
        || left.contains(" FILTER ")
        || argument.starts_with("DISTINCT")
        || right.contains('(')
    {
        return None;
    }
    match (aggregate, operator) {
        ("max", ">" | ">=") | ("min", "<" | "<=") => Some(Rows::One(format!("{argument} {operator} {right}"))),
        ("count", "=") if right == "0" && argument != "*" => Some(Rows::None(argument.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::assert_silent;

    #[test]
    fn a_group_may_be_wanted_for_one_row_or_for_none() {
        let one = |text: &str| Some(Rows::One(text.to_owned()));
        assert_eq!(of_rows("(max(o.total) > '900'::numeric)"), one("o.total > '900'::numeric"));
        assert_eq!(of_rows("(min(o.at) <= now)"), one("o.at <= now"));
        assert_eq!(of_rows("(count(o.id) = 0)"), Some(Rows::None("o.id".to_owned())));
        for other in [
            "(max(o.total) < 9)",
            "(count(*) > 1)",
            "(count(*) = 0)",
            "(sum(o.total) > 5)",
            "(max(a) > min(b))",
            "(1 = 1)",
        ] {
            assert_eq!(of_rows(other), None, "{other}");
        }
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_aggregate_over_most", "hash_aggregate_spill"]);
    }
}
