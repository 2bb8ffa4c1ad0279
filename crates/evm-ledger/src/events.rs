//! Events from a stored place on.

use std::time::Duration;

use driver::{Error, Event, Position, Result};
use serde_json::json;
use tokio::time::Instant;

use crate::decode::plain_log;
use crate::ledger::EvmLedger;
use crate::rpc::{parsed, wire};
use crate::{explore, finality};

/// Blocks that are searched at first in one request; doubled while nothing is found.
const FIRST_BLOCKS: u64 = 500;
/// Nodes refuse ranges above 100,000.
const MOST_BLOCKS: u64 = 50_000;
/// How long a search goes on before a caller is given the place that it reached.
const SEARCH: Duration = Duration::from_secs(2);

pub(crate) async fn events(ledger: &EvmLedger, from: Position, limit: u32) -> Result<(Vec<Event>, Position)> {
    let (head, start, limit) = (finality::head(ledger).await?, Instant::now(), limit as usize);
    let (mut place, mut events, mut blocks) = (from, Vec::new(), FIRST_BLOCKS);
    // A node that is behind has nothing beyond its head; the place stays.
    while place.block <= head && events.len() < limit {
        let last = place.block.saturating_add(blocks - 1).min(head);
        let Some(logs) = logs(ledger, place.block, last).await? else {
            blocks = (blocks / 4).max(1);
            continue;
        };
        let fresh = logs.iter().filter(|log| position(log) > place).map(event);
        let before = events.len();
        events.extend(fresh.take(limit - before));
        place = match events.last() {
            Some(event) if events.len() >= limit => event.next,
            _ => Position { block: last + 1, index: 0 },
        };
        if start.elapsed() > SEARCH {
            break;
        }
        blocks = (blocks * 2).min(MOST_BLOCKS);
    }
    Ok((events, place))
}

/// The logs of a range; none when they are too many for one answer.
async fn logs(ledger: &EvmLedger, first: u64, last: u64) -> Result<Option<Vec<wire::Log>>> {
    const METHOD: &str = "eth_getLogs";
    let filter = json!([{ "fromBlock": format!("{first:#x}"), "toBlock": format!("{last:#x}") }]);
    match ledger.client.ask(METHOD, filter).await? {
        Err(error) if error.is_too_much() && last > first => Ok(None),
        // One block with more logs than a log query answers.
        Err(error) if error.is_limit() => {
            let headers = explore::headers(ledger, &[first]).await?;
            let block = headers.first().ok_or_else(|| Error::Protocol(format!("block {first} is not there")))?;
            let receipts = explore::receipts(ledger, first, &block.transactions).await?;
            Ok(Some(receipts.into_iter().flat_map(|receipt| receipt.logs).collect()))
        }
        answer => parsed(METHOD, answer).map(Some),
    }
}

/// The place right after an entry.
fn position(log: &wire::Log) -> Position {
    Position { block: log.block_number.to(), index: log.log_index.saturating_to::<u32>().saturating_add(1) }
}

fn event(log: &wire::Log) -> Event {
    Event { next: position(log), transaction: log.transaction_hash.to_string(), log: plain_log(log) }
}
