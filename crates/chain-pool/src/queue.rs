//! One sender's waiting transactions, by nonce.

use std::{collections::BTreeMap, time::Duration};

use alloy_primitives::U256;

use crate::{Origin, check::Candidate};

/// A transaction in the pool.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) candidate: Candidate,
    pub(crate) origin: Origin,
    /// Its place in the order of arrival.
    pub(crate) arrival: u64,
    /// When it came, by the pool's clock.
    pub(crate) since: Duration,
}

/// A sender's transactions. The first `executable` of them have consecutive nonces from the account's
/// nonce on, and the account can pay for all of these together.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) nonce: u64,
    pub(crate) balance: U256,
    pub(crate) by_nonce: BTreeMap<u64, Waiting>,
    pub(crate) executable: usize,
    /// The executable ones below this nonce were announced as such.
    pub(crate) announced: u64,
    /// What all of them cost at most, in wei.
    pub(crate) cost: U256,
}

impl Queue {
    pub(crate) fn new(nonce: u64, balance: U256) -> Self {
        Self { nonce, balance, ..Self::default() }
    }

    /// The first nonce that is not taken by an unbroken row from the account's nonce on.
    pub(crate) fn next_nonce(&self) -> u64 {
        let mut next = self.nonce + self.executable as u64;
        while self.by_nonce.contains_key(&next) {
            next += 1;
        }
        next
    }

    /// Puts a transaction in its place; returns the one that had it.
    pub(crate) fn insert(&mut self, waiting: Waiting) -> Option<Waiting> {
        self.cost = self.cost.saturating_add(waiting.candidate.cost);
        let old = self.by_nonce.insert(waiting.candidate.nonce, waiting);
        if let Some(old) = &old {
            self.cost -= old.candidate.cost;
        }
        old
    }

    pub(crate) fn remove(&mut self, nonce: u64) -> Option<Waiting> {
        let waiting = self.by_nonce.remove(&nonce)?;
        self.cost -= waiting.candidate.cost;
        Some(waiting)
    }

    /// Takes out what the account's nonce has passed.
    pub(crate) fn take_used(&mut self) -> Vec<Waiting> {
        let kept = self.by_nonce.split_off(&self.nonce);
        let used: Vec<_> = std::mem::replace(&mut self.by_nonce, kept).into_values().collect();
        self.forget_cost(&used);
        used
    }

    /// Takes out what the account can no longer pay for, even alone.
    pub(crate) fn take_unpaid(&mut self) -> Vec<Waiting> {
        let balance = self.balance;
        let unpaid: Vec<_> = self
            .by_nonce
            .extract_if(.., |_, waiting| waiting.candidate.cost > balance)
            .map(|(_, waiting)| waiting)
            .collect();
        self.forget_cost(&unpaid);
        unpaid
    }

    fn forget_cost(&mut self, gone: &[Waiting]) {
        for waiting in gone {
            self.cost -= waiting.candidate.cost;
        }
    }

    /// Finds anew what is executable; returns how many were before.
    pub(crate) fn count(&mut self) -> usize {
        let before = self.executable;
        // The common case: everything waits in an unbroken row that the account can pay for.
        let unbroken = self.by_nonce.last_key_value().is_none_or(|(last, _)| {
            self.by_nonce.contains_key(&self.nonce) && *last == self.nonce + (self.by_nonce.len() as u64 - 1)
        });
        self.executable = if unbroken && self.cost <= self.balance {
            self.by_nonce.len()
        } else {
            let mut spent = U256::ZERO;
            (self.nonce..)
                .zip(self.by_nonce.range(self.nonce..))
                .take_while(|(expected, (nonce, waiting))| {
                    spent = spent.saturating_add(waiting.candidate.cost);
                    expected == *nonce && spent <= self.balance
                })
                .count()
        };
        before
    }
}
