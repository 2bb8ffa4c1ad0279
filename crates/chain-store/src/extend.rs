//! How the chain grows: blocks are proposed, verified, and become final.

use std::sync::Arc;

use alloy_primitives::B256;
use chain_exec::{BuildLimits, Executed, Executor, Invalid, SkipReason};
use chain_types::{Block, Recovered, SenderCache};
use tokio::sync::oneshot;

use crate::{
    Candidate, Chain, Sealed, StoreError, Verify, changes::Changes, commitment::StageError, tree::StagedId,
    worker::Message,
};

/// A block that was built here.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The block.
    pub block: Block,
    /// Transactions that could not be included, by hash.
    pub skipped: Vec<(B256, SkipReason)>,
}

impl Chain {
    /// Executes a block on its parent, checks it against its header, state root included, and keeps it. A block that
    /// is known already is not executed again.
    ///
    /// # Errors
    /// See [`Verify`].
    pub async fn verify(&self, block: Block) -> Result<(), Verify> {
        if self.knows(&block)? {
            return Ok(());
        }
        let _execution = self.0.execution.lock().await;
        if self.knows(&block)? {
            return Ok(());
        }
        self.execute(block).await.map(drop)
    }

    /// Builds a block on a parent that is the head or above it, computes its root and keeps it.
    ///
    /// # Errors
    /// [`StoreError::UnknownParent`]; [`StoreError::Execution`]; or when a store fails.
    pub async fn propose(
        &self,
        parent: &B256,
        when_ms: u64,
        candidates: Box<dyn Iterator<Item = Arc<Recovered>> + Send>,
        limits: BuildLimits,
    ) -> Result<Proposed, StoreError> {
        self.alive()?;
        let _execution = self.0.execution.lock().await;
        let unknown = || StoreError::UnknownParent(*parent);
        let parent = self.candidate(parent).ok_or_else(unknown)?;
        let view = self.0.tree.read().view(&parent).ok_or_else(unknown)?;
        let executor = self.0.executor.clone();
        let header = parent.block().header().clone();
        let build = move || {
            let mut candidates = candidates;
            let mut built = executor.build(&header, when_ms, &view, &mut candidates, limits)?;
            let changes = Changes::new(std::mem::take(&mut built.executed.delta), &view)?;
            Ok((built, Arc::new(changes)))
        };
        let built = self.0.blocking.run(build).await?;
        let (mut built, changes) = built.map_err(|error: chain_exec::ExecError| self.local(error))?;
        let (staged, root) = match self.stage(&parent, &changes).await {
            Ok(staged) => staged,
            Err(StageError::Stale) => return Err(unknown()),
            Err(StageError::Store(error)) => return Err(error),
        };
        let senders = std::mem::take(&mut built.senders);
        let skipped = std::mem::take(&mut built.skipped);
        let (block, executed) = Executor::seal(built, root);
        let sealed = Arc::new(Sealed { block: block.clone(), senders, receipts: executed.receipts });
        self.keep(Candidate { sealed, changes, staged })?.ok_or_else(unknown)?;
        Ok(Proposed { block, skipped })
    }

    /// Takes a final block: blocks come in the order of their heights, and may come again. Executes it when it is
    /// unknown, moves the head and tells the subscribers. The receiver resolves when the block is durable in both
    /// stores, and fails when they fail before.
    ///
    /// # Errors
    /// All are fatal: the block is invalid here, out of order, or a store failed.
    pub async fn finalize(&self, block: Block) -> Result<oneshot::Receiver<()>, StoreError> {
        self.alive()?;
        let (durable, receiver) = oneshot::channel();
        let (number, hash) = (block.number(), block.hash());
        loop {
            let head = self.head();
            if number <= head.block.number() {
                if self.hash_by_number(number)? != Some(hash) {
                    return Err(self.fatal(invalid_final(&block, "another block is final at its height".into())));
                }
                self.send(Message::Await { number, durable })?;
                return Ok(receiver);
            }
            if number != head.block.number() + 1 {
                return Err(self.fatal(StoreError::OutOfOrder { number, head: head.block.number() }));
            }
            if block.header().parent_hash != head.block.hash() {
                return Err(self.fatal(invalid_final(&block, "its parent is not the final block below it".into())));
            }
            // A block that was executed before it became final, the usual case, does not wait for the one that is
            // being executed now.
            let Some(candidate) = self.candidate(&hash) else {
                let _execution = self.0.execution.lock().await;
                if self.candidate(&hash).is_none() {
                    self.execute(block.clone()).await.map_err(|error| match error {
                        Verify::Store(error) => error,
                        Verify::Invalid(reason) => self.fatal(invalid_final(&block, reason)),
                        Verify::MissingParent => self.fatal(invalid_final(&block, "its parent has no state".into())),
                    })?;
                }
                continue;
            };
            // The head, the worker and the subscribers learn of blocks in one order.
            let mut tree = self.0.tree.write();
            if !tree.finalize(candidate.clone()) {
                // Somebody else has moved the head.
                continue;
            }
            let sealed = candidate.sealed.clone();
            self.send(Message::Final { candidate, durable })?;
            // Nobody may be listening.
            let _ = self.0.news.send(sealed);
            return Ok(receiver);
        }
    }

