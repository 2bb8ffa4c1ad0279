//! What the pool asks of the chain, and what JSON-RPC asks of consensus.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use chain_consensus::{Role, StatusBoard};
use chain_pool::{PoolState, SenderSource, SpecId};
use chain_rpc::{ConsensusStatus, PeerStatus, StatusSource};
use chain_store::{Chain, SenderCache};
use chain_types::{TxEnvelope, ValidatorKey};

/// State at the newest finalised block, for the pool.
pub(crate) struct HeadState {
    pub(crate) chain: Chain,
    pub(crate) min_gas_price: u64,
}

impl PoolState for HeadState {
    fn account(&self, address: &Address) -> Result<Option<(u64, U256)>, String> {
        let account = self.chain.account(address).map_err(|error| error.to_string())?;
        Ok(account.map(|account| (account.nonce, account.balance)))
    }

    fn base_fee(&self) -> u64 {
        self.min_gas_price
    }

    fn block_gas_limit(&self) -> u64 {
        self.chain.head().block.header().gas_limit
    }

    fn spec(&self) -> SpecId {
        self.chain.executor().spec(self.chain.head().block.header())
    }
}

/// The process' cache of senders, for the pool.
pub(crate) struct Senders;

impl SenderSource for Senders {
    fn sender(&self, transaction: &TxEnvelope) -> Option<Address> {
        SenderCache::global().recover(transaction).ok()
    }
}

/// Consensus' status in JSON-RPC's words.
pub(crate) struct BoardStatus {
    pub(crate) board: StatusBoard,
    pub(crate) addresses: BTreeMap<ValidatorKey, String>,
}

impl StatusSource for BoardStatus {
    fn status(&self) -> ConsensusStatus {
        let status = self.board.get();
        ConsensusStatus {
            public_key: status.key.to_string(),
            role: match status.role {
                Role::Validator => chain_rpc::Role::Validator,
                Role::Follower => chain_rpc::Role::Follower,
            },
            epoch: status.epoch,
            view: status.view,
            leader: status.leader.map(|key| key.to_string()),
            validators: status.validators.iter().map(ToString::to_string).collect(),
            peers: status
                .peers
                .iter()
                .map(|peer| PeerStatus {
                    public_key: peer.key.to_string(),
                    address: self.addresses.get(&peer.key).cloned(),
                    connected: peer.connected,
                })
                .collect(),
            // One or two blocks are always under way between being decided and being on disk.
            syncing_to: (status.known_height > status.height + 2).then_some(status.known_height),
            halted_reason: status.halted_reason,
        }
    }
}
