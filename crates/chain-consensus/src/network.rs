//! The network between nodes on real sockets: authenticated, encrypted, with known addresses.
//!
//! Validators dial each other at the addresses that they were given. A follower dials validators; they accept it when
//! its key was given to them, from any address. The library's own defaults suit the open Internet; a consortium's nodes
//! often share one address (loopback, one gateway), so private addresses are allowed, handshakes are not limited to one
//! per address and five seconds, and a lost connection is dialled again at once.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use chain_types::{Block, ValidatorKey};
use commonware_consensus::{
    marshal::{self, standard::Standard},
    simplex,
    types::Epoch,
};
use commonware_cryptography::{ChaCha20Poly1305, Signer as _, handshake::sake::Error as SakeError};
use commonware_p2p::{
    Address, AddressableManager as _, AddressableTrackedPeers, Ingress,
    authenticated::lookup::{self, Config as LookupConfig, Network, Oracle},
    max_message_size,
    utils::mux::prefixed,
};
use commonware_runtime::{Clock, Handle, Network as RuntimeNetwork, Quota, Resolver, Sink, Stream};
use commonware_stream::{
    SakeCups, Upgrader,
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{Hostname, NZU32, NZUsize, ordered::Map};
use parking_lot::Mutex;
use rand::CryptoRng;
use tracing::{debug, warn};

use crate::{
    Channels, Config, Digest, Environment, Error, MAX_BATCH_BYTES, PublicKey, Scheme, StatusBoard,
    channel::{self, Channel},
    public_key, validator_key,
};

/// How far the clocks of two nodes may be apart to connect.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5);

/// Where a peer is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerAddress {
    /// An IP address and port.
    Socket(SocketAddr),
    /// A name that is looked up at each dial, and a port.
    Name(String, u16),
}

impl std::fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Name(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

impl std::str::FromStr for PeerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Socket(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| format!("`{text}` is not HOST:PORT"))?;
        let port = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
        Hostname::new(host).map_err(|error| format!("`{host}` is not a host name: {error}"))?;
        Ok(Self::Name(host.into(), port))
    }
}

/// The network's configuration.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// Where this node listens.
    pub listen: SocketAddr,
    /// Where validators are dialled. A validator without an address is waited for.
    pub addresses: BTreeMap<ValidatorKey, PeerAddress>,
    /// Nodes that may connect though they do not validate.
    pub followers: Vec<ValidatorKey>,
}

/// An opened network: its parts go to [`crate::run`].
pub struct Opened<E: Environment + RuntimeNetwork + Resolver> {
    /// The ends of the channels.
    pub channels: Channels<lookup::Sender<PublicKey, E>, lookup::Receiver<PublicKey>>,
    /// Knows the peers, and blocks those that cheat.
    pub oracle: Oracle<PublicKey>,
    /// Runs for as long as the network.
    pub handle: Handle<()>,
}

/// Opens the network.
///
/// # Errors
/// When a follower's key is not an ed25519 key.
pub fn open<E>(context: E, config: &Config, network: NetworkConfig, board: StatusBoard) -> Result<Opened<E>, Error>
where
    E: Environment + RuntimeNetwork + Resolver,
{
    let me = config.key.public_key();
    let validators = config.membership.validators(Epoch::zero());
    let committee = u32::try_from(validators.len()).expect("a committee fits u32");
    let largest = max_message_size(&[
        prefixed(simplex::max_payload_size::<Scheme, Digest>(committee)),
        marshal::max_payload_size::<Standard<Block>, Scheme>(committee, &()),
        MAX_BATCH_BYTES,
    ]);

    let primary: Map<_, Address> = Map::from_iter_dedup(validators.iter().map(|key| {
        let address = network.addresses.get(&validator_key(key));
        (key.clone(), if *key == me { listen_address(network.listen) } else { peer_address(address) })
    }));
    let followers = network.followers.iter().map(public_key).collect::<Result<Vec<_>, _>>()?;
    let secondary: Map<_, Address> = Map::from_iter_dedup(
        followers.into_iter().filter(|key| validators.position(key).is_none()).map(|key| (key, peer_address(None))),
    );
    let peers = primary.len() + secondary.len() + 1;

    let settings = LookupConfig {
        handshake: Watched { inner: handshake(config), board },
        namespace: config.namespace.clone(),
        listen: network.listen,
        allow_private_ips: true,
        allow_dns: true,
        // A follower, or a validator behind a gateway, is known by its key alone.
        bypass_ip_check: true,
        max_message_size: largest,
        max_peers_per_set: NZUsize!(peers),
        mailbox_size: NZUsize!(256),
        send_batch_size: NZUsize!(8),
        handshake_timeout: Duration::from_secs(3),
        dial_timeout: Duration::from_secs(3),
        peer_connection_cooldown: Duration::from_millis(100),
        max_concurrent_handshakes: NZU32!(256),
        allowed_handshake_rate_per_ip: Quota::per_second(NZU32!(256)),
        allowed_handshake_rate_per_subnet: Quota::per_second(NZU32!(512)),
        ping_frequency: Duration::from_secs(5),
        dial_frequency: Duration::from_millis(50),
        tracked_peer_sets: NZUsize!(1),
        block_duration: Duration::from_secs(60),
    };
    let (mut opened, mut oracle) = Network::new(context, settings);
    let _ = oracle.track(0, AddressableTrackedPeers::new(primary, secondary));

    let mut register = |(number, rate): Channel| opened.register(number, Quota::per_second(NZU32!(rate)));
    let channels = Channels {
        votes: register(channel::VOTES),
        certificates: register(channel::CERTIFICATES),
        resolver: register(channel::RESOLVER),
        backfill: register(channel::BACKFILL),
        blocks: register(channel::BLOCKS),
        transactions: register(channel::TRANSACTIONS),
        presence: register(channel::PRESENCE),
    };
    Ok(Opened { channels, oracle, handle: opened.start() })
}

