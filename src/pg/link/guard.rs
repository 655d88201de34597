//! A socket that reads along: what is not PostgreSQL's protocol never reaches the driver, the server's last words are kept,
//! and rows that are too long to be held are shortened.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    fault::Loss,
    heard::Heard,
    said::Said,
    shorten::{self, Long},
};

/// Bytes of a message's tag and length.
const HEADER: usize = 5;

/// Tag of a row.
const ROW: u8 = b'D';

/// The longest message that PostgreSQL sends: its allocations end at 1 GB.
const LONGEST: u32 = 0x4000_0000;

/// As much as is kept of a message that is looked at.
const KEPT: usize = 8192;

/// Tags of the messages that a server sends.
const TAGS: &[u8] = b"123ACDEGHIKNRSTVWZcdnstv";

/// A longer error at the very beginning is a text without a length, from a server that could not start a process.
const LONGEST_ERROR: u32 = 30_000;

/// A socket to a server.
pub(crate) struct Guard<S> {
    stream: S,
    heard: Arc<Heard>,
    reading: Reading,
    is_first: bool,
    /// Whether the driver lacks the beginning of a row's header: it may be that of a long one.
    holds: bool,
    /// What the driver gets before anything else: what follows a row that was shortened.
    ready: Vec<u8>,
}

/// Where in the server's messages what was read ends.
enum Reading {
    /// In the tag and length of a message.
    Header(Vec<u8>),
    /// In the body of a row that is shortened.
    Row { left: usize, row: Box<shorten::Row> },
    /// In its body.
    Body { tag: u8, left: usize, kept: Vec<u8> },
    /// In a text to the end of the connection.
    Text(Vec<u8>),
}

impl<S> Guard<S> {
    pub(crate) fn new(stream: S, heard: Arc<Heard>) -> Self {
        Self {
            stream,
            heard,
            reading: Reading::Header(Vec::with_capacity(HEADER)),
            is_first: true,
            holds: false,
            ready: Vec::new(),
        }
    }

    /// Follows the messages through what was read. Returns how much of it goes to the driver as it is; the rest, as far as it is
    /// not left out, is ready for it then.
    fn follow(&mut self, bytes: &[u8]) -> Result<usize, Loss> {
        self.heard.passed(bytes.len());
        let mut rest = bytes;
        // Where what goes as it is ends.
        let mut end = if self.is_held() { 0 } else { bytes.len() };
        while !rest.is_empty() {
            let begin = bytes.len() - rest.len();
            match &mut self.reading {
                Reading::Header(header) => {
                    let (taken, after) = rest.split_at(rest.len().min(HEADER - header.len()));
                    rest = after;
                    if header.is_empty() {
                        self.holds = taken[0] == ROW && self.heard.long() != Long::Kept;
                    }
                    header.extend_from_slice(taken);
                    let Some([tag, length @ ..]) = header.first_chunk::<HEADER>() else {
                        if self.holds {
                            end = end.min(begin);
                        } else if end <= begin {
                            self.ready.extend_from_slice(taken);
                        }
                        continue;
                    };
                    let (tag, length) = (*tag, u32::from_be_bytes(*length));
                    let was_first = std::mem::take(&mut self.is_first);
                    if was_first && tag == b'E' && length > LONGEST_ERROR {
                        self.reading = Reading::Text(header[1..].to_vec());
                        continue;
                    }
                    if !TAGS.contains(&tag) {
                        return Err(Loss::Garbled(format!("a message of type {}", char::from(tag).escape_default())));
                    }
                    if !(4..LONGEST).contains(&length) {
                        return Err(Loss::Garbled(format!("a message of {length} bytes")));
                    }
                    let (left, holds) = (length as usize - 4, std::mem::take(&mut self.holds));
                    match self.heard.long().row(left).filter(|_| holds) {
                        Some(row) => {
                            end = end.min(begin);
                            self.reading = Reading::Row { left, row: Box::new(row) };
                        }
                        None => {
                            if end <= begin {
                                self.ready.extend_from_slice(if holds { header.as_slice() } else { taken });
                            }
                            self.reading = Reading::Body { tag, left, kept: Vec::new() };
                        }
                    }
                }
                Reading::Row { left, row } => {
                    let taken = rest.len().min(*left);
                    row.take(&rest[..taken]);
                    *left -= taken;
                    rest = &rest[taken..];
                }
                Reading::Body { tag, left, kept } => {
                    let taken = rest.len().min(*left);
                    if matches!(tag, b'E' | b'N' | b'K') {
                        kept.extend_from_slice(&rest[..taken.min(KEPT.saturating_sub(kept.len()))]);
                    }
                    if end <= begin {
                        self.ready.extend_from_slice(&rest[..taken]);
                    }
                    *left -= taken;
                    rest = &rest[taken..];
                }
                Reading::Text(text) => {
                    text.extend_from_slice(&rest[..rest.len().min(KEPT.saturating_sub(text.len()))]);
                    return Ok(end);
                }
            }
            self.end_message();
        }
        Ok(end)
    }

