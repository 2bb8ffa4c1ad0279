//! The parts of consensus, put together.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use chain_pool::Pool;
use chain_store::Chain;
use commonware_broadcast::buffered;
use commonware_consensus::{
    marshal::{self, Start, core::Actor, resolver::p2p as backfill, standard::Inline},
    types::FixedEpocher,
};
use commonware_cryptography::{Digested, Digestible as _, Signer as _};
use commonware_macros::select;
use commonware_p2p::{Blocker, CheckedSender as _, Provider, Receiver, Recipients, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock, buffer::paged::CacheRef};
use commonware_utils::{NZDuration, NZU16, NZU64, NZUsize};
use futures::{StreamExt as _, channel::mpsc, stream::FuturesUnordered};
use tracing::{info, warn};

use crate::{
    Config, Environment, Error, Peer, PublicKey, Role, Status, StatusBoard,
    application::{Blocks, Fatal, now_ms},
    archive::Archives,
    delivery::{Deliveries, Delivery},
    epochs::{Epochs, VIEW_RETENTION},
    gossip::{self, Announcer},
    membership::Schemes,
    validator_key,
};

/// The network's channels and how many messages a second each may carry from one peer. Queues are sized from these
/// numbers times the peers, so they are no larger than the protocol needs.
pub mod channel {
    /// A channel's number on the wire, and its messages per second and peer.
    pub type Channel = (u64, u32);
    /// Votes, sorted by epoch: up to three a view.
    pub const VOTES: Channel = (0, 1024);
    /// Certificates, sorted by epoch: up to three a view.
    pub const CERTIFICATES: Channel = (1, 1024);
    /// Questions for certificates, sorted by epoch.
    pub const RESOLVER: Channel = (2, 256);
    /// Questions for blocks that are missing.
    pub const BACKFILL: Channel = (3, 512);
    /// Proposed blocks.
    pub const BLOCKS: Channel = (4, 256);
    /// Batches of transactions.
    pub const TRANSACTIONS: Channel = (5, 512);
    /// Carries nothing; tells who is connected.
    pub const PRESENCE: Channel = (6, 64);
}

/// The ends of the network's channels.
pub struct Channels<S, R> {
    /// See [`channel::VOTES`].
    pub votes: (S, R),
    /// See [`channel::CERTIFICATES`].
    pub certificates: (S, R),
    /// See [`channel::RESOLVER`].
    pub resolver: (S, R),
    /// See [`channel::BACKFILL`].
    pub backfill: (S, R),
    /// See [`channel::BLOCKS`].
    pub blocks: (S, R),
    /// See [`channel::TRANSACTIONS`].
    pub transactions: (S, R),
    /// See [`channel::PRESENCE`].
    pub presence: (S, R),
}

/// Blocks that are delivered and not yet in the chain's tables on disk, at most.
const UNACKNOWLEDGED: usize = 128;
/// Missing blocks that are fetched at once.
const REPAIRS: usize = 32;
/// Bytes that a page of the page cache holds, without its checksum.
const PAGE: u16 = 4084;
/// How often the connections are looked at.
const PRESENCE_POLL: Duration = Duration::from_millis(50);

/// What consensus works on.
pub struct Parts<S, R, P, B> {
    /// The configuration.
    pub config: Config,
    /// The network's channels.
    pub channels: Channels<S, R>,
    /// Knows the peers.
    pub peers: P,
    /// Disconnects peers that cheat.
    pub blocker: B,
    /// The chain.
    pub chain: Chain,
    /// The pool, opened on the chain's current head.
    pub pool: Pool,
    /// Where the status is written.
    pub board: StatusBoard,
}

/// Runs consensus until something fails. Run it in a task of its own: aborting that stops everything below it.
pub async fn run<E, S, R, P, B>(context: E, parts: Parts<S, R, P, B>) -> Error
where
    E: Environment,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey> + Sync,
{
    match Box::pin(start(context, parts)).await {
        Ok(end) | Err(end) => end,
    }
}

