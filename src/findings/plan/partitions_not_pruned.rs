//! All partitions of a table are read though few have rows.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    plan::Node,
    record::Confidence,
    text::rounded as count,
};

/// Partitions below which reading all of them is cheap.
const MIN_PARTITIONS: usize = 4;
/// Share of the partitions that had rows.
const WITH_ROWS: f64 = 0.25;

pub(crate) const RULE: Rule = Rule {
    id: "partitions-not-pruned",
    title: "Partitions are read that hold none of the rows",
    sees: "scans of 4 partitions or more of a table, of which at most a quarter returned any row",
    why: "The database can leave out partitions only by a condition on the key that they are made by, compared as it is with a value that is known. Otherwise each \
          execution looks into all of them, and there are more every month.",
    advice: "Put the partition key in the WHERE clause, without a function or conversion around it; or, where the statement cannot know it, partition by what \
             the statements ask for.",
    source: "https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITION-PRUNING",
    shown_by: &["https://codemia.io/archive/partition-pruning-explained"],
    reads_estimates: false,
    explains: &["hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for scan in case.scans().iter().filter(|scan| scan.nodes.len() >= MIN_PARTITIONS) {
        let (with, without): (Vec<&Node>, Vec<&Node>) = scan.nodes.iter().copied().partition(|node| node.rows() > 0.0);
        if with.is_empty() || with.len() as f64 > WITH_ROWS * scan.nodes.len() as f64 {
            continue;
        }
        let at_stake_ms: Option<f64> = without.iter().map(|node| node.own_ms).sum();
        seen.push(Sighting {
            severity: case.by_share(at_stake_ms),
            node: Some(scan.at),
            evidence: format!(
                "{} found rows in {} of them{}",
                scan.label(),
                count(with.len() as f64),
                case.cost(scan.buffers(), scan.own_ms())
            ),
            at_stake_ms,
            advice: "compare the partition key, as it is, with a value in the WHERE clause, so that only its partition is read".to_owned(),
            statements: Vec::new(),
            confidence: Confidence::Medium,
        });
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_on_top, assert_silent, told};

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        assert_on_top(RULE.id, "partitions_by_another_column");
        insta::assert_snapshot!(told(RULE.id, "partitions_by_another_column"), @"
        critical: Index Scan on 24 partitions of letters found rows in 1 of them, 96 013 buffers
        compare the partition key, as it is, with a value in the WHERE clause, so that only its partition is read
        ");
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["missing_index_partitions", "healthy_partition_pruned"]);
    }
}
