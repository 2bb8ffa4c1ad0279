//! The built-in chain's values: blocks, the genesis file, and how both are encoded.
//!
//! This crate knows Ethereum's formats and the codec that consensus asks for, and nothing else: no
//! storage, no network, no clock. A block is Ethereum's block; its hash (keccak-256 of the RLP
//! header) is also the digest that consensus orders.

mod block;
mod genesis;
mod senders;

pub use block::{Block, Recovered, extra_data, timestamp_millis};
pub use genesis::{Genesis, GenesisError, PolderConfig, ValidatorKey};
pub use senders::SenderCache;

/// Transactions, receipts and headers are Ethereum's own.
pub use alloy_consensus::{Header, ReceiptEnvelope, TxEnvelope};

/// Longest RLP of a block that a node accepts, in bytes.
pub const MAX_BLOCK_BYTES: usize = 8 * 1024 * 1024;

/// Longest raw transaction that a node accepts, in bytes.
pub const MAX_TRANSACTION_BYTES: usize = 128 * 1024;
