//! The conditions and keys of a node, as far as two plans of one statement can differ in them.

use crate::record::PlanNode;

/// What stands for a constant or a parameter.
const VALUE: char = '?';

/// Types whose names go on after the first word, and what may follow any.
const TYPE_SUFFIXES: [&str; 5] = [" precision", " varying", " with time zone", " without time zone", "[]"];

/// Conditions and keys without their values, which differ between classes and are parameters in a generic plan, and without what was
/// measured beside them.
pub(super) fn conditions(node: &PlanNode) -> Vec<String> {
    let measured =
        ["Sort Method:", "Batches:", "Heap Fetches:", "Heap Blocks:", "Workers:", "Hits:", "Index Searches:"];
    let kept = node.details.iter().filter(|detail| !measured.iter().any(|name| detail.starts_with(name)));
    kept.map(|detail| without_values(detail)).collect()
}

/// `(a = ?)` for `(a = 42)`, `(a = '42'::bigint)` and `(a = $1)`; a list of values is one value.
fn without_values(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let in_name = plain.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let after = &rest[letter.len_utf8()..];
        let list = plain.rfind("ARRAY[").filter(|at| {
            letter == ']' && plain[at + "ARRAY[".len()..].chars().all(|inner| [VALUE, ',', ' '].contains(&inner))
        });
        let end = match letter {
            '\'' => Some(after_quoted(after, '\'')),
            '$' => Some(after.trim_start_matches(|digit: char| digit.is_ascii_digit())),
            '0'..='9' if in_name => {
                // The numbers by which PostgreSQL tells names apart.
                rest = after;
                continue;
            }
            '0'..='9' => Some(after.trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == '.')),
            ']' if list.is_some() => {
                plain.truncate(list.unwrap_or_default());
                Some(after)
            }
            _ => None,
        };
        match end {
            Some(end) => {
                rest = without_cast(end);
                // A parameter's cast: `($1)::text`.
                while let Some(cast) =
                    rest.strip_prefix(')').filter(|cast| cast.starts_with("::") && plain.ends_with('('))
                {
                    plain.pop();
                    rest = without_cast(cast);
                }
                plain.push(VALUE);
            }
            None if letter == '"' => {
                let end = after_quoted(after, '"');
                plain.push_str(&rest[..rest.len() - end.len()]);
                rest = end;
            }
            None => {
                plain.push(letter);
                rest = after;
            }
        }
    }
    plain
}

/// What follows a quoted text of which the opening quote is gone; a doubled quote does not end it.
fn after_quoted(mut text: &str, quote: char) -> &str {
    while let Some((_, after)) = text.split_once(quote) {
        match after.strip_prefix(quote) {
            Some(more) => text = more,
            None => return after,
        }
    }
    ""
}

/// What follows `::` and a type's name, where a text begins with them.
fn without_cast(text: &str) -> &str {
    let Some(name) = text.strip_prefix("::") else { return text };
    let mut rest = name;
    loop {
        rest = match rest.strip_prefix('"') {
            Some(quoted) => after_quoted(quoted, '"'),
            None => rest.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_'),
        };
        // The type after its schema.
        match rest.strip_prefix('.') {
            Some(more) => rest = more,
            None => break,
        }
    }
    loop {
        let modifier = rest.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        let modified =
            modifier.filter(|(inner, _)| inner.chars().all(|letter| letter.is_ascii_digit() || letter == ','));
        let suffixed = TYPE_SUFFIXES.iter().find_map(|suffix| rest.strip_prefix(suffix));
        match modified.map(|(_, more)| more).or(suffixed) {
            Some(more) => rest = more,
            None => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn constants_with_their_casts_and_parameters_are_alike() {
        let alike = [
            ["(user_id = $1)", "(user_id = '42'::bigint)", "(user_id = 42)"],
            ["(user_id = $12)", "(user_id = ''::bigint)", "(user_id = 1.5)"],
            ["((name)::text = ($1)::text)", "((name)::text = 'it''s (a)'::text)", "((name)::text = 'b'::text)"],
            [
                "(at > $1)",
                "(at > '2026-01-01 00:00:00+00'::timestamp(3) with time zone)",
                "(at > '0'::double precision)",
            ],
            ["(kind = ANY ($1))", "(kind = ANY ('{a,b}'::\"My\".kind[]))", "(kind = ANY (ARRAY[$1, ($2)::text]))"],
            ["(n = ($1)::character varying(10))", "(n = '1'::numeric(10,2))", "(n = '1'::\"char\")"],
        ];
        for [one, other, third] in alike {
            assert_eq!(without_values(one), without_values(other));
            assert_eq!(without_values(one), without_values(third));
        }
    }

    #[test]
    fn all_else_stays() {
        let told = [
            "(e_1.user_id = $1) AND (e_1.kind < 'x'::text)",
            "((name)::text = other.name)",
            "(\"a$1 'b\" = ANY (ARRAY[a, $1]))",
            "(NOT (hashed SubPlan 1))",
            "lower(($1)::text), at DESC",
            "(a = 'unfinished",
        ]
        .map(without_values);
        insta::assert_snapshot!(told.join("\n"), @r#"
        (e_.user_id = ?) AND (e_.kind < ?)
        ((name)::text = other.name)
        ("a$1 'b" = ANY (ARRAY[a, ?]))
        (NOT (hashed SubPlan ?))
        lower(?), at DESC
        (a = ?
        "#);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a$1'\"():., ?é\\[\\]ARY]{0,40}") {
            without_values(&text);
        }

        #[test]
        fn no_value_shows(number in any::<i64>(), text in "[a-z']{0,8}") {
            let quoted = text.replace('\'', "''");
            prop_assert_eq!(without_values(&format!("(a = '{number}'::bigint)")), "(a = ?)");
            prop_assert_eq!(without_values(&format!("(a = '{quoted}'::text)")), "(a = ?)");
        }
    }
}
