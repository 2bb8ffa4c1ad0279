//! What a pool is told at start, and what it asks of the rest of the node.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_consensus::TxEnvelope;
use alloy_primitives::{Address, U256};
use revm::primitives::hardfork::SpecId;

/// State at the newest finalised block, as far as admission needs it.
pub trait PoolState: Send + Sync {
    /// Nonce and balance in wei; `None` for an account that does not exist.
    ///
    /// # Errors
    /// A sentence for the log when the state cannot be read.
    fn account(&self, address: &Address) -> Result<Option<(u64, U256)>, String>;

    /// Lowest fee per gas in wei that a block accepts.
    fn base_fee(&self) -> u64;

    /// Gas limit of the next block.
    fn block_gas_limit(&self) -> u64;

    /// The rules of the next block.
    fn spec(&self) -> SpecId;
}

/// Finds who signed a transaction; a node injects its cache here, so that a signature is recovered once.
pub trait SenderSource: Send + Sync {
    /// The signer, `None` when the signature is not one.
    fn sender(&self, transaction: &TxEnvelope) -> Option<Address>;
}

/// Recovers each time, without a cache.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecoverEachTime;

impl SenderSource for RecoverEachTime {
    fn sender(&self, transaction: &TxEnvelope) -> Option<Address> {
        use alloy_consensus::transaction::SignerRecoverable;
        transaction.recover_signer().ok()
    }
}

/// A monotonic clock: time since a fixed moment. A simulator gives its own.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The process' monotonic clock.
pub fn system_clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || start.elapsed())
}

/// How much a pool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Transactions of one sender, executable and queued.
    pub per_sender: usize,
    /// Transactions in all.
    pub transactions: usize,
    /// Encoded bytes in all.
    pub bytes: usize,
    /// Transactions in all that wait behind a gap in their sender's nonces.
    pub queued: usize,
    /// Encoded bytes of one transaction.
    pub transaction_bytes: usize,
    /// How much more a replacement pays, in percent of the replaced fees.
    pub replacement_percent: u64,
    /// Transactions that left of which the [`crate::Fate`] is remembered.
    pub fates: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_sender: 1024,
            transactions: 20_000,
            bytes: 64 * 1024 * 1024,
            queued: 5_000,
            transaction_bytes: chain_types::MAX_TRANSACTION_BYTES,
            replacement_percent: 10,
            fates: 16_384,
        }
    }
}

/// A pool's configuration.
#[derive(Clone)]
pub struct PoolConfig {
    /// The chain that transactions must be signed for.
    pub chain_id: u64,
    /// The journal of accepted local transactions; `None` keeps none (simulation, tests).
    pub journal: Option<PathBuf>,
    /// How much the pool holds.
    pub limits: Limits,
    /// Finds senders.
    pub senders: Arc<dyn SenderSource>,
    /// Tells how long a transaction has waited.
    pub clock: Clock,
}

impl PoolConfig {
    /// Default limits, no journal, the process' clock, no sender cache.
    pub fn new(chain_id: u64) -> Self {
        Self {
            chain_id,
            journal: None,
            limits: Limits::default(),
            senders: Arc::new(RecoverEachTime),
            clock: system_clock(),
        }
    }
}
