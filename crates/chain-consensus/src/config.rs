//! What consensus is told at start.

use chain_types::Genesis;

use crate::{Membership, Pace, PrivateKey};

/// Prefix of everything that validators sign and of the network's handshakes; the genesis' fingerprint follows it,
/// so that signatures of one chain mean nothing on another.
pub const NAMESPACE: &[u8] = b"polder-chain-1";

/// Longest encoded batch of gossiped transactions, in bytes.
pub const MAX_BATCH_BYTES: usize = 512 * 1024;

/// The namespace of a chain.
pub fn namespace(genesis: &Genesis) -> Vec<u8> {
    [NAMESPACE, genesis.fingerprint().as_slice()].concat()
}

/// Consensus' configuration.
#[derive(Clone)]
pub struct Config {
    /// This node's key. It votes if [`Membership`] names it, else it follows.
    pub key: PrivateKey,
    /// See [`namespace`].
    pub namespace: Vec<u8>,
    /// Who validates.
    pub membership: Membership,
    /// Blocks in an epoch.
    pub epoch_length: u64,
    /// When leaders propose.
    pub pace: Pace,
    /// Prefix of the names of the storage partitions.
    pub partition_prefix: String,
    /// Bytes of the page cache that all of consensus' files share; allocated at start.
    pub page_cache_bytes: usize,
}

impl Config {
    /// The configuration that a genesis asks for.
    ///
    /// # Errors
    /// When a validator's key is not an ed25519 key.
    pub fn new(genesis: &Genesis, key: PrivateKey) -> Result<Self, crate::Error> {
        Ok(Self {
            key,
            namespace: namespace(genesis),
            membership: Membership::new(genesis)?,
            epoch_length: genesis.polder.epoch_length,
            pace: Pace::new(genesis.polder.block_interval_ms, genesis.polder.heartbeat_ms),
            partition_prefix: "consensus".into(),
            page_cache_bytes: 8 * 1024 * 1024,
        })
    }
}
