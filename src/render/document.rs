//! What a person reads, before it has a format.

/// Parts of a result, in the order they are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// The parts.
    pub blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The one line that matters.
    Headline(String),
    /// Heads the parts that follow it.
    Heading(String),
    /// A sentence or a few.
    Paragraph(String),
    /// Figures.
    Table(Table),
    /// Points.
    List(Vec<String>),
    /// Text that others made, line by line as it is.
    Verbatim(String),
}

/// Rows under columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What it holds.
    pub title: &'static str,
    /// Where its cells stand.
    pub align: Align,
}

/// Where cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// What it means, for formats with colour; the text says it as well.
    pub tone: Tone,
}

/// What a cell means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing beyond its text.
    Plain,
    /// Better than before.
    Good,
    /// Worse than before, or an error.
    Bad,
}

impl Document {
    /// A document that is others' text alone.
    pub fn verbatim(text: impl Into<String>) -> Self {
        Self { blocks: vec![Block::Verbatim(text.into())] }
    }
}

impl Table {
    /// A table whose first column holds words and whose others hold figures.
    pub fn of_figures(titles: &[&'static str]) -> Self {
        let columns = titles
            .iter()
            .enumerate()
            .map(|(index, title)| Column { title, align: if index == 0 { Align::Left } else { Align::Right } });
        Self { columns: columns.collect(), rows: Vec::new() }
    }

    /// A table of words.
    pub fn of_words(titles: &[&'static str]) -> Self {
        let columns = titles.iter().map(|title| Column { title, align: Align::Left });
        Self { columns: columns.collect(), rows: Vec::new() }
    }

    /// Adds a row of plain cells.
    pub fn row<const N: usize>(&mut self, texts: [String; N]) {
        self.texts(texts);
    }

    /// Adds a row of plain cells whose number is known only when it runs.
    pub fn texts(&mut self, texts: impl IntoIterator<Item = String>) {
        self.rows.push(texts.into_iter().map(Cell::plain).collect());
    }
}

impl Cell {
    /// A cell that means nothing beyond its text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }
}

/// The text on one line and without control characters: messages of servers and foreign records end up on terminals.
pub(super) fn clean(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_line_ends_become_a_space() {
        assert_eq!(clean("a\n  b\t\u{1b}[31mred 1 000"), "a b [31mred 1 000");
    }
}
