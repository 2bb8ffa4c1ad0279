//! Executed blocks that are not on disk yet: the finalised ones on their way there, and the tree of candidates above.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use alloy_primitives::{Address, B256};
use chain_types::{Block, ReceiptEnvelope};

use crate::{StoreError, changes::Changes, ledger::Reader, state::View};

/// A block with its senders and receipts, one of each for each transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The block.
    pub block: Block,
    /// Who signed each transaction.
    pub senders: Vec<Address>,
    /// What each transaction did.
    pub receipts: Vec<ReceiptEnvelope>,
}

/// A block that was executed here: the newest finalised one, or one that is not final.
#[derive(Debug)]
pub struct Candidate {
    /// The block and its receipts.
    pub sealed: Arc<Sealed>,
    pub(crate) changes: Arc<Changes>,
    /// Its batch in the commitment.
    pub(crate) staged: StagedId,
}

impl Candidate {
    /// The block.
    pub fn block(&self) -> &Block {
        &self.sealed.block
    }

    fn number(&self) -> u64 {
        self.sealed.block.number()
    }
}

/// Names a batch of the commitment between the store and its worker. 0 is what the commitment was opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StagedId(pub(crate) u64);

/// Executed blocks in memory that are not final, at most: far more than ever are under way.
const CANDIDATES: usize = 128;

/// Invariants: `candidates` has the head; `queued` has the finalised blocks above `reader.height`, in order, the last
/// one being the head unless it is empty; every candidate's ancestors down to the head are candidates.
pub(crate) struct Tree {
    candidates: HashMap<B256, Arc<Candidate>>,
    queued: VecDeque<Arc<Candidate>>,
    /// Transactions of `queued`: the block's number and the index.
    transactions: HashMap<B256, (u64, usize)>,
    reader: Arc<Reader>,
    head: Arc<Candidate>,
}

impl Tree {
    pub(crate) fn new(reader: Arc<Reader>, head: Candidate) -> Self {
        let head = Arc::new(head);
        Self {
            candidates: HashMap::from([(head.sealed.block.hash(), head.clone())]),
            queued: VecDeque::new(),
            transactions: HashMap::new(),
            reader,
            head,
        }
    }

    pub(crate) fn head(&self) -> &Arc<Candidate> {
        &self.head
    }

    pub(crate) fn reader(&self) -> &Arc<Reader> {
        &self.reader
    }

    pub(crate) fn candidate(&self, hash: &B256) -> Option<&Arc<Candidate>> {
        self.candidates.get(hash)
    }

