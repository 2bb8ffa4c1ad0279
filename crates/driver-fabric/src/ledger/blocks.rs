//! Blocks as the peers give them, and those that were read lately: blocks are final, and lists page through them.

use std::sync::Arc;

use driver::{BlockId, Error, Result};
use fabric_client::block;
use fabric_client::proto::common;
use futures::{StreamExt as _, TryStreamExt as _};
use lru::LruCache;
use parking_lot::Mutex;
use prost::Message as _;

use crate::ledger::FabricLedger;
use crate::ledger::errors::error;

/// Blocks that are asked for at a time.
const AT_ONCE: usize = 8;
/// Bytes of blocks that are kept, as they are on the wire.
const KEPT: usize = 16 * 1024 * 1024;

/// A block that was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) block: block::Block,
    /// Its length in bytes.
    pub(crate) size: usize,
}

/// Blocks that were read lately.
pub(crate) struct Blocks(Mutex<(LruCache<u64, Arc<Read>>, usize)>);

impl Default for Blocks {
    fn default() -> Self {
        Self(Mutex::new((LruCache::unbounded(), 0)))
    }
}

impl Blocks {
    fn get(&self, number: u64) -> Option<Arc<Read>> {
        self.0.lock().0.get(&number).cloned()
    }

    fn keep(&self, read: &Arc<Read>) {
        let (blocks, bytes) = &mut *self.0.lock();
        *bytes += read.size;
        if let Some((_, before)) = blocks.push(read.block.number, read.clone()) {
            *bytes -= before.size;
        }
        while *bytes > KEPT
            && let Some((_, oldest)) = blocks.pop_lru()
        {
            *bytes -= oldest.size;
        }
    }
}

impl FabricLedger {
    /// The height of the channel: how many blocks it has.
    pub(crate) async fn height(&self) -> Result<u64> {
        let head = |access: super::clients::Access| async move {
            access.clients.gateway.peer().chain_head(&access.identity, &access.channel).await
        };
        Ok(self.clients.ask(&self.channel, None, head).await?.height)
    }

    /// A block; none when no peer that answers has it.
    pub(crate) async fn read_block(&self, id: &BlockId) -> Result<Option<Arc<Read>>> {
        let number = match id {
            BlockId::Latest => self.height().await?.saturating_sub(1),
            BlockId::Number(number) => *number,
            BlockId::Hash(hash) => {
                let Ok(hash) = hex::decode(hash.trim_start_matches("0x")) else { return Ok(None) };
                let found = |access: super::clients::Access| {
                    let hash = hash.clone();
                    async move {
                        let peer = access.clients.gateway.peer();
                        peer.block_by_hash(&access.identity, &access.channel, &hash).await
                    }
                };
                return self.clients.find(&self.channel, found).await?.map(|raw| self.kept(&raw)).transpose();
            }
        };
        if let Some(known) = self.blocks.get(number) {
            return Ok(Some(known));
        }
        let found = |access: super::clients::Access| async move {
            access.clients.gateway.peer().block(&access.identity, &access.channel, number).await
        };
        self.clients.find(&self.channel, found).await?.map(|raw| self.kept(&raw)).transpose()
    }

    /// The block that a transaction is in; none when no peer that answers has it.
    pub(crate) async fn block_of(&self, id: &str) -> Result<Option<Arc<Read>>> {
        let found = |access: super::clients::Access| async move {
            access.clients.gateway.peer().block_of(&access.identity, &access.channel, id).await
        };
        self.clients.find(&self.channel, found).await?.map(|raw| self.kept(&raw)).transpose()
    }

    /// Blocks by their numbers, in the order given.
    pub(crate) async fn read_blocks(&self, numbers: impl Iterator<Item = u64>) -> Result<Vec<Arc<Read>>> {
        // Collected before it is polled: a stream that borrows its iterator's closure is not general enough to be sent.
        let reads: Vec<_> = numbers.map(|number| self.one(number)).collect();
        futures::stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }

    async fn one(&self, number: u64) -> Result<Arc<Read>> {
        let found = self.read_block(&BlockId::Number(number)).await?;
        found.ok_or_else(|| Error::Protocol(format!("block {number} of channel {} is not there", self.channel)))
    }

    fn kept(&self, raw: &common::Block) -> Result<Arc<Read>> {
        let read = Arc::new(Read { block: block::read(raw).map_err(error)?, size: raw.encoded_len() });
        self.blocks.keep(&read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_by_bytes() {
        let blocks = Blocks::default();
        let read = |number: u64, size: usize| {
            let header = common::BlockHeader { number, ..Default::default() };
            let raw = common::Block { header: Some(header), data: Some(common::BlockData::default()), metadata: None };
            Arc::new(Read { block: block::read(&raw).expect("a block"), size })
        };
        for number in 0..5 {
            blocks.keep(&read(number, KEPT / 3));
        }
        assert!(blocks.get(1).is_none() && blocks.get(2).is_some() && blocks.get(4).is_some());
        blocks.keep(&read(4, 1));
        blocks.keep(&read(5, KEPT / 3));
        assert!(blocks.get(2).is_some(), "what replaces another counts once");
        blocks.keep(&read(9, KEPT * 2));
        assert!(blocks.0.lock().0.is_empty(), "one that is too large is not kept");
        assert_eq!(blocks.0.lock().1, 0);
    }
}
