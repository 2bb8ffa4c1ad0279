//! The driver of Hyperledger Fabric: engine `fabric`.
//!
//! It plans networks of Fabric's own programs (orderers that agree by raft or SmartBFT, peers, chaincode that runs as a
//! service of its own) and speaks to their channels by [`fabric_client`]. The planner is pure: certificates are asked for in
//! the plan and come back as its outputs, and the first block of a channel is a function of both. What has to be done on the
//! running network (joining, anchor peers, chaincode's lifecycle) are steps. It holds no keys: who signs is given, and
//! private keys reach programs as references that the host resolves. It opens no sockets of its own.

mod layout;
mod ledger;
mod plan;
mod profile;

use std::sync::Arc;

use driver::{Driver, Ledger, LedgerNetwork, Planner};

pub use ledger::FabricLedger;
use plan::FabricPlanner;
pub use plan::genesis_block;

/// The driver of Hyperledger Fabric. Holds nothing: each ledger that it opens keeps its own connections.
#[derive(Clone, Copy, Debug, Default)]
pub struct FabricDriver;

impl Driver for FabricDriver {
    fn planner(&self) -> &dyn Planner {
        &FabricPlanner
    }

    fn ledger(&self, network: LedgerNetwork) -> Arc<dyn Ledger> {
        Arc::new(FabricLedger::new(network))
    }
}
