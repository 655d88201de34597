//! What every command that works on a database needs: a runtime, signals, progress, the place.

use std::sync::{Arc, OnceLock};

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
        let abandoned = Arc::<OnceLock<clinic::managed::Abandoned>>::default();
        interrupt.before_quitting({
            let (progress, abandoned) = (Arc::clone(&progress), Arc::clone(&abandoned));
            move || {
                progress.finish();
                abandoned.get().into_iter().for_each(|server| server.tell());
            }
        });
        let result = match Clinic::open(place, command, Arc::clone(&progress) as _, interrupt.token().clone()).await {
            Ok(clinic) => {
                clinic.abandoned().into_iter().for_each(|server| drop(abandoned.set(server)));
                let result = match work(&clinic).await {
                    Err(error) => Err(clinic.explained(error).await),
                    done => done,
                };
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
