//! Having the server give up what a connection executes.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{CancelToken, NoTls};

use super::connector::Connector;

/// How long the request may take; no answer comes to it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How to have the server give up what a connection executes.
#[derive(Clone)]
pub(crate) struct Cancellation {
    connector: Connector,
    token: CancelToken,
}

impl Cancellation {
    pub(crate) fn new(connector: Connector, token: CancelToken) -> Self {
        Self { connector, token }
    }

    /// Asks for it. Whether the request could be sent; whether the server hears of it is not known.
    pub(crate) async fn cancel(&self) -> bool {
        let request = async {
            let Ok(socket) = self.connector.open_socket().await else { return false };
            self.token.cancel_query_raw(socket, NoTls).await.is_ok()
        };
        timeout(PATIENCE, request).await.unwrap_or(false)
    }
}
