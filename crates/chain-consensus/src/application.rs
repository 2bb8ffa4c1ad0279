//! Building and checking blocks for the engine.
//!
//! Both run on a block's ancestry: a parent that this node has not executed (it was decided without this node's vote)
//! is executed first. What cannot be decided yet is left pending, as the engine asks; `false` means that the block is
//! wrong for ever.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_primitives::{Address, B256};
use chain_exec::BuildLimits;
use chain_pool::Pool;
use chain_store::{Chain, StoreError, Verify};
use chain_types::{Block, MAX_BLOCK_BYTES, Recovered, timestamp_millis};
use commonware_consensus::{Application, marshal::ancestry::Ancestry, simplex::types::Context};
use commonware_cryptography::{Digested, Digestible as _};
use commonware_macros::select;
use commonware_runtime::Clock;
use commonware_utils::SystemTimeExt as _;
use futures::{StreamExt as _, channel::mpsc, future::pending};
use tracing::{debug, warn};

use crate::{Digest, Environment, Error, Pace, PublicKey, Scheme, pace::MAX_AHEAD};

/// Time that a leader spends on filling a block.
const BUILD_TIME: Duration = Duration::from_millis(150);

/// Room that a block leaves for its header and list prefixes.
const BLOCK_OVERHEAD: usize = 2 * 1024;

/// How far a block may be above the finalised head to be executed through its ancestry; further up, delivery of
/// finalised blocks is the better way.
const MAX_GAP: u64 = 64;

/// Where a part of consensus reports that the node must stop.
#[derive(Clone)]
pub(crate) struct Fatal(mpsc::UnboundedSender<Error>);

impl Fatal {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Error>) {
        let (sender, receiver) = mpsc::unbounded();
        (Self(sender), receiver)
    }

    pub(crate) fn report(&self, error: impl Into<Error>) {
        // A closed channel means that the node is stopping for an earlier error.
        let _ = self.0.unbounded_send(error.into());
    }
}

/// Milliseconds since 1970 by the runtime's clock.
pub(crate) fn now_ms(clock: &impl Clock) -> u64 {
    u64::try_from(clock.current().epoch().as_millis()).unwrap_or(u64::MAX)
}

/// Builds and checks blocks.
#[derive(Clone)]
pub(crate) struct Blocks {
    chain: Chain,
    pool: Pool,
    pace: Pace,
    fatal: Fatal,
    // The newest block that the pool was told of; it may lag the chain's head for a moment.
    pooled: Arc<AtomicU64>,
}

/// The ancestry cannot be executed: it is below the finalised head, or on another fork.
struct Stale;

impl Blocks {
    pub(crate) fn new(chain: Chain, pool: Pool, pace: Pace, fatal: Fatal, pooled: Arc<AtomicU64>) -> Self {
        Self { chain, pool, pace, fatal, pooled }
    }

    /// Reports a failure of the store and never returns: the node is about to stop.
    async fn stop<T>(&self, error: StoreError) -> T {
        self.fatal.report(error);
        pending().await
    }

