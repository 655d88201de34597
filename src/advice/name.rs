//! Names as SQL needs them written, and what PostgreSQL would call an index.

/// Bytes that a name may have.
const LONGEST: usize = 63;

/// What PostgreSQL would call an index on these columns: `events_user_id_created_at_idx`. The longer of the two parts is cut until it
/// fits, and a number follows where one of this name exists.
pub(crate) fn index_name(table: &str, columns: &[String], is_taken: impl Fn(&str) -> bool) -> String {
    let columns = columns.join("_");
    let labels = std::iter::once("idx".to_owned()).chain((1_u32..).map(|number| format!("idx{number}")));
    let mut names = labels.map(|label| cut(table, &columns, &label));
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

fn cut(table: &str, columns: &str, label: &str) -> String {
    let (mut table, mut columns) = (table, columns);
    while table.len() + columns.len() + label.len() + 2 > LONGEST {
        let longer = if table.len() > columns.len() { &mut table } else { &mut columns };
        let mut letters = longer.chars();
        letters.next_back();
        *longer = letters.as_str();
    }
    format!("{table}_{columns}_{label}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_need_it() {
        let names = ["user_id", "userId", "order", "1st", "a b", "say \"x\"", "größe", "_x$1"]
            .map(crate::sqltext::quote::identifier);
        assert_eq!(names.join(" "), r#"user_id "userId" "order" "1st" "a b" "say ""x""" "größe" _x$1"#);
    }

    #[test]
    fn indexes_are_called_as_postgresql_calls_them() {
        let name = |table: &str, columns: &[&str], taken: &[&str]| {
            index_name(table, &columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), |name| {
                taken.contains(&name)
            })
        };
        assert_eq!(name("events", &["user_id", "created_at"], &[]), "events_user_id_created_at_idx");
        assert_eq!(name("t", &["a"], &["t_a_idx", "t_a_idx1"]), "t_a_idx2");
        let long = name(&"t".repeat(50), &["ä".repeat(20).as_str(), "b"], &[]);
        assert_eq!(long, format!("{}_{}_idx", "t".repeat(30), "ä".repeat(14)));
    }
}
