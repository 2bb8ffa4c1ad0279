//! Making a network: everything is settled and stored before anything is started.

use std::collections::BTreeMap;

use driver::{Accepted, AccountSpec, Draft, NetworkSpec, NodeSpec};
use keys::AccountKey;
use rand::RngExt as _;
use serde_json::Value;
use store::networks::{Phase, Wanted};
use store::{Connection, NewAudit, accounts, networks, nodes, operations};
use types::{
    Code, Consortium, CreatedNetwork, Id, Member, NetworkStatus, NewNetwork, NodeStatus, Permission, new_id, now,
};

use crate::idempotency::{self, Idempotency};
use crate::names::check_name;
use crate::operations::{Change, Subject, new_operation};
use crate::{Caller, Control, Error, Result};

/// Chain ids are drawn from here: above those in public use, and small enough for every wallet.
const CHAIN_IDS: std::ops::Range<u64> = 1_000_000_000..4_000_000_000;

/// A request that fits.
pub(super) struct Checked {
    pub members: Vec<Member>,
    pub accepted: Accepted,
    pub draft: Draft,
    /// Versions of other engines whose programs it runs, by their names.
    pub engines: BTreeMap<String, String>,
    /// Whether the engine's networks have chain ids.
    pub has_chain_id: bool,
}

impl Control {
    /// Makes a network. The answer comes at once; the operation in it does the work.
    ///
    /// # Errors
    /// `name.taken`, `name.invalid`, `consortium.members`, `network.engine`, `engine.missing`, `network.consensus`, `network.nodes`, `network.chain_id`,
    /// `network.genesis`, `auth.forbidden` when it would run nodes for organisations that the caller does not act for.
    pub async fn create_network(
        &self,
        caller: &Caller,
        idempotency: Option<&Idempotency>,
        new: &NewNetwork,
    ) -> Result<CreatedNetwork> {
        let mut tx = self.store().begin().await?;
        if let Some(answer) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(answer);
        }
        let (consortium, checked) = self.check_new_network(&mut tx, caller, new).await?;
        for member in &checked.members {
            caller.require_for(Permission::NetworksWrite, &member.organisation)?;
        }
        let taken =
            networks::by_name(&mut tx, &new.name).await?.iter().any(|network| network.consortium == consortium.id);
        if taken {
            return Err(name_taken(&new.name, &consortium.name));
        }
        let chain_id = match checked.has_chain_id {
            true => Some(self.settle_chain_id(&mut tx, checked.accepted.chain_id).await?),
            false => None,
        };

