//! SQL as an advice writes it.

use super::plan::Node;

/// The name as an identifier: in double quotes where it needs them.
pub(super) fn identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The table that a node reads, with its schema where the plan says so and it is not `public`.
pub(super) fn table(node: &Node) -> Option<String> {
    let relation = identifier(node.relation.as_ref()?);
    Some(match node.schema.as_deref().filter(|schema| *schema != "public") {
        Some(schema) => format!("{}.{relation}", identifier(schema)),
        None => relation,
    })
}

/// Words that PostgreSQL reserves and that people name tables and columns by.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "default",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "primary",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_need_it() {
        assert_eq!(
            ["events", "User", "order", "a b", "x\"y"].map(identifier),
            ["events", "\"User\"", "\"order\"", "\"a b\"", "\"x\"\"y\""]
        );
    }
}
