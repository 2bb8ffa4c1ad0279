//! The objects of the Ethereum JSON-RPC specification, as far as they are read.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;

/// A block's header.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Height.
    pub number: U64,
    /// Hash of the header.
    pub hash: B256,
    /// Hash of the block before it.
    pub parent_hash: B256,
    /// As the chain counts: seconds since 1970 in most.
    pub timestamp: U64,
    /// What the consensus, or whoever made the block, puts there.
    pub extra_data: Bytes,
    /// Gas that its transactions used.
    pub gas_used: U64,
    /// Gas that they could have used.
    pub gas_limit: U64,
    /// Bytes of the whole block.
    pub size: Option<U64>,
    /// Root of the state after it.
    pub state_root: B256,
    /// Root of its transactions.
    pub transactions_root: B256,
    /// Root of their receipts.
    pub receipts_root: B256,
    /// Who gets the fees: the maker, in some chains.
    pub miner: Address,
    /// None before London.
    pub base_fee_per_gas: Option<U256>,
}

impl Header {
    /// The usual time of a block: whole seconds.
    pub fn seconds(&self) -> types::Micros {
        let seconds = i64::try_from(self.timestamp.to::<u64>()).unwrap_or(i64::MAX);
        seconds.saturating_mul(1_000_000)
    }
}

/// A block with hashes of transactions or with whole ones.
#[derive(Clone, Debug, Deserialize)]
pub struct Block<T = B256> {
    /// Its header.
    #[serde(flatten)]
    pub header: Header,
    /// Its transactions.
    pub transactions: Vec<T>,
}

impl<T> Block<T> {
    /// Height.
    pub(crate) fn number(&self) -> u64 {
        self.header.number.to()
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
    /// None in blocks before Byzantium, which do not tell.
    pub(crate) status: Option<U64>,
    pub(crate) contract_address: Option<Address>,
    pub(crate) logs: Vec<Log>,
}

impl Receipt {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_none_or(|status| status == U64::from(1))
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

/// What the call tracer tells of a transaction's outermost call.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CallTrace {
    pub(crate) output: Bytes,
    pub(crate) error: Option<String>,
}
