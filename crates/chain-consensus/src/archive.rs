//! Where marshal keeps finalised blocks and their certificates.
//!
//! The newest are in archives that are fast to sync and hold an index in memory. A chain has no end, so what is old
//! leaves them: blocks are in the chain's ledger anyway and are read from there; certificates move to an archive that
//! keeps its index on disk. Nothing is lost: a peer can ask for any block with its certificate.

use std::sync::Arc;

use alloy_primitives::B256;
use chain_store::{Chain, StoreError};
use chain_types::Block;
use commonware_consensus::{Heightable as _, marshal::store, simplex::types::Finalization, types::Height};
use commonware_cryptography::certificate::Verifier as _;
use commonware_runtime::{Handle, buffer::paged::CacheRef};
use commonware_storage::{
    archive::{self, Archive, Identifier, immutable, prunable},
    translator::EightCap,
};
use commonware_utils::{NZU64, NZUsize};

use crate::{Digest, Environment, Error, Scheme};

/// Blocks between two removals of what is old; a whole section goes at once.
pub(crate) const SECTION: u64 = 512;
/// Blocks that stay at least; more than may be unacknowledged.
pub(crate) const RETAINED: u64 = 2 * SECTION;

type Recent<E, V> = prunable::Archive<EightCap, E, Digest, V>;
type Certificate = Finalization<Scheme, Digest>;

