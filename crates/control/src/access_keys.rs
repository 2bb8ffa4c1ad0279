//! Access keys of programs: `polder_KEYID_SECRET`. The secret is shown once; its hash is stored.

use keys::{Token, hash_token};
use store::{Connection, NewAudit, access_keys};
use types::{AccessKey, Code, Micros, NewAccessKey, Page, PageQuery, new_id, now};

use crate::idempotency::{self, Idempotency};
use crate::names::check_title;
use crate::paging::Paging;
use crate::sessions::ACCESS_KEY;
use crate::users::resolve_grants;
use crate::{Actor, Caller, Control, Error, Result};

impl Control {
    /// Makes an access key for the caller's user; never with more than the caller has. The answer's `secret` is the key. A
    /// repetition with the same idempotency key answers without it.
    ///
    /// Errors: `name.invalid`, `name.taken`, `request.invalid` (ends in the past), `auth.forbidden` (more than the caller has).
    pub async fn create_access_key(
        &self,
        caller: &Caller,
        idempotency: Option<&Idempotency>,
        new: &NewAccessKey,
    ) -> Result<AccessKey> {
        let Some(user) = caller.user() else {
            return Err(Error::forbidden("The server itself has no access keys."));
        };
        check_title("name", &new.name)?;
        let at = now();
        if new.expires_at.is_some_and(|end| end <= at) {
            return Err(Error::field(Code::RequestInvalid, "expiresAt", "The key would have ended already."));
        }
        let mut tx = self.store().begin().await?;
        if let Some(key) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(key);
        }
        let grants = match &new.grants {
            Some(grants) => resolve_grants(&mut tx, grants).await?,
            None => caller.grants().to_vec(),
        };
        if let Some(beyond) = grants.iter().position(|grant| !caller.grants().contains(grant)) {
            let mut error = types::Code::Forbidden.problem("A key cannot do more than you can.");
            error.fields = vec![types::FieldProblem {
                field: format!("grants[{beyond}]"),
                message: "You do not have this role.".into(),
            }];
            return Err(error.into());
        }
        let expires_at = end(&mut tx, caller, new.expires_at).await?;
        let secret = Token::hex()?;
        let mut key = AccessKey {
            id: new_id("key"),
            name: new.name.clone(),
            user: user.to_owned(),
            grants,
            created_at: at,
            last_used_at: None,
            expires_at,
            secret: None,
        };
        access_keys::insert(&mut tx, &key, &hash_token(ACCESS_KEY, secret.expose())).await.map_err(
            |error| match error {
                store::Error::Taken { .. } => Error::field(
                    Code::NameTaken,
                    "name",
                    format!("You have an access key “{}” already. Choose another name or revoke that one.", key.name),
                ),
                other => other.into(),
            },
        )?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: "access_key.create",
            subject: format!("access key {}", key.id),
            organisation: None,
            details: serde_json::json!({"name": key.name, "user": key.user, "grants": key.grants, "expiresAt": key.expires_at}),
        });
        tx.change("access-key", &key.id, None);
        idempotency::record(&mut tx, caller, idempotency, &key).await?;
        tx.commit().await?;
        key.secret = Some(format!("polder_{}_{}", key.id, secret.expose()));
        Ok(key)
    }

    /// Access keys, oldest first: the caller's own; all of them for a platform administrator.
    pub async fn list_access_keys(&self, caller: &Caller, query: &PageQuery) -> Result<Page<AccessKey>> {
        let paging = Paging::new("access-keys", query)?;
        let user = if caller.is_platform_administrator() { None } else { Some(caller.user().unwrap_or("-")) };
        let mut connection = self.store().read().await?;
        let found = access_keys::list(&mut connection, user, paging.after(), paging.fetch()).await?;
        Ok(paging.page(found, |key| key.id.clone()))
    }

    /// Revokes an access key: the caller's own, or any for a platform administrator.
    pub async fn delete_access_key(&self, caller: &Caller, id: &str) -> Result<()> {
        let mut tx = self.store().begin().await?;
        let key = access_keys::find(&mut tx, id).await?;
        let key = key
            .filter(|key| caller.is_platform_administrator() || caller.user() == Some(&key.user))
            .ok_or_else(|| Error::not_found("access key", id))?;
        access_keys::delete(&mut tx, &key.id).await?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: "access_key.delete",
            subject: format!("access key {}", key.id),
            organisation: None,
            details: serde_json::json!({"name": key.name, "user": key.user}),
        });
        tx.change("access-key", &key.id, None);
        tx.commit().await?;
        Ok(())
    }
}

/// When the new key ends: a key that is made with a key ends no later than that one.
async fn end(connection: &mut Connection, caller: &Caller, wanted: Option<Micros>) -> Result<Option<Micros>> {
    let Actor::AccessKey { id, .. } = caller.actor() else { return Ok(wanted) };
    let parent = access_keys::find(connection, id).await?.and_then(|key| key.expires_at);
    match (parent, wanted) {
        (Some(end), Some(wanted)) if wanted > end => Err(Error::field(
            Code::Forbidden,
            "expiresAt",
            "A key that is made with an access key cannot outlast that one.",
        )),
        (Some(end), None) => Ok(Some(end)),
        _ => Ok(wanted),
    }
}
