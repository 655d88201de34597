//! JSON whose lines a terminal or a mail broke, within its texts and figures too.

/// The text in one line, and how its bytes are found in the other.
pub(crate) struct Joined<'t> {
    pub(crate) text: String,
    from: &'t str,
    /// The first byte of each line: in the text, and in what it is from.
    lines: Vec<(usize, usize)>,
}

impl<'t> Joined<'t> {
    /// The lines of `from` put together: what is as wide as the widest was broken at a column, the others between words.
    pub(crate) fn of(from: &'t str) -> Self {
        let width = |line: &str| line.chars().count();
        let widest = from.lines().map(width).max().unwrap_or(0);
        let mut joined = Self { text: String::with_capacity(from.len()), from, lines: Vec::new() };
        let mut begin = 0;
        for raw in from.split_inclusive('\n') {
            joined.lines.push((joined.text.len(), begin));
            begin += raw.len();
            let line = raw.trim_end_matches(['\n', '\r']);
            joined.text.push_str(line);
            if width(line) < widest && !line.ends_with(' ') {
                joined.text.push(' ');
            }
        }
        joined
    }

    /// The byte of what it is from that the text's byte `at` is.
    pub(crate) fn place(&self, at: usize) -> usize {
        let line = self.lines.partition_point(|(begin, _)| *begin < at).saturating_sub(1);
        let place = self.lines.get(line).map_or(at, |(begin, of)| of + (at - begin));
        let is_begin = |place: &usize| self.from.is_char_boundary(*place);
        (place.min(self.from.len())..=self.from.len()).find(is_begin).unwrap_or(self.from.len())
    }
}
