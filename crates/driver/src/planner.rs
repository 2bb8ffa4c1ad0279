//! Planning networks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{Id, NetworkPreview, PlannedNode, Problem};
use workload::{Outputs, Placement, Placements, Plan, PortSpec};

use crate::{Ledger, LedgerNetwork, Result};

/// What a person asks for, before anything has an id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// The network's name.
    pub name: String,
    /// Name of the consensus.
    pub consensus: String,
    /// Version of the engine's programs; none when they come with Polder.
    pub version: Option<String>,
    /// How many nodes.
    pub nodes: u32,
    /// Names of the members that take part, in order.
    pub members: Vec<String>,
    /// The chain id, when given.
    pub chain_id: Option<u64>,
    /// A genesis to start from, when given.
    pub genesis: Option<Value>,
    /// Options as given; null for none.
    pub options: Value,
}

/// What a planner makes of a draft that it accepts.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The chain id that the draft or its genesis gives. With none, the caller draws one.
    pub chain_id: Option<u64>,
    /// The options with defaults filled in.
    pub options: Value,
    /// The nodes to make, named `NETWORK/NODE`.
    pub nodes: Vec<PlannedNode>,
    /// What the choice means, in sentences.
    pub notes: Vec<String>,
}

impl Accepted {
    /// The same for the API.
    pub fn into_preview(self) -> NetworkPreview {
        NetworkPreview { chain_id: self.chain_id, nodes: self.nodes, notes: self.notes }
    }
}

/// A network as it is planned: settled and stored, so that planning gives the same each time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkSpec {
    /// The network's id.
    pub id: Id,
    /// The network's name.
    pub name: String,
    /// Name of the consensus.
    pub consensus: String,
    /// [`Draft::version`].
    #[serde(default)]
    pub version: Option<String>,
    /// The chain id.
    pub chain_id: u64,
    /// When it was asked for, in microseconds since 1970: planners have no clock.
    pub created_at: types::Micros,
    /// The genesis that was given, if one.
    pub genesis: Option<Value>,
    /// [`Accepted::options`].
    pub options: Value,
    /// The nodes.
    pub nodes: Vec<NodeSpec>,
    /// Accounts that exist from the start.
    pub accounts: Vec<AccountSpec>,
}

/// A node as it is planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSpec {
    /// The node's id.
    pub id: Id,
    /// `NETWORK/NODE`.
    pub name: String,
    /// Name of its member.
    pub member: String,
    /// Its role.
    pub role: String,
}

/// An account that exists from the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountSpec {
    /// Its address on the ledger.
    pub address: String,
    /// Name of its member.
    pub member: String,
    /// What it owns in the smallest unit, decimal; the planner's own choice when absent.
    pub balance: Option<String>,
}

/// How clients outside reach a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Address of JSON-RPC over HTTP.
    pub rpc: Option<String>,
    /// Address of JSON-RPC over WebSocket.
    pub ws: Option<String>,
}

/// Plans the networks of one engine. Pure: the same input gives the same plan.
pub trait Planner: Send + Sync {
    /// What the engine is, can do and takes.
    fn describe(&self) -> types::Engine;

    /// Checks a draft and settles what follows from it.
    ///
    /// # Errors
    /// A problem with the fields that do not fit and why.
    #[allow(clippy::result_large_err, reason = "called once per request; a box would only burden callers")]
    fn accept(&self, draft: &Draft) -> std::result::Result<Accepted, Problem>;

    /// The ports that a node of a role needs, to be reserved before planning.
    fn ports(&self, role: &str) -> Vec<PortSpec>;

    /// The plan, as far as it can be made with the outputs that are there (see [`Plan::complete`]).
    ///
    /// # Errors
    /// The specification is not one that was accepted, a placement is missing, or an output is not what it should be.
    fn plan(&self, spec: &NetworkSpec, placements: &Placements, outputs: &Outputs) -> Result<Plan>;

    /// How clients reach a node.
    fn endpoints(&self, placement: &Placement) -> Endpoints;
}

/// One engine: its planner and its ledgers.
pub trait Driver: Send + Sync {
    /// The engine's planner.
    fn planner(&self) -> &dyn Planner;

    /// Opens the ledger of a network. Cheap: connects when used.
    fn ledger(&self, network: LedgerNetwork) -> Arc<dyn Ledger>;
}

/// The drivers of a deployment.
#[derive(Clone, Default)]
pub struct Drivers(Vec<(String, Arc<dyn Driver>)>);

impl Drivers {
    /// A set of drivers; the first is the default engine.
    pub fn new(drivers: Vec<Arc<dyn Driver>>) -> Self {
        Self(drivers.into_iter().map(|driver| (driver.planner().describe().name, driver)).collect())
    }

    /// The driver of an engine.
    pub fn get(&self, engine: &str) -> Option<&Arc<dyn Driver>> {
        self.0.iter().find(|(name, _)| name == engine).map(|(_, driver)| driver)
    }

    /// What each engine is.
    pub fn engines(&self) -> Vec<types::Engine> {
        self.0.iter().map(|(_, driver)| driver.planner().describe()).collect()
    }
}

impl std::fmt::Debug for Drivers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
