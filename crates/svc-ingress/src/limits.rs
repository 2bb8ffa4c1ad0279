//! How much one application may ask for. Kept in memory by each server.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Options;
use crate::refusal::Refusal;

/// One application's limits.
#[derive(Debug)]
pub(crate) struct Limits {
    per_second: Option<u32>,
    allowance: Mutex<Allowance>,
    connections: Arc<Semaphore>,
}

/// Calls that may be made now; grows with time up to those of one second.
#[derive(Debug)]
struct Allowance {
    calls: f64,
    at: Instant,
}

/// A place among the application's connections.
pub(crate) type Entered = OwnedSemaphorePermit;

impl Limits {
    pub fn new(options: &Options) -> Self {
        let calls = options.calls_per_second.map_or(0.0, f64::from);
        Self {
            per_second: options.calls_per_second,
            allowance: Mutex::new(Allowance { calls, at: Instant::now() }),
            connections: Arc::new(Semaphore::new(options.connections)),
        }
    }

    /// Takes a place for a request or a connection.
    pub fn enter(&self) -> Result<Entered, Refusal> {
        self.connections
            .clone()
            .try_acquire_owned()
            .map_err(|_| Refusal::limit("limit exceeded: too many requests and connections at the same time", 1))
    }

    /// Takes calls from the allowance. More than a second's at once (a large batch) is allowed when nothing is owed, and paid
    /// back by waiting.
    pub fn take(&self, calls: usize) -> Result<(), Refusal> {
        let Some(per_second) = self.per_second else { return Ok(()) };
        let rate = f64::from(per_second.max(1));
        let mut allowance = self.allowance.lock();
        let now = Instant::now();
        let grown = now.duration_since(allowance.at).as_secs_f64() * rate;
        allowance.calls = (allowance.calls + grown).min(rate);
        allowance.at = now;
        let wanted = (calls as f64).min(rate);
        if allowance.calls < wanted {
            let wait = ((wanted - allowance.calls) / rate).ceil().max(1.0) as u64;
            return Err(Refusal::limit(format!("limit exceeded: {per_second} calls in a second"), wait));
        }
        allowance.calls -= calls as f64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_used_up_and_grows_again() {
        let limits = Limits::new(&Options { calls_per_second: Some(10), connections: 1, ..Options::default() });
        limits.take(10).unwrap();
        assert!(limits.take(1).is_err());
        limits.allowance.lock().at -= std::time::Duration::from_millis(500);
        limits.take(4).unwrap();
        assert!(limits.take(4).is_err());
        let held = limits.enter().unwrap();
        assert!(limits.enter().is_err());
        drop(held);
        drop(limits.enter().unwrap());
        Limits::new(&Options { calls_per_second: None, ..Options::default() }).take(1_000_000).unwrap();
    }
}
