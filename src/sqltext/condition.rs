//! Conditions as a plan prints them: PostgreSQL writes every operation in parentheses, with spaces around its operator.

use std::ops::Range;

use super::tokens::{Kind, Token, tokens};

/// What is compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Comparison<'a> {
    pub(crate) left: &'a str,
    /// As printed, such as `=`, `~~` (LIKE) or `= ANY`.
    pub(crate) operator: &'a str,
    pub(crate) right: &'a str,
}

/// One side of a comparison, as the table of an alias sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Side<'a> {
    /// A column of the table, as SQL writes it: [`crate::sqltext::quote::name`] is its name in the catalog.
    Column(&'a str),
    /// A column, written likewise, converted to another type.
    Cast { column: &'a str, to: &'a str },
    /// Anything else made of columns of the table.
    Expression,
    /// Nothing of the table: constants, parameters, columns of other tables.
    Value,
}

/// The conditions that all have to hold, without the parentheses around them.
pub(crate) fn terms(condition: &str) -> Vec<&str> {
    split(condition, "AND")
}

/// The conditions of which one has to hold; the term itself where it has no OR.
pub(crate) fn alternatives(term: &str) -> Vec<&str> {
    split(term, "OR")
}

/// The comparison that a term is; `None` where it is none, such as a function or `x IS NULL`.
pub(crate) fn comparison(term: &str) -> Option<Comparison<'_>> {
    let term = bare(term);
    let tokens = tokens(term);
    let outside = || tokens.iter().filter(|token| token.depth == 0);
    if outside().any(|token| token.kind == Kind::Word && ["IS", "AND", "OR", "NOT", "CASE"].contains(&token.of(term))) {
        return None;
    }
    let operator = outside().find(|token| token.kind == Kind::Operator)?;
    let quantifier = outside().find(|token| token.at.start > operator.at.end);
    let quantifier = quantifier.filter(|token| matches!(token.of(term), "ANY" | "ALL"));
    let end = quantifier.map_or(operator.at.end, |token| token.at.end);
    Some(Comparison {
        left: term[..operator.at.start].trim(),
        operator: &term[operator.at.start..end],
        right: term[end..].trim(),
    })
}

/// The operators in an expression, each as printed.
pub(crate) fn operators(expression: &str) -> impl Iterator<Item = &str> {
    let tokens = tokens(expression).into_iter().filter(|token| token.kind == Kind::Operator);
    tokens.map(|token| &expression[token.at])
}

/// The type that an expression is cast to, as printed: `jsonb` of `'{}'::jsonb`; `None` if it is not cast.
pub(crate) fn cast_to(expression: &str) -> Option<&str> {
    let expression = bare(expression);
    let tokens = tokens(expression);
    let cast = tokens.iter().rfind(|token| token.kind == Kind::Cast && token.depth == 0)?;
    let outside = |token: &Token| token.depth == 0 && token.kind == Kind::Operator && token.at.start > cast.at.end;
    (!tokens.iter().any(outside)).then(|| expression[cast.at.end..].trim())
}

/// What a side of a comparison is to the table of this alias.
pub(crate) fn side<'a>(expression: &'a str, alias: &str) -> Side<'a> {
    let bare = bare(expression);
    let columns = columns(bare, alias);
    let Some(column) = columns.first() else { return Side::Value };
    if let Some(name) = column_of(bare, alias) {
        return Side::Column(name);
    }
    match tokens(bare).iter().find(|token| token.kind == Kind::Cast && token.depth == 0) {
        Some(cast) if column_of(self::bare(&bare[..cast.at.start]), alias).is_some() => {
            Side::Cast { column, to: bare[cast.at.end..].trim() }
        }
        _ => Side::Expression,
    }
}

/// Columns of the table of this alias that an expression names, each once, without qualifier.
pub(crate) fn columns<'a>(expression: &'a str, alias: &str) -> Vec<&'a str> {
    let mut columns = Vec::new();
    for word in names(expression) {
        columns.extend(column_of(word, alias).filter(|name| !columns.contains(name)));
    }
    columns
}

/// Whether the expression names a column, of whatever table.
pub(crate) fn has_columns(expression: &str) -> bool {
    names(expression).into_iter().any(|name| name.contains('.') || !is_keyword(name))
}

