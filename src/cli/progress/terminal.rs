//! Where the live panel is drawn.

use std::io;

use console::Term;
use indicatif::TermLike;

/// A terminal whose cursor waits at the begin of the last line drawn. indicatif fills that line up to the edge and leaves the
/// cursor there, so that the `^C` which the terminal echoes begins a line of its own, which nobody counts: what is cleared
/// then begins one line too low.
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
