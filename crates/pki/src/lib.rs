//! Certificates: keys, an organisation's certificate authorities and what they issue. The only place where certificates
//! of nodes and of people are made.
//!
//! Pure functions on PEM text and keys in memory: no files, no database, no network. Who keeps a key, and how, is the
//! caller's concern; a CA key is only ever asked to sign (an [`IssuerKey`]).

pub mod authority;
mod error;
mod key;

pub use authority::IssuerKey;
pub use error::Error;
pub use key::{SecretKey, low_s};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
