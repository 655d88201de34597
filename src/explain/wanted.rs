//! What a statement's parameters are compared with, of whatever kind, for finding values for them.

use super::{
    condition::{self, Side, comparison, parameter, side},
    plan::{Node, Plan},
    sql,
};

/// A column that a parameter is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The parameter's number, from 1.
    pub parameter: usize,
    /// Schema of the table.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// How.
    pub how: How,
}

/// How a parameter is compared with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// The column equals it.
    Equal,
    /// The column equals one of its elements.
    AnyOf,
    /// The column is more than it.
    More,
    /// The column is less than it.
    Less,
    /// The column is like it, a pattern.
    Like,
    /// The column is like a pattern that is made of it.
    Holds,
}

/// What each parameter of a generic plan is compared with, the best known first; of several columns that of the node with most rows.
pub fn wanted(plan: &Plan) -> Vec<Wanted> {
    let mut found: Vec<(How, f64, Wanted)> = Vec::new();
    for node in plan.nodes() {
        let (Some(table), Some(schema)) = (&node.relation, &node.schema) else { continue };
        let conditions = [&node.conditions.index, &node.conditions.recheck, &node.conditions.filter];
        for (parameter, column, how) in conditions.into_iter().flatten().flat_map(|text| of_condition(text, node)) {
            let one = Wanted { parameter, schema: schema.clone(), table: table.clone(), column, how };
            match found.iter_mut().find(|(_, _, known)| known.parameter == parameter) {
                None => found.push((how, node.plan_rows, one)),
                Some(known) if (how, -node.plan_rows) < (known.0, -known.1) => *known = (how, node.plan_rows, one),
                Some(_) => {}
            }
        }
    }
    found.into_iter().map(|(_, _, one)| one).collect()
}

/// Parameters and columns of the node's table in all terms of a condition, those of an OR among them.
fn of_condition(text: &str, node: &Node) -> Vec<(usize, String, How)> {
    let alias = node.alias.as_deref().unwrap_or_default();
    let terms = condition::terms(text).into_iter().flat_map(condition::alternatives).flat_map(condition::terms);
    let terms = terms.filter_map(comparison);
    terms
        .flat_map(|found| {
            let (left, right, operator) = (found.left, found.right, found.operator);
            let ways = [(left, right, of_operator(operator, false)), (right, left, of_operator(operator, true))];
            ways.into_iter().filter_map(|(one, other, how)| {
                let (Side::Column(column) | Side::Cast { column, .. }) = side(one, alias) else { return None };
                let how = how?;
                match (parameter(other), how) {
                    (Some(parameter), _) => Some((parameter, sql::name(column), how)),
                    (None, How::Like) => Some((within(other)?, sql::name(column), How::Holds)),
                    (None, _) => None,
                }
            })
        })
        .collect()
}

fn of_operator(operator: &str, is_swapped: bool) -> Option<How> {
    Some(match (operator, is_swapped) {
        ("=", _) => How::Equal,
        ("= ANY", false) => How::AnyOf,
        (">" | ">=", false) | ("<" | "<=", true) => How::More,
        ("<" | "<=", false) | (">" | ">=", true) => How::Less,
        ("~~" | "~~*", false) => How::Like,
        _ => return None,
    })
}

/// The only parameter in an expression, such as `(('%'::text || $1) || '%'::text)`.
fn within(expression: &str) -> Option<usize> {
    let mut numbers = expression.split('$').skip(1).map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        part[..digits].parse().ok()
    });
    numbers.next().flatten().filter(|_| numbers.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_in_whatever_comparison() {
        let node = Node { alias: Some("e".into()), ..Node::default() };
        let of = |condition: &str| of_condition(condition, &node);
        let one = |parameter, column: &str, how| vec![(parameter, column.to_owned(), how)];
        assert_eq!(of("(e.user_id = $1)"), one(1, "user_id", How::Equal));
        assert_eq!(of("(e.kind = ANY ($2))"), one(2, "kind", How::AnyOf));
        assert_eq!(of("($3 <= e.at)"), one(3, "at", How::More));
        assert_eq!(of("(e.at < ($3)::date)"), one(3, "at", How::Less));
        assert_eq!(of("(e.name ~~ $1)"), one(1, "name", How::Like));
        assert_eq!(of("(e.name ~~* (('%'::text || $1) || '%'::text))"), one(1, "name", How::Holds));
        assert_eq!(of("((e.a = $1) OR (e.b = $2))").len(), 2);
        for none in ["(lower(e.name) = $1)", "(other.id = $1)", "(e.at > (now() - $1))", "(e.id = 5)"] {
            assert_eq!(of(none), [], "{none}");
        }
    }
}
