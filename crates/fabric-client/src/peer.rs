//! A peer's own services: endorsing, its channels (the system chaincode CSCC), its ledger (QSCC) and its blocks.

use std::time::Duration;

use prost::Message as _;
use tonic::transport::Channel;

use crate::codec::{decode, within};
use crate::connection::LARGEST_MESSAGE;
use crate::deliver::{self, Blocks, Delivered, Start};
use crate::proto::common::{Block, BlockchainInfo, Config};
use crate::proto::protos::deliver_client::DeliverClient;
use crate::proto::protos::deliver_response::Type;
use crate::proto::protos::endorser_client::EndorserClient;
use crate::proto::protos::{ChannelQueryResponse, ProcessedTransaction, ProposalResponse};
use crate::{Call, Error, Identity, Node, Proposal, Result};

/// How far a peer's ledger goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// Number of blocks.
    pub height: u64,
    /// Hash of the newest block's header.
    pub hash: Vec<u8>,
    /// Hash of the one before.
    pub previous_hash: Vec<u8>,
}

/// A peer.
#[derive(Clone)]
pub struct Peer {
    node: Node,
    endorser: EndorserClient<Channel>,
    deliver: DeliverClient<Channel>,
    deadline: Duration,
}

impl Peer {
    /// At a node's gRPC port. It connects at the first call.
    pub fn new(node: Node) -> Self {
        let channel = node.channel();
        Self::over(node, channel)
    }

    /// Over a connection that others use too.
    pub(crate) fn over(node: Node, channel: Channel) -> Self {
        let endorser = EndorserClient::new(channel.clone())
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE);
        let deliver = DeliverClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
        Self { node, endorser, deliver, deadline: Duration::from_secs(30) }
    }

    /// With another deadline for each call.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Has a proposal run and endorsed. An answer of the chaincode with a status of 400 or more is an error.
    pub async fn endorse(&self, proposal: &Proposal) -> Result<ProposalResponse> {
        self.process("endorse", proposal).await
    }

    /// Runs a call at this peer without a transaction, and gives the chaincode's answer.
    pub async fn query(&self, identity: &Identity, call: &Call) -> Result<Vec<u8>> {
        self.ask("query", identity, call).await
    }

    /// Joins a channel with its first block.
    pub async fn join(&self, identity: &Identity, block: &Block) -> Result<()> {
        let call = Call::new("", "cscc", "JoinChain", [block.encode_to_vec()]);
        self.ask("join a channel", identity, &call).await.map(drop)
    }

    /// The channels that it has joined.
    pub async fn channels(&self, identity: &Identity) -> Result<Vec<String>> {
        let answer = self.ask("list channels", identity, &Call::new("", "cscc", "GetChannels", [[]; 0])).await?;
        let list: ChannelQueryResponse = decode("a list of channels", &answer)?;
        Ok(list.channels.into_iter().map(|channel| channel.channel_id).collect())
    }

    /// A channel's configuration as the peer has it.
    pub async fn config(&self, identity: &Identity, channel: &str) -> Result<Config> {
        let call = Call::new(channel, "cscc", "GetChannelConfig", [channel]);
        decode("a configuration", &self.ask("read the configuration", identity, &call).await?)
    }

    /// How far its ledger goes.
    pub async fn chain_head(&self, identity: &Identity, channel: &str) -> Result<ChainHead> {
        let answer = self.ledger(identity, channel, "GetChainInfo", None).await?;
        let info: BlockchainInfo = decode("a ledger's state", &answer)?;
        Ok(ChainHead { height: info.height, hash: info.current_block_hash, previous_hash: info.previous_block_hash })
    }

    /// A block by its number; none when the peer does not have it.
    pub async fn block(&self, identity: &Identity, channel: &str, number: u64) -> Result<Option<Block>> {
        self.find_block(identity, channel, "GetBlockByNumber", number.to_string().into_bytes()).await
    }

    /// A block by the hash of its header; none when the peer does not have it.
    pub async fn block_by_hash(&self, identity: &Identity, channel: &str, hash: &[u8]) -> Result<Option<Block>> {
        self.find_block(identity, channel, "GetBlockByHash", hash.to_vec()).await
    }

    /// The block that a transaction is in; none when the peer does not have it.
    pub async fn block_of(&self, identity: &Identity, channel: &str, transaction: &str) -> Result<Option<Block>> {
        self.find_block(identity, channel, "GetBlockByTxID", transaction.as_bytes().to_vec()).await
    }

    /// A transaction and its validation code; none when the peer does not have it.
    pub async fn transaction(
        &self,
        identity: &Identity,
        channel: &str,
        transaction: &str,
    ) -> Result<Option<ProcessedTransaction>> {
        let id = transaction.as_bytes().to_vec();
        match absent_is_none(self.ledger(identity, channel, "GetTransactionByID", Some(id)).await)? {
            Some(answer) => decode("a transaction", &answer).map(Some),
            None => Ok(None),
        }
    }

    /// Blocks from a position on, with what became of their transactions, up to the given one or without end.
    pub async fn blocks(&self, identity: &Identity, channel: &str, start: Start, end: Option<u64>) -> Result<Blocks> {
        let request = deliver::request(&self.node, identity, channel, start, end).await?;
        let mut client = self.deliver.clone();
        let opening = async move { client.deliver(deliver::held_open(request)).await };
        Ok(deliver::blocks(opening, |message| {
            message.r#type.and_then(|own| match own {
                Type::Block(block) => Some(Delivered::Block(block)),
                Type::Status(status) => Some(Delivered::End(status)),
                // Not asked for.
                Type::FilteredBlock(_) | Type::BlockAndPrivateData(_) => None,
            })
        }))
    }

    async fn find_block(
        &self,
        identity: &Identity,
        channel: &str,
        function: &str,
        argument: Vec<u8>,
    ) -> Result<Option<Block>> {
        match absent_is_none(self.ledger(identity, channel, function, Some(argument)).await)? {
            Some(answer) => decode("a block", &answer).map(Some),
            None => Ok(None),
        }
    }

    async fn ledger(
        &self,
        identity: &Identity,
        channel: &str,
        function: &str,
        argument: Option<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        let arguments = std::iter::once(channel.as_bytes().to_vec()).chain(argument);
        self.ask("read the ledger", identity, &Call::new(channel, "qscc", function, arguments)).await
    }

    pub(crate) async fn ask(&self, operation: &'static str, identity: &Identity, call: &Call) -> Result<Vec<u8>> {
        let response = self.process(operation, &call.propose(identity).await?).await?;
        Ok(response.response.unwrap_or_default().payload)
    }

    async fn process(&self, operation: &'static str, proposal: &Proposal) -> Result<ProposalResponse> {
        let mut client = self.endorser.clone();
        let signed = proposal.signed.clone();
        let answer = within(operation, self.deadline, client.process_proposal(signed)).await?.into_inner();
        match &answer.response {
            Some(response) if (200..400).contains(&response.status) => Ok(answer),
            Some(response) => {
                Err(Error::Chaincode { operation, status: response.status, message: response.message.clone() })
            }
            None => Err(Error::missing("a peer's answer")),
        }
    }
}

/// QSCC answers with an error for what it does not have; only its text tells this from other errors.
fn absent_is_none(answer: Result<Vec<u8>>) -> Result<Option<Vec<u8>>> {
    let absent = |message: &str| message.contains("no such ") && message.contains(" in index");
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Chaincode { message, .. }) if absent(&message) => Ok(None),
        Err(failure) => Err(failure),
    }
}
