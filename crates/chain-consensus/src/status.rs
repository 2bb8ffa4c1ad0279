//! What a node says of itself.

use std::{collections::BTreeMap, sync::Arc};

use chain_types::ValidatorKey;
use parking_lot::RwLock;

/// A node's part in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Votes.
    Validator,
    /// Follows.
    Follower,
}

/// A node that this one knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its key.
    pub key: ValidatorKey,
    /// Whether it votes in the current epoch.
    pub validator: bool,
    /// Whether there is a connection.
    pub connected: bool,
}

/// The newest of what consensus and the network know.
#[derive(Clone, Debug)]
pub struct Status {
    /// This node's key.
    pub key: ValidatorKey,
    /// Its part.
    pub role: Role,
    /// The epoch that runs.
    pub epoch: u64,
    /// The view in the epoch.
    pub view: u64,
    /// Who leads the view.
    pub leader: Option<ValidatorKey>,
    /// The epoch's validators.
    pub validators: Vec<ValidatorKey>,
    /// Other nodes.
    pub peers: Vec<Peer>,
    /// The newest block that this node has finalised.
    pub height: u64,
    /// The newest block that is known to be final; above `height` while this node catches up.
    pub known_height: u64,
    /// When `height` last rose, in milliseconds since 1970 by this node's clock.
    pub last_finalized_ms: Option<u64>,
    /// Why there is no progress, when that is known: a sentence.
    pub halted_reason: Option<String>,
}

impl Status {
    /// Votes that decide: more than two thirds of the validators.
    pub fn quorum(&self) -> usize {
        quorum(self.validators.len())
    }

    /// Validators that are connected, this node counted if it is one.
    pub fn validators_connected(&self) -> usize {
        let others = self.peers.iter().filter(|peer| peer.validator && peer.connected).count();
        others + usize::from(self.role == Role::Validator)
    }
}

/// n − ⌊(n − 1) / 3⌋.
pub(crate) fn quorum(validators: usize) -> usize {
    validators - validators.saturating_sub(1) / 3
}

/// A shared [`Status`]; reading it copies.
#[derive(Clone)]
pub struct StatusBoard {
    status: Arc<RwLock<Status>>,
    // Peers with which handshakes fail because of the clocks, with the latest sentence on it.
    skewed: Arc<RwLock<BTreeMap<ValidatorKey, String>>>,
}

impl StatusBoard {
    /// A board for a node that has not started.
    pub fn new(key: ValidatorKey) -> Self {
        let status = Status {
            key,
            role: Role::Follower,
            epoch: 0,
            view: 0,
            leader: None,
            validators: Vec::new(),
            peers: Vec::new(),
            height: 0,
            known_height: 0,
            last_finalized_ms: None,
            halted_reason: None,
        };
        Self { status: Arc::new(RwLock::new(status)), skewed: Arc::default() }
    }

    /// The status now.
    pub fn get(&self) -> Status {
        self.status.read().clone()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.write());
    }

    /// Notes that a handshake failed because the peer's clock differs; says whether that is news.
    pub(crate) fn clock_skew(&self, peer: ValidatorKey, sentence: String) -> bool {
        self.skewed.write().insert(peer, sentence).is_none()
    }

    pub(crate) fn connected(&self, peer: &ValidatorKey) {
        if self.skewed.read().contains_key(peer) {
            self.skewed.write().remove(peer);
        }
    }

    pub(crate) fn skew(&self) -> Option<String> {
        self.skewed.read().values().next().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quorum_is_more_than_two_thirds() {
        for (validators, expected) in [(1, 1), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7)] {
            assert_eq!(quorum(validators), expected, "{validators} validators");
        }
    }
}
