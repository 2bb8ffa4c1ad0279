//! Users and what they may do.
//!
//! An administrator of an organisation sees and changes the users of that organisation, and only their grants for it.

use keys::Secret;
use store::{Connection, NewAudit, Tx, organisations, sessions, users};
use types::{Code, Grant, NewUser, Page, PageQuery, Permission, Role, User, UserChange, new_id, now};

use crate::access::Scope;
use crate::idempotency::{self, Idempotency};
use crate::names::check_user_name;
use crate::paging::Paging;
use crate::{Caller, Control, Error, Result};

/// Name of the first administrator.
pub const ADMINISTRATOR: &str = "admin";

const SHORTEST_PASSWORD: usize = 12;
const LONGEST_PASSWORD: usize = 1024;

/// Checks that a password is long enough and not all the same.
pub(crate) fn check_password(field: &str, password: &Secret) -> Result<()> {
    let weak = |message: &str| Err(Error::field(Code::PasswordWeak, field, message));
    let text = password.expose();
    if text.chars().count() < SHORTEST_PASSWORD {
        return weak("The password must have at least 12 characters.");
    }
    if text.len() > LONGEST_PASSWORD {
        return weak("The password must have at most 1024 bytes.");
    }
    let first = text.chars().next();
    if text.chars().all(|character| Some(character) == first) {
        return weak("The password must not be one character repeated.");
    }
    Ok(())
}

impl Control {
    /// Makes a user.
    ///
    /// Errors: `name.invalid`, `name.taken`, `password.weak`, `auth.forbidden` for grants that the caller cannot give.
    pub async fn create_user(&self, caller: &Caller, idempotency: Option<&Idempotency>, new: &NewUser) -> Result<User> {
        caller.require(Permission::UsersWrite)?;
        check_user_name("name", &new.name)?;
        let password = Secret::new(new.password.as_str());
        check_password("password", &password)?;
        let hash = crate::sessions::hash(password).await?;

        let mut tx = self.store().begin().await?;
        if let Some(user) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(user);
        }
        let grants = resolve_grants(&mut tx, &new.grants).await?;
        may_give(caller, &grants)?;
        if grants.is_empty() && caller.scope(Permission::UsersWrite) != Scope::All {
            return Err(Error::field(
                Code::RequestInvalid,
                "grants",
                "Give the user a role of your organisation: without one you could not see the user.",
            ));
        }
        let user = User { id: new_id("user"), name: new.name.clone(), grants, created_at: now() };
        users::insert(&mut tx, &user, &hash).await.map_err(|error| match error {
            store::Error::Taken { .. } => Error::field(
                Code::NameTaken,
                "name",
                format!("A user “{}” is there already. Choose another name.", user.name),
            ),
            other => other.into(),
        })?;
        audit_user(
            &mut tx,
            caller,
            "user.create",
            &user,
            serde_json::json!({"name": user.name, "grants": user.grants}),
        );
        idempotency::record(&mut tx, caller, idempotency, &user).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Users by name.
    pub async fn list_users(&self, caller: &Caller, query: &PageQuery) -> Result<Page<User>> {
        caller.require(Permission::UsersRead)?;
        let paging = Paging::new("users", query)?;
        let scope = caller.scope(Permission::UsersRead);
        let mut connection = self.store().read().await?;
        let found = users::list(&mut connection, scope.organisations(), paging.after(), paging.fetch()).await?;
        let found = found.into_iter().map(|user| shown(user, &scope)).collect();
        Ok(paging.page(found, |user: &User| user.name.clone()))
    }

    /// A user by id or name.
    pub async fn get_user(&self, caller: &Caller, id_or_name: &str) -> Result<User> {
        caller.require(Permission::UsersRead)?;
        let mut connection = self.store().read().await?;
        let user = visible(&mut connection, caller, id_or_name).await?;
        Ok(shown(user, &caller.scope(Permission::UsersRead)))
    }

    /// Changes a user's password or grants. A new password ends all sessions of the user.
    ///
    /// Errors: `password.weak`, `user.last_administrator`, `auth.forbidden`.
    pub async fn change_user(&self, caller: &Caller, id_or_name: &str, change: &UserChange) -> Result<User> {
        caller.require(Permission::UsersWrite)?;
        let hash = match &change.password {
            Some(password) => {
                let password = Secret::new(password.as_str());
                check_password("password", &password)?;
                Some(crate::sessions::hash(password).await?)
            }
            None => None,
        };
        let mut tx = self.store().begin().await?;
        let mut user = visible(&mut tx, caller, id_or_name).await?;
        let scope = caller.scope(Permission::UsersWrite);
        if let Some(hash) = hash {
            whole(&user, &scope)?;
            users::set_password(&mut tx, &user.id, &hash).await?;
            sessions::delete_of_user(&mut tx, &user.id, "").await?;
            audit_user(&mut tx, caller, "user.change_password", &user, serde_json::json!({"name": user.name}));
        }
        if let Some(wanted) = &change.grants {
            let wanted = resolve_grants(&mut tx, wanted).await?;
            may_give(caller, &wanted)?;
            let before = user.grants.clone();
            // What the caller does not reach stays.
            let mut grants: Vec<Grant> = before.iter().filter(|grant| !reaches(&scope, grant)).cloned().collect();
            grants.extend(wanted);
            users::replace_grants(&mut tx, &user.id, &grants).await?;
            user.grants = grants;
            keep_an_administrator(&mut tx).await?;
            let details = serde_json::json!({"name": user.name, "before": before, "after": user.grants});
            audit_user(&mut tx, caller, "user.change_grants", &user, details);
        }
        tx.commit().await?;
        Ok(shown(user, &caller.scope(Permission::UsersRead)))
    }

