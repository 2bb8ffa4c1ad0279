//! Blocks, transactions and addresses for people who look.

use std::time::Duration;

use alloy_primitives::{Bytes, U64, U256, hex};
use driver::{BlockId, Interfaces, Position, Result, TransactionSlice};
use serde_json::{Value, json};
use tokio::time::Instant;
use types::{Address, Block, BlockSummary, Transaction};

use crate::ledger::{
    NativeLedger, account,
    decode::{Decoder, block_summary},
    hash, outcome,
};
use crate::rpc::{Request, parsed, wire};

/// Blocks with the hashes of their transactions in one request: full ones have thousands.
const BLOCKS_AT_ONCE: usize = 50;
/// Counts of transactions in one request.
const COUNTS_AT_ONCE: u64 = 500;
/// Transactions with their receipts in one request.
const TRANSACTIONS_AT_ONCE: usize = 200;
/// How long empty blocks are walked over before a caller is given the place to go on from.
const WALK: Duration = Duration::from_secs(2);

pub(super) async fn block(ledger: &NativeLedger, id: &BlockId, interfaces: Interfaces<'_>) -> Result<Option<Block>> {
    let request: Request = match id {
        BlockId::Number(number) => ("eth_getBlockByNumber", json!([quantity(*number), true])),
        BlockId::Hash(hash) => ("eth_getBlockByHash", json!([hash, true])),
        BlockId::Latest => ("eth_getBlockByNumber", json!(["latest", true])),
    };
    let Some(block) = ledger.client.get::<Option<wire::Block<wire::Transaction>>>(request.0, request.1).await? else {
        return Ok(None);
    };
    let receipts = match block.transactions.is_empty() {
        true => Vec::new(),
        false => ledger
            .client
            .get::<Option<Vec<wire::Receipt>>>("eth_getBlockReceipts", json!([block.number]))
            .await?
            .unwrap_or_default(),
    };
    let (decoder, at) = (Decoder::new(interfaces), Some(block.at()));
    let item = |(index, transaction): (usize, &wire::Transaction)| {
        let receipt = receipts.get(index).filter(|receipt| receipt.transaction_hash == transaction.hash);
        decoder.summary(transaction, receipt, at)
    };
    Ok(Some(Block {
        summary: block_summary(&block),
        items: block.transactions.iter().enumerate().map(item).collect(),
        facts: json!({
            "stateRoot": block.state_root,
            "transactionsRoot": block.transactions_root,
            "receiptsRoot": block.receipts_root,
            "feeRecipient": block.miner.to_string(),
            "baseFeePerGas": block.base_fee_per_gas.map(|fee| fee.to_string()),
            "extraData": block.extra_data,
        }),
    }))
}

pub(super) async fn blocks(ledger: &NativeLedger, before: Option<u64>, limit: u32) -> Result<Vec<BlockSummary>> {
    let end = end(ledger, before).await?;
    let numbers: Vec<u64> = (end.saturating_sub(limit.into())..end).rev().collect();
    let mut found = Vec::with_capacity(numbers.len());
    for some in numbers.chunks(BLOCKS_AT_ONCE) {
        found.extend(headers(ledger, some).await?.iter().map(block_summary));
    }
    Ok(found)
}

/// The height after the newest block that a list starts with.
async fn end(ledger: &NativeLedger, before: Option<u64>) -> Result<u64> {
    let head: U64 = ledger.client.get("eth_blockNumber", json!([])).await?;
    let end = head.to::<u64>() + 1;
    Ok(before.map_or(end, |before| before.min(end)))
}

/// Blocks with the hashes of their transactions, those left out that the node does not have.
async fn headers(ledger: &NativeLedger, numbers: &[u64]) -> Result<Vec<wire::Block>> {
    const METHOD: &str = "eth_getBlockByNumber";
    let requests: Vec<Request> = numbers.iter().map(|number| (METHOD, json!([quantity(*number), false]))).collect();
    let answers = ledger.client.ask_all(&requests).await?;
    let blocks = answers.into_iter().map(|answer| parsed::<Option<wire::Block>>(METHOD, answer));
    blocks.filter_map(Result::transpose).collect()
}

