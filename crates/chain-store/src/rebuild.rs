//! Building the commitment again from the ledger.
//!
//! The commitment says nothing that the ledger does not know: where its files are lost or damaged, every block is
//! executed again on the state before it, which the ledger still has, and the root after it is compared with the
//! block's header. A rebuild that is interrupted begins anew with the next start.

use std::sync::Arc;

use chain_exec::{Executor, StateDelta};
use tracing::info;

use crate::{
    StoreError,
    changes::Changes,
    commitment::{Commitment, StageError, entries},
    ledger::Reader,
    state::{Nothing, View},
};

/// Blocks between two syncs of the commitment.
const GROUP: u64 = 256;
/// Blocks between two lines in the log.
const REPORTED: u64 = 10_000;

/// Fills an empty commitment with all blocks of the ledger, the genesis included.
///
/// # Errors
/// When a store fails, or a block of the ledger does not lead to what its header says.
pub(crate) async fn rebuild<C: Commitment>(
    commitment: &mut C,
    reader: &Arc<Reader>,
    executor: &Executor,
) -> Result<(), StoreError> {
    add(commitment, &genesis_changes(executor)?).await?;
    let mut parent = reader.block(0)?;
    for number in 1..=reader.height {
        let sealed = reader.block(number)?;
        let view = View { overlays: Vec::new(), reader: reader.clone(), height: number - 1 };
        let executed = executor.execute(parent.block.header(), &sealed.block, &sealed.senders, &view);
        let executed = executed.map_err(|error| wrong(number, error.to_string()))?;
        add(commitment, &changes(executed.delta, &view)?).await?;
        let (header, computed) = (sealed.block.header().state_root, commitment.root());
        if header != computed {
            return Err(StoreError::RootMismatch { number, hash: sealed.block.hash(), header, computed });
        }
        if number.is_multiple_of(GROUP) {
            commitment.sync().await?.await?;
        }
        if number.is_multiple_of(REPORTED) {
            info!(number, of = reader.height, "building the state commitment again");
        }
        parent = sealed;
    }
    commitment.sync().await?.await
}

/// Computes the changes of a block and applies them.
pub(crate) async fn add<C: Commitment>(commitment: &mut C, changes: &Changes) -> Result<(), StoreError> {
    match commitment.stage(None, entries(changes)).await {
        Ok((staged, _)) => commitment.apply(staged).await,
        Err(StageError::Store(error)) => Err(error),
        Err(StageError::Stale) => Err(StoreError::Execution("a block has no place in the commitment".into())),
    }
}

/// The state of the genesis, as changes of nothing.
pub(crate) fn genesis_changes(executor: &Executor) -> Result<Changes, StoreError> {
    Changes::new(executor.genesis_delta(), &Nothing).map_err(|error| StoreError::Execution(error.to_string()))
}

fn changes(delta: StateDelta, view: &View) -> Result<Changes, StoreError> {
    Changes::new(delta, view).map_err(|error| StoreError::storage("reading the state", error.0))
}

fn wrong(number: u64, detail: String) -> StoreError {
    StoreError::Corrupt { what: "the ledger".into(), detail: format!("block {number}: {detail}") }
}
