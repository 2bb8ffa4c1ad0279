//! Attaching a network that others run: found, pinned, recorded, and from then on watched and used like the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use driver::{AttachedSpec, Attacher, Connector, Ledger, LedgerNetwork, NetworkSpec, NodeSpec, Remote};
use outbound::{Location, Outbound, Pinned};
use serde_json::{Value, json};
use store::networks::{self, Phase};
use store::{NewAudit, accounts};
use types::{AttachNetwork, Attached, Code, Id, Network, NetworkStatus, Permission, new_id, now};

use super::create::{choose_members, name_taken, stored_network};
use crate::idempotency::{self, Idempotency};
use crate::names::check_name;
use crate::{Caller, Control, Error, Result};

/// Most blocks that may be asked to follow one before it is final.
const MOST_CONFIRMATIONS: u64 = 10_000;

impl Control {
    /// Attaches a network by the address of its JSON-RPC. It has accounts of the members, and no nodes.
    ///
    /// # Errors
    /// `address.invalid`, `address.refused`, `node.unreachable`, `network.identity` when it has another chain id than the one
    /// that was given, `network.chain_id` when another network has it, and those of a creation.
    pub async fn attach_network(
        &self,
        caller: &Caller,
        idempotency: Option<&Idempotency>,
        new: &AttachNetwork,
    ) -> Result<Network> {
        let mut tx = self.store().begin().await?;
        if let Some(answer) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(answer);
        }
        check_name("name", &new.name)?;
        if new.confirmations.is_some_and(|blocks| blocks > MOST_CONFIRMATIONS) {
            let message = format!("0 to {MOST_CONFIRMATIONS} blocks are expected.");
            return Err(Error::field(Code::RequestInvalid, "confirmations", message));
        }
        let consortium = self.choose_consortium(&mut tx, caller, new.consortium.as_deref()).await?;
        let members = choose_members(&consortium, new.members.as_deref())?;
        for member in &members {
            caller.require_for(Permission::NetworksWrite, &member.organisation)?;
        }
        // Nothing is kept waiting while the address is looked at.
        drop(tx);
        let attacher = self.attacher(None)?;
        let location = Location::parse(&new.rpc)?;
        let pinned = self.outbound().pin(&location).await?;
        let remote = Remote { host: location.authority(), path: location.path.clone() };
        let found = attacher.look(connector(self.outbound(), &pinned), &remote).await.map_err(|error| match error {
            driver::Error::Unreachable(reason) => Error::new(
                Code::NodeUnreachable,
                format!("{} ({}) does not answer: {}.", location.origin(), pinned.ip, plain_reason(&reason)),
            ),
            other => other.into(),
        })?;
        if let Some(wanted) = new.chain_id.filter(|wanted| *wanted != found.chain_id) {
            let message = format!("The chain at the address has the id {}, not {wanted}.", found.chain_id);
            return Err(Error::field(Code::NetworkIdentity, "chainId", message));
        }