        let id = new_id("net");
        let accounts = self.make_accounts(&id, &checked.members, &checked.accepted.accounts)?;
        let spec = specify(&id, chain_id, &checked, &accounts);
        let network = stored_network(&new.engine, &consortium, &spec)?;
        let organisations: Vec<Id> = checked.members.iter().map(|member| member.organisation.clone()).collect();
        networks::insert(&mut tx, &network, &organisations).await.map_err(|error| match error {
            store::Error::Taken { .. } => name_taken(&new.name, &consortium.name),
            other => other.into(),
        })?;
        for (position, node) in (0i64..).zip(&spec.nodes) {
            let owner = checked.members.iter().find(|member| member.name == node.member);
            let owner = owner.map(|member| member.organisation.clone());
            let row = stored_node(&network, node, position, owner, self.host().name())?;
            nodes::insert(&mut tx, &row).await?;
        }
        for (account, _) in &accounts {
            accounts::insert(&mut tx, account).await?;
        }
        let subject =
            Subject { id: &network.id, name: &network.name, scope: &network.id, consortium: &network.consortium };
        let operation = new_operation(Change::CreateNetwork, &subject, caller);
        operations::insert(&mut tx, &operation).await?;
        let entry = NewAudit {
            actor: caller.actor().to_string(),
            action: "network.create",
            subject: format!("network {}", network.id),
            organisation: None,
            details: serde_json::json!({
                "name": network.name, "consortium": consortium.name, "engine": network.engine, "consensus": network.consensus,
                "chainId": chain_id, "nodes": spec.nodes.len(), "members": checked.draft.members,
            }),
        };
        tx.audit_each(&organisations, entry);
        tx.change("network", &network.id, Some(&network.id));
        tx.change("operation", &operation.shown.id, Some(&network.id));
        let network = self.show_network(&mut tx, network).await?;
        let created = CreatedNetwork { network, operation: operation.shown };
        idempotency::record(&mut tx, caller, idempotency, &created).await?;
        tx.commit().await?;
        self.runtime().operations_due.notify_one();
        Ok(created)
    }

    pub(super) async fn check_new_network(
        &self,
        read: &mut Connection,
        caller: &Caller,
        new: &NewNetwork,
    ) -> Result<(Consortium, Checked)> {
        check_name("name", &new.name)?;
        let consortium = self.choose_consortium(read, caller, new.consortium.as_deref()).await?;
        let members = choose_members(&consortium, new.members.as_deref())?;
        let driver = self.drivers().get(&new.engine).ok_or_else(|| {
            let names: Vec<String> = self.drivers().engines().into_iter().map(|engine| engine.name).collect();
            Error::field(
                Code::NetworkEngine,
                "engine",
                format!("There is no engine “{}”. This deployment has: {}.", new.engine, names.join(", ")),
            )
        })?;
        let engine = driver.planner().describe();
        let kind = engine.consensus.iter().find(|kind| kind.name == new.consensus);
        let draft = Draft {
            name: new.name.clone(),
            consensus: new.consensus.clone(),
            version: self.settle_version(&engine, kind, new.version.as_deref())?,
            // A consensus that the engine does not have is refused by its planner.
            nodes: new.nodes.or(kind.map(|kind| kind.default_nodes)).unwrap_or_default(),
            members: members.iter().map(|member| member.name.clone()).collect(),
            chain_id: new.chain_id,
            genesis: new.genesis.clone(),
            options: new.options.clone().unwrap_or(Value::Null),
        };
        let accepted = driver.planner().accept(&draft)?;
        let engines = accepted.engines.iter().map(|name| Ok((name.clone(), self.settle_other_engine(name)?)));
        let engines = engines.collect::<Result<_>>()?;
        let has_chain_id = engine.capabilities.iter().any(|capability| capability == "chain-id");
        Ok((consortium, Checked { members, accepted, draft, engines, has_chain_id }))
    }

    pub(super) async fn choose_consortium(
        &self,
        read: &mut Connection,
        caller: &Caller,
        given: Option<&str>,
    ) -> Result<Consortium> {
        caller.require(Permission::NetworksWrite)?;
        let scope = caller.scope(Permission::NetworksWrite);
        let mut visible = store::consortia::list(read, scope.organisations(), None, u32::MAX).await?;
        let names =
            |consortia: &[Consortium]| consortia.iter().map(|one| one.name.clone()).collect::<Vec<_>>().join(", ");
        match given {
            Some(given) => visible
                .into_iter()
                .find(|one| one.id == given || one.name == given)
                .ok_or_else(|| Error::not_found("consortium", given)),
            None if visible.len() == 1 => Ok(visible.remove(0)),
            None if visible.is_empty() => Err(Error::field(
                Code::NotFound,
                "consortium",
                "There is no consortium to make a network in. Found one first (`polder consortium create`).",
            )),
            None => Err(Error::field(
                Code::NameAmbiguous,
                "consortium",
                format!("Say which consortium: {}.", names(&visible)),
            )),
        }
    }

    pub(super) async fn settle_chain_id(&self, read: &mut Connection, given: Option<u64>) -> Result<u64> {
        if let Some(chain_id) = given {
            if i64::try_from(chain_id).is_err() || chain_id == 0 {
                return Err(Error::field(
                    Code::NetworkGenesis,
                    "chainId",
                    "A chain id is from 1 to 9223372036854775807.",
                ));
            }
            if networks::has_chain_id(read, chain_id).await? {
                return Err(Error::field(
                    Code::NetworkChainId,
                    "chainId",
                    format!(
                        "Another network of this deployment has the chain id {chain_id}. What you attach is here already then; for a new network give another one, or none: then one is drawn."
                    ),
                ));
            }
            return Ok(chain_id);
        }
        loop {
            let chain_id = rand::rng().random_range(CHAIN_IDS);
            if !networks::has_chain_id(read, chain_id).await? {
                return Ok(chain_id);
            }
        }
    }

    /// One account for each member: an identity of the plan, or a key of its own, sealed.
    pub(super) fn make_accounts(
        &self,
        network: &str,
        members: &[Member],
        identities: &[AccountSpec],
    ) -> Result<Vec<(accounts::Account, AccountSpec)>> {
        let make = |member: &Member| {
            let id = new_id("acc");
            let identity = identities.iter().find(|account| account.member == member.name);
            let (spec, secret) = match identity {
                // Its key is the identity's.
                Some(identity) => (identity.clone(), String::new()),
                None => {
                    let key = AccountKey::generate()?;
                    let (address, member) = (key.address().to_string(), member.name.clone());
                    let spec = AccountSpec { address, member, balance: None, identity: None };
                    (spec, key.seal(self.master_key(), &id)?)
                }
            };
            let account = accounts::Account {
                id,
                network: network.into(),
                organisation: member.organisation.clone(),
                address: spec.address.clone(),
                secret,
                created_at: now(),
            };
            Ok((account, spec))
        };
        members.iter().map(make).collect()
    }
}

