//! Channels, contracts that run beside the nodes, and what clients need to use a network.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Id, Micros};

/// A sub-ledger of a network with its own members.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Unique in the network.
    pub name: String,
    /// The network's id.
    pub network: Id,
    /// Names of its members.
    pub members: Vec<String>,
    /// The highest block that a node reports; null when none answers.
    pub height: Option<u64>,
    /// What each node says of it.
    pub nodes: Vec<ChannelNode>,
    /// What was deployed on it from here, the newest version of each.
    pub chaincodes: Vec<Chaincode>,
    /// When it was asked for.
    pub created_at: Micros,
}

/// A node's part in a channel.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelNode {
    /// The node's id.
    pub id: Id,
    /// `NETWORK/NODE`.
    pub name: String,
    /// Name of its member.
    pub member: String,
    /// What it is, such as `peer`.
    pub kind: String,
    /// Height of its newest block of the channel; null when it does not answer or has not joined.
    pub height: Option<u64>,
    /// Facts of the engine about the node on this channel.
    #[schema(value_type = Object)]
    pub facts: serde_json::Value,
}

/// Makes a channel.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewChannel {
    /// Lower-case letters, digits, `.` and `-`, beginning with a letter; 1 to 249.
    pub name: String,
    /// Names or ids of the members that take part; all of the network when absent.
    #[serde(default)]
    pub members: Option<Vec<String>>,
}

/// Has a member join a channel.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewChannelMember {
    /// Name or id of a member of the network that runs a peer.
    pub member: String,
}

/// A version of a contract that runs beside the nodes, one process for each member.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Chaincode {
    /// Name on the channel.
    pub name: String,
    /// The network's id.
    pub network: Id,
    /// The channel.
    pub channel: String,
    /// For people.
    pub version: String,
    /// 1, 2, 3, …
    pub sequence: u64,
    /// `go`, `node` or `java`.
    pub language: Option<String>,
    /// Who must endorse; the channel's own rule when null.
    pub policy: Option<String>,
    /// Collections of private data.
    #[schema(value_type = Option<Vec<Object>>)]
    pub collections: Option<serde_json::Value>,
    /// Whether its first call must be one that initialises it.
    pub init: bool,
    /// Ids of the nodes that run it.
    pub nodes: Vec<Id>,
}

/// A version of a contract, and how far its members have brought it on the ledger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChaincodeState {
    /// The version.
    #[serde(flatten)]
    pub chaincode: Chaincode,
    /// What the ledger says of it.
    #[serde(flatten)]
    pub readiness: ChaincodeReadiness,
}

/// What a channel says of a version of a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChaincodeReadiness {
    /// Whether it is in force: enough members have approved it, and that was committed.
    pub committed: bool,
    /// What each member of the channel has done for it.
    pub approvals: Vec<ChaincodeApproval>,
}

/// What a member has done for a version of a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChaincodeApproval {
    /// Name of the member.
    pub member: String,
    /// Whether all of its peers have the package; null when they do not answer.
    pub installed: Option<bool>,
    /// Whether it has approved exactly this version.
    pub approved: bool,
}

/// Deploys a contract from source: builds it, runs it beside the nodes, installs and approves it for each member of the channel
/// and commits it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewChaincode {
    /// Name on the channel: letters, digits, `-` and `_`.
    pub name: String,
    /// The channel; the network's first when absent.
    #[serde(default)]
    pub channel: Option<String>,
    /// For people.
    pub version: String,
    /// 1 for a new one, one more for each upgrade; the next when absent.
    #[serde(default)]
    pub sequence: Option<u64>,
    /// Source directory in Go, Node.js or Java, as a tar.gz archive in base64.
    pub source: String,
    /// Who must endorse, such as `AND('alphaMSP.peer','betaMSP.peer')`; the channel's own rule when absent.
    #[serde(default)]
    pub policy: Option<String>,
    /// Collections of private data, as the engine's own tools take them.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub collections: Option<serde_json::Value>,
    /// Whether its first call must be one that initialises it.
    #[serde(default)]
    pub init: bool,
}

/// What a member's clients need: addresses, roots of trust, and identities with their private keys.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkProfile {
    /// The member.
    pub member: String,
    /// Files by path.
    pub files: BTreeMap<String, ProfileFile>,
}

/// One file of a profile.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileFile {
    /// Its text.
    pub text: String,
    /// Whether it must be kept from others.
    pub secret: bool,
}

impl std::fmt::Debug for ProfileFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProfileFile").field("secret", &self.secret).finish_non_exhaustive()
    }
}
