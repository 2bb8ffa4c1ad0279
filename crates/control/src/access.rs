//! Who asks, and what that caller may do.
//!
//! A route's permission is checked by the API; that some grant gives it is not enough to act: [`Caller::require_for`] checks
//! that it is a grant for the organisation at hand. The platform's administrators act and read everywhere, but do not use
//! members' accounts: `ledger:write` is not theirs.

use types::{Grant, Id, Permission, Role};

use crate::{Error, Result};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in user.
    User {
        /// Id.
        id: Id,
        /// Name.
        name: String,
    },
    /// A program with an access key.
    AccessKey {
        /// Id of the key.
        id: Id,
        /// Name of the key.
        name: String,
        /// Id of its user.
        user: Id,
        /// Name of its user.
        user_name: String,
    },
    /// The server itself: first run, reconcilers, the demonstration.
    Server,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::User { name, .. } => write!(f, "user {name}"),
            Actor::AccessKey { name, user_name, .. } => write!(f, "access key {name} of {user_name}"),
            Actor::Server => f.write_str("server"),
        }
    }
}

/// The caller of a use case.
#[derive(Clone, Debug)]
pub struct Caller {
    actor: Actor,
    grants: Vec<Grant>,
}

/// Which organisations a permission reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// These.
    Organisations(Vec<Id>),
}

impl Scope {
    /// The form that the store's lists take: none for all.
    pub fn organisations(&self) -> Option<&[Id]> {
        match self {
            Scope::All => None,
            Scope::Organisations(ids) => Some(ids),
        }
    }
}

impl Caller {
    /// A caller with grants.
    pub fn new(actor: Actor, grants: Vec<Grant>) -> Self {
        Caller { actor, grants }
    }

    /// The server itself, which may do what a platform administrator may.
    pub fn server() -> Self {
        Caller::new(Actor::Server, vec![Grant { role: Role::PlatformAdministrator, organisation: None }])
    }

    /// Who it is.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What it may do.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Id of the user that it is or belongs to.
    pub fn user(&self) -> Option<&str> {
        match &self.actor {
            Actor::User { id, .. } => Some(id),
            Actor::AccessKey { user, .. } => Some(user),
            Actor::Server => None,
        }
    }

    /// Under what its idempotency keys are kept.
    pub(crate) fn owner(&self) -> &str {
        self.user().unwrap_or("server")
    }

    /// Whether it is an administrator of the platform.
    pub fn is_platform_administrator(&self) -> bool {
        self.grants.iter().any(|grant| grant.role == Role::PlatformAdministrator)
    }

    /// Whether some grant gives a permission, for whatever organisation.
    pub fn has(&self, permission: Permission) -> bool {
        permission == Permission::Public
            || permission == Permission::SignedIn
            || self.grants.iter().any(|grant| permission.roles().contains(&grant.role))
    }

    /// Which organisations a permission reaches.
    pub fn scope(&self, permission: Permission) -> Scope {
        let mut organisations = Vec::new();
        for grant in self.grants.iter().filter(|grant| permission.roles().contains(&grant.role)) {
            match &grant.organisation {
                None => return Scope::All,
                Some(id) if !organisations.contains(id) => organisations.push(id.clone()),
                Some(_) => {}
            }
        }
        Scope::Organisations(organisations)
    }

    /// Whether a permission reaches an organisation.
    pub fn has_for(&self, permission: Permission, organisation: &str) -> bool {
        match self.scope(permission) {
            Scope::All => true,
            Scope::Organisations(ids) => ids.iter().any(|id| id == organisation),
        }
    }

    /// Fails with `auth.forbidden` when no grant gives the permission.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.has(permission) { Ok(()) } else { Err(lacking(permission)) }
    }

    /// Fails with `auth.forbidden` when no grant gives the permission for the organisation.
    pub fn require_for(&self, permission: Permission, organisation: &str) -> Result<()> {
        self.require(permission)?;
        if self.has_for(permission, organisation) {
            return Ok(());
        }
        Err(Error::forbidden(format!(
            "Your roles give {} for other organisations only. Ask an administrator of this organisation.",
            permission.as_str()
        )))
    }

    /// Fails with `auth.forbidden` when no grant gives the permission for any of the organisations.
    pub fn require_for_any<'a>(
        &self,
        permission: Permission,
        organisations: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        self.require(permission)?;
        match self.scope(permission) {
            Scope::All => Ok(()),
            Scope::Organisations(ids) if organisations.into_iter().any(|one| ids.iter().any(|id| id == one)) => Ok(()),
            Scope::Organisations(_) => {
                Err(Error::forbidden(format!("Your roles give {} for other organisations only.", permission.as_str())))
            }
        }
    }
}

fn lacking(permission: Permission) -> Error {
    let roles: Vec<String> = permission
        .roles()
        .iter()
        .filter_map(|role| serde_json::to_value(role).ok()?.as_str().map(str::to_owned))
        .collect();
    Error::forbidden(format!("This needs {}, which these roles have: {}.", permission.as_str(), roles.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(grants: &[(Role, Option<&str>)]) -> Caller {
        let grants = grants
            .iter()
            .map(|(role, organisation)| Grant { role: *role, organisation: organisation.map(str::to_owned) })
            .collect();
        Caller::new(Actor::User { id: "user_1".into(), name: "one".into() }, grants)
    }

    #[test]
    fn a_grant_acts_for_its_organisation_only() {
        let operator = caller(&[(Role::Operator, Some("org_a")), (Role::Auditor, Some("org_b"))]);
        operator.require_for(Permission::NetworksWrite, "org_a").unwrap();
        assert_eq!(
            operator.require_for(Permission::NetworksWrite, "org_b").unwrap_err().code(),
            types::Code::Forbidden
        );
        operator.require_for(Permission::NetworksRead, "org_b").unwrap();
        assert_eq!(
            operator.scope(Permission::AuditRead),
            Scope::Organisations(vec!["org_b".into()]),
            "the operator's grant does not read the audit log"
        );
        operator.require_for_any(Permission::NetworksWrite, ["org_c", "org_a"]).unwrap();
        assert!(operator.require_for_any(Permission::NetworksWrite, ["org_c", "org_b"]).is_err());
    }

    #[test]
    fn a_platform_administrator_does_not_use_accounts() {
        let administrator = caller(&[(Role::PlatformAdministrator, None)]);
        assert_eq!(administrator.scope(Permission::NetworksWrite), Scope::All);
        assert!(administrator.require_for(Permission::LedgerWrite, "org_a").is_err());
    }
}
