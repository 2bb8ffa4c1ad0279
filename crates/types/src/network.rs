//! Networks, nodes, engines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Id, Micros};

/// What state a network is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum NetworkStatus {
    Creating,
    Running,
    Degraded,
    Halted,
    Stopped,
    Failed,
    Deleting,
}

/// What state a node is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum NodeStatus {
    Creating,
    Starting,
    Running,
    Unhealthy,
    Stopped,
    Failed,
}

/// One running ledger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// `net_…`.
    pub id: Id,
    /// Unique in its consortium.
    pub name: String,
    /// The consortium's id.
    pub consortium: Id,
    /// Name of the engine.
    pub engine: String,
    /// The engine's consensus.
    pub consensus: String,
    /// Version of the engine's programs; null when they come with Polder.
    pub version: Option<String>,
    /// State, from what is observed.
    pub status: NetworkStatus,
    /// Why the state is not `running`, in words; null when it is.
    pub status_reason: Option<String>,
    /// The chain id, where the engine has one.
    pub chain_id: Option<u64>,
    /// Height of the newest final block that any node reports; null when none answers.
    pub height: Option<u64>,
    /// Path of its JSON-RPC on this server, for applications; null where the engine has none.
    #[serde(default)]
    pub rpc: Option<String>,
    /// The nodes; none of a network that is attached.
    pub nodes: Vec<Node>,
    /// Where it is, for a network that others run; null for one that runs here.
    #[serde(default)]
    pub attached: Option<Attached>,
    /// Names of its channels, where the engine has them; the first is taken where none is said.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Engine options as given, with defaults filled in.
    #[schema(value_type = Object)]
    pub options: serde_json::Value,
    /// When created.
    pub created_at: Micros,
}

/// Where a network is that others run, and what was found there when it was attached.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attached {
    /// Scheme, host and port of its JSON-RPC; path and query are kept secret, as they may carry an access key.
    pub rpc: String,
    /// The address that the host's name led to: nothing else is connected to.
    pub address: String,
    /// Name and version of the program that answered, where it told.
    pub client: Option<String>,
    /// Hash of the chain's first block.
    pub first_block: String,
    /// After how many blocks one counts as final; null where the chain says it.
    pub confirmations: Option<u64>,
}

/// Attaches a network that others run.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttachNetwork {
    /// Lower-case letters, digits and `-`, 1 to 63.
    pub name: String,
    /// Address of its JSON-RPC, `http://…` or `https://…`.
    pub rpc: String,
    /// Name or id; may be left out when there is one consortium.
    #[serde(default)]
    pub consortium: Option<String>,
    /// Names or ids of the members that use it; all when absent.
    #[serde(default)]
    pub members: Option<Vec<String>>,
    /// The chain id that it must have; whatever it has when absent.
    #[serde(default)]
    pub chain_id: Option<u64>,
    /// After how many blocks one counts as final; what the chain says when absent.
    #[serde(default)]
    pub confirmations: Option<u64>,
}

/// Who agrees on the blocks of a network, and who could.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validators {
    /// The validators in the ledger's order, then the network's other nodes and whoever else is voted on.
    pub items: Vec<Validator>,
    /// How many validators there are.
    pub validators: u32,
    /// How many of them must agree on a block.
    pub agreement: u32,
    /// How many votes decide on a change.
    pub deciding: u32,
}

/// A validator, or who could become one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validator {
    /// Its identity on the ledger.
    pub address: String,
    /// Name of its node, where it is one of the network's.
    pub node: Option<String>,
    /// Name of the member that the node belongs to.
    pub member: Option<String>,
    /// Whether it agrees on blocks now.
    pub validates: bool,
    /// State of its node, where it is one of the network's.
    pub status: Option<NodeStatus>,
    /// What is voted on; null while nobody votes.
    pub proposed: Option<ValidatorChange>,
    /// The votes for it.
    pub votes: Vec<Vote>,
}

/// A vote of a validator on another.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    /// Identity of who votes.
    pub address: String,
    /// Name of its node, where it is one of the network's.
    pub node: Option<String>,
    /// Name of the member.
    pub member: Option<String>,
    /// Whether the ledger has counted it: it does when the voter makes a block.
    pub counted: bool,
}

/// What is wanted of a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum ValidatorChange {
    Add,
    Remove,
}

/// A member's vote on a validator, given by all its validators that run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewVote {
    /// Identity on the ledger, or a node by its id or name.
    pub validator: String,
    /// What is wanted.
    pub change: ValidatorChange,
    /// Name or id of the member that votes; may be left out by who acts for one member only.
    #[serde(default)]
    pub member: Option<String>,
    /// Vote also when fewer validators would be up than must agree.
    #[serde(default)]
    pub force: bool,
}

/// Adds a node to a running network.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewNode {
    /// Name or id of the member whose node it is to be; may be left out by who acts for one member only.
    #[serde(default)]
    pub member: Option<String>,
    /// One of the consensus' `addable`, such as `peer`; the first of them when absent.
    #[serde(default)]
    pub kind: Option<String>,
}