    /// Whether the driver lacks what was read last.
    fn is_held(&self) -> bool {
        match &self.reading {
            Reading::Row { .. } => true,
            Reading::Header(header) => self.holds && !header.is_empty(),
            Reading::Body { .. } | Reading::Text(_) => false,
        }
    }

    fn end_message(&mut self) {
        match &mut self.reading {
            Reading::Row { left: 0, .. } => {}
            Reading::Body { tag, left: 0, kept } => match tag {
                b'K' => {
                    if let Some(backend) = kept.first_chunk() {
                        self.heard.served_by(i32::from_be_bytes(*backend));
                    }
                }
                b'E' | b'N' => self.heard.says(Said::read(kept)),
                _ => {}
            },
            _ => return,
        }
        let next = Reading::Header(Vec::with_capacity(HEADER));
        if let Reading::Row { row, .. } = std::mem::replace(&mut self.reading, next) {
            self.ready.extend_from_slice(&row.end());
        }
    }

    /// The connection has come to its end. Whether between two messages.
    fn end(&mut self) -> bool {
        if let Reading::Text(text) = &self.reading {
            let words = String::from_utf8_lossy(text).trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned();
            self.heard.lose(Loss::Ended(Said::plain(words)));
        }
        self.heard.closed();
        matches!(&self.reading, Reading::Header(header) if header.is_empty())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let (before, had_room) = (buf.filled().len(), buf.remaining() > 0);
        loop {
            if had_room && !this.ready.is_empty() {
                let count = this.ready.len().min(buf.remaining());
                buf.put_slice(&this.ready[..count]);
                this.ready.drain(..count);
                return Poll::Ready(Ok(()));
            }
            let outcome = ready!(Pin::new(&mut this.stream).poll_read(cx, buf));
            if let Err(cause) = &outcome {
                this.heard.broke(cause);
            } else if buf.filled().len() > before {
                match this.follow(&buf.filled()[before..]) {
                    // Nothing at all would be the end.
                    Ok(0) => {
                        buf.set_filled(before);
                        continue;
                    }
                    Ok(count) => buf.set_filled(before + count),
                    Err(loss) => {
                        let words = loss.to_string();
                        this.heard.lose(loss);
                        buf.set_filled(before);
                        return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, words)));
                    }
                }
            } else if had_room && !this.end() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            return Poll::Ready(outcome);
        }
    }
}

