//! Connections to a network's nodes and the identities that speak over them, made when they are first used.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use driver::{Error, LedgerNetwork, NodeSpec, Result, Signer};
use fabric_client::{
    ClientCertificate, Discovery, Gateway, Identity, Node, Orderer, Participation, Tls, TlsKey, connector,
};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::layout::{self, ADMIN_PORT};
use crate::ledger::errors::{self, error};

/// The name that each node's TLS certificate bears, whatever its address.
const SERVER: &str = "localhost";
/// A node that did not answer is asked last for so long.
const AVOIDED: Duration = Duration::from_secs(5);

/// A signer of the platform as Fabric's client asks for one.
struct Holder(Arc<dyn Signer>);

type Boxed = Box<dyn std::error::Error + Send + Sync>;

impl fabric_client::Signer for Holder {
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, std::result::Result<Vec<u8>, Boxed>> {
        Box::pin(async move { self.0.sign(message).map_err(Into::into) })
    }
}

impl TlsKey for Holder {
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Boxed> {
        self.0.sign(message).map_err(Into::into)
    }
}

/// The clients of one peer.
#[derive(Clone)]
pub(crate) struct PeerClients {
    pub(crate) gateway: Gateway,
    pub(crate) discovery: Discovery,
}

/// A peer with somebody who may read there.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) clients: PeerClients,
    pub(crate) identity: Identity,
    pub(crate) channel: String,
}

/// What is known of a network's nodes.
pub(crate) struct Clients {
    pub(crate) network: LedgerNetwork,
    peers: Mutex<BTreeMap<String, PeerClients>>,
    orderers: Mutex<BTreeMap<String, Orderer>>,
    participations: Mutex<BTreeMap<String, Participation>>,
    identities: Mutex<BTreeMap<String, Identity>>,
    silent: Mutex<BTreeMap<String, Instant>>,
}

impl Clients {
    pub(crate) fn new(network: LedgerNetwork) -> Self {
        Self {
            network,
            peers: Mutex::default(),
            orderers: Mutex::default(),
            participations: Mutex::default(),
            identities: Mutex::default(),
            silent: Mutex::default(),
        }
    }

    /// A node by its id.
    pub(crate) fn node(&self, id: &str) -> Result<&NodeSpec> {
        let found = self.network.spec.nodes.iter().find(|node| node.id == id);
        found.ok_or_else(|| Error::Unreachable(format!("the network has no node {id}")))
    }

    /// The members of a channel, in order.
    pub(crate) fn members(&self, channel: &str) -> &[String] {
        let found = self.network.spec.channels.iter().find(|known| known.name == channel);
        found.map(|known| known.members.as_slice()).unwrap_or_default()
    }

    /// The peers of a channel: those of a member first, those that were silent last.
    pub(crate) fn channel_peers(&self, channel: &str, first: Option<&str>) -> Vec<&NodeSpec> {
        let members = self.members(channel);
        let of = |member| layout::peers_of(&self.network.spec, member);
        let mut peers: Vec<&NodeSpec> = members.iter().flat_map(|member| of(member)).collect();
        let silent = self.silent.lock();
        let avoided = |node: &NodeSpec| silent.get(&node.id).is_some_and(|since| since.elapsed() < AVOIDED);
        peers.sort_by_key(|node| (avoided(node), Some(node.member.as_str()) != first));
        peers
    }

    fn way(&self, node: &NodeSpec, port: &'static str, tls: Tls) -> Result<Node> {
        let (connect, id) = (self.network.connector.clone(), node.id.clone());
        let open = connector(move || connect(id.clone(), port.to_owned()));
        Node::new(SERVER, open, tls).map_err(error)
    }

    fn roots(&self, node: &NodeSpec) -> Result<[&str; 1]> {
        Ok([layout::authority(&self.network.outputs, &layout::tls(node))?])
    }

    /// A peer's clients.
    pub(crate) fn peer(&self, node: &NodeSpec) -> Result<PeerClients> {
        if let Some(known) = self.peers.lock().get(&node.id) {
            return Ok(known.clone());
        }
        let way = self.way(node, layout::PEER, Tls::new(&self.roots(node)?, None).map_err(error)?)?;
        let clients = PeerClients { gateway: Gateway::new(way.clone()), discovery: Discovery::new(way) };
        self.peers.lock().insert(node.id.clone(), clients.clone());
        Ok(clients)
    }

    /// An orderer's public service.
    pub(crate) fn orderer(&self, node: &NodeSpec) -> Result<Orderer> {
        if let Some(known) = self.orderers.lock().get(&node.id) {
            return Ok(known.clone());
        }
        let way = self.way(node, layout::ORDERER, Tls::new(&self.roots(node)?, None).map_err(error)?)?;
        let client = Orderer::new(way);
        self.orderers.lock().insert(node.id.clone(), client.clone());
        Ok(client)
    }

