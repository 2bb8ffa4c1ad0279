//! Planning networks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{Id, NetworkPreview, PlannedNode, Problem};
use workload::{Outputs, Placement, Placements, Plan, PortSpec};
use zeroize::Zeroizing;

use crate::{AttachedSpec, Attacher, Ledger, LedgerNetwork, Result};

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
    /// The channels to make, where the engine has them.
    pub channels: Vec<ChannelSpec>,
    /// The members' accounts, where an account is an identity of the plan. Empty where it is a key of its own, which the caller
    /// makes.
    pub accounts: Vec<AccountSpec>,
    /// Other engines whose programs its nodes run too.
    pub engines: Vec<String>,
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
    /// The versions of [`Accepted::engines`] by their names.
    #[serde(default)]
    pub engines: BTreeMap<String, String>,
    /// The chain id, where the engine has one.
    #[serde(default)]
    pub chain_id: Option<u64>,
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
    /// Its channels.
    #[serde(default)]
    pub channels: Vec<ChannelSpec>,
    /// Contracts that run as nodes of their own, oldest first.
    #[serde(default)]
    pub contracts: Vec<ContractSpec>,
    /// Names of nodes that were added later or are gone: a name is not given twice, since what was made for it may still be
    /// known by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spent_names: Vec<String>,
    /// Where it is, for a network that others run. Its one node stands for whatever answers there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached: Option<AttachedSpec>,
}

impl NetworkSpec {
    /// What is stored of an accepted draft. Chain id and accounts are the planner's, as far as it gives them. The versions of
    /// other engines are the caller's to settle.
    pub fn settle(
        id: Id,
        created_at: types::Micros,
        draft: &Draft,
        accepted: &Accepted,
        mut node_id: impl FnMut() -> Id,
    ) -> Self {
        let node = |node: &PlannedNode| NodeSpec::new(node_id(), node.clone(), None);
        Self {
            id,
            name: draft.name.clone(),
            consensus: draft.consensus.clone(),
            version: draft.version.clone(),
            engines: BTreeMap::new(),
            chain_id: accepted.chain_id,
            created_at,
            genesis: draft.genesis.clone(),
            options: accepted.options.clone(),
            nodes: accepted.nodes.iter().map(node).collect(),
            accounts: accepted.accounts.clone(),
            channels: accepted.channels.clone(),
            contracts: Vec::new(),
            spent_names: Vec::new(),
            attached: None,
        }
    }

    /// Ids of its nodes.
    pub fn node_ids(&self) -> impl Iterator<Item = &Id> {
        self.nodes.iter().map(|node| &node.id)
    }

    /// A name for one more node: `NETWORK/PREFIX-NUMBER`, with the first number that was never taken.
    pub fn next_name(&self, prefix: &str) -> String {
        let mut names = (1u64..).map(|number| format!("{}/{prefix}-{number}", self.name));
        let taken = |name: &String| self.nodes.iter().any(|node| node.name == *name) || self.spent_names.contains(name);
        names.find(|name| !taken(name)).expect("the numbers do not end")
    }
}

/// A channel of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelSpec {
    /// Unique in the network.
    pub name: String,
    /// Names of its members, in order.
    pub members: Vec<String>,
    /// Those of them that joined it later, so that its first block does not name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<String>,
    /// When it was asked for, in microseconds since 1970; the network's own time when absent.
    #[serde(default)]
    pub created_at: Option<types::Micros>,
}

/// A version of a contract whose code runs beside the ledger's nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractSpec {
    /// Name on the ledger.
    pub name: String,
    /// The channel.
    pub channel: String,
    /// For people.
    pub version: String,
    /// 1, 2, 3, … for each name of a channel.
    pub sequence: u64,
    /// Name of its program as hosts know it.
    pub program: String,
    /// Who must endorse, in the engine's own notation; its default when absent.
    pub policy: Option<String>,
    /// Collections of private data, in the engine's own notation.
    pub collections: Option<Value>,
    /// Whether its first call must be one that initialises it.
    pub init: bool,
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
    /// The contract that it runs, for a node that does: `CHANNEL/NAME/SEQUENCE`.
    #[serde(default)]
    pub contract: Option<String>,
}

