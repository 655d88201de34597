//! Many rows are sorted to return the first few.

use crate::{
    findings::{
        case::{Case, Sighting},
        rewrite,
        rule::Rule,
        scan::Scan,
        scans::base,
    },
    plan::{Node, stopped},
    record::Confidence,
    sqltext::condition::{self, Side},
    text::rounded as count,
};

/// Rows sorted below which it is cheap. Each row found through an index is a page of its own at worst: there fewer count.
const MIN_ROWS: f64 = 10_000.0;
const MIN_ROWS_BY_INDEX: f64 = 1_000.0;

pub(crate) const RULE: Rule = Rule {
    id: "top-n-sort",
    title: "Many rows are sorted to return the first few",
    sees: "a Sort of over 10 000 rows of one table (or over 1 000 at a time that an index found, each on a page of its own at worst) by its columns, or by their distance from a value, by top-N heapsort as right under a Limit, or of which what is above it \
           fetched a tenth at most: a LIMIT reaches a sort only from right above, not through FOR UPDATE, a join, a CTE or a subquery",
    why: "All rows have to be read before it is known which come first. An index keeps them in order: the first few can be taken from its end, whatever the \
          table's size.",
    advice: "Make an index of the columns that the filter compares with one value, followed by those of ORDER BY in their directions.",
    source: "https://www.postgresql.org/docs/current/indexes-ordering.html",
    shown_by: &["https://openillumi.com/en/en-postgresql-4b-index-orderby-in-optimization"],
    reads_estimates: false,
    explains: &["hot-node", "sort-spill"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let scans = case.scans();
    let mut seen = Vec::new();
    for (at, sort) in case.worth_a_word() {
        if !stopped::is_for_the_first(case.plan, sort) {
            continue;
        }
        let (sorted, returned) = (stopped::sorted(case.plan, sort), sort.rows());
        if sorted <= MIN_ROWS_BY_INDEX || returned >= sorted {
            continue;
        }
        // They are in the order of the plan.
        let place = |at| scans.partition_point(|scan| scan.at < at);
        let [scan] = &scans[place(at)..place(at + case.plan.subtree(at).len())] else { continue };
        let is_local = scan.node.node_type != "Foreign Scan";
        // Of sorts that run once for each row of something the few rows of each are cheap.
        let by_index = scan.node.node_type != "Seq Scan" && sorted > MIN_ROWS_BY_INDEX * sort.loops().max(1.0);
        if sorted <= MIN_ROWS && !by_index {
            continue;
        }
        if !is_local
            || !is_plain(case, at)
            || !(is_by_columns(sort, scan) || is_by_distance(sort) || measured(sort, scan).is_some())
        {
            continue;
        }
        // Where the filter drops most, what finds the rows is the cause, and the sort is of what it left.
        let ms = if scan.waste.is_some() { sort.own_ms } else { sort.total_ms };
        let on_disk = sort.sort.as_ref().filter(|sort| sort.on_disk);
        let on_disk = on_disk.map(|sort| format!(", {} kB on disk", count(sort.kib))).unwrap_or_default();
        let at_stake_ms = ms.map(|ms| ms * (1.0 - returned / sorted));
        let sighting = Sighting {
            severity: case.by_share(at_stake_ms),
            node: Some(at),
            evidence: format!(
                "Sort by {} went through {} rows of {} to return {}{on_disk}{}",
                sort.conditions.sort_key.join(", "),
                count(sorted),
                scan.label(),
                count(returned),
                case.cost(sort.buffers.map(|buffers| buffers.shared()), sort.total_ms)
            ),
            at_stake_ms,
            advice: "make an index in the order that is asked for, after the columns that the filter compares with one value".to_owned(),
            statements: Vec::new(),
            confidence: Confidence::Medium,
        };
        seen.push(match measured(sort, scan) {
            Some((key, value)) => {
                let table = case.statement.tables.find(scan.node.schema.as_deref(), scan.node.relation.as_deref().unwrap_or_default());
                Sighting {
                    advice: format!("order by {key} <-> {value} instead, and give {key} a GiST index, which returns the nearest rows first"),
                    statements: rewrite::statements(scan.node, table, &rewrite::by_gist(key)),
                    ..sighting
                }
            }
            None => sighting.with_index(scan.index(case)),
        });
    }
    seen
}

/// Whether nothing but scans is below, whose order would reach the sort.
fn is_plain(case: &Case<'_>, at: usize) -> bool {
    let passes =
        ["Append", "Merge Append", "Gather", "Gather Merge", "Result", "Subquery Scan", "BitmapOr", "BitmapAnd"];
    case.plan.subtree(at)[1..].iter().all(|node| {
        node.relation.is_some() || node.node_type.starts_with("Bitmap") || passes.contains(&node.node_type.as_str())
    })
}

/// Whether the nearest come first, as a GiST index returns them.
fn is_by_distance(sort: &Node) -> bool {
    matches!(sort.conditions.sort_key.as_slice(), [only] if only.contains(" <-> ") && !only.ends_with(" DESC"))
}

/// The column whose distance by a function, which no index returns rows by, is sorted by, and from what.
fn measured<'s>(sort: &'s Node, scan: &Scan<'_>) -> Option<(&'s str, &'s str)> {
    let [only] = sort.conditions.sort_key.as_slice() else { return None };
    let (_, arguments) = rewrite::whole_call(condition::bare(only))
        .filter(|(name, _)| name.rsplit('.').next() == Some("st_distance"))?;
    let of = |one: &'s str, other: &'s str| match (
        condition::side(one, base(scan.node)),
        condition::side(other, base(scan.node)),
    ) {
        (Side::Column(column), Side::Value) => Some((column, other)),
        _ => None,
    };
    let [one, other, ..] = arguments[..] else { return None };
    of(one, other).or_else(|| of(other, one))
}

fn is_by_columns(sort: &Node, scan: &Scan<'_>) -> bool {
    let is_column = |key: &String| {
        let key = key.split(" DESC").next().unwrap_or(key);
        let key = key.split(" NULLS").next().unwrap_or(key);
        let key = key.split(" COLLATE ").next().unwrap_or(key);
        [scan.alias(), base(scan.node)].iter().any(|alias| matches!(condition::side(key, alias), Side::Column(_)))
    };
    !sort.conditions.sort_key.is_empty() && sort.conditions.sort_key.iter().all(is_column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_on_top, assert_silent, told};

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        assert_on_top(RULE.id, "latest_without_index");
        insta::assert_snapshot!(told(RULE.id, "latest_without_index"), @"
        critical: Sort by tweets.posted_at DESC went through 150 000 rows of Seq Scan on tweets to return 20, 1 103 buffers
        give tweets an index on (posted_at DESC): it has them in the order of posted_at DESC; this follows from the plan alone, which does not say whether there is such an index already
        CREATE INDEX CONCURRENTLY tweets_posted_at_idx ON planted_latest_without_index.tweets (posted_at DESC)
        ");
        // One index is the remedy of both, and the scan is where most is at stake.
        assert_on_top("seq-scan-filter", "latest_of_a_user");
        assert_silent(RULE.id, &["latest_of_a_user"]);
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_sort_in_memory", "healthy_latest_by_index"]);
    }
}
