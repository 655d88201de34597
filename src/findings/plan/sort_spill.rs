//! A sort went through temporary files.

use crate::{
    findings::{
        case::{Case, Sighting},
        memory::{Memory, SAVED_SHARE, work_mem},
        rule::Rule,
    },
    plan::{Node, stopped},
    record::{Confidence, Severity},
    text::rounded as count,
};

/// Bytes that a row takes in memory beyond those on disk: its place in the array that is sorted, which grows by doubling, and what
/// the allocator adds.
const ROW_BYTES: f64 = 96.0;

pub(crate) const RULE: Rule = Rule {
    id: "sort-spill",
    title: "A sort does not fit into memory",
    sees: "a sort that used disk; info below 10 % of the time",
    why: "A sort may take `work_mem`, 4 MB by default. What does not fit is written to temporary files, sorted in parts and merged. That is more work, and where \
          many sessions do it at once they compete for the disk and push other data out of the cache.",
    advice: "Raise `work_mem` for this session or role, sort fewer or narrower rows, or read the rows in order from an index.",
    source: "https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-WORK-MEM; pgMustard and explain.depesz.com mark the same",
    shown_by: &["https://rillence.com/bricks/postgres-incident-0105-work-mem-sort-spill/"],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    case.worth_a_word().filter_map(|(at, node)| sighting(case, at, node)).collect()
}

fn sighting(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let sort = node.sort.as_ref().filter(|sort| sort.on_disk)?;
    let sorted = stopped::sorted(case.plan, node);
    let Memory { advice, statements } = if stopped::is_for_the_first(case.plan, node) {
        Memory {
            advice: format!(
                "put a LIMIT right above this sort: only the first {} rows were fetched, and no more than those are then kept; or read the \
                 rows in order from an index",
                count(node.rows())
            ),
            statements: Vec::new(),
        }
    } else {
        let of_input = case.plan.children(node).find(|child| !child.is_subplan());
        let by_loop = [Some(node), of_input].into_iter().flatten().filter_map(|node| node.actual);
        let rows = by_loop.map(|actual| actual.rows).fold(0.0, f64::max);
        work_mem(case.plan, sort.kib * 1024.0 + rows * ROW_BYTES, "sort")
    };
    Some(Sighting {
        severity: case.by_share(node.own_ms).min(Severity::Warning),
        node: Some(at),
        evidence: format!(
            "{} by {} sorted {} rows on disk ({}), {} kB{}",
            node.label(),
            node.conditions.sort_key.join(", "),
            count(sorted),
            sort.method,
            count(sort.kib),
            case.cost(None, node.own_ms)
        ),
        at_stake_ms: node.own_ms.map(|ms| ms * SAVED_SHARE),
        advice,
        statements,
        confidence: Confidence::Medium,
    })
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::findings;
    use crate::record::Severity;

    #[test]
    fn a_sort_on_disk_is_told_with_the_memory_that_holds_it() {
        let findings = findings("sort_spill", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("sort-spill", Severity::Warning));
        insta::assert_snapshot!(top.evidence, @"Sort by tracks.plays, tracks.id sorted 80 000 rows on disk (external merge), 31 840 kB, 83 % of the time");
        // 64 MB was tried: the sort then takes place in memory.
        assert_eq!(top.statements, ["SET work_mem = '64MB'"]);
    }

    #[test]
    fn a_sort_in_memory_is_fine() {
        assert!(findings("healthy_sort", 15).iter().all(|finding| finding.rule != "sort-spill"));
    }
}
