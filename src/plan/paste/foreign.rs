//! What an input is in which there is no plan.

use crate::plan::{
    error::{Error, Kind},
    json::tokens::Tape,
};

const JSON_OR_TEXT: &str = "use EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or its text";

/// Systems whose plans are no trees of PostgreSQL's, and what only they print: all signs of one of the lists.
const SYSTEMS: [(&str, &[&[&str]]); 17] = [
    ("Amazon Redshift", &[&["XN ", "(cost="], &["LD Seq Scan", "(cost="]]),
    ("CockroachDB", &[&["distribution: ", "•"], &["vectorized: ", "•"], &["• scan"]]),
    ("Oracle", &[&["TABLE ACCESS "], &["| Id ", "| Operation "], &["INDEX RANGE SCAN", "Operation"]]),
    ("SQL Server", &[&["<ShowPlanXML"], &["|--", "(OBJECT:("], &["Clustered Index Scan", "StmtText"]]),
    ("SQLite", &[&["|--SCAN "], &["--SCAN "], &["|--SEARCH "], &["--SEARCH "], &["SEARCH ", " USING INDEX "]]),
    ("DuckDB", &[&["SEQ_SCAN"], &["Physical Plan", "┌"], &["\"operator_type\"", "\"operator_timing\""]]),
    ("Snowflake", &[&["GlobalStats"], &["partitionsTotal"]]),
    ("Presto or Trino", &[&["Fragment 0 ["], &["TableScan["], &["ScanFilter["], &["ScanFilterProject["]]),
    (
        "Materialize",
        &[&["Explained Query:"], &["ReadStorage "], &["ReadIndex "], &["→Arranged"], &["Explained Query (fast path)"]],
    ),
    ("ClickHouse", &[&["ReadFromMergeTree"], &["ReadFromStorage"]]),
    ("Spark", &[&["== Physical Plan =="], &["WholeStageCodegen"]]),
    ("MongoDB", &[&["winningPlan"], &["IXSCAN"], &["COLLSCAN"]]),
    ("TiDB", &[&["cop[tikv]"], &["TableFullScan_"], &["IndexLookUp_"]]),
    ("Spanner", &[&["Distributed Union"], &["Serialize Result", "Scan"]]),
    ("Db2", &[&["Access Plan:", "TBSCAN"], &["IXSCAN", "FETCH", "Total Cost"]]),
    ("Vertica", &[&["STORAGE ACCESS for"], &["PATH ID: "]]),
    ("BigQuery", &[&["\"queryPlan\"", "\"shuffleOutputBytes\""]]),
];

const ON_POSTGRESQL: &str = "run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)";

/// Something of a plan stands above the arrow in the line of this number, and is no line that EXPLAIN prints.
pub(crate) fn first_line_missing(number: usize) -> Error {
    let message =
        format!("line {number}: what stands above it is of a plan, but is none of its lines: the first one is damaged");
    Kind::Pasted { message, hint: Some("copy all of it, from the first line to the last") }.into()
}

/// A text whose line ends are escaped is broken over several lines.
pub(crate) fn broken_text(number: usize) -> Error {
    let message = format!("line {number}: a text with \\n in the place of line ends is broken into several lines");
    Kind::Pasted { message, hint: Some("put its lines together") }.into()
}

/// Says what `text` is, as far as that can be seen.
pub(crate) fn no_plan(text: &str) -> Error {
    let is_of = |signs: &&[&str]| signs.iter().all(|sign| text.contains(sign));
    let of_other = SYSTEMS.iter().find(|(_, lists)| lists.iter().any(is_of));
    if let Some((name, _)) = of_other.filter(|_| !is_mysql(text)) {
        let message = format!("the plan is not PostgreSQL's but {name}'s: latclinic reads PostgreSQL's");
        return Kind::Pasted { message, hint: Some(ON_POSTGRESQL) }.into();
    }
    let has = |sign: &str| text.contains(sign);
    let begins = |sign: &str| text.lines().any(|line| line.trim_start().starts_with(sign));
    let trimmed = text.trim();
    let (message, hint) = if trimmed.is_empty() {
        ("there is no plan: the input is empty", Some("paste what EXPLAIN printed"))
    } else if is_mysql(text) {
        ("the plan is MySQL's or MariaDB's: latclinic reads PostgreSQL's", Some(ON_POSTGRESQL))
    } else if has("<explain") || has("<Node-Type>") || has("<Plan>") || has("&lt;Node-Type&gt;") {
        ("the plan is in XML, which is not read", Some(JSON_OR_TEXT))
    } else if begins("- Plan:") || has("Node Type: ") {
        ("the plan is in YAML, which is not read", Some(JSON_OR_TEXT))
    } else if has("'Node Type'") || has("'Plan'") {
        (
            "the plan is printed as Python or JavaScript shows it, which is no JSON",
            Some("print it as JSON, such as with json.dumps"),
        )
    } else if begins("->") || has("(cost=") || has("(actual time=") {
        (
            "the first line of the plan is missing, or is none that EXPLAIN prints",
            Some("copy all of it, from the first line to the last"),
        )
    } else if Tape::read(trimmed).is_ok_and(|(_, end)| end == trimmed.len()) {
        ("the JSON holds no plan: no object in it has \"Plan\"", Some(JSON_OR_TEXT))
    } else if is_sql(trimmed) {
        (
            "it is a statement, not its plan",
            Some("`latclinic explain --query SQL --database-url URL` explains a statement"),
        )
    } else {
        ("it is neither EXPLAIN's JSON nor its text", Some(JSON_OR_TEXT))
    };
    Kind::Pasted { message: message.to_owned(), hint }.into()
}

/// Its JSON, of either version, its table, or its tree.
pub(crate) fn is_mysql(text: &str) -> bool {
    let is_tree = |line: &str| {
        let line = line.trim_start_matches(['|', ' ']).trim_start_matches("EXPLAIN: ");
        line.strip_prefix("-> ").is_some_and(|node| {
            [
                "Table scan on",
                "Index lookup on",
                "Single-row index lookup",
                "Covering index",
                "Index scan on",
                "Index range scan on",
                "Nested loop ",
                "Inner hash join",
                "Left hash join",
                "Filter: ",
                "Limit: ",
                "Sort: ",
                "Sort row IDs: ",
                "Aggregate: ",
                "Group aggregate: ",
                "Stream results",
                "Rows fetched before execution",
                "Zero rows",
            ]
            .iter()
            .any(|name| node.starts_with(name))
        })
    };
    // The second version of its JSON has a tree of operations.
    let is_operations = text.contains("\"query_plan\"") && text.contains("\"operation\"");
    is_operations || text.contains("\"query_block\"") || text.contains("select_type") || text.lines().any(is_tree)
}

fn is_sql(text: &str) -> bool {
    let word: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
    ["select", "insert", "update", "delete", "merge", "with", "explain", "values", "table"]
        .iter()
        .any(|keyword| word.eq_ignore_ascii_case(keyword))
}