fn handshake(config: &Config) -> SakeCups<crate::PrivateKey, ChaCha20Poly1305> {
    let sake = Sake {
        signer: config.key.clone(),
        synchrony_bound: MAX_CLOCK_SKEW,
        max_handshake_age: MAX_CLOCK_SKEW + Duration::from_secs(5),
        version: sake::Version::V1,
    };
    Cups::new(sake, cups::Version::V1)
}

fn listen_address(listen: SocketAddr) -> Address {
    Address::Symmetric(listen)
}

/// A peer without an address gets one that cannot be dialled: port 0.
fn peer_address(address: Option<&PeerAddress>) -> Address {
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    match address {
        None => Address::Symmetric(nowhere),
        Some(PeerAddress::Socket(address)) => Address::Symmetric(*address),
        Some(PeerAddress::Name(host, port)) => Address::Asymmetric {
            ingress: Ingress::Dns {
                host: Hostname::new(host.clone()).expect("checked when it was parsed"),
                port: *port,
            },
            egress: nowhere,
        },
    }
}

/// The handshake, watched for the one failure that a person must mend: clocks apart.
#[derive(Clone)]
struct Watched {
    inner: SakeCups<crate::PrivateKey, ChaCha20Poly1305>,
    board: StatusBoard,
}

type Inner = SakeCups<crate::PrivateKey, ChaCha20Poly1305>;

impl Watched {
    fn failed(&self, peer: Option<PublicKey>, error: &<Inner as Upgrader>::Error) {
        let Some((theirs, allowed)) = timestamps(error) else { return };
        let ours = allowed.end.saturating_sub(u64::try_from(MAX_CLOCK_SKEW.as_millis()).unwrap_or(0));
        let apart = Duration::from_millis(theirs.abs_diff(ours));
        let side = if theirs > ours { "ahead of" } else { "behind" };
        let name = peer.as_ref().map_or_else(|| "a stranger".into(), |key| validator_key(key).to_string());
        let sentence = format!(
            "the clock of {name} is {:.0} s {side} this node's: nodes whose clocks are more than {} s apart cannot connect; synchronise the clocks (NTP)",
            apart.as_secs_f64(),
            MAX_CLOCK_SKEW.as_secs(),
        );
        // A peer tries again many times a second: it is said once.
        if peer.is_some_and(|peer| self.board.clock_skew(validator_key(&peer), sentence.clone())) {
            warn!("{sentence}");
        } else {
            debug!("{sentence}");
        }
    }
}

/// The peer's time and the range that was allowed, both in milliseconds since 1970, when they are the cause.
fn timestamps(error: &(dyn std::error::Error + 'static)) -> Option<(u64, std::ops::Range<u64>)> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(SakeError::InvalidTimestamp(theirs, allowed)) = error.downcast_ref() {
            return Some((*theirs, allowed.clone()));
        }
        if let Some(sake::Error::HandshakeError(SakeError::InvalidTimestamp(theirs, allowed))) = error.downcast_ref() {
            return Some((*theirs, allowed.clone()));
        }
        cause = error.source();
    }
    None
}

impl Upgrader for Watched {
    const MAX_SIZE: u32 = Inner::MAX_SIZE;

    type PublicKey = PublicKey;
    type Error = <Inner as Upgrader>::Error;
    type Sender<I: Stream, O: Sink> = <Inner as Upgrader>::Sender<I, O>;
    type Receiver<I: Stream, O: Sink> = <Inner as Upgrader>::Receiver<I, O>;

    fn public_key(&self) -> PublicKey {
        self.inner.public_key()
    }

    async fn dial<C, I, O>(
        self,
        context: C,
        namespace: &[u8],
        max_message_size: u32,
        peer: PublicKey,
        stream: I,
        sink: O,
    ) -> Result<(Self::Sender<I, O>, Self::Receiver<I, O>), Self::Error>
    where
        C: Clock + CryptoRng,
        I: Stream,
        O: Sink,
    {
        let dialled = self.inner.clone().dial(context, namespace, max_message_size, peer.clone(), stream, sink).await;
        dialled.inspect_err(|error| self.failed(Some(peer), error))
    }

    async fn listen<C, I, O, A, F>(
        self,
        context: C,
        namespace: &[u8],
        max_message_size: u32,
        bouncer: A,
        stream: I,
        sink: O,
    ) -> Result<(PublicKey, Self::Sender<I, O>, Self::Receiver<I, O>), Self::Error>
    where
        C: Clock + CryptoRng,
        I: Stream,
        O: Sink,
        A: FnOnce(PublicKey) -> F + Send,
        F: Future<Output = bool> + Send,
    {
        // Only the side that is called sees the caller's time. Who calls is not proven yet, but is one that is let in; the
        // claim is shown to a person and nothing follows from it.
        let claimed = Arc::new(Mutex::new(None));
        let claim = claimed.clone();
        let let_in = move |peer: PublicKey| async move {
            let known = bouncer(peer.clone()).await;
            *claim.lock() = known.then_some(peer);
            known
        };
        let listened = self.inner.clone().listen(context, namespace, max_message_size, let_in, stream, sink).await;
        listened.inspect_err(|error| self.failed(claimed.lock().take(), error))
    }
}
