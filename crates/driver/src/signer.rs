//! Who signs: accounts and identities whose keys stay with whoever holds them.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::{Error, Result};

/// Somebody with a key.
pub trait Signer: Send + Sync {
    /// The address by which the ledger knows who signs.
    fn address(&self) -> &str;

    /// The certificate, PEM, where the ledger knows who signs by one.
    fn certificate(&self) -> Option<&str> {
        None
    }

    /// Signs.
    ///
    /// An account's key (secp256k1) takes a digest of 32 bytes and gives r, s (each 32 bytes, big-endian, s in the lower half),
    /// then the parity of y (0 or 1). A certificate's key (P-256) takes a message of any length and gives ECDSA of its SHA-256
    /// in DER, with the lower S.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>>;
}

/// The members' identities on a network, as its plan asked for them ([`workload::IdentitySpec`]).
pub trait Identities: Send + Sync {
    /// The identity of that name. Its address is its name.
    ///
    /// # Errors
    /// It was not issued, or its key cannot be had.
    fn identity<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Arc<dyn Signer>>>;
}

/// No identities: for engines that need none.
pub struct NoIdentities;

impl Identities for NoIdentities {
    fn identity<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Arc<dyn Signer>>> {
        Box::pin(async { Err(Error::Unsupported("identities")) })
    }
}