    /// Executes the newest block of the ancestry and what is missing below it.
    async fn execute(&self, ancestry: impl Ancestry<Block>) -> Result<(), Stale> {
        'again: loop {
            let mut rest = ancestry.clone();
            let mut missing = Vec::new();
            loop {
                let Some(block) = rest.next().await else { return Err(Stale) };
                let block = block.inner_shared();
                if self.chain.candidate(&block.hash()).is_some() {
                    break;
                }
                let head = self.chain.head().block.number();
                if block.number() <= head {
                    return Err(Stale);
                }
                if block.number() > head + MAX_GAP {
                    self.head_reaches(block.number() - MAX_GAP).await;
                    continue 'again;
                }
                missing.push(block);
            }
            for block in missing.iter().rev() {
                match self.chain.verify(Block::clone(block)).await {
                    Ok(()) => {}
                    // The head has moved past the parent meanwhile: look again.
                    Err(Verify::MissingParent) => continue 'again,
                    Err(Verify::Invalid(reason)) => {
                        // A quorum has notarised what this node finds wrong.
                        warn!(number = block.number(), hash = %block.hash(), %reason, "a notarised block is not valid here");
                        return Err(Stale);
                    }
                    Err(Verify::Store(error)) => return self.stop(error).await,
                }
            }
            return Ok(());
        }
    }

    async fn head_reaches(&self, number: u64) {
        let mut heads = self.chain.subscribe();
        while self.chain.head().block.number() < number {
            // A reader that lags looks at the head again, a closed sender means that the node stops.
            if let Err(tokio::sync::broadcast::error::RecvError::Closed) = heads.recv().await {
                pending::<()>().await;
            }
        }
    }

    /// For each sender in the blocks that the pool has not seen as final, the nonce after its last transaction there.
    fn next_nonces(&self, parent: &B256) -> HashMap<Address, u64> {
        let pooled = self.pooled.load(Ordering::Acquire);
        let mut nonces = HashMap::new();
        let mut hash = *parent;
        while let Some(candidate) = self.chain.candidate(&hash) {
            let sealed = &candidate.sealed;
            if sealed.block.number() <= pooled {
                break;
            }
            for (transaction, sender) in sealed.block.transactions().iter().zip(&sealed.senders) {
                let next = alloy_consensus::Transaction::nonce(transaction) + 1;
                let entry = nonces.entry(*sender).or_insert(next);
                *entry = next.max(*entry);
            }
            hash = sealed.block.header().parent_hash;
        }
        nonces
    }

    /// Waits for transactions that can follow `parent`, for a heartbeat at most.
    async fn transactions(
        &self,
        clock: &impl Clock,
        parent: &Block,
    ) -> Box<dyn Iterator<Item = Arc<Recovered>> + Send> {
        let deadline = self.pace.heartbeat_ms(parent, now_ms(clock));
        loop {
            let seen = self.pool.arrivals();
            let mut candidates = self.pool.candidates_after(self.next_nonces(&parent.hash())).peekable();
            if candidates.peek().is_some() {
                return Box::new(candidates);
            }
            let now = now_ms(clock);
            if now >= deadline {
                return Box::new(std::iter::empty());
            }
            select! {
                _ = self.pool.wait_arrival(seen) => {},
                () = clock.sleep(Duration::from_millis(deadline - now)) => {},
            }
        }
    }
}

impl<E: Environment> Application<E> for Blocks {
    type SigningScheme = Scheme;
    type Context = Context<Digest, PublicKey>;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        (context, _): (E, Self::Context),
        ancestry: impl Ancestry<Block>,
        (): (),
    ) -> Option<Digested<Block>> {
        let parent = ancestry.peek()?.inner_shared();
        if let Err(Stale) = self.execute(ancestry).await {
            debug!(parent = parent.number(), "no proposal: the parent is not on the finalised chain");
            return None;
        }

        let now = now_ms(&context);
        let earliest = self.pace.earliest_ms(&parent, now);
        context.sleep(Duration::from_millis(earliest - now)).await;
        let candidates = self.transactions(&context, &parent).await;

        let limits = BuildLimits {
            gas: parent.header().gas_limit,
            bytes: MAX_BLOCK_BYTES - BLOCK_OVERHEAD,
            deadline: BUILD_TIME,
        };
        let when = now_ms(&context).max(timestamp_millis(parent.header()));
        // In a task of its own, so that a view that ends does not interrupt the store half-way.
        let (chain, hash) = (self.chain.clone(), parent.hash());
        let built =
            context.child("build").spawn(move |_| async move { chain.propose(&hash, when, candidates, limits).await });
        match built.await.ok()? {
            Ok(proposed) => {
                for (hash, reason) in &proposed.skipped {
                    match reason.is_permanent() {
                        true => self.pool.invalid(hash, reason.to_string()),
                        false => self.pool.skipped(hash),
                    }
                }
                let digest = proposed.block.digest();
                Some(Digested::precomputed(proposed.block, digest))
            }
            Err(StoreError::UnknownParent(_)) => None,
            Err(error) => self.stop(error).await,
        }
    }

    async fn verify(&mut self, (context, _): (E, Self::Context), ancestry: impl Ancestry<Block>) -> bool {
        let Some(block) = ancestry.peek().map(Digested::inner_shared) else { return pending().await };

        let ahead = timestamp_millis(block.header()).saturating_sub(now_ms(&context));
        if let Some(wait) = Duration::from_millis(ahead).checked_sub(MAX_AHEAD) {
            context.sleep(wait).await;
        }

        loop {
            let (chain, candidate) = (self.chain.clone(), Block::clone(&block));
            let verified = context.child("execute").spawn(move |_| async move { chain.verify(candidate).await });
            let Ok(verified) = verified.await else { return pending().await };
            match verified {
                Ok(()) => return true,
                Err(Verify::Invalid(reason)) => {
                    warn!(number = block.number(), hash = %block.hash(), %reason, "a proposed block is not valid");
                    return false;
                }
                Err(Verify::MissingParent) => {
                    let mut parents = ancestry.clone();
                    parents.next().await;
                    if let Err(Stale) = self.execute(parents).await {
                        // Not ours to judge; the engine gives the question up when the view ends.
                        return pending().await;
                    }
                }
                Err(Verify::Store(error)) => return self.stop(error).await,
            }
        }
    }
}
