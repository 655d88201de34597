//! What happens to plans on the way into a paste.

#[derive(Debug, Clone, Copy)]
pub(crate) enum Damage {
    /// Broken at a column, by a terminal; whether spaces at the end of a line are lost, as some copy it.
    Column(usize, bool),
    /// Broken between words, by a mail.
    Words(usize),
    /// Broken by psql's `\pset format wrapped`.
    Marked(usize),
    /// The same with lines that go on indented by so many spaces.
    Hanging(usize, usize),
    /// In a table with a header, as psql, mails and clients print it, of the list below.
    Frame(usize),
    /// In such a table of psql, broken at a column with its header and rule.
    FrameColumn(usize),
    /// Each line in quotes, those within doubled or not.
    Quotes(char, bool),
    /// Something before each line, of the list below.
    Prefix(usize),
    /// Blanks in a row are one.
    Folded,
    /// Eight spaces are a tab.
    Tabs,
    /// As in the source of a web page.
    Entities,
    /// The same within tags.
    Page,
    /// As the rows that Python prints, or Ruby.
    Rows(bool),
    /// Of a word processor, a terminal, another system.
    Characters(usize),
    /// Line ends as `\n` in one line of a log.
    Escaped,
}

/// Ways to change characters.
pub(crate) const CHARACTERS: usize = 5;
/// Tables.
pub(crate) const FRAMES: usize = 8;
/// Ways to begin each line.
pub(crate) const PREFIXES: usize = 24;

fn prefix(which: usize, number: usize) -> String {
    match which {
        0 => "db-1  | ".into(),
        1 => format!("Nov 30 10:00:{:02} dbhost postgres[771]: [5-{number}] #011", number % 60),
        2 => format!("2026-11-30T10:00:00.{:09}Z stdout F \t", 123 + number * 7919),
        3 => format!("{number} "),
        4 => format!("{number:6}\t"),
        5 => "> ".into(),
        6 => ">> ".into(),
        7 => format!("2026-11-30T10:00:00.{}+00:00 app[postgres.77]: [DATABASE] [7-{number}]  ", 1 + number * 31),
        8 => "-- ".into(),
        9 => format!("{number}. "),
        10 => "# ".into(),
        11 => format!("{number}: "),
        12 => format!("{number:3} | "),
        13 => format!("[{number}] "),
        14 => "postgres-0 postgres ".into(),
        15 => format!("2026-11-30 10:00:{:02}.{number:03} UTC [4711] ", number % 60),
        16 => "INFO:  ".into(),
        17 => "\t".into(),
        18 => "> > ".into(),
        19 => format!("{number}) "),
        20 => " * ".into(),
        21 => "// ".into(),
        22 => "| ".into(),
        _ => "    ".into(),
    }
}

