//! Markdown as GitHub renders it.

use super::document::{Align, Block, Document, Table, clean};

/// Writes a document. Ends with a line end.
pub fn markdown(document: &Document) -> String {
    let blocks = document.blocks.iter().map(|block| match block {
        Block::Headline(text) => format!("# {}", escape(text)),
        Block::Heading(text) => format!("## {}", escape(text)),
        Block::Paragraph(text) => escape(text),
        Block::Table(rows) => table(rows),
        Block::List(points) => points.iter().map(|point| format!("- {}", escape(point))).collect::<Vec<_>>().join("\n"),
        Block::Verbatim(text) => fenced(text),
    });
    format!("{}\n", blocks.collect::<Vec<_>>().join("\n\n"))
}

fn table(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let rule = |align| if align == Align::Right { "---:" } else { "---" }.to_owned();
    let mut lines = vec![
        line(table.columns.iter().map(|column| escape(column.title)).collect()),
        line(table.columns.iter().map(|column| rule(column.align)).collect()),
    ];
    lines.extend(table.rows.iter().map(|row| line(row.iter().map(|cell| escape(&cell.text)).collect())));
    lines.join("\n")
}

/// A code block whose fence is longer than any run of backticks that begins a line of the text.
fn fenced(text: &str) -> String {
    let longest = text.lines().map(|line| line.trim_start().chars().take_while(|c| *c == '`').count()).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{fence}text\n{}\n{fence}", text.trim_end())
}

/// Takes its meaning from what Markdown would read as its own.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '\\' | '|' | '*' | '`' | '[' | '_' | '~' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_breaks_the_table() {
        let mut words = Table::of_words(&["name", "what"]);
        words.row(["a|b".into(), "SELECT *\nFROM `t` WHERE a < 1".into()]);
        insta::assert_snapshot!(markdown(&Document { blocks: vec![Block::Table(words)] }), @r"
        | name | what |
        | --- | --- |
        | a\|b | SELECT \* FROM \`t\` WHERE a &lt; 1 |
        ");
    }
}
