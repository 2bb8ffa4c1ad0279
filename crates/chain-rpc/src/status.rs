//! What the node says of itself beyond Ethereum's methods: `polder_status`, `net_`, `eth_syncing`.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

/// A node's part in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Votes.
    Validator,
    /// Follows the chain.
    Follower,
}

/// A node that this one knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerStatus {
    /// Its ed25519 public key, hex without a prefix.
    pub public_key: String,
    /// Where it is reached, when known.
    pub address: Option<String>,
    /// Whether there is a connection now.
    pub connected: bool,
}

/// Counts of the transaction pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolCounts {
    /// Executable.
    pub pending: usize,
    /// Behind a gap in their sender's nonces.
    pub queued: usize,
}

/// The consensus' and the network's part of a node's status: what a [`StatusSource`] gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsensusStatus {
    /// This node's ed25519 public key, hex without a prefix.
    pub public_key: String,
    /// Its part in the network.
    pub role: Role,
    /// The consensus' epoch.
    pub epoch: u64,
    /// The consensus' view in the epoch.
    pub view: u64,
    /// Who leads the view, when known: a public key.
    pub leader: Option<String>,
    /// The epoch's validators: public keys.
    pub validators: Vec<String>,
    /// The nodes that this one knows, itself left out.
    pub peers: Vec<PeerStatus>,
    /// The highest block that peers are known to have finalised, when this node is behind them.
    pub syncing_to: Option<u64>,
    /// Why the node makes no progress, when it knows.
    pub halted_reason: Option<String>,
}

/// Answer of `polder_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// Of consensus and network.
    #[serde(flatten)]
    pub consensus: ConsensusStatus,
    /// The chain's id.
    pub chain_id: u64,
    /// Hash of block 0.
    pub genesis_hash: B256,
    /// Number of the newest finalised block.
    pub height: u64,
    /// Its hash.
    pub head_hash: B256,
    /// When it was made, in milliseconds since 1970.
    pub head_time: u64,
    /// Its state root.
    pub state_root: B256,
    /// The newest block that is in the node's tables and indexes on disk.
    pub durable_height: u64,
    /// The pool.
    pub pool: PoolCounts,
    /// The program's version.
    pub version: String,
}

/// Gives the consensus' part of the status; cheap, called for each request that needs it.
pub trait StatusSource: Send + Sync {
    /// The status now.
    fn status(&self) -> ConsensusStatus;
}
