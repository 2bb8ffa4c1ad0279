//! The journal's thread: writes what waits in groups and lets in what is on the disk.
//!
//! An idle writer commits at once. Under load a commit begins 5 ms after the one before, so that the
//! disk, which consensus needs too, sees at most 200 a second; nobody waits longer than that for a
//! commit to begin. When a write fails, what was in it is refused, and the journal takes nothing until
//! it could be written anew from what the pool holds.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{B256, Bytes};
use chain_types::TxEnvelope;
use tokio::sync::oneshot;

use crate::{
    Origin, PoolError, Refusal,
    check::{self, Candidate},
    journal::{self, Journal, Record},
    shared::Shared,
    store::Effects,
};

const GROUP_TIME: Duration = Duration::from_millis(5);
const GROUP_JOBS: usize = 8192;

/// What the thread is asked to do.
pub(crate) enum Job {
    /// Write, let in, answer.
    Append { raw: Bytes, candidate: Candidate, answer: oneshot::Sender<Result<B256, Refusal>> },
    /// Write what is in the pool already.
    Keep(Vec<u8>),
    /// Note that one left.
    Gone(B256),
}

/// The thread's handle; ends it when dropped, after everything that was sent is written.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Loads the journal into the pool, writes it anew without what is dead, and starts the thread.
    pub(crate) fn open(path: &Path, shared: Arc<Shared>) -> Result<Self, PoolError> {
        restore(&shared, Journal::load(path)?)?;
        let live = shared.live();
        let failed = |source| PoolError::Journal { path: path.into(), source };
        let journal = Journal::create(path, &live).map_err(failed)?;
        live.into_iter().for_each(|raw| shared.outgoing.push(raw.into()));
        let (jobs, received) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("pool-journal".into())
            .spawn(move || Thread { journal, shared, noted: Vec::new() }.run(&received))
            .map_err(failed)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands a job over; the answer of an append tells when the thread is gone.
    pub(crate) fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs
            && jobs.send(job).is_err()
        {
            tracing::error!("the transaction journal's thread has ended");
        }
    }

    pub(crate) async fn append(&self, raw: Bytes, candidate: Candidate) -> Result<B256, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Append { raw, candidate, answer });
        answered.await.unwrap_or_else(|_| Err(Refusal::Journal("its thread has ended".into())))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // A panic of the thread was printed by its hook; there is nothing to add.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Puts what the journal has and is still valid into the pool.
fn restore(shared: &Shared, records: Vec<Record>) -> Result<(), PoolError> {
    let mut gone = HashSet::new();
    for record in &records {
        match record {
            Record::Gone(hash) => {
                gone.insert(*hash);
            }
            // It came again after it had left.
            Record::Transaction(raw) => {
                gone.remove(&alloy_primitives::keccak256(raw));
            }
        }
    }
    let spec = shared.state.spec();
    let now = (shared.config.clock)();
    let (mut restored, mut dead) = (0_usize, 0_usize);
    for record in records {
        let Record::Transaction(raw) = record else { continue };
        let Ok(transaction) = TxEnvelope::decode_2718_exact(&raw) else {
            tracing::warn!("the transaction journal has a record that is no transaction; skipped");
            continue;
        };
        if gone.contains(transaction.tx_hash()) {
            dead += 1;
            continue;
        }
        let result = check::decode(&raw, &shared.config, spec)
            .and_then(|transaction| check::check(transaction, raw.len(), &shared.config, &*shared.state))
            .and_then(|candidate| {
                let sender = candidate.transaction.sender;
                shared.with_account(sender, |store, account| store.restore(candidate, account, now))?
            });
        match result {
            Ok(()) => restored += 1,
            Err(Refusal::State(error)) => return Err(PoolError::State(error)),
            Err(refusal) => {
                dead += 1;
                tracing::debug!(%refusal, "a journaled transaction does not wait any more");
            }
        }
    }
    if restored + dead > 0 {
        tracing::info!(restored, dead, "loaded the transaction journal");
    }
    let waiting = shared.store.lock().status().pending as u64;
    shared.arrivals.send_modify(|count| *count += waiting);
    Ok(())
}