pub(super) async fn transactions(
    ledger: &NativeLedger,
    before: Option<Position>,
    limit: u32,
    interfaces: Interfaces<'_>,
) -> Result<TransactionSlice> {
    let (limit, decoder, start) = (limit as usize, Decoder::new(interfaces), Instant::now());
    let head_end = end(ledger, None).await?;
    // Transactions of the block `at` before `index`, then those of all lower blocks.
    let mut place = before.filter(|place| place.block < head_end).unwrap_or(Position { block: head_end, index: 0 });
    let mut items = Vec::new();
    while items.len() < limit && (place.block > 0 || place.index > 0) {
        let end = if place.index > 0 { place.block + 1 } else { place.block };
        let numbers: Vec<u64> = (end.saturating_sub(COUNTS_AT_ONCE)..end).rev().collect();
        let full = not_empty(ledger, &numbers).await?;
        let lowest = numbers.last().copied().unwrap_or_default();
        for some in full.chunks(BLOCKS_AT_ONCE) {
            let blocks = headers(ledger, some).await?;
            let wanted: Vec<(usize, usize)> = blocks
                .iter()
                .enumerate()
                .flat_map(|(which, block)| {
                    let own = block.number.to::<u64>() == place.block && place.index > 0;
                    let count =
                        if own { block.transactions.len().min(place.index as usize) } else { block.transactions.len() };
                    (0..count).rev().map(move |index| (which, index))
                })
                .take(limit - items.len())
                .collect();
            for part in wanted.chunks(TRANSACTIONS_AT_ONCE) {
                let hashes = part.iter().map(|(which, index)| blocks[*which].transactions[*index]);
                let found = with_receipts(ledger, hashes).await?;
                items.extend(part.iter().zip(&found).map(|((which, _), (transaction, receipt))| {
                    decoder.summary(transaction, Some(receipt), Some(blocks[*which].at()))
                }));
            }
            if items.len() >= limit {
                break;
            }
        }
        place = match items.last().filter(|_| items.len() >= limit) {
            Some(last) => Position { block: last.block.unwrap_or_default(), index: last.index.unwrap_or_default() },
            None => Position { block: lowest, index: 0 },
        };
        if start.elapsed() > WALK {
            break;
        }
    }
    // Block 0 has no transactions.
    let at_start = place.index == 0 && place.block <= 1;
    Ok(TransactionSlice { items, next: (!at_start).then_some(place) })
}

/// Those of the blocks that have transactions.
async fn not_empty(ledger: &NativeLedger, numbers: &[u64]) -> Result<Vec<u64>> {
    const METHOD: &str = "eth_getBlockTransactionCountByNumber";
    let requests: Vec<Request> = numbers.iter().map(|number| (METHOD, json!([quantity(*number)]))).collect();
    let mut full = Vec::new();
    for (number, answer) in numbers.iter().zip(ledger.client.ask_all(&requests).await?) {
        if parsed::<Option<U64>>(METHOD, answer)?.is_some_and(|count| !count.is_zero()) {
            full.push(*number);
        }
    }
    Ok(full)
}

async fn with_receipts(
    ledger: &NativeLedger,
    hashes: impl Iterator<Item = alloy_primitives::B256>,
) -> Result<Vec<(wire::Transaction, wire::Receipt)>> {
    let one = |hash| [("eth_getTransactionByHash", json!([hash])), ("eth_getTransactionReceipt", json!([hash]))];
    let requests: Vec<Request> = hashes.flat_map(one).collect();
    let mut answers = ledger.client.ask_all(&requests).await?.into_iter();
    let mut found = Vec::with_capacity(requests.len() / 2);
    while let (Some(transaction), Some(receipt)) = (answers.next(), answers.next()) {
        let transaction = parsed("eth_getTransactionByHash", transaction)?;
        found.push((transaction, parsed("eth_getTransactionReceipt", receipt)?));
    }
    Ok(found)
}

pub(super) async fn transaction(
    ledger: &NativeLedger,
    id: &str,
    interfaces: Interfaces<'_>,
) -> Result<Option<Transaction>> {
    let Some(found) = outcome::find(ledger, &hash(id)?).await? else { return Ok(None) };
    let (transaction, receipt, decoder) = (&found.transaction, found.receipt.as_ref(), Decoder::new(interfaces));
    let at = match receipt {
        None => None,
        Some(receipt) => headers(ledger, &[receipt.block_number.to()]).await?.first().map(wire::Block::at),
    };
    let error = match receipt {
        Some(receipt) if !receipt.succeeded() => {
            let abi = transaction.to.and_then(|to| decoder.abi(&to).or_else(|| ledger.called.get(&to)));
            Some(outcome::failure(ledger, transaction, receipt, abi.as_ref()).await)
        }
        _ => None,
    };
    Ok(Some(Transaction {
        summary: decoder.summary(transaction, receipt, at),
        nonce: transaction.nonce.to(),
        gas_limit: Some(transaction.gas.to()),
        gas_used: receipt.map(|receipt| receipt.gas_used.to()),
        contract_address: receipt.and_then(wire::Receipt::created),
        input: hex::encode_prefixed(&transaction.input),
        decoded: decoder.call(transaction),
        logs: receipt.map(|receipt| receipt.logs.iter().map(|log| decoder.log(log)).collect()).unwrap_or_default(),
        error,
        raw: found.raw,
    }))
}

pub(super) async fn address(ledger: &NativeLedger, address: &str) -> Result<Address> {
    let address = account(address)?;
    let params = json!([address, "latest"]);
    let methods = ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"];
    let mut answers = ledger.client.ask_all(&methods.map(|method| (method, params.clone()))).await?.into_iter();
    let mut next = || answers.next().unwrap_or(Ok(Value::Null));
    let balance: U256 = parsed(methods[0], next())?;
    let nonce: U64 = parsed(methods[1], next())?;
    let code: Bytes = parsed(methods[2], next())?;
    Ok(Address {
        address: address.to_string(),
        balance: balance.to_string(),
        nonce: nonce.to(),
        code_size: code.len() as u64,
        contract: None,
        member: None,
    })
}

fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

/// The height of the newest block.
pub(super) async fn head(ledger: &NativeLedger) -> Result<u64> {
    Ok(end(ledger, None).await? - 1)
}
