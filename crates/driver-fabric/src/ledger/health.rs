//! What a node says of itself.

use std::time::Duration;

use driver::{Error, NodeHealth, NodeSpec, Peer, Result};
use fabric_client::{authority, block, lifecycle};
use serde_json::{Map, Value, json};

use crate::layout::{self, CA, CHAINCODE, ORDERER, PEER};
use crate::ledger::errors::{error, is_absence, told};
use crate::ledger::operations::get;
use crate::ledger::{FabricLedger, decode};

/// A node that does not answer within this time is not well.
const SOON: Duration = Duration::from_secs(4);

pub(crate) async fn health(ledger: &FabricLedger, id: &str) -> Result<NodeHealth> {
    let node = ledger.clients.node(id)?;
    match node.role.as_str() {
        ORDERER => orderer(ledger, node).await,
        CHAINCODE => chaincode(ledger, node).await,
        CA => certificate_authority(ledger, node).await,
        _ => peer(ledger, node).await,
    }
}

fn unanswered(node: &NodeSpec, failure: fabric_client::Error) -> Error {
    match is_absence(&failure) {
        true => Error::Unreachable(format!("{}: {}", node.name, told(&failure))),
        false => error(failure),
    }
}

/// How other nodes know it: where they reach it.
fn identity(ledger: &FabricLedger, node: &NodeSpec) -> Option<String> {
    layout::between(&ledger.clients.network.placements, node).ok().map(|address| address.to_string())
}

/// The last day of the node's certificate that ends first.
fn certificates_until(ledger: &FabricLedger, node: &NodeSpec) -> Option<String> {
    let outputs = &ledger.clients.network.outputs;
    let mut names = vec![layout::signing(node), layout::tls(node)];
    names.extend((node.role == CA).then(|| layout::ca_root(&node.member)));
    let certificates = names.iter().filter_map(|name| layout::certificate(outputs, name).ok());
    let ends = certificates.filter_map(|pem| Some(authority::read(pem).ok()?.valid_until)).min()?;
    Some(time::OffsetDateTime::from_unix_timestamp(ends).ok()?.date().to_string())
}

fn base(ledger: &FabricLedger, node: &NodeSpec) -> NodeHealth {
    let mut health = NodeHealth {
        height: None,
        head: None,
        head_at: None,
        state_root: None,
        // Nodes beside the ledger are nobody's peers.
        identity: matches!(&*node.role, PEER | ORDERER).then(|| identity(ledger, node)).flatten(),
        leader: None,
        peers: Vec::new(),
        halted: None,
        facts: json!({ "role": node.role, "msp": layout::msp_id(&node.member) }),
    };
    if let Some(until) = certificates_until(ledger, node) {
        add(&mut health, "certificatesUntil", until);
    }
    health
}

fn add(health: &mut NodeHealth, name: &str, value: impl Into<Value>) {
    if let Value::Object(facts) = &mut health.facts {
        facts.insert(name.into(), value.into());
    }
}

/// The version that a node tells.
async fn version(ledger: &FabricLedger, node: &NodeSpec) -> Option<String> {
    let answer = get(&ledger.clients.network.connector, node, "/version").await?;
    let answer: Map<String, Value> = serde_json::from_str(&answer).ok()?;
    let version = answer.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("version"))?.1;
    version.as_str().map(str::to_owned)
}