impl<S: AsyncRead + Unpin> Guard<S> {
    /// Reads what the server said before it hung up: the driver does not read any more.
    fn hear_out(&mut self, cx: &mut Context<'_>) {
        let mut room = [0; KEPT];
        let mut buf = ReadBuf::new(&mut room);
        if let Poll::Ready(Ok(())) = Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
            let _ = self.follow(buf.filled());
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let outcome = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes));
        match &outcome {
            Ok(count) => this.heard.passed(*count),
            Err(cause) => {
                this.hear_out(cx);
                this.heard.broke(cause);
            }
        }
        Poll::Ready(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// What is read of `bytes`, and what is known of the connection then.
    async fn read(bytes: &[u8], at_once: usize) -> (Vec<u8>, Option<io::ErrorKind>, Arc<Heard>) {
        let (ours, mut theirs) = tokio::io::duplex(at_once);
        let sent = bytes.to_vec();
        let server = tokio::spawn(async move { drop(theirs.write_all(&sent).await) });
        let heard = Arc::<Heard>::default();
        let mut guard = Guard::new(ours, Arc::clone(&heard));
        let mut all = Vec::new();
        let outcome = guard.read_to_end(&mut all).await;
        drop(guard);
        server.await.unwrap();
        (all, outcome.err().map(|cause| cause.kind()), heard)
    }

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[tag], &(body.len() as u32 + 4).to_be_bytes()[..], body].concat()
    }

    #[tokio::test]
    async fn the_last_words_and_the_process_are_kept() {
        let fatal = message(b'E', b"SFATAL\0VFATAL\0C57P01\0Mgo away\0\0");
        let bytes = [message(b'K', &[0, 0, 1, 2, 9, 9, 9, 9]), message(b'D', &[7; 100]), fatal].concat();
        for at_once in [1, 3, 4096] {
            let (all, error, heard) = read(&bytes, at_once).await;
            assert_eq!((all, error, heard.backend()), (bytes.clone(), None, Some(258)));
            let words = heard.loss().unwrap().to_string();
            assert_eq!(words, "the server ended the session: go away (SQLSTATE 57P01)");
        }
        let error = message(b'E', b"SERROR\0VERROR\0C42P01\0Mno such table\0\0");
        assert_eq!(read(&error, 64).await.2.loss(), Some(Loss::Closed), "an error is not the end");
    }

    #[tokio::test]
    async fn what_is_no_protocol_never_arrives() {
        let lost = async |bytes: &[u8]| {
            let (all, error, heard) = read(bytes, 64).await;
            (all.len(), error, heard.loss().unwrap().to_string())
        };
        let garbled = "what the server sent is not PostgreSQL's protocol: ";
        let whole = message(b'Z', b"I");
        let long = [&whole[..], b"D\x7f\xff\xff\xff", b"what follows"].concat();
        let (_, error, words) = lost(&long).await;
        assert_eq!(error, Some(io::ErrorKind::InvalidData));
        assert_eq!(words, format!("{garbled}a message of 2147483647 bytes"));
        assert_eq!(lost(b"HTTP/1.1 400 Bad Request").await.2, format!("{garbled}a message of 1414811695 bytes"));
        assert_eq!(lost(b"\0\0\0\0\0").await.2, format!("{garbled}a message of type \\u{{0}}"));
        assert_eq!(lost(b"D\0\0\0\x01").await.2, format!("{garbled}a message of 1 bytes"));
        let cut = lost(&whole[..4]).await;
        assert_eq!(cut, (4, Some(io::ErrorKind::UnexpectedEof), "the server closed the connection".to_owned()));
        let (_, _, words) = lost(b"Ecould not fork new process for connection: Resource\n\0").await;
        assert_eq!(words, "the server ended the session: could not fork new process for connection: Resource");
    }

    #[tokio::test]
    async fn long_rows_arrive_shortened_between_what_is_around_them() {
        let row = |value: &[u8]| message(b'D', &[&[0, 1][..], &(value.len() as u32).to_be_bytes(), value].concat());
        let (short, end) = (row(b"short"), message(b'Z', b"I"));
        let bytes =
            [&short[..], &row(&[b'x'; 100_000]), &short, &row(&[b'y'; 70_000]), &row(&[b'z'; 70_000]), &end].concat();
        let emptied = [&short[..], &row(b""), &short, &row(b""), &row(b""), &end].concat();
        for at_once in [1, 3, 7, 4096, 1 << 20] {
            let read = async |long| {
                let (ours, mut theirs) = tokio::io::duplex(at_once);
                let sent = bytes.clone();
                let server = tokio::spawn(async move { theirs.write_all(&sent).await.unwrap() });
                let heard = Arc::<Heard>::default();
                heard.set_long(long);
                let mut all = Vec::new();
                Guard::new(ours, heard).read_to_end(&mut all).await.unwrap();
                server.await.unwrap();
                all
            };
            assert_eq!(read(Long::Emptied).await, emptied, "{at_once}");
            assert!(read(Long::Kept).await == bytes, "{at_once}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_followed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 1..50_usize) {
            let heard = Arc::<Heard>::default();
            heard.set_long(Long::Digested);
            let mut guard = Guard::new((), heard);
            for part in bytes.chunks(cut) {
                if guard.follow(part).is_err() {
                    break;
                }
            }
        }
    }
}