    /// Removes a user with its sessions and access keys.
    ///
    /// Errors: `user.last_administrator`, `auth.forbidden` when the user has grants that the caller does not reach.
    pub async fn delete_user(&self, caller: &Caller, id_or_name: &str) -> Result<()> {
        caller.require(Permission::UsersWrite)?;
        let mut tx = self.store().begin().await?;
        let user = visible(&mut tx, caller, id_or_name).await?;
        whole(&user, &caller.scope(Permission::UsersWrite))?;
        users::delete(&mut tx, &user.id).await?;
        keep_an_administrator(&mut tx).await?;
        audit_user(&mut tx, caller, "user.delete", &user, serde_json::json!({"name": user.name}));
        tx.commit().await?;
        Ok(())
    }
}

/// The user, if the caller may see it: it shares an organisation, or it is the caller.
async fn visible(connection: &mut Connection, caller: &Caller, id_or_name: &str) -> Result<User> {
    let user = users::find(connection, id_or_name).await?;
    let user = user.ok_or_else(|| Error::not_found("user", id_or_name))?;
    let scope = caller.scope(Permission::UsersRead);
    let seen = scope == Scope::All
        || caller.user() == Some(&user.id)
        || user.grants.iter().any(|grant| reaches(&scope, grant));
    if seen { Ok(user) } else { Err(Error::not_found("user", id_or_name)) }
}

fn reaches(scope: &Scope, grant: &Grant) -> bool {
    match (scope, &grant.organisation) {
        (Scope::All, _) => true,
        (Scope::Organisations(ids), Some(organisation)) => ids.contains(organisation),
        (Scope::Organisations(_), None) => false,
    }
}

/// The user with the grants that the caller may know of.
fn shown(mut user: User, scope: &Scope) -> User {
    user.grants.retain(|grant| reaches(scope, grant));
    user
}

/// Fails when the user has grants beyond the caller's reach: then its password and existence are not the caller's.
fn whole(user: &User, scope: &Scope) -> Result<()> {
    if user.grants.iter().all(|grant| reaches(scope, grant)) {
        return Ok(());
    }
    Err(Error::forbidden(
        "The user has roles outside your organisation. Take away its roles in your organisation instead, or ask an administrator of the platform.",
    ))
}

/// Grants with the organisations' names turned into ids, each once.
pub(crate) async fn resolve_grants(connection: &mut Connection, grants: &[Grant]) -> Result<Vec<Grant>> {
    let mut resolved: Vec<Grant> = Vec::with_capacity(grants.len());
    for (index, grant) in grants.iter().enumerate() {
        let field = format!("grants[{index}].organisation");
        let organisation = match (&grant.organisation, grant.role.needs_organisation()) {
            (Some(name), true) => match organisations::find(connection, name).await? {
                Some(organisation) => Some(organisation.id),
                None => {
                    return Err(Error::field(
                        Code::RequestInvalid,
                        field,
                        format!("There is no organisation “{name}”."),
                    ));
                }
            },
            (None, false) => None,
            (None, true) => {
                return Err(Error::field(
                    Code::RequestInvalid,
                    field,
                    "This role is held for an organisation: name it.",
                ));
            }
            (Some(_), false) => {
                return Err(Error::field(
                    Code::RequestInvalid,
                    field,
                    "The platform's administrator is not held for an organisation: leave it out.",
                ));
            }
        };
        let grant = Grant { role: grant.role, organisation };
        if !resolved.contains(&grant) {
            resolved.push(grant);
        }
    }
    Ok(resolved)
}

/// Fails when the caller gives what is beyond its reach.
fn may_give(caller: &Caller, grants: &[Grant]) -> Result<()> {
    let scope = caller.scope(Permission::UsersWrite);
    if grants.iter().all(|grant| reaches(&scope, grant)) {
        return Ok(());
    }
    Err(Error::forbidden("You can give roles of your own organisation only."))
}

async fn keep_an_administrator(tx: &mut Tx) -> Result<()> {
    if users::count_role(tx, Role::PlatformAdministrator).await? > 0 {
        return Ok(());
    }
    Err(Error::new(Code::LastAdministrator, "This is the last platform administrator. Make another one first."))
}

/// Writes to the audit log: once for each organisation that the user belongs to, so that each can read it.
pub(crate) fn audit_user(tx: &mut Tx, caller: &Caller, action: &'static str, user: &User, details: serde_json::Value) {
    let mut organisations: Vec<Option<String>> = Vec::new();
    for grant in &user.grants {
        if !organisations.contains(&grant.organisation) {
            organisations.push(grant.organisation.clone());
        }
    }
    if organisations.is_empty() {
        organisations.push(None);
    }
    for organisation in organisations {
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action,
            subject: format!("user {}", user.id),
            organisation,
            details: details.clone(),
        });
    }
    tx.change("user", &user.id, None);
}
