//! Where the live panel is drawn.

use std::io;

use console::Term;
use indicatif::TermLike;

/// A terminal whose cursor waits at the begin of the last line drawn. indicatif fills that line up to the edge and leaves the
/// cursor there, so that the `^C` which the terminal echoes begins a line of its own, which nobody counts: what is cleared
/// then begins one line too low.
///
/// Whatever is drawn has to end with a line of the bar, for the next drawing begins on it.
#[derive(Debug)]
pub(super) struct Terminal(Term);

impl Terminal {
    /// `terminal` has to be buffered, so that a drawing arrives in one piece.
    pub(super) fn new(terminal: Term) -> Self {
        Self(terminal)
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    /// Ends a drawing.
    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{Read, Seek, SeekFrom},
    };

    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

    use super::*;

    /// What is on a screen of so many columns after these bytes, without blanks at the ends; knows what console writes.
    fn screen(bytes: &str, columns: usize) -> Vec<String> {
        let mut rows = vec![vec![' '; columns]; 24];
        let (mut row, mut column) = (0, 0);
        let mut rest = bytes;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '\r' => column = 0,
                '\n' => row += 1,
                '\u{1b}' => {
                    let end = rest.find(char::is_alphabetic).unwrap();
                    let number = rest[1..end].parse().unwrap_or(1);
                    match &rest[end..=end] {
                        "A" => row -= number.min(row),
                        "B" => row += number,
                        "K" => rows[row] = vec![' '; columns],
                        other => panic!("unknown: {other}"),
                    }
                    rest = &rest[end + 1..];
                }
                // A full line is left only when more is written.
                c => {
                    if column == columns {
                        (row, column) = (row + 1, 0);
                    }
                    rows[row][column] = c;
                    column += 1;
                }
            }
        }
        let text = rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned());
        text.filter(|line| !line.is_empty()).collect()
    }

    #[test]
    fn an_echoed_ctrl_c_leaves_nothing() {
        let mut written = tempfile::tempfile().unwrap();
        let term = Term::read_write_pair(File::open("/dev/null").unwrap(), written.try_clone().unwrap());
        let columns = usize::from(term.size().1);
        let target = ProgressDrawTarget::term_like(Box::new(Terminal::new(term.clone())));
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::with_template("> {msg}").unwrap());
        let mut now = || {
            let mut bytes = String::new();
            written.seek(SeekFrom::Start(0)).unwrap();
            written.read_to_string(&mut bytes).unwrap();
            screen(&bytes, columns)
        };
        bar.println("a note");
        bar.set_message("first\nsecond\nthird");
        assert_eq!(now(), ["a note", "> first", "second", "third"]);
        term.write_str("^C").unwrap();
        assert_eq!(now(), ["a note", "> first", "second", "^Cird"]);
        bar.set_message("a\nb\nc");
        assert_eq!(now(), ["a note", "> a", "b", "c"]);
        term.write_str("^C").unwrap();
        bar.println("another");
        assert_eq!(now(), ["a note", "another", "> a", "b", "c"]);
        term.write_str("^C").unwrap();
        bar.finish_and_clear();
        assert_eq!(now(), ["a note", "another"]);
        term.write_line("the result").unwrap();
        assert_eq!(now(), ["a note", "another", "the result"]);
    }
}
