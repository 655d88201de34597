//! Rows too long to be held: their long values become short on the way to the driver, which holds each row whole.

use sha2::{Digest, Sha256};

/// What becomes of a session's long values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Long {
    /// They are kept: somebody needs them.
    #[default]
    Kept,
    /// They are compared: each becomes its beginning, its length and its SHA-256.
    Digested,
    /// Nobody looks at them: each becomes empty.
    Emptied,
    /// They are plans, as text or JSON: the long literals in them are cut.
    Plans,
}

/// A value of more bytes is shortened, in a row of more bytes.
const VALUE: usize = 64 * 1024;

/// A plan of more bytes is shortened.
const PLAN: usize = 1024 * 1024;

/// Bytes that are kept of a value that is compared.
const BEGINNING: usize = 1024;

/// Bytes that are kept of a literal in a plan.
const LITERAL: usize = 4096;

/// Stands for what is left out.
const LEFT_OUT: &str = "…";

/// A row that is shortened while it is read.
pub(crate) struct Row {
    long: Long,
    /// The shortened row so far.
    row: Vec<u8>,
    /// What was read of a count or a length.
    begun: Vec<u8>,
    has_count: bool,
    value: Option<Value>,
}

/// A value that is being read.
struct Value {
    left: usize,
    /// Where in the shortened row it begins.
    begin: usize,
    shortening: Option<Shortening>,
}

enum Shortening {
    Digest { length: usize, hash: Box<Sha256> },
    Empty,
    Plan(Box<Plan>),
}

/// Where in a plan what was read ends.
#[derive(Default)]
struct Plan {
    is_json: Option<bool>,
    escape: Escape,
    in_identifier: bool,
    /// In a literal: how many of its bytes were read.
    literal: Option<usize>,
    /// Whether what was read last is left out.
    leaves_out: bool,
}

/// What is still to come of an escape of JSON's.
#[derive(Clone, Copy, Default)]
enum Escape {
    #[default]
    None,
    Letter,
    Digits(u8),
}

impl Long {
    pub(crate) fn from_code(code: u8) -> Self {
        [Self::Digested, Self::Emptied, Self::Plans].into_iter().find(|long| *long as u8 == code).unwrap_or_default()
    }

    /// The most bytes of a row whose values are left as they are.
    fn most(self) -> usize {
        match self {
            Self::Kept => usize::MAX,
            Self::Digested | Self::Emptied => VALUE,
            Self::Plans => PLAN,
        }
    }

    /// What shortens a row of so many bytes, if it is one that is shortened.
    pub(crate) fn row(self, length: usize) -> Option<Row> {
        (length > self.most()).then(|| Row {
            long: self,
            row: Vec::new(),
            begun: Vec::with_capacity(4),
            has_count: false,
            value: None,
        })
    }

    fn of(self, length: usize) -> Option<Shortening> {
        match self {
            _ if length <= self.most() => None,
            Self::Kept => None,
            Self::Digested => Some(Shortening::Digest { length, hash: Box::default() }),
            Self::Emptied => Some(Shortening::Empty),
            Self::Plans => Some(Shortening::Plan(Box::default())),
        }
    }
}

impl Row {
    /// Takes the next bytes of the row's body.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let wanted = match &self.value {
                Some(value) => value.left,
                None if self.has_count => 4 - self.begun.len(),
                None => 2 - self.begun.len(),
            };
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted));
            bytes = rest;
            match &mut self.value {
                Some(value) => {
                    value.take(taken, &mut self.row);
                    if value.left == 0 {
                        self.end_value();
                    }
                }
                None => {
                    self.begun.extend_from_slice(taken);
                    if taken.len() == wanted {
                        self.begin_value();
                    }
                }
            }
        }
    }

    fn begin_value(&mut self) {
        self.row.extend_from_slice(&self.begun);
        if let Some(length) = self.begun.first_chunk::<4>() {
            // NULL has a length of -1.
            let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
            let shortening = self.long.of(length);
            self.value = (length > 0).then(|| Value { left: length, begin: self.row.len(), shortening });
        }
        self.has_count = true;
        self.begun.clear();
    }

    fn end_value(&mut self) {
        let Some(Value { begin, shortening: Some(shortening), .. }) = self.value.take() else { return };
        if let Shortening::Digest { length, hash } = shortening {
            cut_character(&mut self.row, begin);
            let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            self.row.extend_from_slice(format!("{LEFT_OUT} ({length} bytes, SHA-256 {hash})").as_bytes());
        }
        let length = i32::try_from(self.row.len() - begin).unwrap_or(i32::MAX);
        self.row[begin - 4..begin].copy_from_slice(&length.to_be_bytes());
    }

    /// The message of the shortened row.
    pub(crate) fn end(self) -> Vec<u8> {
        let length = u32::try_from(self.row.len() + 4).unwrap_or(u32::MAX);
        [&b"D"[..], &length.to_be_bytes(), &self.row].concat()
    }
}

impl Value {
    fn take(&mut self, bytes: &[u8], row: &mut Vec<u8>) {
        self.left -= bytes.len();
        match &mut self.shortening {
            None => row.extend_from_slice(bytes),
            Some(Shortening::Empty) => {}
            Some(Shortening::Digest { hash, .. }) => {
                hash.update(bytes);
                let kept = BEGINNING.saturating_sub(row.len() - self.begin).min(bytes.len());
                row.extend_from_slice(&bytes[..kept]);
            }
            Some(Shortening::Plan(plan)) => bytes.iter().for_each(|byte| plan.take(*byte, row)),
        }
    }
}