    /// An orderer's administration, as its member's administrator.
    pub(crate) async fn participation(&self, node: &NodeSpec) -> Result<Participation> {
        if let Some(known) = self.participations.lock().get(&node.id) {
            return Ok(known.clone());
        }
        let name = layout::admin_tls(&node.member);
        let signer = self.network.identities.identity(&name).await?;
        let certificate = layout::certificate(&self.network.outputs, &name)?.as_bytes();
        let own = ClientCertificate { certificate, key: Arc::new(Holder(signer)) };
        let tls = Tls::new(&self.roots(node)?, Some(own)).map_err(error)?;
        let client = Participation::new(self.way(node, ADMIN_PORT, tls)?);
        self.participations.lock().insert(node.id.clone(), client.clone());
        Ok(client)
    }

    async fn identity(&self, member: &str, name: String) -> Result<Identity> {
        if let Some(known) = self.identities.lock().get(&name) {
            return Ok(known.clone());
        }
        let signer = self.network.identities.identity(&name).await?;
        let certificate = match signer.certificate() {
            Some(own) => own.to_owned(),
            None => layout::certificate(&self.network.outputs, &name)?.to_owned(),
        };
        let identity = Identity::new(layout::msp_id(member), certificate, Arc::new(Holder(signer)));
        self.identities.lock().insert(name, identity.clone());
        Ok(identity)
    }

    /// A member's administrator.
    pub(crate) async fn admin(&self, member: &str) -> Result<Identity> {
        self.identity(member, layout::admin(member)).await
    }

    /// A member's user.
    pub(crate) async fn user(&self, member: &str) -> Result<Identity> {
        self.identity(member, layout::user(member)).await
    }

    /// Somebody who may read a channel: the given member's user, else that of another member whose keys can be had.
    pub(crate) async fn reader(&self, channel: &str, member: &str) -> Result<Identity> {
        let own = self.user(member).await;
        if own.is_ok() {
            return own;
        }
        for other in self.members(channel) {
            if let Ok(identity) = self.user(other).await {
                return Ok(identity);
            }
        }
        own
    }

    /// A peer with somebody who may read there.
    pub(crate) async fn access(&self, channel: &str, node: &NodeSpec) -> Result<Access> {
        let identity = self.reader(channel, &node.member).await?;
        Ok(Access { clients: self.peer(node)?, identity, channel: channel.to_owned() })
    }

    /// Notes that a node did not answer.
    pub(crate) fn note_silence(&self, node: &NodeSpec) {
        self.silent.lock().insert(node.id.clone(), Instant::now());
    }

    /// Asks the peers of a channel in order, until one answers.
    pub(crate) async fn ask<T, F, Asking>(&self, channel: &str, first: Option<&str>, ask: F) -> Result<T>
    where
        F: Fn(Access) -> Asking,
        Asking: Future<Output = fabric_client::Result<T>>,
    {
        let mut reasons = Vec::new();
        for node in self.channel_peers(channel, first) {
            match ask(self.access(channel, node).await?).await {
                Err(failure) if errors::is_absence(&failure) => {
                    self.note_silence(node);
                    reasons.push(format!("{}: {}", node.name, errors::told(&failure)));
                }
                answer => return answer.map_err(error),
            }
        }
        Err(nobody(channel, reasons))
    }

    /// Asks the peers of a channel in order, until one has what is looked for; none when none of those that answer has it.
    pub(crate) async fn find<T, F, Asking>(&self, channel: &str, ask: F) -> Result<Option<T>>
    where
        F: Fn(Access) -> Asking,
        Asking: Future<Output = fabric_client::Result<Option<T>>>,
    {
        let (mut reasons, mut answered) = (Vec::new(), false);
        for node in self.channel_peers(channel, None) {
            match ask(self.access(channel, node).await?).await {
                Ok(None) => answered = true,
                Ok(found) => return Ok(found),
                Err(failure) if errors::is_absence(&failure) => {
                    self.note_silence(node);
                    reasons.push(format!("{}: {}", node.name, errors::told(&failure)));
                }
                Err(failure) => return Err(error(failure)),
            }
        }
        if answered { Ok(None) } else { Err(nobody(channel, reasons)) }
    }
}

fn nobody(channel: &str, reasons: Vec<String>) -> Error {
    Error::Unreachable(match reasons.is_empty() {
        true => format!("channel {channel} has no peers"),
        false => reasons.join("; "),
    })
}
