//! Finding logs by address and topics.
//!
//! The index says which blocks may have a match: for each position that the filter names, the blocks with one of its
//! values, and of those the blocks that all positions share. Only these are read; the logs in them decide.

use std::sync::Arc;

use alloy_primitives::{Address, B256, BloomInput, Log};

use crate::{
    Sealed, StoreError,
    ledger::{Reader, log_tag},
};

/// A log with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The block's hash.
    pub block_hash: B256,
    /// The block's number.
    pub block_number: u64,
    /// The block's time, in seconds since 1970.
    pub block_timestamp: u64,
    /// The transaction's hash.
    pub transaction_hash: B256,
    /// The transaction's index in the block.
    pub transaction_index: u64,
    /// The log's index in the block.
    pub log_index: u64,
    /// The log.
    pub log: Log,
}

/// Addresses (any when empty) and topics (any where empty).
pub(crate) struct Filter<'a> {
    pub(crate) addresses: &'a [Address],
    pub(crate) topics: &'a [Vec<B256>; 4],
}

impl Filter<'_> {
    fn matches(&self, log: &Log) -> bool {
        (self.addresses.is_empty() || self.addresses.contains(&log.address))
            && self.topics.iter().enumerate().all(|(place, wanted)| {
                wanted.is_empty() || log.data.topics().get(place).is_some_and(|topic| wanted.contains(topic))
            })
    }

    /// Whether a block with this header may have a match.
    fn may_match(&self, sealed: &Sealed) -> bool {
        let bloom = &sealed.block.header().logs_bloom;
        let has = |raw: &[u8]| bloom.contains_input(BloomInput::Raw(raw));
        (self.addresses.is_empty() || self.addresses.iter().any(|address| has(address.as_slice())))
            && self.topics.iter().all(|wanted| wanted.is_empty() || wanted.iter().any(|topic| has(topic.as_slice())))
    }

    /// Appends the block's matches.
    pub(crate) fn collect(&self, sealed: &Sealed, limit: usize, found: &mut Vec<LogEntry>) -> Result<(), StoreError> {
        if !self.may_match(sealed) {
            return Ok(());
        }
        let header = sealed.block.header();
        let mut log_index = 0;
        for (transaction_index, (transaction, receipt)) in
            sealed.block.transactions().iter().zip(&sealed.receipts).enumerate()
        {
            for log in receipt.logs() {
                if self.matches(log) {
                    if found.len() == limit {
                        return Err(StoreError::TooManyLogs { limit });
                    }
                    found.push(LogEntry {
                        block_hash: sealed.block.hash(),
                        block_number: header.number,
                        block_timestamp: header.timestamp,
                        transaction_hash: *transaction.tx_hash(),
                        transaction_index: transaction_index as u64,
                        log_index,
                        log: log.clone(),
                    });
                }
                log_index += 1;
            }
        }
        Ok(())
    }

    /// The tags of each position that the filter names: one of each must be in a block.
    fn tags(&self) -> Vec<Vec<[u8; 8]>> {
        let addresses = self.addresses.iter().map(|address| log_tag(0, address.as_slice())).collect();
        let topics = (1..)
            .zip(self.topics)
            .map(|(place, wanted)| wanted.iter().map(|topic| log_tag(place, topic.as_slice())).collect());
        std::iter::once(addresses).chain(topics).filter(|tags: &Vec<_>| !tags.is_empty()).collect()
    }
}

/// The ledger's blocks that may have a match, in ascending order.
pub(crate) struct Blocks {
    reader: Arc<Reader>,
    positions: Vec<Vec<Cursor>>,
    next: u64,
    to: u64,
}

/// Where the index stands for one tag: its first block at or above the last one that was asked for.
struct Cursor {
    tag: [u8; 8],
    asked: Option<u64>,
    block: Option<u64>,
}

impl Blocks {
    pub(crate) fn new(reader: Arc<Reader>, filter: &Filter<'_>, from: u64, to: u64) -> Self {
        let cursor = |tag| Cursor { tag, asked: None, block: None };
        let positions = filter.tags().into_iter().map(|tags| tags.into_iter().map(cursor).collect()).collect();
        let to = to.min(reader.height);
        Self { reader, positions, next: from, to }
    }

    /// The next block, `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<u64>, StoreError> {
        // Each position leaps to its first block at or above the others'; when none moves, all have the block.
        let mut at = self.next;
        'leap: while at <= self.to {
            for cursors in &mut self.positions {
                let mut first = None;
                for cursor in cursors {
                    let block = cursor.seek(&self.reader, at, self.to)?;
                    first = [first, block].into_iter().flatten().min();
                }
                match first {
                    None => return Ok(None),
                    Some(block) if block > at => {
                        at = block;
                        continue 'leap;
                    }
                    Some(_) => {}
                }
            }
            self.next = at + 1;
            return Ok(Some(at));
        }
        Ok(None)
    }
}

impl Cursor {
    fn seek(&mut self, reader: &Reader, at: u64, to: u64) -> Result<Option<u64>, StoreError> {
        let known = self.asked.is_some_and(|asked| asked <= at) && self.block.is_none_or(|block| block >= at);
        if !known {
            self.block = reader.tagged(self.tag, at, to)?;
            self.asked = Some(at);
        }
        Ok(self.block)
    }
}
