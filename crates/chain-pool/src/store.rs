//! The pool's content and the rules of who gets in and who gives way.
//!
//! Everything here runs under the pool's lock: no I/O, no signature recovery, no reads of the state.
//! A local transaction comes in two steps: [`Store::reserve`] checks it and keeps its place while the
//! journal is written, [`Store::settle`] lets it in. A peer's takes both at once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::{Address, B256, U256};
use chain_types::Recovered;

use crate::{
    Fate, Limits, Origin, PoolStatus, Refusal,
    check::Candidate,
    fates::Fates,
    queue::{Queue, Waiting},
};

/// An account as the state at the finalised head has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) nonce: u64,
    pub(crate) balance: U256,
}

/// What a change did that others must be told.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Became executable.
    pub(crate) promoted: Vec<Arc<Recovered>>,
    /// Local ones that left for another reason than inclusion: the journal must not bring them back.
    pub(crate) gone: Vec<B256>,
    /// Peers' ones that took the place of a local one and are kept like one from now on.
    pub(crate) adopted: Vec<Arc<Recovered>>,
}

/// The transactions of a finalised block by sender and nonce.
#[derive(Debug)]
pub(crate) struct Included {
    pub(crate) number: u64,
    pub(crate) hashes: HashMap<(Address, u64), B256>,
}

#[derive(Debug)]
pub(crate) struct Store {
    limits: Limits,
    pub(crate) queues: BTreeMap<Address, Queue>,
    places: HashMap<B256, (Address, u64)>,
    /// Peers' transactions, the first to give way first: cheapest, then newest.
    yielding: BTreeSet<(u128, std::cmp::Reverse<u64>, B256)>,
    reserved: HashMap<B256, Candidate>,
    reserved_by: HashMap<Address, Reserved>,
    pub(crate) fates: Fates,
    pending: usize,
    bytes: usize,
    local_bytes: usize,
    arrivals: u64,
    /// Rises with each finalised block: an account that was read before is read again.
    pub(crate) generation: u64,
    /// Where the round of re-checks stands.
    cursor: Address,
}

/// What a sender has on its way through the journal.
#[derive(Debug, Default)]
struct Reserved {
    count: usize,
    cost: U256,
}