    /// Finalised blocks that are not in the ledger, from `from` on.
    pub(crate) fn queued_from(&self, from: u64) -> impl Iterator<Item = &Arc<Candidate>> {
        let skip = from.saturating_sub(self.reader.height + 1);
        self.queued.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX))
    }

    /// A finalised block that is not in the ledger, or the head.
    pub(crate) fn finalized(&self, number: u64) -> Option<&Arc<Candidate>> {
        if number == self.head.number() {
            return Some(&self.head);
        }
        let index = number.checked_sub(self.reader.height + 1)?;
        self.queued.get(usize::try_from(index).ok()?)
    }

    /// Where a transaction of a finalised block that is not in the ledger stands.
    pub(crate) fn transaction(&self, hash: &B256) -> Option<(u64, usize)> {
        self.transactions.get(hash).copied()
    }

    /// The state after a candidate, or `None` when its ancestors are gone.
    pub(crate) fn view(&self, candidate: &Arc<Candidate>) -> Option<View> {
        let mut overlays = Vec::new();
        let mut at = candidate.clone();
        while at.number() > self.reader.height {
            let parent = at.sealed.block.header().parent_hash;
            let below = at.number() - 1;
            overlays.push(at.clone());
            if below <= self.reader.height {
                break;
            }
            at = match self.finalized(below) {
                Some(finalized) if finalized.sealed.block.hash() == parent => finalized.clone(),
                _ => self.candidates.get(&parent)?.clone(),
            };
        }
        let height = overlays.last().map_or(candidate.number(), |lowest| lowest.number() - 1);
        Some(View { overlays, reader: self.reader.clone(), height })
    }

    /// The state after a finalised block.
    pub(crate) fn view_at(&self, number: u64) -> Result<View, StoreError> {
        let head = self.head.number();
        if number > head {
            return Err(StoreError::UnknownBlock { number, head });
        }
        let overlays = self.queued.iter().filter(|candidate| candidate.number() <= number).rev().cloned().collect();
        Ok(View { overlays, reader: self.reader.clone(), height: number.min(self.reader.height) })
    }

    /// Adds an executed block; the one that is there already wins. `None` when its parent is not there any more. Also
    /// the batches of candidates that had to go: leaders whose blocks never become final could fill the memory.
    pub(crate) fn insert(&mut self, candidate: Candidate) -> (Option<Arc<Candidate>>, Vec<StagedId>) {
        let block = &candidate.sealed.block;
        if let Some(known) = self.candidates.get(&block.hash()) {
            return (Some(known.clone()), Vec::new());
        }
        if !self.candidates.contains_key(&block.header().parent_hash) {
            return (None, Vec::new());
        }
        let hash = block.hash();
        let candidate = Arc::new(candidate);
        self.candidates.insert(hash, candidate.clone());
        let forgotten = if self.candidates.len() > CANDIDATES { self.forget_others(&candidate) } else { Vec::new() };
        (Some(candidate), forgotten)
    }

    /// Leaves only a candidate and its ancestors; what is forgotten is executed again when it is needed.
    fn forget_others(&mut self, candidate: &Arc<Candidate>) -> Vec<StagedId> {
        let mut kept = HashSet::from([self.head.sealed.block.hash()]);
        let mut at = Some(candidate);
        while let Some(ancestor) = at.filter(|ancestor| kept.insert(ancestor.sealed.block.hash())) {
            at = self.candidates.get(&ancestor.sealed.block.header().parent_hash);
        }
        self.candidates.extract_if(|hash, _| !kept.contains(hash)).map(|(_, forgotten)| forgotten.staged).collect()
    }

    /// Makes a child of the head the head, and forgets the forks that do not have it. `false`, and nothing is done,
    /// when it is no child of the head or was forgotten.
    pub(crate) fn finalize(&mut self, candidate: Arc<Candidate>) -> bool {
        let block = &candidate.sealed.block;
        let is_child = block.header().parent_hash == self.head.sealed.block.hash();
        let staged = self.candidates.get(&block.hash()).map(|known| known.staged);
        if !is_child || staged != Some(candidate.staged) {
            return false;
        }
        let number = candidate.number();
        for (index, included) in candidate.sealed.block.transactions().iter().enumerate() {
            self.transactions.insert(*included.tx_hash(), (number, index));
        }
        let mut above: Vec<_> = self.candidates.values().filter(|other| other.number() > number).cloned().collect();
        above.sort_unstable_by_key(|other| other.number());
        let mut kept = HashSet::from([candidate.sealed.block.hash()]);
        for other in above {
            if kept.contains(&other.sealed.block.header().parent_hash) {
                kept.insert(other.sealed.block.hash());
            }
        }
        self.candidates.retain(|hash, _| kept.contains(hash));
        self.queued.push_back(candidate.clone());
        self.head = candidate;
        true
    }

    /// The ledger has the blocks up to the reader's height now.
    pub(crate) fn flushed(&mut self, reader: Arc<Reader>) {
        while let Some(candidate) = self.queued.pop_front_if(|candidate| candidate.number() <= reader.height) {
            for included in candidate.sealed.block.transactions() {
                self.transactions.remove(included.tx_hash());
            }
        }
        self.reader = reader;
    }
}
