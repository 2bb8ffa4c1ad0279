//! The driver of the built-in chain, engine `polder`: plans networks of `polder-node` processes and speaks to their
//! ledger over JSON-RPC.
//!
//! It knows the program's command line, its genesis file and its RPC, but links nothing of the chain: whatever
//! version of `polder-node` a host has is spoken to in the same way. It holds no keys and opens no sockets of its
//! own: nodes are reached by the given [`driver::Connector`].

mod ledger;
mod plan;
mod rpc;

use std::sync::Arc;

use driver::{Driver, Ledger, LedgerNetwork, Planner};

use ledger::NativeLedger;
use plan::NativePlanner;

/// The engine's name.
pub const ENGINE: &str = "polder";

/// The driver of the built-in chain. Holds nothing: each ledger that it opens keeps its own connections.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeDriver;

impl Driver for NativeDriver {
    fn planner(&self) -> &dyn Planner {
        &NativePlanner
    }

    fn ledger(&self, network: LedgerNetwork) -> Arc<dyn Ledger> {
        Arc::new(NativeLedger::new(&network))
    }
}
