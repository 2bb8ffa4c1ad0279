//! An orderer's public service: taking envelopes and delivering blocks.

use std::time::Duration;

use futures::StreamExt as _;
use tonic::transport::Channel;

use crate::codec::{decode, within};
use crate::connection::LARGEST_MESSAGE;
use crate::deliver::{self, Blocks, Delivered, Start};
use crate::proto::common::{
    Block, BlockMetadataIndex, Config, Envelope, LastConfig, Metadata, OrdererBlockMetadata, Status,
};
use crate::proto::orderer::atomic_broadcast_client::AtomicBroadcastClient;
use crate::proto::orderer::deliver_response::Type;
use crate::{Error, Identity, Node, Result, Signed, update};

/// An orderer.
#[derive(Clone)]
pub struct Orderer {
    node: Node,
    client: AtomicBroadcastClient<Channel>,
    deadline: Duration,
}

impl Orderer {
    /// At a node's gRPC port. It connects at the first call.
    pub fn new(node: Node) -> Self {
        let client = AtomicBroadcastClient::new(node.channel())
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE);
        Self { node, client, deadline: Duration::from_secs(15) }
    }

    /// With another deadline for each call.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Hands an envelope to the orderer. That it took it does not mean that it is ordered.
    ///
    /// A refusal with a status below 500 is final. Everything else is [`Error::Unknown`].
    pub async fn broadcast(&self, signed: &Signed) -> Result<()> {
        let operation = "broadcast";
        let mut client = self.client.clone();
        let request = deliver::held_open(signed.envelope.clone());
        let answer =
            within(operation, self.deadline, async { client.broadcast(request).await?.into_inner().message().await })
                .await;
        let unknown = |reason: String| Error::Unknown { transaction: signed.transaction.clone(), reason };
        match answer {
            Ok(Some(answer)) if answer.status == i32::from(Status::Success) => Ok(()),
            Ok(Some(answer)) => {
                let status = answer.status();
                let refused = Error::Orderer { operation, status, info: answer.info };
                let last = (400..500).contains(&i32::from(status));
                Err(if last { refused } else { unknown(refused.to_string()) })
            }
            Ok(None) => Err(unknown("the orderer ended the connection".to_owned())),
            Err(failure) => Err(unknown(failure.to_string())),
        }
    }

    /// Blocks from a position on, up to the given one or without end.
    pub async fn blocks(&self, identity: &Identity, channel: &str, start: Start, end: Option<u64>) -> Result<Blocks> {
        let request = deliver::request(&self.node, identity, channel, start, end).await?;
        Ok(self.deliver(request))
    }

    /// The newest block.
    pub async fn newest_block(&self, identity: &Identity, channel: &str) -> Result<Block> {
        let request = deliver::newest(&self.node, identity, channel).await?;
        self.one(request).await
    }

    /// A block that exists.
    pub async fn block(&self, identity: &Identity, channel: &str, number: u64) -> Result<Block> {
        let request = deliver::request(&self.node, identity, channel, Start::Block(number), Some(number)).await?;
        self.one(request).await
    }

    /// The newest configuration block.
    pub async fn config_block(&self, identity: &Identity, channel: &str) -> Result<Block> {
        let newest = self.newest_block(identity, channel).await?;
        let number = last_config(&newest)?;
        if newest.header.as_ref().is_some_and(|header| header.number == number) {
            return Ok(newest);
        }
        self.block(identity, channel, number).await
    }

    /// The channel's configuration.
    pub async fn config(&self, identity: &Identity, channel: &str) -> Result<Config> {
        update::config_of(&self.config_block(identity, channel).await?)
    }

    async fn one(&self, request: Envelope) -> Result<Block> {
        let operation = "deliver";
        let mut blocks = self.deliver(request);
        let next = tokio::time::timeout(self.deadline, blocks.next()).await;
        match next {
            Err(_) => Err(Error::Deadline { operation, deadline: self.deadline }),
            Ok(Some(block)) => block,
            Ok(None) => Err(Error::missing("a delivery")),
        }
    }

    fn deliver(&self, request: Envelope) -> Blocks {
        let mut client = self.client.clone();
        deliver::blocks(async move { client.deliver(deliver::held_open(request)).await }, |message| {
            message.r#type.map(|own| match own {
                Type::Block(block) => Delivered::Block(block),
                Type::Status(status) => Delivered::End(status),
            })
        })
    }
}

/// The number of the newest configuration block, as a block says.
fn last_config(block: &Block) -> Result<u64> {
    let what = "a block's metadata";
    let metadata = block.metadata.as_ref().ok_or_else(|| Error::missing(what))?;
    let at = |index: i32| {
        let bytes = usize::try_from(index).ok().and_then(|index| metadata.metadata.get(index));
        decode::<Metadata>(what, bytes.map_or(&[], |bytes| bytes.as_slice()))
    };
    let orderer: OrdererBlockMetadata = decode(what, &at(BlockMetadataIndex::Signatures.into())?.value)?;
    if let Some(last) = orderer.last_config {
        return Ok(last.index);
    }
    // Where older orderers wrote it.
    Ok(decode::<LastConfig>(what, &at(1)?.value)?.index)
}
