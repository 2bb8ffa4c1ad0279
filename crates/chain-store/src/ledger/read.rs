//! Reading the ledger at one moment.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use chain_exec::Account;
use chain_types::Block;
use redb::{Key, ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, Value};

use super::{
    ACCOUNT_HISTORY, ACCOUNTS, BLOCKS, CODE, HASHES, LOGS, META, META_HEAD, NUMBERS, RECEIPTS, STORAGE,
    STORAGE_HISTORY, TRANSACTIONS, classify, codec, damaged, reading, receipts,
};
use crate::{Sealed, StoreError, changes::Slot};

/// All tables as they were after one block. Holding it keeps their old pages on disk, so it is replaced with each
/// write and held for long by slow queries only.
pub(crate) struct Reader {
    /// The newest block in it.
    pub(crate) height: u64,
    accounts: ReadOnlyTable<&'static [u8; 20], &'static [u8]>,
    storage: ReadOnlyTable<&'static [u8; 52], &'static [u8; 32]>,
    code: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
    account_history: ReadOnlyTable<&'static [u8; 28], &'static [u8]>,
    storage_history: ReadOnlyTable<&'static [u8; 60], &'static [u8; 32]>,
    blocks: ReadOnlyTable<u64, &'static [u8]>,
    receipts: ReadOnlyTable<u64, &'static [u8]>,
    hashes: ReadOnlyTable<u64, &'static [u8; 32]>,
    numbers: ReadOnlyTable<&'static [u8; 32], u64>,
    transactions: ReadOnlyTable<&'static [u8; 32], (u64, u32)>,
    logs: ReadOnlyTable<&'static [u8; 16], ()>,
}

type Read<T> = Result<T, StoreError>;

impl Reader {
    pub(super) fn new(transaction: &ReadTransaction) -> Read<Self> {
        let meta = open(transaction, META)?;
        let head = get(&meta, META_HEAD)?.ok_or_else(|| damaged("the height is missing"))?;
        let height = head.value().get(..8).and_then(codec::number).ok_or_else(|| damaged("the height is no number"))?;
        Ok(Self {
            height,
            accounts: open(transaction, ACCOUNTS)?,
            storage: open(transaction, STORAGE)?,
            code: open(transaction, CODE)?,
            account_history: open(transaction, ACCOUNT_HISTORY)?,
            storage_history: open(transaction, STORAGE_HISTORY)?,
            blocks: open(transaction, BLOCKS)?,
            receipts: open(transaction, RECEIPTS)?,
            hashes: open(transaction, HASHES)?,
            numbers: open(transaction, NUMBERS)?,
            transactions: open(transaction, TRANSACTIONS)?,
            logs: open(transaction, LOGS)?,
        })
    }

    /// The account after block `at`.
    pub(crate) fn account(&self, address: &Address, at: u64) -> Read<Option<Account>> {
        let decode = |bytes: &[u8]| codec::decode_account(bytes).ok_or_else(|| damaged("an account is malformed"));
        if at < self.height {
            let later = codec::account_at(address, at + 1)..=codec::account_at(address, u64::MAX);
            let mut later = self.account_history.range::<&[u8; 28]>(&later.start()..=&later.end()).map_err(read)?;
            if let Some(entry) = later.next() {
                return decode(entry.map_err(read)?.1.value());
            }
        }
        match get(&self.accounts, &address.0.0)? {
            Some(value) => decode(value.value()),
            None => Ok(None),
        }
    }

    /// The slot after block `at`, zero when absent.
    pub(crate) fn slot(&self, slot: &Slot, at: u64) -> Read<U256> {
        if at < self.height {
            let later = codec::slot_at(slot, at + 1)..=codec::slot_at(slot, u64::MAX);
            let mut later = self.storage_history.range::<&[u8; 60]>(&later.start()..=&later.end()).map_err(read)?;
            if let Some(entry) = later.next() {
                return Ok(U256::from_be_bytes(*entry.map_err(read)?.1.value()));
            }
        }
        let key = codec::slot_key(slot);
        let value = get(&self.storage, &key)?;
        Ok(value.map_or(U256::ZERO, |value| U256::from_be_bytes(*value.value())))
    }

    pub(crate) fn code(&self, hash: &B256) -> Read<Option<Bytes>> {
        Ok(get(&self.code, &hash.0)?.map(|code| Bytes::copy_from_slice(code.value())))
    }

    pub(crate) fn hash(&self, number: u64) -> Read<Option<B256>> {
        Ok(get(&self.hashes, number)?.map(|hash| B256::from(*hash.value())))
    }

    pub(crate) fn number(&self, hash: &B256) -> Read<Option<u64>> {
        Ok(get(&self.numbers, &hash.0)?.map(|number| number.value()))
    }

    pub(crate) fn transaction(&self, hash: &B256) -> Read<Option<(u64, usize)>> {
        Ok(get(&self.transactions, &hash.0)?.map(|place| {
            let (number, index) = place.value();
            (number, index as usize)
        }))
    }

    pub(crate) fn sealed(&self, number: u64) -> Read<Option<Arc<Sealed>>> {
        let Some(block) = get(&self.blocks, number)? else { return Ok(None) };
        let block = Block::from_rlp(block.value()).map_err(|error| damaged(format!("block {number}: {error}")))?;
        let outcomes = get(&self.receipts, number)?.ok_or_else(|| damaged(format!("no receipts of block {number}")))?;
        let (senders, receipts) = receipts::decode(outcomes.value())
            .map_err(|error| damaged(format!("receipts of block {number}: {error}")))?;
        if senders.len() != block.transactions().len() || receipts.len() != senders.len() {
            return Err(damaged(format!("block {number} and its receipts do not fit")));
        }
        Ok(Some(Arc::new(Sealed { block, senders, receipts })))
    }

    /// A block that must be there: its number is not above the height.
    pub(crate) fn block(&self, number: u64) -> Read<Arc<Sealed>> {
        let missing = || damaged(format!("block {number} is missing below the height {}", self.height));
        self.sealed(number)?.ok_or_else(missing)
    }

    /// The first block from `from` to `to` that has the tag.
    pub(crate) fn tagged(&self, tag: [u8; 8], from: u64, to: u64) -> Read<Option<u64>> {
        let (start, end) = (codec::log_key(tag, from), codec::log_key(tag, to));
        match self.logs.range::<&[u8; 16]>(&start..=&end).map_err(read)?.next() {
            Some(entry) => Ok(codec::number(&entry.map_err(read)?.0.value()[8..])),
            None => Ok(None),
        }
    }
}

fn open<K: Key + 'static, V: Value + 'static>(
    transaction: &ReadTransaction,
    table: TableDefinition<'_, K, V>,
) -> Read<ReadOnlyTable<K, V>> {
    transaction.open_table(table).map_err(|error| reading(error.into()))
}

fn get<'a, K: Key + 'static, V: Value + 'static>(
    table: &'a ReadOnlyTable<K, V>,
    key: impl std::borrow::Borrow<K::SelfType<'a>>,
) -> Read<Option<redb::AccessGuard<'a, V>>> {
    ReadableTable::get(table, key).map_err(read)
}

fn read(error: redb::StorageError) -> StoreError {
    classify("reading the ledger", error)
}
