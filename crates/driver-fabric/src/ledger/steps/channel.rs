//! Joining channels, anchor peers, and waiting until members see each other.

use std::sync::Arc;
use std::time::Duration;

use driver::{Error, NodeSpec, Result};
use fabric_client::proto::common::{Block, Config, Status};
use fabric_client::update::{self, Edit as _, Update};
use fabric_client::{Error as Failure, Orderer};

use crate::layout::{self, ORDERER};
use crate::ledger::FabricLedger;
use crate::ledger::errors::{error, told};
use crate::plan::{anchors, genesis_block};

/// A node that has or has not a block says so within this time.
const SOON: Duration = Duration::from_secs(3);

pub(super) async fn orderer_joined(ledger: &FabricLedger, node: &NodeSpec, channel: &str) -> Result<bool> {
    let participation = ledger.clients.participation(node).await?;
    Ok(participation.channel(channel).await.map_err(error)?.is_some())
}

pub(super) async fn join_orderer(ledger: &FabricLedger, node: &NodeSpec, channel: &str) -> Result<()> {
    let block = first_block(ledger, channel).await?;
    match ledger.clients.participation(node).await?.join(&block).await {
        // It has joined already.
        Ok(_) | Err(Failure::Participation { status: 405, .. }) => Ok(()),
        Err(failure) => Err(error(failure)),
    }
}

pub(super) async fn peer_joined(ledger: &FabricLedger, node: &NodeSpec, channel: &str) -> Result<bool> {
    let admin = ledger.clients.admin(&node.member).await?;
    let joined = ledger.clients.peer(node)?.gateway.peer().channels(&admin).await.map_err(error)?;
    Ok(joined.iter().any(|name| name == channel))
}

pub(super) async fn join_peer(ledger: &FabricLedger, node: &NodeSpec, channel: &str) -> Result<()> {
    let block = first_block(ledger, channel).await?;
    let admin = ledger.clients.admin(&node.member).await?;
    ledger.clients.peer(node)?.gateway.peer().join(&admin, &block).await.map_err(error)
}

/// The channel's first block: of a node that has it, since what it was made from may have changed since; else it is made.
async fn first_block(ledger: &FabricLedger, channel: &str) -> Result<Arc<Block>> {
    if let Some(known) = ledger.first_blocks.lock().get(channel) {
        return Ok(known.clone());
    }
    let block = match existing(ledger, channel).await? {
        Some(block) => block,
        None => {
            let network = &ledger.clients.network;
            let described = network.spec.channels.iter().find(|known| known.name == channel);
            let described = described.ok_or_else(|| Error::Protocol(format!("there is no channel {channel}")))?;
            genesis_block(&network.spec, described, &network.outputs, &network.placements)?
        }
    };
    let block = Arc::new(block);
    ledger.first_blocks.lock().insert(channel.to_owned(), block.clone());
    Ok(block)
}

/// The first block of a channel that exists. That it does not exist is believed when more than half of the orderers answer
/// and nobody has it.
async fn existing(ledger: &FabricLedger, channel: &str) -> Result<Option<Block>> {
    let clients = &ledger.clients;
    for node in clients.channel_peers(channel, None) {
        let access = clients.access(channel, node).await?;
        let peer = access.clients.gateway.peer().clone().with_deadline(SOON);
        if let Ok(Some(block)) = peer.block(&access.identity, channel, 0).await {
            return Ok(Some(block));
        }
    }
    let orderers: Vec<&NodeSpec> = layout::nodes(&clients.network.spec, ORDERER).collect();
    let (mut answered, mut reasons) = (0, Vec::new());
    for node in &orderers {
        let reader = clients.reader(channel, &node.member).await?;
        match clients.orderer(node)?.with_deadline(SOON).block(&reader, channel, 0).await {
            Ok(block) => return Ok(Some(block)),
            // Not there; or there, but without a leader, so that there is no newer block than the first.
            Err(Failure::Orderer { status: Status::NotFound | Status::ServiceUnavailable, .. }) => answered += 1,
            Err(failure) => reasons.push(format!("{}: {}", node.name, told(&failure))),
        }
    }
    if answered * 2 > orderers.len() {
        return Ok(None);
    }
    let why = reasons.join("; ");
    Err(Error::Unreachable(format!("more than half of the orderers must tell whether channel {channel} exists: {why}")))
}

