//! Operations: changes of several steps that a person can watch, resume and undo.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Id, Micros, Problem};

/// What state an operation is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum OperationStatus {
    Queued,
    Running,
    Waiting,
    Succeeded,
    Failed,
    Undone,
}

/// A change of several steps.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// `op_…`.
    pub id: Id,
    /// What it does, such as `network.create`.
    pub kind: String,
    /// Id of what it changes.
    pub subject: Id,
    /// Name of what it changes.
    pub subject_name: String,
    /// State.
    pub status: OperationStatus,
    /// Its steps in order.
    pub steps: Vec<Step>,
    /// Why it failed or waits.
    pub error: Option<Problem>,
    /// Who asked for it.
    pub actor: String,
    /// When asked for.
    pub created_at: Micros,
    /// When begun.
    pub started_at: Option<Micros>,
    /// When it ended.
    pub finished_at: Option<Micros>,
}

/// One step of an operation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Unique in its operation.
    pub name: String,
    /// What it does, for a person.
    pub title: String,
    /// State: as an operation's.
    pub status: OperationStatus,
    /// Progress or error, for a person.
    pub message: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// When begun.
    pub started_at: Option<Micros>,
    /// When it ended.
    pub finished_at: Option<Micros>,
}

/// Something changed: the event of `GET /changes`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Cursor: increases.
    pub sequence: i64,
    /// `network`, `node`, `operation`, `block`, `organisation`, …
    pub kind: String,
    /// Id of what changed.
    pub id: Id,
    /// Id of the network that it belongs to, if one.
    pub network: Option<Id>,
}
