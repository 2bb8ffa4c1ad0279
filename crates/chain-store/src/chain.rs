//! The handle that consensus, pool and JSON-RPC hold.

use std::{path::PathBuf, sync::Arc};

use alloy_primitives::{Address, B256};
use chain_exec::{Account, Executor, StateError, StateReader};
use chain_types::Genesis;
use commonware_runtime::Spawner;
use futures::lock::Mutex as AsyncMutex;
use lru::LruCache;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::{info, warn};

use crate::{
    Candidate, LogEntry, MemoryFile, Sealed, StoreError,
    blocking::Blocking,
    commitment::{Commitment, Qmdb, QmdbConfig},
    ledger::{Ledger, Mark, Record},
    logs::{Blocks, Filter},
    rebuild::{add, genesis_changes, rebuild},
    tree::{StagedId, Tree},
    worker::{Message, Worker},
};

/// Finalised blocks that a slow subscriber may lag behind before it misses some.
const SUBSCRIPTION_BACKLOG: usize = 1024;
/// Blocks of the ledger that are kept decoded.
const DECODED_BLOCKS: usize = 32;

/// Where and how a chain is stored.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where the ledger's file lives; `None` keeps it in [`Self::memory`], for simulations. The commitment lives in the
    /// runtime's own storage in both cases.
    pub directory: Option<PathBuf>,
    /// Memory for caches in bytes, half of it for the ledger and half for the commitment, whose half is allocated at
    /// once. The default is 24 MiB.
    pub cache_bytes: usize,
    /// Begins the names of the commitment's partitions in the runtime's storage.
    pub partition_prefix: String,
    /// The ledger without a directory. Opening a clone of it again is a restart.
    pub memory: MemoryFile,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            directory: None,
            cache_bytes: 24 * 1024 * 1024,
            partition_prefix: "chain".into(),
            memory: MemoryFile::default(),
        }
    }
}

/// The chain as this node knows it. Clones are the same chain.
#[derive(Clone)]
pub struct Chain(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) executor: Executor,
    pub(crate) tree: Arc<RwLock<Tree>>,
    pub(crate) worker: mpsc::UnboundedSender<Message>,
    pub(crate) failure: watch::Sender<Option<StoreError>>,
    /// Held while a block is executed: one at a time, so that no block is executed twice.
    pub(crate) execution: AsyncMutex<()>,
    pub(crate) blocking: Blocking,
    pub(crate) news: broadcast::Sender<Arc<Sealed>>,
    pub(crate) decoded: Mutex<LruCache<u64, Arc<Sealed>>>,
    /// Threads for recovering senders.
    pub(crate) threads: usize,
    pub(crate) genesis_hash: B256,
    /// Kept open for the views after the worker has ended.
    pub(crate) ledger: Arc<Ledger>,
    rebuilt: bool,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = self.head();
        f.debug_struct("Chain").field("height", &head.block.number()).field("head", &head.block.hash()).finish()
    }
}

impl Chain {
    /// Opens the stores, writes the genesis when they are empty, and starts the task that owns the commitment.
    ///
    /// # Errors
    /// When the data are another chain's, a newer version's, damaged, in use, or cannot be read or written.
    pub async fn open<E>(
        context: E,
        config: StoreConfig,
        genesis: &Genesis,
        executor: Executor,
    ) -> Result<Self, StoreError>
    where
        E: commonware_storage::Context + Spawner,
    {
        let cache = config.cache_bytes / 2;
        let ledger = match &config.directory {
            Some(directory) => Ledger::open(directory, cache)?,
            None => Ledger::open_memory(&config.memory, cache)?,
        };
        let fingerprint = genesis.fingerprint();
        let qmdb = QmdbConfig::new(&config.partition_prefix, cache);
        let (commitment, rebuilt) = match ledger.mark(fingerprint)? {
            Some(mark) => Box::pin(open_commitment(&context, &qmdb, mark, &ledger, &executor)).await?,
            None => {
                let mut commitment = Qmdb::create(context.child("commitment"), &qmdb).await?;
                write_genesis(&mut commitment, &ledger, fingerprint, &executor).await?;
                (commitment, false)
            }
        };
        let reader = ledger.reader()?;
        let head = reader.block(reader.height)?;
        let genesis_hash = reader.block(0)?.block.hash();
        let head = Candidate { sealed: head, changes: Arc::default(), staged: StagedId(0) };
        let tree = Arc::new(RwLock::new(Tree::new(reader, head)));
        let (worker, messages) = mpsc::unbounded_channel();
        let (failure, _) = watch::channel(None);
        let blocking = Blocking::new(context.child("execution"));
        let ledger = Arc::new(ledger);
        let task = Worker::new(commitment, ledger.clone(), tree.clone(), failure.clone(), blocking.clone());
        drop(context.child("store").spawn(move |context| task.run(context, messages)));
        // A store without a directory belongs to a simulation, which has one thread.
        let threads = match config.directory {
            Some(_) => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            None => 1,
        };
        Ok(Self(Arc::new(Inner {
            executor,
            tree,
            worker,
            failure,
            execution: AsyncMutex::new(()),
            blocking,
            news: broadcast::channel(SUBSCRIPTION_BACKLOG).0,
            decoded: Mutex::new(LruCache::new(DECODED_BLOCKS.try_into().expect("not zero"))),
            threads,
            genesis_hash,
            ledger,
            rebuilt,
        })))
    }

