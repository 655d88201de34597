//! Advised indexes that make each other redundant.

use std::collections::HashMap;

use crate::record::Finding;

/// A b-tree of all rows that a statement makes.
#[derive(Debug, PartialEq, Eq)]
struct Made<'s> {
    table: &'s str,
    keys: Vec<&'s str>,
}

/// Of two indexes of a table, one of which begins with all keys of the other, only the longer one is advised: it serves both.
pub(crate) fn merge(findings: &mut [Finding]) {
    let mut of_table: HashMap<&str, Vec<(usize, Vec<&str>)>> = HashMap::new();
    for (at, finding) in findings.iter().enumerate() {
        if let Some(Made { table, keys }) = made(&finding.statements) {
            of_table.entry(table).or_default().push((at, keys));
        }
    }
    let mut merged: Vec<(usize, Vec<String>, String)> = Vec::new();
    for indexes in of_table.values() {
        for (at, short) in indexes {
            let serving = indexes.iter().filter(|(_, keys)| keys.len() > short.len() && keys.starts_with(short));
            if let Some((longest, keys)) = serving.max_by_key(|(_, keys)| keys.len()) {
                merged.push((*at, findings[*longest].statements.clone(), keys.join(", ")));
            }
        }
    }
    for (at, statements, keys) in merged {
        let finding = &mut findings[at];
        finding
            .advice
            .push_str(&format!("; the index on ({keys}) that another finding advises serves this too: one is enough"));
        finding.statements = statements;
    }
}

/// What the only statement makes, if that is such an index.
fn made(statements: &[String]) -> Option<Made<'_>> {
    let [statement] = statements else { return None };
    let rest = statement.strip_prefix("CREATE INDEX ")?;
    let (head, keys) = rest.split_once(" (")?;
    let table = head.split_once("ON ")?.1;
    let keys = keys.strip_suffix(')')?;
    let is_plain = !table.contains(" USING ") && ![" WHERE ", " INCLUDE "].iter().any(|part| keys.contains(part));
    // A comma within an expression takes it apart in two, the same in both.
    is_plain.then(|| Made { table, keys: keys.split(", ").collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_btrees_of_all_rows_are_compared() {
        let of = |statement: &str| made(&[statement.to_owned()]).map(|made| (made.table.to_owned(), made.keys.len()));
        assert_eq!(of("CREATE INDEX CONCURRENTLY t_a_b_idx ON s.t (a, b DESC)"), Some(("s.t".to_owned(), 2)));
        assert_eq!(of("CREATE INDEX CONCURRENTLY ON t (a)"), Some(("t".to_owned(), 1)));
        for other in [
            "CREATE INDEX i ON t USING gin (a)",
            "CREATE INDEX i ON t (a) WHERE b",
            "CREATE INDEX i ON t (a) INCLUDE (b)",
            "ANALYZE t",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
