//! The platform's values: what the API takes and answers, identifiers, roles, permissions and error codes.
//!
//! Shared by the server, the command line and the tests, so that all use the same words. No I/O and no
//! logic beyond parsing and checking. Times are microseconds since 1970 in UTC, as integers.

mod application;
mod channel;
mod contract;
mod engine;
mod error;
mod identity;
mod ledger;
mod network;
mod operation;
mod page;
mod permission;
mod server;

pub use application::*;
pub use channel::*;
pub use contract::*;
pub use engine::*;
pub use error::*;
pub use identity::*;
pub use ledger::*;
pub use network::*;
pub use operation::*;
pub use page::*;
pub use permission::*;
pub use server::*;

/// An identifier: a prefix that tells the kind (`org_`, `net_`, `node_`, `op_`, …) and a UUID version 7 in hex.
pub type Id = String;

/// Microseconds since 1970-01-01 00:00 UTC.
pub type Micros = i64;

/// Makes a new identifier with a prefix such as `net`.
pub fn new_id(prefix: &str) -> Id {
    format!("{prefix}_{}", uuid::Uuid::now_v7().simple())
}

/// The time now.
pub fn now() -> Micros {
    jiff::Timestamp::now().as_microsecond()
}
