//! What an input is in which there is no plan.

use super::{Error, Kind, Tape};

const JSON_OR_TEXT: &str = "use EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or its text";

const ON_POSTGRESQL: &str = "run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)";

/// Says what `text` is, as far as that can be seen.
pub(super) fn no_plan(text: &str) -> Error {
    let has = |sign: &str| text.contains(sign);
    let begins = |sign: &str| text.lines().any(|line| line.trim_start().starts_with(sign));
    let trimmed = text.trim();
    let (message, hint) = if trimmed.is_empty() {
        ("there is no plan: the input is empty", Some("paste what EXPLAIN printed"))
    } else if is_mysql(text) {
        ("the plan is MySQL's or MariaDB's: latclinic reads PostgreSQL's", Some(ON_POSTGRESQL))
    } else if has("<explain") || has("<Node-Type>") || has("<Plan>") {
        ("the plan is in XML, which is not read", Some(JSON_OR_TEXT))
    } else if begins("- Plan:") || begins("Node Type: ") {
        ("the plan is in YAML, which is not read", Some(JSON_OR_TEXT))
    } else if has("'Node Type'") || has("'Plan'") {
        (
            "the plan is printed as Python or JavaScript shows it, which is no JSON",
            Some("print it as JSON, such as with json.dumps"),
        )
    } else if has("<ShowPlanXML") || has("TABLE ACCESS FULL") {
        ("the plan is another system's: latclinic reads PostgreSQL's", Some(ON_POSTGRESQL))
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
fn is_mysql(text: &str) -> bool {
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
