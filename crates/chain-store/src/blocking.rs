//! Work that holds its thread for milliseconds, run where the runtime wants it.

use std::sync::Arc;

use commonware_runtime::Spawner;
use tokio::sync::oneshot;

use crate::StoreError;

type Job = Box<dyn FnOnce() + Send>;

/// Runs closures as blocking tasks of the runtime, without naming its type.
#[derive(Clone)]
pub(crate) struct Blocking(Arc<dyn Fn(Job) + Send + Sync>);

impl Blocking {
    pub(crate) fn new(context: impl Spawner) -> Self {
        Self(Arc::new(move |job| {
            // A dropped handle leaves the task running.
            drop(context.child("blocking").shared(true).spawn(move |_| async move { job() }));
        }))
    }

    /// # Errors
    /// When the runtime stops before the work is done.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        // Whoever waits may have been cancelled.
        (self.0)(Box::new(move || drop(sender.send(work()))));
        receiver.await.map_err(|_| StoreError::Stopped(None))
    }
}
