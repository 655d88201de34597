//! What a parameter has to be for an expression of it to have a value.

use crate::sqltext::condition::{self, Comparison, bare, calls, comparison};

/// A parameter within an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) parameter: usize,
    pub(crate) inverse: Inverse,
}

/// SQL before and after a value of the expression that makes it one of the parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inverse([String; 2]);

impl Inverse {
    pub(crate) fn itself() -> Self {
        Self([String::new(), String::new()])
    }

    pub(crate) fn around(&self) -> [String; 2] {
        self.0.clone()
    }

    /// That of an expression whose own part this is the inverse of; it is put around what the outer one makes.
    fn after(self, before: &str, after: &str) -> Self {
        let [open, close] = self.0;
        Self([format!("{open}{before}"), format!("{after}{close}")])
    }
}

/// Functions that return what they are given, or what they would make of it again.
const KEEPING: [&str; 17] = [
    "lower",
    "upper",
    "btrim",
    "ltrim",
    "rtrim",
    "initcap",
    "date",
    "date_trunc",
    "timezone",
    "COALESCE",
    "NULLIF",
    "to_tsquery",
    "plainto_tsquery",
    "phraseto_tsquery",
    "websearch_to_tsquery",
    "text",
    "abs",
];

/// The only parameter of an expression, with what makes a value of the expression one of it.
pub(crate) fn inverse(expression: &str) -> Option<Given> {
    let expression = bare(expression);
    let mut numbers = parameters(expression);
    let parameter = numbers.next()?;
    if numbers.next().is_some() || !condition::is_own(expression) {
        return None;
    }
    if condition::parameter(expression).is_some() {
        return Some(Given { parameter, inverse: Inverse::itself() });
    }
    if let Some(linear) = of_interval(expression, parameter) {
        return Some(Given { parameter, inverse: linear });
    }
    // A cast around all of it.
    if let Some(to) = cast_of_all(expression) {
        return inverse(expression.strip_suffix(to)?.trim_end().strip_suffix("::")?);
    }
    if let Some((name, inner)) = calls(expression).into_iter().next()
        && expression.strip_prefix(name).and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')')) == Some(inner)
    {
        let argument =
            condition::arguments(inner).into_iter().find(|argument| parameters(argument).next().is_some())?;
        let given = inverse(argument)?;
        return match name {
            "to_timestamp" => Some(Given { inverse: given.inverse.after("EXTRACT(epoch FROM ", ")"), ..given }),
            name if KEEPING.contains(&name) => Some(given),
            _ => None,
        };
    }
    let Comparison { left, operator, right } = comparison(expression)?;
    let is_left = parameters(left).next().is_some();
    let (of_parameter, other) = if is_left { (left, right) } else { (right, left) };
    if condition::has_columns(other) {
        return None;
    }
    let (before, after) = match (operator, is_left) {
        ("+", _) => ("(".to_owned(), format!(" - {other})")),
        ("-", true) => ("(".to_owned(), format!(" + {other})")),
        ("-", false) => (format!("({other} - "), ")".to_owned()),
        ("*", _) => ("(".to_owned(), format!(" / {other})")),
        ("/", true) => ("(".to_owned(), format!(" * {other})")),
        ("||", true) => ("pg_catalog.rtrim(".to_owned(), format!(", {other})")),
        ("||", false) => ("pg_catalog.ltrim(".to_owned(), format!(", {other})")),
        _ => return None,
    };
    let given = inverse(of_parameter)?;
    Some(Given { inverse: given.inverse.after(&before, &after), ..given })
}

/// An interval that is as long as the parameter says: `($1 || ' days')::interval`, `$1 * '1 day'::interval`, `make_interval(..)`.
fn of_interval(expression: &str, parameter: usize) -> Option<Inverse> {
    let is_cast = cast_of_all(expression) == Some("interval");
    let is_made = expression.starts_with("make_interval(") && expression.ends_with(')');
    let is_product = comparison(expression).is_some_and(|of| {
        of.operator == "*" && [of.left, of.right].into_iter().any(|side| condition::cast_to(side) == Some("interval"))
    });
    // `($1)::interval` is the interval itself.
    if !(is_cast || is_made || is_product) || condition::has_columns(expression) {
        return None;
    }
    let one = expression.replace(&format!("${parameter}"), "'1'");
    Some(Inverse(["pg_catalog.ceil(EXTRACT(epoch FROM ".to_owned(), format!(") / EXTRACT(epoch FROM {one}))")]))
}

/// The type that all of an expression is cast to, not only what follows an operator.
fn cast_of_all(expression: &str) -> Option<&str> {
    condition::cast_to(expression).filter(|_| comparison(expression).is_none())
}

/// The numbers of the parameters in an expression.
pub(crate) fn parameters(expression: &str) -> impl Iterator<Item = usize> {
    condition::parameters(expression).into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_an_expression_is_made_one_of_its_parameter() {
        let of = |expression: &str| inverse(expression).map(|given| given.inverse.around().join("x"));
        assert_eq!(of("$1").as_deref(), Some("x"));
        assert_eq!(of("lower(($1)::text)").as_deref(), Some("x"));
        assert_eq!(of("(now() - $1)").as_deref(), Some("(now() - x)"));
        assert_eq!(of("(now() - ($1)::interval)").as_deref(), Some("(now() - x)"));
        assert_eq!(of("($1 + 1)").as_deref(), Some("(x - 1)"));
        assert_eq!(of("(1 - ($1 + 2))").as_deref(), Some("((1 - x) - 2)"));
        let days = "pg_catalog.ceil(EXTRACT(epoch FROM (now() - x)) / EXTRACT(epoch FROM (('1')::text || ' days'::text)::interval))";
        assert_eq!(of("(now() - (($1)::text || ' days'::text)::interval)").as_deref(), Some(days));
        for none in ["($1 + $2)", "(e.a + $1)", "app.f($1)", "f($1)", "5"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
