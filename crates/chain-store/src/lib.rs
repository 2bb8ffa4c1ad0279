//! What a node of the built-in chain remembers: state, blocks, receipts and their indexes.
//!
//! Two stores, one order. The *commitment* ([`commitment::Commitment`], QMDB today) gives a block its state root and
//! nothing else; the *ledger* (one redb file) answers every read. A finalised block goes into the commitment first and
//! into the ledger second, so after a crash the commitment is at the ledger's height or above it, and is taken back to
//! the ledger's height when the node starts. Blocks above that are delivered again by consensus and executed again.
//!
//! Blocks that are executed but not final live in memory as a tree of [`Candidate`]s; finalised blocks stay in memory
//! too until they are written, so that no read and no proposal ever waits for the disk.
//!
//! This crate knows blocks, the executor and the runtime's storage. It knows nothing of votes, peers or JSON-RPC, and
//! takes clock, tasks and files from the runtime that it is opened with, except for the ledger's file.

mod blocking;
mod chain;
mod changes;
pub mod commitment;
mod error;
mod extend;
mod ledger;
mod logs;
mod rebuild;
mod state;
mod tree;
mod worker;

#[cfg(test)]
mod tests;

pub use chain::{Chain, StoreConfig};
pub use error::{StoreError, Verify};
pub use extend::Proposed;
pub use ledger::{MemoryFile, SCHEMA};
pub use logs::LogEntry;
pub use tree::{Candidate, Sealed};

/// The process-wide cache of transactions' senders.
pub use chain_types::SenderCache;