impl NodeSpec {
    /// A planned node with an id, and the contract that it runs, if any.
    pub fn new(id: Id, node: PlannedNode, contract: Option<String>) -> Self {
        Self { id, name: node.name, member: node.member, role: node.role, contract }
    }
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
    /// Name of the plan's identity that it is; none where it is a key of its own.
    #[serde(default)]
    pub identity: Option<String>,
}

/// Capability of an engine whose nodes answer Ethereum's JSON-RPC: over HTTP on the port [`RPC_PORT`], over WebSocket on the
/// port [`WS_PORT`] or, where a node has none of that name, on the same.
pub const JSON_RPC: &str = "json-rpc";

/// Name of the port of JSON-RPC over HTTP.
pub const RPC_PORT: &str = "rpc";

/// Name of the port of JSON-RPC over WebSocket, where it is one of its own.
pub const WS_PORT: &str = "ws";

/// How clients outside reach a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Address of JSON-RPC over HTTP.
    pub rpc: Option<String>,
    /// Address of JSON-RPC over WebSocket.
    pub ws: Option<String>,
}

/// Gives the private key of a plan's identity by its name: PKCS #8, PEM.
pub type Keys<'a> = &'a dyn Fn(&str) -> Result<Zeroizing<String>>;

/// Files by path, relative and with forward slashes.
pub type Profile = BTreeMap<String, ProfileFile>;

/// One file of a profile.
#[derive(Clone, PartialEq, Eq)]
pub struct ProfileFile {
    /// What is in it; wiped from memory when dropped.
    pub contents: Zeroizing<Vec<u8>>,
    /// Whether it holds a private key: to be readable by its owner only.
    pub secret: bool,
}