    /// The newest finalised block.
    pub fn head(&self) -> Arc<Sealed> {
        self.0.tree.read().head().sealed.clone()
    }

    /// Whether the commitment was lost or damaged, and was built again from the ledger at this opening.
    pub fn was_rebuilt(&self) -> bool {
        self.0.rebuilt
    }

    /// The genesis block's hash.
    pub fn genesis_hash(&self) -> B256 {
        self.0.genesis_hash
    }

    /// The executor that the chain was opened with.
    pub fn executor(&self) -> &Executor {
        &self.0.executor
    }

    /// A finalised block by number.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn sealed_by_number(&self, number: u64) -> Result<Option<Arc<Sealed>>, StoreError> {
        let reader = {
            let tree = self.0.tree.read();
            if number > tree.head().block().number() {
                return Ok(None);
            }
            if let Some(candidate) = tree.finalized(number) {
                return Ok(Some(candidate.sealed.clone()));
            }
            tree.reader().clone()
        };
        if let Some(sealed) = self.0.decoded.lock().get(&number) {
            return Ok(Some(sealed.clone()));
        }
        let sealed = reader.block(number)?;
        self.0.decoded.lock().put(number, sealed.clone());
        Ok(Some(sealed))
    }

    /// A finalised block by hash.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn sealed_by_hash(&self, hash: &B256) -> Result<Option<Arc<Sealed>>, StoreError> {
        let reader = {
            let tree = self.0.tree.read();
            if let Some(candidate) = tree.candidate(hash) {
                let finalized = tree.finalized(candidate.block().number());
                return Ok(finalized.filter(|same| same.block().hash() == *hash).map(|same| same.sealed.clone()));
            }
            let finalized = tree.queued_from(0).find(|candidate| candidate.block().hash() == *hash);
            if let Some(candidate) = finalized {
                return Ok(Some(candidate.sealed.clone()));
            }
            tree.reader().clone()
        };
        match reader.number(hash)? {
            Some(number) => self.sealed_by_number(number),
            None => Ok(None),
        }
    }

    /// A finalised block's hash by number, cheaper than the block.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn hash_by_number(&self, number: u64) -> Result<Option<B256>, StoreError> {
        let tree = self.0.tree.read();
        match tree.finalized(number) {
            Some(candidate) => Ok(Some(candidate.block().hash())),
            None => tree.reader().hash(number),
        }
    }

    /// The finalised block that has a transaction, and the transaction's index in it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn transaction(&self, hash: &B256) -> Result<Option<(Arc<Sealed>, usize)>, StoreError> {
        let place = {
            let tree = self.0.tree.read();
            match tree.transaction(hash) {
                Some(place) => Some(place),
                None => tree.reader().transaction(hash)?,
            }
        };
        let Some((number, index)) = place else { return Ok(None) };
        Ok(self.sealed_by_number(number)?.map(|sealed| (sealed, index)))
    }

    /// The state after a finalised block.
    ///
    /// # Errors
    /// [`StoreError::UnknownBlock`] above the head.
    pub fn state_at(&self, number: u64) -> Result<Arc<dyn StateReader>, StoreError> {
        Ok(Arc::new(self.0.tree.read().view_at(number)?))
    }

    /// The head and the state after it.
    pub fn head_state(&self) -> (Arc<Sealed>, Arc<dyn StateReader>) {
        let tree = self.0.tree.read();
        let head = tree.head();
        let view = tree.view_at(head.block().number()).expect("the head is not above the head");
        (head.sealed.clone(), Arc::new(view))
    }

    /// An account at the head.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        let view = {
            let tree = self.0.tree.read();
            tree.view_at(tree.head().block().number()).expect("the head is not above the head")
        };
        view.account(address)
    }

    /// The logs of the finalised blocks `from` to `to`, both included, that come from one of `addresses` (any when
    /// empty) and have one of `topics[i]` as their topic `i` (any where empty), in the chain's order.
    ///
    /// # Errors
    /// [`StoreError::TooManyLogs`] for more than `limit` matches; or when the ledger cannot be read.
    pub fn logs(
        &self,
        from: u64,
        to: u64,
        addresses: &[Address],
        topics: &[Vec<B256>; 4],
        limit: usize,
    ) -> Result<Vec<LogEntry>, StoreError> {
        let filter = Filter { addresses, topics };
        let (reader, queued) = {
            let tree = self.0.tree.read();
            (tree.reader().clone(), tree.queued_from(from).cloned().collect::<Vec<_>>())
        };
        let mut found = Vec::new();
        let mut blocks = Blocks::new(reader.clone(), &filter, from, to);
        while let Some(number) = blocks.next()? {
            filter.collect(&*reader.block(number)?, limit, &mut found)?;
        }
        for candidate in queued.iter().take_while(|candidate| candidate.block().number() <= to) {
            filter.collect(&candidate.sealed, limit, &mut found)?;
        }
        Ok(found)
    }

    /// Each newly finalised block, in order. A receiver that falls 1,024 blocks behind is told so and goes on with the
    /// oldest that is left.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Sealed>> {
        self.0.news.subscribe()
    }

    /// An executed block: the head, or one above it that is not final.
    pub fn candidate(&self, hash: &B256) -> Option<Arc<Candidate>> {
        self.0.tree.read().candidate(hash).cloned()
    }

    /// The state after the head or a block above it that is not final.
    pub fn candidate_state(&self, hash: &B256) -> Option<Arc<dyn StateReader>> {
        let tree = self.0.tree.read();
        let candidate = tree.candidate(hash)?;
        Some(Arc::new(tree.view(candidate)?))
    }

    /// The newest block that is in both stores.
    pub fn durable_height(&self) -> u64 {
        self.0.tree.read().reader().height
    }

    /// Writes every finalised block to disk and ends the store's task. Reading goes on working.
    ///
    /// # Errors
    /// When a store fails, or failed before.
    pub async fn close(&self) -> Result<(), StoreError> {
        let (closed, done) = oneshot::channel();
        match self.send(Message::Close { closed }) {
            Ok(()) => done.await.map_err(|_| self.stopped()),
            // Closed before.
            Err(StoreError::Stopped(None)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Resolves with the fatal error that stopped the store; never without one.
    pub async fn failed(&self) -> StoreError {
        let mut failure = self.0.failure.subscribe();
        match failure.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(error)) => error.clone(),
            // The sender lives as long as this handle.
            _ => std::future::pending().await,
        }
    }

    pub(crate) fn send(&self, message: Message) -> Result<(), StoreError> {
        self.0.worker.send(message).map_err(|_| self.stopped())
    }

    pub(crate) fn alive(&self) -> Result<(), StoreError> {
        if self.0.failure.borrow().is_some() { Err(self.stopped()) } else { Ok(()) }
    }

    pub(crate) fn stopped(&self) -> StoreError {
        StoreError::Stopped(self.0.failure.borrow().clone().map(Arc::new))
    }

    /// Keeps the first fatal error, so that nothing goes on after it.
    pub(crate) fn fatal(&self, error: StoreError) -> StoreError {
        self.0.failure.send_if_modified(|failure| {
            let first = failure.is_none();
            if first {
                *failure = Some(error.clone());
            }
            first
        });
        error
    }
}

