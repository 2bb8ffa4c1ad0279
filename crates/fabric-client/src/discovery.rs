//! A peer's discovery service: who is there, and who could endorse.

use std::collections::BTreeMap;
use std::time::Duration;

use prost::Message as _;
use tonic::transport::Channel;

use crate::codec::{decode, within};
use crate::connection::LARGEST_MESSAGE;
use crate::proto::discovery::discovery_client::DiscoveryClient;
use crate::proto::discovery::{
    AuthInfo, ChaincodeQuery, ConfigQuery, ConfigResult, LocalPeerQuery, PeerMembershipQuery, PeerMembershipResult,
    Peers, Query, Request, SignedRequest, query, query_result,
};
use crate::proto::gossip::{self, GossipMessage, gossip_message};
use crate::proto::msp::SerializedIdentity;
use crate::proto::protos::{ChaincodeCall, ChaincodeInterest};
use crate::{Error, Identity, Node, Result};

/// A peer as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPeer {
    /// Its organisation's MSP.
    pub msp_id: String,
    /// Where it is reached.
    pub endpoint: String,
    /// Its certificate, PEM.
    pub certificate: String,
    /// Number of blocks that it has; none when it did not say.
    pub height: Option<u64>,
    /// The chaincodes that it can run: name and version.
    pub chaincodes: Vec<(String, String)>,
}

/// Who could endorse a call: peers by group, and the ways to combine groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsers {
    /// The chaincode.
    pub chaincode: String,
    /// Peers of each group; a group is mostly an organisation.
    pub groups: BTreeMap<String, Vec<KnownPeer>>,
    /// Each way: how many of which group.
    pub layouts: Vec<BTreeMap<String, u32>>,
}

