//! An engine without a ledger program, for tests of what stands above drivers: nodes are trivial programs, the chain
//! is in memory.
//!
//! The planner's nodes run a program of the host that understands `print TEXT` and `serve HOST:PORT`, as the host's
//! own test program does. The chain is the driver's: it lasts as long as the driver value, and each transaction makes
//! a block at once. A contract is a map from text to text.

mod chain;
mod ledger;
mod planner;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::{Driver, Ledger, LedgerNetwork, Planner};

/// The engine's name.
pub const ENGINE: &str = "memory";
/// The port that a node serves.
pub const PORT: &str = "echo";

/// The driver of the engine `memory`.
pub struct MemoryDriver {
    planner: planner::MemoryPlanner,
    chains: Mutex<HashMap<types::Id, Arc<Mutex<chain::Chain>>>>,
}

impl MemoryDriver {
    /// A driver whose nodes run a program of the host.
    pub fn new(program: &str) -> Self {
        Self { planner: planner::MemoryPlanner { program: program.into() }, chains: Mutex::default() }
    }
}

impl Driver for MemoryDriver {
    fn planner(&self) -> &dyn Planner {
        &self.planner
    }

    fn ledger(&self, network: LedgerNetwork) -> Arc<dyn Ledger> {
        let chain = self
            .chains
            .lock()
            .entry(network.spec.id.clone())
            .or_insert_with(|| Arc::new(Mutex::new(chain::Chain::new(network.spec.node_ids().cloned().collect()))))
            .clone();
        Arc::new(ledger::MemoryLedger { network, chain })
    }
}

/// An artifact of the map contract: `set(key, value)`, `get(key)`, `fail(reason)`.
pub fn artifact() -> serde_json::Value {
    serde_json::json!({"contractName": "Map", "abi": ["set(key,value)", "get(key)", "fail(reason)"], "bytecode": "0x01"})
}
