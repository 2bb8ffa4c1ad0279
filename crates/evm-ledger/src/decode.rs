//! From JSON-RPC's objects to the platform's, decoded by interfaces where they are known.

use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::{Address, hex};
use driver::Interfaces;
use parking_lot::Mutex;
use types::{BlockSummary, TransactionStatus, TransactionSummary};

use crate::ledger::{Abi, EvmLedger};
use crate::rpc::wire;

/// Most contracts whose interfaces are kept.
const MOST_CALLED: usize = 256;

/// Interfaces of contracts that were called through this ledger.
#[derive(Default)]
pub(crate) struct Called(Mutex<HashMap<Address, Abi>>);

impl Called {
    pub(crate) fn remember(&self, contract: Address, abi: &Abi) {
        let mut known = self.0.lock();
        if known.len() >= MOST_CALLED && !known.contains_key(&contract) {
            // Only words of error messages depend on it, so any may go.
            known.clear();
        }
        known.insert(contract, abi.clone());
    }

    pub(crate) fn get(&self, contract: &Address) -> Option<Abi> {
        self.0.lock().get(contract).cloned()
    }
}

/// Decodes by the interfaces that a caller knows; each is parsed once.
pub(crate) struct Decoder<'a> {
    interfaces: Interfaces<'a>,
    parsed: Mutex<HashMap<Address, Option<Abi>>>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(interfaces: Interfaces<'a>) -> Self {
        Self { interfaces, parsed: Mutex::default() }
    }

    /// A contract's interface.
    pub(crate) fn abi(&self, contract: &Address) -> Option<Abi> {
        let mut parsed = self.parsed.lock();
        if let Some(known) = parsed.get(contract) {
            return known.clone();
        }
        // One that does not parse cannot decode; the contract is shown undecoded.
        let abi = (self.interfaces)(&contract.to_string())
            .and_then(|json| evm_abi::parse_interface(&json).ok())
            .map(Arc::new);
        parsed.insert(*contract, abi.clone());
        abi
    }

    pub(crate) fn call(&self, transaction: &wire::Transaction) -> Option<types::DecodedCall> {
        evm_abi::decode_call(&*self.abi(&transaction.to?)?, &transaction.input)
    }

    pub(crate) fn log(&self, log: &wire::Log) -> types::Log {
        let decoded = self.abi(&log.address).and_then(|abi| evm_abi::decode_log(&abi, &log.topics, &log.data));
        types::Log { decoded, ..plain_log(log) }
    }

    /// A transaction in short. With neither receipt nor block it waits.
    pub(crate) fn summary(
        &self,
        transaction: &wire::Transaction,
        receipt: Option<&wire::Receipt>,
        at: Option<types::Micros>,
    ) -> TransactionSummary {
        let status = match receipt {
            Some(receipt) if receipt.succeeded() => TransactionStatus::Success,
            Some(_) => TransactionStatus::Reverted,
            None => TransactionStatus::Pending,
        };
        TransactionSummary {
            hash: transaction.hash.to_string(),
            block: transaction.block_number.map(|number| number.to()),
            index: transaction.transaction_index.map(|index| index.saturating_to()),
            at,
            from: transaction.from.to_string(),
            to: transaction.to.map(|to| to.to_string()),
            value: Some(transaction.value.to_string()),
            status,
            method: self.call(transaction).map(|call| call.name),
        }
    }
}

/// A log entry as it stands.
pub(crate) fn plain_log(log: &wire::Log) -> types::Log {
    types::Log {
        address: log.address.to_string(),
        topics: log.topics.iter().map(ToString::to_string).collect(),
        data: hex::encode_prefixed(&log.data),
        index: log.log_index.saturating_to(),
        decoded: None,
    }
}

/// A block in short.
pub(crate) fn block_summary<T>(ledger: &EvmLedger, block: &wire::Block<T>) -> BlockSummary {
    let header = &block.header;
    BlockSummary {
        number: header.number.to(),
        hash: header.hash.to_string(),
        parent_hash: header.parent_hash.to_string(),
        at: ledger.at(header),
        transactions: u32::try_from(block.transactions.len()).unwrap_or(u32::MAX),
        gas_used: Some(header.gas_used.to()),
        gas_limit: Some(header.gas_limit.to()),
        size: header.size.map(|size| size.to()),
    }
}
