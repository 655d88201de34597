//! Passwords in the statements of a log: they are never shown.

/// The statement with `***` for what follows a word such as `password`, and for the password of a URL.
pub(crate) fn hidden(sql: &str) -> String {
    let mut shown = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((at, length)) = next_secret(rest) {
        shown.push_str(&rest[..at]);
        shown.push_str("***");
        rest = &rest[at + length..];
    }
    shown + rest
}

/// Where the first secret is, and its length.
fn next_secret(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find(['p', 'P', ':']).map(|at| from + at) {
        let rest = &text[at..];
        from = at + 1;
        let found = if let Some(host) = rest.strip_prefix("://") {
            let end = host.find([' ', '\'', '"', '/', '\n']).unwrap_or(host.len());
            let password = host[..end].rfind('@').and_then(|end| Some((host[..end].find(':')? + 1, end)));
            password.map(|(begin, end)| (at + 3 + begin, end - begin))
        } else {
            let word = ["password", "passwd"]
                .into_iter()
                .find(|word| rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word)));
            word.and_then(|word| value(&rest[word.len()..]).map(|(begin, length)| (at + word.len() + begin, length)))
        };
        if found.is_some_and(|(_, length)| length > 0) {
            return found;
        }
    }
    None
}

/// Where in what follows the word its value begins, counted from the word, and its length: text in quotes, or what stands behind a `=`.
fn value(after: &str) -> Option<(usize, usize)> {
    let left = after.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
    let value = left.trim_start_matches(|c: char| c.is_whitespace() || "=:>,(".contains(c));
    let value = value.strip_prefix(['E', 'e']).filter(|text| text.starts_with('\'')).unwrap_or(value);
    let begin = after.len() - value.len();
    if let Some(text) = value.strip_prefix('\'') {
        let mut end = 0;
        while let Some(quote) = text[end..].find('\'') {
            end += quote + 1;
            if !text[end..].starts_with('\'') {
                return Some((begin + 1, end - 1));
            }
            end += 1;
        }
        return Some((begin + 1, text.len()));
    }
    let is_pair = left.starts_with('=');
    let end = value.find(|c: char| c.is_whitespace() || "'\"&;,)".contains(c)).unwrap_or(value.len());
    is_pair.then_some((begin, end))
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn passwords_are_hidden() {
        for sql in [
            "ALTER ROLE me PASSWORD 'hunter2'",
            "SELECT * FROM dblink('host=db user=me password=hunter2 port=1', 'SELECT 1')",
            "SELECT * FROM dblink('postgres://me:hunter2@db/shop', 'SELECT 1')",
            "UPDATE users SET password = 'hunter2', name = 'x' WHERE id = 1",
            "UPDATE users SET password_hash = E'hunter2' WHERE id = 1",
            "SELECT set_password(password => 'hunter2')",
            "SELECT 1 WHERE passwd='hunter2''hunter2'",
            "SELECT 'password=hunter2",
        ] {
            let shown = hidden(sql);
            assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
        }
        for sql in ["SELECT password FROM users", "SELECT a::text, 'x://y' FROM p WHERE password IS NULL", "SELECT 1"] {
            assert_eq!(hidden(sql), sql);
        }
        assert_eq!(hidden("SET password = 'a', name = 'b'"), "SET password = '***', name = 'b'");
    }

    proptest::proptest! {
        #[test]
        fn any_statement_is_shown(sql in ".*", parts in "(password|://|[':@=/ é]){0,20}") {
            let _ = hidden(&sql);
            let _ = hidden(&parts);
        }
    }
}
