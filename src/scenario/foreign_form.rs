//! Forms that drivers, ORMs and other databases have and PostgreSQL does not, and what it has instead.

use std::fmt;

use sqlparser::tokenizer::Token;

use super::{foreign_words::foreign_word, sql::tokens};
use crate::scenario::token::{is, is_number, is_operand};

/// What is written in a form that PostgreSQL does not have, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignForm {
    /// As it is written.
    pub found: String,
    /// Line of the statement, from 1.
    pub line: usize,
    /// Character of that line, from 1.
    pub column: usize,
    /// What PostgreSQL has instead.
    pub instead: Instead,
}

/// What PostgreSQL has instead of a foreign form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// Numbered parameters.
    Numbered,
    /// `$1::interval`: a type before a constant is no cast of a parameter.
    Cast {
        /// The type, such as `interval`.
        to: String,
        /// The parameter, such as `$1`.
        parameter: String,
    },
    /// `= ANY ($1)`, or `<> ALL ($1)`.
    Any {
        /// Whether it is `NOT IN`.
        not: bool,
        /// The parameter, such as `$1`.
        parameter: String,
    },
    /// The same in words of PostgreSQL: the form is another database's.
    Write(String),
}

impl fmt::Display for ForeignForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, line, column, instead } = self;
        write!(f, "line {line}, column {column} of the statement: ")?;
        match instead {
            Instead::Numbered => {
                write!(
                    f,
                    "`{found}` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, .."
                )
            }
            Instead::Cast { to, parameter } => {
                write!(f, "PostgreSQL takes a constant behind `{to}`, no parameter: write {parameter}::{to}")
            }
            Instead::Write(form) => {
                write!(f, "`{found}` is the form of another database; in PostgreSQL write {form}")
            }
            Instead::Any { not, parameter } => {
                let (form, operator) = if *not { ("NOT IN", "<> ALL") } else { ("IN", "= ANY") };
                write!(f, "{form} takes a list in parentheses: write {operator} ({parameter}), and give an array")
            }
        }
    }
}

/// Types that may stand before a constant.
const TYPES: [&str; 8] = ["interval", "date", "time", "timetz", "timestamp", "timestamptz", "numeric", "uuid"];

