//! The server itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Micros;

/// The server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Version of Polder.
    pub version: String,
    /// When it started.
    pub started_at: Micros,
    /// `sqlite` or `postgresql`.
    pub database: String,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// Free disk space below the data directory in bytes.
    pub disk_free_bytes: u64,
    /// What may be called beside the public internet, where a user gives an address: networks and host names. For
    /// administrators; empty for others.
    #[serde(default)]
    pub allowed_addresses: Vec<String>,
    /// What an administrator should see to.
    pub warnings: Vec<String>,
}

/// A background task of the server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Such as `reconcile-networks`.
    pub name: String,
    /// What it does.
    pub description: String,
    /// `running`, `stopped` or `failed`.
    pub status: String,
    /// Newest error.
    pub error: Option<String>,
    /// When it last did something.
    pub last_run_at: Option<Micros>,
    /// Whether it can be stopped and started by a person.
    pub stoppable: bool,
}