impl std::fmt::Debug for ProfileFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProfileFile").field("length", &self.contents.len()).field("secret", &self.secret).finish()
    }
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

    /// Whether nodes of a role keep the ledger. Others serve beside it: contracts, certificate authorities.
    fn keeps_ledger(&self, role: &str) -> bool {
        let _ = role;
        true
    }

    /// The plan, as far as it can be made with the outputs that are there (see [`Plan::complete`]).
    ///
    /// # Errors
    /// The specification is not one that was accepted, a placement is missing, or an output is not what it should be.
    fn plan(&self, spec: &NetworkSpec, placements: &Placements, outputs: &Outputs) -> Result<Plan>;

    /// Checks a channel that is to be added and settles what follows from it.
    ///
    /// # Errors
    /// A problem with the fields that do not fit and why.
    #[allow(clippy::result_large_err, reason = "called once per request; a box would only burden callers")]
    fn accept_channel(&self, spec: &NetworkSpec, channel: &ChannelSpec) -> std::result::Result<(), Problem> {
        let _ = (spec, channel);
        Err(types::Code::RequestInvalid.problem("The network's engine has no channels."))
    }

    /// Checks a contract that is to be added and gives the nodes that run it.
    ///
    /// # Errors
    /// A problem with the fields that do not fit and why.
    #[allow(clippy::result_large_err, reason = "called once per request; a box would only burden callers")]
    fn accept_contract(
        &self,
        spec: &NetworkSpec,
        contract: &ContractSpec,
    ) -> std::result::Result<Vec<PlannedNode>, Problem> {
        let _ = (spec, contract);
        Err(types::Code::RequestInvalid.problem("The network's engine runs contracts in its nodes, not beside them."))
    }

    /// Checks that a member can join a channel, and gives the nodes that run the channel's contracts for it, each with the
    /// reference of its contract (see [`NodeSpec::contract`]).
    ///
    /// # Errors
    /// A problem with the fields that do not fit and why.
    #[allow(clippy::result_large_err, reason = "called once per request; a box would only burden callers")]
    fn accept_member(
        &self,
        spec: &NetworkSpec,
        channel: &str,
        member: &str,
    ) -> std::result::Result<Vec<(PlannedNode, String)>, Problem> {
        let _ = (spec, channel, member);
        Err(types::Code::RequestInvalid.problem("The network's engine has no channels."))
    }

    /// Checks a node that is to be added to a network that runs, and names it. The role is one that the consensus says can be
    /// added ([`types::ConsensusKind::addable`]).
    ///
    /// # Errors
    /// A problem with the fields that do not fit and why.
    #[allow(clippy::result_large_err, reason = "called once per request; a box would only burden callers")]
    fn accept_node(&self, spec: &NetworkSpec, member: &str, role: &str) -> std::result::Result<PlannedNode, Problem> {
        let _ = (spec, member, role);
        Err(types::Code::NetworkNodes.problem("Nodes cannot be added to networks of this engine and consensus."))
    }

    /// Checks that a network can do without a node.
    ///
    /// # Errors
    /// A problem that says why it cannot.
    #[allow(clippy::result_large_err, reason = "called once per request; a box would only burden callers")]
    fn accept_removal(&self, spec: &NetworkSpec, node: &NodeSpec) -> std::result::Result<(), Problem> {
        let _ = (spec, node);
        Err(types::Code::NodeState.problem(
            "Nodes of this engine and consensus cannot leave their network: it counts on those that it was made with.",
        ))
    }

    /// The files by which a member's own programs and people use the network without Polder: addresses, certificates, keys.
    ///
    /// # Errors
    /// The engine has no such files, an identity is not issued yet, or a key cannot be had.
    fn profile(&self, network: &LedgerNetwork, member: &str, keys: Keys<'_>) -> Result<Profile> {
        let _ = (network, member, keys);
        Err(crate::Error::Unsupported("connection profiles"))
    }

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
pub struct Drivers {
    drivers: Vec<(String, Arc<dyn Driver>)>,
    attachers: Vec<(String, Arc<dyn Attacher>)>,
}

impl Drivers {
    /// A set of drivers; the first is the default engine.
    pub fn new(drivers: Vec<Arc<dyn Driver>>) -> Self {
        let drivers = drivers.into_iter().map(|driver| (driver.planner().describe().name, driver)).collect();
        Self { drivers, attachers: Vec::new() }
    }

    /// The same with what speaks to networks that others run.
    pub fn with_attacher(mut self, attacher: Arc<dyn Attacher>) -> Self {
        self.attachers.push((attacher.describe().name, attacher));
        self
    }

    /// The driver of an engine.
    pub fn get(&self, engine: &str) -> Option<&Arc<dyn Driver>> {
        self.drivers.iter().find(|(name, _)| name == engine).map(|(_, driver)| driver)
    }

    /// What speaks to attached networks of an engine; of the first, when none is named.
    pub fn attacher(&self, engine: Option<&str>) -> Option<&Arc<dyn Attacher>> {
        let wanted = |name: &str| engine.is_none_or(|engine| engine == name);
        self.attachers.iter().find(|(name, _)| wanted(name)).map(|(_, attacher)| attacher)
    }

    /// What each engine is; those that are only attached to come last.
    pub fn engines(&self) -> Vec<types::Engine> {
        let planned = self.drivers.iter().map(|(_, driver)| driver.planner().describe());
        planned.chain(self.attachers.iter().map(|(_, attacher)| attacher.describe())).collect()
    }
}

impl std::fmt::Debug for Drivers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let attachers = self.attachers.iter().map(|(name, _)| name);
        f.debug_list().entries(self.drivers.iter().map(|(name, _)| name).chain(attachers)).finish()
    }
}