async fn start<E, S, R, P, B>(context: E, parts: Parts<S, R, P, B>) -> Result<Error, Error>
where
    E: Environment,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey> + Sync,
{
    let Parts { config, channels, peers, blocker, chain, pool, board } = parts;
    let me = config.key.public_key();
    let head = chain.head().block.number();
    board.update(|status| (status.height, status.known_height) = (head, head));
    let (fatal, mut failures) = Fatal::new();
    let schemes = Schemes::new(&config.namespace, config.membership.clone(), config.key.clone());
    let epocher = FixedEpocher::new(NZU64!(config.epoch_length));
    let pages = (config.page_cache_bytes / usize::from(PAGE)).max(64);
    let page_cache = CacheRef::new(NZU16!(PAGE), NZUsize!(pages));

    // Blocks: proposed ones by broadcast, missing ones by question.
    let (broadcast, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: me.clone(),
            mailbox_size: NZUsize!(256),
            deque_size: 8,
            priority: true,
            codec_config: (),
            peer_provider: peers.clone(),
            strategy: Sequential,
        },
    );
    let broadcast = broadcast.start(channels.blocks);
    let resolver = backfill::init(
        context.child("backfill"),
        backfill::Config {
            public_key: me,
            peer_provider: peers,
            blocker: blocker.clone(),
            mailbox_size: NZUsize!(256),
            fetch_timeout: NZDuration!(Duration::from_secs(1)),
            fetch_retry_delay: Duration::from_millis(50),
            priority_requests: false,
            priority_responses: false,
        },
        channels.backfill,
    );

    let genesis = chain.sealed_by_number(0)?.ok_or(Error::Ended("the chain's history"))?.block.clone();
    let digest = genesis.digest();
    let archives = Archives { prefix: config.partition_prefix.clone(), page_cache: page_cache.clone() };
    let certificates = archives.certificates(context.child("certificates")).await?;
    let blocks = archives.blocks(context.child("blocks"), chain.clone()).await?;
    let (actor, mailbox, _) = Actor::init(
        context.child("marshal"),
        certificates,
        blocks,
        marshal::Config {
            provider: schemes.clone(),
            epocher: epocher.clone(),
            start: Start::Genesis(Digested::precomputed(genesis, digest)),
            partition_prefix: format!("{}-marshal", config.partition_prefix),
            mailbox_size: NZUsize!(1024),
            view_retention: VIEW_RETENTION,
            prunable_items_per_section: NZU64!(64),
            page_cache: page_cache.clone(),
            replay_buffer: NZUsize!(256 * 1024),
            key_write_buffer: NZUsize!(64 * 1024),
            value_write_buffer: NZUsize!(256 * 1024),
            block_codec_config: (),
            max_repair: NZUsize!(REPAIRS),
            max_pending_acks: NZUsize!(UNACKNOWLEDGED),
            strategy: Sequential,
        },
    )
    .await;
    let (deliveries, updates) = Deliveries::new();
    let marshal = actor.start(deliveries, buffer, resolver);

    let (heads, new_heads) = mpsc::unbounded();
    let pooled = Arc::new(AtomicU64::new(head));
    let delivery = Delivery {
        chain: chain.clone(),
        pool: pool.clone(),
        board: board.clone(),
        marshal: mailbox.clone(),
        heads,
        pooled: pooled.clone(),
    };
    delivery.replay(&context).await?;
    let delivery = context.child("delivery").spawn(move |context| delivery.run(context, updates));

    let blocks = Blocks::new(chain.clone(), pool.clone(), config.pace, fatal, pooled);
    let automaton = Inline::new(context.child("inline"), blocks, mailbox.clone(), epocher.clone());

    let (batches, received) = mpsc::channel(gossip::BACKLOG);
    let (sender, receiver) = channels.transactions;
    let announcer = Announcer { pool: pool.clone(), sender, config: config.clone(), board: board.clone() };
    let announcer = context.child("announcer").spawn(move |context| announcer.run(context));
    let receiver = context.child("receiver").spawn({
        let blocker = blocker.clone();
        move |_| gossip::receive(receiver, batches, blocker)
    });
    let submitter = context.child("submitter").dedicated().spawn({
        let blocker = blocker.clone();
        move |_| gossip::submit(pool, received, blocker)
    });

    let presence = Presence { config: config.clone(), board: board.clone() };
    // The receiver is kept although nothing arrives: without it the network would drop the channel.
    let (presence_sender, _presence_receiver) = channels.presence;
    let presence = context.child("presence").spawn(move |context| presence.run(context, presence_sender));

    let epochs = Epochs {
        context: context.child("epochs"),
        config,
        schemes,
        epocher,
        automaton,
        marshal: mailbox,
        blocker,
        chain,
        board,
        page_cache,
    };
    let (votes, certificates, resolver) = (channels.votes, channels.certificates, channels.resolver);
    let epochs = context.child("epochs").spawn(move |_| Box::pin(epochs.run(votes, certificates, resolver, new_heads)));

    let mut endings = FuturesUnordered::<std::pin::Pin<Box<dyn Future<Output = Error> + Send>>>::new();
    endings.push(Box::pin(async move { delivery.await.unwrap_or(Error::Ended("delivery of blocks")) }));
    endings.push(Box::pin(async move { epochs.await.unwrap_or(Error::Ended("the epochs")) }));
    endings.push(Box::pin(async move { receiver.await.unwrap_or(Error::Ended("receiving transactions")) }));
    for (name, handle) in [
        ("marshal", marshal),
        ("broadcast of blocks", broadcast),
        ("announcing transactions", announcer),
        ("submitting transactions", submitter),
        ("watching connections", presence),
    ] {
        endings.push(Box::pin(async move {
            let _ = handle.await;
            Error::Ended(name)
        }));
    }
    // A reported failure says more than the ending of the part that it made end.
    Ok(select! {
        failure = failures.next() => failure.unwrap_or(Error::Ended("consensus")),
        ending = endings.next() => ending.unwrap_or(Error::Ended("consensus")),
    })
}

