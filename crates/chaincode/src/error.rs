//! What can go wrong between a source and its program.

use std::path::{Path, PathBuf};

/// Result of work with sources and builds.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong. The texts are for the person whose source it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An archive that is none, is too large, or holds what a source must not.
    #[error("the source is refused: {0}")]
    Source(String),
    /// Nothing in the source tells its language.
    #[error("{0}")]
    Language(String),
    /// A program that building needs is missing or too old.
    #[error("{0}")]
    Toolchain(String),
    /// The compiler or the project's own build has failed.
    #[error("the chaincode does not build: {0}")]
    Build(String),
    /// The build took too long.
    #[error("the build did not end within {0} s")]
    TimeLimit(u64),
    /// Something would have to be downloaded and must not be.
    #[error("builds may not download anything on this server, and something is missing: {0}")]
    DownloadsOff(String),
    /// The registry of the language cannot be reached.
    #[error("a package registry cannot be reached: {0}")]
    Registry(String),
    /// No space left.
    #[error("there is no space left for {}", .0.display())]
    DiskFull(PathBuf),
    /// The machine cannot keep other people's code apart.
    #[error("other people's code is not built here: no sandbox can be had: {0}")]
    Sandbox(String),
    /// A name that cannot be a build's.
    #[error("`{0}` is no build")]
    Unknown(String),
    /// A file of the build directory.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The host.
    #[error(transparent)]
    Host(host::Error),
}

impl Error {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull(path.to_owned()),
            _ => Self::File { path: path.to_owned(), source },
        }
    }
}

impl From<host::Error> for Error {
    fn from(error: host::Error) -> Self {
        match error {
            host::Error::TimeLimit { seconds, .. } => Self::TimeLimit(seconds),
            host::Error::Sandbox(reason) => Self::Sandbox(reason),
            host::Error::DiskFull(path) => Self::DiskFull(path),
            host::Error::File { path, source } => Self::File { path, source },
            other => Self::Host(other),
        }
    }
}
