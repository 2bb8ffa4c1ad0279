//! Transactions between nodes.
//!
//! A node sends what its own clients gave it to every validator, in batches: the first transaction at once, what
//! follows gathered for a few milliseconds. Nothing is forwarded a second time. What still waits after a while is
//! announced again, so that a validator that was away, or a batch that was lost, costs a delay and not a transaction.

use std::time::Duration;

use bytes::Bytes;
use chain_pool::{Origin, Pool, Refusal};
use chain_types::MAX_TRANSACTION_BYTES;
use commonware_codec::{Buf, Decode as _, Encode as _, EncodeSize as _, RangeCfg};
use commonware_consensus::types::Epoch;
use commonware_cryptography::Signer as _;
use commonware_macros::select;
use commonware_p2p::{Blocker, Receiver, Recipients, Sender};
use commonware_runtime::Clock;
use futures::{SinkExt as _, StreamExt as _, channel::mpsc};
use tracing::debug;

use crate::{Config, Error, MAX_BATCH_BYTES, PublicKey, StatusBoard};

/// How long a batch gathers after the one before it.
const GATHER: Duration = Duration::from_millis(5);
/// How long a transaction waits before it is announced again.
const REANNOUNCE_AFTER: Duration = Duration::from_secs(2);
/// Received batches that wait for the pool; more are dropped, their senders announce again.
pub(crate) const BACKLOG: usize = 64;

/// Bytes that a batch's own framing takes at most.
const BATCH_OVERHEAD: usize = 16;

/// Transactions in a batch: room is made for as many as a batch claims to have.
const BATCH_TRANSACTIONS: usize = 8 * 1024;

/// Sends this node's transactions.
pub(crate) struct Announcer<S> {
    pub(crate) pool: Pool,
    pub(crate) sender: S,
    pub(crate) config: Config,
    pub(crate) board: StatusBoard,
}

impl<S: Sender<PublicKey = PublicKey>> Announcer<S> {
    /// Runs for as long as the node.
    pub(crate) async fn run(mut self, clock: impl Clock) {
        let mut again = clock.current() + REANNOUNCE_AFTER;
        loop {
            select! {
                batch = self.pool.next_batch() => {
                    self.send(batch);
                    select! {
                        () = self.pool.batch_full() => {},
                        () = clock.sleep(GATHER) => {},
                    }
                },
                () = clock.sleep_until(again) => {
                    let waiting = self.pool.reannounce(REANNOUNCE_AFTER);
                    self.send(waiting);
                    again = clock.current() + REANNOUNCE_AFTER;
                },
            }
        }
    }

    fn send(&mut self, transactions: Vec<alloy_primitives::Bytes>) {
        if transactions.is_empty() {
            return;
        }
        let epoch = Epoch::new(self.board.get().epoch);
        let me = self.config.key.public_key();
        let validators: Vec<_> =
            self.config.membership.validators(epoch).into_iter().filter(|key| *key != me).collect();
        if validators.is_empty() {
            return;
        }
        for batch in batches(transactions) {
            let sent = self.sender.send(Recipients::Some(validators.clone()), batch.encode(), false);
            if sent.len() < validators.len() {
                debug!(
                    sent = sent.len(),
                    of = validators.len(),
                    "a batch of transactions did not go to every validator"
                );
            }
        }
    }
}

/// Cuts transactions into batches that fit a message.
fn batches(transactions: Vec<alloy_primitives::Bytes>) -> Vec<Vec<Bytes>> {
    let mut batches = vec![Vec::new()];
    let mut size = BATCH_OVERHEAD;
    for alloy_primitives::Bytes(transaction) in transactions {
        let length = transaction.encode_size();
        let last = batches.last().expect("starts with one");
        if (size + length > MAX_BATCH_BYTES && !last.is_empty()) || last.len() == BATCH_TRANSACTIONS {
            batches.push(Vec::new());
            size = BATCH_OVERHEAD;
        }
        size += length;
        batches.last_mut().expect("starts with one").push(transaction);
    }
    batches
}

fn decode(message: impl Buf) -> Result<Vec<Bytes>, commonware_codec::Error> {
    let lengths = (RangeCfg::from(1..=BATCH_TRANSACTIONS), RangeCfg::from(1..=MAX_TRANSACTION_BYTES));
    Vec::decode_cfg(message, &lengths)
}

/// Takes batches off the network; never waits for the pool. Whoever sends something else is blocked.
pub(crate) async fn receive<R>(
    mut receiver: R,
    mut batches: mpsc::Sender<(PublicKey, Vec<Bytes>)>,
    mut blocker: impl Blocker<PublicKey = PublicKey>,
) -> Error
where
    R: Receiver<PublicKey = PublicKey>,
{
    while let Ok((peer, message)) = receiver.recv().await {
        let Ok(batch) = decode(message) else {
            commonware_p2p::block!(blocker, peer, "a message that is not a batch of transactions");
            continue;
        };
        if batches.try_send((peer, batch)).is_err() {
            debug!("the pool is behind: a batch of transactions is dropped, its sender announces it again");
        }
    }
    // Lets the workers end.
    let _ = batches.close().await;
    Error::Ended("the network")
}

/// Offers received transactions to the pool. Recovers signatures: for a thread of its own.
pub(crate) async fn submit(
    pool: Pool,
    mut batches: mpsc::Receiver<(PublicKey, Vec<Bytes>)>,
    mut blocker: impl Blocker<PublicKey = PublicKey>,
) {
    while let Some((peer, batch)) = batches.next().await {
        for transaction in batch {
            match pool.submit(transaction.into(), Origin::Peer).await {
                Ok(_) => {}
                // Its own pool cannot have taken this: nodes send what their clients gave them and they accepted.
                Err(refusal @ (Refusal::Undecodable(_) | Refusal::Signature)) => {
                    commonware_p2p::block!(blocker, peer, %refusal, "a peer sent what is no transaction");
                    break;
                }
                Err(refusal) => debug!(?peer, %refusal, "a peer's transaction is not accepted"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn batches_fit_a_message_and_lose_nothing() {
        let transactions: Vec<_> = (0..40).map(|i| alloy_primitives::Bytes::from(vec![i as u8; 100 * 1024])).collect();
        let batches = batches(transactions.clone());
        assert!(batches.len() > 1);
        assert!(batches.iter().all(|batch| batch.encode_size() <= MAX_BATCH_BYTES));
        let sent: Vec<_> = batches.into_iter().flatten().map(alloy_primitives::Bytes).collect();
        assert_eq!(sent, transactions);
        let small = vec![alloy_primitives::Bytes::from_static(&[1]); BATCH_TRANSACTIONS * 2 + 1];
        let batches = super::batches(small);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [BATCH_TRANSACTIONS, BATCH_TRANSACTIONS, 1]);
        assert!(batches.iter().all(|batch| decode(batch.encode()).unwrap() == *batch));
    }

    proptest! {
        #[test]
        fn anything_may_come_from_a_peer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            // What is a batch has one encoding and no more transactions than bytes.
            if let Ok(batch) = decode(Bytes::from(bytes.clone())) {
                let again = batch.encode();
                prop_assert_eq!(again.as_ref(), bytes.as_slice());
                prop_assert!(batch.len() <= bytes.len());
            }
        }
    }
}