async fn peer(ledger: &FabricLedger, node: &NodeSpec) -> Result<NodeHealth> {
    let clients = &ledger.clients;
    let channel = ledger.channel.as_str();
    let reader = clients.reader(channel, &node.member).await?;
    let own = clients.peer(node)?;
    let (peer, discovery) = (own.gateway.peer().clone().with_deadline(SOON), own.discovery.with_deadline(SOON));
    let joined = peer.channels(&reader).await.map_err(|failure| unanswered(node, failure))?;
    let mut health = base(ledger, node);
    if let Some(version) = version(ledger, node).await {
        add(&mut health, "version", version);
    }
    let in_channel = joined.iter().any(|name| name == channel);
    add(&mut health, "channels", joined);
    if !in_channel {
        return Ok(health);
    }
    let head = peer.chain_head(&reader, channel).await.map_err(|failure| unanswered(node, failure))?;
    let newest = head.height.saturating_sub(1);
    let raw = peer.block(&reader, channel, newest).await.map_err(|failure| unanswered(node, failure))?;
    health.height = Some(newest);
    health.head = Some(hex::encode(&head.hash));
    health.head_at = raw.and_then(|raw| block::read(&raw).ok()).map(|read| decode::made_at(&read));
    add(&mut health, "ledgerHeight", head.height);
    // The rest is good to know; a peer that is busy need not tell it.
    if let Ok(committed) = lifecycle::all_committed(&peer, &reader, channel).await {
        let lines =
            committed.iter().map(|own| json!({ "name": own.name, "version": own.version, "sequence": own.sequence }));
        add(&mut health, "contracts", lines.collect::<Vec<_>>());
    }
    if let Ok(seen) = discovery.peers(&reader, channel).await {
        let others = seen.into_iter().filter(|other| Some(&other.endpoint) != health.identity.as_ref());
        health.peers = others.map(|other| Peer { identity: other.endpoint, connected: true }).collect();
    }
    Ok(health)
}

async fn orderer(ledger: &FabricLedger, node: &NodeSpec) -> Result<NodeHealth> {
    let participation = ledger.clients.participation(node).await?.with_deadline(SOON);
    let status = participation.channel(&ledger.channel).await.map_err(|failure| unanswered(node, failure))?;
    let mut health = base(ledger, node);
    if let Some(version) = version(ledger, node).await {
        add(&mut health, "version", version);
    }
    let Some(status) = status else { return Ok(health) };
    health.height = Some(status.height.saturating_sub(1));
    add(&mut health, "relation", status.relation);
    add(&mut health, "status", status.status);
    let survey = ledger.surveys.of(&ledger.clients, &ledger.channel).await;
    health.halted = survey.halted();
    add(&mut health, "leader", survey.leader.as_ref() == Some(&node.id));
    let of = |id: &String| ledger.clients.node(id).ok().and_then(|other| identity(ledger, other));
    health.leader = survey.leader.as_ref().and_then(of);
    let others = layout::nodes(&ledger.clients.network.spec, ORDERER).filter(|other| other.id != node.id);
    health.peers = others
        .filter_map(|other| {
            Some(Peer { identity: identity(ledger, other)?, connected: survey.answering.contains(&other.id) })
        })
        .collect();
    Ok(health)
}

/// A contract's program says nothing of itself: it is well when it takes connections.
async fn chaincode(ledger: &FabricLedger, node: &NodeSpec) -> Result<NodeHealth> {
    accepts(ledger, node).await?;
    let mut health = base(ledger, node);
    add(&mut health, "contract", node.contract.clone());
    Ok(health)
}

/// It holds no ledger: it is well when it takes connections and says that its database is.
async fn certificate_authority(ledger: &FabricLedger, node: &NodeSpec) -> Result<NodeHealth> {
    accepts(ledger, node).await?;
    if get(&ledger.clients.network.connector, node, "/healthz").await.is_none() {
        return Err(Error::Unreachable(format!("{} says that it is not well", node.name)));
    }
    let mut health = base(ledger, node);
    add(&mut health, "authority", layout::ca(&node.member));
    if let Some(version) = version(ledger, node).await {
        add(&mut health, "version", version);
    }
    Ok(health)
}

/// Whether a node takes connections on its main port.
async fn accepts(ledger: &FabricLedger, node: &NodeSpec) -> Result<()> {
    let connect = (ledger.clients.network.connector)(node.id.clone(), node.role.clone());
    match tokio::time::timeout(SOON, connect).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(failure)) => Err(Error::Unreachable(format!("{}: {failure}", node.name))),
        Err(_) => Err(Error::Unreachable(format!("{}: no answer", node.name))),
    }
}