/// One node of a network.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// `node_…`.
    pub id: Id,
    /// `NETWORK/NODE`.
    pub name: String,
    /// The network's id.
    pub network: Id,
    /// Name of the member that it belongs to.
    pub member: String,
    /// The member's organisation id.
    pub organisation: Id,
    /// What it is in the network, such as `validator`, `peer` or `orderer`.
    #[serde(rename = "kind")]
    pub role: String,
    /// State, from what is observed.
    pub status: NodeStatus,
    /// Why the state is not `running`, or why a node that runs makes no progress, in words.
    pub status_reason: Option<String>,
    /// Height of its newest final block; null when it does not run.
    pub height: Option<u64>,
    /// Address of its JSON-RPC over HTTP; null when it does not run or has none.
    pub rpc: Option<String>,
    /// Address of its JSON-RPC over WebSocket.
    pub ws: Option<String>,
    /// Its other addresses, `HOST:PORT` by the port's name.
    #[serde(default)]
    pub addresses: BTreeMap<String, String>,
    /// Whether it should run.
    pub wanted: bool,
    /// Name of the host that it runs on.
    pub host: String,
    /// Process id on the host.
    pub pid: Option<u32>,
    /// How often it was started again after it ended unasked.
    pub restarts: u32,
    /// When it was last started.
    pub started_at: Option<Micros>,
    /// Its use of the machine, newest sample.
    pub usage: Option<Usage>,
    /// What it may use of the machine; null where nothing limits it, or when it does not run.
    #[serde(default)]
    pub limits: Option<NodeLimits>,
    /// Facts of the engine about this node, such as `leader`, `view`, `peers`, `publicKey`.
    #[schema(value_type = Object)]
    pub facts: serde_json::Value,
}

/// What a node may use of its machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeLimits {
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// CPU in cores.
    pub cpus: Option<f64>,
    /// Who sees to it.
    pub kept_by: LimitsKeeper,
}

/// Who sees to a node's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitsKeeper {
    /// The kernel, by a control group of version 2.
    CgroupV2,
    /// The kernel, by control groups of version 1.
    CgroupV1,
    /// A watchdog that looks each second and ends what is above.
    Watchdog,
}

/// One sample of a node's use of its machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// When.
    pub at: Micros,
    /// CPU in cores: 1.0 is one core fully used.
    pub cpu: f64,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// Disk used by its directory in bytes.
    pub disk_bytes: u64,
}

/// Makes a network.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewNetwork {
    /// Lower-case letters, digits and `-`, 1 to 63.
    pub name: String,
    /// Name or id; may be left out when there is one consortium.
    #[serde(default)]
    pub consortium: Option<String>,
    /// Name of an engine.
    pub engine: String,
    /// One of the engine's.
    pub consensus: String,
    /// An installed version of the engine; the newest tested one, else the newest, when absent.
    #[serde(default)]
    pub version: Option<String>,
    /// How many nodes agree on blocks, dealt to the members in turn; what suits the consensus when absent.
    #[serde(default)]
    pub nodes: Option<u32>,
    /// Names or ids of the members that take part; all when absent.
    #[serde(default)]
    pub members: Option<Vec<String>>,
    /// Chain id; drawn at random when absent.
    #[serde(default)]
    pub chain_id: Option<u64>,
    /// A genesis to start from, without validators.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub genesis: Option<serde_json::Value>,
    /// Options of the engine (JSON Schema in `GET /engines`).
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub options: Option<serde_json::Value>,
}

/// Answer of a creation: the network, and the operation that makes it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedNetwork {
    /// The network as it is now, `creating`.
    pub network: Network,
    /// The operation to watch.
    pub operation: crate::Operation,
}

/// What a creation would start, without starting it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPreview {
    /// The chain id, when given.
    pub chain_id: Option<u64>,
    /// The nodes.
    pub nodes: Vec<PlannedNode>,
    /// What the choice means, in sentences (failures tolerated, and so on).
    pub notes: Vec<String>,
}

/// A node that would be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedNode {
    /// `NETWORK/NODE`.
    pub name: String,
    /// Name of the member.
    pub member: String,
    /// What it will be, such as `validator`.
    #[serde(rename = "kind")]
    pub role: String,
}

/// How the nodes of a network are connected, now.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Topology {
    /// The nodes with their state.
    pub nodes: Vec<Node>,
    /// Which node sees which.
    pub links: Vec<Link>,
    /// Id of the node that leads now, where the engine tells.
    pub leader: Option<Id>,
}

/// A connection between two nodes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Node id.
    pub from: Id,
    /// Node id.
    pub to: Id,
    /// Whether it is up.
    pub connected: bool,
}

/// One line of a node's log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// When it was written.
    pub at: Micros,
    /// `stdout` or `stderr` of the node's program, or `host`: what the host has to say about it, such as how it ended.
    pub stream: String,
    /// The text.
    pub text: String,
}
