//! More pages are read than the rows on them account for.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
    },
    plan::names,
    record::Confidence,
    text::rounded as count,
};

/// Pages below which it does not matter, read in passing and by an index.
const MIN_PAGES: f64 = 500.0;
const MIN_PAGES_BY_INDEX: f64 = 100.0;
/// Pages that going down an index takes at most, and pages that a row may take: its own, its index's, and as much again.
const PAGES_A_SEARCH: f64 = 5.0;
const PAGES_A_ROW: f64 = 4.0;

pub(crate) const RULE: Rule = Rule {
    id: "read-efficiency",
    title: "More pages are read than the rows on them account for",
    sees: "a Seq Scan of over 500 pages that met less than one row a page, or a scan by an index that visited over 100 pages, over 4 for each row it met and 5 for \
           each search; where it filters or computes, or does not say (VERBOSE), only if the catalog says that these are pages of the table itself; not a scan that \
           returns the nearest first, as of PostGIS and pgvector",
    why: "A page of 8 kB holds at least four rows, as PostgreSQL stores longer values elsewhere. Pages with fewer are filled with what was deleted or updated \
          and not yet cleared away, and are read all the same; so are an index's entries for such rows.",
    advice: "Vacuum the table, find out what keeps autovacuum from it (long transactions, its settings), and rebuild what has grown: REINDEX CONCURRENTLY for an \
             index, VACUUM FULL or pg_repack for a table.",
    source: "rows over 2 kB are moved out of the page: https://www.postgresql.org/docs/current/storage-toast.html; dead rows: \
             https://www.postgresql.org/docs/current/routine-vacuuming.html",
    shown_by: &["https://github.com/ankane/pghero/pull/292"],
    reads_estimates: false,
    explains: &["hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for scan in case.scans() {
        let Some(pages) = scan.buffers().map(|buffers| buffers as f64) else { continue };
        let Some(expected) = expected(scan) else { continue };
        let facts =
            case.statement.tables.find(scan.node.schema.as_deref(), scan.node.relation.as_deref().unwrap_or_default());
        let whole = scan.node.node_type == "Seq Scan";
        if pages < if whole { MIN_PAGES } else { MIN_PAGES_BY_INDEX } || pages <= expected {
            continue;
        }
        // Long values lie in pages of their own, which what computes with them reads as well.
        if may_compute(scan) && facts.is_none_or(|facts| pages > facts.pages as f64) {
            continue;
        }
        // A bitmap was made of the dead rows, too.
        let bitmap = scan.node.node_type == "Bitmap Heap Scan";
        let ms = if bitmap { scan.nodes.iter().map(|node| node.total_ms).sum() } else { scan.own_ms() };
        let at_stake_ms = ms.map(|ms: f64| ms * (1.0 - expected / pages));
        let dead = facts
            .filter(|facts| facts.dead_rows > 0)
            .map(|facts| format!("; {} dead rows wait for vacuum", count(facts.dead_rows as f64)));
        let table = names::table(scan.node).filter(|_| scan.nodes.len() == 1);
        seen.push(Sighting {
            severity: case.by_share(at_stake_ms),
            node: Some(scan.at),
            evidence: format!(
                "{} visited {} pages to meet {} rows{}{}",
                scan.label(),
                count(pages),
                count(scan.rows_read()),
                case.cost(None, scan.own_ms()),
                dead.unwrap_or_default()
            ),
            at_stake_ms,
            advice: if whole {
                "vacuum the table, and more often, so that its empty space is used again; to give that back, rewrite the table when nothing needs it (VACUUM FULL locks it \
                 meanwhile, pg_repack does not)"
                    .to_owned()
            } else {
                "vacuum the table, and see what keeps autovacuum from it; if that does not help, the condition is not on the first column of the index".to_owned()
            },
            // Vacuum gives the empty pages of a table back only at its end: what does locks the table, and is no line to paste.
            statements: table.filter(|_| !whole).map(|table| format!("VACUUM (ANALYZE) {table}")).into_iter().collect(),
            confidence: if facts.is_some_and(|facts| facts.dead_rows > 0) { Confidence::High } else { Confidence::Medium },
        });
    }
    seen
}

