//! Who signed a transaction, remembered, because finding out costs a signature recovery (about 40 µs).

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use alloy_consensus::{TxEnvelope, crypto::RecoveryError, transaction::SignerRecoverable};
use alloy_primitives::{Address, B256};

/// A bounded map from transaction hash to sender. The hash covers the signature, so an entry is never wrong.
///
/// It forgets by generations: when the newer half is full, the older half is dropped. Memory grows with use only.
#[derive(Debug)]
pub struct SenderCache {
    shards: [Mutex<Shard>; SHARDS],
    /// Entries in one generation of one shard.
    generation: usize,
}

#[derive(Debug, Default)]
struct Shard {
    newer: HashMap<B256, Address>,
    older: HashMap<B256, Address>,
}

const SHARDS: usize = 16;

/// Below this many unknown senders, starting threads costs more than they save.
const FEW: usize = 32;

impl SenderCache {
    /// The cache that the pool, the executor's callers and JSON-RPC of one process share: 128 Ki entries, at most
    /// about 10 MiB.
    pub fn global() -> &'static Self {
        static CACHE: OnceLock<SenderCache> = OnceLock::new();
        CACHE.get_or_init(|| Self::with_capacity(128 * 1024))
    }

    /// A cache of its own that holds about `entries`.
    pub fn with_capacity(entries: usize) -> Self {
        Self { shards: Default::default(), generation: (entries / (2 * SHARDS)).max(1) }
    }

    /// The sender, when it is known.
    pub fn get(&self, hash: &B256) -> Option<Address> {
        let shard = self.shard(hash);
        shard.newer.get(hash).or_else(|| shard.older.get(hash)).copied()
    }

    /// Remembers a sender.
    pub fn insert(&self, hash: B256, sender: Address) {
        let mut shard = self.shard(&hash);
        if shard.newer.len() >= self.generation {
            shard.older = std::mem::take(&mut shard.newer);
        }
        shard.newer.insert(hash, sender);
    }

    /// The sender, recovered when it is not known.
    ///
    /// # Errors
    /// When the signature is not one.
    pub fn recover(&self, transaction: &TxEnvelope) -> Result<Address, RecoveryError> {
        let hash = transaction.tx_hash();
        if let Some(sender) = self.get(hash) {
            return Ok(sender);
        }
        let sender = transaction.recover_signer()?;
        self.insert(*hash, sender);
        Ok(sender)
    }

    /// The senders of many transactions in their order; unknown ones are recovered by up to `threads` threads.
    ///
    /// # Errors
    /// The place of a transaction whose signature is not one.
    pub fn recover_all(
        &self,
        transactions: &[TxEnvelope],
        threads: usize,
    ) -> Result<Vec<Address>, (usize, RecoveryError)> {
        let mut senders = vec![Address::ZERO; transactions.len()];
        let mut unknown = Vec::new();
        for (index, transaction) in transactions.iter().enumerate() {
            match self.get(transaction.tx_hash()) {
                Some(sender) => senders[index] = sender,
                None => unknown.push(index),
            }
        }
        let recover = |indices: &[usize]| -> Result<Vec<(usize, Address)>, (usize, RecoveryError)> {
            let one = |&index: &usize| match self.recover(&transactions[index]) {
                Ok(sender) => Ok((index, sender)),
                Err(error) => Err((index, error)),
            };
            indices.iter().map(one).collect()
        };
        if unknown.len() < FEW || threads < 2 {
            for (index, sender) in recover(&unknown)? {
                senders[index] = sender;
            }
            return Ok(senders);
        }
        let parts = std::thread::scope(|scope| {
            let running: Vec<_> = unknown
                .chunks(unknown.len().div_ceil(threads))
                .map(|part| scope.spawn(move || recover(part)))
                .collect();
            running.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
        });
        for part in parts {
            let part = part.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            for (index, sender) in part? {
                senders[index] = sender;
            }
        }
        Ok(senders)
    }

    fn shard(&self, hash: &B256) -> MutexGuard<'_, Shard> {
        // A panic cannot leave a map half-changed here: entries are inserted whole.
        self.shards[usize::from(hash[31]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{SignableTransaction, TxLegacy};
    use alloy_primitives::Signature;

    use super::*;

    #[test]
    fn remembers_at_most_its_capacity() {
        let cache = SenderCache::with_capacity(64);
        for n in 0..10_000u64 {
            cache.insert(B256::left_padding_from(&n.to_be_bytes()), Address::with_last_byte(1));
        }
        let kept = (0..10_000u64).filter(|n| cache.get(&B256::left_padding_from(&n.to_be_bytes())).is_some()).count();
        assert!((32..=64).contains(&kept), "{kept}");
        assert!(cache.get(&B256::left_padding_from(&9_999u64.to_be_bytes())).is_some());
    }

    #[test]
    fn a_bad_signature_is_named_by_its_place() {
        let cache = SenderCache::with_capacity(8192);
        let good = |n: u64| -> TxEnvelope {
            // Any r and s that are in range recover to some address.
            let signature = Signature::from_scalars_and_parity(B256::with_last_byte(1), B256::with_last_byte(1), false);
            TxLegacy { nonce: n, ..Default::default() }.into_signed(signature).into()
        };
        let mut transactions: Vec<_> = (0..100).map(good).collect();
        let senders = cache.recover_all(&transactions, 2).unwrap();
        for (transaction, sender) in transactions.iter().zip(&senders) {
            assert_eq!(transaction.recover_signer().unwrap(), *sender);
            assert_eq!(cache.get(transaction.tx_hash()), Some(*sender));
        }
        let zero = Signature::from_scalars_and_parity(B256::ZERO, B256::ZERO, false);
        transactions[70] = TxLegacy::default().into_signed(zero).into();
        assert_eq!(SenderCache::with_capacity(8192).recover_all(&transactions, 2).unwrap_err().0, 70);
        assert_eq!(cache.recover_all(&transactions, 1).unwrap_err().0, 70);
    }
}