        let mut tx = self.store().begin().await?;
        let named = networks::by_name(&mut tx, &new.name).await?;
        if named.iter().any(|network| network.consortium == consortium.id) {
            return Err(name_taken(&new.name, &consortium.name));
        }
        let chain_id = self.settle_chain_id(&mut tx, Some(found.chain_id)).await?;
        let id = new_id("net");
        let accounts = self.make_accounts(&id, &members, &[])?;
        let attached = AttachedSpec {
            origin: location.origin(),
            path: self.master_key().seal(&purpose(&id), location.path.as_bytes())?,
            ip: pinned.ip,
            first_block: found.first_block,
            client: found.client,
            confirmations: new.confirmations.or(found.confirmations),
        };
        let spec = specify(&id, &new.name, &found.consensus, chain_id, &accounts, attached);
        let network = networks::Network {
            options: json!({}),
            phase: Phase::Ready,
            status: NetworkStatus::Running,
            ..stored_network(&attacher.describe().name, &consortium, &spec)?
        };
        let organisations: Vec<Id> = members.iter().map(|member| member.organisation.clone()).collect();
        networks::insert(&mut tx, &network, &organisations).await.map_err(|error| match error {
            store::Error::Taken { .. } => name_taken(&new.name, &consortium.name),
            other => other.into(),
        })?;
        for (account, _) in &accounts {
            accounts::insert(&mut tx, account).await?;
        }
        let entry = NewAudit {
            actor: caller.actor().to_string(),
            action: "network.attach",
            subject: format!("network {}", network.id),
            organisation: None,
            details: json!({
                "name": network.name, "consortium": consortium.name, "rpc": location.origin(), "address": pinned.ip,
                "chainId": chain_id, "firstBlock": spec.attached.as_ref().map(|attached| &attached.first_block),
            }),
        };
        tx.audit_each(&organisations, entry);
        tx.change("network", &network.id, Some(&network.id));
        let shown = self.show_network(&mut tx, network).await?;
        idempotency::record(&mut tx, caller, idempotency, &shown).await?;
        tx.commit().await?;
        self.runtime().attached_due.notify_one();
        Ok(shown)
    }

    fn attacher(&self, engine: Option<&str>) -> Result<&Arc<dyn Attacher>> {
        self.drivers().attacher(engine).ok_or_else(|| {
            Error::new(Code::NetworkEngine, "This server attaches no such networks. Start a version that does.")
        })
    }

    /// The ledger of an attached network.
    pub(crate) fn attached_ledger(
        &self,
        network: &networks::Network,
        spec: &NetworkSpec,
        attached: &AttachedSpec,
    ) -> Result<Arc<dyn Ledger>> {
        let path = self.master_key().open_text(&purpose(&network.id), &attached.path)?;
        let (location, pinned) = pinned(attached)?;
        let remote = Remote { host: location.authority(), path: path.expose().to_owned() };
        let opened = LedgerNetwork {
            identities: self.key_store().of_network(&network.id),
            ..LedgerNetwork::new(spec.clone(), connector(self.outbound(), &pinned))
        };
        Ok(self.attacher(Some(&network.engine))?.ledger(opened, &remote)?)
    }
}

/// What is refused because others run the network's nodes.
pub(crate) fn attached_error(network: &str) -> Error {
    let which = if network.is_empty() { "This network".into() } else { format!("The network {network}") };
    Error::new(
        Code::NetworkAttached,
        format!(
            "{which} is attached: others run its nodes, so they cannot be started, stopped, changed or read here. Ask those \
             who run it; deleting it here only detaches it."
        ),
    )
}

/// An attached network as the API shows it.
pub(super) fn shown(attached: &AttachedSpec) -> Result<Attached> {
    let (location, pinned) = pinned(attached)?;
    Ok(Attached {
        rpc: location.origin(),
        address: std::net::SocketAddr::new(pinned.ip, pinned.port).to_string(),
        client: attached.client.clone(),
        first_block: attached.first_block.clone(),
        confirmations: attached.confirmations,
    })
}

fn pinned(attached: &AttachedSpec) -> Result<(Location, Pinned)> {
    let location = Location::parse(&attached.origin)?;
    let pinned = Pinned { secure: location.secure, host: location.host.clone(), port: location.port, ip: attached.ip };
    Ok((location, pinned))
}

/// What the sealed path is bound to.
fn purpose(network: &str) -> String {
    format!("attached:{network}")
}

/// Whatever node is asked for, it is behind the one address.
fn connector(outbound: &Outbound, pinned: &Pinned) -> Connector {
    let (outbound, pinned) = (outbound.clone(), pinned.clone());
    Arc::new(move |_, _| {
        let (outbound, pinned) = (outbound.clone(), pinned.clone());
        Box::pin(async move {
            let stream = outbound.connect(&pinned).await?;
            Ok(Box::new(stream) as Box<dyn driver::Connection>)
        })
    })
}

/// The reason without the node's name, which means nothing to a person here.
fn plain_reason(reason: &str) -> &str {
    reason.split_once(": ").map_or(reason, |(_, reason)| reason)
}

fn specify(
    id: &str,
    name: &str,
    consensus: &str,
    chain_id: u64,
    accounts: &[(accounts::Account, driver::AccountSpec)],
    attached: AttachedSpec,
) -> NetworkSpec {
    NetworkSpec {
        id: id.into(),
        name: name.into(),
        consensus: consensus.into(),
        version: None,
        engines: BTreeMap::new(),
        chain_id: Some(chain_id),
        created_at: now(),
        genesis: None,
        options: Value::Null,
        nodes: vec![NodeSpec {
            id: new_id("node"),
            name: format!("{name}/rpc"),
            member: String::new(),
            role: "rpc".into(),
            contract: None,
        }],
        accounts: accounts.iter().map(|(_, spec)| spec.clone()).collect(),
        channels: Vec::new(),
        contracts: Vec::new(),
        spent_names: Vec::new(),
        attached: Some(attached),
    }
}
