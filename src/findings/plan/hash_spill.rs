//! A hash table went through temporary files.

use crate::{
    findings::{
        case::{Case, Sighting},
        memory::{Memory, SAVED_SHARE, in_force, work_mem},
        rule::Rule,
    },
    plan::Node,
    record::{Confidence, Severity},
    text::rounded as count,
};

/// Bytes of a row in the hash table of a join beside its values: the entry's head and the row's (`HJTUPLE_OVERHEAD` and
/// `SizeofMinimalTupleHeader` in PostgreSQL's sources), and of a place in its list.
const ROW_BYTES: f64 = 32.0;
const BUCKET_BYTES: f64 = 8.0;
/// Bytes of a group in a hashed aggregate beside its values: its entry in a table that grows by doubling, its state and what
/// the allocator adds.
const GROUP_BYTES: f64 = 160.0;

pub(crate) const RULE: Rule = Rule {
    id: "hash-spill",
    title: "A hash table does not fit into memory",
    sees: "a hash join or a hashed aggregate that was worked off in more than one batch; info below 10 % of the time",
    why: "A hash table may take `work_mem` times `hash_mem_multiplier`, 4 MB times 2 by default (times 1 in PostgreSQL 14). What does not fit is \
          written to temporary files and read again part by part, both sides of a join: where many sessions do it at once they compete for the disk.",
    advice: "Raise `work_mem` for this session or role, or hash fewer or narrower rows: filter before the join, select fewer columns, group by a key.",
    source: "https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-HASH-MEM-MULTIPLIER; pgMustard and explain.depesz.com mark the same",
    shown_by: &["https://thesev1database.com/?p=5003"],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    nodes
        .filter(|(_, node)| !node.never_executed())
        .filter_map(|(at, node)| joined(case, at, node).or_else(|| grouped(case, at, node)))
        .collect()
}

/// The `Hash` below a join.
fn joined(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let hash = node.hash.filter(|hash| hash.batches > 1.0)?;
    // Workers fill one table together, or each its own.
    let rows = if node.parallel_aware { node.rows() } else { node.actual?.rows };
    let rows = rows.max(1.0);
    let bytes = rows * (ROW_BYTES + aligned(node.plan_width)) + BUCKET_BYTES * rows.log2().ceil().exp2();
    let join_ms = case.plan.parent(node).and_then(|join| join.own_ms);
    let ms = node.own_ms.zip(join_ms).map(|(hash, join)| hash + join);
    let planned = match hash.planned_batches {
        planned if planned < hash.batches => {
            format!(" where {} {} planned", count(planned), if planned == 1.0 { "was" } else { "were" })
        }
        _ => String::new(),
    };
    let evidence = format!(
        "Hash of {} rows took {} batches{planned}, {} kB at a time{}",
        count(rows),
        count(hash.batches),
        count(hash.peak_kib),
        temporary(case.plan.parent(node))
    );
    let found = sighting(case, at, evidence, ms, bytes, "hash");
    if hash.planned_batches >= hash.batches && node.plan_rows > rows && bytes <= in_force(case.plan) * multiplier(case)
    {
        return Some(Sighting {
            advice: format!(
                "correct the estimate: work_mem is enough, the batches were planned for the {} rows expected",
                count(node.plan_rows)
            ),
            statements: Vec::new(),
            ..found
        });
    }
    Some(found)
}

fn grouped(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let hash = node.hash_aggregate.filter(|hash| hash.batches > 1.0)?;
    let groups = node.actual?.rows.max(1.0);
    let evidence = format!(
        "{} of {} groups by {} took {} batches, {} kB at a time and {} kB on disk",
        node.label(),
        count(groups),
        node.conditions.group_key.join(", "),
        count(hash.batches),
        count(hash.peak_kib),
        count(hash.disk_kib)
    );
    Some(sighting(case, at, evidence, node.own_ms, groups * (GROUP_BYTES + aligned(node.plan_width)), "group"))
}

