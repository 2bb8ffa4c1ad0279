//! Blocks from a position on, as orderers and peers deliver them.

use std::pin::Pin;

use futures::stream::Stream;
use prost::Message as _;

use crate::connection::Node;
use crate::proto::common::{Block, Envelope, HeaderType};
use crate::proto::orderer::{SeekInfo, SeekNewest, SeekPosition, SeekSpecified, seek_info, seek_position};
use crate::transaction::bound_envelope;
use crate::{Identity, Result};

/// Where a delivery starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a block.
    Block(u64),
    /// At the newest block.
    Newest,
}

/// Blocks in order. Without an end it waits for new ones: the next item may be long in coming.
pub type Blocks = Pin<Box<dyn Stream<Item = Result<Block>> + Send>>;

/// The signed request for blocks, up to the given one or without end.
pub(crate) async fn request(
    node: &Node,
    identity: &Identity,
    channel: &str,
    start: Start,
    end: Option<u64>,
) -> Result<Envelope> {
    let position = |r#type| Some(SeekPosition { r#type: Some(r#type) });
    let block = |number| seek_position::Type::Specified(SeekSpecified { number });
    let (from, until) = match (start, end) {
        (Start::Block(number), end) => (block(number), end.unwrap_or(u64::MAX)),
        (Start::Newest, end) => (seek_position::Type::Newest(SeekNewest {}), end.unwrap_or(u64::MAX)),
    };
    let seek = SeekInfo {
        start: position(from),
        stop: position(block(until)),
        behavior: seek_info::SeekBehavior::BlockUntilReady.into(),
        ..SeekInfo::default()
    };
    signed(node, identity, channel, &seek).await
}

/// The signed request for the newest block and no other.
pub(crate) async fn newest(node: &Node, identity: &Identity, channel: &str) -> Result<Envelope> {
    let newest = || Some(SeekPosition { r#type: Some(seek_position::Type::Newest(SeekNewest {})) });
    let seek = SeekInfo { start: newest(), stop: newest(), ..SeekInfo::default() };
    signed(node, identity, channel, &seek).await
}

async fn signed(node: &Node, identity: &Identity, channel: &str, seek: &SeekInfo) -> Result<Envelope> {
    let hash = node.certificate_hash();
    let signed = bound_envelope(identity, HeaderType::DeliverSeekInfo, channel, seek.encode_to_vec(), hash).await?;
    Ok(signed.envelope)
}
