//! Why a node stops.

use chain_store::StoreError;

/// Consensus cannot go on. Every case ends the node.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chain's store failed, or a finalised block does not fit it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The consensus' own files could not be opened or written.
    #[error("storage: {what}: {detail}")]
    Storage {
        /// What was being done.
        what: &'static str,
        /// The cause, as the library tells it.
        detail: String,
    },
    /// A part that must run for as long as the node ended.
    #[error("{0} ended unexpectedly")]
    Ended(&'static str),
    /// The genesis does not describe a validator set.
    #[error("the genesis names an invalid validator key: {0}")]
    InvalidValidator(chain_types::ValidatorKey),
}
