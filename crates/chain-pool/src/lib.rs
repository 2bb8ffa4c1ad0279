//! The pool of transactions that wait for a block.
//!
//! It decides what is accepted and says precisely why not, keeps each sender's transactions in the
//! order of their nonces, offers the executable ones to a leader, and remembers what became of
//! those that left. What a client was told is accepted is in the journal and leaves only by
//! inclusion, by its sender's replacement, or by becoming invalid.
//!
//! It knows accounts through [`PoolState`] alone; it has no network and no runtime of its own: time
//! comes from [`PoolConfig::clock`], gossip is pulled by [`Pool::next_batch`]. The journal is the
//! only file it writes, from one thread of its own.

mod candidates;
mod check;
mod config;
mod fates;
mod journal;
mod outgoing;
mod pool;
mod queue;
mod refusal;
mod shared;
mod store;
mod writer;

#[cfg(test)]
mod tests;

/// The rules of a block, in [`PoolState::spec`].
pub use revm::primitives::hardfork::SpecId;

pub use config::{Clock, Limits, PoolConfig, PoolState, RecoverEachTime, SenderSource, system_clock};
pub use pool::{Content, Origin, Pool, PoolStatus};
pub use refusal::{Fate, PoolError, Refusal};