/// An archive failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("storage: {0}")]
    Archive(#[from] archive::Error),
    #[error(transparent)]
    Chain(#[from] StoreError),
}

/// Finalised blocks by height and hash.
pub(crate) struct Blocks<E: Environment> {
    recent: Recent<E, Arc<Block>>,
    chain: Chain,
}

/// Certificates of finalised blocks by height and block hash.
pub(crate) struct Certificates<E: Environment> {
    recent: Recent<E, Certificate>,
    old: immutable::Archive<E, Digest, Certificate>,
}

/// Names and caches of the archives.
pub(crate) struct Archives {
    pub(crate) prefix: String,
    pub(crate) page_cache: CacheRef,
}

impl Archives {
    pub(crate) async fn blocks<E: Environment>(&self, context: E, chain: Chain) -> Result<Blocks<E>, Error> {
        let recent = prunable::Archive::init(context, self.recent("blocks", ())).await;
        Ok(Blocks { recent: recent.map_err(|error| opening("the archive of blocks", &error))?, chain })
    }

    pub(crate) async fn certificates<E: Environment>(&self, context: E) -> Result<Certificates<E>, Error> {
        let codec = Scheme::certificate_codec_config_unbounded();
        let recent = prunable::Archive::init(context.child("recent"), self.recent("certificates", codec)).await;
        let old = immutable::Archive::init(context.child("old"), self.old("old-certificates", codec)).await;
        Ok(Certificates {
            recent: recent.map_err(|error| opening("the archive of certificates", &error))?,
            old: old.map_err(|error| opening("the archive of old certificates", &error))?,
        })
    }

    fn partition(&self, name: &str, part: &str) -> String {
        format!("{}-{name}-{part}", self.prefix)
    }

    fn recent<C>(&self, name: &str, codec_config: C) -> prunable::Config<EightCap, C> {
        prunable::Config {
            translator: EightCap,
            metadata_partition: self.partition(name, "metadata"),
            key_partition: self.partition(name, "keys"),
            key_page_cache: self.page_cache.clone(),
            value_partition: self.partition(name, "values"),
            compression: None,
            codec_config,
            items_per_section: NZU64!(SECTION),
            key_write_buffer: NZUsize!(64 * 1024),
            value_write_buffer: NZUsize!(256 * 1024),
            replay_buffer: NZUsize!(256 * 1024),
        }
    }

    fn old<C>(&self, name: &str, codec_config: C) -> immutable::Config<C> {
        immutable::Config {
            metadata_partition: self.partition(name, "metadata"),
            freezer_table_partition: self.partition(name, "table"),
            freezer_table_initial_size: 1024,
            freezer_table_resize_frequency: 4,
            freezer_table_resize_chunk_size: 4096,
            freezer_key_partition: self.partition(name, "keys"),
            freezer_key_page_cache: self.page_cache.clone(),
            freezer_value_partition: self.partition(name, "values"),
            freezer_value_target_size: 64 * 1024 * 1024,
            freezer_value_compression: None,
            ordinal_partition: self.partition(name, "ordinal"),
            items_per_section: NZU64!(65_536),
            freezer_key_write_buffer: NZUsize!(64 * 1024),
            freezer_value_write_buffer: NZUsize!(64 * 1024),
            ordinal_write_buffer: NZUsize!(64 * 1024),
            replay_buffer: NZUsize!(64 * 1024),
            codec_config,
        }
    }
}

fn opening(what: &'static str, error: &archive::Error) -> Error {
    Error::Storage { what, detail: error.to_string() }
}

impl<E: Environment> Blocks<E> {
    /// The ledger has every block up to this one.
    fn ledger(&self) -> u64 {
        self.chain.durable_height()
    }
}

impl<E: Environment> store::Blocks for Blocks<E> {
    type Block = Arc<Block>;
    type Error = ArchiveError;

    async fn put(mut self, digest: Digest, block: &Arc<Block>) -> Result<Self, ArchiveError> {
        if block.height().get() > self.ledger() {
            self.recent = Archive::put(self.recent, block.height().get(), digest, block).await?;
        }
        Ok(self)
    }

    async fn sync(mut self) -> Result<Self, ArchiveError> {
        self.recent = Archive::sync(self.recent).await?;
        Ok(self)
    }

    async fn start_sync(mut self) -> Result<(Self, Handle<()>), ArchiveError> {
        let (recent, handle) = Archive::start_sync(self.recent).await?;
        self.recent = recent;
        Ok((self, handle))
    }

    async fn get(&self, id: Identifier<'_, Digest>) -> Result<Option<Arc<Block>>, ArchiveError> {
        let sealed = match id {
            Identifier::Index(height) => match Archive::get(&self.recent, Identifier::Index(height)).await? {
                Some(block) => return Ok(Some(block)),
                None if height <= self.ledger() => self.chain.sealed_by_number(height)?,
                None => None,
            },
            Identifier::Key(digest) => match Archive::get(&self.recent, Identifier::Key(digest)).await? {
                Some(block) => return Ok(Some(block)),
                None => self.chain.sealed_by_hash(&B256::from_slice(digest.as_ref()))?,
            },
        };
        // A block that is final and not in the ledger yet is in the archive: what marshal hears of is on disk.
        let durable = sealed.filter(|sealed| sealed.block.number() <= self.ledger());
        Ok(durable.map(|sealed| Arc::new(sealed.block.clone())))
    }

    async fn prune(mut self, min: Height) -> Result<Self, ArchiveError> {
        let min = min.get().min(self.ledger() + 1);
        self.recent = self.recent.prune(min).await?;
        Ok(self)
    }

    fn missing_items(&self, start: Height, max: usize) -> Vec<Height> {
        let start = start.get().max(self.ledger() + 1);
        Archive::missing_items(&self.recent, start, max).into_iter().map(Height::new).collect()
    }

    fn next_gap(&self, value: Height) -> (Option<Height>, Option<Height>) {
        let ledger = self.ledger();
        let (end, next) = if value.get() <= ledger {
            let end = Archive::next_gap(&self.recent, ledger + 1).0.unwrap_or(ledger);
            (Some(end), Archive::next_gap(&self.recent, end).1)
        } else {
            Archive::next_gap(&self.recent, value.get())
        };
        (end.map(Height::new), next.map(Height::new))
    }

    fn last_index(&self) -> Option<Height> {
        Some(Height::new(Archive::last_index(&self.recent).unwrap_or(0).max(self.ledger())))
    }
}

impl<E: Environment> Certificates<E> {
    /// Copies what is below `min` to the archive of old certificates.
    async fn age(mut self, min: u64) -> Result<Self, ArchiveError> {
        let from = Archive::last_index(&self.old).map_or(0, |newest| newest + 1);
        let ranges: Vec<_> = Archive::ranges_from(&self.recent, from).take_while(|(start, _)| *start < min).collect();
        for height in ranges.into_iter().flat_map(|(start, end)| start.max(from)..=end.min(min.saturating_sub(1))) {
            if let Some(certificate) = Archive::get(&self.recent, Identifier::Index(height)).await? {
                self.old = Archive::put(self.old, height, certificate.proposal.payload, &certificate).await?;
            }
        }
        self.old = Archive::sync(self.old).await?;
        Ok(self)
    }
}

impl<E: Environment> store::Certificates for Certificates<E> {
    type BlockDigest = Digest;
    type Commitment = Digest;
    type Scheme = Scheme;
    type Error = ArchiveError;

    async fn put(mut self, height: Height, digest: Digest, certificate: &Certificate) -> Result<Self, ArchiveError> {
        if Archive::last_index(&self.old).is_none_or(|newest| height.get() > newest) {
            self.recent = Archive::put(self.recent, height.get(), digest, certificate).await?;
        }
        Ok(self)
    }

    async fn sync(mut self) -> Result<Self, ArchiveError> {
        self.recent = Archive::sync(self.recent).await?;
        Ok(self)
    }

    async fn start_sync(mut self) -> Result<(Self, Handle<()>), ArchiveError> {
        let (recent, handle) = Archive::start_sync(self.recent).await?;
        self.recent = recent;
        Ok((self, handle))
    }

    async fn get(&self, id: Identifier<'_, Digest>) -> Result<Option<Certificate>, ArchiveError> {
        let (recent, old) = match id {
            Identifier::Index(height) => (Identifier::Index(height), Identifier::Index(height)),
            Identifier::Key(digest) => (Identifier::Key(digest), Identifier::Key(digest)),
        };
        match Archive::get(&self.recent, recent).await? {
            Some(certificate) => Ok(Some(certificate)),
            None => Ok(Archive::get(&self.old, old).await?),
        }
    }

    async fn has(&self, height: Height) -> Result<bool, ArchiveError> {
        let height = height.get();
        Ok(Archive::has(&self.recent, Identifier::Index(height)).await?
            || Archive::has(&self.old, Identifier::Index(height)).await?)
    }

    async fn prune(mut self, min: Height) -> Result<Self, ArchiveError> {
        self = self.age(min.get()).await?;
        self.recent = self.recent.prune(min.get()).await?;
        Ok(self)
    }

    fn last_index(&self) -> Option<Height> {
        Archive::last_index(&self.recent).max(Archive::last_index(&self.old)).map(Height::new)
    }

    fn ranges_from(&self, from: Height) -> impl Iterator<Item = (Height, Height)> {
        let mut ranges: Vec<_> =
            Archive::ranges_from(&self.old, from.get()).chain(Archive::ranges_from(&self.recent, from.get())).collect();
        ranges.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (start, end) in ranges {
            match merged.last_mut() {
                Some(last) if start <= last.1.saturating_add(1) => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged.into_iter().map(|(start, end)| (Height::new(start), Height::new(end)))
    }
}
