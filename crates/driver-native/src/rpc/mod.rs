//! JSON-RPC over byte streams to several nodes.

mod client;
mod connection;
pub(crate) mod wire;

pub(crate) use client::{Answer, Client, NodeError, Request, parsed};
use connection::Broken;
