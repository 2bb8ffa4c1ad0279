//! The objects of the Ethereum JSON-RPC specification, as far as they are read.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;

/// A block with hashes of transactions or with whole ones.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Block<T = B256> {
    pub(crate) number: U64,
    pub(crate) hash: B256,
    pub(crate) parent_hash: B256,
    pub(crate) timestamp: U64,
    pub(crate) extra_data: Bytes,
    pub(crate) gas_used: U64,
    pub(crate) gas_limit: U64,
    pub(crate) size: Option<U64>,
    pub(crate) state_root: B256,
    pub(crate) transactions_root: B256,
    pub(crate) receipts_root: B256,
    pub(crate) miner: Address,
    pub(crate) base_fee_per_gas: Option<U256>,
    pub(crate) transactions: Vec<T>,
}

impl<T> Block<T> {
    /// When it was made: the header's seconds, and the milliseconds in its extra field (a version byte 0, then two
    /// bytes, big-endian).
    pub(crate) fn at(&self) -> types::Micros {
        let millis = match self.extra_data.as_ref() {
            [0, high, low] => u16::from_be_bytes([*high, *low]).min(999),
            _ => 0,
        };
        let seconds = i64::try_from(self.timestamp.to::<u64>()).unwrap_or(i64::MAX / 1_000_000);
        seconds.saturating_mul(1_000_000).saturating_add(i64::from(millis) * 1_000)
    }
}

/// A transaction.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transaction {
    pub(crate) hash: B256,
    pub(crate) block_number: Option<U64>,
    pub(crate) transaction_index: Option<U64>,
    pub(crate) from: Address,
    pub(crate) to: Option<Address>,
    pub(crate) value: U256,
    pub(crate) nonce: U64,
    pub(crate) gas: U64,
    pub(crate) input: Bytes,
}

/// A transaction's receipt.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    pub(crate) transaction_hash: B256,
    pub(crate) transaction_index: U64,
    pub(crate) block_number: U64,
    pub(crate) gas_used: U64,
    pub(crate) status: U64,
    pub(crate) contract_address: Option<Address>,
    pub(crate) logs: Vec<Log>,
}

impl Receipt {
    pub(crate) fn succeeded(&self) -> bool {
        self.status == U64::from(1)
    }

    /// Address of the contract that it made.
    pub(crate) fn created(&self) -> Option<String> {
        self.contract_address.filter(|_| self.succeeded()).map(|address| address.to_string())
    }

    pub(crate) fn inclusion(&self) -> driver::Inclusion {
        driver::Inclusion {
            block: self.block_number.to(),
            index: self.transaction_index.saturating_to(),
            gas_used: Some(self.gas_used.to()),
            contract: self.created(),
        }
    }
}

/// A log entry of a block.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Log {
    pub(crate) address: Address,
    pub(crate) topics: Vec<B256>,
    pub(crate) data: Bytes,
    pub(crate) block_number: U64,
    pub(crate) transaction_hash: B256,
    pub(crate) log_index: U64,
}

/// Answer of `polder_status`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) public_key: String,
    pub(crate) leader: Option<String>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) validators: Vec<String>,
    pub(crate) halted_reason: Option<String>,
    pub(crate) chain_id: u64,
    pub(crate) height: u64,
    pub(crate) head_hash: B256,
    pub(crate) head_time: i64,
    pub(crate) state_root: B256,
}

/// A node that another knows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peer {
    pub(crate) public_key: String,
    pub(crate) connected: bool,
}

/// What the call tracer tells of a transaction's outermost call.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CallTrace {
    pub(crate) output: Bytes,
    pub(crate) error: Option<String>,
}
