//! The plans of a log, grouped by the shape of their statement.

use std::collections::HashMap;

use crate::plan::PastedPlan;

/// Plans of statements that differ in their values only.
#[derive(Debug)]
pub(super) struct Group {
    /// The one that took longest.
    pub(super) worst: PastedPlan,
    pub(super) plans: usize,
    /// Milliseconds that all of them took.
    pub(super) total_ms: f64,
}

/// The groups, that which took longest in all first; a plan that came without its statement is alone. Where no plan came with one, their
/// order is that of the input.
pub(super) fn groups(plans: Vec<PastedPlan>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for plan in plans {
        let took = took_ms(&plan);
        let place = plan.plan.query.as_deref().map(shape).map(|shape| *places.entry(shape).or_insert(groups.len()));
        match place.and_then(|place| groups.get_mut(place)) {
            None => groups.push(Group { worst: plan, plans: 1, total_ms: took }),
            Some(group) => {
                group.plans += 1;
                group.total_ms += took;
                if took > took_ms(&group.worst) {
                    group.worst = plan;
                }
            }
        }
    }
    if !places.is_empty() {
        groups.sort_by(|one, other| other.total_ms.total_cmp(&one.total_ms));
    }
    groups
}

fn took_ms(plan: &PastedPlan) -> f64 {
    plan.plan.execution_ms.or(plan.plan.root().total_ms).unwrap_or(0.0)
}

/// The statement without its values, comments and line ends.
fn shape(sql: &str) -> String {
    let mut shape = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\'' => text_length(rest),
            '0'..='9' if !shape.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len())
            }
            '$' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                1 + rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1)
            }
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            c => {
                match c.is_whitespace() {
                    true if shape.ends_with(' ') => {}
                    true => shape.push(' '),
                    false => shape.extend(c.to_lowercase()),
                }
                rest = &rest[c.len_utf8()..];
                continue;
            }
        };
        if matches!(c, '\'' | '$' | '0'..='9') {
            // A list of values is as long as it happens to be.
            let before = shape.trim_end_matches([' ', ',']).len();
            if shape[..before].ends_with('?') && shape[before..].contains(',') {
                shape.truncate(before);
            } else {
                shape.push('?');
            }
        }
        rest = &rest[length..];
    }
    shape.trim_end_matches([' ', ';']).to_owned()
}

/// Bytes of the text in quotes that `rest` begins with; those within are doubled.
fn text_length(rest: &str) -> usize {
    let mut at = 1;
    while let Some(quote) = rest[at..].find('\'') {
        at += quote + 1;
        if !rest[at..].starts_with('\'') {
            return at;
        }
        at += 1;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_no_part_of_a_shape() {
        let one = shape("SELECT * FROM t1 WHERE a = 'x''y' AND b IN (1, 2,3) -- seen\n  AND c > 1.5;");
        assert_eq!(one, "select * from t1 where a = ? and b in (?) and c > ?");
        assert_eq!(shape("select *\nfrom t1 where a = $1 and b in ($2) /* 7 */ and c > $3"), one);
        assert_ne!(shape("SELECT * FROM t2 WHERE a = 1"), shape("SELECT * FROM t1 WHERE a = 1"));
        for odd in ["'", "$", "$1", "--", "/*", "'é''", "1é2", "?, 'a'"] {
            let _ = shape(odd);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_shape(sql in ".*", parts in "(['$1a,/*\\- \n]|é){0,30}") {
            let _ = shape(&sql);
            let _ = shape(&parts);
        }
    }
}