/// Words that are no types, functions or fields: columns and keywords.
pub(crate) fn names(expression: &str) -> Vec<&str> {
    // `timestamp(3) without time zone`, `character varying`, `interval day to second`
    const OF_TYPES: [&str; 13] = [
        "varying",
        "without",
        "with",
        "time",
        "zone",
        "precision",
        "year",
        "month",
        "day",
        "to",
        "hour",
        "minute",
        "second",
    ];
    let tokens = tokens(expression);
    let mut names = Vec::new();
    let mut in_type = false;
    for (place, token) in tokens.iter().enumerate() {
        let before = |back: usize| place.checked_sub(back).map(|place| &tokens[place]);
        let word = token.of(expression);
        in_type = match token.kind {
            Kind::Word => {
                before(1).is_some_and(|before| before.kind == Kind::Cast) || in_type && OF_TYPES.contains(&word)
            }
            Kind::Open | Kind::Number | Kind::Close => in_type,
            _ => false,
        };
        let is_call =
            tokens.get(place + 1).is_some_and(|next| next.kind == Kind::Open && next.at.start == token.at.end);
        let is_field = expression[..token.at.start].ends_with('.');
        // `EXTRACT(year FROM at)`
        let is_unit = before(1).is_some_and(|open| open.kind == Kind::Open)
            && before(2).is_some_and(|extract| extract.of(expression) == "EXTRACT");
        let is_collation = before(1).is_some_and(|before| before.of(expression) == "COLLATE");
        if token.kind == Kind::Word && !(in_type || is_call || is_field || is_unit || is_collation) {
            names.push(word);
        }
    }
    names
}

/// Functions that an expression calls, each with its arguments as printed.
pub(crate) fn calls(expression: &str) -> Vec<(&str, &str)> {
    let tokens = tokens(expression);
    let mut calls = Vec::new();
    if is_too_deep(&tokens) {
        return calls;
    }
    let closes = closes(&tokens);
    for (place, pair) in tokens.windows(2).enumerate() {
        let [name, open] = pair else { continue };
        // `::numeric(10,2)`, `::character varying(40)`
        let is_type = name.of(expression) == "varying" || (place > 0 && tokens[place - 1].kind == Kind::Cast);
        if name.kind == Kind::Word && open.kind == Kind::Open && name.at.end == open.at.start && !is_type {
            let end = closes[place + 1].map_or(expression.len(), |close| tokens[close].at.start);
            calls.push((name.of(expression), &expression[open.at.end..end]));
        }
    }
    calls
}

/// The arguments of a call, as [`calls`] gives them.
pub(crate) fn arguments(arguments: &str) -> Vec<&str> {
    let commas = tokens(arguments).into_iter();
    let commas = commas.filter(|token| token.depth == 0 && token.of(arguments) == ",").map(|token| token.at.start);
    let mut parts = Vec::new();
    let mut begin = 0;
    for at in commas {
        parts.push(arguments[begin..at].trim());
        begin = at + 1;
    }
    parts.push(arguments[begin..].trim());
    parts
}

