//! Applications: programs of a member that reach networks' JSON-RPC through the server.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Id, Micros};

/// A program of a member, with the credential by which it reaches networks' JSON-RPC. The secret is shown once, when it is
/// made or replaced.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// `app_…`.
    pub id: Id,
    /// Unique in its member: lower-case letters, digits and `-`, 1 to 63.
    pub name: String,
    /// Name of the member that it belongs to.
    pub member: String,
    /// The member's organisation id.
    pub organisation: Id,
    /// The networks that it reaches.
    pub networks: Vec<ApplicationNetwork>,
    /// Whether it may also look into nodes: `txpool_` and the tracing part of `debug_`.
    pub inspect: bool,
    /// How many calls it has made.
    pub calls: i64,
    /// When created.
    pub created_at: Micros,
    /// When last used.
    pub last_used_at: Option<Micros>,
    /// Only in the answer to its creation and to a replacement: the key, to be sent as `Authorization: Bearer …`, or as the
    /// password of the application's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A network that an application reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationNetwork {
    /// The network's id.
    pub id: Id,
    /// `CONSORTIUM/NETWORK`.
    pub name: String,
    /// Path of its JSON-RPC on this server: `/rpc/CONSORTIUM/NETWORK`.
    pub rpc: String,
}

/// Makes an application.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewApplication {
    /// Lower-case letters, digits and `-`, 1 to 63.
    pub name: String,
    /// Name or id of the member that it belongs to.
    pub member: String,
    /// Names, `CONSORTIUM/NETWORK` or ids of networks of the member's consortia; at least one.
    pub networks: Vec<String>,
    /// Whether it may also look into nodes: `txpool_` and the tracing part of `debug_`.
    #[serde(default)]
    pub inspect: bool,
}

/// Path of a network's JSON-RPC on the server.
pub fn rpc_path(consortium: &str, network: &str) -> String {
    format!("/rpc/{consortium}/{network}")
}
