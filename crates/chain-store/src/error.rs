//! What can go wrong, sorted by what the node has to do about it.

use std::sync::Arc;

use alloy_primitives::B256;

/// Why the store could not do what it was asked. Cheap to clone: a fatal error is told to everyone who waits.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk or a file failed: no space, I/O error, permission. Fatal; nothing was corrupted, a restart after the
    /// cause is removed goes on from the last durable block.
    #[error("storage: {what}: {detail}")]
    Storage {
        /// What was being done.
        what: &'static str,
        /// The cause, as the library tells it.
        detail: String,
    },
    /// A file of the store is damaged. Fatal.
    #[error(
        "storage: {what} is damaged ({detail}); restore it from a backup, or remove the chain's data and let the node fetch it from its peers"
    )]
    Corrupt {
        /// Which file or part.
        what: String,
        /// The cause.
        detail: String,
    },
    /// Another process has the store open.
    #[error("storage: {0} is in use by another process")]
    InUse(String),
    /// The data were written by a newer version of Polder.
    #[error(
        "storage: the data have format {found}, this version reads up to {supported}; use the newer version of Polder that wrote them"
    )]
    NewerSchema {
        /// The format in the file.
        found: u64,
        /// The newest format that this version reads.
        supported: u64,
    },
    /// The data belong to another chain.
    #[error(
        "storage: the data belong to the chain with genesis {found}, the given genesis is {given}; use another data directory or the right genesis file"
    )]
    OtherGenesis {
        /// Fingerprint of the genesis that the data were made with.
        found: B256,
        /// Fingerprint of the given genesis.
        given: B256,
    },
    /// A finalised block leads to another state than its header says. Fatal: this node's state or program differs from
    /// the validators'.
    #[error(
        "block {number} {hash} has state root {header} in its header but leads to {computed} here; this node's data are damaged or its version differs from the validators'"
    )]
    RootMismatch {
        /// The block's number.
        number: u64,
        /// The block's hash.
        hash: B256,
        /// The root in the header.
        header: B256,
        /// The root that was computed.
        computed: B256,
    },
    /// A finalised block is not valid here. Fatal, like [`Self::RootMismatch`].
    #[error(
        "finalised block {number} {hash} is not valid here: {reason}; this node's data are damaged or its version differs from the validators'"
    )]
    InvalidFinal {
        /// The block's number.
        number: u64,
        /// The block's hash.
        hash: B256,
        /// What is wrong with it.
        reason: String,
    },
    /// A finalised block does not extend the finalised chain.
    #[error("finalised block {number} does not follow block {head}")]
    OutOfOrder {
        /// The block's number.
        number: u64,
        /// The height of the finalised chain.
        head: u64,
    },
    /// The parent is neither a candidate nor the head.
    #[error("the parent block {0} is not known")]
    UnknownParent(B256),
    /// The block is above the finalised height.
    #[error("block {number} is not there: the newest block is {head}")]
    UnknownBlock {
        /// What was asked for.
        number: u64,
        /// The finalised height.
        head: u64,
    },
    /// A query of logs matched more than it may return.
    #[error("the query matches more than {limit} logs; narrow the range of blocks or the filter")]
    TooManyLogs {
        /// The most that it may return.
        limit: usize,
    },
    /// The executor could not build or check a block, for a reason that is not the block's.
    #[error("the executor: {0}")]
    Execution(String),
    /// The store was closed, or stopped by the fatal error that is its source.
    #[error("the store has stopped{}", .0.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default())]
    Stopped(Option<Arc<StoreError>>),
}

impl StoreError {
    /// Whether the node has to stop (exit code 74): going on could lose or corrupt something.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Storage { .. }
            | Self::Corrupt { .. }
            | Self::InUse(_)
            | Self::NewerSchema { .. }
            | Self::OtherGenesis { .. }
            | Self::RootMismatch { .. }
            | Self::InvalidFinal { .. }
            | Self::OutOfOrder { .. } => true,
            Self::Stopped(cause) => cause.is_some(),
            Self::UnknownParent(_) | Self::UnknownBlock { .. } | Self::TooManyLogs { .. } | Self::Execution(_) => false,
        }
    }

    pub(crate) fn storage(what: &'static str, cause: impl std::fmt::Display) -> Self {
        Self::Storage { what, detail: cause.to_string() }
    }
}

/// Why a proposed block was not accepted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Verify {
    /// The block is wrong, now and for ever.
    #[error("invalid block: {0}")]
    Invalid(String),
    /// The parent has not been executed here (yet).
    #[error("the parent block is not known")]
    MissingParent,
    /// The block may be right; this node cannot tell.
    #[error(transparent)]
    Store(#[from] StoreError),
}
