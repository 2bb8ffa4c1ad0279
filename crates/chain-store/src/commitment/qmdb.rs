//! QMDB as the state commitment: an authenticated log of operations with an index in memory.
//!
//! The floor below which operations are obsolete moves by QMDB's `Proportional` policy, which depends on the batches
//! alone, so that nodes agree on roots whatever each of them has synced, pruned, or speculated on in between.
//! QMDB is an ALPHA part of its library: the version is pinned and nothing outside this file names it.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
};

use alloy_primitives::B256;
use commonware_cryptography::{Sha256, sha256::Digest};
use commonware_parallel::Sequential;
use commonware_runtime::{
    BLOB_PAGE_SIZE, Error as RuntimeError, Spawner,
    buffer::paged::{CacheRef, page_size},
};
use commonware_storage::{
    Context,
    journal::contiguous::fixed::Config as JournalConfig,
    merkle::{Location, full::Config as MerkleConfig, mmr::Family},
    qmdb::{
        Error,
        any::{FixedConfig, batch::MerkleizedBatch, unordered::Update, unordered::fixed::Db, value::FixedEncoding},
        floor::Proportional,
    },
    translator::EightCap,
};
use commonware_utils::{NZU64, NZUsize};
use futures::future::BoxFuture;

use super::{Commitment, Entry, StageError};
use crate::StoreError;

type Database<E> = Db<Family, E, Digest, Digest, Sha256, EightCap, Sequential>;
type Batch = MerkleizedBatch<Family, Digest, Update<Digest, FixedEncoding<Digest>>, Sequential>;

/// Operations in one file of the log; also the grain in which obsolete ones are removed.
const OPERATIONS_PER_FILE: NonZeroU64 = NZU64!(128 * 1024);
const WRITE_BUFFER: NonZeroUsize = NZUsize!(256 * 1024);
const REPLAY_BUFFER: NonZeroUsize = NZUsize!(1024 * 1024);

/// How to open [`Qmdb`].
#[derive(Clone, Debug)]
pub struct QmdbConfig {
    /// Begins the name of each storage partition.
    pub partition_prefix: String,
    /// Memory for pages of the log, in bytes; allocated at once.
    pub cache_bytes: usize,
    /// Operations in one file of the log. It belongs to the format: the same at every opening.
    pub operations_per_file: NonZeroU64,
}

impl QmdbConfig {
    /// The usual settings.
    pub fn new(partition_prefix: &str, cache_bytes: usize) -> Self {
        Self { partition_prefix: partition_prefix.into(), cache_bytes, operations_per_file: OPERATIONS_PER_FILE }
    }

    fn database(&self) -> FixedConfig<EightCap, Sequential> {
        let pages = NonZeroUsize::new(self.cache_bytes / BLOB_PAGE_SIZE as usize).unwrap_or(NonZeroUsize::MIN);
        let page_cache = CacheRef::new(page_size(BLOB_PAGE_SIZE), pages);
        let prefix = &self.partition_prefix;
        FixedConfig {
            merkle_config: MerkleConfig {
                journal_partition: format!("{prefix}-state-nodes"),
                metadata_partition: format!("{prefix}-state-pruned"),
                items_per_blob: self.operations_per_file,
                write_buffer: WRITE_BUFFER,
                replay_buffer: REPLAY_BUFFER,
                strategy: Sequential,
                page_cache: page_cache.clone(),
            },
            journal_config: JournalConfig {
                partition: format!("{prefix}-state-log"),
                items_per_blob: self.operations_per_file,
                page_cache,
                write_buffer: WRITE_BUFFER,
                replay_buffer: REPLAY_BUFFER,
            },
            translator: EightCap,
            init_cache: None,
            init_buffer: REPLAY_BUFFER,
            init_concurrency: (),
        }
    }
}

/// The commitment of one chain, in partitions of the runtime's storage.
pub struct Qmdb<E: Context + Spawner> {
    /// Absent only after an operation failed: QMDB gives itself up then.
    database: Option<Database<E>>,
    operations_per_file: NonZeroU64,
    released: u64,
}

/// A batch, shared with those that build on it.
#[derive(Clone)]
pub struct Staged(Arc<Batch>);

