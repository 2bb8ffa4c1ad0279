//! Transactions on their way to other nodes.

use std::collections::VecDeque;

use alloy_primitives::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// A batch is full at this many bytes.
const BATCH_BYTES: usize = 64 * 1024;

/// More than this is not kept for a network that does not take it; the next announcement repeats it.
const MOST_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    queue: Mutex<Gathered>,
    some: Notify,
    full: Notify,
}

#[derive(Debug, Default)]
struct Gathered {
    transactions: VecDeque<Bytes>,
    bytes: usize,
}

impl Outgoing {
    pub(crate) fn push(&self, raw: Bytes) {
        let full = {
            let mut queue = self.queue.lock();
            queue.bytes += raw.len();
            queue.transactions.push_back(raw);
            while queue.bytes > MOST_BYTES
                && let Some(dropped) = queue.transactions.pop_front()
            {
                queue.bytes -= dropped.len();
            }
            queue.bytes >= BATCH_BYTES
        };
        self.some.notify_one();
        if full {
            self.full.notify_one();
        }
    }

    /// One batch, of one transaction at least.
    pub(crate) async fn next_batch(&self) -> Vec<Bytes> {
        loop {
            let batch = self.take();
            if !batch.is_empty() {
                return batch;
            }
            self.some.notified().await;
        }
    }

    pub(crate) async fn full(&self) {
        while self.queue.lock().bytes < BATCH_BYTES {
            self.full.notified().await;
        }
    }

    fn take(&self) -> Vec<Bytes> {
        let mut queue = self.queue.lock();
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = queue.transactions.front() {
            if !batch.is_empty() && bytes + next.len() > BATCH_BYTES {
                break;
            }
            bytes += next.len();
            batch.extend(queue.transactions.pop_front());
        }
        queue.bytes -= bytes;
        batch
    }
}