/// The first foreign form of a statement; text, comments, casts, slices and operators hold none.
pub fn foreign_form(sql: &str) -> Option<ForeignForm> {
    let tokens = tokens(sql);
    let mut brackets = 0_usize;
    for (at, (token, span)) in tokens.iter().enumerate() {
        match token {
            Token::LBracket => brackets += 1,
            Token::RBracket => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        let next = |more: usize| tokens.get(at + more);
        // What is written without a space between.
        let joined = |more: usize| next(more).filter(|(_, to)| tokens[at + more - 1].1.end == to.start);
        let before = at.checked_sub(1).and_then(|at| tokens.get(at)).map(|(token, _)| token);
        let numbered = |length: usize| next(length).map(|(_, end)| (span.start..end.end, Instead::Numbered));
        let found = match token {
            Token::Placeholder(name) if !is_number(name) => match name.as_str() {
                "$" if matches!(joined(1), Some((Token::LBrace, _))) => numbered(3),
                _ => numbered(0),
            },
            Token::Question if !before.is_some_and(is_operand) => numbered(0),
            Token::Colon if brackets == 0 => match joined(1) {
                Some((Token::Word(_) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_), _)) => numbered(1),
                _ => None,
            },
            Token::AtSign if !before.is_some_and(is_operand) => match joined(1) {
                Some((Token::Word(_), _)) => numbered(1),
                _ => None,
            },
            Token::Mod if !before.is_some_and(is_operand) => match joined(1) {
                Some((Token::Word(word), _)) if ["s", "d", "b", "t"].contains(&word.value.as_str()) => numbered(1),
                Some((Token::LParen, _)) => numbered(4),
                _ => None,
            },
            Token::Sharp if matches!(joined(1), Some((Token::LBrace, _))) => numbered(3),
            Token::LBrace => numbered(2).filter(|_| matches!(next(2), Some((Token::RBrace, _)))),
            Token::Word(word) if word.quote_style.is_none() => {
                let name = word.value.to_ascii_lowercase();
                let parameter = |more: usize| match next(more) {
                    Some((Token::Placeholder(name), end)) if is_number(name) => Some((name.clone(), end.end)),
                    _ => None,
                };
                let zone =
                    next(1).zip(next(3)).is_some_and(|((with, _), (zone, _))| is(with, "with") && is(zone, "zone"));
                let of_type = if zone { parameter(4) } else { parameter(1) };
                match (name.as_str(), of_type) {
                    ("in", Some((parameter, end))) => {
                        let not = before.is_some_and(|before| is(before, "not"));
                        Some((span.start..end, Instead::Any { not, parameter }))
                    }
                    (name, Some((parameter, end)))
                        if TYPES.contains(&name) && !before.is_some_and(|word| is(word, "as")) =>
                    {
                        let to = if zone { format!("{name} with time zone") } else { name.to_owned() };
                        Some((span.start..end, Instead::Cast { to, parameter }))
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        let of_others = || foreign_word(sql, &tokens, at).map(|(place, form)| (place, Instead::Write(form)));
        if let Some((place, instead)) = found.or_else(of_others) {
            let before = sql.get(..place.start)?;
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            return Some(ForeignForm { found: sql.get(place)?.to_owned(), line, column, instead });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::foreign_form;

    #[test]
    fn foreign_forms_are_named_with_what_postgresql_has() {
        let told = [
            "SELECT id FROM stays WHERE id = ? AND mood = ?",
            "SELECT id\nFROM stays WHERE id = :id",
            "SELECT id FROM stays WHERE id = :'id' LIMIT 3",
            "SELECT id FROM stays WHERE id = %s",
            "SELECT id FROM stays WHERE id = %(id)s",
            "SELECT id FROM stays WHERE id = @id",
            "SELECT id FROM stays WHERE id = {id}",
            "SELECT id FROM stays WHERE id = ${id}",
            "SELECT id FROM stays WHERE id = #{id}",
            "SELECT id FROM stays WHERE id = $id",
            "SELECT id FROM stays WHERE came > now() - interval $1 LIMIT $2",
            "SELECT id FROM stays WHERE came > date $1",
            "SELECT id FROM stays WHERE came > timestamp with time zone $1",
            "SELECT id FROM stays WHERE id IN $1",
            "SELECT id FROM stays WHERE id NOT IN $1",
            "SELECT id FROM stays WHERE id IN (?)",
            "SELECT id FROM stays LIMIT ?",
            "SELECT id FROM stays LIMIT %s",
        ]
        .map(|sql| foreign_form(sql).map_or_else(|| format!("nothing: {sql}\n"), |form| format!("{form}\n")))
        .concat();
        insta::assert_snapshot!(told, @"
        line 1, column 33 of the statement: `?` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 2, column 23 of the statement: `:id` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 33 of the statement: `:'id'` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 33 of the statement: `%s` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 33 of the statement: `%(id)s` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 33 of the statement: `@id` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 33 of the statement: `{id}` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 33 of the statement: `${id}` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 33 of the statement: `#{id}` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 33 of the statement: `$id` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 43 of the statement: PostgreSQL takes a constant behind `interval`, no parameter: write $1::interval
        line 1, column 35 of the statement: PostgreSQL takes a constant behind `date`, no parameter: write $1::date
        line 1, column 35 of the statement: PostgreSQL takes a constant behind `timestamp with time zone`, no parameter: write $1::timestamp with time zone
        line 1, column 31 of the statement: IN takes a list in parentheses: write = ANY ($1), and give an array
        line 1, column 35 of the statement: NOT IN takes a list in parentheses: write <> ALL ($1), and give an array
        line 1, column 35 of the statement: `?` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 28 of the statement: `?` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        line 1, column 28 of the statement: `%s` is the form of a driver or another system; in PostgreSQL parameters are $1, $2, ..
        ");
    }

    #[test]
    fn what_postgresql_has_itself_is_no_foreign_form() {
        for sql in [
            "SELECT '?', ':id', '%s' -- ? :id %s\n/* @id {id} */ FROM t",
            "SELECT a::int, b[1:2], c[x:y], d[:2] FROM t WHERE e = $1::interval",
            "SELECT doc ? 'k', doc ?| array['a'], doc ?& array['b'], doc->'a' ? 'b' FROM t WHERE doc @> '{}' OR a @@ b",
            "SELECT a % s, (a) %s, 5 %s, 'abc' % b FROM t WHERE name % $1",
            "SELECT id FROM t WHERE id IN ($1 /*, ... */) AND at > interval '1 day' AND d = date '2024-01-01'",
            "SELECT $$ :id ? %s $$, E'\\'?', \"a?b\", U&'?' FROM t",
            "SELECT CAST($1 AS interval), id = ANY ($2) FROM t",
        ] {
            assert_eq!(foreign_form(sql), None, "{sql}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_looked_through(sql in ".*", parts in "([?:%@{}$#'a-z0-9\\[\\] ()]|\\$1| in | interval ){0,40}") {
            let _ = foreign_form(&sql);
            let _ = foreign_form(&parts);
        }
    }
}
