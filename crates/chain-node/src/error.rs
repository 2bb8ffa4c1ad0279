//! Why a command fails, in words for the operator, and the exit status of each case.

use std::{io, net::SocketAddr, path::PathBuf};

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
    Pool(#[from] chain_pool::PoolError),
    /// The chain's store.
    #[error(transparent)]
    Store(#[from] chain_store::StoreError),
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
        use chain_store::StoreError as Store;
        match self {
            Self::File { .. } => exit::STORAGE,
            Self::Pool(chain_pool::PoolError::Journal { .. }) => exit::STORAGE,
            Self::Store(Store::Storage { .. } | Store::Corrupt { .. }) => exit::STORAGE,
            Self::Consensus(error) if error.is_storage() => exit::STORAGE,
            Self::Consensus(chain_consensus::Error::InvalidValidator(_)) => exit::CONFIGURATION,
            Self::Ended(_) | Self::Consensus(_) | Self::System { .. } => exit::SOFTWARE,
            Self::Store(Store::RootMismatch { .. } | Store::InvalidFinal { .. } | Store::OutOfOrder { .. }) => {
                exit::SOFTWARE
            }
            _ => exit::CONFIGURATION,
        }
    }
}
