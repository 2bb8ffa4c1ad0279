//! Drivers: what an engine is (a [`Planner`]) and how its ledger is spoken to (a [`Ledger`]).
//!
//! A planner is pure: specification, placements and outputs in, plan out. A ledger reaches nodes by a
//! [`Connector`] alone, so it does not know where they run. Neither holds keys: who signs is a
//! [`Signer`]. What an engine can do is data ([`types::Engine`]): nothing above branches
//! on an engine's name.

mod attach;
mod call;
pub mod conformance;
mod error;
mod ledger;
pub mod memory;
mod options;
mod planner;
mod signer;
mod validators;

pub use attach::*;
pub use call::*;
pub use error::*;
pub use ledger::*;
pub use options::*;
pub use planner::*;
pub use signer::*;
pub use validators::*;
