//! Blocks from a position on, as orderers and peers deliver them.

use std::pin::Pin;

use futures::future::BoxFuture;
use futures::stream::{Stream, try_unfold};
use prost::Message as _;
use tonic::{Response, Status as RpcStatus, Streaming};

use crate::connection::Node;
use crate::proto::common::{Block, Envelope, HeaderType, Status};
use crate::proto::orderer::{SeekInfo, SeekNewest, SeekPosition, SeekSpecified, seek_info, seek_position};
use crate::transaction::bound_envelope;
use crate::{Error, Identity, Result};

/// Where a delivery starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a block.
    Block(u64),
    /// At the newest block.
    Newest,
}

/// Blocks in order. Without an end it waits for new ones: the next item may be long in coming. It is opened when it is
/// first polled.
pub type Blocks = Pin<Box<dyn Stream<Item = Result<Block>> + Send>>;

/// A message of a delivery.
pub(crate) enum Delivered {
    Block(Block),
    /// The end, with success or another status.
    End(i32),
}

enum State<M> {
    Opening(BoxFuture<'static, std::result::Result<Response<Streaming<M>>, RpcStatus>>),
    Open(Box<Streaming<M>>),
}

/// Reads a delivery to its end. A node answers with the first block, so that opening may take as long as any block.
pub(crate) fn blocks<M: Send + 'static>(
    opening: impl Future<Output = std::result::Result<Response<Streaming<M>>, RpcStatus>> + Send + 'static,
    read: fn(M) -> Option<Delivered>,
) -> Blocks {
    let operation = "deliver";
    Box::pin(try_unfold(State::Opening(Box::pin(opening)), move |state| async move {
        let failed = |status| Error::status(operation, status);
        let mut stream = match state {
            State::Opening(opening) => Box::new(opening.await.map_err(failed)?.into_inner()),
            State::Open(stream) => stream,
        };
        match stream.message().await.map_err(failed)?.and_then(read) {
            Some(Delivered::Block(block)) => Ok(Some((block, State::Open(stream)))),
            Some(Delivered::End(status)) if status != i32::from(Status::Success) => {
                let status = Status::try_from(status).unwrap_or(Status::Unknown);
                Err(Error::Orderer { operation, status, info: "the delivery was refused".to_owned() })
            }
            Some(Delivered::End(_)) | None => Ok(None),
        }
    }))
}

/// The request and then nothing: the node ends a delivery when the client ends its side.
pub(crate) fn held_open(envelope: Envelope) -> impl Stream<Item = Envelope> + Send + 'static {
    use futures::StreamExt as _;
    futures::stream::once(std::future::ready(envelope)).chain(futures::stream::pending())
}

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
