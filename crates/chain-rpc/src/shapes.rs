//! From the chain's values to the JSON shapes of the Ethereum API.

use alloy_consensus::{BlockHeader, Transaction as _, TxReceipt, transaction::Recovered};
use alloy_primitives::U256;
use alloy_rpc_types_eth::{Block, BlockTransactions, Header, Log, Transaction, TransactionReceipt};
use chain_exec::created_address;
use chain_store::{LogEntry, Sealed};

/// The header, with hash and size and without a total difficulty.
pub(crate) fn header(sealed: &Sealed) -> Header {
    Header {
        hash: sealed.block.hash(),
        inner: sealed.block.header().clone(),
        total_difficulty: None,
        size: Some(U256::from(sealed.block.rlp_length())),
    }
}

/// The block, with whole transactions or their hashes.
pub(crate) fn block(sealed: &Sealed, full: bool) -> Block {
    let transactions = if full {
        let count = sealed.block.transactions().len();
        BlockTransactions::Full((0..count).filter_map(|index| transaction(sealed, index)).collect())
    } else {
        BlockTransactions::Hashes(sealed.block.transactions().iter().map(|tx| *tx.tx_hash()).collect())
    };
    Block { header: header(sealed), uncles: Vec::new(), transactions, withdrawals: Some(Default::default()) }
}

/// A transaction of a block; `None` when there is none with that index.
pub(crate) fn transaction(sealed: &Sealed, index: usize) -> Option<Transaction> {
    let envelope = sealed.block.transactions().get(index)?;
    let header = sealed.block.header();
    Some(Transaction {
        inner: Recovered::new_unchecked(envelope.clone(), *sealed.senders.get(index)?),
        block_hash: Some(sealed.block.hash()),
        block_number: Some(header.number),
        transaction_index: Some(index as u64),
        effective_gas_price: Some(envelope.effective_gas_price(header.base_fee_per_gas())),
        block_timestamp: Some(header.timestamp),
    })
}

/// A transaction that waits.
pub(crate) fn pending(recovered: &chain_types::Recovered) -> Transaction {
    Transaction {
        inner: Recovered::new_unchecked(recovered.transaction.clone(), recovered.sender),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: Some(recovered.transaction.max_fee_per_gas()),
        block_timestamp: None,
    }
}

/// All receipts of a block.
pub(crate) fn receipts(sealed: &Sealed) -> Vec<TransactionReceipt> {
    let mut gas_before = 0;
    let mut logs_before = 0;
    (0..sealed.receipts.len())
        .filter_map(|index| {
            let receipt = receipt_after(sealed, index, gas_before, logs_before);
            gas_before = sealed.receipts[index].cumulative_gas_used();
            logs_before += sealed.receipts[index].logs().len() as u64;
            receipt
        })
        .collect()
}

/// The receipt of the transaction at `index`; `None` when there is none.
pub(crate) fn receipt(sealed: &Sealed, index: usize) -> Option<TransactionReceipt> {
    let before = sealed.receipts.get(..index)?;
    let gas_before = before.last().map_or(0, TxReceipt::cumulative_gas_used);
    let logs_before = before.iter().map(|receipt| receipt.logs().len() as u64).sum();
    receipt_after(sealed, index, gas_before, logs_before)
}

fn receipt_after(sealed: &Sealed, index: usize, gas_before: u64, logs_before: u64) -> Option<TransactionReceipt> {
    let envelope = sealed.block.transactions().get(index)?;
    let receipt = sealed.receipts.get(index)?;
    let from = *sealed.senders.get(index)?;
    let header = sealed.block.header();
    let hash = *envelope.tx_hash();
    let mut log_index = logs_before;
    let inner = receipt.clone().map_logs(|inner| {
        let log = Log {
            inner,
            block_hash: Some(sealed.block.hash()),
            block_number: Some(header.number),
            block_timestamp: Some(header.timestamp),
            transaction_hash: Some(hash),
            transaction_index: Some(index as u64),
            log_index: Some(log_index),
            removed: false,
        };
        log_index += 1;
        log
    });
    Some(TransactionReceipt {
        transaction_hash: hash,
        transaction_index: Some(index as u64),
        block_hash: Some(sealed.block.hash()),
        block_number: Some(header.number),
        gas_used: receipt.cumulative_gas_used() - gas_before,
        effective_gas_price: envelope.effective_gas_price(header.base_fee_per_gas()),
        blob_gas_used: None,
        blob_gas_price: None,
        from,
        to: envelope.to(),
        contract_address: created_address(envelope, from),
        inner,
    })
}

/// A log that the index found.
pub(crate) fn log(entry: LogEntry) -> Log {
    Log {
        inner: entry.log,
        block_hash: Some(entry.block_hash),
        block_number: Some(entry.block_number),
        block_timestamp: Some(entry.block_timestamp),
        transaction_hash: Some(entry.transaction_hash),
        transaction_index: Some(entry.transaction_index),
        log_index: Some(entry.log_index),
        removed: false,
    }
}
