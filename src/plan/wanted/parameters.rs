//! What a statement's parameters are compared with, of whatever kind, for finding values for them.

use super::inverse::{Given, Inverse, inverse, parameters};

use crate::{
    plan::model::{Node, Plan},
    sqltext::{
        condition::{self, Comparison, bare, calls, comparison, names},
        quote,
    },
};

/// Something of a table's rows that a parameter is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The parameter's number, from 1.
    pub parameter: usize,
    /// Schema of the table.
    pub schema: String,
    /// The table.
    pub table: String,
    /// What the table is called in `expression`.
    pub alias: String,
    /// SQL of what it is compared with: a column, or an expression that calls nothing but PostgreSQL's own.
    pub expression: String,
    /// The columns in it, as the catalog names them; if it is nothing but a column, that one.
    pub columns: Vec<String>,
    /// Whether it is nothing but a column.
    pub is_column: bool,
    /// SQL around a value of the expression that makes it one of the parameter: `(now() - ` and `)` for `at > now() - $1`.
    pub around: [String; 2],
    /// How.
    pub how: How,
}

/// How a parameter is compared with something of a row; the first is the one that says most of the parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It equals it.
    Equal,
    /// It equals one of its elements.
    AnyOf,
    /// It is written to a new row.
    New,
    /// It is an array that has it as an element.
    Element,
    /// It contains it, or overlaps it: a part of it.
    Part,
    /// It has it as a key.
    Key,
    /// It has one of its elements, or each of them, as a key.
    Keys,
    /// A search for it finds it.
    Match,
    /// It is a document that has something at this path.
    Path,
    /// It is within it.
    Within,
    /// It is an address in this network.
    Network,
    /// It is part of a list of values that comes before, or after, a list of parameters.
    Row,
    /// It is more than it.
    More,
    /// It is less than it.
    Less,
    /// It is like it, a pattern.
    Like,
    /// It is like a pattern that is made of it, or matches it as a regular expression.
    Holds,
    /// It is similar to it, or its distance to it is asked for.
    Near,
    /// It differs from it.
    Other,
    /// It differs from all of its elements.
    NoneOf,
}

/// Everything that each parameter of a generic plan is compared with, the best known first; of several those of the node with most
/// rows.
pub fn wanted(plan: &Plan) -> Vec<Wanted> {
    let mut found: Vec<(f64, Wanted)> = Vec::new();
    for (place, node) in plan.nodes().iter().enumerate() {
        for compared in conditions(node).flat_map(compared) {
            for of in tables(plan, place, &compared) {
                let one = compared.on(of);
                if !found.iter().any(|(_, known)| *known == one) {
                    found.push((of.plan_rows, one));
                }
            }
        }
    }
    found.sort_by(|(rows, one), (others, other)| {
        (one.how, others).partial_cmp(&(other.how, rows)).unwrap_or(std::cmp::Ordering::Equal)
    });
    found.into_iter().map(|(_, one)| one).collect()
}

/// A column of the table that a plan changes, for a parameter that is written to it.
pub fn written(plan: &Plan, parameter: usize, column: &str, is_new: bool) -> Option<Wanted> {
    let node = plan.nodes().iter().find(|node| node.operation.is_some() && node.relation.is_some())?;
    let alias = node.alias.clone().unwrap_or_default();
    Some(Wanted {
        parameter,
        schema: node.schema.clone()?,
        table: node.relation.clone()?,
        expression: format!("{}.{}", quote::identifier(&alias), quote::identifier(column)),
        alias,
        columns: vec![column.to_owned()],
        is_column: true,
        around: [String::new(), String::new()],
        how: if is_new { How::New } else { How::Equal },
    })
}

/// The parameters that conditions on rows of tables mention, whatever they do with them: not those that only aggregates are compared
/// with.
pub fn mentioned(plan: &Plan) -> Vec<usize> {
    let of_rows =
        plan.nodes().iter().filter(|node| !matches!(node.node_type.as_str(), "Aggregate" | "Group" | "WindowAgg"));
    of_rows.flat_map(conditions).flat_map(parameters).collect()
}

