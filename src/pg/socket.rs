//! A socket to the server, without a protocol.

use std::{
    io::{self, Read, Write},
    net,
    os::{
        fd::{AsRawFd, RawFd},
        unix,
    },
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, unix::AsyncFd};

/// A connected socket that does not block.
///
/// The reactor watches it for what can be read only. A Unix socket that is watched for room to write too tells of it each time the
/// server reads a request, and that would wake the client for nothing once an operation.
#[derive(Debug)]
pub(super) struct Socket {
    stream: AsyncFd<Stream>,
    /// Watches for room to write, from the first time that there was none.
    room: Option<AsyncFd<Stream>>,
}

#[derive(Debug)]
enum Stream {
    Tcp(net::TcpStream),
    Unix(unix::net::UnixStream),
}

impl Socket {
    /// Takes a connected TCP socket over.
    pub(super) fn tcp(stream: tokio::net::TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Self::new(Stream::Tcp(stream.into_std()?))
    }

    /// Takes a connected Unix socket over.
    pub(super) fn unix(stream: tokio::net::UnixStream) -> io::Result<Self> {
        Self::new(Stream::Unix(stream.into_std()?))
    }

    fn new(stream: Stream) -> io::Result<Self> {
        Ok(Self { stream: watched(stream, Interest::READABLE)?, room: None })
    }

    /// Reads what is there; waits when there is nothing.
    #[inline]
    pub(super) fn poll_receive(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut readable = ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.get_ref().read(into) {
                Ok(count) => {
                    // What did not fill its room was all there is.
                    if count < into.len() && count > 0 {
                        readable.clear_ready();
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => readable.clear_ready(),
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Poll::Ready(Err(cause)),
            }
        }
    }

    /// Reads what is there now, whether or not the reactor knows of it; `None` when there is nothing.
    #[inline]
    pub(super) fn receive(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        match self.stream.get_ref().read(into) {
            Ok(count) => Ok(Some(count)),
            Err(cause) if matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// Writes as much as there is room for; waits when there is none.
    #[inline]
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.stream.get_ref().write(bytes) {
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                outcome => return Poll::Ready(outcome),
            }
            let room = match &self.room {
                Some(room) => room,
                None => {
                    let again = self.stream.get_ref().try_clone()?;
                    self.room.insert(watched(again, Interest::WRITABLE)?)
                }
            };
            ready!(room.poll_write_ready(cx))?.clear_ready();
        }
    }
}

#[expect(
    deprecated,
    reason = "its successor is unsafe; what it wants promised holds: a stream's descriptor never changes"
)]
fn watched(stream: Stream, interest: Interest) -> io::Result<AsyncFd<Stream>> {
    AsyncFd::with_interest(stream, interest)
}

impl Stream {
    fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&*stream).read(into),
            Self::Unix(stream) => (&*stream).read(into),
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&*stream).write(bytes),
            Self::Unix(stream) => (&*stream).write(bytes),
        }
    }

    fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
        })
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Tcp(stream) => stream.as_raw_fd(),
            Self::Unix(stream) => stream.as_raw_fd(),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = ready!(self.poll_receive(cx, buf.initialize_unfilled()))?;
        buf.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match self.stream.get_ref() {
            Stream::Tcp(stream) => stream.shutdown(net::Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(net::Shutdown::Write),
        })
    }
}