/// The configuration as a member's peers have it, before and after what is wanted.
async fn wanted(ledger: &FabricLedger, member: &str, channel: &str) -> Result<(Config, Config)> {
    let clients = &ledger.clients;
    let ask = |access: crate::ledger::clients::Access| async move {
        access.clients.gateway.peer().config(&access.identity, &access.channel).await
    };
    let before = clients.ask(channel, Some(member), ask).await?;
    let mut after = before.clone();
    let own = anchors(&clients.network.spec, &clients.network.placements, member)?;
    after.set_anchors(member, &own).map_err(error)?;
    Ok((before, after))
}

pub(super) async fn anchored(ledger: &FabricLedger, member: &str, channel: &str) -> Result<bool> {
    let (before, after) = wanted(ledger, member, channel).await?;
    Ok(update::difference(channel, &before, &after).map_err(error)?.is_none())
}

pub(super) async fn set_anchors(ledger: &FabricLedger, member: &str, channel: &str) -> Result<Option<String>> {
    let (before, after) = wanted(ledger, member, channel).await?;
    let Some(difference) = update::difference(channel, &before, &after).map_err(error)? else { return Ok(None) };
    let admin = ledger.clients.admin(member).await?;
    let mut update = Update::new(&difference);
    update.sign(&admin).await.map_err(error)?;
    let submission = update.submission(&admin).await.map_err(error)?;
    let mut reasons = Vec::new();
    for node in layout::nodes(&ledger.clients.network.spec, ORDERER) {
        let orderer: Orderer = ledger.clients.orderer(node)?.with_deadline(SOON);
        match orderer.broadcast(&submission).await {
            Ok(()) => return Ok(Some(format!("{member}'s peers do not show the new configuration yet"))),
            Err(failure) => reasons.push(format!("{}: {}", node.name, told(&failure))),
        }
    }
    Err(Error::Unreachable(reasons.join("; ")))
}

/// What a channel waits for before it can be used; none when it can.
pub(super) async fn not_ready(ledger: &FabricLedger, channel: &str) -> Result<Option<String>> {
    if let Some(missing) = members_unseen(ledger, channel, "_lifecycle").await? {
        return Ok(Some(missing));
    }
    let survey = ledger.surveys.of(&ledger.clients, channel).await;
    if survey.is_led() {
        return Ok(None);
    }
    Ok(Some(survey.halted().unwrap_or_else(|| "no orderer says that it leads".to_owned())))
}

/// Which member's peers another's do not find as endorsers of a contract.
pub(super) async fn members_unseen(ledger: &FabricLedger, channel: &str, contract: &str) -> Result<Option<String>> {
    let clients = &ledger.clients;
    let wanted: Vec<(&String, String)> =
        clients.members(channel).iter().map(|member| (member, layout::msp_id(member))).collect();
    for node in clients.channel_peers(channel, None) {
        let access = clients.access(channel, node).await?;
        let found = access.clients.discovery.endorsers(&access.identity, channel, contract, &[]).await;
        let found = match found {
            Ok(found) => found,
            Err(failure) => return Ok(Some(format!("{} finds no endorsers yet: {}", node.name, told(&failure)))),
        };
        let seen = found.organisations();
        // A contract's own policy may leave members out; all endorse what concerns the channel.
        if contract == "_lifecycle"
            && let Some((member, _)) = wanted.iter().find(|(_, msp)| !seen.contains(&msp.as_str()))
        {
            return Ok(Some(format!("{} does not see the peers of {member} yet", node.name)));
        }
    }
    Ok(None)
}