/// Whether a plan reads tables, and nothing whose values nothing is known of: functions, lists, foreign tables.
pub fn reads_only_tables(plan: &Plan) -> bool {
    const UNKNOWN: [&str; 5] = ["Function Scan", "Table Function Scan", "ProjectSet", "Values Scan", "Foreign Scan"];
    let nodes = plan.nodes();
    nodes.iter().any(|node| node.relation.is_some())
        && !nodes.iter().any(|node| UNKNOWN.contains(&node.node_type.as_str()))
}

fn conditions(node: &Node) -> impl Iterator<Item = &str> {
    let of = &node.conditions;
    let texts =
        [&of.index, &of.recheck, &of.tid, &of.filter, &of.join_filter, &of.hash, &of.merge, &of.one_time, &of.order_by];
    texts.into_iter().flatten().chain(&of.sort_key).map(String::as_str)
}

/// A parameter beside what it is compared with.
struct Compared<'a> {
    given: Given,
    /// The columns' side, as printed.
    expression: &'a str,
    /// The only table or subquery whose columns it has.
    alias: String,
    how: How,
}

impl Compared<'_> {
    fn on(&self, node: &Node) -> Wanted {
        // What a subquery or CTE returns is looked for under the same name.
        let own = node.alias.clone().unwrap_or_default();
        let expression = match own == self.alias {
            true => self.expression.to_owned(),
            false => condition::unqualified(self.expression, &self.alias),
        };
        let columns: Vec<String> =
            condition::columns(self.expression, &self.alias).into_iter().map(quote::name).collect();
        let is_column = matches!(condition::side(self.expression, &self.alias), condition::Side::Column(_));
        Wanted {
            parameter: self.given.parameter,
            schema: node.schema.clone().unwrap_or_default(),
            table: node.relation.clone().unwrap_or_default(),
            alias: own,
            expression,
            columns,
            is_column,
            around: self.given.inverse.around(),
            how: self.how,
        }
    }
}

/// The tables that have the columns of a comparison at the node of this place.
fn tables<'p>(plan: &'p Plan, place: usize, compared: &Compared<'_>) -> Vec<&'p Node> {
    let nodes = plan.nodes();
    let called = |node: &&Node| node.alias.as_deref() == Some(&compared.alias);
    let Some(found) = nodes[place..].iter().chain(&nodes[..place]).find(called) else { return Vec::new() };
    if found.relation.is_some() && found.schema.is_some() {
        return vec![found];
    }
    let Some(at) = nodes.iter().position(|node| std::ptr::eq(node, found)) else { return Vec::new() };
    let top = match &found.cte {
        Some(cte) => nodes
            .iter()
            .position(|node| node.subplan.as_deref().and_then(|name| name.strip_prefix("CTE ")) == Some(cte)),
        None => Some(at),
    };
    let Some(top) = top else { return Vec::new() };
    let below =
        nodes[top..].iter().enumerate().take_while(|(after, node)| *after == 0 || node.depth > nodes[top].depth);
    below.map(|(_, node)| node).filter(|node| node.relation.is_some() && node.schema.is_some()).collect()
}

/// The comparisons in a condition, however deep: PostgreSQL prints each in parentheses. Of those in each other the outer one counts.
fn compared(text: &str) -> Vec<Compared<'_>> {
    let mut found = Vec::new();
    let mut done = 0;
    for group in condition::groups(text) {
        if group.start < done {
            continue;
        }
        let of = of_term(&text[group.clone()]);
        if !of.is_empty() {
            done = group.end;
            found.extend(of);
        }
    }
    if found.is_empty() { of_term(text) } else { found }
}

