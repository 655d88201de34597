//! JSON as a flat list of tokens: read and walked without recursion, so that its depth costs no stack.

use std::borrow::Cow;

use serde_json::Value;

/// Levels of arrays and objects that are read.
const MAX_LEVELS: usize = 4_096;
/// Tokens that are read: about 100 000 nodes.
const MAX_TOKENS: usize = 8_000_000;

/// A token. What an array or object holds follows it, up to the place that it names; in an object each value follows its key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    Array(usize),
    Object(usize),
}

/// Why there is no tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text ends before the JSON does.
    Cut,
    /// It is no JSON from this byte on.
    Syntax(usize),
    /// It is nested too deeply.
    Depth,
    /// It has too many tokens.
    Size,
}

/// The tokens of one value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tape<'a> {
    tokens: Vec<Token<'a>>,
    /// Places of the arrays and objects that are open.
    open: Vec<usize>,
}

/// Key and place of each member of an object.
pub(crate) type Member<'t> = (&'t str, usize);

impl<'a> Tape<'a> {
    /// Reads the value that `text` begins with; gives the byte after it too.
    pub(crate) fn read(text: &'a str) -> Result<(Self, usize), Fault> {
        Self::of_text(text).map_err(|fault| match fault {
            // What is wrong is that there is no more of it.
            Fault::Syntax(at) if text.as_bytes()[at..].trim_ascii_start().is_empty() => Fault::Cut,
            other => other,
        })
    }

    fn of_text(text: &'a str) -> Result<(Self, usize), Fault> {
        let mut tape = Self::default();
        let mut reader = Reader { text, at: 0 };
        loop {
            reader.skip_space();
            // A value, unless a closing bracket ends what is open.
            let closed = match (tape.open.last().map(|open| &tape.tokens[*open]), reader.peek()?) {
                (Some(Token::Array(empty)), b']') | (Some(Token::Object(empty)), b'}') => {
                    (*empty == tape.tokens.len()).then(|| reader.at += 1)
                }
                _ => None,
            };
            match closed {
                Some(()) => tape.close(),
                None => {
                    if matches!(tape.open.last().map(|open| &tape.tokens[*open]), Some(Token::Object(_))) {
                        let key = reader.string()?;
                        tape.push(Token::Text(key))?;
                        reader.skip_space();
                        reader.expect(b':')?;
                        reader.skip_space();
                    }
                    let token = reader.token(tape.tokens.len() + 1)?;
                    let opens = matches!(token, Token::Array(_) | Token::Object(_));
                    tape.push(token)?;
                    if opens {
                        tape.open()?;
                        continue;
                    }
                }
            }
            // What follows a value: a comma, or the ends of what is open.
            loop {
                let Some(open) = tape.open.last() else {
                    return Ok((tape, reader.at));
                };
                let end = if matches!(tape.tokens[*open], Token::Array(_)) { b']' } else { b'}' };
                reader.skip_space();
                match reader.peek()? {
                    b',' => {
                        reader.at += 1;
                        // Nothing may be left out after a comma: what is open is no longer empty.
                        break;
                    }
                    byte if byte == end => {
                        reader.at += 1;
                        tape.close();
                    }
                    _ => return Err(Fault::Syntax(reader.at)),
                }
            }
        }
    }

    /// The same of a value that was read before.
    pub(crate) fn of(value: &'a Value) -> Result<Self, Fault> {
        enum Step<'v> {
            Value(&'v Value),
            Key(&'v str),
            Close,
        }
        let mut tape = Self::default();
        let mut steps = vec![Step::Value(value)];
        while let Some(step) = steps.pop() {
            match step {
                Step::Key(key) => tape.push(Token::Text(Cow::Borrowed(key)))?,
                Step::Close => tape.close(),
                Step::Value(value) => {
                    tape.push(match value {
                        Value::Null => Token::Null,
                        Value::Bool(is) => Token::Bool(*is),
                        Value::Number(number) => Token::Number(number.as_f64().unwrap_or(f64::NAN)),
                        Value::String(text) => Token::Text(Cow::Borrowed(text)),
                        Value::Array(_) => Token::Array(0),
                        Value::Object(_) => Token::Object(0),
                    })?;
                    match value {
                        Value::Array(values) => {
                            tape.open()?;
                            steps.push(Step::Close);
                            steps.extend(values.iter().rev().map(Step::Value));
                        }
                        Value::Object(members) => {
                            tape.open()?;
                            steps.push(Step::Close);
                            for (key, value) in members.iter().rev() {
                                steps.extend([Step::Value(value), Step::Key(key)]);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(tape)
    }

    /// The token at `at`.
    pub(crate) fn token(&self, at: usize) -> &Token<'a> {
        self.tokens.get(at).unwrap_or(&Token::Null)
    }

    /// Places of the elements of the array at `at`; none where it is no array.
    pub(crate) fn elements(&self, at: usize) -> impl Iterator<Item = usize> {
        let end = if let Token::Array(end) = self.token(at) { *end } else { at };
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let element = next;
            (element < end).then(|| {
                next = self.after(element);
                element
            })
        })
    }

    /// Members of the object at `at`; none where it is no object.
    pub(crate) fn members(&self, at: usize) -> impl Iterator<Item = Member<'_>> {
        let end = if let Token::Object(end) = self.token(at) { *end } else { at };
        let mut next = at + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let Token::Text(key) = self.token(next) else { return None };
            let value = next + 1;
            next = self.after(value);
            Some((&**key, value))
        })
    }

    /// Place of the last member of this key.
    pub(crate) fn member(&self, at: usize, key: &str) -> Option<usize> {
        self.members(at).filter(|(name, _)| *name == key).last().map(|(_, value)| value)
    }

    /// The texts of the value, those of keys left out.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let mut is_key = vec![false; self.tokens.len()];
        for at in 0..self.tokens.len() {
            for (_, value) in self.members(at) {
                is_key[value - 1] = true;
            }
        }
        let texts = self.tokens.iter().zip(is_key).filter(|(_, is_key)| !is_key);
        texts.filter_map(|(token, _)| if let Token::Text(text) = token { Some(&**text) } else { None }).collect()
    }

