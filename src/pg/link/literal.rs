//! A statement with its values in the text, for the simple protocol.
//!
//! A literal has the type of the parameter that it replaces. Without one, PostgreSQL would choose the
//! type by the literal's place, and differently from a parameter's: in `at < '2025-01-01' +
//! interval '1 day'` the text is an interval, whereas `$1` in `at >= $1 AND at < $1 + interval '1 day'`
//! is a timestamp.

use crate::{scenario::placeholders, sqltext::quote::quote_literal};

/// A statement taken apart at its `$n`.
#[derive(Debug)]
pub(crate) struct Template {
    /// The text before each placeholder, the placeholder's number from 1, and the cast to its type.
    parts: Vec<(String, usize, String)>,
    /// The text after the last one.
    rest: String,
}

impl Template {
    /// Of a statement whose parameters have these types, as SQL names them.
    pub(crate) fn new(sql: &str, types: &[impl AsRef<str>]) -> Self {
        let mut parts = Vec::new();
        let mut begin = 0;
        for (number, span) in placeholders(sql) {
            let cast = number.checked_sub(1).and_then(|index| types.get(index));
            let cast = cast.map(|ty| format!("::{}", ty.as_ref())).unwrap_or_default();
            parts.push((sql[begin..span.start].to_owned(), number, cast));
            begin = span.end;
        }
        Self { parts, rest: sql[begin..].to_owned() }
    }

    /// The statement with values for its placeholders. `text` appends the text of the one with an
    /// index from 0 and says whether it is NULL.
    ///
    /// # Errors
    /// Of `text`.
    pub(crate) fn fill<E>(&self, mut text: impl FnMut(usize, &mut String) -> Result<bool, E>) -> Result<String, E> {
        let mut sql = String::with_capacity(self.rest.len() + 64 * self.parts.len());
        let mut value = String::new();
        for (before, number, cast) in &self.parts {
            sql.push_str(before);
            value.clear();
            // A parameter is a primary expression: `-$1`, `$1[2]`.
            sql.push('(');
            match text(number - 1, &mut value)? {
                true => sql.push_str("NULL"),
                false => sql.push_str(&quote_literal(&value)),
            }
            sql.push_str(cast);
            sql.push(')');
        }
        sql.push_str(&self.rest);
        Ok(sql)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fill(sql: &str, values: &[Option<&str>]) -> String {
        let text = |index: usize, out: &mut String| {
            let value: Option<&str> = values[index];
            out.push_str(value.unwrap_or_default());
            Ok::<_, ()>(value.is_none())
        };
        Template::new(sql, &["int4", "text"]).fill(text).unwrap()
    }

    #[test]
    fn values_stand_where_their_placeholders_stood() {
        let sql = "SELECT $2, '$1', $$ $1 $$ /* $1 */, \"$1\", a - $1 -- $2";
        let filled = fill(sql, &[Some("-5"), None]);
        assert_eq!(filled, "SELECT (NULL::text), '$1', $$ $1 $$ /* $1 */, \"$1\", a - (E'-5'::int4) -- $2");
        assert_eq!(fill("SELECT 1", &[]), "SELECT 1");
        assert_eq!(fill("SELECT $3", &[None, None, Some("a")]), "SELECT (E'a')");
    }

    /// What PostgreSQL reads in an `E'..'` at the begin of the text, and what follows it.
    fn read(text: &str) -> (String, &str) {
        let mut value = String::new();
        let mut letters = text.strip_prefix("(E'").unwrap().char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => value.push(letters.next().unwrap().1),
                '\'' if letters.next_if(|(_, next)| *next == '\'').is_none() => return (value, &text[at + 4..]),
                letter => value.push(letter),
            }
        }
        panic!("{text} does not end");
    }

    proptest! {
        #[test]
        fn a_value_is_read_as_it_was_written(value in r#"([\\'"$;/*-]|E'|--|\$1|[a-zé\n ])*"#) {
            let filled = fill("$1 AND $1", &[Some(&value)]);
            let (first, rest) = read(&filled);
            prop_assert_eq!(&first, &value);
            let (second, rest) = read(rest.strip_prefix("::int4) AND ").unwrap());
            prop_assert_eq!((second, rest), (value, "::int4)"));
            // The lexer of scenarios sees nothing but literals there either.
            prop_assert!(placeholders(&filled).is_empty());
        }
    }
}
