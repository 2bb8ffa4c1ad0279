//! The pool's handle: what the rest of the node calls.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes};
use chain_types::Recovered;
use tokio::sync::broadcast;

use crate::{
    Fate, PoolConfig, PoolError, PoolState, Refusal,
    candidates::Candidates,
    check,
    shared::Shared,
    store::{Account, Effects, Included},
    writer::{Job, Writer},
};

/// Senders whose accounts are read again with each block although no transaction of theirs is in it:
/// delegated accounts (EIP-7702) change by others' transactions.
const RECHECKED: usize = 32;

/// Raw bytes that one [`Pool::reannounce`] returns at most.
const ANNOUNCED_BYTES: usize = 512 * 1024;

/// Where a transaction came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A client of this node: journaled, gossiped, never evicted.
    Local,
    /// Another node's gossip.
    Peer,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// Executable transactions.
    pub pending: usize,
    /// Transactions behind a gap in their sender's nonces.
    pub queued: usize,
    /// Encoded bytes of both.
    pub bytes: usize,
}

/// The pool's content, each sender's transactions by nonce.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Executable transactions.
    pub pending: BTreeMap<Address, BTreeMap<u64, Arc<Recovered>>>,
    /// Transactions behind a gap in their sender's nonces.
    pub queued: BTreeMap<Address, BTreeMap<u64, Arc<Recovered>>>,
}

/// A handle to the pool; clones share it. The last one to be dropped waits for the journal.
#[derive(Clone)]
pub struct Pool(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    writer: Option<Writer>,
}

impl Pool {
    /// Opens a pool and loads its journal; what is still valid waits again and is gossiped again.
    ///
    /// # Errors
    /// When the journal or the state cannot be read.
    pub fn open(config: PoolConfig, state: Arc<dyn PoolState>) -> Result<Self, PoolError> {
        let journal = config.journal.clone();
        let shared = Arc::new(Shared::new(config, state));
        let writer = match journal {
            Some(path) => Some(Writer::open(&path, shared.clone())?),
            None => None,
        };
        Ok(Self(Arc::new(Inner { shared, writer })))
    }