fn of_term(term: &str) -> Vec<Compared<'_>> {
    if let Some((left, right)) = term.split_once(" IS DISTINCT FROM ") {
        return both(left, right, "=");
    }
    if let Some((left, right)) = function(term) {
        return both(left, right, "^@");
    }
    let Some(Comparison { left, operator, right }) = comparison(term) else { return Vec::new() };
    // So it is printed if the path has another one of the name.
    let operator =
        operator.strip_prefix("OPERATOR(pg_catalog.").map_or_else(|| operator.to_owned(), |rest| rest.replace(')', ""));
    let operator = operator.as_str();
    let of_each = match operator {
        "= ANY" => Some("="),
        "<> ALL" => Some("<>"),
        _ => None,
    };
    // `IN ($1, $2)`
    if let (Some(operator), Some(elements)) = (of_each, elements(right)) {
        return elements.into_iter().flat_map(|element| both(left, element, operator)).collect();
    }
    match (row(left), row(right)) {
        (Some(left), Some(right)) if left.len() == right.len() => {
            let of = left.into_iter().zip(right).flat_map(|(left, right)| both(left, right, "="));
            of.map(|one| Compared { how: How::Row, ..one }).collect()
        }
        _ => both(left, right, operator),
    }
}

/// The arguments of a function that compares.
fn function(term: &str) -> Option<(&str, &str)> {
    let term = bare(term);
    let (_, arguments) = calls(term).into_iter().find(|(name, _)| *name == "starts_with" && term.starts_with(name))?;
    match condition::arguments(arguments)[..] {
        [left, right] => Some((left, right)),
        _ => None,
    }
}

fn elements(side: &str) -> Option<Vec<&str>> {
    let (inner, _) = bare(side).trim_start_matches('(').strip_prefix("ARRAY[")?.rsplit_once(']')?;
    // The cast of the array itself may be to `text[]`.
    let inner = inner.strip_suffix("])::text[").unwrap_or(inner);
    Some(condition::arguments(inner))
}

fn row(side: &str) -> Option<Vec<&str>> {
    let inner = bare(side).strip_prefix("ROW(")?.strip_suffix(')')?;
    Some(condition::arguments(inner))
}

fn both<'a>(left: &'a str, right: &'a str, operator: &str) -> Vec<Compared<'a>> {
    let ways = [(left, right, of_operator(operator, false)), (right, left, of_operator(operator, true))];
    ways.into_iter().filter_map(|(one, other, how)| of_sides(one, other, how?)).collect()
}

/// `one` is compared with `other`, which has the parameter.
fn of_sides<'a>(one: &'a str, other: &str, how: How) -> Option<Compared<'a>> {
    // `lower(email) = lower($1)`
    if let (Some((function, inner)), Some((same, of_parameter))) = (only_call(one), only_call(other))
        && function == same
        && inverse(of_parameter).is_some()
    {
        return of_sides(inner, of_parameter, how);
    }
    // `id IN (SELECT unnest($1))`
    if let (How::Equal, Some(("unnest", list))) = (how, only_call(other)) {
        return of_sides(one, list, How::AnyOf);
    }
    let alias = only_alias(one)?;
    let is_pattern = matches!(how, How::Like | How::Holds | How::Match);
    // A pattern, or a search, that is made of it.
    let (how, given) = if is_pattern && condition::parameter(other).is_none() {
        let mut numbers = parameters(other);
        let parameter = numbers.next().filter(|_| numbers.next().is_none())?;
        let how = if how == How::Match { how } else { How::Holds };
        (how, Given { parameter, inverse: Inverse::itself() })
    } else {
        (how, inverse(other)?)
    };
    Some(Compared { given, expression: bare(one), alias, how })
}

/// The function that an expression is a call of, with its only argument.
fn only_call(expression: &str) -> Option<(&str, &str)> {
    let expression = bare(expression);
    let (name, inner) = calls(expression).into_iter().next()?;
    let is_all = expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')? == inner;
    (is_all && condition::arguments(inner).len() == 1).then_some((name, inner))
}

/// The table whose columns an expression has, if it is only one; `None` also where it may call what is not PostgreSQL's own.
fn only_alias(expression: &str) -> Option<String> {
    if !condition::is_own(expression) || parameters(expression).next().is_some() {
        return None;
    }
    let mut aliases = names(expression).into_iter().filter_map(|name| Some(condition::qualifier(name)?.to_owned()));
    let first = aliases.next()?;
    aliases.all(|alias| alias == first).then(|| quote::name(&first))
}

