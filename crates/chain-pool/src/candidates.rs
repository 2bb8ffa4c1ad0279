//! What a leader may put into a block, in the order in which it should.
//!
//! Best price first. Among equal prices senders take turns of [`TURN`] transactions, and within a
//! round of turns the earlier arrival is first: who has thousands waiting does not keep others out.
//! A sender's transactions come in the order of their nonces.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::Arc,
    vec,
};

use alloy_primitives::Address;
use chain_types::Recovered;
use parking_lot::Mutex;

use crate::{queue::Queue, store::Store};

/// Transactions of one sender in a row; also how many are fetched under the lock at once.
const TURN: usize = 16;

/// The order of the next transaction of a sender.
type Rank = (u128, Reverse<usize>, Reverse<u64>, Address);

struct Next {
    rank: Rank,
    transaction: Arc<Recovered>,
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Next {}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

/// Price, arrival and transaction.
type Fetched = (u128, u64, Arc<Recovered>);

struct Progress {
    nonce: u64,
    taken: usize,
    fetched: vec::IntoIter<Fetched>,
}

/// Iterates lazily: what it has not fetched yet may change under it, which at worst ends a sender's row early.
pub(crate) struct Candidates {
    store: Arc<Mutex<Store>>,
    heap: BinaryHeap<Next>,
    progress: HashMap<Address, Progress>,
}

impl Candidates {
    pub(crate) fn new(store: Arc<Mutex<Store>>, next_nonces: &HashMap<Address, u64>) -> Self {
        let mut heap = Vec::new();
        let mut progress = HashMap::new();
        {
            let store = store.lock();
            for (sender, queue) in &store.queues {
                let nonce = next_nonces.get(sender).map_or(queue.nonce, |next| (*next).max(queue.nonce));
                let Some((price, arrival, transaction)) = fetch(queue, nonce, 1).pop() else { continue };
                heap.push(Next { rank: (price, Reverse(0), Reverse(arrival), *sender), transaction });
                if nonce != queue.nonce {
                    progress.insert(*sender, Progress { nonce: nonce + 1, taken: 1, fetched: Vec::new().into_iter() });
                }
            }
        }
        Self { store, heap: heap.into(), progress }
    }

    fn following(&mut self, sender: Address, nonce: u64) -> Option<Next> {
        let progress = self.progress.entry(sender).or_insert_with(|| Progress {
            nonce: nonce + 1,
            taken: 1,
            fetched: Vec::new().into_iter(),
        });
        let (price, arrival, transaction) = match progress.fetched.next() {
            Some(fetched) => fetched,
            None => {
                let store = self.store.lock();
                progress.fetched = fetch(store.queues.get(&sender)?, progress.nonce, TURN).into_iter();
                progress.fetched.next()?
            }
        };
        let round = progress.taken / TURN;
        progress.taken += 1;
        progress.nonce += 1;
        Some(Next { rank: (price, Reverse(round), Reverse(arrival), sender), transaction })
    }
}

impl Iterator for Candidates {
    type Item = Arc<Recovered>;

    fn next(&mut self) -> Option<Arc<Recovered>> {
        let Next { rank, transaction } = self.heap.pop()?;
        let nonce = alloy_consensus::Transaction::nonce(&transaction.transaction);
        if let Some(next) = self.following(rank.3, nonce) {
            self.heap.push(next);
        }
        Some(transaction)
    }
}

/// Up to `count` transactions in an unbroken row from `nonce` on that the account can pay for.
fn fetch(queue: &Queue, nonce: u64, count: usize) -> Vec<Fetched> {
    let end = queue.nonce + queue.executable as u64;
    let unpaid = queue.by_nonce.contains_key(&end);
    (nonce..)
        .zip(queue.by_nonce.range(nonce..))
        .take(count)
        // Past the executable row only unfinal blocks can have closed the gap; an unpaid one ends the row.
        .take_while(|(expected, (nonce, _))| expected == *nonce && !(unpaid && **nonce >= end))
        .map(|(_, (_, waiting))| (waiting.candidate.price, waiting.arrival, waiting.candidate.transaction.clone()))
        .collect()
}
