//! The server's messages as they arrive.

use std::ops::Range;

/// Room for what one read brings. It grows with the longest message.
const ROOM: usize = 16 * 1024;

/// Bytes of a message's tag and length.
const HEADER: usize = 5;

/// A longer notice is passed over: what it would be kept for is a plan.
const NOTICE: usize = 1024 * 1024;

/// As much as is kept of an error.
const ERROR: usize = 64 * 1024;

/// What was read and not yet looked at.
#[derive(Debug)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
    /// Bytes still to come of a message that nobody wants.
    unwanted: usize,
}

/// A message: its tag and its body.
#[derive(Debug, PartialEq)]
pub(crate) struct Message<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
}

/// What the server sent is not PostgreSQL's protocol.
#[derive(Debug, PartialEq)]
pub(crate) struct Garbled;

impl Incoming {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; ROOM], begin: 0, end: 0, unwanted: 0 }
    }

    /// Where the next bytes go.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        } else if self.end == self.bytes.len() {
            self.bytes.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        &mut self.bytes[self.end..]
    }

    /// Tells that the first `count` bytes of [`room`](Self::room) were filled.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// The next message that is there complete; of a long error its beginning. Those with a tag of `skipped`, and long notices, are
    /// passed over without being kept.
    #[inline]
    pub(crate) fn next(&mut self, skipped: &[u8]) -> Result<Option<Message<'_>>, Garbled> {
        loop {
            let passed = self.unwanted.min(self.end - self.begin);
            self.begin += passed;
            self.unwanted -= passed;
            let Some([tag, length @ ..]) = self.bytes[self.begin..self.end].first_chunk::<HEADER>() else {
                return Ok(None);
            };
            // The length counts itself but not the tag.
            let length = u32::from_be_bytes(*length) as usize;
            if length < 4 || length > i32::MAX as usize {
                return Err(Garbled);
            }
            if skipped.contains(tag) || *tag == b'N' && length > NOTICE {
                self.unwanted = length + 1;
                continue;
            }
            let kept = if *tag == b'E' { length.min(ERROR) } else { length };
            let message = self.begin..self.begin + kept + 1;
            if message.end > self.end {
                self.make_room(message.len());
                return Ok(None);
            }
            self.unwanted = length - kept;
            return Ok(Some(self.take(*tag, message)));
        }
    }

    fn take(&mut self, tag: u8, message: Range<usize>) -> Message<'_> {
        self.begin = message.end;
        Message { tag, body: &self.bytes[message.start + HEADER..message.end] }
    }

    fn make_room(&mut self, length: usize) {
        if length > self.bytes.len() - self.begin {
            self.bytes.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
            // A length is only what a server claims: room grows as bytes arrive.
            let room = length.min(2 * self.bytes.len());
            self.bytes.resize(room.max(self.bytes.len()), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_and_not_needed_is_not_kept() {
        let message =
            |tag: u8, length: usize| [&[tag], &(length as u32 + 4).to_be_bytes()[..], &vec![b'x'; length]].concat();
        let sent = [message(b'N', 3 << 20), message(b'D', 3 << 20), message(b'E', 3 << 20), message(b'Z', 1)].concat();
        let (mut incoming, mut rest, mut found) = (Incoming::new(), &sent[..], Vec::new());
        while !rest.is_empty() {
            let room = incoming.room();
            let count = room.len().min(rest.len());
            room[..count].copy_from_slice(&rest[..count]);
            incoming.filled(count);
            rest = &rest[count..];
            while let Some(message) = incoming.next(b"D").unwrap() {
                found.push((message.tag, message.body.len()));
            }
        }
        assert_eq!(found, [(b'E', ERROR - 4), (b'Z', 1)]);
        assert!(incoming.bytes.len() <= 2 * ERROR, "{}", incoming.bytes.len());
    }
}
