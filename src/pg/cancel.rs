//! Statements that a person can stop.

use std::future::Future;

use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

/// Waits for `statement`, which runs on `client`. When told to stop, asks the server to cancel it and waits for its end
/// all the same, so that the session is free again afterwards.
pub(super) async fn stoppable<T>(client: &Client, stop: &CancellationToken, statement: impl Future<Output = T>) -> T {
    tokio::pin!(statement);
    tokio::select! {
        biased;
        outcome = &mut statement => return outcome,
        () = stop.cancelled() => {}
    }
    let cancel = client.cancel_token();
    // A request that does not get through leaves what is true anyway: the statement ends when it ends.
    let (outcome, _) = tokio::join!(statement, cancel.cancel_query(NoTls));
    outcome
}
