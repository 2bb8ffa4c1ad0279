//! Organisations and their signing keys.

use keys::OrganisationKey;
use store::{Connection, NewAudit, organisations};
use types::{Code, NewOrganisation, Organisation, Page, PageQuery, Permission, new_id, now};

use crate::access::Scope;
use crate::idempotency::{self, Idempotency};
use crate::names::{check_name, check_title};
use crate::paging::Paging;
use crate::{Caller, Control, Error, Result};

impl Control {
    /// Makes an organisation and its ed25519 key, which is stored encrypted by the master key.
    ///
    /// Errors: `name.invalid`, `name.taken`.
    pub async fn create_organisation(
        &self,
        caller: &Caller,
        idempotency: Option<&Idempotency>,
        new: &NewOrganisation,
    ) -> Result<Organisation> {
        caller.require(Permission::OrganisationsWrite)?;
        check_name("name", &new.name)?;
        let title = new.title.clone().unwrap_or_else(|| new.name.clone());
        check_title("title", &title)?;
        let mut tx = self.store().begin().await?;
        if let Some(organisation) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(organisation);
        }
        let key = OrganisationKey::generate()?;
        let organisation = Organisation {
            id: new_id("org"),
            name: new.name.clone(),
            title,
            public_key: key.public_key(),
            created_at: now(),
        };
        let sealed = key.seal(self.master_key(), &organisation.id)?;
        organisations::insert(&mut tx, &organisation, &sealed).await.map_err(|error| match error {
            store::Error::Taken { .. } => Error::field(
                Code::NameTaken,
                "name",
                format!("An organisation “{}” is there already. Choose another name.", organisation.name),
            ),
            other => other.into(),
        })?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: "organisation.create",
            subject: format!("organisation {}", organisation.id),
            organisation: Some(organisation.id.clone()),
            details: serde_json::json!({"name": organisation.name, "title": organisation.title, "publicKey": organisation.public_key}),
        });
        tx.change("organisation", &organisation.id, None);
        idempotency::record(&mut tx, caller, idempotency, &organisation).await?;
        tx.commit().await?;
        Ok(organisation)
    }

    /// Organisations by name: the caller's own and those that share a consortium with one of them.
    pub async fn list_organisations(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Organisation>> {
        caller.require(Permission::OrganisationsRead)?;
        let paging = Paging::new("organisations", query)?;
        let scope = caller.scope(Permission::OrganisationsRead);
        let mut connection = self.store().read().await?;
        let found = organisations::list(&mut connection, scope.organisations(), paging.after(), paging.fetch()).await?;
        Ok(paging.page(found, |organisation| organisation.name.clone()))
    }

    /// An organisation by id or name.
    pub async fn get_organisation(&self, caller: &Caller, id_or_name: &str) -> Result<Organisation> {
        caller.require(Permission::OrganisationsRead)?;
        let mut connection = self.store().read().await?;
        visible(&mut connection, caller, id_or_name).await
    }

    /// Removes an organisation with its key and all roles held for it.
    ///
    /// Errors: `in_use` while it is a member of a consortium.
    pub async fn delete_organisation(&self, caller: &Caller, id_or_name: &str) -> Result<()> {
        caller.require(Permission::OrganisationsWrite)?;
        let mut tx = self.store().begin().await?;
        let organisation = visible(&mut tx, caller, id_or_name).await?;
        organisations::delete(&mut tx, &organisation.id).await.map_err(|error| match error {
            store::Error::Referenced(_) => Error::new(
                Code::InUse,
                format!("“{}” is a member of a consortium. Delete the consortium first.", organisation.name),
            ),
            other => other.into(),
        })?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: "organisation.delete",
            subject: format!("organisation {}", organisation.id),
            organisation: Some(organisation.id.clone()),
            details: serde_json::json!({"name": organisation.name}),
        });
        tx.change("organisation", &organisation.id, None);
        tx.commit().await?;
        Ok(())
    }

    /// The signing key of an organisation, decrypted. Only for acts in the organisation's name that the caller was allowed.
    pub(crate) async fn organisation_key(&self, connection: &mut Connection, id: &str) -> Result<OrganisationKey> {
        let sealed = organisations::sealed_key(connection, id).await?;
        let sealed = sealed.ok_or_else(|| Error::not_found("organisation", id))?;
        Ok(OrganisationKey::open(self.master_key(), id, &sealed)?)
    }
}

async fn visible(connection: &mut Connection, caller: &Caller, id_or_name: &str) -> Result<Organisation> {
    let missing = || Error::not_found("organisation", id_or_name);
    let organisation = organisations::find(connection, id_or_name).await?.ok_or_else(missing)?;
    match caller.scope(Permission::OrganisationsRead) {
        Scope::All => return Ok(organisation),
        Scope::Organisations(own) => {
            for id in &own {
                if *id == organisation.id || organisations::share_consortium(connection, id, &organisation.id).await? {
                    return Ok(organisation);
                }
            }
        }
    }
    Err(missing())
}
