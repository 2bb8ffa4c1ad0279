//! Keys and secrets: the master key and what it encrypts, passwords, tokens, organisations' signing keys, members' ledger
//! accounts, and the server's TLS certificate.
//!
//! Private keys leave this crate only sealed by the [`MasterKey`], or as the 0600 files that are documented. Nothing here
//! prints one: the types that hold secrets have no `Display` and a `Debug` that says nothing. No database, no network.

mod account;
mod error;
mod files;
mod master;
mod organisation;
mod password;
mod secret;
mod tls;
mod token;

pub use account::AccountKey;
pub use error::Error;
pub use master::{MasterKey, MasterKeySource};
pub use organisation::{OrganisationKey, verify};
pub use password::{hash_password, spend_password_time, verify_password};
pub use secret::Secret;
pub use tls::{Certificate, load_certificate, self_made_certificate, server_config};
pub use token::{Token, hash_token};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