impl Endorsers {
    /// The MSPs that have a peer among them, sorted.
    pub fn organisations(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self.groups.values().flatten().map(|peer| peer.msp_id.as_str()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// A channel's MSPs and orderers.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelConfig {
    /// MSP ids.
    pub organisations: Vec<String>,
    /// Addresses of orderers by MSP.
    pub orderers: BTreeMap<String, Vec<String>>,
}

/// The discovery service of a peer.
#[derive(Clone)]
pub struct Discovery {
    node: Node,
    client: DiscoveryClient<Channel>,
    deadline: Duration,
}

impl Discovery {
    /// At a peer's gRPC port. It connects at the first call.
    pub fn new(node: Node) -> Self {
        let client = DiscoveryClient::new(node.channel()).max_decoding_message_size(LARGEST_MESSAGE);
        Self { node, client, deadline: Duration::from_secs(15) }
    }

    /// With another deadline for each call.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The peers of a channel.
    pub async fn peers(&self, identity: &Identity, channel: &str) -> Result<Vec<KnownPeer>> {
        let query = query::Query::PeerQuery(PeerMembershipQuery { filter: None });
        match self.ask(identity, channel, query).await? {
            query_result::Result::Members(members) => all(members),
            _ => Err(Error::missing("a list of peers")),
        }
    }

    /// The peers that it knows, of whatever channel. For administrators.
    pub async fn local_peers(&self, identity: &Identity) -> Result<Vec<KnownPeer>> {
        let query = query::Query::LocalPeers(LocalPeerQuery {});
        match self.ask(identity, "", query).await? {
            query_result::Result::Members(members) => all(members),
            _ => Err(Error::missing("a list of peers")),
        }
    }

    /// Who could endorse a call of the chaincode, and of the collections that it touches. `_lifecycle` is one too.
    pub async fn endorsers(
        &self,
        identity: &Identity,
        channel: &str,
        chaincode: &str,
        collections: &[&str],
    ) -> Result<Endorsers> {
        let call = ChaincodeCall {
            name: chaincode.to_owned(),
            collection_names: collections.iter().map(|&name| name.to_owned()).collect(),
            ..ChaincodeCall::default()
        };
        let interests = vec![ChaincodeInterest { chaincodes: vec![call] }];
        let answer = self.ask(identity, channel, query::Query::CcQuery(ChaincodeQuery { interests })).await?;
        let query_result::Result::CcQueryRes(found) = answer else { return Err(Error::missing("endorsers")) };
        let found = found.content.into_iter().next().ok_or_else(|| Error::missing("endorsers"))?;
        let groups = found.endorsers_by_groups.into_iter().map(|(group, peers)| Ok((group, read(peers)?)));
        Ok(Endorsers {
            chaincode: found.chaincode,
            groups: groups.collect::<Result<_>>()?,
            layouts: found.layouts.into_iter().map(|layout| layout.quantities_by_group).collect(),
        })
    }

    /// The channel's MSPs and orderers.
    pub async fn config(&self, identity: &Identity, channel: &str) -> Result<ChannelConfig> {
        let answer = self.ask(identity, channel, query::Query::ConfigQuery(ConfigQuery {})).await?;
        let query_result::Result::ConfigResult(ConfigResult { msps, orderers }) = answer else {
            return Err(Error::missing("a channel's configuration"));
        };
        let addresses = |endpoints: crate::proto::discovery::Endpoints| {
            endpoints.endpoint.into_iter().map(|own| format!("{}:{}", own.host, own.port)).collect()
        };
        Ok(ChannelConfig {
            organisations: msps.into_keys().collect(),
            orderers: orderers.into_iter().map(|(msp, endpoints)| (msp, addresses(endpoints))).collect(),
        })
    }

    async fn ask(&self, identity: &Identity, channel: &str, query: query::Query) -> Result<query_result::Result> {
        let operation = "discover";
        let payload = Request {
            authentication: Some(AuthInfo {
                client_identity: identity.creator().to_vec(),
                client_tls_cert_hash: self.node.certificate_hash(),
            }),
            queries: vec![Query { channel: channel.to_owned(), query: Some(query) }],
        }
        .encode_to_vec();
        let signature = identity.sign(&payload).await?;
        let request = SignedRequest { payload, signature };
        let answer = within(operation, self.deadline, self.client.clone().discover(request)).await?.into_inner();
        match answer.results.into_iter().next().and_then(|answer| answer.result) {
            None => Err(Error::missing("an answer of discovery")),
            Some(query_result::Result::Error(failure)) => Err(Error::Call {
                operation,
                code: tonic::Code::FailedPrecondition,
                message: failure.content,
                nodes: Vec::new(),
            }),
            Some(result) => Ok(result),
        }
    }
}

fn all(members: PeerMembershipResult) -> Result<Vec<KnownPeer>> {
    let peers: Result<Vec<Vec<KnownPeer>>> = members.peers_by_org.into_values().map(read).collect();
    Ok(peers?.into_iter().flatten().collect())
}

fn read(peers: Peers) -> Result<Vec<KnownPeer>> {
    let what = "a peer";
    let one = |peer: crate::proto::discovery::Peer| {
        let identity: SerializedIdentity = decode(what, &peer.identity)?;
        let endpoint = match message(peer.membership_info)? {
            Some(gossip_message::Content::AliveMsg(alive)) => alive.membership.unwrap_or_default().endpoint,
            _ => String::new(),
        };
        let state = match message(peer.state_info)? {
            Some(gossip_message::Content::StateInfo(state)) => state.properties,
            _ => None,
        };
        Ok(KnownPeer {
            msp_id: identity.mspid,
            endpoint,
            certificate: String::from_utf8_lossy(&identity.id_bytes).into_owned(),
            height: state.as_ref().map(|state| state.ledger_height),
            chaincodes: state
                .map(|state| state.chaincodes.into_iter().map(|own| (own.name, own.version)).collect())
                .unwrap_or_default(),
        })
    };
    peers.peers.into_iter().map(one).collect()
}

fn message(envelope: Option<gossip::Envelope>) -> Result<Option<gossip_message::Content>> {
    let Some(envelope) = envelope else { return Ok(None) };
    Ok(decode::<GossipMessage>("a gossip message", &envelope.payload)?.content)
}