/// The value of a constant as printed: `'%x%'::text` holds `%x%`; `None` for what is none.
pub(crate) fn constant(expression: &str) -> Option<String> {
    let bare = bare(expression);
    let tokens = tokens(bare);
    match tokens.first()? {
        Token { kind: Kind::Text, at, depth: 0 } if tokens.len() == 1 || tokens[1].kind == Kind::Cast => {
            Some(bare[at.clone()].strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"))
        }
        Token { kind: Kind::Number, at, .. } if tokens.len() == 1 => Some(bare[at.clone()].to_owned()),
        _ => None,
    }
}

/// The number of the parameter that an expression is, casts apart: 3 of `($3)::text`.
pub(crate) fn parameter(expression: &str) -> Option<usize> {
    let expression = bare(expression);
    let cast = tokens(expression).into_iter().find(|token| token.kind == Kind::Cast && token.depth == 0);
    bare(&expression[..cast.map_or(expression.len(), |cast| cast.at.start)]).strip_prefix('$')?.parse().ok()
}

/// The numbers of the parameters in an expression, from 1.
pub(crate) fn parameters(expression: &str) -> Vec<usize> {
    let tokens = tokens(expression).into_iter().filter(|token| token.kind == Kind::Other);
    let numbers = tokens.filter_map(|token| token.of(expression).strip_prefix('$')?.parse().ok());
    numbers.filter(|number| *number > 0).collect()
}

/// What is in each pair of parentheses, the outer ones first.
pub(crate) fn groups(condition: &str) -> Vec<Range<usize>> {
    let tokens = tokens(condition);
    if is_too_deep(&tokens) {
        return Vec::new();
    }
    let opens = closes(&tokens).into_iter().enumerate();
    opens.filter_map(|(open, close)| Some(tokens[open].at.end..tokens[close?].at.start)).collect()
}

/// The qualifier of a column, as printed: `e` of `e.user_id`.
pub(crate) fn qualifier(name: &str) -> Option<&str> {
    let after_quote = match name.strip_prefix('"') {
        Some(rest) => 1 + rest.replace("\"\"", "  ").find('"')? + 1,
        None => 0,
    };
    let end = after_quote + name[after_quote..].find('.')?;
    Some(&name[..end])
}

/// Whether all that an expression calls can be PostgreSQL's own: nothing but columns has a schema, or a table, before its name.
pub(crate) fn is_own(expression: &str) -> bool {
    let tokens = tokens(expression);
    tokens.iter().enumerate().all(|(place, token)| {
        let word = token.of(expression);
        let before = place.checked_sub(1).map(|place| &tokens[place]);
        let is_called =
            tokens.get(place + 1).is_some_and(|next| next.kind == Kind::Open && next.at.start == token.at.end);
        let is_type_or_collation =
            before.is_some_and(|before| before.kind == Kind::Cast || before.of(expression) == "COLLATE");
        match token.kind {
            Kind::Operator => !word.starts_with("OPERATOR(") || word.starts_with("OPERATOR(pg_catalog."),
            Kind::Word => {
                qualifier(word).is_none_or(|schema| schema == "pg_catalog") || !(is_called || is_type_or_collation)
            }
            _ => true,
        }
    })
}

/// The expression without its columns' qualifier, as an index or a rewritten condition names it.
pub(crate) fn unqualified(expression: &str, alias: &str) -> String {
    let mut text = String::with_capacity(expression.len());
    let mut done = 0;
    for token in tokens(expression) {
        if token.kind == Kind::Word
            && let Some(name) = qualified(token.of(expression), alias)
        {
            text.push_str(&expression[done..token.at.start]);
            text.push_str(name);
            done = token.at.end;
        }
    }
    text.push_str(&expression[done..]);
    text
}

/// The expression without parentheses around all of it.
pub(crate) fn bare(expression: &str) -> &str {
    let mut bare = expression.trim();
    if !bare.starts_with('(') {
        return bare;
    }
    let tokens = tokens(bare);
    let closes = closes(&tokens);
    let (text, mut first, mut after) = (bare, 0, tokens.len());
    // The pairs from the outside, as long as each is around all that is left.
    while first + 1 < after && tokens[first].kind == Kind::Open && closes[first] == Some(after - 1) {
        (first, after) = (first + 1, after - 1);
        bare = text[tokens[first - 1].at.end..tokens[after].at.start].trim();
    }
    bare
}

/// For each token that opens a parenthesis the place of the one that closes it.
fn closes(tokens: &[Token]) -> Vec<Option<usize>> {
    let mut closes = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => open.push(place),
            Kind::Close => {
                if let Some(opened) = open.pop() {
                    closes[opened] = Some(place);
                }
            }
            _ => {}
        }
    }
    closes
}

/// Parentheses in each other up to which a condition is taken apart: each level is gone through again. PostgreSQL itself prints
/// no more for what a person has written.
const DEEPEST: usize = 200;

/// Whether it is nested so deeply that it is left as it is.
fn is_too_deep(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| token.depth > DEEPEST)
}

fn split<'a>(condition: &'a str, word: &str) -> Vec<&'a str> {
    let condition = bare(condition);
    let tokens = tokens(condition);
    let outside = tokens.iter().filter(|token| token.depth == 0 && token.kind == Kind::Word);
    // AND of BETWEEN and inside CASE are not printed in parentheses.
    if is_too_deep(&tokens) || outside.clone().any(|token| matches!(token.of(condition), "CASE" | "BETWEEN")) {
        return vec![condition];
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for token in outside.filter(|token| token.of(condition) == word) {
        parts.push(bare(&condition[start..token.at.start]));
        start = token.at.end;
    }
    parts.push(bare(&condition[start..]));
    parts
}

/// The column's name, where the word is a column of the table of this alias.
fn column_of<'a>(word: &'a str, alias: &str) -> Option<&'a str> {
    let is_word = matches!(tokens(word).as_slice(), [Token { kind: Kind::Word, .. }]);
    if !is_word {
        return None;
    }
    qualified(word, alias).or_else(|| (!word.contains('.') && !is_keyword(word)).then_some(word))
}

fn qualified<'a>(word: &'a str, alias: &str) -> Option<&'a str> {
    let quoted = crate::sqltext::quote::identifier(alias);
    let name = word.strip_prefix(quoted.as_str())?.strip_prefix('.')?;
    (!name.is_empty()).then_some(name)
}

fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "ALL",
        "AND",
        "ANY",
        "ARRAY",
        "ASYMMETRIC",
        "AT",
        "BETWEEN",
        "CASE",
        "COLLATE",
        "DISTINCT",
        "ELSE",
        "END",
        "FROM",
        "IN",
        "IS",
        "LIKE",
        "LOCAL",
        "NOT",
        "NULL",
        "OR",
        "ROW",
        "SYMMETRIC",
        "THEN",
        "TIME",
        "UNKNOWN",
        "WHEN",
        "ZONE",
        "InitPlan",
        "SubPlan",
        "hashed",
        "plan",
        "alternatives",
        "false",
        "true",
    ];
    KEYWORDS.contains(&word) || word.starts_with("CURRENT_") || word == "SESSION_USER" || word == "LOCALTIMESTAMP"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_condition_falls_into_its_terms() {
        assert_eq!(
            terms("((e.user_id = 42) AND (e.kind = 'a AND b'::text) AND (NOT e.done))"),
            ["e.user_id = 42", "e.kind = 'a AND b'::text", "NOT e.done"]
        );
        assert_eq!(terms("(user_id = 42)"), ["user_id = 42"]);
        assert_eq!(alternatives("((a = 1) OR ((b = 2) AND (c = 3)))"), ["a = 1", "(b = 2) AND (c = 3)"]);
        assert_eq!(terms("(CASE WHEN (a AND b) THEN c ELSE d END = 1)").len(), 1);
    }

    #[test]
    fn a_comparison_has_two_sides() {
        let of = |term| comparison(term).map(|found| (found.left, found.operator, found.right));
        assert_eq!(of("(e.id = 42)"), Some(("e.id", "=", "42")));
        assert_eq!(of("e.id = ANY ('{1,2}'::integer[])"), Some(("e.id", "= ANY", "('{1,2}'::integer[])")));
        assert_eq!(of("(e.note)::text ~~ '%x = y%'::text"), Some(("(e.note)::text", "~~", "'%x = y%'::text")));
        assert_eq!(of("(e.price * 2) > 10"), Some(("(e.price * 2)", ">", "10")));
        assert_eq!(of("e.id IS NULL"), None);
        assert_eq!(of("may_see(e.tenant)"), None);
    }

    #[test]
    fn a_side_is_told_by_what_it_does_to_a_column() {
        assert_eq!(side("e.user_id", "e"), Side::Column("user_id"));
        assert_eq!(side("user_id", "e"), Side::Column("user_id"));
        assert_eq!(side("u.id", "e"), Side::Value);
        assert_eq!(side("(e.id)::numeric", "e"), Side::Cast { column: "id", to: "numeric" });
        assert_eq!(
            side("(e.at)::timestamp without time zone", "e"),
            Side::Cast { column: "at", to: "timestamp without time zone" }
        );
        assert_eq!(side("lower((e.email)::text)", "e"), Side::Expression);
        assert_eq!(side("(lower(e.email))::text", "e"), Side::Expression);
        assert_eq!(side("'42'::character varying", "e"), Side::Value);
        for value in ["$0", "(InitPlan 1).col1", "(SubPlan 1)", "CURRENT_DATE", "now()", "'x'::text", "1.5"] {
            assert_eq!(side(value, "e"), Side::Value, "{value}");
        }
        assert_eq!(side("\"Order\".\"User Id\"", "Order"), Side::Column("\"User Id\""));
    }

    #[test]
    fn calls_have_their_arguments() {
        assert_eq!(calls("lower(btrim(e.a)) = f()"), [("lower", "btrim(e.a)"), ("btrim", "e.a"), ("f", "")]);
        assert_eq!(calls("e.id = ANY ('{1}'::integer[])"), []);
        assert_eq!(calls("(e.id)::numeric(10,2) = '1'::character varying(40)"), []);
    }

    #[test]
    fn constants_and_columns_come_without_their_wrapping() {
        assert_eq!(constant("'%it''s%'::text").as_deref(), Some("%it's%"));
        assert_eq!(constant("42").as_deref(), Some("42"));
        assert_eq!(constant("lower('x'::text)"), None);
        assert_eq!(columns("COALESCE(e.a, u.b, e.c, 'x'::character varying)", "e"), ["a", "c"]);
        assert_eq!(columns("EXTRACT(year FROM e.at)", "e"), ["at"]);
        assert_eq!(columns("((year = 2024) AND ((month)::text = day) AND (\"time\" > week))", "e").len(), 5);
        assert_eq!(columns("(at)::timestamp(3) without time zone = ('1 day'::interval day to second)", "e"), ["at"]);
        assert!(!has_columns("'x'::text COLLATE \"en-x-icu\"") && has_columns("a COLLATE en"));
        assert!(has_columns("substr((o.ref)::text, 1, 8)") && has_columns("ref"));
        assert!(!has_columns("'a.b'::text, app.tenant(), (InitPlan 1).col1, $1, EXTRACT(year FROM now())"));
        assert_eq!(unqualified("lower(e.email) || 'e.x'::text", "e"), "lower(email) || 'e.x'::text");
    }

    proptest! {
        #[test]
        fn any_text_is_looked_through(text in "[a-z.()'\" =A-Z0-9$:äß]{0,40}") {
            for term in terms(&text) {
                let _ = alternatives(term);
                if let Some(Comparison { left, right, .. }) = comparison(term) {
                    let _ = (side(left, "e"), side(right, "e"), calls(left), constant(right));
                }
            }
            let _ = unqualified(&text, "e");
        }
    }
}
