//! Who waits for a transaction's block: `eth_sendRawTransactionSync`.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use alloy_primitives::B256;
use chain_store::Sealed;
use parking_lot::Mutex;
use tokio::sync::{broadcast::error::RecvError, oneshot};

use crate::api::Node;

/// A finalised block and a transaction's index in it.
pub(crate) type Place = (Arc<Sealed>, usize);

/// Waiting requests by transaction.
#[derive(Debug, Default)]
pub(crate) struct Inclusion {
    waiting: Mutex<HashMap<B256, Vec<oneshot::Sender<Place>>>>,
}

impl Inclusion {
    /// Resolves when a block that was finalised after this call has the transaction.
    pub(crate) fn of(&self, hash: B256) -> oneshot::Receiver<Place> {
        let (found, place) = oneshot::channel();
        self.waiting.lock().entry(hash).or_default().push(found);
        place
    }

    /// Forgets those who no longer wait for it.
    pub(crate) fn forget(&self, hash: &B256) {
        let mut waiting = self.waiting.lock();
        if let Some(senders) = waiting.get_mut(hash) {
            senders.retain(|sender| !sender.is_closed());
            if senders.is_empty() {
                waiting.remove(hash);
            }
        }
    }

    fn block(&self, sealed: &Arc<Sealed>) {
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() {
            return;
        }
        for (index, transaction) in sealed.block.transactions().iter().enumerate() {
            for sender in waiting.remove(transaction.tx_hash()).into_iter().flatten() {
                // Whoever waited may have gone.
                let _ = sender.send((sealed.clone(), index));
            }
        }
    }
}

/// The task `rpc-inclusion`: tells those who wait of each block. Ends with the node.
pub(crate) async fn follow(node: Weak<Node>) {
    let Some((mut news, mut next)) =
        node.upgrade().map(|node| (node.chain.subscribe(), node.chain.head().block.number()))
    else {
        return;
    };
    loop {
        match news.recv().await {
            Err(RecvError::Closed) => return,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
        }
        let Some(node) = node.upgrade() else { return };
        // By number, so that a lag loses nothing.
        while next <= node.chain.head().block.number() {
            match node.chain.sealed_by_number(next) {
                Ok(Some(sealed)) => node.inclusion.block(&sealed),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "a finalised block cannot be read");
                    return;
                }
            }
            next += 1;
        }
    }
}
