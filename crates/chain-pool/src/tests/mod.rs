//! Tests of the pool through its public surface.

mod admission;
mod journal;
mod model;
mod order;

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use chain_types::Recovered;
use parking_lot::Mutex;

use crate::{Fate, Limits, Origin, Pool, PoolConfig, PoolState, Refusal, SenderSource, SpecId};

const CHAIN: u64 = 4242;
const RICH: u128 = 1_000_000_000_000_000_000;

/// The sender is written into the signature: these tests are about what happens after recovery.
struct SenderInSignature;

impl SenderSource for SenderInSignature {
    fn sender(&self, transaction: &TxEnvelope) -> Option<Address> {
        Some(Address::from_slice(&transaction.signature().r().to_be_bytes::<32>()[12..]))
    }
}

/// Accounts in memory; every account that is not named is rich.
#[derive(Default)]
pub(super) struct Accounts {
    accounts: Mutex<HashMap<Address, (u64, U256)>>,
    base_fee: u64,
}

impl Accounts {
    pub(super) fn set(&self, sender: u8, nonce: u64, balance: u128) {
        self.accounts.lock().insert(address(sender), (nonce, U256::from(balance)));
    }
}

impl PoolState for Accounts {
    fn account(&self, address: &Address) -> Result<Option<(u64, U256)>, String> {
        Ok(Some(self.accounts.lock().get(address).copied().unwrap_or((0, U256::from(RICH)))))
    }

    fn base_fee(&self) -> u64 {
        self.base_fee
    }

    fn block_gas_limit(&self) -> u64 {
        30_000_000
    }

    fn spec(&self) -> SpecId {
        SpecId::PRAGUE
    }
}

pub(super) fn address(sender: u8) -> Address {
    Address::with_last_byte(sender)
}

pub(super) fn signature(sender: u8) -> Signature {
    Signature::new(U256::from(sender), U256::ONE, false)
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Tx {
    sender: u8,
    nonce: u64,
    fee: u128,
    value: u128,
    gas: u64,
    chain: u64,
}

pub(super) fn tx(sender: u8, nonce: u64) -> Tx {
    Tx { sender, nonce, fee: 0, value: 0, gas: 21_000, chain: CHAIN }
}

impl Tx {
    pub(super) fn fee(self, fee: u128) -> Self {
        Self { fee, ..self }
    }

    pub(super) fn value(self, value: u128) -> Self {
        Self { value, ..self }
    }

    pub(super) fn envelope(self) -> TxEnvelope {
        let unsigned = TxEip1559 {
            chain_id: self.chain,
            nonce: self.nonce,
            gas_limit: self.gas,
            max_fee_per_gas: self.fee,
            max_priority_fee_per_gas: self.fee,
            to: TxKind::Call(address(0xee)),
            value: U256::from(self.value),
            ..TxEip1559::default()
        };
        unsigned.into_signed(signature(self.sender)).into()
    }

    pub(super) fn raw(self) -> Bytes {
        self.envelope().encoded_2718().into()
    }

    pub(super) fn hash(self) -> B256 {
        *self.envelope().tx_hash()
    }
}

pub(super) fn config(limits: Limits, journal: Option<PathBuf>) -> PoolConfig {
    PoolConfig { limits, journal, senders: Arc::new(SenderInSignature), ..PoolConfig::new(CHAIN) }
}

pub(super) fn pool(limits: Limits) -> (Pool, Arc<Accounts>) {
    let accounts = Arc::new(Accounts::default());
    (Pool::open(config(limits, None), accounts.clone()).unwrap(), accounts)
}

/// Submits without a runtime: without a journal nothing ever waits, with one its thread answers.
pub(super) fn submit(pool: &Pool, tx: Tx, origin: Origin) -> Result<B256, Refusal> {
    futures::executor::block_on(pool.submit(tx.raw(), origin))
}

/// Sender's last byte and nonce of each.
pub(super) fn names(transactions: impl Iterator<Item = Arc<Recovered>>) -> Vec<(u8, u64)> {
    transactions.map(|tx| (tx.sender.0[19], alloy_consensus::Transaction::nonce(&tx.transaction))).collect()
}

/// Tells pool and accounts that a block has these; each spends its value and nothing for gas.
pub(super) fn finalize(pool: &Pool, accounts: &Accounts, number: u64, block: &[Tx]) {
    for tx in block {
        let mut accounts = accounts.accounts.lock();
        let (nonce, balance) = accounts.entry(address(tx.sender)).or_insert((0, U256::from(RICH)));
        *nonce = tx.nonce + 1;
        *balance -= U256::from(tx.value);
    }
    let envelopes: Vec<_> = block.iter().map(|tx| tx.envelope()).collect();
    let senders: Vec<_> = block.iter().map(|tx| address(tx.sender)).collect();
    pool.finalized(&envelopes, &senders, number);
}
