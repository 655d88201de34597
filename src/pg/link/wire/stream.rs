//! The socket of a connection that has signed in, without the runtime between.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
};

use crate::pg::link::socket::Socket;

/// A connected socket that does not block.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Takes a socket from the runtime.
    pub(crate) fn new(socket: Socket) -> io::Result<Self> {
        Ok(match socket {
            Socket::Tcp(stream) => Self::Tcp(stream.into_std()?),
            Socket::Unix(stream) => Self::Unix(stream.into_std()?),
        })
    }

    /// Reads what is there; `None` when there is nothing.
    #[inline]
    pub(crate) fn receive(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        unless_blocked(match self {
            Self::Tcp(stream) => (&*stream).read(into),
            Self::Unix(stream) => (&*stream).read(into),
        })
    }

    /// Writes as much as there is room for; `None` when there is none.
    #[inline]
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        unless_blocked(match self {
            Self::Tcp(stream) => (&*stream).write(bytes),
            Self::Unix(stream) => (&*stream).write(bytes),
        })
    }

    /// Waits for room to write. Only messages of many kilobytes ever need to, so that the runtime may do it.
    pub(crate) async fn room(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => tokio::net::TcpStream::from_std(stream.try_clone()?)?.writable().await,
            Self::Unix(stream) => tokio::net::UnixStream::from_std(stream.try_clone()?)?.writable().await,
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

fn unless_blocked(outcome: io::Result<usize>) -> io::Result<Option<usize>> {
    match outcome {
        Ok(count) => Ok(Some(count)),
        Err(cause) if matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(cause) => Err(cause),
    }
}
