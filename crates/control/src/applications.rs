//! Applications: credentials of members' programs for networks' JSON-RPC. `polder_APPID_SECRET`; the secret is shown once and
//! its hash is stored.

use keys::{Token, hash_token};
use store::{Connection, NewAudit, applications, organisations};
use types::{
    Application, ApplicationNetwork, Code, NewApplication, Page, PageQuery, Permission, new_id, now, rpc_path,
};

use crate::idempotency::{self, Idempotency};
use crate::names::check_name;
use crate::paging::Paging;
use crate::{Caller, Control, Error, Result};

pub(crate) const APPLICATION: &str = "application";
const MOST_NETWORKS: usize = 100;

impl Control {
    /// Makes an application of a member, for networks of the member's consortia. The answer's `secret` is its key. A
    /// repetition with the same idempotency key answers without it.
    ///
    /// Errors: `name.invalid`, `name.taken`, `auth.forbidden`, `not_found`, `request.invalid` for a network that is not the
    /// member's or has no JSON-RPC.
    pub async fn create_application(
        &self,
        caller: &Caller,
        idempotency: Option<&Idempotency>,
        new: &NewApplication,
    ) -> Result<Application> {
        caller.require(Permission::ApplicationsWrite)?;
        check_name("name", &new.name)?;
        let mut tx = self.store().begin().await?;
        if let Some(application) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(application);
        }
        let member = organisations::find(&mut tx, &new.member).await?;
        let member = member.ok_or_else(|| Error::not_found("organisation", &new.member))?;
        caller.require_for(Permission::ApplicationsWrite, &member.id)?;
        let mut networks = Vec::new();
        for (index, reference) in new.networks.iter().take(MOST_NETWORKS + 1).enumerate() {
            let network = self.application_network(&mut tx, caller, &member, reference).await?;
            let network =
                network.map_err(|reason| Error::field(Code::RequestInvalid, format!("networks[{index}]"), reason))?;
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        if !(1..=MOST_NETWORKS).contains(&networks.len()) {
            let message = format!("Name 1 to {MOST_NETWORKS} networks.");
            return Err(Error::field(Code::RequestInvalid, "networks", message));
        }
        let secret = Token::hex()?;
        let mut application = Application {
            id: new_id("app"),
            name: new.name.clone(),
            member: member.name,
            organisation: member.id,
            networks,
            inspect: new.inspect,
            calls: 0,
            created_at: now(),
            last_used_at: None,
            secret: None,
        };
        let hash = hash_token(APPLICATION, secret.expose());
        applications::insert(&mut tx, &application, &hash).await.map_err(|error| match error {
            store::Error::Taken { .. } => Error::field(
                Code::NameTaken,
                "name",
                format!("{} has an application “{}” already. Choose another name.", application.member, new.name),
            ),
            other => other.into(),
        })?;
        let networks: Vec<&str> = application.networks.iter().map(|network| network.name.as_str()).collect();
        let details =
            serde_json::json!({"name": application.name, "networks": networks, "inspect": application.inspect});
        tx.audit(entry(caller, "application.create", &application, details));
        tx.change("application", &application.id, None);
        idempotency::record(&mut tx, caller, idempotency, &application).await?;
        tx.commit().await?;
        application.secret = Some(key(&application.id, secret.expose()));
        Ok(application)
    }

