//! In which schemas names resolve.
//!
//! Whoever may create in a schema of the path can plant a function, an operator, a type or a view there that latclinic's own SQL
//! would call instead of PostgreSQL's: it is enough that its argument types fit better than those of a polymorphic one. It would
//! run with the rights of whoever runs latclinic. So there are two kinds of sessions:
//!
//! - Those of [`Connector::connect`](crate::pg::link::connector::Connector::connect) ask latclinic's own questions and resolve names in the system
//!   catalog alone ([`OWN`]).
//! - A [`UserSession`](crate::pg::link::user_session::UserSession) runs statements of the user, in the user's path.
//!
//! PostgreSQL resolves the names of a query when it parses it, and omits the schemas of what it prints (definitions,
//! expressions, types) by the path while it runs. A query whose output has to read as in the user's path takes that path as a
//! parameter, sets it until its own end with `set_config(.., true)`, and computes what it prints from rows that come after that.
//! Such a query is a transaction of its own: within another one the path would stay.

use crate::sqltext::quote::{quote_identifier, quote_literal};

/// Resolves names in the system catalog alone: what is temporary comes last instead of first.
pub(crate) const OWN: &str = "SET search_path = pg_catalog, pg_temp";

/// The same until the end of the transaction.
pub(crate) const OWN_LOCAL: &str = "SET LOCAL search_path = pg_catalog, pg_temp";

/// The path of a scenario's statements.
pub(crate) fn of_schema(schema: &str) -> String {
    format!("{}, public", quote_identifier(schema))
}

/// Sets the path to what `SHOW search_path` wrote. No function is called: neither has a name to be resolved, nor begins a snapshot,
/// before which a transaction of the user's may still be set up.
pub(crate) fn set(path: &str) -> String {
    let names: Vec<String> = schemas(path).iter().map(|name| quote_literal(name)).collect();
    let names = if names.is_empty() { "''".to_owned() } else { names.join(", ") };
    format!("SET search_path = {names};")
}

/// The names in a list of identifiers.
fn schemas(path: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut letters = path.chars().peekable();
    while letters.peek().is_some() {
        let mut name = String::new();
        let mut quoted = false;
        while let Some(letter) = letters.next().filter(|letter| quoted || *letter != ',') {
            match letter {
                // A quote within quotes is written twice.
                '"' if quoted && letters.next_if_eq(&'"').is_some() => name.push('"'),
                '"' => quoted = !quoted,
                letter if quoted => name.push(letter),
                letter if letter.is_whitespace() => {}
                letter => name.extend(letter.to_lowercase()),
            }
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_set_as_it_was_shown() {
        assert_eq!(set(r#""$user", public"#), "SET search_path = E'$user', E'public';");
        assert_eq!(set(r#""a, ""B""", Public,it's"#), r#"SET search_path = E'a, "B"', E'public', E'it''s';"#);
        assert_eq!(set("a;b"), "SET search_path = E'a;b';");
        assert_eq!(set(r#""""#), "SET search_path = E'';");
        assert_eq!(set(""), "SET search_path = '';");
        assert_eq!(set(&of_schema("latclinic_a")), "SET search_path = E'latclinic_a', E'public';");
    }
}