fn sighting(case: &Case<'_>, at: usize, evidence: String, ms: Option<f64>, bytes: f64, what: &str) -> Sighting {
    let Memory { advice, statements } = work_mem(case.plan, bytes / multiplier(case), what);
    Sighting {
        severity: case.by_share(ms).min(Severity::Warning),
        node: Some(at),
        evidence: evidence + &case.cost(None, ms),
        at_stake_ms: ms.map(|ms| ms * SAVED_SHARE),
        advice,
        statements,
        confidence: Confidence::Medium,
    }
}

/// How many times `work_mem` a hash table may take. Its default differs by version; 1 is on the safe side.
fn multiplier(case: &Case<'_>) -> f64 {
    let set = case.plan.settings.get("hash_mem_multiplier").and_then(|value| value.parse::<f64>().ok());
    set.unwrap_or(1.0).max(1.0)
}

fn temporary(join: Option<&Node>) -> String {
    let written = join.and_then(|join| join.own_buffers).map(|own| own.temp_written).filter(|written| *written > 0);
    written.map(|written| format!(", {} temporary buffers written", count(written as f64))).unwrap_or_default()
}

fn aligned(width: f64) -> f64 {
    (width / 8.0).ceil() * 8.0
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{findings, findings_of_text};
    use crate::record::Severity;

    #[test]
    fn a_join_in_batches_is_told_with_the_memory_that_holds_it() {
        let findings = findings("hash_join_spill", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("hash-spill", Severity::Warning));
        insta::assert_snapshot!(top.evidence, @"Hash of 150 000 rows took 8 batches, 2 777 kB at a time, 608 temporary buffers written, 75 % of the time");
        // 22 MB hold it, as trying showed.
        assert_eq!(top.statements, ["SET work_mem = '32MB'"]);
    }

    #[test]
    fn groups_in_batches_are_told_with_the_memory_that_holds_them() {
        let findings = findings("hash_aggregate_spill", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("hash-spill", Severity::Warning));
        insta::assert_snapshot!(top.evidence, @"HashAggregate of 100 000 groups by hits.url took 9 batches, 2 065 kB at a time and 15 168 kB on disk, 79 % of the time");
        // 20 MB hold them, as trying showed.
        assert_eq!(top.statements, ["SET work_mem = '32MB'"]);
    }

    #[test]
    fn batches_that_only_the_estimate_needed_ask_for_no_memory() {
        let of = |expected: u32| {
            let found = findings_of_text(&format!(
                "Hash Join  (cost=25000.00..90000.00 rows=900000 width=40) (actual time=20.1..400.0 rows=1200 loops=1)
  Hash Cond: (o.customer_id = c.id)
  ->  Seq Scan on orders o  (cost=0.00..18000.00 rows=1000000 width=20) (actual time=0.01..100.0 rows=1000000 loops=1)
  ->  Hash  (cost=15000.00..15000.00 rows={expected} width=20) (actual time=20.0..20.0 rows=1000 loops=1)
        Buckets: 131072  Batches: 16  Memory Usage: 1100kB
        ->  Seq Scan on customers c  (cost=0.00..15000.00 rows={expected} width=20) (actual time=0.01..19.0 rows=1000 loops=1)
Execution Time: 401.0 ms"
            ));
            let found = found.into_iter().find(|finding| finding.rule == super::RULE.id).unwrap();
            (found.advice, found.statements)
        };
        let (advice, statements) = of(800_000);
        insta::assert_snapshot!(advice, @"correct the estimate: work_mem is enough, the batches were planned for the 800 000 rows expected");
        assert!(statements.is_empty());
        assert_eq!(of(1000).1, ["SET work_mem = '8MB'"]);
    }

    #[test]
    fn a_hash_join_in_memory_is_fine() {
        assert!(findings("healthy_hash_join", 15).iter().all(|finding| finding.rule != "hash-spill"));
    }
}
