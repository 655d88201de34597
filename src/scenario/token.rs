//! What a token of a statement is.

use sqlparser::tokenizer::Token;

/// Whether a placeholder is PostgreSQL's.
pub(crate) fn is_number(name: &str) -> bool {
    name.strip_prefix('$').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(crate) fn is(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// Whether an operator may follow the token, which is one of a value.
pub(crate) fn is_operand(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.quote_style.is_some() || word.keyword == sqlparser::keywords::Keyword::NoKeyword,
        Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen | Token::RBracket => true,
        Token::Placeholder(name) => is_number(name),
        _ => false,
    }
}