    /// All tokens.
    pub(crate) fn tokens(&self) -> &[Token<'a>] {
        &self.tokens
    }

    fn after(&self, at: usize) -> usize {
        match self.token(at) {
            Token::Array(end) | Token::Object(end) => *end,
            _ => at + 1,
        }
    }

    fn push(&mut self, token: Token<'a>) -> Result<(), Fault> {
        if self.tokens.len() >= MAX_TOKENS {
            return Err(Fault::Size);
        }
        self.tokens.push(token);
        Ok(())
    }

    /// Opens the array or object that was pushed last.
    fn open(&mut self) -> Result<(), Fault> {
        if self.open.len() >= MAX_LEVELS {
            return Err(Fault::Depth);
        }
        self.open.push(self.tokens.len() - 1);
        Ok(())
    }

    fn close(&mut self) {
        let end = self.tokens.len();
        let open = self.open.pop().and_then(|open| self.tokens.get_mut(open));
        if let Some(Token::Array(at) | Token::Object(at)) = open {
            *at = end;
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn peek(&self) -> Result<u8, Fault> {
        self.byte().ok_or(Fault::Cut)
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek()? == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(Fault::Syntax(self.at))
        }
    }

    /// A value, or the bracket that opens one, whose place is the one before `next`.
    fn token(&mut self, next: usize) -> Result<Token<'a>, Fault> {
        match self.peek()? {
            b'[' => {
                self.at += 1;
                Ok(Token::Array(next))
            }
            b'{' => {
                self.at += 1;
                Ok(Token::Object(next))
            }
            b'"' => self.string().map(Token::Text),
            b't' => self.word("true", Token::Bool(true)),
            b'f' => self.word("false", Token::Bool(false)),
            b'n' => self.word("null", Token::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(Fault::Syntax(self.at)),
        }
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, Fault> {
        let rest = &self.text[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(token)
        } else if word.starts_with(rest.trim_ascii_end()) {
            Err(Fault::Cut)
        } else {
            Err(Fault::Syntax(self.at))
        }
    }

    fn number(&mut self) -> Result<Token<'a>, Fault> {
        let begin = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        match self.text[begin..self.at].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Number(number)),
            _ => Err(Fault::Syntax(begin)),
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let begin = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.byte() {
            _ if self.at > begin => Ok(()),
            None => Err(Fault::Cut),
            Some(_) => Err(Fault::Syntax(self.at)),
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.expect(b'"')?;
        let begin = self.at;
        let bytes = self.text.as_bytes();
        let special = |from: usize| bytes[from..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        let mut text: Option<String> = None;
        let mut from = begin;
        loop {
            self.at = from + special(from).ok_or(Fault::Cut)?;
            let plain = &self.text[from..self.at];
            match bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(match text {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                b'\\' => {
                    let text = text.get_or_insert_default();
                    text.push_str(plain);
                    self.at += 1;
                    text.push(self.escaped()?);
                    from = self.at;
                }
                _ => return Err(Fault::Syntax(self.at)),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Fault> {
        let byte = self.peek()?;
        let plain = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(Fault::Syntax(self.at)),
        };
        self.at += 1;
        Ok(plain)
    }

    /// What follows `\u`; two of them make a character beyond the first 65 536.
    fn unicode(&mut self) -> Result<char, Fault> {
        let first = self.hex()?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        let begin = self.at;
        self.expect(b'\\')?;
        self.expect(b'u')?;
        let second = self.hex()?;
        char::decode_utf16([first, second].map(|half| u16::try_from(half).unwrap_or(0)))
            .next()
            .and_then(Result::ok)
            .filter(|c| c.len_utf16() == 2)
            .ok_or(Fault::Syntax(begin))
    }

    fn hex(&mut self) -> Result<u32, Fault> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16).ok_or(Fault::Syntax(self.at))?;
            number = number * 16 + digit;
            self.at += 1;
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests;
