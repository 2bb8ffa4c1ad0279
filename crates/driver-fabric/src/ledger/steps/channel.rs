//! Joining channels, changing their configuration, and waiting until members see each other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use driver::{Error, LedgerNetwork, NodeSpec, Result};
use fabric_client::channel::Organisation;
use fabric_client::proto::common::{Block, Config, Status};
use fabric_client::update::{self, Edit as _, Update};
use fabric_client::{Error as Failure, Orderer};
use tokio::time::Instant;

use super::PAUSE;
use crate::layout::{self, BFT, ORDERER};
use crate::ledger::FabricLedger;
use crate::ledger::errors::{error, told};
use crate::plan::{anchors, consenters, genesis_block, orderer_organisations};

/// An update is ordered and shown within this time, BFT's change of a leader included, or sent again.
const ORDERED: Duration = Duration::from_secs(20);
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

/// Whether a peer keeps the channel, with the configuration that names its member.
pub(super) async fn peer_joined(ledger: &FabricLedger, node: &NodeSpec, channel: &str) -> Result<bool> {
    let admin = ledger.clients.admin(&node.member).await?;
    let peer = ledger.clients.peer(node)?.gateway.peer().clone();
    let joined = peer.channels(&admin).await.map_err(error)?;
    if !joined.iter().any(|name| name == channel) {
        return Ok(false);
    }
    let spec = &ledger.clients.network.spec;
    let came_later = spec.channels.iter().any(|own| own.name == channel && own.joined.contains(&node.member));
    if !came_later {
        return Ok(true);
    }
    let config = peer.config(&admin, channel).await.map_err(error)?;
    Ok(config.has_organisation(&node.member))
}

/// Joins a peer; gives what is to be waited for.
pub(super) async fn join_peer(ledger: &FabricLedger, node: &NodeSpec, channel: &str) -> Result<Option<String>> {
    let admin = ledger.clients.admin(&node.member).await?;
    let peer = ledger.clients.peer(node)?.gateway.peer().clone();
    if peer.channels(&admin).await.map_err(error)?.iter().any(|name| name == channel) {
        return Ok(Some(format!("{} has not got the block yet that admits its member", node.name)));
    }
    let block = first_block(ledger, channel).await?;
    peer.join(&admin, &block).await.map_err(error)?;
    Ok(None)
}

