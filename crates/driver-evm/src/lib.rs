//! The driver of the enterprise Ethereum family: engines `quorum` (GoQuorum), `geth` (Clique) and `besu`, and of networks
//! of the family, or any other with Ethereum's JSON-RPC, that others run ([`EthereumAttacher`]).
//!
//! It plans networks of these programs, from the nodes' keys to the genesis, and knows how each tells how it is. It knows
//! their command lines, their genesis files and the methods that only they have; what all chains with Ethereum's JSON-RPC
//! share is [`evm_ledger`]'s. It links nothing of them, holds no keys (nodes make their own, in their volumes) and opens no
//! sockets.

mod attached;
mod first_block;
mod health;
mod plan;
mod votes;

use std::sync::Arc;

use driver::{Driver, Ledger, LedgerNetwork, Planner};
use evm_ledger::{EvmLedger, Fees, Finality, Header, Settings, Steps, Votes};

pub use attached::EthereumAttacher;
use first_block::FirstBlock;
use health::EngineHealth;
use plan::{DEV, EvmPlanner, Family, RAFT};
use votes::Methods;

/// The driver of one engine of the family. Holds nothing: each ledger that it opens keeps its own connections.
pub struct EvmDriver(EvmPlanner);

impl EvmDriver {
    /// GoQuorum, with QBFT, IBFT or Raft.
    pub fn quorum() -> Self {
        Self(EvmPlanner(Family::Quorum))
    }

    /// geth, with Clique or as a development chain.
    pub fn geth() -> Self {
        Self(EvmPlanner(Family::Geth))
    }

    /// Besu, with QBFT.
    pub fn besu() -> Self {
        Self(EvmPlanner(Family::Besu))
    }

    /// All engines of the family.
    pub fn all() -> [Self; 3] {
        [Self::quorum(), Self::geth(), Self::besu()]
    }
}

impl Driver for EvmDriver {
    fn planner(&self) -> &dyn Planner {
        &self.0
    }

    fn ledger(&self, network: LedgerNetwork) -> Arc<dyn Ledger> {
        let dev = network.spec.consensus == DEV;
        let finality = match self.0.0 {
            Family::Geth if dev => Finality::Immediate,
            Family::Quorum | Family::Besu => Finality::Immediate,
            // A signer may seal one of signers/2 + 1 blocks in a row: after as many, more than half of the signers have built
            // on a block, and no fork without some of them can be heavier. Each planned node signs.
            Family::Geth => Finality::Depth(network.spec.nodes.len() as u64 / 2 + 1),
        };
        let steps: Option<Arc<dyn Steps>> = match self.0.0 {
            Family::Geth if !dev => Some(Arc::new(FirstBlock)),
            _ => None,
        };
        let votes: Option<Arc<dyn Votes>> = match self.0.0 {
            _ if dev || network.spec.consensus == RAFT => None,
            Family::Quorum => Some(Arc::new(Methods::istanbul())),
            Family::Geth => Some(Arc::new(Methods::clique())),
            Family::Besu => Some(Arc::new(Methods::besu())),
        };
        let fees = if dev { Fees::Market } else { Fees::Fixed };
        let health = Arc::new(EngineHealth::new(self.0.0, network.spec.nodes.len()));
        let settings = Settings { finality, fees, time: made_at, steps, votes, ..Settings::new(health) };
        Arc::new(EvmLedger::new(&network, settings))
    }
}

/// When a block was made: GoQuorum's Raft counts nanoseconds, all others seconds.
fn made_at(header: &Header) -> types::Micros {
    /// Seconds of the year 33,658: what is above counts nanoseconds.
    const SECONDS: u64 = 1_000_000_000_000;
    match header.timestamp.to::<u64>() {
        0..SECONDS => header.seconds(),
        nanoseconds => i64::try_from(nanoseconds / 1_000).unwrap_or(i64::MAX),
    }
}