/// The plan with this damage.
pub(crate) fn damaged(text: &str, damage: Damage) -> String {
    let lines = || text.lines();
    let each = |change: &dyn Fn(usize, &str) -> String| {
        lines().enumerate().map(|(at, line)| change(at + 1, line) + "\n").collect::<String>()
    };
    match damage {
        Damage::Column(width, trims) => each(&|_, line| {
            let chars: Vec<char> = line.chars().collect();
            let chunks = chars.chunks(width).map(|chunk| chunk.iter().collect::<String>());
            let chunks = chunks.map(|chunk| if trims { chunk.trim_end().to_owned() } else { chunk });
            chunks.collect::<Vec<_>>().join("\n")
        }),
        Damage::Words(width) => each(&|_, line| between_words(line, width, 0)),
        Damage::Hanging(width, hangs) => each(&|_, line| between_words(line, width, hangs)),
        Damage::Frame(which) => framed(text, which),
        Damage::FrameColumn(width) => damaged(&framed(text, 0), Damage::Column(width, true)),
        Damage::Marked(width) => each(&|_, line| {
            let chars: Vec<char> = line.chars().collect();
            let chunks: Vec<String> = chars.chunks(width).map(|chunk| chunk.iter().collect()).collect();
            let last = chunks.len() - 1;
            let marked = chunks.iter().enumerate().map(|(at, chunk)| {
                let (before, after) = (if at > 0 { "." } else { " " }, if at < last { "." } else { "" });
                format!("{before}{chunk}{after}")
            });
            marked.collect::<Vec<_>>().join("\n")
        }),
        Damage::Quotes(quote, doubled) => each(&|_, line| {
            let line = if doubled { line.replace(quote, &format!("{quote}{quote}")) } else { line.to_owned() };
            format!("{quote}{line}{quote}")
        }),
        Damage::Prefix(which) => each(&|at, line| prefix(which, at) + line),
        Damage::Folded => each(&|_, line| {
            let begin = if line.starts_with(' ') { " " } else { "" };
            begin.to_owned() + &line.split_whitespace().collect::<Vec<_>>().join(" ")
        }),
        Damage::Tabs => each(&|_, line| {
            let indent = line.len() - line.trim_start().len();
            "\t".repeat(indent / 8) + &" ".repeat(indent % 8) + line.trim_start()
        }),
        Damage::Entities => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;"),
        Damage::Page => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            format!("<p>The plan:</p>\n<pre><code class=\"sql\">{}</code></pre>\n", text.trim_end())
        }
        Damage::Rows(true) => each(&|_, line| match line.contains('\'') && !line.contains('"') {
            true => format!("(\"{line}\",)"),
            false => format!("('{}',)", line.replace('\'', "\\'")),
        }),
        Damage::Rows(false) => each(&|_, line| format!("[\"{}\"],", line.replace('"', "\\\""))),
        Damage::Characters(0) => text.replace(' ', "\u{a0}"),
        Damage::Characters(1) => text.replace('\n', "\r\n"),
        Damage::Characters(2) => each(&|_, line| format!("\u{1b}[1;32m{line}\u{1b}[0m")),
        Damage::Characters(3) => text.replace('\n', "\r"),
        Damage::Characters(_) => text.replace('\'', "’").replace("->", "→"),
        Damage::Escaped => {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t").replace('\n', "\\n");
            format!("level=info msg=\"duration: 12.5 ms  plan:\\nQuery Text: SELECT 1\\n{text}\"\n")
        }
    }
}

fn between_words(line: &str, width: usize, hangs: usize) -> String {
    let indent = line.len() - line.trim_start().len();
    let (mut out, mut column) = (line[..indent].to_owned(), indent);
    for (at, word) in line[indent..].split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 && column + 1 + length > width && column > indent && !word.is_empty() {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(&" ".repeat(hangs));
            column = hangs;
        } else if at > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// The plan in a table: psql's with each border and line style, Markdown's, those of clients.
fn framed(text: &str, which: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let count = lines.len();
    let rows =
        |begin: &str, end: &str| lines.iter().map(|line| format!("{begin}{line:width$}{end}\n")).collect::<String>();
    let head = format!("{:^width$}", "QUERY PLAN");
    let rule = |line: &str, begin: &str, end: &str| format!("{begin}{}{end}\n", line.repeat(width + 2));
    match which {
        0 => format!(" {head} \n{}{}({count} rows)\n\n", rule("-", "", ""), rows(" ", "")),
        1 => {
            let rule = rule("-", "+", "+");
            format!("{rule}| {head} |\n{rule}{}{rule}({count} rows)\n", rows("| ", " |"))
        }
        2 => format!(" {head} \n{}{}({count} rows)\n", rule("─", "", ""), rows(" ", "")),
        3 => {
            let (top, middle, bottom) = (rule("─", "┌", "┐"), rule("─", "├", "┤"), rule("─", "└", "┘"));
            format!("{top}│ {head} │\n{middle}{}{bottom}({count} rows)\n", rows("│ ", " │"))
        }
        4 => {
            let (top, middle, bottom) = (rule("═", "╔", "╗"), rule("═", "╠", "╣"), rule("═", "╚", "╝"));
            format!("{top}║ {head} ║\n{middle}{}{bottom}({count} rows)\n", rows("║ ", " ║"))
        }
        5 => format!("| QUERY PLAN |\n|---|\n{}", rows("| ", " |")),
        6 => format!("{head}|\n{}+\n{}", "-".repeat(width), rows("", "|")),
        // The lines of one cell.
        _ => {
            let goes_on = rows(" ", "+");
            format!(" {head} \n{}{}\n(1 row)\n", rule("-", "", ""), goes_on.trim_end().trim_end_matches('+'))
        }
    }
}
