//! All of Polder's SQL.
//!
//! [`Store`] opens SQLite (embedded, one server) or PostgreSQL by the same queries: `$1` placeholders, ids as TEXT, times as
//! BIGINT microseconds, JSON as TEXT, booleans as BIGINT. Only the migrations differ. Queries are free functions, one module
//! per resource, that take a connection: a [`Tx`] to change something, a [`Read`] to look. The audit log and the change feed
//! are written with the transaction that they tell of. The crate knows rows and values, no rules: who may do what is decided
//! above.

pub mod access_keys;
pub mod accounts;
pub mod applications;
pub mod audit;
pub mod changes;
pub mod consortia;
pub mod contracts;
mod error;
pub mod idempotency;
pub mod identities;
pub mod networks;
pub mod nodes;
mod open;
pub mod operations;
pub mod organisations;
pub mod sessions;
pub mod settings;
pub mod statistics;
mod text;
mod transaction;
pub mod transactions;
pub mod users;

pub use error::Error;
pub use open::{Database, Location, Store};
pub use transaction::{NewAudit, Read, Tx};

/// What every query runs on: a [`Tx`] or a [`Read`] by dereference.
pub type Connection = sqlx::AnyConnection;

/// Result of a query.
pub type Result<T> = std::result::Result<T, Error>;
