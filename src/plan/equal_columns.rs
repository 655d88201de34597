//! Which columns a statement's parameters are compared with, as the planner resolved them.

use super::model::{Node, Plan};
use crate::sqltext::{
    condition::{Side, comparison, parameter, side, terms},
    quote,
};

/// A column that a parameter has to equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The parameter's number, from 1.
    pub parameter: usize,
    /// Schema of the table; `None` where EXPLAIN did not say (it does with VERBOSE).
    pub schema: Option<String>,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

/// The columns that parameters have to equal in a generic plan; of several for one parameter that of the node with most rows. What is
/// compared in a join or as an expression is not among them.
pub fn compared(plan: &Plan) -> Vec<Compared> {
    let mut found: Vec<(f64, Compared)> = Vec::new();
    for node in plan.nodes() {
        let Some(table) = &node.relation else { continue };
        let conditions = [&node.conditions.index, &node.conditions.recheck, &node.conditions.filter];
        for (parameter, column) in conditions.into_iter().flatten().flat_map(|text| equalities(text, node)) {
            let one = Compared { parameter, schema: node.schema.clone(), table: table.clone(), column };
            match found.iter_mut().find(|(_, known)| known.parameter == parameter) {
                None => found.push((node.plan_rows, one)),
                Some(known) if known.0 < node.plan_rows => *known = (node.plan_rows, one),
                Some(_) => {}
            }
        }
    }
    found.into_iter().map(|(_, one)| one).collect()
}

/// Parameters and columns of the node's table that a condition wants equal.
fn equalities(condition: &str, node: &Node) -> Vec<(usize, String)> {
    let alias = node.alias.as_deref().unwrap_or_default();
    let equal = terms(condition).into_iter().filter_map(comparison).filter(|found| found.operator == "=");
    let ways = equal.flat_map(|found| [(found.left, found.right), (found.right, found.left)]);
    ways.filter_map(|(one, other)| match side(one, alias) {
        Side::Column(column) | Side::Cast { column, .. } => Some((parameter(other)?, quote::name(column))),
        Side::Expression | Side::Value => None,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(condition: &str) -> String {
        let node = Node { alias: Some("e".into()), ..Node::default() };
        let found = equalities(condition, &node);
        found.iter().map(|(parameter, column)| format!("${parameter} {column}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn equalities_with_parameters_are_found() {
        let conditions = [
            "(e.user_id = $1)",
            "((e.id > $2) AND (e.kind = $1) AND ((e.name)::text = ($3)::text))",
            r#"($12 = e."User id")"#,
            "(e.id = 5)",
            "((e.id = $1) OR (e.id = $2))",
            "(e.id = ANY ($1))",
            "(lower(e.name) = $1)",
            "(other.id = $1)",
            "(NOT (hashed SubPlan 1))",
            "",
        ];
        let told: String = conditions.map(|condition| format!("{condition}: {}\n", found(condition))).concat();
        insta::assert_snapshot!(told, @r#"
        (e.user_id = $1): $1 user_id
        ((e.id > $2) AND (e.kind = $1) AND ((e.name)::text = ($3)::text)): $1 kind, $3 name
        ($12 = e."User id"): $12 User id
        (e.id = 5): 
        ((e.id = $1) OR (e.id = $2)): 
        (e.id = ANY ($1)): 
        (lower(e.name) = $1): 
        (other.id = $1): 
        (NOT (hashed SubPlan 1)): 
        : 
        "#);
    }

    #[test]
    fn of_several_columns_that_of_the_node_with_most_rows_counts() {
        let scan = |table: &str, rows: f64| {
            format!(
                r#"{{"Node Type": "Seq Scan", "Relation Name": "{table}", "Schema": "public", "Alias": "{table}",
                "Plan Rows": {rows}, "Filter": "({table}.user_id = $1)", "Parent Relationship": "Outer"}}"#
            )
        };
        let plan = format!(
            r#"[{{"Plan": {{"Node Type": "Nested Loop", "Plans": [{}, {}]}}}}]"#,
            scan("users", 1.0),
            scan("events", 50.0)
        );
        let [one] = &compared(&Plan::parse(&plan).unwrap())[..] else { panic!("one parameter") };
        assert_eq!((one.parameter, one.table.as_str(), one.column.as_str()), (1, "events", "user_id"));
    }
}
