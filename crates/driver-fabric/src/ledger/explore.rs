//! Blocks, transactions, events and addresses for people who look.

use std::time::Duration;

use driver::{BlockId, Error, Event, Interfaces, Position, Result, TransactionSlice};
use fabric_client::lifecycle;
use tokio::time::Instant;
use types::{Address, Block, BlockSummary, Code, Transaction};

use crate::ledger::clients::Access;
use crate::ledger::{FabricLedger, decode};

/// Blocks that are read together.
const AT_ONCE: u64 = 32;
/// How long is searched before a caller is given the place to go on from.
const SEARCH: Duration = Duration::from_secs(2);

pub(crate) async fn block(ledger: &FabricLedger, id: &BlockId, _: Interfaces<'_>) -> Result<Option<Block>> {
    let Some(read) = ledger.read_block(id).await? else { return Ok(None) };
    Ok(Some(Block {
        summary: decode::block_summary(&read),
        items: (0..read.block.transactions.len()).map(|index| decode::summary(&read.block, index)).collect(),
        facts: decode::block_facts(&read.block),
    }))
}

pub(crate) async fn blocks(ledger: &FabricLedger, before: Option<u64>, limit: u32) -> Result<Vec<BlockSummary>> {
    let height = ledger.height().await?;
    let end = before.map_or(height, |before| before.min(height));
    let found = ledger.read_blocks((end.saturating_sub(limit.into())..end).rev()).await?;
    Ok(found.iter().map(|read| decode::block_summary(read)).collect())
}

pub(crate) async fn transactions(
    ledger: &FabricLedger,
    before: Option<Position>,
    limit: u32,
    _: Interfaces<'_>,
) -> Result<TransactionSlice> {
    let (height, limit, start) = (ledger.height().await?, limit as usize, Instant::now());
    // Transactions of the block `at` before `index`, then those of all lower blocks.
    let mut place = before.filter(|place| place.block < height).unwrap_or(Position { block: height, index: 0 });
    let mut items = Vec::new();
    while items.len() < limit && (place.block > 0 || place.index > 0) {
        let end = if place.index > 0 { place.block + 1 } else { place.block };
        // Each block has a transaction at least.
        let wanted = (limit - items.len()) as u64;
        let lowest = end.saturating_sub(AT_ONCE.min(wanted));
        let found = ledger.read_blocks((lowest..end).rev()).await?;
        let entries = found.iter().flat_map(|read| {
            let own = read.block.number == place.block && place.index > 0;
            let all = read.block.transactions.len();
            let count = if own { all.min(place.index as usize) } else { all };
            (0..count).rev().map(move |index| decode::summary(&read.block, index))
        });
        items.extend(entries.take(limit - items.len()));
        place = match items.last().filter(|_| items.len() >= limit) {
            Some(last) => Position { block: last.block.unwrap_or_default(), index: last.index.unwrap_or_default() },
            None => Position { block: lowest, index: 0 },
        };
        if start.elapsed() > SEARCH {
            break;
        }
    }
    let at_start = place.index == 0 && place.block == 0;
    Ok(TransactionSlice { items, next: (!at_start).then_some(place) })
}

pub(crate) async fn transaction(
    ledger: &FabricLedger,
    id: &str,
    interfaces: Interfaces<'_>,
) -> Result<Option<Transaction>> {
    // Entries without an id go by their place.
    let place = id.split_once(':').and_then(|(block, index)| Some((block.parse().ok()?, index.parse::<usize>().ok()?)));
    let (read, index) = match place {
        Some((number, index)) => (ledger.read_block(&BlockId::Number(number)).await?, Some(index)),
        None => {
            let read = ledger.block_of(id).await?;
            let index = read.as_ref().and_then(|read| read.block.transactions.iter().position(|own| own.id == id));
            (read, index)
        }
    };
    let (Some(read), Some(index)) = (read, index) else { return Ok(None) };
    Ok((index < read.block.transactions.len()).then(|| decode::transaction(&read.block, index, interfaces)))
}

pub(crate) async fn events(ledger: &FabricLedger, from: Position, limit: u32) -> Result<(Vec<Event>, Position)> {
    let (height, limit, start) = (ledger.height().await?, limit as usize, Instant::now());
    let (mut place, mut events) = (from, Vec::new());
    // A peer that is behind has nothing beyond its head; the place stays.
    while place.block < height && events.len() < limit {
        let end = height.min(place.block.saturating_add(AT_ONCE));
        for read in ledger.read_blocks(place.block..end).await? {
            let block = &read.block;
            let first = if block.number == from.block { from.index as usize } else { 0 };
            for index in first..block.transactions.len() {
                let Some(log) = decode::log(block, index) else { continue };
                let next = Position { block: block.number, index: log.index + 1 };
                events.push(Event { next, transaction: decode::entry_id(block, index), log });
                if events.len() == limit {
                    return Ok((events, next));
                }
            }
        }
        place = Position { block: end, index: 0 };
        if start.elapsed() > SEARCH {
            break;
        }
    }
    Ok((events, place))
}

pub(crate) async fn address(ledger: &FabricLedger, address: &str) -> Result<Address> {
    let shown = |code_size| Address {
        address: address.to_owned(),
        balance: None,
        nonce: None,
        code_size,
        contract: None,
        member: None,
    };
    if address.contains('/') && ledger.member_of(address).is_some() {
        return Ok(shown(0));
    }
    let committed = |access: Access| async move {
        lifecycle::all_committed(access.clients.gateway.peer(), &access.identity, &access.channel).await
    };
    let known = ledger.clients.ask(&ledger.channel, None, committed).await?;
    let name = ledger.contract_name(address);
    if known.iter().any(|own| own.name == name) || ["_lifecycle", "lscc", "qscc", "cscc"].contains(&name) {
        return Ok(shown(1));
    }
    let detail = format!(
        "`{address}` is neither a contract of channel {} nor an account: accounts are written `MSP/name`.",
        ledger.channel
    );
    Err(Error::problem(Code::RequestInvalid, detail))
}
