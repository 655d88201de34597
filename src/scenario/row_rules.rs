//! What the text of a statement says of the rows that it returns: their order, how many, and where it leaves a choice.
//!
//! It is read from the tokens, not from a syntax tree, so that keys keep their text and nothing that a parser does not know is in the way.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::sql::tokens;

/// Aggregates whose value depends on the order in which rows come to them.
const ORDERED_AGGREGATES: &[&str] = &[
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "json_agg_strict",
    "jsonb_agg_strict",
    "json_arrayagg",
    "xmlagg",
    "json_object_agg",
];

/// Functions whose value differs from one execution to the next.
const VOLATILE_FUNCTIONS: &[&str] = &[
    "random",
    "random_normal",
    "setseed",
    "gen_random_uuid",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "nextval",
    "now",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "txid_current",
    "pg_current_xact_id",
    "pg_backend_pid",
];

/// Key words that stand for such a value.
const VOLATILE_WORDS: &[&str] =
    &["current_timestamp", "current_time", "current_date", "localtimestamp", "localtime", "tablesample"];

/// What the text of a statement says of the rows that it returns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowRules {
    /// The text of each key of its ORDER BY, without the direction; `None` where it orders nothing.
    pub order: Option<Vec<String>>,
    /// Most rows that it returns; `None` where nothing bounds them, or where all rows of the last key are kept (`WITH TIES`).
    pub limit: Option<Count>,
    /// Rows that it passes over first.
    pub offset: Option<Count>,
    /// Where in the text further columns can be added to its output, after a comma; `None` where none can.
    pub columns_end: Option<usize>,
    /// Where it leaves a choice, as a sentence: on equal data another plan may give other rows.
    pub choice: Option<&'static str>,
    /// A function or key word in it whose value differs from one execution to the next.
    pub volatile: Option<String>,
    /// Whether it begins or ends a transaction.
    pub controls_transaction: bool,
    /// Whether it is a query that writes nothing and locks no rows, as far as its text tells; functions may.
    pub only_reads: bool,
}

/// A number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// This many.
    Rows(u64),
    /// The value of a parameter, by its number from 1.
    Parameter(usize),
    /// An expression.
    Unknown,
}

/// Reads a statement that was checked.
pub fn row_rules(sql: &str) -> RowRules {
    let text = Text::new(sql);
    let controls = ["begin", "start", "commit", "end", "rollback", "abort", "prepare"];
    let mut rules = RowRules {
        choice: text.choice(),
        volatile: text.volatile(),
        controls_transaction: controls.contains(&text.word(0)),
        only_reads: text.only_reads(),
        ..RowRules::default()
    };
    // A set operation may begin with a parenthesis.
    let verb = match text.is_open(0) {
        true => Some(0),
        false => text.find(0, &["select", "values", "table", "insert", "update", "delete", "merge"]),
    };
    let Some(verb) = verb else { return rules };
    if matches!(text.word(verb), "insert" | "update" | "delete" | "merge") {
        if text.any(verb, &["limit", "fetch"]) {
            rules.choice = Some("a query in it has LIMIT, which may take other rows");
        }
        return rules;
    }
    rules.order = text.order(verb);
    rules.limit = text.limit(verb);
    rules.offset = text.find(verb, &["offset"]).and_then(|at| text.count(at + 1));
    if text.word(verb) == "select" && text.find(verb, &["union", "intersect", "except"]).is_none() {
        rules.columns_end = text.columns_end(verb);
    }
    rules
}

/// The tokens of a statement with their depth in parentheses.
struct Text<'s> {
    sql: &'s str,
    tokens: Vec<Piece>,
}

struct Piece {
    token: Token,
    place: Range<usize>,
    depth: usize,
    /// Lower case; empty for what is no key word and no plain name.
    word: String,
}

