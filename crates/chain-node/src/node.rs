//! The node's consensus side: a thread that owns the commonware runtime.

use std::{
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use chain_consensus::{
    Config, PrivateKey, StatusBoard,
    network::{self, NetworkConfig},
};
use chain_exec::Executor;
use chain_pool::{Pool, PoolConfig, system_clock};
use chain_store::{Chain, StoreConfig};
use chain_types::Genesis;
use commonware_macros::select;
use commonware_runtime::{Runner as _, Spawner as _, Supervisor as _, tokio as runtime};
use tokio::sync::oneshot;
use tracing::info;

use crate::{
    Error,
    state::{HeadState, Senders},
};

/// How long the parts have to stop by themselves before they are dropped.
const STOP_TIME: Duration = Duration::from_secs(5);

/// What the node is made of.
pub(crate) struct Parts {
    pub(crate) genesis: Genesis,
    pub(crate) key: PrivateKey,
    pub(crate) network: NetworkConfig,
    pub(crate) board: StatusBoard,
    /// Directories of the chain's files and of consensus'.
    pub(crate) chain: PathBuf,
    pub(crate) consensus: PathBuf,
    pub(crate) journal: PathBuf,
    /// Bytes for caches, allocated at start.
    pub(crate) cache_bytes: usize,
}

/// The chain and the pool, once they are open.
pub(crate) struct Opened {
    pub(crate) chain: Chain,
    pub(crate) pool: Pool,
    pub(crate) executor: Executor,
}

/// A running node.
pub(crate) struct Node {
    /// Tells the node to stop.
    pub(crate) stop: oneshot::Sender<()>,
    /// Resolves when the chain and the pool are open; closed if they cannot be.
    pub(crate) opened: oneshot::Receiver<Opened>,
    /// Resolves when the node has ended; closed if it panicked.
    pub(crate) ended: oneshot::Receiver<Result<(), Error>>,
    /// The thread, ended when `ended` is.
    pub(crate) thread: JoinHandle<()>,
}

/// Starts the node's thread.
pub(crate) fn start(parts: Parts) -> Result<Node, Error> {
    let (stop, stopped) = oneshot::channel();
    let (opening, opened) = oneshot::channel();
    let (ending, ended) = oneshot::channel();
    let thread = thread::Builder::new().name("consensus".into()).spawn(move || {
        let config = runtime::Config::new().with_storage_directory(&parts.consensus).with_worker_threads(2);
        let result = runtime::Runner::new(config).start(|context| Box::pin(run(context, parts, opening, stopped)));
        // The receiver is gone only when the process is ending anyway.
        let _ = ending.send(result);
    });
    let thread = thread.map_err(|source| Error::System { what: "starting a thread", source })?;
    Ok(Node { stop, opened, ended, thread })
}

async fn run(
    context: runtime::Context,
    parts: Parts,
    opening: oneshot::Sender<Opened>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), Error> {
    let executor = Executor::new(&parts.genesis)?.with_clock(system_clock());
    let store = StoreConfig {
        directory: Some(parts.chain),
        cache_bytes: parts.cache_bytes * 2 / 3,
        partition_prefix: "state".into(),
        ..StoreConfig::default()
    };
    let chain = Chain::open(context.child("chain"), store, &parts.genesis, executor.clone()).await?;
    let state = HeadState { chain: chain.clone(), min_gas_price: parts.genesis.polder.min_gas_price };
    let mut pool = PoolConfig::new(parts.genesis.chain_id());
    pool.journal = Some(parts.journal);
    pool.senders = Arc::new(Senders);
    let pool = Pool::open(pool, Arc::new(state))?;
    // Nobody waits for it when the node is told to stop at once.
    let _ = opening.send(Opened { chain: chain.clone(), pool: pool.clone(), executor });

    let mut config = Config::new(&parts.genesis, parts.key)?;
    config.page_cache_bytes = parts.cache_bytes / 3;
    let network = network::open(context.child("network"), &config, parts.network, parts.board.clone())?;
    let (channels, oracle, ended) = (network.channels, network.oracle, network.handle);
    let consensus = context.child("consensus").spawn({
        let (chain, board, blocker) = (chain.clone(), parts.board, oracle.clone());
        let parts = chain_consensus::Parts { config, channels, peers: oracle, blocker, chain, pool, board };
        move |context| chain_consensus::run(context, parts)
    });

    let mut consensus = consensus;
    let mut ended = ended;
    let result = select! {
        error = chain.failed() => Err(error.into()),
        error = &mut consensus => Err(error.map_or(Error::Ended("consensus"), Error::from)),
        _ = &mut ended => Err(Error::Ended("the network")),
        _ = stopped => Ok(()),
    };
    // Votes and deliveries end first, so that nothing new comes while the chain is written to disk.
    consensus.abort();
    if result.is_ok() {
        chain.close().await?;
        info!(height = chain.head().block.number(), "the chain is on disk");
    }
    // What does not stop in time is dropped; everything that matters is on disk.
    let _ = context.stop(0, Some(STOP_TIME)).await;
    result
}
