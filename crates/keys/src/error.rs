//! Failures of this crate. None carries a secret.

use std::io::ErrorKind;
use std::path::PathBuf;

use types::Code;

/// Failure of a key operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The master key's file is not there though it should be.
    #[error("the master key file {} is missing", .0.display())]
    MasterKeyMissing(PathBuf),
    /// The master key's file does not hold a key.
    #[error("the master key file {path} is not valid: {reason}", path = .0.display(), reason = .1)]
    MasterKeyInvalid(PathBuf, &'static str),
    /// Others may read the master key's file.
    #[error("the master key file {} can be read by others", .0.display())]
    MasterKeyOpen(PathBuf),
    /// Something was sealed by another master key, or for another purpose, or was changed.
    #[error("the value was not sealed by this master key for this purpose")]
    Unsealable,
    /// A stored key is not one.
    #[error("a stored key is not valid")]
    KeyInvalid,
    /// A stored password hash is not one.
    #[error("a stored password hash is not valid")]
    PasswordHash,
    /// The system gave no random bytes, or the cryptographic library failed.
    #[error("the cryptographic library failed")]
    Cryptography,
    /// A file could not be read or written.
    #[error("{} cannot be used", .0.display())]
    File(PathBuf, #[source] std::io::Error),
    /// A certificate or its key cannot be used for TLS.
    #[error("the certificate cannot be used: {0}")]
    Certificate(String),
}

impl Error {
    /// The code that a person sees.
    pub fn code(&self) -> Code {
        match self {
            Error::MasterKeyMissing(_) | Error::MasterKeyInvalid(..) | Error::MasterKeyOpen(_) | Error::Unsealable => {
                Code::MasterKey
            }
            Error::KeyInvalid | Error::PasswordHash => Code::StoreCorrupt,
            Error::File(_, error) => match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::HostDisk,
                _ => Code::HostFile,
            },
            Error::Certificate(_) => Code::HostFile,
            Error::Cryptography => Code::Internal,
        }
    }
}

impl From<aws_lc_rs::error::Unspecified> for Error {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Error::Cryptography
    }
}
