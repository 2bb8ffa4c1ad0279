//! The one task that owns the commitment: it computes roots and takes finalised blocks to disk in groups.
//!
//! A group goes into the commitment, which is synced, and then into the ledger in one transaction; only then are those
//! who wait for its blocks told. Roots are computed in between: nothing that a proposal waits for waits for the disk.
//! When anything fails the task ends, and everything that asks it from then on learns why. It also ends when the last
//! handle of the store is gone, after it has written what was finalised.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};

use alloy_primitives::B256;
use commonware_runtime::Clock;
use futures::future::{BoxFuture, FutureExt};
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    StoreError,
    blocking::Blocking,
    changes::Changes,
    commitment::{Commitment, StageError, entries},
    ledger::{Ledger, Reader, Record},
    tree::{Candidate, StagedId, Tree},
};

/// Groups are at least this far apart: nothing waits for them but memory, and each syncs several files of the disk that
/// votes are synced to.
const GROUP: Duration = Duration::from_millis(250);

pub(crate) enum Message {
    /// Compute the root after a block.
    Stage {
        parent: StagedId,
        /// The block's number.
        number: u64,
        changes: Arc<Changes>,
        reply: oneshot::Sender<Result<(StagedId, B256), StageError>>,
    },
    /// A block is final. They come in order.
    Final { candidate: Arc<Candidate>, durable: oneshot::Sender<()> },
    /// These batches will not be asked for again.
    Forget(Vec<StagedId>),
    /// Tell when a block that was reported as final is durable.
    Await { number: u64, durable: oneshot::Sender<()> },
    /// Write everything now, tell, and end.
    Close { closed: oneshot::Sender<()> },
}

pub(crate) struct Worker<C: Commitment> {
    commitment: C,
    ledger: Arc<Ledger>,
    tree: Arc<RwLock<Tree>>,
    failure: watch::Sender<Option<StoreError>>,
    blocking: Blocking,
    /// Batches by id, with the number of their block.
    staged: HashMap<StagedId, (u64, C::Staged)>,
    next_id: u64,
    applied: StagedId,
    queue: VecDeque<Arc<Candidate>>,
    waiting: BTreeMap<u64, Vec<oneshot::Sender<()>>>,
    durable: u64,
    closing: Vec<oneshot::Sender<()>>,
}

/// A group on its way to disk.
struct Flight {
    written: BoxFuture<'static, Result<Arc<Reader>, StoreError>>,
    /// What the commitment no longer needs once the group is written.
    obsolete: u64,
}

impl<C: Commitment> Worker<C> {
    /// A worker on a commitment that stands at the ledger's newest block.
    pub(crate) fn new(
        commitment: C,
        ledger: Arc<Ledger>,
        tree: Arc<RwLock<Tree>>,
        failure: watch::Sender<Option<StoreError>>,
        blocking: Blocking,
    ) -> Self {
        let durable = tree.read().reader().height;
        Self {
            commitment,
            ledger,
            tree,
            failure,
            blocking,
            staged: HashMap::new(),
            next_id: 1,
            applied: StagedId(0),
            queue: VecDeque::new(),
            waiting: BTreeMap::new(),
            durable,
            closing: Vec::new(),
        }
    }

    pub(crate) async fn run(mut self, clock: impl Clock, messages: mpsc::UnboundedReceiver<Message>) {
        if let Err(error) = self.work(&clock, messages).await {
            self.failure.send_replace(Some(error));
        }
    }