struct Thread {
    journal: Journal,
    shared: Arc<Shared>,
    /// Records that go with the next commit.
    noted: Vec<u8>,
}

type Answer = (oneshot::Sender<Result<B256, Refusal>>, Result<B256, Refusal>);

impl Thread {
    fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        let mut last: Option<Instant> = None;
        while let Ok(first) = jobs.recv() {
            let begin = last.map_or_else(Instant::now, |last| last + GROUP_TIME);
            let mut group = vec![first];
            while group.len() < GROUP_JOBS {
                // Past `begin` this takes what is there and does not wait.
                match jobs.recv_timeout(begin.saturating_duration_since(Instant::now())) {
                    Ok(job) => group.push(job),
                    Err(_) => break,
                }
            }
            last = Some(Instant::now());
            self.commit(group);
            self.compact_if_dead();
        }
    }

    fn commit(&mut self, group: Vec<Job>) {
        let mut records = std::mem::take(&mut self.noted);
        for job in &group {
            match job {
                Job::Append { raw, .. } => journal::transaction_record(&mut records, raw),
                Job::Keep(raw) => journal::transaction_record(&mut records, raw),
                Job::Gone(hash) => journal::gone_record(&mut records, hash),
            }
        }
        if let Err(error) = self.write(&records) {
            tracing::error!(%error, "the transaction journal cannot be written; refusing transactions");
            let mut store = self.shared.store.lock();
            for job in group {
                if let Job::Append { candidate, answer, .. } = job {
                    store.release(&candidate.hash);
                    let _ = answer.send(Err(Refusal::Journal(error.to_string())));
                }
            }
            return;
        }
        let mut refused = Vec::new();
        let answers: Vec<Answer> = group
            .into_iter()
            .filter_map(|job| match job {
                Job::Append { raw, candidate, answer } => Some((answer, self.settle(raw, candidate, &mut refused))),
                Job::Keep(_) | Job::Gone(_) => None,
            })
            .collect();
        // What was written and then refused must not come back after a restart.
        if !refused.is_empty()
            && let Err(error) = self.write(&refused)
        {
            tracing::error!(%error, "the transaction journal cannot be written");
        }
        for (answer, result) in answers {
            // The client may have gone.
            let _ = answer.send(result);
        }
    }

    fn write(&mut self, records: &[u8]) -> std::io::Result<()> {
        if self.journal.is_damaged() {
            self.journal.compact(&self.shared.live())?;
            tracing::info!("the transaction journal can be written again");
        }
        self.journal.append(records)
    }

    /// Lets a written transaction in, or says why not and notes in `refused` that it is dead.
    fn settle(&mut self, raw: Bytes, candidate: Candidate, refused: &mut Vec<u8>) -> Result<B256, Refusal> {
        let (hash, sender) = (candidate.hash, candidate.transaction.sender);
        let now = (self.shared.config.clock)();
        let mut effects = Effects::default();
        let settled = self
            .shared
            .with_account(sender, |store, account| store.settle(candidate, account, Origin::Local, now, &mut effects))
            .flatten();
        self.shared.announce(&effects);
        for gone in &effects.gone {
            journal::gone_record(&mut self.noted, gone);
        }
        match settled {
            Ok(()) => {
                self.shared.outgoing.push(raw);
                Ok(hash)
            }
            Err(refusal) => {
                self.shared.store.lock().release(&hash);
                journal::gone_record(refused, &hash);
                Err(refusal)
            }
        }
    }

    fn compact_if_dead(&mut self) {
        let live_bytes = self.shared.store.lock().local_bytes();
        if self.journal.is_mostly_dead(live_bytes)
            && let Err(error) = self.journal.compact(&self.shared.live())
        {
            tracing::warn!(%error, "the transaction journal could not be written anew; it grows on");
        }
    }
}
