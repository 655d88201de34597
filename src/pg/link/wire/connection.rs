//! One connection: messages out, answers in.

use std::{io, rc::Rc};

use super::{
    incoming::{Garbled, Incoming},
    stream::Stream,
};
use crate::{
    engine::{self, Failure, FailureKind},
    pg::link::Said,
};

/// SQLSTATE `query_canceled`: `statement_timeout` has struck, or somebody cancelled.
const QUERY_CANCELED: &str = "57014";

/// Tag of a row.
pub(crate) const ROW: u8 = b'D';

/// Tag of the description of the rows that follow.
pub(crate) const DESCRIPTION: u8 = b'T';

/// Tags of messages that say nothing to a load: the rows and their description first, then of the extended protocol's steps, data
/// that is copied out, settings.
const PASSED_OVER: &[u8] = b"DT2C1I3stndcHSA";

/// In the body of a notice: that the server ends the session, as one that has crashed says it.
const IS_END: &[u8] = b"\0C57P";

/// A connection that has signed in.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Rc<Stream>,
    outgoing: Vec<u8>,
    incoming: Incoming,
    /// Bodies of the notices that arrived, as many as are wanted; where none are, they are passed over.
    notices: Vec<Box<[u8]>>,
    wanted_notices: usize,
    /// What a notice gave as the reason for which the session is about to end.
    ending: Option<Box<Failure>>,
}

/// What is read of an answer.
pub(crate) trait Reply {
    /// Whether rows are read; otherwise they are passed over.
    const ROWS: bool;

    /// The body of a row ([`ROW`]) or of the description of the rows that follow ([`DESCRIPTION`]).
    fn message(&mut self, tag: u8, body: &[u8]);
}

/// Nothing but whether it worked.
impl Reply for () {
    const ROWS: bool = false;

    fn message(&mut self, _: u8, _: &[u8]) {}
}