/// Whether a peer tells others that it keeps the channel and can endorse there.
pub(super) async fn announced(ledger: &FabricLedger, node: &NodeSpec, channel: &str) -> Result<bool> {
    let access = ledger.clients.access(channel, node).await?;
    let own = layout::between(&ledger.clients.network.placements, node)?.to_string();
    let peers = access.clients.discovery.peers(&access.identity, channel).await.map_err(error)?;
    let endorses = |chaincodes: &[(String, String)]| chaincodes.iter().any(|(name, _)| name == "_lifecycle");
    Ok(peers.iter().any(|peer| peer.endpoint == own && endorses(&peer.chaincodes)))
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

/// What is to be changed in a channel's configuration.
pub(super) enum Edit<'a> {
    /// A member's anchor peers.
    Anchors(&'a str),
    /// A member joins.
    Admit(&'a str),
    /// Who orders.
    Orderers,
}

impl<'a> Edit<'a> {
    /// Whose peers tell the configuration: a member's that joins have none to tell yet.
    fn witness(&self) -> Option<&'a str> {
        match self {
            Self::Anchors(member) => Some(member),
            Self::Admit(_) | Self::Orderers => None,
        }
    }

    fn apply(&self, ledger: &FabricLedger, config: &mut Config) -> Result<()> {
        let LedgerNetwork { spec, outputs, placements, .. } = &ledger.clients.network;
        match self {
            Self::Anchors(member) => config.set_anchors(member, &anchors(spec, placements, member)?),
            // What it is made of later, such as its anchor peers, is not for this edit to take back.
            Self::Admit(member) if config.has_organisation(member) => Ok(()),
            Self::Admit(member) => {
                let msp = layout::msp(outputs, member)?;
                config.set_organisation(&Organisation {
                    name: (*member).to_owned(),
                    msp,
                    anchors: anchors(spec, placements, member)?,
                })
            }
            Self::Orderers => {
                let organisations = orderer_organisations(spec, outputs, placements)?;
                let consenters = consenters(spec, outputs, placements)?;
                config.set_orderer_organisations(&organisations).and_then(|()| config.approach_consenters(&consenters))
            }
        }
        .map_err(error)
    }

    /// Those whose administrators agree. Of what concerns all, a majority must; each that can sign here does.
    fn signers(&self, ledger: &'a FabricLedger, channel: &str) -> Vec<&'a str> {
        let clients = &ledger.clients;
        let joined = || clients.members(channel).iter().map(String::as_str);
        match self {
            Self::Anchors(member) => vec![member],
            Self::Admit(member) => joined().filter(|other| other != member).collect(),
            Self::Orderers => {
                let owners = layout::nodes(&clients.network.spec, ORDERER).map(|node| node.member.as_str());
                joined().chain(owners).collect::<BTreeSet<_>>().into_iter().collect()
            }
        }
    }

    /// The configuration as peers have it, before and after what is wanted.
    async fn wanted(&self, ledger: &FabricLedger, channel: &str) -> Result<(Config, Config)> {
        let ask = |access: crate::ledger::clients::Access| async move {
            access.clients.gateway.peer().config(&access.identity, &access.channel).await
        };
        let before = ledger.clients.ask(channel, self.witness(), ask).await?;
        let mut after = before.clone();
        self.apply(ledger, &mut after)?;
        Ok((before, after))
    }

    pub(super) async fn done(&self, ledger: &FabricLedger, channel: &str) -> Result<bool> {
        let (before, after) = self.wanted(ledger, channel).await?;
        let same = update::difference(channel, &before, &after).map_err(error)?.is_none();
        Ok(same && self.outstanding(ledger, channel).await?.is_none())
    }

    /// What the nodes have still to do once the configuration is as wanted. An orderer that does not answer is not waited for.
    async fn outstanding(&self, ledger: &FabricLedger, channel: &str) -> Result<Option<String>> {
        if !matches!(self, Self::Orderers) {
            return Ok(None);
        }
        for node in layout::nodes(&ledger.clients.network.spec, ORDERER) {
            let participation = ledger.clients.participation(node).await?.with_deadline(SOON);
            match participation.channel(channel).await {
                Ok(Some(own)) if own.relation == "consenter" && own.status == "active" => {}
                Ok(_) => return Ok(Some(format!("{} does not take part in channel {channel} yet", node.name))),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Has it agreed to and ordered; gives what is to be waited for.
    pub(super) async fn attempt(&self, ledger: &FabricLedger, channel: &str) -> Result<Option<String>> {
        let (before, after) = self.wanted(ledger, channel).await?;
        let Some(difference) = update::difference(channel, &before, &after).map_err(error)? else {
            return self.outstanding(ledger, channel).await;
        };
        let mut update = Update::new(&difference);
        let (mut sender, mut refused) = (None, None);
        for member in self.signers(ledger, channel) {
            match ledger.clients.admin(member).await {
                Ok(admin) => {
                    update.sign(&admin).await.map_err(error)?;
                    sender.get_or_insert(admin);
                }
                Err(failure) => refused = Some(failure),
            }
        }
        let none = || refused.unwrap_or_else(|| Error::Protocol(format!("nobody can sign for channel {channel}")));
        let submission = update.submission(&sender.ok_or_else(none)?).await.map_err(error)?;
        // BFT's orderers replace a leader that does not order only when enough of them know of something to be ordered.
        let enough = if ledger.clients.network.spec.consensus == BFT { usize::MAX } else { 1 };
        let (mut taken, mut reasons) = (0, Vec::new());
        for node in layout::nodes(&ledger.clients.network.spec, ORDERER) {
            let orderer: Orderer = ledger.clients.orderer(node)?.with_deadline(SOON);
            match orderer.broadcast(&submission).await {
                Ok(()) => taken += 1,
                Err(failure) => reasons.push(format!("{}: {}", node.name, told(&failure))),
            }
            if taken == enough {
                break;
            }
        }
        match taken {
            0 => Err(Error::Unreachable(reasons.join("; "))),
            // Sent again too soon, it would lie about as one that the configuration has overtaken, which BFT takes for a leader
            // that does nothing.
            _ => self.shown(ledger, channel).await,
        }
    }

    /// Waits until the peers show what was ordered; gives what is still to be waited for.
    async fn shown(&self, ledger: &FabricLedger, channel: &str) -> Result<Option<String>> {
        let end = Instant::now() + ORDERED;
        while Instant::now() < end {
            if self.done(ledger, channel).await? {
                return Ok(None);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Some(format!("the peers of channel {channel} do not show it yet")))
    }
}

/// What a channel waits for before it can be used; none when it can.
pub(super) async fn not_ready(ledger: &FabricLedger, channel: &str) -> Result<Option<String>> {
    if let Some(missing) = members_unseen(ledger, channel, "_lifecycle").await? {
        return Ok(Some(missing));
    }
    let survey = ledger.surveys.of(&ledger.clients, channel).await;
    // BFT's orderers tell who led the newest block: since they changed, that may be one that is gone.
    let changed = !ledger.clients.network.spec.spent_names.is_empty();
    if survey.is_led() || changed && survey.halted().is_none() {
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
