//! Why a command fails, in words for the operator, and the exit status of each case.

use std::{io, net::SocketAddr, path::PathBuf};

use chain_pool::PoolError;
use chain_store::StoreError;
use chain_types::ValidatorKey;

use crate::exit;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be used.
    #[error("storage: {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The data directory has not been prepared.
    #[error("{0} is not initialised: run `polder-node init --genesis FILE --data {0}` first")]
    NotInitialised(PathBuf),
    /// The data directory is for another chain.
    #[error("{directory} was initialised with another genesis ({found}); use another data directory for {given}")]
    OtherGenesis {
        /// The data directory.
        directory: PathBuf,
        /// Fingerprint of the genesis in it.
        found: String,
        /// Fingerprint of the given genesis.
        given: String,
    },
    /// Another process holds the data directory.
    #[error("{0} is in use by another polder-node")]
    Locked(PathBuf),
    /// There is no key.
    #[error("there is no key at {0}: make one with `polder-node key`")]
    NoKey(PathBuf),
    /// The key file is not one.
    #[error("{0} is not a key file: 64 hexadecimal digits are expected")]
    BadKey(PathBuf),
    /// The genesis does not list this node.
    #[error(
        "the genesis does not list this node's key {0}: add it to config.polder.validators, or use --follower to follow the chain"
    )]
    NotListed(ValidatorKey),
    /// A validator was to be a follower.
    #[error("the genesis lists this node's key {0} as a validator: leave --follower out")]
    IsValidator(ValidatorKey),
    /// The genesis file is refused.
    #[error("{path}: {source}")]
    Genesis {
        /// The file.
        path: PathBuf,
        /// Why.
        source: chain_types::GenesisError,
    },
    /// The genesis asks for what this version cannot execute.
    #[error("the genesis is not usable: {0}")]
    Execution(#[from] chain_exec::ExecError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} for {what}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// For what.
        what: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// JSON-RPC beyond loopback without a proxy.
    #[error(
        "JSON-RPC on {0} would be open to the network without TLS: put a proxy before it and say --behind-proxy, or use a loopback address"
    )]
    OpenToNetwork(SocketAddr),
    /// A peer that the genesis does not list.
    #[error("--peer {0}: the genesis does not list this key as a validator; a follower is allowed by --follower-key")]
    UnknownPeer(ValidatorKey),
    /// The pool's journal.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The chain's store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Consensus ended.
    #[error(transparent)]
    Consensus(#[from] chain_consensus::Error),
    /// The operating system refused something that every process needs.
    #[error("{what}: {source}")]
    System {
        /// What.
        what: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// A part that must run for as long as the node ended.
    #[error("{0} ended unexpectedly")]
    Ended(&'static str),
}

impl Error {
    /// How the process ends: see [`exit`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::File { .. } | Self::Pool(PoolError::Journal { .. } | PoolError::State(_)) => exit::STORAGE,
            Self::Store(error) => store_exit_code(error),
            Self::Consensus(chain_consensus::Error::Store(error)) => store_exit_code(error),
            Self::Consensus(chain_consensus::Error::Storage { .. }) => exit::STORAGE,
            Self::Consensus(chain_consensus::Error::InvalidValidator(_)) => exit::CONFIGURATION,
            Self::Ended(_) | Self::Consensus(chain_consensus::Error::Ended(_)) | Self::System { .. } => exit::SOFTWARE,
            Self::NotInitialised(_)
            | Self::OtherGenesis { .. }
            | Self::Locked(_)
            | Self::NoKey(_)
            | Self::BadKey(_)
            | Self::NotListed(_)
            | Self::IsValidator(_)
            | Self::Genesis { .. }
            | Self::Execution(_)
            | Self::Listen { .. }
            | Self::OpenToNetwork(_)
            | Self::UnknownPeer(_)
            | Self::Pool(PoolError::NotAJournal { .. }) => exit::CONFIGURATION,
        }
    }
}

fn store_exit_code(error: &StoreError) -> u8 {
    match error {
        StoreError::Storage { .. } | StoreError::Corrupt { .. } => exit::STORAGE,
        StoreError::Stopped(Some(cause)) => store_exit_code(cause),
        StoreError::InUse(_) | StoreError::NewerSchema { .. } | StoreError::OtherGenesis { .. } => exit::CONFIGURATION,
        StoreError::RootMismatch { .. }
        | StoreError::InvalidFinal { .. }
        | StoreError::OutOfOrder { .. }
        | StoreError::UnknownParent(_)
        | StoreError::UnknownBlock { .. }
        | StoreError::TooManyLogs { .. }
        | StoreError::Execution(_)
        | StoreError::Stopped(None) => exit::SOFTWARE,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_full_disk_has_its_exit_status_whoever_tells_it() {
        let full = StoreError::Storage { what: "writing the ledger", detail: "no space".into() };
        let stopped = StoreError::Stopped(Some(Arc::new(full.clone())));
        for error in [full, stopped] {
            assert_eq!(Error::from(error.clone()).exit_code(), exit::STORAGE);
            assert_eq!(Error::from(chain_consensus::Error::from(error)).exit_code(), exit::STORAGE);
        }
        assert_eq!(Error::from(StoreError::Stopped(None)).exit_code(), exit::SOFTWARE);
        assert_eq!(Error::from(StoreError::InUse("a".into())).exit_code(), exit::CONFIGURATION);
    }
}