pub(super) fn choose_members(consortium: &Consortium, given: Option<&[String]>) -> Result<Vec<Member>> {
    let Some(given) = given else { return Ok(consortium.members.clone()) };
    if given.is_empty() {
        return Err(Error::field(
            Code::ConsortiumMembers,
            "members",
            "Name at least one member, or leave the members out: then all take part.",
        ));
    }
    let mut chosen: Vec<Member> = Vec::new();
    for (index, reference) in given.iter().enumerate() {
        let field = format!("members[{index}]");
        let member = consortium
            .members
            .iter()
            .find(|member| member.name == *reference || member.organisation == *reference)
            .ok_or_else(|| {
                Error::field(
                    Code::ConsortiumMembers,
                    &field,
                    format!("“{reference}” is no member of the consortium {}.", consortium.name),
                )
            })?;
        if chosen.iter().any(|one| one.organisation == member.organisation) {
            return Err(Error::field(Code::ConsortiumMembers, &field, format!("“{reference}” is named twice.")));
        }
        chosen.push(member.clone());
    }
    Ok(chosen)
}

fn specify(
    id: &str,
    chain_id: Option<u64>,
    checked: &Checked,
    accounts: &[(accounts::Account, AccountSpec)],
) -> NetworkSpec {
    let spec = NetworkSpec::settle(id.into(), now(), &checked.draft, &checked.accepted, || new_id("node"));
    NetworkSpec {
        chain_id,
        engines: checked.engines.clone(),
        accounts: accounts.iter().map(|(_, spec)| spec.clone()).collect(),
        ..spec
    }
}

/// The record of a network that is to be made.
pub(super) fn stored_network(engine: &str, consortium: &Consortium, spec: &NetworkSpec) -> Result<networks::Network> {
    Ok(networks::Network {
        id: spec.id.clone(),
        consortium: consortium.id.clone(),
        name: spec.name.clone(),
        engine: engine.into(),
        consensus: spec.consensus.clone(),
        spec: serde_json::to_value(spec).map_err(|error| Error::internal("a specification", error))?,
        options: spec.options.clone(),
        chain_id: spec.chain_id,
        phase: Phase::Creating,
        wanted: Wanted::Running,
        status: NetworkStatus::Creating,
        status_reason: None,
        height: None,
        progress_at: None,
        counted: None,
        created_at: spec.created_at,
    })
}

/// The record of a node that is to be made, for the organisation that it belongs to.
pub(crate) fn stored_node(
    network: &networks::Network,
    node: &NodeSpec,
    position: i64,
    organisation: Option<Id>,
    host: &str,
) -> Result<nodes::Node> {
    let organisation = organisation.ok_or_else(|| {
        Error::Internal(format!("the planner gave {} to {}, who takes no part", node.name, node.member), None)
    })?;
    let prefix = format!("{}/", network.name);
    Ok(nodes::Node {
        id: node.id.clone(),
        network: network.id.clone(),
        name: node.name.strip_prefix(&prefix).unwrap_or(&node.name).into(),
        position,
        organisation,
        role: node.role.clone(),
        host: host.into(),
        wanted: true,
        status: NodeStatus::Creating,
        status_reason: None,
        height: None,
        pid: None,
        restarts: 0,
        started_at: None,
        facts: serde_json::json!({}),
        observed_at: None,
    })
}

pub(super) fn name_taken(name: &str, consortium: &str) -> Error {
    Error::field(
        Code::NameTaken,
        "name",
        format!("The consortium {consortium} has a network “{name}” already. Choose another name."),
    )
}