    async fn work(
        &mut self,
        clock: &impl Clock,
        mut messages: mpsc::UnboundedReceiver<Message>,
    ) -> Result<(), StoreError> {
        let mut flight: Option<Flight> = None;
        let mut earliest = SystemTime::UNIX_EPOCH;
        let mut open = true;
        loop {
            let ends = !open || !self.closing.is_empty();
            if flight.is_none() {
                if self.queue.is_empty() {
                    if ends {
                        self.closing.drain(..).for_each(tell);
                        return Ok(());
                    }
                } else if ends || clock.current() >= earliest {
                    earliest = clock.current() + GROUP;
                    flight = Some(self.take_off().await?);
                }
            }
            let pause = match flight {
                None if !self.queue.is_empty() => Some(clock.sleep_until(earliest)),
                _ => None,
            };
            tokio::select! {
                // In order, because a random choice would not be repeatable under a seeded runtime.
                biased;
                written = async { flight.as_mut().expect("checked by the branch's condition").written.as_mut().await },
                    if flight.is_some() =>
                {
                    let obsolete = flight.take().map_or(0, |flight| flight.obsolete);
                    self.landed(written?, obsolete).await?;
                }
                message = messages.recv(), if open => match message {
                    Some(message) => self.handle(message).await?,
                    None => open = false,
                },
                () = async { pause.expect("checked by the branch's condition").await }, if pause.is_some() => {}
            }
        }
    }

    async fn handle(&mut self, message: Message) -> Result<(), StoreError> {
        match message {
            Message::Stage { parent, number, changes, reply } => match self.stage(parent, number, &changes).await {
                Err(StageError::Store(error)) => {
                    let _ = reply.send(Err(StageError::Store(error.clone())));
                    return Err(error);
                }
                // Whoever asked may have been cancelled.
                other => drop(reply.send(other)),
            },
            Message::Final { candidate, durable } => {
                self.waiting.entry(candidate.sealed.block.number()).or_default().push(durable);
                self.queue.push_back(candidate);
            }
            Message::Forget(batches) => batches.iter().for_each(|id| drop(self.staged.remove(id))),
            Message::Await { number, durable } if number <= self.durable => tell(durable),
            Message::Await { number, durable } => self.waiting.entry(number).or_default().push(durable),
            Message::Close { closed } => self.closing.push(closed),
        }
        Ok(())
    }

    async fn stage(
        &mut self,
        parent: StagedId,
        number: u64,
        changes: &Changes,
    ) -> Result<(StagedId, B256), StageError> {
        let entries = entries(changes);
        let (staged, root) = if parent == self.applied {
            self.commitment.stage(None, entries).await?
        } else {
            let (_, parent) = self.staged.get(&parent).ok_or(StageError::Stale)?;
            self.commitment.stage(Some(&parent.clone()), entries).await?
        };
        let id = StagedId(self.next_id);
        self.next_id += 1;
        self.staged.insert(id, (number, staged));
        Ok((id, root))
    }

    /// Applies what is queued and starts its way to disk.
    async fn take_off(&mut self) -> Result<Flight, StoreError> {
        let group: Vec<_> = self.queue.drain(..).collect();
        let mut height = self.durable;
        for candidate in &group {
            let (number, staged) = self.staged.remove(&candidate.staged).ok_or(StoreError::Stopped(None))?;
            self.commitment.apply(staged).await?;
            self.applied = candidate.staged;
            height = number;
        }
        // Whatever else was staged up to there lies on a fork that was abandoned.
        self.staged.retain(|_, (number, _)| *number > height);
        let position = self.commitment.position();
        let obsolete = self.commitment.obsolete();
        let synced = self.commitment.sync().await?;
        let (ledger, blocking) = (self.ledger.clone(), self.blocking.clone());
        let written = async move {
            synced.await?;
            let append = move || {
                let records: Vec<_> = group
                    .iter()
                    .map(|candidate| Record { sealed: &candidate.sealed, changes: &candidate.changes })
                    .collect();
                ledger.append(&records, position)
            };
            blocking.run(append).await?
        };
        Ok(Flight { written: written.boxed(), obsolete })
    }

    async fn landed(&mut self, reader: Arc<Reader>, obsolete: u64) -> Result<(), StoreError> {
        self.durable = reader.height;
        self.tree.write().flushed(reader);
        let later = self.waiting.split_off(&(self.durable + 1));
        std::mem::replace(&mut self.waiting, later).into_values().flatten().for_each(tell);
        // The ledger will never ask for an older position again.
        self.commitment.release(obsolete).await
    }
}

/// Nobody may be waiting any more; that is fine.
fn tell(waiting: oneshot::Sender<()>) {
    let _ = waiting.send(());
}
