//! A channel's first block.

use std::time::{Duration, SystemTime};

use driver::{ChannelSpec, Error, NetworkSpec, Result};
use fabric_client::channel::{
    Address, Batch, BftOptions, Channel, Consensus, Consenter, OrdererOrganisation, Organisation, RaftOptions,
};
use fabric_client::proto::common::Block;
use workload::{Outputs, Placements};

use crate::layout::{self, BFT, ORDERER};
use crate::plan::options::{self, BATCH_MESSAGES, BATCH_TIMEOUT};

/// Anchor peers of a member: two are enough for others to find all.
const ANCHORS: usize = 2;

/// The block that orderers and peers join a channel with: a pure function of what is recorded. It names the members'
/// anchor peers already, so that nobody has to wait for updates before the members see each other.
///
/// # Errors
/// A placement or an identity is missing.
pub fn genesis_block(
    spec: &NetworkSpec,
    channel: &ChannelSpec,
    outputs: &Outputs,
    placements: &Placements,
) -> Result<Block> {
    let created = channel.created_at.unwrap_or(spec.created_at);
    let created = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(created).unwrap_or_default());
    let block = described(spec, channel, outputs, placements)?.genesis_block(created);
    block.map_err(|failure| Error::Protocol(format!("the first block of channel {}: {failure}", channel.name)))
}

/// The orderers that agree, numbered in their order.
pub(crate) fn consenters(spec: &NetworkSpec, outputs: &Outputs, placements: &Placements) -> Result<Vec<Consenter>> {
    let consenters = (1..).zip(layout::nodes(spec, ORDERER)).map(|(id, node)| {
        let tls = layout::certificate(outputs, &layout::tls(node))?.to_owned();
        Ok(Consenter {
            id,
            address: layout::between(placements, node)?,
            msp_id: layout::msp_id(&node.member),
            identity: layout::certificate(outputs, &layout::signing(node))?.to_owned(),
            server_tls_certificate: tls.clone(),
            client_tls_certificate: tls,
        })
    });
    consenters.collect()
}

/// The members that run orderers, with where these are reached.
pub(crate) fn orderer_organisations(
    spec: &NetworkSpec,
    outputs: &Outputs,
    placements: &Placements,
) -> Result<Vec<OrdererOrganisation>> {
    let owners = layout::members(spec).into_iter().filter_map(|member| {
        let mut own = layout::nodes(spec, ORDERER).filter(|node| node.member == member).peekable();
        own.peek()?;
        let endpoints: Result<Vec<Address>> = own.map(|node| layout::between(placements, node)).collect();
        Some(endpoints.and_then(|endpoints| {
            Ok(OrdererOrganisation { name: member.to_owned(), msp: layout::msp(outputs, member)?, endpoints })
        }))
    });
    owners.collect()
}

fn described(spec: &NetworkSpec, channel: &ChannelSpec, outputs: &Outputs, placements: &Placements) -> Result<Channel> {
    let consenters = consenters(spec, outputs, placements)?;
    let interval = Duration::from_millis(options::number(spec, BATCH_TIMEOUT));
    let messages = options::number(spec, BATCH_MESSAGES);
    let consensus = match spec.consensus.as_str() {
        BFT => {
            let options = BftOptions { batch_interval: interval, batch_messages: messages, ..BftOptions::default() };
            Consensus::Bft { options, consenters }
        }
        _ => Consensus::Raft { options: RaftOptions::default(), consenters },
    };
    let founders = channel.members.iter().filter(|member| !channel.joined.contains(member));
    let organisations = founders.map(|member| {
        let anchors = anchors(spec, placements, member)?;
        Ok(Organisation { name: member.clone(), msp: layout::msp(outputs, member)?, anchors })
    });
    Ok(Channel {
        name: channel.name.clone(),
        organisations: organisations.collect::<Result<_>>()?,
        orderer_organisations: orderer_organisations(spec, outputs, placements)?,
        consensus,
        batch: Batch { timeout: interval, messages: u32::try_from(messages).unwrap_or(u32::MAX), ..Batch::default() },
    })
}

/// A member's anchor peers: where other members' peers find its own.
pub(crate) fn anchors(spec: &NetworkSpec, placements: &Placements, member: &str) -> Result<Vec<Address>> {
    layout::peers_of(spec, member).take(ANCHORS).map(|peer| layout::between(placements, peer)).collect()
}
