//! Plain text with tables for a terminal; colour only adds to what the text says.

use comfy_table::{
    Attribute, Cell as StyledCell, CellAlignment, Color, ColumnConstraint::LowerBoundary, ContentArrangement,
    LineStyle, Table as StyledTable, TableStyle, Width,
};

use super::{
    columns::{columns, split},
    document::{Align, Block, Document, Item, Table, Tone, clean, clean_lines},
    tree,
};

/// A space at which no line ends; never written.
const NO_BREAK: &str = "\u{a0}";

const BOLD: (&str, &str) = ("\u{1b}[1m", "\u{1b}[0m");

/// Writes a document at most `width` columns wide. Ends without a line end.
pub fn terminal(document: &Document, width: usize, colour: bool) -> String {
    let shown = || document.blocks.iter().filter(|block| !matches!(block, Block::Tree(tree) if !tree.in_terminal));
    let blocks = shown().map(|block| match block {
        Block::Headline(text) => bold(&wrap(text, "", "", width), colour),
        // Without colour a heading is known by its colon.
        Block::Heading(text) => bold(&wrap(&format!("{text}:"), "", "", width), colour),
        Block::Paragraph(text) => wrap(text, "", "", width),
        Block::Table(rows) => table(rows, width, colour),
        Block::List(points) => points.iter().map(|point| wrap(point, "- ", "  ", width)).collect::<Vec<_>>().join("\n"),
        Block::Facts(of) => facts(of, width, colour),
        Block::Verbatim(text) => text.trim_end().to_owned(),
        Block::Item(of) => item(of, width, colour),
        Block::Tree(of) => {
            let summary = bold(&wrap(&format!("{}:", of.summary), "", "", width), colour);
            let legend = if of.legend.is_empty() { "" } else { "\n\n" };
            let legend = format!("{legend}{}", wrap(&of.legend, "", "", width));
            format!("{summary}\n{}{legend}", tree::lines(of, width, colour).join("\n"))
        }
    });
    let mut text = String::new();
    let mut after_heading = false;
    for (block, rendered) in shown().zip(blocks) {
        if !text.is_empty() {
            text.push_str(if after_heading { "\n" } else { "\n\n" });
        }
        text.push_str(&rendered);
        after_heading = matches!(block, Block::Heading(_));
    }
    text
}

fn bold(text: &str, colour: bool) -> String {
    if colour { format!("{}{text}{}", BOLD.0, BOLD.1) } else { text.to_owned() }
}

