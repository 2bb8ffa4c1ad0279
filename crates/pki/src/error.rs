//! Failures of this crate. None carries a secret.

/// A certificate or a key cannot be read or made, or a key does not sign.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A certificate or a key cannot be read or made.
    #[error("{what} is not usable")]
    Certificate {
        /// Which.
        what: &'static str,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A key does not sign.
    #[error("a key does not sign: {0}")]
    Signing(String),
}

impl Error {
    pub(crate) fn certificate(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Certificate { what, source: source.into() }
    }
}
