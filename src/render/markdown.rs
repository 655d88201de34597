//! Markdown as GitHub renders it.

use super::{
    document::{Align, Block, Document, Item, Table, Tree, clean, clean_lines},
    tree,
};

/// Columns of a tree within a block of code: what GitHub shows without scrolling.
const WIDTH: usize = 100;

/// Writes a document. Ends with a line end.
pub fn markdown(document: &Document) -> String {
    let blocks = document.blocks.iter().map(|block| match block {
        Block::Headline(text) => format!("# {}", escape(text)),
        Block::Heading(text) => format!("## {}", escape(text)),
        Block::Paragraph(text) => escape(text),
        Block::Table(rows) => table(rows),
        Block::List(points) => points.iter().map(|point| format!("- {}", escape(point))).collect::<Vec<_>>().join("\n"),
        Block::Facts(facts) => {
            facts.iter().map(|(label, text)| format!("- {label}: {}", escape(text))).collect::<Vec<_>>().join("\n")
        }
        Block::Verbatim(text) => fenced(text, "text"),
        Block::Item(of) => item(of),
        Block::Tree(of) => folded(of),
    });
    format!("{}\n", blocks.collect::<Vec<_>>().join("\n\n"))
}

/// What belongs to it is indented to stay within the list.
fn item(item: &Item) -> String {
    let number = format!("{}. ", item.number);
    let mut text = format!("{number}**{}**", escape(&item.title));
    let sql: Vec<String> = item.sql.iter().map(|statement| format!("{};", clean_lines(statement.trim_end()))).collect();
    let code = (!sql.is_empty()).then(|| fenced(&sql.join("\n"), "sql"));
    for part in item.lines.iter().map(|line| escape(line)).chain(code) {
        text.push('\n');
        for line in part.lines() {
            text.push_str(&format!("\n{}{line}", " ".repeat(number.len())));
        }
    }
    text
}

fn folded(of: &Tree) -> String {
    let summary = clean(&of.summary).replace('&', "&amp;").replace('<', "&lt;");
    let code = fenced(&tree::lines(of, WIDTH, false).join("\n"), "text");
    let legend = if of.legend.is_empty() { String::new() } else { format!("\n\n{}", escape(&of.legend)) };
    format!("<details>\n<summary>{summary}</summary>\n\n{code}{legend}\n\n</details>")
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
fn fenced(text: &str, language: &str) -> String {
    let longest = text.lines().map(|line| line.trim_start().chars().take_while(|c| *c == '`').count()).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
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
