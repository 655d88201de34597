//! Whether a text ends within quotes, brackets or a list, so that it has to go on.

/// What is open at the end of a text.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// The quote that text stands in. A double one may be that of a row of CSV, and keeps nothing open.
    pub(crate) quote: Option<char>,
    depth: usize,
    /// Whether another part of a list has to follow.
    comma: bool,
}

impl Open {
    pub(crate) fn of(text: &str) -> Self {
        let mut open = Self::default();
        open.take(text);
        open
    }

    pub(crate) fn take(&mut self, text: &str) {
        for c in text.chars() {
            match (self.quote, c) {
                (Some(quote), c) if c == quote => self.quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => self.quote = Some(c),
                (None, '(') => self.depth += 1,
                (None, ')') => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        self.comma = self.quote.is_none() && text.ends_with(',');
    }

    pub(crate) fn is_open(&self) -> bool {
        self.quote == Some('\'') || self.depth > 0 || self.comma
    }
}

/// Whether nothing can follow: a condition in brackets, a time.
pub(crate) fn is_closed(text: &str) -> bool {
    let text = text.trim_end();
    let Some((_, value)) = text.split_once(": ") else { return false };
    text.ends_with(" ms") || (value.starts_with('(') && value.ends_with(')') && !Open::of(value).is_open())
}