impl<'s> Text<'s> {
    fn new(sql: &'s str) -> Self {
        let mut depth = 0_usize;
        let mut pieces: Vec<Piece> = Vec::new();
        for (token, place) in tokens(sql) {
            let closes = matches!(token, Token::RParen | Token::RBracket | Token::RBrace);
            depth = depth.saturating_sub(usize::from(closes));
            // After AS and a period any word is a name.
            let named = pieces.last().is_some_and(|before| before.word == "as" || before.token == Token::Period);
            let word = match &token {
                Token::Word(word) if word.quote_style.is_none() && !named => word.value.to_ascii_lowercase(),
                _ => String::new(),
            };
            let opens = matches!(token, Token::LParen | Token::LBracket | Token::LBrace);
            pieces.push(Piece { token, place, depth, word });
            depth += usize::from(opens);
        }
        // (SELECT ..) is what is within.
        while pieces.first().is_some_and(|first| first.token == Token::LParen)
            && pieces.iter().skip(1).position(|piece| piece.depth == 0) == Some(pieces.len() - 2)
        {
            pieces.pop();
            pieces.remove(0);
            pieces.iter_mut().for_each(|piece| piece.depth -= 1);
        }
        Self { sql, tokens: pieces }
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |piece| piece.word.as_str())
    }

    fn is_open(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|piece| piece.token == Token::LParen)
    }

    /// The first of `words` outside of parentheses, from `from` on.
    fn find(&self, from: usize, words: &[&str]) -> Option<usize> {
        let flat = |at: &usize| self.tokens[*at].depth == 0 && words.contains(&self.word(*at));
        (from..self.tokens.len()).find(flat)
    }

    /// Whether it begins as a query does, and nothing in it writes or locks.
    fn only_reads(&self) -> bool {
        let locks =
            |at: usize| self.word(at) == "for" && matches!(self.word(at + 1), "update" | "share" | "no" | "key");
        (self.is_open(0) || matches!(self.word(0), "select" | "values" | "table" | "with"))
            && !self.any(0, &["insert", "update", "delete", "merge", "into", "nextval", "setval"])
            && !(0..self.tokens.len()).any(locks)
    }

    /// Whether one of `words` stands anywhere from `from` on.
    fn any(&self, from: usize, words: &[&str]) -> bool {
        self.tokens.iter().skip(from).any(|piece| words.contains(&piece.word.as_str()))
    }

    fn order(&self, verb: usize) -> Option<Vec<String>> {
        let begin = (verb..self.tokens.len())
            .find(|at| self.tokens[*at].depth == 0 && self.word(*at) == "order" && self.word(*at + 1) == "by")?
            + 2;
        let end = self.find(begin, &["limit", "offset", "fetch", "for"]).unwrap_or(self.tokens.len());
        let keys = self.tokens[begin..end].split(|piece| piece.depth == 0 && piece.token == Token::Comma);
        Some(keys.filter_map(|key| self.key(key)).collect())
    }

    /// The text of a sort key without what follows its expression.
    fn key(&self, mut key: &[Piece]) -> Option<String> {
        if let [expression @ .., nulls, _] = key
            && nulls.word == "nulls"
        {
            key = expression;
        }
        if let Some(using) = key.iter().position(|piece| piece.depth == 0 && piece.word == "using") {
            key = &key[..using];
        } else if let [expression @ .., direction] = key
            && matches!(direction.word.as_str(), "asc" | "desc")
        {
            key = expression;
        }
        let (first, last) = (key.first()?, key.last()?);
        self.sql.get(first.place.start..last.place.end).map(str::to_owned)
    }

    fn limit(&self, verb: usize) -> Option<Count> {
        if let Some(at) = self.find(verb, &["limit"]) {
            return self.count(at + 1);
        }
        let at = self.find(verb, &["fetch"])?;
        // WITH TIES keeps all rows of the last key.
        if self.word(self.tokens.len() - 1) == "ties" || self.find(at, &["ties"]).is_some() {
            return None;
        }
        if matches!(self.word(at + 2), "row" | "rows") { Some(Count::Rows(1)) } else { self.count(at + 2) }
    }

    /// The number of rows that begins at a token; `None` for ALL and NULL.
    fn count(&self, at: usize) -> Option<Count> {
        let piece = self.tokens.get(at)?;
        let ends = self.tokens.get(at + 1).is_none_or(|next| !next.word.is_empty() || next.token == Token::DoubleColon);
        match &piece.token {
            _ if matches!(piece.word.as_str(), "all" | "null") => None,
            Token::Number(digits, _) if ends => Some(digits.parse().map_or(Count::Unknown, Count::Rows)),
            Token::Placeholder(name) if ends => {
                Some(name.trim_start_matches('$').parse().map_or(Count::Unknown, Count::Parameter))
            }
            _ => Some(Count::Unknown),
        }
    }

    fn columns_end(&self, verb: usize) -> Option<usize> {
        const ENDS: &[&str] =
            &["from", "where", "group", "having", "window", "order", "limit", "offset", "fetch", "for", "into"];
        let mut from = verb + 1;
        let end = loop {
            let Some(at) = self.find(from, ENDS) else { break self.tokens.len() };
            let within = match self.word(at) {
                "from" => self.word(at - 1) == "distinct" && matches!(self.word(at - 2), "is" | "not"),
                "group" => self.word(at - 1) == "within",
                _ => false,
            };
            if !within {
                break at;
            }
            from = at + 1;
        };
        let last = end.checked_sub(1).filter(|last| *last > verb)?;
        Some(self.tokens[last].place.end)
    }

    fn choice(&self) -> Option<&'static str> {
        for (at, piece) in self.tokens.iter().enumerate() {
            match piece.word.as_str() {
                "limit" | "fetch" if piece.depth > 0 => {
                    return Some("a query within it has LIMIT, which may take other rows of the same sort key");
                }
                "distinct" if self.word(at + 1) == "on" => {
                    return Some("DISTINCT ON takes any row of those that its ORDER BY does not tell apart");
                }
                word if ORDERED_AGGREGATES.contains(&word) && self.is_open(at + 1) => {
                    let depth = self.tokens[at + 1].depth;
                    let within = self.tokens[at + 2..].iter().take_while(|piece| piece.depth > depth);
                    if !within.into_iter().any(|piece| piece.depth == depth + 1 && piece.word == "order") {
                        return Some("an aggregate in it that depends on the order of rows has no ORDER BY of its own");
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn volatile(&self) -> Option<String> {
        let found = self.tokens.iter().enumerate().find(|(at, piece)| {
            let word = piece.word.as_str();
            VOLATILE_WORDS.contains(&word) || VOLATILE_FUNCTIONS.contains(&word) && self.is_open(at + 1)
        });
        found.map(|(at, piece)| format!("{}{}", piece.word, if self.is_open(at + 1) { "()" } else { "" }))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn keys(sql: &str) -> Option<Vec<String>> {
        row_rules(sql).order
    }

    #[rstest]
    #[case("SELECT a FROM t", None)]
    #[case("SELECT a FROM t ORDER BY a", Some(vec!["a"]))]
    #[case("select * from t order by lower(a, 'x,y') desc nulls last, t.b ASC limit 5", Some(vec!["lower(a, 'x,y')", "t.b"]))]
    #[case("SELECT a FROM t ORDER BY a USING <, b -> 'c' OFFSET 2", Some(vec!["a", "b -> 'c'"]))]
    #[case("(SELECT a FROM t ORDER BY 1 FOR UPDATE)", Some(vec!["1"]))]
    #[case("(SELECT a FROM t LIMIT 1) UNION (SELECT 2) ORDER BY 1", Some(vec!["1"]))]
    #[case("WITH x AS (SELECT 1 ORDER BY 1) SELECT * FROM x", None)]
    #[case("SELECT sum(a) OVER (ORDER BY b), array_agg(c ORDER BY d) FROM t", None)]
    #[case("INSERT INTO t SELECT a FROM u ORDER BY a RETURNING a", None)]
    #[case("SELECT 1 AS order, by FROM t", None)]
    fn the_keys_are_those_of_the_whole_statement(#[case] sql: &str, #[case] expected: Option<Vec<&str>>) {
        assert_eq!(keys(sql), expected.map(|keys| keys.into_iter().map(str::to_owned).collect()));
    }

    #[rstest]
    #[case("SELECT a FROM t LIMIT 20 OFFSET $2", Some(Count::Rows(20)), Some(Count::Parameter(2)))]
    #[case("SELECT a FROM t LIMIT $1::bigint", Some(Count::Parameter(1)), None)]
    #[case("SELECT a FROM t LIMIT 2 * $1", Some(Count::Unknown), None)]
    #[case("SELECT a FROM t LIMIT ALL", None, None)]
    #[case("SELECT a FROM t OFFSET 10 ROWS FETCH FIRST 5 ROWS ONLY", Some(Count::Rows(5)), Some(Count::Rows(10)))]
    #[case("SELECT a FROM t FETCH NEXT ROW ONLY", Some(Count::Rows(1)), None)]
    #[case("SELECT a FROM t ORDER BY a FETCH FIRST 5 ROWS WITH TIES", None, None)]
    #[case("SELECT t.limit, \"limit\" AS offset FROM t", None, None)]
    #[case("SELECT a FROM (SELECT a FROM t LIMIT 5) x", None, None)]
    fn the_bounds_are_those_of_the_whole_statement(
        #[case] sql: &str,
        #[case] limit: Option<Count>,
        #[case] offset: Option<Count>,
    ) {
        let rules = row_rules(sql);
        assert_eq!((rules.limit, rules.offset), (limit, offset));
    }

    #[rstest]
    #[case("SELECT a, b FROM t", Some("SELECT a, b"))]
    #[case("SELECT a IS NOT DISTINCT FROM b AS c FROM t", Some("SELECT a IS NOT DISTINCT FROM b AS c"))]
    #[case("SELECT extract(year FROM a) -- years\n FROM t", Some("SELECT extract(year FROM a)"))]
    #[case("WITH x AS (SELECT 1 FROM t) SELECT * FROM x", Some("WITH x AS (SELECT 1 FROM t) SELECT *"))]
    #[case(
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t",
        Some("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a)")
    )]
    #[case("SELECT 1 ORDER BY 1", Some("SELECT 1"))]
    #[case("(SELECT a FROM t)", Some("(SELECT a"))]
    #[case("SELECT 1", Some("SELECT 1"))]
    #[case("SELECT FROM t", None)]
    #[case("SELECT a FROM t UNION SELECT a FROM u", None)]
    #[case("VALUES (1), (2)", None)]
    #[case("DELETE FROM t RETURNING a", None)]
    fn columns_are_added_after_the_last_one(#[case] sql: &str, #[case] until: Option<&str>) {
        assert_eq!(row_rules(sql).columns_end.map(|end| &sql[..end]), until);
    }

    #[rstest]
    #[case("SELECT * FROM (SELECT a FROM t ORDER BY b LIMIT 5) x", true)]
    #[case("SELECT a FROM t LIMIT 5", false)]
    #[case("SELECT DISTINCT ON (a) a, b FROM t ORDER BY a", true)]
    #[case("SELECT DISTINCT a, b FROM t", false)]
    #[case("SELECT string_agg(a, ',') FROM t", true)]
    #[case("SELECT string_agg(a, ',' ORDER BY b), count(*) FROM t", false)]
    #[case("DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 5)", true)]
    fn a_choice_is_seen(#[case] sql: &str, #[case] expected: bool) {
        assert_eq!(row_rules(sql).choice.is_some(), expected);
    }

    #[test]
    fn what_begins_or_ends_a_transaction_is_known() {
        let controls =
            ["BEGIN", "START TRANSACTION", "commit and chain", "END", "ROLLBACK TO a", "PREPARE TRANSACTION 'a'"];
        assert!(controls.iter().all(|sql| row_rules(sql).controls_transaction));
        assert!(!row_rules("SELECT 1").controls_transaction);
    }

    #[rstest]
    #[case("SELECT a FROM t", true)]
    #[case("(SELECT a FROM t) UNION (TABLE u)", true)]
    #[case("WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x", true)]
    #[case("SELECT 'update' AS \"delete\", substring(a FOR 3) FROM t", true)]
    #[case("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", false)]
    #[case("SELECT a FROM t FOR UPDATE SKIP LOCKED", false)]
    #[case("SELECT a FROM t FOR NO KEY UPDATE", false)]
    #[case("SELECT nextval('s')", false)]
    #[case("INSERT INTO t VALUES (1)", false)]
    #[case("CALL p()", false)]
    fn what_writes_or_locks_is_seen(#[case] sql: &str, #[case] only_reads: bool) {
        assert_eq!(row_rules(sql).only_reads, only_reads);
    }

    #[rstest]
    #[case("SELECT now() - a FROM t", Some("now()"))]
    #[case("SELECT a FROM t WHERE b > CURRENT_DATE", Some("current_date"))]
    #[case("SELECT now, t.random, 'random()' FROM t", None)]
    fn what_differs_each_time_is_named(#[case] sql: &str, #[case] expected: Option<&str>) {
        assert_eq!(row_rules(sql).volatile.as_deref(), expected);
    }
}
