//! SIGTERM and SIGINT.

use tokio::signal::unix::{SignalKind, signal};

use crate::Error;

/// Resolves with the signal's name when the process is asked to end.
///
/// # Errors
/// When the handlers cannot be installed. Must be called in a tokio runtime.
pub(crate) fn asked_to_end() -> Result<impl Future<Output = &'static str>, Error> {
    let install = |kind| signal(kind).map_err(|source| Error::System { what: "signal handlers", source });
    let mut terminate = install(SignalKind::terminate())?;
    let mut interrupt = install(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}
