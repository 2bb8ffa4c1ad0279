//! Consortia. Founding one is an act of each member: each member's key signs the founding statement.
//!
//! The statement is JSON with its members in this order: `statement` (`polder consortium founding v1`), `id`, `name`, `title`,
//! `foundedAt` (microseconds), `members` (`organisation`, `name`, `publicKey` each). It is stored as it was signed.

use keys::verify;
use serde::Serialize;
use store::{Connection, NewAudit, consortia, organisations};
use types::{
    Code, Consortium, Id, Member, Micros, NewConsortium, Organisation, Page, PageQuery, Permission, new_id, now,
};

use crate::access::Scope;
use crate::idempotency::{self, Idempotency};
use crate::names::{check_name, check_title};
use crate::paging::Paging;
use crate::{Caller, Control, Error, Result};

const MOST_MEMBERS: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    statement: &'static str,
    id: &'a str,
    name: &'a str,
    title: &'a str,
    founded_at: Micros,
    members: Vec<Signatory<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signatory<'a> {
    organisation: &'a str,
    name: &'a str,
    public_key: &'a str,
}

impl Control {
    /// Founds a consortium of organisations of this deployment at once. The platform's administrator has each member's key sign;
    /// the audit log says so for each member.
    ///
    /// Errors: `name.invalid`, `name.taken`, `consortium.members`.
    pub async fn create_consortium(
        &self,
        caller: &Caller,
        idempotency: Option<&Idempotency>,
        new: &NewConsortium,
    ) -> Result<Consortium> {
        caller.require(Permission::ConsortiaWrite)?;
        check_name("name", &new.name)?;
        let title = new.title.clone().unwrap_or_else(|| new.name.clone());
        check_title("title", &title)?;
        let mut tx = self.store().begin().await?;
        if let Some(consortium) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(consortium);
        }
        let founders = founders(&mut tx, &new.members).await?;
        let mut consortium =
            Consortium { id: new_id("con"), name: new.name.clone(), title, members: Vec::new(), created_at: now() };
        let statement = statement(&consortium, &founders)?;
        for founder in &founders {
            let signature = self.organisation_key(&mut tx, &founder.id).await?.sign(statement.as_bytes());
            // A key that does not fit its organisation must not found anything.
            if !verify(&founder.public_key, statement.as_bytes(), &signature) {
                return Err(Error::Internal(format!("the key of organisation {} does not fit", founder.id), None));
            }
            consortium.members.push(Member {
                organisation: founder.id.clone(),
                name: founder.name.clone(),
                title: founder.title.clone(),
                public_key: founder.public_key.clone(),
                signature,
                joined_at: consortium.created_at,
            });
        }
        consortia::insert(&mut tx, &consortium, &statement).await.map_err(|error| match error {
            store::Error::Taken { .. } => Error::field(
                Code::NameTaken,
                "name",
                format!("A consortium “{}” is there already. Choose another name.", consortium.name),
            ),
            other => other.into(),
        })?;
        let subject = format!("consortium {}", consortium.id);
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: "consortium.found",
            subject: subject.clone(),
            organisation: None,
            details: serde_json::json!({"name": consortium.name, "members": names(&consortium), "statement": statement}),
        });
        for member in &consortium.members {
            tx.audit(NewAudit {
                actor: caller.actor().to_string(),
                action: "consortium.join",
                subject: subject.clone(),
                organisation: Some(member.organisation.clone()),
                details: serde_json::json!({
                    "name": consortium.name,
                    "member": member.name,
                    "publicKey": member.public_key,
                    "signature": member.signature,
                    "signedFor": "the platform's administrator, by the founding shortcut",
                }),
            });
        }
        tx.change("consortium", &consortium.id, None);
        idempotency::record(&mut tx, caller, idempotency, &consortium).await?;
        tx.commit().await?;
        Ok(consortium)
    }

    /// Consortia by name: those that an organisation of the caller is a member of.
    pub async fn list_consortia(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Consortium>> {
        caller.require(Permission::ConsortiaRead)?;
        let paging = Paging::new("consortia", query)?;
        let scope = caller.scope(Permission::ConsortiaRead);
        let mut connection = self.store().read().await?;
        let found = consortia::list(&mut connection, scope.organisations(), paging.after(), paging.fetch()).await?;
        Ok(paging.page(found, |consortium| consortium.name.clone()))
    }

    /// A consortium by id or name.
    pub async fn get_consortium(&self, caller: &Caller, id_or_name: &str) -> Result<Consortium> {
        caller.require(Permission::ConsortiaRead)?;
        let mut connection = self.store().read().await?;
        visible(&mut connection, caller, id_or_name).await
    }

    /// Dissolves a consortium.
    ///
    /// Errors: `in_use` while it has networks.
    pub async fn delete_consortium(&self, caller: &Caller, id_or_name: &str) -> Result<()> {
        caller.require(Permission::ConsortiaWrite)?;
        let mut tx = self.store().begin().await?;
        let consortium = visible(&mut tx, caller, id_or_name).await?;
        consortia::delete(&mut tx, &consortium.id).await.map_err(|error| match error {
            store::Error::Referenced(_) => {
                Error::new(Code::InUse, format!("“{}” has networks. Delete them first.", consortium.name))
            }
            other => other.into(),
        })?;
        let concerned = std::iter::once(None).chain(consortium.members.iter().map(|member| Some(&member.organisation)));
        for organisation in concerned {
            tx.audit(NewAudit {
                actor: caller.actor().to_string(),
                action: "consortium.delete",
                subject: format!("consortium {}", consortium.id),
                organisation: organisation.cloned(),
                details: serde_json::json!({"name": consortium.name, "members": names(&consortium)}),
            });
        }
        tx.change("consortium", &consortium.id, None);
        tx.commit().await?;
        Ok(())
    }
}