impl Wire {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream: Rc::new(stream),
            outgoing: Vec::with_capacity(1024),
            incoming: Incoming::new(),
            notices: Vec::new(),
            wanted_notices: 0,
            ending: None,
        }
    }

    /// Where the next messages are put together.
    pub(crate) fn outgoing(&mut self) -> &mut Vec<u8> {
        &mut self.outgoing
    }

    /// Appends a text of SQL, to be executed as one simple query.
    ///
    /// # Errors
    /// It has a zero byte in it, or more bytes than a message can count.
    pub(crate) fn put_query(&mut self, sql: &str) -> Result<(), Failure> {
        let length = i32::try_from(sql.len() + 5).ok().filter(|_| !sql.contains('\0'));
        let Some(length) = length else {
            let message = "an SQL text with the character U+0000, or of 2 GB, cannot be sent".to_owned();
            return Err(Failure { kind: FailureKind::Operation, sqlstate: None, message });
        };
        self.outgoing.push(b'Q');
        self.outgoing.extend_from_slice(&length.to_be_bytes());
        self.outgoing.extend_from_slice(sql.as_bytes());
        self.outgoing.push(0);
        Ok(())
    }

    /// Keeps the next `count` notices.
    pub(crate) fn want_notices(&mut self, count: usize) {
        self.wanted_notices = count;
    }

    /// Whether notices are kept.
    pub(crate) fn wants_notices(&self) -> bool {
        self.wanted_notices > 0
    }

    /// Takes the notices that were kept, and keeps the next `count`.
    pub(crate) fn take_notices(&mut self, count: usize) -> Vec<Box<[u8]>> {
        self.wanted_notices = count;
        std::mem::take(&mut self.notices)
    }

    /// Bodies of the notices that were kept.
    pub(crate) fn notices(&self) -> &[Box<[u8]>] {
        &self.notices
    }

    /// Says goodbye, as far as there is room for a word, and hangs up.
    pub(crate) fn terminate(self) {
        let _ = self.stream.send(b"X\0\0\0\x04");
    }

    /// Sends what was put together and reads the answer up to the end that a Sync or a simple query gives it.
    #[inline]
    pub(crate) async fn exchange<R: Reply>(&mut self, reply: &mut R) -> Result<(), Failure> {
        let mut failure = None;
        let outcome = self.exchange_messages(reply, &mut failure).await;
        self.outgoing.clear();
        match outcome {
            Ok(()) => failure.map_or(Ok(()), Err),
            Err(cause) => {
                self.hear_out(&mut failure);
                // What the server said before it hung up says more.
                Err(match failure.or(self.ending.take().map(|ending| *ending)) {
                    Some(failure) => Failure { kind: FailureKind::Connection, ..failure },
                    None => lost(&cause),
                })
            }
        }
    }

    /// Reads what the server said before it hung up, where it was found out by sending.
    fn hear_out(&mut self, failure: &mut Option<Failure>) {
        while let Ok(Some(count)) = self.stream.receive(self.incoming.room()) {
            if self.take(count, &mut (), failure).is_err() {
                return;
            }
        }
    }

    #[inline]
    async fn exchange_messages<R: Reply>(&mut self, reply: &mut R, failure: &mut Option<Failure>) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.outgoing.len() {
            match self.stream.send(&self.outgoing[sent..])? {
                Some(0) => return Err(io::ErrorKind::WriteZero.into()),
                Some(count) => sent += count,
                None => self.stream.room().await?,
            }
        }
        // On a busy machine the server has often answered before the sender is scheduled again: looking at once finds that
        // answer and keeps the thread awake, which spares two switches an operation.
        loop {
            match self.stream.receive(self.incoming.room())? {
                Some(count) if self.take(count, reply, failure)? => return Ok(()),
                Some(_) => {}
                None => engine::readable(&self.stream).await,
            }
        }
    }

    /// Takes `count` bytes that were read. Whether the answer has come to its end with them.
    #[inline]
    fn take<R: Reply>(&mut self, count: usize, reply: &mut R, failure: &mut Option<Failure>) -> io::Result<bool> {
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.incoming.filled(count);
        let begin = if R::ROWS { 2 } else { 0 };
        let passed_over = &PASSED_OVER[begin..];
        while let Some(message) = self.incoming.next(passed_over)? {
            match message.tag {
                b'Z' => return Ok(true),
                b'E' => *failure = Some(refused(message.body)),
                b'N' => {
                    // Until the end of what was read there may be more than are wanted.
                    if self.wanted_notices > 0 {
                        self.wanted_notices -= 1;
                        self.notices.push(message.body.into());
                    } else if message.body.windows(IS_END.len()).any(|part| part == IS_END) {
                        self.ending = Some(Box::new(refused(message.body)));
                    }
                }
                ROW | DESCRIPTION => reply.message(message.tag, message.body),
                // It waits for data and can only be hung up on.
                b'G' => return Err(io::Error::other("COPY FROM STDIN wants data, and a load has none")),
                _ => return Err(Garbled.into()),
            }
        }
        Ok(false)
    }
}

/// An answer that is not PostgreSQL's protocol.
pub(crate) fn garbled() -> Failure {
    lost(&Garbled.into())
}

impl From<Garbled> for io::Error {
    fn from(_: Garbled) -> Self {
        Self::new(io::ErrorKind::InvalidData, "what the server sent is not PostgreSQL's protocol")
    }
}

fn lost(cause: &io::Error) -> Failure {
    let message = match cause.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => format!("the connection broke: {cause}"),
    };
    Failure { kind: FailureKind::Connection, sqlstate: None, message }
}

/// An error of the server's as the engine counts it.
fn refused(body: &[u8]) -> Failure {
    let said = Said::read(body);
    let kind = match said.sqlstate.as_str() {
        _ if said.ends_session() => FailureKind::Connection,
        QUERY_CANCELED => FailureKind::Timeout,
        _ => FailureKind::Operation,
    };
    Failure { kind, message: said.to_string(), sqlstate: Some(said.sqlstate) }
}
