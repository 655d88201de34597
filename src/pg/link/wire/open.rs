//! Opening a connection.

use std::{
    cell::RefCell,
    io,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};

use futures_util::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{connection::Wire, stream::Stream};
use crate::pg::link::{
    Cancellation, Client,
    connector::Connector,
    error::{Error, Result},
    socket::Socket,
};

/// Opens a connection, has `prepare` make its session what it is to be, and takes the socket over. Returns what `prepare` did too.
///
/// # Errors
/// The server cannot be reached or refuses, or `prepare` fails.
pub(crate) async fn open<T>(
    connector: &Connector,
    purpose: &str,
    prepare: impl AsyncFnOnce(&Client) -> Result<T>,
) -> Result<(Wire, Cancellation, T)> {
    let lent = Lent(Rc::new(RefCell::new(connector.open_socket().await?)));
    let (raw, connection, heard) = connector.sign_in(purpose, lent.clone()).await?;
    let client = Client::new(raw, connector.clone(), purpose, heard, None);
    let cancellation = client.cancellation();
    let prepared = {
        let preparing = pin!(async {
            connector.await_backend(client.batch_execute("")).await?;
            prepare(&client).await
        });
        match select(preparing, Box::pin(connection)).await {
            // The connection goes away without a word to the server: it is not polled again.
            Either::Left((prepared, _connection)) => prepared?,
            // What was under way knows why.
            Either::Right((_, preparing)) => {
                preparing.await?;
                return Err(Error::new("the server closed the connection while it was opened"));
            }
        }
    };
    drop(client);
    match Rc::try_unwrap(lent.0) {
        Ok(socket) => match Stream::new(socket.into_inner()) {
            Ok(stream) => Ok((Wire::new(stream), cancellation, prepared)),
            Err(cause) => Err(Error::new(format!("cannot take the connection over: {cause}"))),
        },
        Err(_) => Err(Error::new("the connection was not given back by the library that opened it")),
    }
}

/// A socket lent to a library for the time of signing in.
#[derive(Clone)]
struct Lent(Rc<RefCell<Socket>>);

impl AsyncRead for Lent {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Lent {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_shutdown(cx)
    }
}
