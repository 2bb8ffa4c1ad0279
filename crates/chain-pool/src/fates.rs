//! What became of the transactions that left, for the newest of them.

use std::collections::{HashMap, VecDeque};

use alloy_primitives::B256;

use crate::Fate;

/// A bounded memory of fates; the oldest is forgotten first.
#[derive(Debug)]
pub(crate) struct Fates {
    by_hash: HashMap<B256, Fate>,
    order: VecDeque<B256>,
    limit: usize,
}

impl Fates {
    pub(crate) fn new(limit: usize) -> Self {
        Self { by_hash: HashMap::new(), order: VecDeque::new(), limit: limit.max(1) }
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<&Fate> {
        self.by_hash.get(hash)
    }

    /// Remembers; a later fate of the same transaction takes the place of an earlier one.
    pub(crate) fn remember(&mut self, hash: B256, fate: Fate) {
        if self.by_hash.insert(hash, fate).is_some() {
            return;
        }
        self.order.push_back(hash);
        if self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_hash.remove(&oldest);
        }
    }

    /// It is in the pool again.
    pub(crate) fn forget(&mut self, hash: &B256) {
        if self.by_hash.remove(hash).is_some() {
            self.order.retain(|other| other != hash);
        }
    }
}
