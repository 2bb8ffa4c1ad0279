//! The state root: a commitment to the whole state, and nothing else.
//!
//! A commitment maps 32-byte keys to 32-byte values:
//!
//! | what | key | value |
//! |---|---|---|
//! | account | SHA-256(address) | SHA-256(nonce, 8 bytes ‖ balance, 32 bytes ‖ code hash), big-endian |
//! | storage slot | SHA-256(address ‖ slot) | the value, big-endian |
//!
//! An absent account and a zero slot have no key. The lengths of what is hashed (20 and 52 bytes) keep the two apart.
//! Code is covered by the code hash in its account. So the root covers all of the state.
//!
//! The root may depend on how the state came to be (QMDB's does: it commits to a log of operations). Therefore every
//! block, also an empty one, is exactly one batch of its real changes in the order of their keys, genesis included.

mod qmdb;

use std::future::Future;

use alloy_primitives::B256;
use commonware_cryptography::{Hasher as _, Sha256};
use futures::future::BoxFuture;

pub use qmdb::{Qmdb, QmdbConfig};

use crate::{StoreError, changes::Changes};

/// A key and its new value; `None` removes it.
pub type Entry = (B256, Option<B256>);

/// Why a batch could not be made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StageError {
    /// The parent is not on the chain that was applied: it lies on an abandoned fork.
    #[error("the parent lies on an abandoned fork")]
    Stale,
    /// The commitment cannot go on.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A state commitment that keeps speculative batches for blocks that are not final.
///
/// After an error other than [`StageError::Stale`] it must not be used any more.
pub trait Commitment: Send + 'static {
    /// A batch whose root is known. Valid as long as only its ancestors are applied before it.
    type Staged: Clone + Send + Sync + 'static;

    /// The root of what is applied.
    fn root(&self) -> B256;

    /// Where the commitment stands: given back at the next opening, it restores this very state, provided that it was
    /// synced and nothing above it was released.
    fn position(&self) -> u64;

    /// Computes the root after `entries` on top of a batch, or of what is applied.
    fn stage(
        &mut self,
        parent: Option<&Self::Staged>,
        entries: Vec<Entry>,
    ) -> impl Future<Output = Result<(Self::Staged, B256), StageError>> + Send;

    /// Makes a batch part of what is applied. Not durable yet.
    fn apply(&mut self, staged: Self::Staged) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Starts to make durable what is applied; the inner future resolves when it is.
    fn sync(&mut self) -> impl Future<Output = Result<BoxFuture<'static, Result<(), StoreError>>, StoreError>> + Send;

    /// What may be removed once the present state is recorded as durable elsewhere; to be given to [`Self::release`].
    fn obsolete(&self) -> u64;

    /// Removes what was obsolete at a state that will never be left again.
    fn release(&mut self, obsolete: u64) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The entries of a block's changes, in the order in which they are batched.
pub(crate) fn entries(changes: &Changes) -> Vec<Entry> {
    let accounts = changes.accounts.iter().map(|(address, change)| {
        let value = change.new.map(|account| {
            let nonce = account.nonce.to_be_bytes();
            let balance = account.balance.to_be_bytes::<32>();
            B256::from(Sha256::hash(&[&nonce, &balance, account.code_hash.as_slice()]).0)
        });
        (B256::from(Sha256::hash(&[address.as_slice()]).0), value)
    });
    let storage = changes.storage.iter().map(|((address, slot), change)| {
        let key = Sha256::hash(&[address.as_slice(), &slot.to_be_bytes::<32>()]);
        (B256::from(key.0), (!change.new.is_zero()).then(|| B256::from(change.new)))
    });
    accounts.chain(storage).collect()
}
