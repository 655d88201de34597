//! Text by the columns that a terminal shows it in: a Chinese character takes two, an accent of its own none.

use unicode_width::UnicodeWidthChar;

/// Columns that the text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text in two, the first part at most `room` columns wide, but never empty.
pub(super) fn split(text: &str, room: usize) -> (&str, &str) {
    let mut used = 0;
    let end = text.char_indices().skip_while(|(at, c)| {
        used += c.width().unwrap_or(0);
        *at == 0 || used <= room
    });
    text.split_at(end.map(|(at, _)| at).next().unwrap_or(text.len()))
}

/// The text with its middle left out where it is wider than `most`.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let wide = columns(text);
    if wide <= most {
        return text.to_owned();
    }
    let half = (most - 3) / 2;
    let (begin, _) = split(text, half);
    let (_, end) = split(text, wide - half);
    format!("{begin} … {end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_columns() {
        assert_eq!((columns("größe"), columns("注文"), columns("e\u{301}")), (5, 4, 1));
        assert_eq!(split("注文", 3), ("注", "文"));
        assert_eq!(split("注文", 1), ("注", "文"));
        assert_eq!(split("abc", 3), ("abc", ""));
        assert_eq!(split("abc", 2), ("ab", "c"));
        assert_eq!(split("", 2), ("", ""));
        assert_eq!(shortened("注文注文", 8), "注文注文");
        assert_eq!(shortened("注文注文注文", 11), "注文 … 注文");
    }
}