    fn knows(&self, block: &Block) -> Result<bool, StoreError> {
        self.alive()?;
        let tree = self.0.tree.read();
        if tree.candidate(&block.hash()).is_some() {
            return Ok(true);
        }
        // At or below the head, final blocks are right and others are not.
        let finalized = block.number() <= tree.head().block().number();
        drop(tree);
        Ok(finalized && self.hash_by_number(block.number())? == Some(block.hash()))
    }

    /// Executes a block and keeps it. The caller holds the execution lock.
    async fn execute(&self, block: Block) -> Result<Arc<Candidate>, Verify> {
        let parent = self.candidate(&block.header().parent_hash).ok_or(Verify::MissingParent)?;
        let view = self.0.tree.read().view(&parent).ok_or(Verify::MissingParent)?;
        let (executor, threads) = (self.0.executor.clone(), self.0.threads);
        let (executing, header) = (block.clone(), parent.block().header().clone());
        let execute = move || -> Result<_, Invalid> {
            executor.check(&header, &executing)?;
            let senders = SenderCache::global().recover_all(executing.transactions(), threads);
            let Ok(senders) = senders.map_err(|(index, _)| index) else {
                return Ok(Err("a transaction's signature is not valid".to_owned()));
            };
            let mut executed = executor.execute(&header, &executing, &senders, &view)?;
            let delta = std::mem::take(&mut executed.delta);
            let changes = Changes::new(delta, &view).map_err(chain_exec::ExecError::from)?;
            Ok(Ok((senders, executed, Arc::new(changes))))
        };
        let executed = self.0.blocking.run(execute).await?;
        let (senders, executed, changes): (_, Executed, _) = match executed {
            Ok(Ok(executed)) => executed,
            Ok(Err(reason)) => return Err(Verify::Invalid(reason)),
            Err(Invalid::Failed(error)) => return Err(self.local(error).into()),
            Err(invalid) => return Err(Verify::Invalid(invalid.to_string())),
        };
        let (staged, root) = match self.stage(&parent, &changes).await {
            Ok(staged) => staged,
            Err(StageError::Stale) => return Err(Verify::MissingParent),
            Err(StageError::Store(error)) => return Err(error.into()),
        };
        if root != block.header().state_root {
            return Err(Verify::Invalid(format!("the state root is {}, not {root}", block.header().state_root)));
        }
        let sealed = Arc::new(Sealed { block, senders, receipts: executed.receipts });
        self.keep(Candidate { sealed, changes, staged })?.ok_or(Verify::MissingParent)
    }

    /// Keeps an executed block for as long as it may become final; `None` when it cannot any more.
    fn keep(&self, candidate: Candidate) -> Result<Option<Arc<Candidate>>, StoreError> {
        let staged = candidate.staged;
        let (kept, forgotten) = self.0.tree.write().insert(candidate);
        if !forgotten.is_empty() {
            self.send(Message::Forget(forgotten))?;
        }
        // A block that is known already, or leads nowhere, was staged for nothing.
        if kept.as_ref().is_none_or(|kept| kept.staged != staged) {
            self.send(Message::Forget(vec![staged]))?;
        }
        Ok(kept)
    }

    async fn stage(&self, parent: &Candidate, changes: &Arc<Changes>) -> Result<(StagedId, B256), StageError> {
        let (reply, answer) = oneshot::channel();
        let number = parent.block().number() + 1;
        self.send(Message::Stage { parent: parent.staged, number, changes: changes.clone(), reply })?;
        answer.await.map_err(|_| self.stopped())?
    }

    /// An error of this node, not of a block.
    fn local(&self, error: chain_exec::ExecError) -> StoreError {
        match error {
            chain_exec::ExecError::State(error) => {
                let cause = self.0.ledger.broken().cloned();
                self.fatal(cause.unwrap_or_else(|| StoreError::storage("reading the state", error.0)))
            }
            error => StoreError::Execution(error.to_string()),
        }
    }
}

fn invalid_final(block: &Block, reason: String) -> StoreError {
    StoreError::InvalidFinal { number: block.number(), hash: block.hash(), reason }
}
