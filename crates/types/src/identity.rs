//! Users, sessions, access keys, organisations, consortia, audit.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Id, Micros, Role};

/// A role, and the organisation it is held for (null for the platform's administrator).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Id of the organisation; in requests a name will do.
    #[serde(default)]
    pub organisation: Option<Id>,
}

/// A person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// `user_…`.
    pub id: Id,
    /// Unique in the deployment.
    pub name: String,
    /// What the user may do.
    pub grants: Vec<Grant>,
    /// When created.
    pub created_at: Micros,
}

/// Makes a user.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUser {
    /// Lower-case letters, digits, `.`, `_`, `-`; 1 to 64.
    pub name: String,
    /// At least 12 characters.
    pub password: String,
    /// What the user may do.
    pub grants: Vec<Grant>,
}

/// Changes a user; absent fields stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserChange {
    /// The new password; all sessions of the user end.
    #[serde(default)]
    pub password: Option<String>,
    /// All grants, replacing the old ones.
    #[serde(default)]
    pub grants: Option<Vec<Grant>>,
}

/// Signs in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The user's name.
    pub user: String,
    /// The user's password.
    pub password: String,
}

/// Changes one's own password.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordChange {
    /// The password as it is.
    pub current_password: String,
    /// The new one: at least 12 characters. All other sessions of the user end.
    pub new_password: String,
}

/// The session of a signed-in user. The session itself is the cookie `polder_session`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Who is signed in.
    pub user: User,
    /// To be sent as header `x-csrf-token` with each request that changes something. Null for an access key.
    pub csrf_token: Option<String>,
    /// When the session ends if it is not used. Null for an access key that does not end.
    pub expires_at: Option<Micros>,
    /// Permissions that some grant of the user gives, as in the API description.
    pub permissions: Vec<String>,
}

/// A program's credential for this API. The secret is shown once, when it is made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessKey {
    /// `key_…`.
    pub id: Id,
    /// What it is for.
    pub name: String,
    /// Whose it is.
    pub user: Id,
    /// What it may do: never more than its user.
    pub grants: Vec<Grant>,
    /// When created.
    pub created_at: Micros,
    /// When last used, to the minute.
    pub last_used_at: Option<Micros>,
    /// When it ends.
    pub expires_at: Option<Micros>,
    /// Only in the answer to its creation: the key, to be sent as `Authorization: Bearer …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Makes an access key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAccessKey {
    /// What it is for.
    pub name: String,
    /// What it may do; absent: what its user may do.
    #[serde(default)]
    pub grants: Option<Vec<Grant>>,
    /// When it ends; absent: never.
    #[serde(default)]
    pub expires_at: Option<Micros>,
}

/// A legal entity with its own key, users and nodes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organisation {
    /// `org_…`.
    pub id: Id,
    /// Unique in the deployment: lower-case letters, digits and `-`, 1 to 63.
    pub name: String,
    /// Name to show.
    pub title: String,
    /// The organisation's ed25519 public key, hex.
    pub public_key: String,
    /// When created.
    pub created_at: Micros,
}

/// Makes an organisation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOrganisation {
    /// Lower-case letters, digits and `-`, 1 to 63.
    pub name: String,
    /// Name to show; the name when absent.
    #[serde(default)]
    pub title: Option<String>,
}

/// Organisations that share networks.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Consortium {
    /// `con_…`.
    pub id: Id,
    /// Unique in the deployment.
    pub name: String,
    /// Name to show.
    pub title: String,
    /// The members.
    pub members: Vec<Member>,
    /// When founded.
    pub created_at: Micros,
}

/// An organisation in a consortium.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The organisation's id.
    pub organisation: Id,
    /// Its name.
    pub name: String,
    /// Name to show.
    pub title: String,
    /// Its public key when it joined, hex.
    pub public_key: String,
    /// Its ed25519 signature over the founding statement, hex.
    pub signature: String,
    /// When it joined.
    pub joined_at: Micros,
}

/// Founds a consortium of organisations of this deployment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewConsortium {
    /// Lower-case letters, digits and `-`, 1 to 63.
    pub name: String,
    /// Name to show; the name when absent.
    #[serde(default)]
    pub title: Option<String>,
    /// Names or ids of organisations; at least one.
    pub members: Vec<String>,
}

/// One entry of the audit log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// 1, 2, 3, … without gaps.
    pub sequence: i64,
    /// When.
    pub at: Micros,
    /// Who: `user NAME`, `access key NAME of USER`, or `server`.
    pub actor: String,
    /// What was done, such as `network.create`.
    pub action: String,
    /// Kind and id of what it was done to.
    pub subject: String,
    /// Organisation that it concerns, if one.
    pub organisation: Option<Id>,
    /// Details, without secrets.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
    /// SHA-256 over the hash before and this entry, hex.
    pub hash: String,
}

/// Whether the audit log is whole.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditCheck {
    /// How many entries were checked.
    pub entries: i64,
    /// Whether each follows from the one before.
    pub intact: bool,
    /// Hash of the newest entry, hex; keep it to check later that nothing was rewritten.
    pub head: String,
    /// First entry that does not fit.
    pub broken_at: Option<i64>,
}
