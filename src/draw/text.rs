//! Generated text.

use super::random::Random;
use crate::scenario::TextKind;

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LOWER: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8; 10] = b"0123456789";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Plain words of two to nine letters; the list is part of what a recipe means.
const WORDS: [&str; 64] = [
    "amber", "anchor", "apple", "arrow", "autumn", "basket", "beacon", "bell", "birch", "bridge", "bronze", "candle",
    "canyon", "carbon", "cedar", "circle", "clay", "cloud", "copper", "coral", "cotton", "delta", "desert", "dune",
    "eagle", "ember", "falcon", "fern", "field", "flint", "forest", "frost", "garden", "glacier", "grain", "harbour",
    "hazel", "hill", "island", "ivy", "jade", "lake", "lantern", "linen", "maple", "marble", "meadow", "mint", "moss",
    "north", "ocean", "olive", "orchard", "pearl", "pine", "quartz", "river", "saffron", "silver", "stone", "summer",
    "tide", "valley", "willow",
];

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    One(&'static [u8]),
    Literal(char),
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Piece>);

impl Pattern {
    pub(super) fn new(pattern: &str) -> Self {
        let mut pieces = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            pieces.push(match character {
                '#' => Piece::One(DIGITS),
                '@' => Piece::One(LOWER),
                '^' => Piece::One(UPPER),
                '*' => Piece::One(ALPHANUMERIC),
                '\\' => Piece::Literal(characters.next().unwrap_or('\\')),
                other => Piece::Literal(other),
            });
        }
        Self(pieces)
    }

    /// Appends a text of the pattern.
    pub(super) fn draw(&self, random: &mut Random, out: &mut Vec<u8>) {
        for piece in &self.0 {
            match piece {
                Piece::One(alphabet) => out.push(alphabet[random.below(alphabet.len() as u64) as usize]),
                Piece::Literal(character) => {
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
    }
}

/// Appends `length` characters of a kind, all of them ASCII.
pub(super) fn draw(kind: TextKind, length: usize, random: &mut Random, out: &mut Vec<u8>) {
    let end = out.len() + length;
    match kind {
        TextKind::Words => {
            let start = out.len();
            while out.len() < end {
                if out.len() > start {
                    out.push(b' ');
                }
                out.extend_from_slice(WORDS[random.below(WORDS.len() as u64) as usize].as_bytes());
            }
            out.truncate(end);
            if let Some(last) = out[start..].last_mut().filter(|last| **last == b' ') {
                *last = b's';
            }
        }
        TextKind::Alphanumeric => {
            while out.len() < end {
                // Four characters from one draw; 62/65536 bounds the bias.
                let bits = random.bits();
                for part in 0..4.min(end - out.len()) {
                    let fraction = (bits >> (16 * part)) & 0xFFFF;
                    out.push(ALPHANUMERIC[((fraction * 62) >> 16) as usize]);
                }
            }
        }
        TextKind::Hex => {
            while out.len() < end {
                let bits = random.bits();
                for part in 0..16.min(end - out.len()) {
                    out.push(HEX[((bits >> (4 * part)) & 15) as usize]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::random::Stream, *};

    fn pattern(pattern: &str) -> String {
        let mut out = Vec::new();
        Pattern::new(pattern).draw(&mut Stream::new(5, &["pattern"]).at(1), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn patterns_mean_what_they_say() {
        let text = pattern(r"É-##-@@-^^-**-\#\\");
        let parts: Vec<&str> = text.split('-').collect();
        assert_eq!((parts[0], parts[5]), ("É", r"#\"));
        assert!(parts[1].chars().all(|character| character.is_ascii_digit()), "{text}");
        assert!(parts[2].chars().all(|character| character.is_ascii_lowercase()), "{text}");
        assert!(parts[3].chars().all(|character| character.is_ascii_uppercase()), "{text}");
        assert!(parts[4].chars().all(|character| character.is_ascii_alphanumeric()), "{text}");
    }

    proptest! {
        #[test]
        fn texts_have_their_length(length in 0_usize..200, index: u64) {
            for kind in [TextKind::Words, TextKind::Alphanumeric, TextKind::Hex] {
                let mut out = b"kept ".to_vec();
                draw(kind, length, &mut Stream::new(1, &["text"]).at(index), &mut out);
                prop_assert_eq!(out.len(), 5 + length);
                prop_assert!(out.starts_with(b"kept ") && out.is_ascii());
                prop_assert!(length == 0 || !out.ends_with(b" "));
            }
        }
    }
}