/// Watches who is connected and whether the chain can make progress.
struct Presence {
    config: Config,
    board: StatusBoard,
}

impl Presence {
    async fn run(self, clock: impl Clock, mut sender: impl Sender<PublicKey = PublicKey>) {
        let mut known = BTreeSet::new();
        let mut halted: Option<String> = None;
        let started = now_ms(&clock);
        loop {
            if let Ok(checked) = sender.check(Recipients::All) {
                let connected: BTreeSet<_> = checked.recipients().iter().map(validator_key).collect();
                for peer in connected.difference(&known) {
                    self.board.connected(peer);
                    info!(%peer, "connected");
                }
                for peer in known.difference(&connected) {
                    info!(%peer, "disconnected");
                }
                known = connected;
            }
            let mut status = self.board.get();
            status.peers = self.peers(&status, &known);
            let silent = now_ms(&clock).saturating_sub(status.last_finalized_ms.unwrap_or(started));
            let reason = self.halted_reason(&status, Duration::from_millis(silent));
            if reason != halted {
                match &reason {
                    Some(reason) => warn!("{reason}"),
                    None => info!("the chain makes progress"),
                }
                halted.clone_from(&reason);
            }
            self.board.update(|shared| (shared.peers, shared.halted_reason) = (status.peers, reason));
            clock.sleep(PRESENCE_POLL).await;
        }
    }

    fn peers(&self, status: &Status, connected: &BTreeSet<chain_types::ValidatorKey>) -> Vec<Peer> {
        let validators = status.validators.iter().filter(|key| **key != status.key);
        let others = connected.iter().filter(|key| !status.validators.contains(key));
        validators
            .map(|key| (key, true))
            .chain(others.map(|key| (key, false)))
            .map(|(key, validator)| Peer { key: *key, validator, connected: connected.contains(key) })
            .collect()
    }

    /// `silent` is how long no block has become final here.
    fn halted_reason(&self, status: &Status, silent: Duration) -> Option<String> {
        if status.validators.is_empty() {
            // No epoch has been entered yet.
            return None;
        }
        let connected = status.validators_connected();
        let skew = self.board.skew().map(|sentence| format!("; {sentence}")).unwrap_or_default();
        match status.role {
            Role::Validator if connected < status.quorum() => Some(format!(
                "no progress: {connected} of {} validators are connected, {} are needed to agree{skew}",
                status.validators.len(),
                status.quorum(),
            )),
            Role::Follower if connected == 0 => Some(format!(
                "no validator is connected: they let in only followers whose keys they were given (--follower-key {}){skew}",
                status.key,
            )),
            _ => {
                // The sentence is the same from one look to the next, or each would be logged.
                let patience = self.config.pace.timeouts().skip * 4;
                (silent > patience).then(|| {
                    format!("no block for {} s though {connected} validators are connected", patience.as_secs())
                })
            }
        }
    }
}
