//! Rows on their way into a table.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio::time::Instant;
use tokio_postgres::CopyInSink;

use super::{client::Client, fault::Fault};

/// A `COPY .. FROM STDIN` that goes on.
pub(crate) struct CopyIn<'a> {
    client: &'a Client,
    begin: Instant,
    sink: Pin<Box<CopyInSink<Bytes>>>,
}

impl<'a> CopyIn<'a> {
    pub(crate) fn new(client: &'a Client, begin: Instant, sink: CopyInSink<Bytes>) -> Self {
        Self { client, begin, sink: Box::pin(sink) }
    }

    /// Hands data over, once there is room for it.
    pub(crate) async fn feed(&mut self, data: Bytes) -> Result<(), Fault> {
        self.client.wait_since(self.begin, self.sink.feed(data)).await
    }

    /// Ends it; returns the number of rows.
    pub(crate) async fn finish(&mut self) -> Result<u64, Fault> {
        self.client.wait_since(self.begin, self.sink.as_mut().finish()).await
    }
}