    /// Offers a raw EIP-2718 transaction. `Local` resolves after the journal has it on disk; dropping
    /// the future before does not take the transaction back.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub async fn submit(&self, raw: Bytes, origin: Origin) -> Result<B256, Refusal> {
        let shared = &self.0.shared;
        let transaction = check::decode(&raw, &shared.config, shared.state.spec())?;
        // Gossip brings most transactions more than once: look before the signature costs anything.
        if shared.store.lock().knows(transaction.tx_hash()) {
            return Err(Refusal::AlreadyKnown);
        }
        let candidate = check::check(transaction, raw.len(), &shared.config, &*shared.state)?;
        let (hash, sender) = (candidate.hash, candidate.transaction.sender);
        let mut effects = Effects::default();
        match (&self.0.writer, origin) {
            (Some(writer), Origin::Local) => {
                let reserved = shared
                    .with_account(sender, |store, account| store.reserve(&candidate, account, origin, &mut effects));
                self.publish(effects);
                reserved??;
                writer.append(raw, candidate).await
            }
            _ => {
                let now = (shared.config.clock)();
                let settled = shared.with_account(sender, |store, account| {
                    store.reserve(&candidate, account, origin, &mut effects)?;
                    store.settle(candidate, account, origin, now, &mut effects)
                });
                self.publish(effects);
                settled??;
                if origin == Origin::Local {
                    shared.outgoing.push(raw);
                }
                Ok(hash)
            }
        }
    }

    /// What can be executed now on the finalised head: each sender's in nonce order, best price first,
    /// among equal prices in turns of the senders, then by arrival.
    pub fn candidates(&self) -> Box<dyn Iterator<Item = Arc<Recovered>> + Send> {
        self.candidates_after(HashMap::new())
    }

    /// As [`Self::candidates`] on top of blocks that are not final yet: `next_nonces` holds, for each
    /// sender in them, the nonce after its last transaction there.
    pub fn candidates_after(
        &self,
        next_nonces: HashMap<Address, u64>,
    ) -> Box<dyn Iterator<Item = Arc<Recovered>> + Send> {
        Box::new(Candidates::new(self.0.shared.store.clone(), &next_nonces))
    }

    /// A block became final and [`PoolState`] shows its state: `transactions` with their `senders`.
    pub fn finalized(&self, transactions: &[TxEnvelope], senders: &[Address], number: u64) {
        let shared = &self.0.shared;
        let hashes = transactions
            .iter()
            .zip(senders)
            .map(|(transaction, sender)| ((*sender, transaction.nonce()), *transaction.tx_hash()))
            .collect();
        let block = Included { number, hashes };
        let spenders: HashSet<Address> = senders.iter().copied().collect();
        // An authorisation (EIP-7702) uses its authority's nonce.
        let authorities = transactions
            .iter()
            .filter_map(TxEnvelope::authorization_list)
            .flatten()
            .filter_map(|authorization| authorization.recover_authority().ok());

        let affected: Vec<Address> = {
            let mut store = shared.store.lock();
            store.generation += 1;
            let others: Vec<_> = authorities.chain(store.next_to_check(RECHECKED)).collect();
            let others = others.into_iter().filter(|sender| !spenders.contains(sender));
            spenders.iter().copied().chain(others).filter(|sender| store.queues.contains_key(sender)).collect()
        };
        let accounts: Vec<(Address, Account)> = affected
            .into_iter()
            .filter_map(|sender| match shared.account(sender) {
                Ok(account) => Some((sender, account)),
                Err(error) => {
                    tracing::error!(%sender, %error, "an account of the pool cannot be read");
                    None
                }
            })
            .collect();
        let mut effects = Effects::default();
        {
            let mut store = shared.store.lock();
            for (sender, account) in accounts {
                let spent = spenders.contains(&sender).then_some(&block);
                store.rebase(sender, account, spent, &mut effects);
            }
            store.included(&block);
        }
        self.publish(effects);
    }

    /// Execution could not use this candidate: its sender's account is read again, and what can never
    /// be valid on the finalised state leaves.
    pub fn skipped(&self, hash: &B256) {
        let shared = &self.0.shared;
        let Some(sender) = shared.store.lock().get(hash).map(|waiting| waiting.candidate.transaction.sender) else {
            return;
        };
        let mut effects = Effects::default();
        let checked = shared.with_account(sender, |store, account| store.refresh(sender, account, &mut effects));
        if let Err(error) = checked {
            tracing::error!(%sender, %error, "an account of the pool cannot be read");
        }
        self.publish(effects);
    }

    /// Execution refused this candidate for what it is, whatever the state: it leaves, or it would be tried for every
    /// block, and whatever waits behind it would wait for ever.
    pub fn invalid(&self, hash: &B256, why: String) {
        let mut effects = Effects::default();
        self.0.shared.store.lock().drop_invalid(hash, why, &mut effects);
        self.publish(effects);
    }

    /// A waiting transaction.
    pub fn get(&self, hash: &B256) -> Option<Arc<Recovered>> {
        self.0.shared.store.lock().get(hash).map(|waiting| waiting.candidate.transaction.clone())
    }

    /// What became of a transaction that left; remembered for the newest ones.
    pub fn fate(&self, hash: &B256) -> Option<Fate> {
        self.0.shared.store.lock().fates.get(hash).cloned()
    }

    /// The nonce that the sender's next transaction should have; `None` when the state cannot be read.
    pub fn pending_nonce(&self, address: &Address) -> Option<u64> {
        let next = |store: &mut crate::store::Store, account: Account| {
            store.queues.get(address).map_or(account.nonce, |queue| queue.next_nonce().max(account.nonce))
        };
        self.0.shared.with_account(*address, next).ok()
    }

    /// Counts.
    pub fn status(&self) -> PoolStatus {
        self.0.shared.store.lock().status()
    }

    /// Everything that waits.
    pub fn content(&self) -> Content {
        let store = self.0.shared.store.lock();
        let mut content = Content::default();
        for (sender, queue) in &store.queues {
            content.add(*sender, queue);
        }
        content
    }

    /// Everything of one sender that waits.
    pub fn content_of(&self, sender: &Address) -> Content {
        let store = self.0.shared.store.lock();
        let mut content = Content::default();
        if let Some(queue) = store.queues.get(sender) {
            content.add(*sender, queue);
        }
        content
    }

    /// Resolves when at least one transaction can be executed on the finalised head.
    pub async fn wait_pending(&self) {
        let mut arrivals = self.0.shared.arrivals.subscribe();
        while self.status().pending == 0 {
            // The sender lives as long as this handle.
            if arrivals.changed().await.is_err() {
                return;
            }
        }
    }

    /// How many transactions have become executable since the start. With [`Self::wait_arrival`] a
    /// leader whose unfinal parent holds everything in the pool waits for what is new.
    pub fn arrivals(&self) -> u64 {
        *self.0.shared.arrivals.borrow()
    }

    /// Resolves with [`Self::arrivals`] when it is more than `seen`.
    pub async fn wait_arrival(&self, seen: u64) -> u64 {
        let mut arrivals = self.0.shared.arrivals.subscribe();
        arrivals.wait_for(|now| *now > seen).await.map_or(seen, |now| *now)
    }

    /// Outgoing gossip: resolves as soon as there is something, with what has gathered up to 64 KiB.
    /// The caller paces itself: after a batch it waits 5 ms by its own clock or until [`Self::batch_full`].
    /// Dropping the future loses nothing.
    pub async fn next_batch(&self) -> Vec<Bytes> {
        self.0.shared.outgoing.next_batch().await
    }

    /// Resolves when 64 KiB of outgoing gossip have gathered.
    pub async fn batch_full(&self) {
        self.0.shared.outgoing.full().await;
    }

    /// Raw local transactions that wait for longer than `older_than` since they were announced last,
    /// the oldest first, 512 KiB at most.
    pub fn reannounce(&self, older_than: Duration) -> Vec<Bytes> {
        let now = (self.0.shared.config.clock)();
        let mut store = self.0.shared.store.lock();
        let mut old: Vec<_> = store
            .queues
            .values_mut()
            .flat_map(|queue| queue.by_nonce.values_mut())
            .filter(|waiting| waiting.origin == Origin::Local && now.saturating_sub(waiting.since) > older_than)
            .collect();
        old.sort_by_key(|waiting| (waiting.since, waiting.arrival));
        let mut bytes = 0;
        old.into_iter()
            .take_while(|waiting| {
                bytes += waiting.candidate.size;
                bytes <= ANNOUNCED_BYTES
            })
            .map(|waiting| {
                waiting.since = now;
                waiting.candidate.transaction.transaction.encoded_2718().into()
            })
            .collect()
    }

    /// Each transaction when it becomes executable. Slow readers lose the oldest.
    pub fn subscribe_pending(&self) -> broadcast::Receiver<Arc<Recovered>> {
        self.0.shared.pending.subscribe()
    }

    fn publish(&self, effects: Effects) {
        self.0.shared.announce(&effects);
        if let Some(writer) = &self.0.writer {
            let adopted = effects.adopted.iter().map(|kept| Job::Keep(kept.transaction.encoded_2718()));
            adopted.chain(effects.gone.into_iter().map(Job::Gone)).for_each(|job| writer.send(job));
        }
    }
}

impl Content {
    fn add(&mut self, sender: Address, queue: &crate::queue::Queue) {
        let end = queue.nonce + queue.executable as u64;
        for (nonce, waiting) in &queue.by_nonce {
            let part = if *nonce < end { &mut self.pending } else { &mut self.queued };
            part.entry(sender).or_default().insert(*nonce, waiting.candidate.transaction.clone());
        }
    }
}