impl<E: Context + Spawner> Qmdb<E> {
    /// Opens an empty commitment; whatever an interrupted first start left behind is removed.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn create(context: E, config: &QmdbConfig) -> Result<Self, StoreError> {
        Self::remove(&context, config).await?;
        Self::open(context, config, 1).await
    }

    /// Opens the commitment and takes it back to a position that it had.
    ///
    /// # Errors
    /// When the storage fails, or the position is not there.
    pub async fn open(context: E, config: &QmdbConfig, position: u64) -> Result<Self, StoreError> {
        let database = Database::init(context, config.database(), Some(Location::new(position))).await.map_err(
            |error| match is_io(&error) {
                true => StoreError::storage("opening the state commitment", error),
                false => StoreError::Corrupt { what: "the state commitment".into(), detail: error.to_string() },
            },
        )?;
        let bounds = database.bounds();
        if *bounds.end != position {
            return Err(StoreError::Corrupt {
                what: "the state commitment".into(),
                detail: format!("it ends at operation {}, the ledger is at operation {position}", *bounds.end),
            });
        }
        Ok(Self { released: *bounds.start, database: Some(database), operations_per_file: config.operations_per_file })
    }

    /// Removes the commitment's files, whatever is in them.
    ///
    /// # Errors
    /// When they cannot be removed.
    async fn remove(context: &E, config: &QmdbConfig) -> Result<(), StoreError> {
        let journals =
            ["nodes", "log"].into_iter().flat_map(|name| ["", "-blobs", "-metadata"].map(|part| (name, part)));
        for (name, part) in journals.chain([("pruned", "")]) {
            let partition = format!("{}-state-{name}{part}", config.partition_prefix);
            match context.remove(&partition, None).await {
                Ok(()) | Err(RuntimeError::PartitionMissing(_)) => {}
                Err(error) => return Err(StoreError::storage("removing the state commitment", error)),
            }
        }
        Ok(())
    }

    /// Operations that are still stored.
    pub fn stored_operations(&self) -> u64 {
        self.database.as_ref().map_or(0, |database| {
            let bounds = database.bounds();
            *bounds.end - *bounds.start
        })
    }

    fn database(&self) -> Result<&Database<E>, StoreError> {
        self.database.as_ref().ok_or(StoreError::Stopped(None))
    }

    fn take(&mut self) -> Result<Database<E>, StoreError> {
        self.database.take().ok_or(StoreError::Stopped(None))
    }
}

impl<E: Context + Spawner> Commitment for Qmdb<E> {
    type Staged = Staged;

    fn root(&self) -> B256 {
        self.database.as_ref().map_or(B256::ZERO, |database| B256::from(database.root().0))
    }

    fn position(&self) -> u64 {
        self.database.as_ref().map_or(0, |database| *database.bounds().end)
    }

    async fn stage(&mut self, parent: Option<&Staged>, entries: Vec<Entry>) -> Result<(Staged, B256), StageError> {
        let database = self.database()?;
        let mut batch = match parent {
            Some(parent) => parent.0.new_batch::<Sha256>(),
            None => database.new_batch(),
        };
        for (key, value) in entries {
            batch = batch.write(Digest::from(key.0), value.map(|value| Digest::from(value.0)));
        }
        match batch.merkleize(database, None, &mut Proportional).await {
            Ok(batch) => {
                let root = B256::from(batch.root().0);
                Ok((Staged(batch), root))
            }
            Err(Error::StaleBatch | Error::StaleRead) => Err(StageError::Stale),
            Err(error) => Err(failed("computing a state root", error).into()),
        }
    }

    async fn apply(&mut self, staged: Staged) -> Result<(), StoreError> {
        let database = self.take()?;
        let applied =
            database.apply_batch(staged.0).await.map_err(|error| failed("writing the state commitment", error))?;
        self.database = Some(applied);
        Ok(())
    }

    async fn sync(&mut self) -> Result<BoxFuture<'static, Result<(), StoreError>>, StoreError> {
        let what = "syncing the state commitment";
        let database = self.take()?;
        let (database, synced) = database.start_sync().await.map_err(|error| failed(what, error))?;
        self.database = Some(database);
        Ok(Box::pin(async move { synced.await.map_err(|error| StoreError::storage(what, error)) }))
    }

    fn obsolete(&self) -> u64 {
        self.database.as_ref().map_or(0, |database| *database.sync_boundary())
    }

    async fn release(&mut self, obsolete: u64) -> Result<(), StoreError> {
        // Whole files only: less would remove nothing.
        if obsolete < self.released + self.operations_per_file.get() {
            return Ok(());
        }
        let database = self.take()?;
        let database = database
            .prune(Location::new(obsolete))
            .await
            .map_err(|error| failed("pruning the state commitment", error))?;
        self.released = *database.bounds().start;
        self.database = Some(database);
        Ok(())
    }
}

/// Whether the system below the files failed, rather than what is in them.
fn is_io(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<RuntimeError>() {
        return !matches!(
            error,
            RuntimeError::PartitionMissing(_)
                | RuntimeError::PartitionCorrupt(_)
                | RuntimeError::BlobMissing(..)
                | RuntimeError::BlobInsufficientLength
                | RuntimeError::BlobCorrupt(..)
                | RuntimeError::BlobLayoutMismatch { .. }
                | RuntimeError::BlobVersionMismatch { .. }
                | RuntimeError::InvalidChecksum
                | RuntimeError::OffsetOverflow
        );
    }
    error.source().is_some_and(is_io)
}

fn failed(what: &'static str, error: Error<Family>) -> StoreError {
    match error {
        Error::DataCorrupted(_) | Error::UnexpectedData(_) | Error::HistoricalFloorPruned(_) => {
            StoreError::Corrupt { what: "the state commitment".into(), detail: error.to_string() }
        }
        error => StoreError::storage(what, error),
    }
}
