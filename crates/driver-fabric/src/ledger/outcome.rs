//! What became of a transaction.

use std::time::Duration;

use driver::{Inclusion, Outcome, Result};
use tokio::time::{Instant, sleep};

use crate::ledger::blocks::Read;
use crate::ledger::{FabricLedger, decode};

const PAUSE: Duration = Duration::from_millis(200);
/// A peer that is behind would tell late what others know: so long one is asked before all are.
const ONE_PEER: Duration = Duration::from_secs(5);

pub(crate) async fn outcome(ledger: &FabricLedger, id: &str) -> Result<Outcome> {
    let found = ledger.block_of(id).await?;
    // Nobody tells of transactions that wait: orderers do not say.
    Ok(found.and_then(|read| in_block(&read, id)).unwrap_or(Outcome::Unknown))
}

/// The first of a block's entries with that id counts: a copy of the same bytes after it has no effect.
fn in_block(read: &Read, id: &str) -> Option<Outcome> {
    let index = read.block.transactions.iter().position(|own| own.id == id)?;
    let inclusion =
        Inclusion { block: read.block.number, index: u32::try_from(index).ok()?, gas_used: None, contract: None };
    Some(match decode::failure(read.block.transactions[index].validation) {
        None => Outcome::Committed(inclusion),
        Some(reason) => Outcome::Invalid { inclusion, reason },
    })
}

/// A gateway tells as soon as its peer has the block. When it cannot, the ledger is looked into.
pub(crate) async fn wait(ledger: &FabricLedger, id: &str, limit: Duration) -> Result<Outcome> {
    let end = Instant::now() + limit;
    let first = ledger.sent.lock().peek(id).cloned().flatten();
    loop {
        for node in ledger.clients.channel_peers(&ledger.channel, first.as_deref()) {
            let left = end.saturating_duration_since(Instant::now()).min(ONE_PEER);
            if left.is_zero() {
                break;
            }
            let Ok(access) = ledger.clients.access(&ledger.channel, node).await else { continue };
            let told = access.clients.gateway.commit_status(&access.identity, &access.channel, id, left).await;
            match told {
                Ok(_) => break,
                Err(fabric_client::Error::Deadline { .. }) => break,
                Err(_) => ledger.clients.note_silence(node),
            }
        }
        let known = outcome(ledger, id).await;
        if known.as_ref().is_ok_and(|outcome| outcome.inclusion().is_some()) || Instant::now() >= end {
            return known;
        }
        sleep(PAUSE.min(end.saturating_duration_since(Instant::now()))).await;
    }
}
