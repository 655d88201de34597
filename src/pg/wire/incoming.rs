//! The server's messages as they arrive.

use std::ops::Range;

/// Room for what one read brings. It grows with the longest message.
const ROOM: usize = 16 * 1024;

/// Bytes of a message's tag and length.
const HEADER: usize = 5;

/// What was read and not yet looked at.
#[derive(Debug)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
    /// Bytes still to come of a message that nobody wants.
    unwanted: usize,
}

/// A message: its tag and its body.
#[derive(Debug, PartialEq)]
pub(super) struct Message<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

/// What the server sent is not PostgreSQL's protocol.
#[derive(Debug, PartialEq)]
pub(super) struct Garbled;

impl Incoming {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; ROOM], begin: 0, end: 0, unwanted: 0 }
    }

    /// Where the next bytes go.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        } else if self.end == self.bytes.len() {
            self.bytes.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        &mut self.bytes[self.end..]
    }

    /// Tells that the first `count` bytes of [`room`](Self::room) were filled.
    pub(super) fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// The next message that is there whole. Those with a tag of `skipped` are passed over, without being kept.
    #[inline]
    pub(super) fn next(&mut self, skipped: &[u8]) -> Result<Option<Message<'_>>, Garbled> {
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
            if skipped.contains(tag) {
                self.unwanted = length + 1;
                continue;
            }
            let message = self.begin..self.begin + length + 1;
            if message.end > self.end {
                self.make_room(message.len());
                return Ok(None);
            }
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