/// Takes a character away whose last bytes are not there.
fn cut_character(row: &mut Vec<u8>, begin: usize) {
    let text = &row[begin..];
    if let Err(error) = std::str::from_utf8(text)
        && error.error_len().is_none()
    {
        row.truncate(begin + error.valid_up_to());
    }
}

impl Plan {
    /// Takes a byte. A literal ends at each quote: the second one of two begins another.
    fn take(&mut self, byte: u8, row: &mut Vec<u8>) {
        let is_json = *self.is_json.get_or_insert(matches!(byte, b'[' | b'{'));
        let begins = self.begins(byte, is_json);
        match (byte, self.literal) {
            (b'\'', Some(_)) => self.literal = None,
            (b'\'', None) if !self.in_identifier => self.literal = Some(0),
            // The end of a JSON string ends all that is in it.
            (b'"', _) if is_json && begins => (self.in_identifier, self.literal) = (false, None),
            (b'"', None) => self.in_identifier = !self.in_identifier,
            (_, Some(read)) => {
                self.literal = Some(read + 1);
                if begins && read >= LITERAL && !self.leaves_out {
                    self.leaves_out = true;
                    row.extend_from_slice(LEFT_OUT.as_bytes());
                }
            }
            _ => {}
        }
        self.leaves_out &= self.literal.is_some();
        if !self.leaves_out {
            row.push(byte);
        }
    }

    /// Whether a byte begins what can be left out: it does not continue a character or an escape.
    fn begins(&mut self, byte: u8, is_json: bool) -> bool {
        let (escape, begins) = match self.escape {
            Escape::Letter if byte == b'u' => (Escape::Digits(4), false),
            Escape::Digits(left @ 2..) => (Escape::Digits(left - 1), false),
            Escape::Letter | Escape::Digits(_) => (Escape::None, false),
            Escape::None if is_json && byte == b'\\' => (Escape::Letter, true),
            Escape::None => (Escape::None, byte & 0xC0 != 0x80),
        };
        self.escape = escape;
        begins
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(values: &[Option<&str>]) -> Vec<u8> {
        let mut body = (values.len() as u16).to_be_bytes().to_vec();
        for value in values {
            body.extend_from_slice(&value.map_or(-1, |value| value.len() as i32).to_be_bytes());
            body.extend_from_slice(value.unwrap_or_default().as_bytes());
        }
        body
    }

    /// The values of a shortened row.
    fn shortened(long: Long, values: &[Option<&str>], at_once: usize) -> Vec<Option<String>> {
        let body = body(values);
        let mut row = long.row(body.len()).unwrap();
        body.chunks(at_once).for_each(|part| row.take(part));
        let message = row.end();
        assert_eq!(message[0], b'D');
        assert_eq!(u32::from_be_bytes(*message[1..].first_chunk().unwrap()) as usize, message.len() - 1);
        let mut rest = &message[7..];
        let mut found = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = i32::from_be_bytes(*length);
            let value = (length >= 0).then(|| &after[..length as usize]);
            rest = &after[value.map_or(0, <[u8]>::len)..];
            found.push(value.map(|value| String::from_utf8(value.to_vec()).unwrap()));
        }
        found
    }

    #[test]
    fn long_values_become_short_and_the_others_stay() {
        let (long, other) = ("é".repeat(40_000), format!("{}x", "é".repeat(40_000)));
        let row = [Some("7"), None, Some(&*long), Some(""), Some(&*other)];
        for at_once in [1, 3, 8192, 1 << 20] {
            let digested = shortened(Long::Digested, &row, at_once);
            let value = digested[2].as_ref().unwrap();
            assert!(value.starts_with("éé") && value.contains("é… (80000 bytes, SHA-256 "), "{value}");
            assert!(value.len() < 1200);
            assert_ne!(digested[2], digested[4]);
            assert_eq!(digested[..2], [Some("7".to_owned()), None]);
            let emptied = shortened(Long::Emptied, &row, at_once);
            assert_eq!(emptied, [Some("7"), None, Some(""), Some(""), Some("")].map(|v| v.map(str::to_owned)));
        }
        assert!(Long::Kept.row(1 << 30).is_none() && Long::Plans.row(PLAN).is_none());
    }

    #[test]
    fn long_literals_of_plans_are_cut() {
        let literal = |text: &str| format!("x = 'it''s {}'::text AND \"o'brien\" = 1", text.repeat(1_100_000));
        for text in ["ab", "é", "\\", "\"", "\u{1}", "''"] {
            let plan = serde_json::json!([{"Plan": {"Filter": literal(text), "Alias": "t's"}, "Total Cost": 1.5}]);
            let json = shortened(Long::Plans, &[Some(&plan.to_string())], 1000)[0].clone().unwrap();
            let read: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(read[0]["Total Cost"], 1.5);
            if text != "''" {
                let filter = read[0]["Plan"]["Filter"].as_str().unwrap();
                assert!(filter.starts_with("x = 'it''s ") && filter.len() < 3 * LITERAL, "{}", filter.len());
                assert!(filter.ends_with("…'::text AND \"o'brien\" = 1"), "{}", &filter[filter.len() - 40..]);
            }
        }
        let line =
            shortened(Long::Plans, &[Some(&format!("  Filter: ({})", literal("ab cd")))], 77)[0].clone().unwrap();
        assert!(
            line.starts_with("  Filter: (x = 'it''s ab") && line.ends_with("…'::text AND \"o'brien\" = 1)"),
            "{line}"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 1..50_usize) {
            for long in [Long::Digested, Long::Emptied, Long::Plans] {
                let mut row = long.row(PLAN + 1).unwrap();
                bytes.chunks(cut).for_each(|part| row.take(part));
                row.end();
            }
        }
    }
}
