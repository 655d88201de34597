//! A search for text anywhere in a column.

use crate::{
    findings::{
        case::{Case, Sighting},
        rule::Rule,
        scan::{Compared, Scan},
    },
    record::Confidence,
    sqltext::condition::{self, Side},
};

/// Letters in a row from which a trigram index narrows a search.
const TRIGRAM: usize = 3;

pub(crate) const RULE: Rule = Rule {
    id: "leading-wildcard",
    title: "A search pattern begins with a wildcard",
    sees: "a scan as in seq-scan-filter or index-filter whose filter holds LIKE with a pattern that begins with % or _, ILIKE, or a regular expression \
           without ^ at its start",
    why: "An index in order finds what begins with given letters, as a dictionary does. For letters anywhere in the text it is of no use, and every row has \
          to be compared.",
    advice: "Give the column a trigram index (extension pg_trgm), which finds text by any three letters of it.",
    source: "https://www.postgresql.org/docs/current/pgtrgm.html; thresholds as in seq-scan-filter",
    shown_by: &["https://makandracards.com/makandra/623000-timeouts-long-running-sql-queries"],
    reads_estimates: false,
    explains: &["seq-scan-filter", "index-filter", "hot-node"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for (scan, waste) in case.wasteful() {
        let Some(compared) = scan.comparisons().iter().find(|compared| is_search(compared)) else { continue };
        let expression = searched(scan, compared);
        let narrow = condition::constant(compared.value).is_some_and(|pattern| longest_run(&pattern) >= TRIGRAM);
        let sighting = Sighting {
            evidence: format!("{}; the filter looks for {} in {expression}", waste.evidence, compared.value),
            advice: if narrow {
                format!("give {expression} a trigram index, which finds text inside of words")
            } else {
                format!(
                    "let people search {expression} by at least three letters in a row, and give it a trigram index: fewer it cannot narrow down"
                )
            },
            confidence: if narrow { Confidence::Medium } else { Confidence::Low },
            ..scan.wasted(waste)
        };
        seen.push(sighting.with_index(scan.index(case).filter(|_| narrow)));
    }
    seen
}

/// Whether no index in order serves the comparison because of how its pattern begins.
pub(crate) fn is_search(compared: &Compared<'_>) -> bool {
    let pattern = condition::constant(compared.value);
    match compared.operator {
        "~~" => pattern.is_some_and(|pattern| pattern.starts_with(['%', '_'])),
        "~~*" | "~*" => pattern.is_some(),
        "~" => pattern.is_some_and(|pattern| !pattern.starts_with('^')),
        _ => false,
    }
}

/// What the pattern is compared with, as an index names it.
pub(crate) fn searched(scan: &Scan<'_>, compared: &Compared<'_>) -> String {
    match compared.side {
        Side::Column(column) | Side::Cast { column, to: "text" } => column.to_owned(),
        _ => condition::unqualified(condition::bare(compared.expression), scan.alias()),
    }
}

/// The most letters and digits in a row.
fn longest_run(pattern: &str) -> usize {
    pattern.split(|c: char| !c.is_alphanumeric()).map(|run| run.chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_on_top, assert_silent, told};

    #[test]
    fn it_is_on_top_where_it_is_the_cause() {
        assert_on_top(RULE.id, "leading_wildcard");
        insta::assert_snapshot!(told(RULE.id, "leading_wildcard"), @"
        critical: Seq Scan on products read 100 000 rows to keep 1 (99.99 % removed), 935 buffers; the filter looks for '%c4ca4238%'::text in name
        give products a GIN index on (name gin_trgm_ops): it finds the rows by name; it finds a text anywhere by its trigrams, with the extension pg_trgm; this follows from the plan alone, which does not say whether there is such an index already
        CREATE EXTENSION IF NOT EXISTS pg_trgm
        CREATE INDEX CONCURRENTLY products_name_idx ON planted_leading_wildcard.products USING gin (name gin_trgm_ops)
        ");
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["prefix_without_index", "varchar_without_index"]);
    }
}
