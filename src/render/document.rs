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
    /// What a label says, each on lines of its own.
    Facts(Vec<(&'static str, String)>),
    /// Text that others made, line by line as it is.
    Verbatim(String),
    /// A numbered point with what belongs to it.
    Item(Item),
    /// Nodes under nodes.
    Tree(Tree),
}

/// A numbered point with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its number.
    pub number: usize,
    /// What it says first.
    pub title: String,
    /// What that means.
    pub tone: Tone,
    /// Sentences under it.
    pub lines: Vec<String>,
    /// SQL statements to copy, without their semicolons.
    pub sql: Vec<String>,
}

/// Nodes under nodes, with their figures in columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// What it is, to be opened by.
    pub summary: String,
    /// Whether a terminal, which cannot fold it, shows it at all.
    pub in_terminal: bool,
    /// The columns of figures.
    pub columns: Vec<TreeColumn>,
    /// The nodes, each before its children.
    pub nodes: Vec<TreeNode>,
    /// What a reader has to know of the columns; empty for nothing.
    pub legend: String,
}

/// A column of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeColumn {
    /// What it holds.
    pub title: &'static str,
    /// Whether it goes first where room is short.
    pub is_optional: bool,
}

/// A node of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeNode {
    /// Levels below the root.
    pub depth: usize,
    /// What stands beside it in the margin; empty for nothing.
    pub mark: String,
    /// What it is.
    pub label: String,
    /// What that means.
    pub tone: Tone,
    /// As many as there are columns.
    pub figures: Vec<String>,
    /// What stands under a figure: the place of its column and the text.
    pub remark: Option<(usize, String)>,
    /// Lines under it.
    pub details: Vec<String>,
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
    /// Worse than before, an error, or the cause of one.
    Bad,
    /// Of little weight.
    Faint,
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

/// Text of several lines without any other control and format characters, for what others wrote and a terminal will show.
pub(super) fn clean_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace(|c: char| is_unprintable(c) && !matches!(c, '\n' | '\t'), "\u{fffd}")
}

/// Whether it controls a terminal or the order in which it shows text, or is not seen at all: Unicode's control characters (Cc), its
/// line and paragraph separators, and its format characters (Cf) but those that are seen, such as the Arabic number signs.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text on one line and without control and format characters: messages of servers and foreign records end up on terminals.
pub(super) fn clean(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| is_unprintable(c) || c == ' ').filter(|word| !word.is_empty()) {
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

    #[test]
    fn nothing_turns_the_order_of_text_or_hides_in_it() {
        for c in [
            '\u{202e}',
            '\u{2066}',
            '\u{200f}',
            '\u{61c}',
            '\u{200b}',
            '\u{feff}',
            '\u{2028}',
            '\u{e0041}',
            '\u{1b}',
            '\u{85}',
        ] {
            assert_eq!(clean(&format!("a{c}b")), "a b", "{c:?}");
            assert_eq!(clean_lines(&format!("a{c}\tb\n")), "a\u{fffd}\tb\n", "{c:?}");
        }
        assert_eq!(clean("größe 注文 أحمد 1 000…"), "größe 注文 أحمد 1 000…");
    }
}