impl Store {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            queues: BTreeMap::new(),
            places: HashMap::new(),
            yielding: BTreeSet::new(),
            reserved: HashMap::new(),
            reserved_by: HashMap::new(),
            fates: Fates::new(limits.fates),
            pending: 0,
            bytes: 0,
            local_bytes: 0,
            arrivals: 0,
            generation: 0,
            cursor: Address::ZERO,
        }
    }

    pub(crate) fn knows(&self, hash: &B256) -> bool {
        self.places.contains_key(hash) || self.reserved.contains_key(hash)
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<&Waiting> {
        let (sender, nonce) = self.places.get(hash)?;
        self.queues.get(sender)?.by_nonce.get(nonce)
    }

    pub(crate) fn status(&self) -> PoolStatus {
        PoolStatus { pending: self.pending, queued: self.places.len() - self.pending, bytes: self.bytes }
    }

    /// Encoded bytes of local transactions.
    pub(crate) fn local_bytes(&self) -> usize {
        self.local_bytes
    }

    /// Checks a transaction against what waits and keeps its place until [`Self::settle`] or
    /// [`Self::release`]. Peers' transactions may have to give way for it.
    pub(crate) fn reserve(
        &mut self,
        candidate: &Candidate,
        account: Account,
        origin: Origin,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        self.admissible(candidate, account, origin, effects)?;
        let reserved = self.reserved_by.entry(candidate.transaction.sender).or_default();
        reserved.count += 1;
        reserved.cost = reserved.cost.saturating_add(candidate.cost);
        self.bytes += candidate.size;
        self.reserved.insert(candidate.hash, candidate.clone());
        Ok(())
    }

    /// Gives a reserved place back.
    pub(crate) fn release(&mut self, hash: &B256) {
        let Some(candidate) = self.reserved.remove(hash) else { return };
        self.bytes -= candidate.size;
        let sender = candidate.transaction.sender;
        if let Some(reserved) = self.reserved_by.get_mut(&sender) {
            reserved.count -= 1;
            reserved.cost -= candidate.cost;
            if reserved.count == 0 {
                self.reserved_by.remove(&sender);
            }
        }
    }

    /// Lets a transaction in whose place was reserved. Between the two a block may have used its nonce
    /// or another with the same nonce may have been faster.
    pub(crate) fn settle(
        &mut self,
        candidate: Candidate,
        account: Account,
        origin: Origin,
        now: Duration,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        self.release(&candidate.hash);
        self.refresh(candidate.transaction.sender, account, effects);
        self.nonce_is_free(&candidate, account)?;
        self.insert(candidate, account, origin, now, effects);
        Ok(())
    }

    /// Lets a transaction of the journal in: the limits do not apply to what was acknowledged.
    pub(crate) fn restore(&mut self, candidate: Candidate, account: Account, now: Duration) -> Result<(), Refusal> {
        if self.knows(&candidate.hash) {
            return Err(Refusal::AlreadyKnown);
        }
        self.nonce_is_free(&candidate, account)?;
        self.insert(candidate, account, Origin::Local, now, &mut Effects::default());
        Ok(())
    }

    fn admissible(
        &mut self,
        candidate: &Candidate,
        account: Account,
        origin: Origin,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        if self.knows(&candidate.hash) {
            return Err(Refusal::AlreadyKnown);
        }
        let sender = candidate.transaction.sender;
        self.refresh(sender, account, effects);
        self.nonce_is_free(candidate, account)?;
        let queue = self.queues.get(&sender);
        let replaced = queue.and_then(|queue| queue.by_nonce.get(&candidate.nonce)).map(|old| old.candidate.clone());
        let (on_way, on_way_cost) = self.reserved_by.get(&sender).map_or((0, U256::ZERO), |r| (r.count, r.cost));

        let Account { balance, .. } = account;
        let cost = candidate.cost;
        if cost > balance {
            return Err(Refusal::Funds { balance, cost });
        }
        let waiting_cost = queue.map_or(U256::ZERO, |queue| queue.cost).saturating_add(on_way_cost)
            - replaced.as_ref().map_or(U256::ZERO, |old| old.cost);
        if cost.saturating_add(waiting_cost) > balance {
            return Err(Refusal::QueuedFunds { balance, queued: waiting_cost, cost });
        }
        if replaced.is_some() {
            return self.make_room(candidate, origin, 0, effects);
        }
        let limit = self.limits.per_sender;
        if queue.map_or(0, |queue| queue.by_nonce.len()) + on_way >= limit {
            return Err(Refusal::SenderLimit { sender, limit });
        }
        let next = queue.map_or(account.nonce, Queue::next_nonce);
        let behind_a_gap = candidate.nonce > next.saturating_add(on_way as u64);
        if behind_a_gap && self.status().queued >= self.limits.queued {
            return Err(Refusal::QueueFull { limit: self.limits.queued, next });
        }
        self.make_room(candidate, origin, 1, effects)
    }

    fn nonce_is_free(&self, candidate: &Candidate, account: Account) -> Result<(), Refusal> {
        let nonce = candidate.nonce;
        if nonce < account.nonce {
            return Err(Refusal::NonceTooLow { next: account.nonce, nonce });
        }
        let old = self.queues.get(&candidate.transaction.sender).and_then(|queue| queue.by_nonce.get(&nonce));
        match old {
            Some(old) if !candidate.outbids(&old.candidate, self.limits.replacement_percent) => {
                Err(Refusal::ReplacementUnderpriced)
            }
            _ => Ok(()),
        }
    }

    /// Makes peers' transactions give way until this one fits. One that pays more may take their place;
    /// a local one also when peers' have more than half of the pool.
    fn make_room(
        &mut self,
        candidate: &Candidate,
        origin: Origin,
        slots: usize,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        loop {
            let count = self.places.len() + self.reserved.len();
            if count + slots <= self.limits.transactions && self.bytes + candidate.size <= self.limits.bytes {
                return Ok(());
            }
            let peers_share = self.yielding.len() * 2 > self.limits.transactions;
            let victim = self
                .yielding
                .first()
                .copied()
                .filter(|(price, ..)| *price < candidate.price || (origin == Origin::Local && peers_share));
            let Some((_, _, hash)) = victim else {
                return Err(Refusal::Full { transactions: count, bytes: self.bytes });
            };
            self.evict(&hash, effects);
        }
    }

    /// Removes a peer's transaction, or rather its sender's last one, which leaves no gap.
    fn evict(&mut self, hash: &B256, effects: &mut Effects) {
        let Some(&(sender, nonce)) = self.places.get(hash) else { return };
        let last = self.queues.get(&sender).and_then(|queue| queue.by_nonce.last_key_value());
        let nonce = match last {
            Some((last, waiting)) if waiting.origin == Origin::Peer => *last,
            _ => nonce,
        };
        let removed = self.queues.get_mut(&sender).and_then(|queue| queue.remove(nonce));
        if let Some(waiting) = removed {
            self.left(&waiting, Fate::Dropped { why: "the pool was full".into() }, effects);
        }
        self.recount(sender, effects);
    }

    /// Removes a transaction that no block can have.
    pub(crate) fn drop_invalid(&mut self, hash: &B256, why: String, effects: &mut Effects) {
        let Some(&(sender, nonce)) = self.places.get(hash) else { return };
        if let Some(waiting) = self.queues.get_mut(&sender).and_then(|queue| queue.remove(nonce)) {
            self.left(&waiting, Fate::Dropped { why }, effects);
        }
        self.recount(sender, effects);
    }

    fn insert(&mut self, candidate: Candidate, account: Account, origin: Origin, now: Duration, effects: &mut Effects) {
        let sender = candidate.transaction.sender;
        let (hash, nonce, size) = (candidate.hash, candidate.nonce, candidate.size);
        let queue = self.queues.entry(sender).or_insert_with(|| Queue::new(account.nonce, account.balance));
        let replaces_local = queue.by_nonce.get(&nonce).is_some_and(|old| old.origin == Origin::Local);
        // An acknowledged transaction must not be lost by evicting the one that took its place.
        let origin = if replaces_local { Origin::Local } else { origin };
        if replaces_local {
            effects.adopted.push(candidate.transaction.clone());
        }
        self.arrivals += 1;
        let arrival = self.arrivals;
        match origin {
            Origin::Local => self.local_bytes += size,
            Origin::Peer => {
                self.yielding.insert((candidate.price, std::cmp::Reverse(arrival), hash));
            }
        }
        let transaction = candidate.transaction.clone();
        let replaced = queue.insert(Waiting { candidate, origin, arrival, since: now });
        self.bytes += size;
        self.places.insert(hash, (sender, nonce));
        self.fates.forget(&hash);
        let promoted_before = effects.promoted.len();
        if let Some(old) = replaced {
            self.left(&old, Fate::Replaced { by: hash }, effects);
        }
        self.recount(sender, effects);
        // A replacement in the executable row is new to subscribers and leaders too.
        let executable = self.queues.get(&sender).is_some_and(|queue| nonce < queue.nonce + queue.executable as u64);
        let told = effects.promoted[promoted_before..].iter().any(|other| Arc::ptr_eq(other, &transaction));
        if executable && !told {
            effects.promoted.push(transaction);
        }
    }

    /// Sets right the fates of a block's transactions that left before the pool was told of the block.
    pub(crate) fn included(&mut self, block: &Included) {
        for hash in block.hashes.values() {
            if self.fates.get(hash).is_some() {
                self.fates.remember(*hash, Fate::Included { number: block.number });
            }
        }
    }

    /// Books that a transaction has left its queue.
    fn left(&mut self, waiting: &Waiting, fate: Fate, effects: &mut Effects) {
        let hash = waiting.candidate.hash;
        self.places.remove(&hash);
        self.bytes -= waiting.candidate.size;
        match waiting.origin {
            Origin::Local => {
                self.local_bytes -= waiting.candidate.size;
                if matches!(fate, Fate::Dropped { .. }) {
                    effects.gone.push(hash);
                }
            }
            Origin::Peer => {
                self.yielding.remove(&(waiting.candidate.price, std::cmp::Reverse(waiting.arrival), hash));
            }
        }
        self.fates.remember(hash, fate);
    }

    /// Takes over a newer nonce and balance of an account that is not known to have spent anything by itself.
    pub(crate) fn refresh(&mut self, sender: Address, account: Account, effects: &mut Effects) {
        self.rebase(sender, account, None, effects);
    }

    /// Takes over an account. `included` has the transactions of the block in which it spent something.
    pub(crate) fn rebase(
        &mut self,
        sender: Address,
        account: Account,
        included: Option<&Included>,
        effects: &mut Effects,
    ) {
        let Some(queue) = self.queues.get_mut(&sender) else { return };
        if account.nonce < queue.nonce || (account.nonce == queue.nonce && account.balance == queue.balance) {
            return;
        }
        queue.nonce = account.nonce;
        queue.balance = account.balance;
        let used = queue.take_used();
        // Only who spent something in this block has become unable to pay: a balance that looks too low
        // for another reason (a replay after a crash that has not reached the funding yet) may come back.
        let unpaid = if included.is_some() { queue.take_unpaid() } else { Vec::new() };
        for waiting in used {
            let fate = match included
                .and_then(|block| Some((block.hashes.get(&(sender, waiting.candidate.nonce))?, block.number)))
            {
                Some((hash, number)) if *hash == waiting.candidate.hash => Fate::Included { number },
                Some((hash, _)) => Fate::Replaced { by: *hash },
                None => Fate::Dropped {
                    why: format!(
                        "its nonce {} was used: the account's next nonce is {}",
                        waiting.candidate.nonce, account.nonce
                    ),
                },
            };
            self.left(&waiting, fate, effects);
        }
        for waiting in unpaid {
            let why = Refusal::Funds { balance: account.balance, cost: waiting.candidate.cost }.to_string();
            self.left(&waiting, Fate::Dropped { why }, effects);
        }
        self.recount(sender, effects);
    }

    /// Finds anew what of a sender is executable.
    fn recount(&mut self, sender: Address, effects: &mut Effects) {
        let Some(queue) = self.queues.get_mut(&sender) else { return };
        let before = queue.count();
        self.pending = self.pending + queue.executable - before;
        let end = queue.nonce + queue.executable as u64;
        let start = queue.announced.clamp(queue.nonce, end);
        effects
            .promoted
            .extend(queue.by_nonce.range(start..end).map(|(_, waiting)| waiting.candidate.transaction.clone()));
        queue.announced = end;
        if queue.by_nonce.is_empty() {
            self.queues.remove(&sender);
        }
    }

    /// The next senders in the round whose accounts are to be read again.
    pub(crate) fn next_to_check(&mut self, count: usize) -> Vec<Address> {
        let senders: Vec<_> = self.queues.range(self.cursor..).take(count).map(|(sender, _)| *sender).collect();
        match senders.last() {
            Some(last) if senders.len() == count => {
                let mut next = *last;
                for byte in next.0.iter_mut().rev() {
                    let (sum, carry) = byte.overflowing_add(1);
                    *byte = sum;
                    if !carry {
                        break;
                    }
                }
                self.cursor = next;
            }
            _ => self.cursor = Address::ZERO,
        }
        senders
    }
}
