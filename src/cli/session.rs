//! What every command that works on a database needs: a runtime, signals, progress, the place.

use std::sync::Arc;

use super::{
    exit::{CommandError, Exit},
    interrupt,
    progress::Progress,
};
use crate::clinic::{self, Clinic, ErrorKind, Place};

/// Runs `work` for `command` (`latclinic run`) at `place`, with Ctrl-C and SIGTERM heard and progress on stderr, and leaves the
/// place as it was found. With the result comes the exit code that fits if a signal asked to stop.
///
/// # Errors
/// The command's, the place's, or that a signal ended it.
pub(super) fn at<T>(
    place: Place,
    command: &str,
    work: impl AsyncFnOnce(&Clinic) -> Result<T, clinic::Error>,
) -> Result<(T, Exit), CommandError> {
    let ran = interrupt::block_on(async |interrupt| {
        let progress = Arc::new(Progress::new());
        interrupt.before_quitting({
            let progress = Arc::clone(&progress);
            move || progress.finish()
        });
        let result = match Clinic::open(place, command, Arc::clone(&progress) as _, interrupt.token().clone()).await {
            Ok(clinic) => {
                let result = work(&clinic).await;
                let closed = clinic.close().await;
                result.and_then(|value| closed.map(|()| value))
            }
            Err(error) => Err(error),
        };
        progress.finish();
        let interrupted = interrupt.exit().unwrap_or(Exit::Interrupted);
        result.map(|value| (value, interrupted)).map_err(|error| failure(error, interrupted))
    });
    ran.map_err(|cause| CommandError::new(Exit::Failed, cause))?
}

/// A use case's failure as a command's; `interrupted` is the exit code if a signal was the reason.
pub(super) fn failure(error: clinic::Error, interrupted: Exit) -> CommandError {
    let stopped = error.kind() == ErrorKind::Interrupted;
    let error = CommandError::from(error);
    if stopped { CommandError { exit: interrupted, ..error } } else { error }
}
