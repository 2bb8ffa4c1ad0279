//! The driver of the built-in chain, engine `polder`: plans networks of `polder-node` processes and says what is
//! its own in their JSON-RPC: the status of a node, and the milliseconds of a block.
//!
//! It knows the program's command line, its genesis file and its RPC, but links nothing of the chain: whatever
//! version of `polder-node` a host has is spoken to in the same way. It holds no keys and opens no sockets of its
//! own: nodes are reached by the given [`driver::Connector`].

mod health;
mod plan;

use std::sync::Arc;

use driver::{Driver, Ledger, LedgerNetwork, Planner};
use evm_ledger::{EvmLedger, Header, Settings};

use health::StatusHealth;
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
        let settings = Settings { time: made_at, ..Settings::new(Arc::new(StatusHealth)) };
        Arc::new(EvmLedger::new(&network, settings))
    }
}

/// When a block was made: the header's seconds, and the milliseconds in its extra field (a version byte 0, then two bytes,
/// big-endian).
fn made_at(header: &Header) -> types::Micros {
    let millis = match header.extra_data.as_ref() {
        [0, high, low] => u16::from_be_bytes([*high, *low]).min(999),
        _ => 0,
    };
    header.seconds().saturating_add(i64::from(millis) * 1_000)
}
