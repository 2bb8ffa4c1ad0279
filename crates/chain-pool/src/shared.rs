//! What the pool's handles and the journal's thread share.

use std::sync::Arc;

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::Address;
use chain_types::Recovered;
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};

use crate::{
    Origin, PoolConfig, PoolState, Refusal,
    outgoing::Outgoing,
    store::{Account, Effects, Store},
};

/// Subscribers that are this many transactions behind lose the oldest.
const SUBSCRIBER_BACKLOG: usize = 4096;

pub(crate) struct Shared {
    pub(crate) config: PoolConfig,
    pub(crate) state: Arc<dyn PoolState>,
    pub(crate) store: Arc<Mutex<Store>>,
    pub(crate) outgoing: Outgoing,
    /// Counts what became executable.
    pub(crate) arrivals: watch::Sender<u64>,
    pub(crate) pending: broadcast::Sender<Arc<Recovered>>,
}

impl Shared {
    pub(crate) fn new(config: PoolConfig, state: Arc<dyn PoolState>) -> Self {
        Self {
            store: Arc::new(Mutex::new(Store::new(config.limits))),
            config,
            state,
            outgoing: Outgoing::default(),
            arrivals: watch::Sender::new(0),
            pending: broadcast::Sender::new(SUBSCRIBER_BACKLOG),
        }
    }

    /// The account at the finalised head; one that does not exist has nothing.
    pub(crate) fn account(&self, address: Address) -> Result<Account, Refusal> {
        let (nonce, balance) = self.state.account(&address).map_err(Refusal::State)?.unwrap_or_default();
        Ok(Account { nonce, balance })
    }

    /// Runs `act` under the lock with an account that is not older than the newest block that the store
    /// knows. The state is read outside the lock.
    pub(crate) fn with_account<T>(
        &self,
        address: Address,
        act: impl FnOnce(&mut Store, Account) -> T,
    ) -> Result<T, Refusal> {
        loop {
            let generation = self.store.lock().generation;
            let account = self.account(address)?;
            let mut store = self.store.lock();
            if store.generation == generation {
                return Ok(act(&mut store, account));
            }
        }
    }

    /// Tells leaders and subscribers what became executable.
    pub(crate) fn announce(&self, effects: &Effects) {
        if effects.promoted.is_empty() {
            return;
        }
        for transaction in &effects.promoted {
            // Nobody listening is no error.
            let _ = self.pending.send(transaction.clone());
        }
        self.arrivals.send_modify(|count| *count += effects.promoted.len() as u64);
    }

    /// Raw local transactions in the order of arrival.
    pub(crate) fn live(&self) -> Vec<Vec<u8>> {
        let mut live: Vec<_> = {
            let store = self.store.lock();
            let waiting = store.queues.values().flat_map(|queue| queue.by_nonce.values());
            waiting
                .filter(|waiting| waiting.origin == Origin::Local)
                .map(|waiting| (waiting.arrival, waiting.candidate.transaction.clone()))
                .collect()
        };
        live.sort_by_key(|(arrival, _)| *arrival);
        live.into_iter().map(|(_, transaction)| transaction.transaction.encoded_2718()).collect()
    }
}