fn of_operator(operator: &str, is_swapped: bool) -> Option<How> {
    Some(match (operator, is_swapped) {
        ("=", _) => How::Equal,
        ("= ANY", false) => How::AnyOf,
        ("= ANY", true) => How::Element,
        (">" | ">=", false) | ("<" | "<=", true) => How::More,
        ("<" | "<=", false) | (">" | ">=", true) => How::Less,
        ("@>", false) | ("<@", true) | ("&&", _) => How::Part,
        ("<@", false) | ("@>", true) => How::Within,
        ("?", false) => How::Key,
        ("?|" | "?&", false) => How::Keys,
        ("@@", _) => How::Match,
        ("@?", false) => How::Path,
        ("<<" | "<<=", false) | (">>" | ">>=", true) => How::Network,
        ("~~" | "~~*", false) => How::Like,
        ("!~~" | "!~~*", false) => How::Like,
        ("~" | "~*" | "!~" | "!~*" | "^@", false) => How::Holds,
        ("%" | "<%" | "%>" | "<<%" | "%>>" | "<->" | "<<->" | "<->>", _) => How::Near,
        ("<>", _) => How::Other,
        ("<> ALL", false) => How::NoneOf,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(condition: &str) -> Vec<(usize, String, How, bool)> {
        let node = Node { alias: Some("e".into()), ..Node::default() };
        let of = compared(condition).into_iter().map(|one| one.on(&node));
        of.map(|one| (one.parameter, one.expression, one.how, one.is_column && one.around.concat().is_empty()))
            .collect()
    }

    #[test]
    fn parameters_are_found_in_whatever_comparison() {
        let one = |parameter, expression: &str, how| vec![(parameter, expression.to_owned(), how, true)];
        assert_eq!(found("(e.user_id = $1)"), one(1, "e.user_id", How::Equal));
        assert_eq!(found("(e.kind = ANY ($2))"), one(2, "e.kind", How::AnyOf));
        assert_eq!(found("($3 <= e.at)"), one(3, "e.at", How::More));
        assert_eq!(found("(e.at < ($3)::date)"), one(3, "e.at", How::Less));
        assert_eq!(found("(e.name ~~ $1)"), one(1, "e.name", How::Like));
        assert_eq!(found("(e.name ~~* (('%'::text || $1) || '%'::text))"), one(1, "e.name", How::Holds));
        assert_eq!(found("($1 = ANY (e.tags))"), one(1, "e.tags", How::Element));
        assert_eq!(found("($1 <@ e.tags)"), one(1, "e.tags", How::Part));
        assert_eq!(found("(e.doc ? $1)"), one(1, "e.doc", How::Key));
        assert_eq!(found("(e.tsv @@ to_tsquery('english'::regconfig, $1))"), one(1, "e.tsv", How::Match));
        assert_eq!(found("((e.a = $1) OR (e.b = $2))").len(), 2);
        assert_eq!(found("(e.a = ANY (ARRAY[$1, ($2)::integer]))").len(), 2);
        assert_eq!(found("(CASE WHEN (e.a = $1) THEN 1 ELSE 2 END = 1)"), one(1, "e.a", How::Equal));
        assert_eq!(found("(lower((e.email)::text) = lower($1))")[0].1, "(e.email)::text");
        assert_eq!(found("(lower(e.email) = $1)")[0].1, "lower(e.email)");
        assert_eq!(found("(e.id = (unnest($1)))"), one(1, "e.id", How::AnyOf));
        assert_eq!(found("(ROW(e.at, e.id) < ROW($1, $2))").len(), 2);
        assert_eq!(found("(e.at > (now() - $1))")[0].2, How::More);
        assert_eq!(found("(e.id OPERATOR(pg_catalog.=) ANY ($1))"), one(1, "e.id", How::AnyOf));
        assert_eq!(found("(pg_catalog.lower(e.a) OPERATOR(pg_catalog.=) $1)")[0].1, "pg_catalog.lower(e.a)");
        for none in ["(e.a = u.b)", "(e.id = 5)", "(e.a = (u.b + $1))", "(app.f(e.a) = $1)", "(e.a OPERATOR(app.=) $1)"]
        {
            assert_eq!(found(none), [], "{none}");
        }
    }
}
