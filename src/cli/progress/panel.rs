//! The live panel of a measurement, as lines.

use super::{
    figures::{self, Place, SPACE, Words},
    sparkline::sparkline,
};
use crate::clinic::LoadProgress;

/// What stands before each line but the first, which begins with the spinner and a blank.
pub(super) const INDENT: &str = "  ";

/// Columns of the widest scale in use, `up to 12.3 ms`.
const SCALE_COLUMNS: usize = 13;
/// Most seconds shown.
const MOST_SECONDS: usize = 60;
/// Fewer say nothing.
const FEWEST_SECONDS: usize = 5;

/// Begins and ends what is wrong.
pub(super) const RED: (&str, &str) = ("\u{1b}[31m", "\u{1b}[0m");

/// Where a measurement is, its figures so far, and the p99 of the last seconds; each line at most `width` columns wide. Colour
/// marks what is wrong.
pub(super) fn panel(place: &Place, progress: &LoadProgress, width: usize, colour: bool) -> Vec<String> {
    let mut lines = flow(&figures::place(place, progress), width, colour);
    let figures = figures::figures(progress);
    if !figures.is_empty() {
        lines.extend(flow(&figures, width, colour));
        lines.extend(last_seconds(progress, width));
    }
    lines
}

/// Words beside each other as far as they fit, then on the next line.
fn flow(words: &[Words], width: usize, colour: bool) -> Vec<String> {
    let mut lines = Vec::<String>::new();
    let mut used = 0;
    for Words { text, bad } in words {
        let text = cut(text, width);
        let columns = text.chars().count();
        let text = if *bad && colour { format!("{}{text}{}", RED.0, RED.1) } else { text };
        match lines.last_mut() {
            Some(line) if used + SPACE.len() + columns <= width => {
                line.push_str(SPACE);
                line.push_str(&text);
                used += SPACE.len() + columns;
            }
            _ => {
                lines.push(text);
                used = columns;
            }
        }
    }
    lines
}

/// The p99 of the last seconds against their greatest, as many as fit.
fn last_seconds(progress: &LoadProgress, width: usize) -> Option<String> {
    const LABEL: &str = "p99 by second";
    let room = width.checked_sub(LABEL.len() + " ││ ".chars().count() + SCALE_COLUMNS)?.min(MOST_SECONDS);
    if progress.seconds.is_empty() || room < FEWEST_SECONDS {
        return None;
    }
    let shown = &progress.seconds[progress.seconds.len().saturating_sub(room)..];
    let values = || shown.iter().map(|second| second.p99_ns);
    let greatest = values().flatten().max();
    let scale =
        greatest.map_or_else(|| "no response".to_owned(), |greatest| format!("up to {}", figures::time(greatest)));
    Some(cut(&format!("{LABEL} │{}│ {scale}", sparkline(values(), greatest.unwrap_or(0))), width))
}

/// At most so many characters of a text.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}