    /// Applications of the organisations whose applications the caller may read, oldest first.
    pub async fn list_applications(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Application>> {
        caller.require(Permission::ApplicationsRead)?;
        let paging = Paging::new("applications", query)?;
        let scope = caller.scope(Permission::ApplicationsRead);
        let mut connection = self.store().read().await?;
        let found = applications::list(&mut connection, scope.organisations(), paging.after(), paging.fetch()).await?;
        let found = found.into_iter().map(|one| self.admissions().with_newest_use(one)).collect();
        Ok(paging.page(found, |application: &Application| application.id.clone()))
    }

    /// An application by id or name.
    pub async fn get_application(&self, caller: &Caller, id_or_name: &str) -> Result<Application> {
        let mut connection = self.store().read().await?;
        let found = find(&mut connection, caller, Permission::ApplicationsRead, id_or_name).await?;
        Ok(self.admissions().with_newest_use(found))
    }

    /// Replaces an application's key; the old one ends at once, and so do its connections. The answer's `secret` is the new
    /// one.
    pub async fn rotate_application(&self, caller: &Caller, id_or_name: &str) -> Result<Application> {
        let mut tx = self.store().begin().await?;
        let mut application = find(&mut tx, caller, Permission::ApplicationsWrite, id_or_name).await?;
        let secret = Token::hex()?;
        applications::set_secret_hash(&mut tx, &application.id, &hash_token(APPLICATION, secret.expose())).await?;
        let details = serde_json::json!({"name": application.name});
        tx.audit(entry(caller, "application.rotate", &application, details));
        tx.change("application", &application.id, None);
        tx.commit().await?;
        self.admissions().forget(&application.id);
        application = self.admissions().with_newest_use(application);
        application.secret = Some(key(&application.id, secret.expose()));
        Ok(application)
    }

    /// Revokes an application: its key and its connections end at once.
    pub async fn delete_application(&self, caller: &Caller, id_or_name: &str) -> Result<()> {
        let mut tx = self.store().begin().await?;
        let application = find(&mut tx, caller, Permission::ApplicationsWrite, id_or_name).await?;
        applications::delete(&mut tx, &application.id).await?;
        let details = serde_json::json!({"name": application.name});
        tx.audit(entry(caller, "application.delete", &application, details));
        tx.change("application", &application.id, None);
        tx.commit().await?;
        self.admissions().forget(&application.id);
        Ok(())
    }

    /// A network that an application of a member may reach; else why not.
    async fn application_network(
        &self,
        connection: &mut Connection,
        caller: &Caller,
        member: &types::Organisation,
        reference: &str,
    ) -> Result<std::result::Result<ApplicationNetwork, String>> {
        let found = self.find_network(connection, caller, Permission::NetworksRead, reference).await?;
        let (network, consortium) = (found.network, found.consortium);
        if consortium.members.iter().all(|one| one.organisation != member.id) {
            return Ok(Err(format!("{} is no member of the consortium {}.", member.name, consortium.name)));
        }
        if !self.speaks_json_rpc(&network.engine) {
            return Ok(Err(format!(
                "The nodes of {} do not speak Ethereum's JSON-RPC. Use a connection profile.",
                network.name
            )));
        }
        Ok(Ok(ApplicationNetwork {
            id: network.id,
            name: format!("{}/{}", consortium.name, network.name),
            rpc: rpc_path(&consortium.name, &network.name),
        }))
    }

    /// Whether the nodes of an engine answer Ethereum's JSON-RPC.
    pub(crate) fn speaks_json_rpc(&self, engine: &str) -> bool {
        let driver = self.drivers().get(engine);
        driver.is_some_and(|driver| driver.planner().describe().capabilities.iter().any(|one| one == driver::JSON_RPC))
    }
}

fn key(id: &str, secret: &str) -> String {
    format!("polder_{id}_{secret}")
}

fn entry(caller: &Caller, action: &'static str, application: &Application, details: serde_json::Value) -> NewAudit {
    NewAudit {
        actor: caller.actor().to_string(),
        action,
        subject: format!("application {}", application.id),
        organisation: Some(application.organisation.clone()),
        details,
    }
}

/// An application by its id or name, among those that a permission reaches.
async fn find(
    connection: &mut Connection,
    caller: &Caller,
    permission: Permission,
    id_or_name: &str,
) -> Result<Application> {
    caller.require(permission)?;
    let mut found = applications::by_name(connection, id_or_name).await?;
    found.extend(applications::get(connection, id_or_name).await?);
    found.retain(|one| caller.has_for(Permission::ApplicationsRead, &one.organisation));
    let one = match (found.pop(), found.is_empty()) {
        (Some(one), true) => one,
        (Some(_), false) => {
            let detail = format!("More than one member has an application “{id_or_name}”. Give its id.");
            return Err(Error::new(Code::NameAmbiguous, detail));
        }
        (None, _) => return Err(Error::not_found("application", id_or_name)),
    };
    caller.require_for(permission, &one.organisation)?;
    Ok(one)
}
