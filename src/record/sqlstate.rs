//! Errors by SQLSTATE, in words.

use super::model::ErrorCount;

/// Codes that are named; the others are counted.
const MOST: usize = 3;

impl ErrorCount {
    /// What its class means, the first two characters of the SQLSTATE; `None` for a class that is not PostgreSQL's.
    pub fn class(&self) -> Option<&'static str> {
        Some(match self.sqlstate.get(..2)? {
            "08" => "connection exception",
            "0A" => "feature not supported",
            "21" => "cardinality violation",
            "22" => "data exception",
            "23" => "integrity constraint violation",
            "24" => "invalid cursor state",
            "25" => "invalid transaction state",
            "26" => "invalid statement name",
            "28" => "invalid authorization",
            "2B" => "dependent objects still exist",
            "34" => "invalid cursor name",
            "3D" => "invalid catalog name",
            "3F" => "invalid schema name",
            "40" => "transaction rollback",
            "42" => "syntax error or access rule violation",
            "44" => "WITH CHECK OPTION violation",
            "53" => "insufficient resources",
            "54" => "program limit exceeded",
            "55" => "object not in prerequisite state",
            "57" => "operator intervention",
            "58" => "system error",
            "72" => "snapshot failure",
            "P0" => "PL/pgSQL error",
            "XX" => "internal error",
            _ => return None,
        })
    }

    /// `22012 (data exception)`
    pub fn code(&self) -> String {
        match self.class() {
            Some(class) => format!("{} ({class})", self.sqlstate),
            None => self.sqlstate.clone(),
        }
    }

    /// The message without the SQLSTATE, which is beside it.
    pub fn message(&self) -> &str {
        let code = format!(" (SQLSTATE {})", self.sqlstate);
        self.sample.strip_suffix(code.as_str()).unwrap_or(&self.sample)
    }
}

/// The codes with most errors first: `1420 times SQLSTATE 22012 (data exception), such as: division by zero`.
pub fn errors_in_words(errors: &[ErrorCount]) -> String {
    let mut errors: Vec<&ErrorCount> = errors.iter().collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    let named = errors.iter().take(MOST).map(|error| {
        let times = if error.count == 1 { "once".to_owned() } else { format!("{} times", error.count) };
        format!("{times} SQLSTATE {}, such as: {}", error.code(), error.message())
    });
    let mut words = named.collect::<Vec<_>>().join("; ");
    if let Some(others) = errors.len().checked_sub(MOST).filter(|others| *others > 0) {
        words.push_str(&format!("; and {others} more SQLSTATEs"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_named_by_code_class_and_message() {
        let of = |sqlstate: &str, count, sample: &str| ErrorCount {
            sqlstate: sqlstate.into(),
            count,
            sample: sample.into(),
        };
        let one = of("22012", 1420, "division by zero (SQLSTATE 22012)");
        assert_eq!(
            errors_in_words(std::slice::from_ref(&one)),
            "1420 times SQLSTATE 22012 (data exception), such as: division by zero"
        );
        let all = [of("connection", 1, "it broke"), one, of("40001", 7, "a"), of("40P01", 3, "b"), of("ZZ123", 9, "c")];
        let words = errors_in_words(&all);
        assert!(words.starts_with("1420 times SQLSTATE 22012") && words.ends_with("; and 2 more SQLSTATEs"), "{words}");
        assert!(words.contains("9 times SQLSTATE ZZ123, such as: c; 7 times SQLSTATE 40001 (transaction rollback)"));
        assert_eq!(errors_in_words(&[]), "");
    }
}
