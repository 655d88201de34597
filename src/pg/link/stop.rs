//! What being told to stop means for a wait.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long what is under way may go on, and how long each wait may take that comes after: what was measured has to be
/// saved within ten seconds.
pub(crate) const AFTER_STOP: Duration = Duration::from_secs(3);

/// Returns once a wait that began before now has no more time.
pub(crate) async fn time_is_over(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(AFTER_STOP).await;
}
