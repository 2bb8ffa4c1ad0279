//! Networks that others run: they have a ledger and no planner.

use std::net::IpAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{Connector, Ledger, LedgerNetwork, Result};

/// Where in an HTTP server a network answers. The connector leads to the server.
#[derive(Clone, PartialEq, Eq)]
pub struct Remote {
    /// The name that the server is asked by.
    pub host: String,
    /// Path and query. They may carry an access key.
    pub path: String,
}

/// What was found at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The chain's id.
    pub chain_id: u64,
    /// Hash of its first block.
    pub first_block: String,
    /// Name and version of the program that answers, where it tells.
    pub client: Option<String>,
    /// How its nodes agree, as far as they tell.
    pub consensus: String,
    /// After how many blocks one is final, where neither the consensus nor the nodes say it with each block.
    pub confirmations: Option<u64>,
}

/// A network that is attached, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachedSpec {
    /// Scheme, host and port.
    pub origin: String,
    /// Path and query, sealed by who stores it.
    pub path: String,
    /// The address that the host's name led to.
    pub ip: IpAddr,
    /// [`Found::first_block`]: with the chain id, what tells this chain from others.
    pub first_block: String,
    /// [`Found::client`].
    pub client: Option<String>,
    /// [`Found::confirmations`], or a person's choice.
    pub confirmations: Option<u64>,
}

/// Speaks to networks of one kind that others run.
pub trait Attacher: Send + Sync {
    /// What such networks are and can do. They are not made, so there is no consensus to choose.
    fn describe(&self) -> types::Engine;

    /// Looks at what answers at an address.
    ///
    /// # Errors
    /// `Unreachable` when nothing answers, a problem `address.invalid` when it is no such network.
    fn look<'a>(&'a self, connector: Connector, remote: &'a Remote) -> BoxFuture<'a, Result<Found>>;

    /// Opens the ledger of a network whose specification says that it is attached. Whatever is asked of it or sent to it, it
    /// first makes sure that the chain is still the one that was found.
    ///
    /// # Errors
    /// The specification does not say where it is.
    fn ledger(&self, network: LedgerNetwork, remote: &Remote) -> Result<Arc<dyn Ledger>>;
}
