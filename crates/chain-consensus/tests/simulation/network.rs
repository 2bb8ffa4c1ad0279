//! A network of nodes in one simulated process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use alloy_primitives::{Address, B256, U256};
use chain_consensus::{Channels, Config, Parts, PrivateKey, PublicKey, Status, StatusBoard, channel, validator_key};
use chain_exec::Executor;
use chain_pool::{Pool, PoolConfig, PoolState, SpecId};
use chain_store::{Chain, MemoryFile, StoreConfig};
use chain_types::{Genesis, timestamp_millis};
use commonware_cryptography::Signer as _;
use commonware_p2p::{
    Recipients, Sender as _,
    simulated::{self, Link, Oracle},
};
use commonware_runtime::{Clock as _, Handle, Quota, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::{NZU32, NZUsize, probability};
use serde_json::json;

type Context = deterministic::Context;

/// A good link.
pub const LINK: Link =
    Link { latency: Duration::from_millis(10), jitter: Duration::from_millis(2), success_rate: probability!(1.0) };
/// A link that loses two messages of a hundred.
pub const LOSSY: Link =
    Link { latency: Duration::from_millis(20), jitter: Duration::from_millis(5), success_rate: probability!(0.98) };

/// What a network is like.
#[derive(Clone)]
pub struct Settings {
    pub validators: u64,
    pub followers: u64,
    pub epoch_length: u64,
    pub heartbeat_ms: u64,
    pub link: Link,
    /// What the nodes have on disk besides the runtime's storage. A clone outlives the network.
    pub disks: Disks,
}

/// Each node's ledger, with how often it was lost.
#[derive(Clone, Default)]
pub struct Disks(Arc<Mutex<BTreeMap<usize, (MemoryFile, u64)>>>);

impl Disks {
    fn get(&self, index: usize) -> (MemoryFile, u64) {
        self.0.lock().unwrap().entry(index).or_default().clone()
    }

    fn lose(&self, index: usize) {
        let mut disks = self.0.lock().unwrap();
        let lost = disks.entry(index).or_default();
        *lost = (MemoryFile::default(), lost.1 + 1);
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { validators: 4, followers: 0, epoch_length: 256, heartbeat_ms: 300, link: LINK, disks: Disks::default() }
    }
}

struct Node {
    key: PrivateKey,
    chain: Option<Chain>,
    board: Option<StatusBoard>,
    handle: Option<Handle<chain_consensus::Error>>,
}

/// The network.
pub struct Network {
    pub context: Context,
    settings: Settings,
    genesis: Arc<Genesis>,
    oracle: Oracle<PublicKey, Context>,
    nodes: Vec<Node>,
}

/// The blocks that a network finalised.
#[derive(Clone, Debug, Default)]
pub struct Finalised(BTreeMap<u64, B256>);

impl Finalised {
    pub fn height(&self) -> u64 {
        self.0.keys().next_back().copied().unwrap_or_default()
    }

    pub fn assert_extends(&self, before: &Self, seed: u64, crash: u64) {
        for (number, hash) in &before.0 {
            assert_eq!(self.0.get(number), Some(hash), "block {number} after crash {crash} of seed {seed}");
        }
    }
}

impl Network {
    pub async fn start(context: Context, settings: Settings) -> Self {
        let keys: Vec<_> = (0..settings.validators + settings.followers).map(PrivateKey::from_seed).collect();
        let validators = keys.iter().take(settings.validators as usize);
        let genesis = Arc::new(genesis(&settings, validators));
        let config = simulated::Config {
            max_size: 16 * 1024 * 1024,
            max_peers_per_set: NZUsize!(keys.len()),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let peers: Vec<_> = keys.iter().map(PrivateKey::public_key).collect();
        let (network, oracle) = simulated::Network::new_with_peers(context.child("network"), config, peers).await;
        network.start();
        let nodes = keys.into_iter().map(|key| Node { key, chain: None, board: None, handle: None }).collect();
        let mut network = Self { context, settings, genesis, oracle, nodes };
        for index in 0..network.nodes.len() {
            network.restart(index).await;
        }
        network.heal().await;
        network
    }

    /// Starts a node on what it had on disk.
    pub async fn restart(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let context = self.context.child("node").with_attribute("index", index);
        let control = self.oracle.control(node.key.public_key());
        let register = async |(number, rate): channel::Channel| {
            control.register(number, Quota::per_second(NZU32!(rate))).await.expect("the channel is free")
        };
        let channels = Channels {
            votes: register(channel::VOTES).await,
            certificates: register(channel::CERTIFICATES).await,
            resolver: register(channel::RESOLVER).await,
            backfill: register(channel::BACKFILL).await,
            blocks: register(channel::BLOCKS).await,
            transactions: register(channel::TRANSACTIONS).await,
            presence: register(channel::PRESENCE).await,
        };
        let executor = Executor::new(&self.genesis).expect("the genesis is valid");
        let (memory, lost) = self.settings.disks.get(index);
        let store = StoreConfig {
            directory: None,
            cache_bytes: 1 << 20,
            partition_prefix: format!("state-{index}-{lost}"),
            memory,
        };
        let chain = Chain::open(context.child("chain"), store, &self.genesis, executor).await.expect("the chain opens");
        let pool = PoolConfig::new(self.genesis.chain_id());
        let pool = Pool::open(pool, Arc::new(HeadState(chain.clone()))).expect("opens without a journal");
        let board = StatusBoard::new(validator_key(&node.key.public_key()));
        let mut config = Config::new(&self.genesis, node.key.clone()).expect("the genesis is valid");
        config.partition_prefix = format!("node-{index}");
        config.page_cache_bytes = 1 << 20;
        let (blocker, peers) = (control, self.oracle.manager());
        node.chain = Some(chain.clone());
        node.board = Some(board.clone());
        node.handle = Some(context.spawn(move |context| {
            chain_consensus::run(context, Parts { config, channels, peers, blocker, chain, pool, board })
        }));
    }

    /// Ends a node without warning.
    pub fn crash(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        node.handle.take().expect("the node runs").abort();
        (node.chain, node.board) = (None, None);
    }

    /// Removes what a stopped node has of the chain; its archive of blocks stays.
    pub fn lose_chain(&mut self, index: usize) {
        assert!(self.nodes[index].handle.is_none(), "the node runs");
        self.settings.disks.lose(index);
    }

    /// Sends bytes in the name of a node that does not run, to all others.
    pub async fn send(&self, index: usize, (number, rate): channel::Channel, bytes: &[u8]) {
        let control = self.oracle.control(self.nodes[index].key.public_key());
        let channel = control.register(number, Quota::per_second(NZU32!(rate))).await;
        let (mut sender, _receiver) = channel.expect("the channel is free");
        let sent = sender.send(Recipients::All, bytes.to_vec(), true);
        assert_eq!(sent.len(), self.nodes.len() - 1);
    }

    /// How many nodes have blocked a node.
    pub async fn blockers(&self, index: usize) -> usize {
        let peer = self.nodes[index].key.public_key();
        let blocked = self.oracle.blocked().await.expect("the network runs");
        blocked.iter().filter(|(_, other)| *other == peer).count()
    }

    /// Cuts a node's links.
    pub async fn isolate(&mut self, index: usize) {
        let me = self.nodes[index].key.public_key();
        for (other, node) in self.nodes.iter().enumerate() {
            if other != index {
                let other = node.key.public_key();
                self.oracle.remove_link(me.clone(), other.clone()).await.expect("the link is there");
                self.oracle.remove_link(other, me.clone()).await.expect("the link is there");
            }
        }
    }

    /// Makes every link that is missing.
    pub async fn heal(&mut self) {
        for from in &self.nodes {
            for to in &self.nodes {
                let (from, to) = (from.key.public_key(), to.key.public_key());
                if from != to {
                    // A link that is there stays.
                    let _ = self.oracle.add_link(from, to, self.settings.link.clone()).await;
                }
            }
        }
    }

    pub fn height(&self, index: usize) -> u64 {
        self.nodes[index].chain.as_ref().map_or(0, |chain| chain.head().block.number())
    }

    pub fn status(&self, index: usize) -> Status {
        self.nodes[index].board.as_ref().expect("the node runs").get()
    }

    /// Waits until these nodes have finalised the height; the runtime's time-out is the deadline.
    pub async fn reach(&self, nodes: &[usize], height: u64) {
        while nodes.iter().any(|index| self.height(*index) < height) {
            self.context.sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn all_reach(&self, height: u64) {
        let all: Vec<_> = (0..self.nodes.len()).collect();
        self.reach(&all, height).await;
    }

    /// What any node has finalised.
    pub fn finalised(&self) -> Finalised {
        let mut blocks = BTreeMap::new();
        for chain in self.nodes.iter().filter_map(|node| node.chain.as_ref()) {
            for number in 0..=chain.head().block.number() {
                let sealed = chain.sealed_by_number(number).expect("readable").expect("final");
                let hash = sealed.block.hash();
                assert_eq!(*blocks.entry(number).or_insert(hash), hash, "two blocks {number} are final");
            }
        }
        Finalised(blocks)
    }

    /// When each final block was made, in milliseconds.
    pub fn times(&self, index: usize) -> Vec<u64> {
        let chain = self.nodes[index].chain.as_ref().expect("the node runs");
        let sealed = |number| chain.sealed_by_number(number).expect("readable").expect("final");
        (0..=chain.head().block.number()).map(|number| timestamp_millis(sealed(number).block.header())).collect()
    }

    pub fn assert_one_chain(&self) {
        self.finalised();
    }
}

/// Nobody has an account.
struct HeadState(Chain);

impl PoolState for HeadState {
    fn account(&self, address: &Address) -> Result<Option<(u64, U256)>, String> {
        let account = self.0.account(address).map_err(|error| error.to_string())?;
        Ok(account.map(|account| (account.nonce, account.balance)))
    }

    fn base_fee(&self) -> u64 {
        0
    }

    fn block_gas_limit(&self) -> u64 {
        self.0.head().block.header().gas_limit
    }

    fn spec(&self) -> SpecId {
        self.0.executor().spec(self.0.head().block.header())
    }
}

fn genesis<'a>(settings: &Settings, validators: impl Iterator<Item = &'a PrivateKey>) -> Genesis {
    let validators: Vec<_> = validators.map(|key| validator_key(&key.public_key()).to_string()).collect();
    let genesis = json!({
        "config": {
            "chainId": 4242,
            "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0,
            "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
            "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0, "terminalTotalDifficulty": "0x0",
            "polder": {
                "validators": validators,
                "epochLength": settings.epoch_length,
                "heartbeatMs": settings.heartbeat_ms,
                "blockIntervalMs": 30,
                "minGasPrice": 0,
            },
        },
        "nonce": "0x0", "timestamp": "0x0", "extraData": "0x", "gasLimit": "0x5f5e100", "difficulty": "0x0",
        "mixHash": B256::ZERO, "coinbase": Address::ZERO, "alloc": {},
    });
    Genesis::from_json(&genesis.to_string()).expect("a valid genesis")
}
