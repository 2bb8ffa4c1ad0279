//! Answers of the nodes' own methods, as far as they are read.

use alloy_primitives::{Address, U64, hex, keccak256};
use serde::Deserialize;

/// Answer of `admin_nodeInfo`.
#[derive(Debug, Deserialize)]
pub(crate) struct NodeInfo {
    pub(crate) enode: String,
}

/// An entry of `admin_peers`. geth's `id` is a hash; Besu's is the key, which it has no `enode` for.
#[derive(Debug, Deserialize)]
pub(crate) struct PeerInfo {
    #[serde(default)]
    pub(crate) enode: String,
    #[serde(default)]
    id: String,
}

impl PeerInfo {
    pub(crate) fn account(&self) -> Option<Address> {
        account(&self.enode).or_else(|| account(&self.id))
    }
}

/// The account of a node: from its `enode://KEY@…` or its key alone.
pub(crate) fn account(text: &str) -> Option<Address> {
    let key = text.trim_start_matches("enode://").split('@').next()?;
    let bytes = hex::decode(key).ok().filter(|bytes| bytes.len() == 64)?;
    Some(Address::from_slice(&keccak256(bytes)[12..]))
}

/// Answer of `txpool_status`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PoolStatus {
    #[serde(default)]
    pub(crate) pending: U64,
    #[serde(default)]
    pub(crate) queued: U64,
}

/// Answer of `eth_syncing` while it does; otherwise it is `false`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Syncing {
    pub(crate) current_block: U64,
    pub(crate) highest_block: U64,
}

/// Answer of `istanbul_getSignersFromBlock`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Signers {
    pub(crate) author: Address,
    #[serde(default)]
    pub(crate) committers: Vec<Address>,
}
