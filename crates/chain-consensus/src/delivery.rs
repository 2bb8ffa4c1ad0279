//! Finalised blocks on their way from marshal to the chain.
//!
//! Marshal reports a block after the block and a certificate that covers it are on this node's disk (its dispatch gate
//! waits for the sync of both archives), in the order of heights, at least once. The chain's head moves then. Marshal
//! is acknowledged when the block is in the state and the indexes on disk; until then it reports the block again after
//! a restart. Several blocks are under way at once.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chain_pool::Pool;
use chain_store::Chain;
use chain_types::Block;
use commonware_actor::Feedback;
use commonware_consensus::{
    Heightable as _, Reporter,
    marshal::{Update, core::Mailbox, standard::Standard},
    types::{Height, Round},
};
use commonware_cryptography::Digestible as _;
use commonware_macros::select;
use commonware_runtime::Clock;
use commonware_utils::Acknowledgement as _;
use futures::{StreamExt as _, channel::mpsc, stream::FuturesOrdered};
use tracing::{debug, info};

use crate::{
    Digest, Error, Scheme, StatusBoard,
    application::now_ms,
    archive::{RETAINED, SECTION},
};

/// The end that marshal reports to.
#[derive(Clone)]
pub(crate) struct Deliveries(mpsc::UnboundedSender<Update<Block>>);

impl Deliveries {
    /// Marshal bounds what is under way by its count of unacknowledged blocks.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Update<Block>>) {
        let (sender, receiver) = mpsc::unbounded();
        (Self(sender), receiver)
    }
}

impl Reporter for Deliveries {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        match self.0.unbounded_send(update) {
            Ok(()) => Feedback::Ok,
            Err(_) => Feedback::Closed,
        }
    }
}

/// A block that became the chain's head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) height: Height,
    pub(crate) digest: Digest,
}

/// Hands finalised blocks to the chain and the pool.
pub(crate) struct Delivery {
    pub(crate) chain: Chain,
    pub(crate) pool: Pool,
    pub(crate) board: StatusBoard,
    pub(crate) marshal: Mailbox<Scheme, Standard<Block>>,
    pub(crate) heads: mpsc::UnboundedSender<Head>,
    pub(crate) pooled: Arc<AtomicU64>,
}

impl Delivery {
    /// Gives the chain what marshal has recorded as delivered and the chain does not have: a chain whose files were
    /// removed, or one that is kept in memory alone, is built again from the archive of blocks.
    pub(crate) async fn replay(&self, clock: &impl Clock) -> Result<(), Error> {
        let Some(processed) = self.marshal.get_processed().await else { return Ok(()) };
        let head = self.chain.head().block.number();
        if processed.height().get() > head {
            info!(from = head + 1, to = %processed.height(), "replaying blocks");
        }
        for height in head + 1..=processed.height().get() {
            let Some(block) = self.marshal.get_block(Height::new(height)).await else {
                return Err(Error::Storage {
                    what: "replaying blocks",
                    detail: format!(
                        "the chain's files end at block {head} and the archive has no block {height}; restore both from one backup"
                    ),
                });
            };
            // Marshal has been acknowledged for it: whether it is on disk yet concerns nobody.
            drop(self.chain.finalize(Block::clone(block.inner())).await?);
            self.finalized(clock, block.inner())?;
        }
        Ok(())
    }

    /// Runs until marshal ends or the chain fails.
    pub(crate) async fn run(self, clock: impl Clock, mut updates: mpsc::UnboundedReceiver<Update<Block>>) -> Error {
        let mut durable = FuturesOrdered::<Pin<Box<dyn Future<Output = bool> + Send>>>::new();
        loop {
            // An empty set of futures is always ready; wait for updates alone then.
            let update = if durable.is_empty() {
                updates.next().await
            } else {
                select! {
                    update = updates.next() => update,
                    written = durable.next() => {
                        if written != Some(true) {
                            return Error::Ended("the chain's flusher");
                        }
                        continue;
                    },
                }
            };
            match update {
                None => return Error::Ended("marshal"),
                Some(Update::Tip(round, height, _)) => self.tip(round, height),
                Some(Update::Block(block, acknowledgement)) => {
                    let head = Head { height: block.height(), digest: block.digest() };
                    let receiver = match self.chain.finalize(Block::clone(block.inner())).await {
                        Ok(receiver) => receiver,
                        Err(error) => return error.into(),
                    };
                    if let Err(error) = self.finalized(&clock, block.inner()) {
                        return error;
                    }
                    if head.height.get().is_multiple_of(SECTION) && head.height.get() > RETAINED {
                        self.marshal.prune(Height::new(head.height.get() - RETAINED));
                    }
                    durable.push_back(Box::pin(async move {
                        let written = receiver.await.is_ok();
                        if written {
                            acknowledgement.acknowledge();
                        }
                        written
                    }));
                    // Nobody listens on a follower.
                    let _ = self.heads.unbounded_send(head);
                }
            }
        }
    }

    fn tip(&self, round: Round, height: Height) {
        self.board.update(|status| {
            status.known_height = status.known_height.max(height.get());
            if round.epoch().get() >= status.epoch && status.role == crate::Role::Follower {
                (status.epoch, status.view) = (round.epoch().get(), round.view().get() + 1);
            }
        });
    }

    fn finalized(&self, clock: &impl Clock, block: &Block) -> Result<(), Error> {
        let number = block.number();
        // Marshal repeats blocks after a restart; the pool has started from the chain's head.
        if number > self.pooled.load(Ordering::Acquire) {
            let sealed = self.chain.sealed_by_number(number)?.ok_or(Error::Ended("the chain's history"))?;
            self.pool.finalized(block.transactions(), &sealed.senders, number);
            self.pooled.store(number, Ordering::Release);
        }
        let now = now_ms(clock);
        debug!(number, hash = %block.hash(), transactions = block.transactions().len(), "final");
        self.board.update(|status| {
            if number > status.height {
                (status.height, status.last_finalized_ms) = (number, Some(now));
            }
            status.known_height = status.known_height.max(number);
        });
        Ok(())
    }
}