/// The texts begin in one column.
fn facts(facts: &[(&'static str, String)], width: usize, colour: bool) -> String {
    let widest = facts.iter().map(|(label, _)| columns(label)).max().unwrap_or(0) + 2;
    let margin = " ".repeat(widest);
    let line = |(label, text): &(&'static str, String)| {
        let lines = wrap(text, &margin, &margin, width);
        let rest = lines.strip_prefix(&margin).unwrap_or(&lines);
        format!("{}{}{rest}", bold(label, colour), " ".repeat(widest - columns(label)))
    };
    facts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Its SQL is never broken: it is there to be copied.
fn item(item: &Item, width: usize, colour: bool) -> String {
    let number = format!("{}. ", item.number);
    let margin = " ".repeat(number.chars().count());
    let title = wrap(&item.title, &number, &margin, width);
    let mut text = match item.tone {
        Tone::Bad if colour => format!("\u{1b}[1;31m{title}\u{1b}[0m"),
        _ => bold(&title, colour),
    };
    for line in &item.lines {
        text.push('\n');
        text.push_str(&wrap(line, &margin, &margin, width));
    }
    if !item.sql.is_empty() {
        text.push('\n');
    }
    for statement in &item.sql {
        for line in clean_lines(&format!("{};", statement.trim_end())).lines() {
            text.push_str(&format!("\n{margin}{line}"));
        }
    }
    text
}

fn table(table: &Table, width: usize, colour: bool) -> String {
    let mut styled = StyledTable::new();
    styled
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    if colour {
        styled.enforce_styling();
    } else {
        styled.force_no_tty();
    }
    let alignment = |index: usize| match table.columns.get(index).map(|column| column.align) {
        Some(Align::Right) => CellAlignment::Right,
        _ => CellAlignment::Left,
    };
    let header = table.columns.iter().enumerate().map(|(index, column)| {
        StyledCell::new(column.title).set_alignment(alignment(index)).add_attribute(Attribute::Bold)
    });
    styled.set_header(header.collect::<Vec<_>>());
    for row in &table.rows {
        let cells = row.iter().enumerate().map(|(index, cell)| {
            let styled = StyledCell::new(unbroken(&cell.text)).set_alignment(alignment(index));
            match cell.tone {
                Tone::Plain => styled,
                Tone::Good => styled.fg(Color::Green),
                Tone::Bad => styled.fg(Color::Red),
                Tone::Faint => styled.add_attribute(Attribute::Dim),
            }
        });
        styled.add_row(cells.collect::<Vec<_>>());
    }
    // A border between two columns, a blank on both sides of each.
    let fits = |least: &Vec<usize>| least.iter().map(|width| width + 3).sum::<usize>() <= width;
    let whole_words = [true, false].into_iter();
    let least = whole_words.map(|words| (0..table.columns.len()).map(|at| least_width(table, at, words)).collect());
    if let Some(least) = least.into_iter().find(fits) {
        let boundary = |width: &usize| u16::try_from(width + 2).unwrap_or(u16::MAX);
        styled.set_constraints(least.iter().map(|width| LowerBoundary(Width::Fixed(boundary(width)))));
    }
    styled.trim_fmt().replace(NO_BREAK, " ")
}

/// What a column needs so that none of its numbers is broken: the longest number with its unit, and the column's title. With
/// `whole_words`, no word either, but in the first column, whose names may be long.
fn least_width(table: &Table, index: usize, whole_words: bool) -> usize {
    let whole_words = whole_words && index > 0;
    let numbers = table.rows.iter().filter_map(|row| row.get(index)).flat_map(|cell| {
        let words = unbroken(&cell.text);
        let widths =
            words.split(' ').filter(|word| whole_words || word.starts_with(|c: char| !c.is_alphabetic())).map(columns);
        widths.max()
    });
    let title = columns(table.columns[index].title);
    numbers.chain([title]).max().unwrap_or(title)
}

/// Text whose numbers are tied to their units.
fn unbroken(text: &str) -> String {
    let words: Vec<String> = words(&clean(text)).iter().map(|word| word.replace(' ', NO_BREAK)).collect();
    words.join(" ")
}

/// Breaks text between words, and words that are longer than a line; the first line begins with `first`, the others with `rest`.
fn wrap(text: &str, first: &str, rest: &str, width: usize) -> String {
    let mut lines = String::from(first);
    let mut used = columns(first);
    let mut fresh = true;
    for word in words(&clean(text)) {
        if !fresh && used + 1 + columns(&word) > width {
            lines.push('\n');
            lines.push_str(rest);
            used = columns(rest);
            fresh = true;
        }
        if !fresh {
            lines.push(' ');
            used += 1;
        }
        let mut word = word.as_str();
        while used + columns(word) > width && columns(rest) + 1 < width {
            let (begin, tail) = split(word, width.saturating_sub(used));
            lines.push_str(begin);
            if tail.is_empty() {
                word = tail;
                break;
            }
            lines.push('\n');
            lines.push_str(rest);
            (word, used) = (tail, columns(rest));
        }
        lines.push_str(word);
        used += columns(word);
        fresh = false;
    }
    lines
}

/// The words between which a line may be broken: the digits of a number and its unit stay together.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let is_unit =
            matches!(word.trim_end_matches([',', '.', ';', ':', ')']), "ms" | "µs" | "s" | "%" | "kB" | "MB" | "GB");
        let leading = word.chars().take_while(char::is_ascii_digit).count();
        match words.last_mut() {
            Some(last) if last.ends_with(|c: char| c.is_ascii_digit()) && (is_unit || leading == 3) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::document::Cell;

    #[test]
    fn wide_names_are_broken_and_nothing_leaves_the_width() {
        let mut figures = Table::of_figures(&["metric", "before", "after", "change", "factor"]);
        figures.row([
            "execution time of the_latest_events_of_a_user_with_their_payload_and_kind".into(),
            "307 ms".into(),
            "399 µs".into(),
            "-99.9 %".into(),
            "770x faster".into(),
        ]);
        let point = "a point that goes on and on and on, and on the next line stands under the begin of its own words";
        let document = Document { blocks: vec![Block::Table(figures), Block::List(vec![point.into()])] };
        let text = terminal(&document, 60, false);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
        insta::assert_snapshot!(text, @"
         metric             before    after    change        factor
        ────────────────────────────────────────────────────────────
         execution time     307 ms   399 µs   -99.9 %   770x faster
         of the_latest_ev
         ents_of_a_user_w
         ith_their_payloa
         d_and_kind

        - a point that goes on and on and on, and on the next line
          stands under the begin of its own words
        ");
    }

    #[test]
    fn words_longer_than_a_line_are_broken_but_not_in_sql() {
        let (filter, sql) = ("x".repeat(500), format!("SELECT {}", "y".repeat(500)));
        let item = Item {
            number: 1,
            title: "a title".into(),
            tone: Tone::Plain,
            lines: vec![format!("Filter: {filter} 注文{}", "注文".repeat(50))],
            sql: vec![sql.clone()],
        };
        let text = terminal(&Document { blocks: vec![Block::Item(item)] }, 60, false);
        let (prose, statement) = text.split_once("\n\n").unwrap();
        assert!(prose.lines().all(|line| columns(line) <= 60), "{text}");
        assert!(prose.replace("\n   ", "").contains(&filter), "{text}");
        assert_eq!(statement.trim(), format!("{sql};"));
    }

    #[test]
    fn numbers_and_their_units_are_not_broken() {
        let text = "it read 1 000 000 rows in 74.8 ms, of 12 345 in 2024";
        assert_eq!(words(text), ["it", "read", "1 000 000", "rows", "in", "74.8 ms,", "of", "12 345", "in", "2024"]);
    }

    #[test]
    fn colour_only_adds_to_the_text() {
        let mut figures = Table::of_words(&["factor"]);
        figures.rows.push(vec![Cell { text: "770x faster".into(), tone: Tone::Good }]);
        figures.rows.push(vec![Cell { text: "2x slower".into(), tone: Tone::Bad }]);
        let document = Document { blocks: vec![Block::Headline("770x faster".into()), Block::Table(figures)] };
        let (plain, coloured) = (terminal(&document, 80, false), terminal(&document, 80, true));
        assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'), "{plain}\n{coloured}");
        assert!(plain.contains("770x faster") && plain.contains("2x slower"), "{plain}");
    }
}