/// The organisations that found it, in the order given.
async fn founders(connection: &mut Connection, members: &[String]) -> Result<Vec<Organisation>> {
    let wrong = |field: String, message: String| Err(Error::field(Code::ConsortiumMembers, field, message));
    if members.is_empty() || members.len() > MOST_MEMBERS {
        return wrong("members".into(), format!("Name 1 to {MOST_MEMBERS} organisations."));
    }
    let mut founders: Vec<Organisation> = Vec::with_capacity(members.len());
    for (index, member) in members.iter().enumerate() {
        let field = format!("members[{index}]");
        match organisations::find(connection, member).await? {
            None => return wrong(field, format!("There is no organisation “{member}”. Make it first.")),
            Some(organisation) if founders.iter().any(|other| other.id == organisation.id) => {
                return wrong(field, format!("“{member}” is named twice."));
            }
            Some(organisation) => founders.push(organisation),
        }
    }
    Ok(founders)
}

fn statement(consortium: &Consortium, founders: &[Organisation]) -> Result<String> {
    let statement = Statement {
        statement: "polder consortium founding v1",
        id: &consortium.id,
        name: &consortium.name,
        title: &consortium.title,
        founded_at: consortium.created_at,
        members: founders
            .iter()
            .map(|founder| Signatory {
                organisation: &founder.id,
                name: &founder.name,
                public_key: &founder.public_key,
            })
            .collect(),
    };
    serde_json::to_string(&statement)
        .map_err(|error| Error::internal("the founding statement cannot be written", error))
}

async fn visible(connection: &mut Connection, caller: &Caller, id_or_name: &str) -> Result<Consortium> {
    let missing = || Error::not_found("consortium", id_or_name);
    let consortium = consortia::find(connection, id_or_name).await?.ok_or_else(missing)?;
    let seen = match caller.scope(Permission::ConsortiaRead) {
        Scope::All => true,
        Scope::Organisations(own) => has_member(&consortium, &own),
    };
    if seen { Ok(consortium) } else { Err(missing()) }
}

fn has_member(consortium: &Consortium, organisations: &[Id]) -> bool {
    consortium.members.iter().any(|member| organisations.contains(&member.organisation))
}

fn names(consortium: &Consortium) -> Vec<&str> {
    consortium.members.iter().map(|member| member.name.as_str()).collect()
}
