//! Blocks, transactions and addresses for people who look.

use std::time::Duration;

use alloy_primitives::{B256, Bytes, U64, U256, hex};
use driver::{BlockId, Interfaces, Position, Result, TransactionSlice};
use serde_json::{Value, json};
use tokio::time::Instant;
use types::{Address, Block, BlockSummary, Transaction};

use crate::decode::{Decoder, block_summary};
use crate::ledger::{EvmLedger, account, hash};
use crate::rpc::{Request, parsed, wire};
use crate::{Finality, finality, outcome};

/// Blocks with the hashes of their transactions in one request: full ones have thousands.
const BLOCKS_AT_ONCE: usize = 50;
/// Counts of transactions in one request.
const COUNTS_AT_ONCE: u64 = 500;
/// Transactions with their receipts in one request.
const TRANSACTIONS_AT_ONCE: usize = 200;
/// How long empty blocks are walked over before a caller is given the place to go on from.
const WALK: Duration = Duration::from_secs(2);

pub(crate) async fn block(ledger: &EvmLedger, id: &BlockId, interfaces: Interfaces<'_>) -> Result<Option<Block>> {
    let request: Request = match id {
        BlockId::Number(number) => ("eth_getBlockByNumber", json!([quantity(*number), true])),
        BlockId::Hash(hash) => ("eth_getBlockByHash", json!([hash, true])),
        BlockId::Latest if ledger.settings.finality == Finality::Immediate => {
            ("eth_getBlockByNumber", json!(["latest", true]))
        }
        BlockId::Latest => ("eth_getBlockByNumber", json!([quantity(finality::head(ledger).await?), true])),
    };
    let Some(block) = ledger.client.get::<Option<wire::Block<wire::Transaction>>>(request.0, request.1).await? else {
        return Ok(None);
    };
    if ledger.settings.finality != Finality::Immediate && block.number() > finality::head(ledger).await? {
        return Ok(None);
    }
    let hashes: Vec<B256> = block.transactions.iter().map(|transaction| transaction.hash).collect();
    let receipts = receipts(ledger, block.number(), &hashes).await?;
    let (decoder, header) = (Decoder::new(interfaces), &block.header);
    let at = Some(ledger.at(header));
    let item = |(index, transaction): (usize, &wire::Transaction)| {
        let receipt = receipts.get(index).filter(|receipt| receipt.transaction_hash == transaction.hash);
        decoder.summary(transaction, receipt, at)
    };
    Ok(Some(Block {
        summary: block_summary(ledger, &block),
        items: block.transactions.iter().enumerate().map(item).collect(),
        facts: json!({
            "stateRoot": header.state_root,
            "transactionsRoot": header.transactions_root,
            "receiptsRoot": header.receipts_root,
            "feeRecipient": header.miner.to_string(),
            "baseFeePerGas": header.base_fee_per_gas.map(|fee| fee.to_string()),
            "extraData": header.extra_data,
        }),
    }))
}

pub(crate) async fn blocks(ledger: &EvmLedger, before: Option<u64>, limit: u32) -> Result<Vec<BlockSummary>> {
    let end = end(ledger, before).await?;
    let numbers: Vec<u64> = (end.saturating_sub(limit.into())..end).rev().collect();
    let mut found = Vec::with_capacity(numbers.len());
    for some in numbers.chunks(BLOCKS_AT_ONCE) {
        found.extend(headers(ledger, some).await?.iter().map(|block| block_summary(ledger, block)));
    }
    Ok(found)
}

/// The height after the newest block that a list starts with.
async fn end(ledger: &EvmLedger, before: Option<u64>) -> Result<u64> {
    let end = finality::head(ledger).await? + 1;
    Ok(before.map_or(end, |before| before.min(end)))
}

/// Blocks with the hashes of their transactions, those left out that the node does not have.
pub(crate) async fn headers(ledger: &EvmLedger, numbers: &[u64]) -> Result<Vec<wire::Block>> {
    const METHOD: &str = "eth_getBlockByNumber";
    let requests: Vec<Request> = numbers.iter().map(|number| (METHOD, json!([quantity(*number), false]))).collect();
    let answers = ledger.client.ask_all(&requests).await?;
    let blocks = answers.into_iter().map(|answer| parsed::<Option<wire::Block>>(METHOD, answer));
    blocks.filter_map(Result::transpose).collect()
}

pub(crate) async fn transactions(
    ledger: &EvmLedger,
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
                    let own = block.number() == place.block && place.index > 0;
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
                    decoder.summary(transaction, Some(receipt), Some(ledger.at(&blocks[*which].header)))
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
async fn not_empty(ledger: &EvmLedger, numbers: &[u64]) -> Result<Vec<u64>> {
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

/// The receipts of a block's transactions, in their order.
pub(crate) async fn receipts(ledger: &EvmLedger, block: u64, transactions: &[B256]) -> Result<Vec<wire::Receipt>> {
    const ONE: &str = "eth_getTransactionReceipt";
    if transactions.is_empty() {
        return Ok(Vec::new());
    }
    let together: Option<Option<Vec<wire::Receipt>>> =
        ledger.client.get_if_there("eth_getBlockReceipts", json!([quantity(block)])).await?;
    if let Some(receipts) = together {
        return Ok(receipts.unwrap_or_default());
    }
    let mut receipts = Vec::with_capacity(transactions.len());
    for some in transactions.chunks(TRANSACTIONS_AT_ONCE) {
        let requests: Vec<Request> = some.iter().map(|hash| (ONE, json!([hash]))).collect();
        for answer in ledger.client.ask_all(&requests).await? {
            receipts.extend(parsed::<Option<wire::Receipt>>(ONE, answer)?);
        }
    }
    Ok(receipts)
}

async fn with_receipts(
    ledger: &EvmLedger,
    hashes: impl Iterator<Item = B256>,
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

pub(crate) async fn transaction(
    ledger: &EvmLedger,
    id: &str,
    interfaces: Interfaces<'_>,
) -> Result<Option<Transaction>> {
    let Some(found) = outcome::find(ledger, &hash(id)?).await? else { return Ok(None) };
    let (transaction, receipt, decoder) = (&found.transaction, found.receipt.as_ref(), Decoder::new(interfaces));
    let at = match receipt {
        None => None,
        Some(receipt) => {
            headers(ledger, &[receipt.block_number.to()]).await?.first().map(|block| ledger.at(&block.header))
        }
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
        nonce: Some(transaction.nonce.to()),
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

pub(crate) async fn address(ledger: &EvmLedger, address: &str) -> Result<Address> {
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
        balance: Some(balance.to_string()),
        nonce: Some(nonce.to()),
        code_size: code.len() as u64,
        contract: None,
        member: None,
    })
}

fn quantity(number: u64) -> String {
    format!("{number:#x}")
}
