//! What differs between the chains that one ledger serves.

use std::sync::Arc;

use crate::{Header, Health, Steps, Votes};

/// When a block is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finality {
    /// As soon as a node shows it: votes or a log decide before it is made.
    Immediate,
    /// When this many blocks follow it. Younger blocks may be replaced, so they are not shown and what is in them is pending.
    Depth(u64),
    /// As the node's `finalized` tag says; immediate where a node has no such tag.
    Announced,
}

/// Who sets the price of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fees {
    /// The network's settings, for its life: asked for once.
    Fixed,
    /// Demand: asked for with each transaction.
    Market,
}

/// Where in an HTTP server the JSON-RPC is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The name that the server is asked by.
    pub host: String,
    /// Path, with its query where it has one.
    pub path: String,
}

impl Default for Endpoint {
    /// Nodes serve loopback's names, however a stream came to them.
    fn default() -> Self {
        Self { host: "localhost".into(), path: "/".into() }
    }
}

/// What a driver says of its chain.
#[derive(Clone)]
pub struct Settings {
    /// How a node tells how it is.
    pub health: Arc<dyn Health>,
    /// When a block is final.
    pub finality: Finality,
    /// Who sets the price of gas.
    pub fees: Fees,
    /// When a block was made.
    pub time: fn(&Header) -> types::Micros,
    /// Where the nodes answer.
    pub endpoint: Endpoint,
    /// How the steps of its plans are taken, if they have any.
    pub steps: Option<Arc<dyn Steps>>,
    /// How validators are voted on, where they are.
    pub votes: Option<Arc<dyn Votes>>,
}

impl Settings {
    /// A chain whose blocks are final at once and whose price of gas stays.
    pub fn new(health: Arc<dyn Health>) -> Self {
        Self {
            health,
            finality: Finality::Immediate,
            fees: Fees::Fixed,
            time: Header::seconds,
            endpoint: Endpoint::default(),
            steps: None,
            votes: None,
        }
    }
}
