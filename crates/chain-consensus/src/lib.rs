//! Consensus of the built-in chain: who may propose, when, and what is final.
//!
//! The agreement itself is commonware's: *simplex* orders block hashes, *marshal* keeps finalised blocks and
//! certificates and fetches what is missing from peers, and marshal's `Inline` wrapper joins the two (a validator
//! finalises a block only after it is on its disk). This crate adds what is ours:
//!
//! - [`Pace`]: when a leader proposes;
//! - the application: building and checking blocks with [`chain_store::Chain`] and [`chain_pool::Pool`];
//! - epochs: one simplex engine for each epoch, stopped and started at the boundaries, with the validators that
//!   [`Membership`] names;
//! - delivery: finalised blocks go to the chain in order and are acknowledged once they are durable there;
//! - gossip of transactions, and followers, which do all of it but vote;
//! - [`StatusBoard`]: what a node says of itself.
//!
//! No I/O of its own: clock, tasks, storage and randomness come from the runtime context (an [`Environment`]), the
//! network from [`Channels`]. The same code runs on sockets and in a seeded simulator. [`network`] opens the real
//! network and is the only part that knows addresses.

mod application;
mod archive;
mod config;
mod delivery;
mod engine;
mod epochs;
mod error;
mod gossip;
mod membership;
pub mod network;
mod pace;
mod sorted;
mod status;

pub use config::{Config, MAX_BATCH_BYTES, NAMESPACE, namespace};
pub use engine::{Channels, Parts, channel, run};
pub use error::Error;
pub use membership::{Membership, private_key, public_key, validator_key};
pub use pace::{Pace, Timeouts};
pub use status::{Peer, Role, Status, StatusBoard};

use commonware_runtime::{Clock, Metrics, Spawner, Storage};

/// A node's identity: its public key.
pub type PublicKey = commonware_cryptography::ed25519::PublicKey;
/// A node's identity: its private key.
pub type PrivateKey = commonware_cryptography::ed25519::PrivateKey;
/// How validators sign: ed25519, a certificate is a quorum of signatures.
pub type Scheme = commonware_consensus::simplex::scheme::ed25519::Scheme;
/// A block's hash as consensus orders it.
pub type Digest = commonware_cryptography::keccak256::Digest;

/// What consensus takes from the runtime.
pub trait Environment: Clock + Metrics + Spawner + Storage + rand::CryptoRng {}

impl<E: Clock + Metrics + Spawner + Storage + rand::CryptoRng> Environment for E {}
