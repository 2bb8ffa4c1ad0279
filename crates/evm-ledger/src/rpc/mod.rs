//! JSON-RPC over byte streams to several nodes.

mod client;
mod connection;
pub(crate) mod wire;

pub(crate) use client::Client;
pub use client::{Answer, NodeError, Request, parsed};
use connection::Broken;
pub use driver::RPC_PORT;
