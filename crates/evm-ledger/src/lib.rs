//! The ledger of any chain that speaks Ethereum's JSON-RPC: one implementation of [`driver::Ledger`] for the built-in
//! chain, for GoQuorum, geth and Besu, and for networks that are only attached.
//!
//! It may know Ethereum's transactions, its JSON-RPC and what nodes of different age leave out of it: a method that a node
//! does not have is remembered, and the other way to the same answer is taken from then on. It must not know an engine:
//! what differs between them is given as [`Settings`], and how a node tells how it is is each driver's own ([`Health`]).
//! It holds no keys and opens no sockets: nodes are reached by the given [`driver::Connector`].

mod calls;
mod decode;
mod events;
mod explore;
mod fees;
mod finality;
mod health;
mod ledger;
mod outcome;
mod rpc;
mod send;
mod settings;
mod steps;
mod votes;

pub use health::{Health, NodeClient};
pub use ledger::EvmLedger;
pub use rpc::wire::{Block, Header};
pub use rpc::{Answer, NodeError, RPC_PORT, Request, parsed};
pub use settings::{Endpoint, Fees, Finality, Settings};
pub use steps::Steps;
pub use votes::Votes;
