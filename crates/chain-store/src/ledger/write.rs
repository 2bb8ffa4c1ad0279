//! Writing a group of finalised blocks in one transaction.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{B256, KECCAK256_EMPTY};
use redb::WriteTransaction;

use super::{
    ACCOUNT_HISTORY, ACCOUNTS, BLOCKS, CODE, HASHES, LOGS, Ledger, META, META_GENESIS, META_HEAD, META_SCHEMA, Mark,
    NUMBERS, RECEIPTS, Reader, SCHEMA, STORAGE, STORAGE_HISTORY, TRANSACTIONS, codec, failed, receipts,
};
use crate::{Sealed, StoreError, changes::Changes};

/// A finalised block with what it changed.
pub(crate) struct Record<'a> {
    pub(crate) sealed: &'a Sealed,
    pub(crate) changes: &'a Changes,
}

impl Ledger {
    /// Makes an empty ledger one of the chain with this genesis.
    pub(crate) fn create(&self, genesis: B256, record: Record<'_>, position: u64) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut meta = transaction.open_table(META)?;
            meta.insert(META_SCHEMA, SCHEMA.to_be_bytes().as_slice())?;
            meta.insert(META_GENESIS, genesis.as_slice())?;
            drop(meta);
            append(transaction, &[record], position)
        })
    }

    /// Appends blocks that follow the newest one, durably, and returns a view that has them.
    pub(crate) fn append(&self, records: &[Record<'_>], position: u64) -> Result<Arc<Reader>, StoreError> {
        self.write(|transaction| append(transaction, records, position))?;
        self.reader()
    }

    fn write(&self, fill: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>) -> Result<(), StoreError> {
        self.try_write(fill).map_err(|error| self.broken.get_or_init(|| failed("writing the ledger", error)).clone())
    }

    fn try_write(&self, fill: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        // The file is usable at once after a kill, however large it is; nothing waits for these commits.
        transaction.set_quick_repair(true);
        fill(&transaction)?;
        Ok(transaction.commit()?)
    }
}

fn append(transaction: &WriteTransaction, records: &[Record<'_>], position: u64) -> Result<(), redb::Error> {
    let Some(newest) = records.last() else { return Ok(()) };
    state(transaction, records)?;
    blocks(transaction, records)?;
    indexes(transaction, records)?;
    let mark = Mark { number: newest.sealed.block.number(), position };
    let mut meta = transaction.open_table(META)?;
    meta.insert(META_HEAD, [mark.number.to_be_bytes(), mark.position.to_be_bytes()].concat().as_slice())?;
    Ok(())
}

fn state(transaction: &WriteTransaction, records: &[Record<'_>]) -> Result<(), redb::Error> {
    // Sorted over the whole group, so that neighbours in the trees are written together, and a key that several blocks
    // changed once.
    let (mut accounts, mut account_history) = (BTreeMap::new(), BTreeMap::new());
    let (mut storage, mut storage_history) = (BTreeMap::new(), BTreeMap::new());
    let mut code = BTreeMap::new();
    for record in records {
        let number = record.sealed.block.number();
        for (address, change) in &record.changes.accounts {
            accounts.insert(address.0.0, change.new);
            // Nothing was before the genesis.
            if number > 0 {
                account_history.insert(codec::account_at(address, number), change.old);
            }
        }
        for (slot, change) in &record.changes.storage {
            storage.insert(codec::slot_key(slot), change.new);
            if number > 0 {
                storage_history.insert(codec::slot_at(slot, number), change.old);
            }
        }
        for (hash, bytes) in &record.changes.code {
            if *hash != KECCAK256_EMPTY {
                code.insert(hash.0, bytes);
            }
        }
    }
    let mut table = transaction.open_table(ACCOUNTS)?;
    for (address, account) in accounts {
        match account {
            Some(_) => table.insert(&address, codec::encode_account(account).as_slice())?,
            None => table.remove(&address)?,
        };
    }
    let mut table = transaction.open_table(STORAGE)?;
    for (slot, value) in storage {
        if value.is_zero() {
            table.remove(&slot)?
        } else {
            table.insert(&slot, &value.to_be_bytes::<32>())?
        };
    }
    let mut table = transaction.open_table(ACCOUNT_HISTORY)?;
    for (key, account) in account_history {
        table.insert(&key, codec::encode_account(account).as_slice())?;
    }
    let mut table = transaction.open_table(STORAGE_HISTORY)?;
    for (key, value) in storage_history {
        table.insert(&key, &value.to_be_bytes::<32>())?;
    }
    let mut table = transaction.open_table(CODE)?;
    for (hash, bytes) in code {
        table.insert(&hash, bytes.as_ref())?;
    }
    Ok(())
}

fn blocks(transaction: &WriteTransaction, records: &[Record<'_>]) -> Result<(), redb::Error> {
    let mut blocks = transaction.open_table(BLOCKS)?;
    let mut outcomes = transaction.open_table(RECEIPTS)?;
    let mut hashes = transaction.open_table(HASHES)?;
    let mut numbers = transaction.open_table(NUMBERS)?;
    for Record { sealed, .. } in records {
        let number = sealed.block.number();
        blocks.insert(number, sealed.block.to_rlp().as_slice())?;
        outcomes.insert(number, receipts::encode(&sealed.senders, &sealed.receipts).as_slice())?;
        hashes.insert(number, &sealed.block.hash().0)?;
        numbers.insert(&sealed.block.hash().0, number)?;
    }
    Ok(())
}

fn indexes(transaction: &WriteTransaction, records: &[Record<'_>]) -> Result<(), redb::Error> {
    let mut places = BTreeMap::new();
    let mut tags = Vec::new();
    for Record { sealed, .. } in records {
        let number = sealed.block.number();
        for (index, included) in sealed.block.transactions().iter().enumerate() {
            let index = u32::try_from(index).map_err(|_| redb::Error::Corrupted("too many transactions".into()))?;
            places.insert(included.tx_hash().0, (number, index));
        }
        for log in sealed.receipts.iter().flat_map(|receipt| receipt.logs()) {
            tags.push(codec::log_key(codec::log_tag(0, log.address.as_slice()), number));
            for (place, topic) in (1..).zip(log.data.topics()) {
                tags.push(codec::log_key(codec::log_tag(place, topic.as_slice()), number));
            }
        }
    }
    let mut table = transaction.open_table(TRANSACTIONS)?;
    for (hash, place) in places {
        table.insert(&hash, place)?;
    }
    tags.sort_unstable();
    tags.dedup();
    let mut table = transaction.open_table(LOGS)?;
    for tag in tags {
        table.insert(&tag, ())?;
    }
    Ok(())
}