/// Opens the commitment where the ledger stands. One that is lost or damaged is built again; the answer says whether.
async fn open_commitment<E>(
    context: &E,
    config: &QmdbConfig,
    mark: Mark,
    ledger: &Ledger,
    executor: &Executor,
) -> Result<(Qmdb<E>, bool), StoreError>
where
    E: commonware_storage::Context + Spawner,
{
    let reader = ledger.reader()?;
    let head = reader.block(mark.number)?;
    let (number, hash, header) = (mark.number, head.block.hash(), head.block.header().state_root);
    let reason = match Qmdb::open(context.child("commitment"), config, mark.position).await {
        Ok(commitment) if commitment.root() == header => return Ok((commitment, false)),
        Ok(commitment) => StoreError::RootMismatch { number, hash, header, computed: commitment.root() },
        Err(error @ StoreError::Corrupt { .. }) => error,
        Err(error) => return Err(error),
    };
    warn!(%reason, blocks = number, "the state commitment is lost or damaged; it is built again from the blocks");
    let mut commitment = Qmdb::create(context.child("rebuilt"), config).await?;
    rebuild(&mut commitment, &reader, executor).await?;
    if commitment.position() != mark.position {
        let detail = format!("it has position {}, the ledger says {}", commitment.position(), mark.position);
        return Err(StoreError::Corrupt { what: "the state commitment".into(), detail });
    }
    info!(blocks = number, "the state commitment is complete again");
    Ok((commitment, true))
}

/// The commitment first, so that the ledger never names a position that is not durable.
async fn write_genesis<C: Commitment>(
    commitment: &mut C,
    ledger: &Ledger,
    fingerprint: B256,
    executor: &Executor,
) -> Result<(), StoreError> {
    let changes = genesis_changes(executor)?;
    add(commitment, &changes).await?;
    commitment.sync().await?.await?;
    let block = executor.genesis_block(commitment.root());
    let sealed = Sealed { block, senders: Vec::new(), receipts: Vec::new() };
    ledger.create(fingerprint, Record { sealed: &sealed, changes: &changes }, commitment.position())
}
