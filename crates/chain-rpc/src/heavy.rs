//! Requests that cost CPU time run on blocking threads, a few at once, so that they never delay consensus.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jsonrpsee::core::RpcResult;
use tokio::sync::Semaphore;

use crate::{RpcLimits, error};

/// Admits heavy requests.
#[derive(Debug)]
pub(crate) struct Heavy {
    /// Places to run and to wait.
    places: Semaphore,
    running: Arc<Semaphore>,
    /// Longest wait for a place to run.
    patience: Duration,
}

impl Heavy {
    pub(crate) fn new(limits: &RpcLimits) -> Self {
        Self {
            places: Semaphore::new(limits.heavy + limits.heavy_waiting),
            running: Arc::new(Semaphore::new(limits.heavy)),
            patience: limits.call_time * 2,
        }
    }

    /// Runs `work` on a blocking thread. A client that goes away does not end what has begun; its time
    /// limit does.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<T> {
        let busy = || error::limit("too many calls, traces and log queries at once; try again later");
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let permit = tokio::time::timeout(self.patience, self.running.clone().acquire_owned())
            .await
            .map_err(|_| busy())?
            .map_err(|closed| error::internal(&closed))?;
        let task = tokio::task::spawn_blocking(move || {
            // Held by the thread: it counts until the work has ended.
            let _permit = permit;
            work()
        });
        task.await.map_err(|failed| error::internal(&failed))?
    }
}

/// The end of a request's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, limit }
    }

    /// # Errors
    /// When the time is over.
    pub(crate) fn check(&self) -> RpcResult<()> {
        if Instant::now() < self.at {
            return Ok(());
        }
        Err(error::limit(format!("the query took longer than {}s; ask for less", self.limit.as_secs_f64())))
    }
}
