//! An index names rows of which most do not meet the condition.

use crate::{
    catalog::{IndexFacts, TableFacts},
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::Scan,
        vain::Vain,
    },
    plan::{Node, names},
    record::Confidence,
    sqltext::quote,
    text::{part as percent, rounded as count},
};

/// Share of the pages up to which lossy ones are no cause.
const FEW_LOSSY: f64 = 0.1;

pub(crate) const RULE: Rule = Rule {
    id: "index-recheck",
    title: "An index names rows most of which do not meet the condition",
    sees: "a scan by an index that read 10 000 rows and over (or 1 000 in 10 ms) and removed over 50 % of them on rechecking the condition, though under 10 % of its pages were lossy; a warning \
           from 10 % of the time, critical from 40 %",
    why: "Some indexes do not hold the values themselves: GiST holds signatures and bounding boxes, GIN parts such as trigrams or keys. They name every row that may meet the condition; \
          each is fetched and checked again. More memory does not help, as the pages were exact.",
    advice: "Use GIN instead of GiST for trigrams and arrays, or a longer signature (siglen); ask for a longer or rarer text; use jsonb_path_ops for @> on jsonb; add a condition that another index serves.",
    source: "https://www.postgresql.org/docs/current/pgtrgm.html#PGTRGM-INDEX; https://www.postgresql.org/docs/current/gist.html",
    shown_by: &["https://elephanttamer.net/?p=9"],
    reads_estimates: false,
    explains: &["hot-node", "read-efficiency", "index-filter"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    case.scans().iter().filter_map(|scan| sighting(case, scan)).collect()
}

fn sighting(case: &Case<'_>, scan: &Scan<'_>) -> Option<Sighting> {
    let lossy = scan.sum(|node| node.lossy_blocks.unwrap_or(0.0));
    let exact = scan.sum(|node| node.exact_blocks.unwrap_or(0.0));
    let rechecked = scan.sum(|node| node.removed.recheck * node.loops());
    if rechecked == 0.0 || lossy > FEW_LOSSY * (lossy + exact) {
        return None;
    }
    let ms = scan.nodes.iter().map(|node| node.total_ms).sum();
    let met = scan.rows_read() - rechecked;
    let Vain { got, removed, severity, at_stake_ms, .. } =
        Vain::of(case, scan.rows_read(), met, scan.sum(Node::rounding), ms)?;
    let condition = scan.node.conditions.recheck.as_deref().or(scan.node.conditions.index.as_deref())?;
    let (advice, statements) = advice(case, scan, condition);
    Some(Sighting {
        severity,
        node: Some(scan.at),
        evidence: format!(
            "{} fetched {} rows that its index named, of which {} met {condition} ({} checked in vain){}",
            scan.label(),
            count(got),
            count(met),
            percent(removed),
            case.cost(scan.node.buffers.map(|buffers| buffers.shared()), ms)
        ),
        at_stake_ms,
        advice,
        statements,
        confidence: Confidence::Medium,
    })
}

fn advice(case: &Case<'_>, scan: &Scan<'_>, condition: &str) -> (String, Vec<String>) {
    let facts =
        case.statement.tables.find(scan.node.schema.as_deref(), scan.node.relation.as_deref().unwrap_or_default());
    let used = case.plan.subtree(scan.at).iter().find_map(|node| node.index.as_deref());
    let index = facts.zip(used).and_then(|(facts, used)| facts.indexes.iter().find(|index| index.name == used));
    let method = index.map(|index| index.method.as_str());
    let is_text = [" ~~ ", " ~~* ", " ~ ", " ~* ", " % "].iter().any(|operator| condition.contains(operator));
    if is_text && method != Some("gin") {
        let column = index.and_then(|index| index.keys.first()).map(|key| &key.expression);
        let statement = column.zip(names::table(scan.node)).map(|(column, table)| {
            format!("CREATE INDEX CONCURRENTLY ON {table} USING gin ({} gin_trgm_ops)", quote::identifier(column))
        });
        let why = if method == Some("gist") {
            "make the trigram index with GIN: that of GiST holds only a signature of each text, by which many rows look the same; if it has to be GiST, give it a longer signature, gist_trgm_ops (siglen = 256)"
        } else {
            "ask for a longer or rarer text; if the trigram index is of GiST, make it with GIN, which holds each trigram and not only a signature"
        };
        return (why.to_owned(), statement.into_iter().collect());
    }
    if condition.contains(" @> ") && method == Some("gin") {
        return of_parts(scan, facts, index);
    }
    let advice = if is_text {
        "the trigrams of the text are frequent ones: ask for a longer or rarer text, or add a condition that another index serves"
    } else if condition.contains(" @@ ") {
        "a phrase or a weight is not in the index: ask for rarer words as well"
    } else {
        "the index holds bounding boxes or signatures only: split large shapes into smaller ones (ST_Subdivide), give a GiST signature more bits (siglen), or use GIN if the \
         column's type has an operator class for it"
    };
    (advice.to_owned(), Vec::new())
}

/// Of an index that holds keys and values each for itself, or elements.
fn of_parts(scan: &Scan<'_>, facts: Option<&TableFacts>, index: Option<&IndexFacts>) -> (String, Vec<String>) {
    let key =
        index.and_then(|index| index.keys.first()).filter(|key| !key.is_expression && key.operator_class.is_none());
    let column = key.and_then(|key| facts?.column(&key.expression)).filter(|column| column.type_name == "jsonb");
    let statement = column.zip(names::table(scan.node)).map(|(column, table)| {
        format!("CREATE INDEX CONCURRENTLY ON {table} USING gin ({} jsonb_path_ops)", quote::identifier(&column.name))
    });
    let advice = "the parts that are asked for are frequent, only not together: for jsonb make the index with jsonb_path_ops, which holds each value with the whole path to \
                  it; or give the part that is asked for most an index of its own, as an expression";
    (advice.to_owned(), statement.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_silent, findings_of_text, rules_of};

    #[test]
    fn exact_pages_need_no_memory() {
        let findings = findings_of_text(
            "\
Bitmap Heap Scan on notes  (cost=50.00..900.00 rows=10 width=80) (actual time=20.1..310.0 rows=12 loops=1)
  Recheck Cond: (body ~~ '%the cat%'::text)
  Rows Removed by Index Recheck: 48000
  Heap Blocks: exact=9100
  ->  Bitmap Index Scan on notes_body  (cost=0.00..50.00 rows=10 width=0) (actual time=18.0..18.0 rows=48012 loops=1)
        Index Cond: (body ~~ '%the cat%'::text)
Execution Time: 311.0 ms",
        );
        assert_eq!(rules_of(&findings)[0], RULE.id);
        insta::assert_snapshot!(findings[0].evidence, @"Bitmap Heap Scan on notes fetched 48 012 rows that its index named, of which 12 met (body ~~ '%the cat%'::text) (99.97 % checked in vain), 99.6 % of the time");
        assert!(findings.iter().all(|finding| finding.statements.iter().all(|sql| !sql.contains("work_mem"))));
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["lossy_bitmap", "healthy_bitmap_scan", "array_without_gin"]);
    }
}