/// Whether it may compute with values of the rows, be it to filter them.
fn may_compute(scan: &Scan<'_>) -> bool {
    let conditions = &scan.node.conditions;
    conditions.filter.is_some()
        || conditions.output.is_empty()
        || conditions.output.iter().any(|output| output.contains('('))
}

/// Pages that the rows it met account for; `None` where that cannot be told.
fn expected(scan: &Scan<'_>) -> Option<f64> {
    let rows = scan.rows_read() + scan.sum(crate::plan::Node::rounding);
    let searches = || scan.sum(|node| node.index_searches.unwrap_or(0.0).max(node.loops()));
    match scan.node.node_type.as_str() {
        "Seq Scan" => Some(rows),
        "Bitmap Heap Scan" => Some(PAGES_A_ROW * rows),
        // How many pages the nearest take is up to the method of the index.
        "Index Scan" | "Index Only Scan" if scan.node.conditions.order_by.is_none() => {
            // Before PostgreSQL 18 the searches of a list of values are not counted.
            let is_list = scan.node.index_searches.is_none()
                && scan.node.conditions.index.as_ref().is_some_and(|on| on.contains(" ANY "));
            (!is_list).then(|| PAGES_A_ROW * rows + PAGES_A_SEARCH * searches())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{TableFacts, Tables},
        findings::plan::captured::{assert_on_top, assert_silent, findings_beside, findings_of_text, rules_of, told},
    };

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        for name in ["bloated_table", "dead_index_entries"] {
            assert_on_top(RULE.id, name);
        }
        insta::assert_snapshot!(told(RULE.id, "bloated_table"), @"
        critical: Seq Scan on outbox visited 3 334 pages to meet 300 rows
        vacuum the table, and more often, so that its empty space is used again; to give that back, rewrite the table when nothing needs it (VACUUM FULL locks it meanwhile, pg_repack does not)
        ");
        insta::assert_snapshot!(told(RULE.id, "dead_index_entries"), @"
        critical: Bitmap Heap Scan on jobs visited 1 035 pages to meet 100 rows
        vacuum the table, and see what keeps autovacuum from it; if that does not help, the condition is not on the first column of the index
        VACUUM (ANALYZE) planted_dead_index_entries.jobs
        ");
    }

    #[test]
    fn long_values_may_be_what_is_read() {
        let plan = "\
Seq Scan on docs  (cost=0.00..200.00 rows=1000 width=32) (actual time=0.3..900.0 rows=1000 loops=1)
  Buffers: shared hit=21000
Execution Time: 901.0 ms";
        assert_eq!(rules_of(&findings_of_text(plan)), ["hot-node"]);
        let of_pages = |pages| {
            let table = TableFacts { name: "docs".into(), pages, rows: 1000.0, ..Default::default() };
            findings_beside(plan, &Tables { tables: vec![table] })
        };
        assert_eq!(rules_of(&of_pages(190)), ["hot-node"]);
        let of_itself = of_pages(21_000);
        assert_eq!(rules_of(&of_itself), [RULE.id]);
        assert!(of_itself[0].statements.is_empty(), "{of_itself:?}");
    }

    #[test]
    fn the_nearest_take_as_many_pages_as_they_take() {
        let nearest = findings_of_text(
            "\
Limit  (cost=100.00..120.00 rows=10 width=40) (actual time=2.1..2.4 rows=10 loops=1)
  Output: id, embedding
  Buffers: shared hit=1523
  ->  Index Scan using items_embedding_idx on public.items  (cost=100.00..90000.00 rows=1000000 width=40) (actual time=2.0..2.3 rows=10 loops=1)
        Output: id, embedding
        Order By: (embedding <-> '[1,2,3]'::vector)
        Buffers: shared hit=1523
Execution Time: 2.5 ms",
        );
        assert_eq!(rules_of(&nearest), ["hot-node"]);
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(
            RULE.id,
            &[
                "missing_index",
                "column_order_by_name",
                "row_by_row",
                "vacuum_debt",
                "partitions_by_another_column",
                "healthy_in_list",
            ],
        );
    }
}
