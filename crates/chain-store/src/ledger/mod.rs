//! Everything that is read: one redb file with the state and its history, blocks, receipts and indexes.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | name | see the constants below |
//! | `accounts` | address | nonce ‖ balance [‖ code hash, when it has code] |
//! | `storage` | address ‖ slot | value |
//! | `code` | code hash | code |
//! | `account_history` | address ‖ block | the account before that block, empty for none |
//! | `storage_history` | address ‖ slot ‖ block | the slot before that block |
//! | `blocks` | number | RLP of the block |
//! | `receipts` | number | senders and receipts, see [`receipts`](self::receipts) |
//! | `hashes` | number | block hash |
//! | `numbers` | block hash | number |
//! | `transactions` | transaction hash | block number, index |
//! | `logs` | tag of an address or a topic ‖ block | nothing |
//!
//! Numbers in keys are 8 bytes big-endian, so that a key's entries follow each other by block. A value at block `n` is
//! what the first history entry above `n` says, or the present value when there is none.

mod codec;
mod memory;
mod read;
pub(crate) mod receipts;
mod write;

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use alloy_primitives::B256;
use redb::{Database, DatabaseError, ReadableDatabase, StorageError, TableDefinition};

pub use memory::MemoryFile;
pub(crate) use read::Reader;
pub(crate) use write::Record;

use crate::StoreError;
pub(crate) use codec::log_tag;

/// The format of the ledger and of the commitment's keys and values.
pub const SCHEMA: u64 = 1;

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const ACCOUNTS: TableDefinition<&[u8; 20], &[u8]> = TableDefinition::new("accounts");
const STORAGE: TableDefinition<&[u8; 52], &[u8; 32]> = TableDefinition::new("storage");
const CODE: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("code");
const ACCOUNT_HISTORY: TableDefinition<&[u8; 28], &[u8]> = TableDefinition::new("account_history");
const STORAGE_HISTORY: TableDefinition<&[u8; 60], &[u8; 32]> = TableDefinition::new("storage_history");
const BLOCKS: TableDefinition<u64, &[u8]> = TableDefinition::new("blocks");
const RECEIPTS: TableDefinition<u64, &[u8]> = TableDefinition::new("receipts");
const HASHES: TableDefinition<u64, &[u8; 32]> = TableDefinition::new("hashes");
const NUMBERS: TableDefinition<&[u8; 32], u64> = TableDefinition::new("numbers");
const TRANSACTIONS: TableDefinition<&[u8; 32], (u64, u32)> = TableDefinition::new("transactions");
const LOGS: TableDefinition<&[u8; 16], ()> = TableDefinition::new("logs");

/// `meta`: [`SCHEMA`], 8 bytes big-endian.
const META_SCHEMA: &str = "schema";
/// `meta`: fingerprint of the genesis file.
const META_GENESIS: &str = "genesis";
/// `meta`: number of the newest block ‖ position of the commitment after it.
const META_HEAD: &str = "head";

/// The open ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    database: Database,
    /// Why writing failed. After that reading fails too, with an error that does not tell the cause.
    broken: OnceLock<StoreError>,
}

/// What a ledger says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The newest block.
    pub(crate) number: u64,
    /// Where the commitment stood after it.
    pub(crate) position: u64,
}

impl Ledger {
    /// Opens or creates the file in `directory`.
    pub(crate) fn open(directory: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        std::fs::create_dir_all(directory)
            .map_err(|error| StoreError::storage("creating the ledger's directory", error))?;
        let path = directory.join("ledger.redb");
        let name = path.display().to_string();
        let opened = Database::builder().set_cache_size(cache_bytes).create(&path);
        Ok(Self { database: opened.map_err(|error| opening(name, error))?, broken: OnceLock::new() })
    }

    /// Opens or creates the file in memory.
    pub(crate) fn open_memory(file: &MemoryFile, cache_bytes: usize) -> Result<Self, StoreError> {
        let opened = Database::builder().set_cache_size(cache_bytes).create_with_backend(file.open());
        let database = opened.map_err(|error| opening("the ledger in memory".into(), error))?;
        Ok(Self { database, broken: OnceLock::new() })
    }

    /// The newest block and the commitment's position, `None` for an empty ledger. Refuses what this program cannot
    /// read and what belongs to another chain.
    pub(crate) fn mark(&self, genesis: B256) -> Result<Option<Mark>, StoreError> {
        let transaction = self.database.begin_read().map_err(|error| reading(error.into()))?;
        let meta = match transaction.open_table(META) {
            Ok(meta) => meta,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(reading(error.into())),
        };
        let get = |name: &'static str| -> Result<Option<Vec<u8>>, StoreError> {
            let value = meta.get(name).map_err(|error| reading(error.into()))?;
            Ok(value.map(|value| value.value().to_vec()))
        };
        let Some(schema) = get(META_SCHEMA)? else { return Ok(None) };
        let found = codec::number(&schema).ok_or_else(|| damaged("the schema version is not a number"))?;
        if found > SCHEMA {
            return Err(StoreError::NewerSchema { found, supported: SCHEMA });
        }
        let found = get(META_GENESIS)?
            .and_then(|value| B256::try_from(value.as_slice()).ok())
            .ok_or_else(|| damaged("the fingerprint of the genesis is missing"))?;
        if found != genesis {
            return Err(StoreError::OtherGenesis { found, given: genesis });
        }
        let head = get(META_HEAD)?.ok_or_else(|| damaged("the height is missing"))?;
        match head.split_at_checked(8).map(|(number, position)| (codec::number(number), codec::number(position))) {
            Some((Some(number), Some(position))) => Ok(Some(Mark { number, position })),
            _ => Err(damaged("the height is not two numbers")),
        }
    }

    /// The error that ended writing, if one did.
    pub(crate) fn broken(&self) -> Option<&StoreError> {
        self.broken.get()
    }

    /// A consistent view of everything at the newest block.
    pub(crate) fn reader(&self) -> Result<Arc<Reader>, StoreError> {
        let transaction = self.database.begin_read().map_err(|error| reading(error.into()))?;
        Reader::new(&transaction).map(Arc::new)
    }
}

fn opening(name: String, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(name),
        DatabaseError::UpgradeRequired(version) => {
            StoreError::Corrupt { what: name, detail: format!("it has the file format {version}") }
        }
        DatabaseError::Storage(error) => match classify("opening the ledger", error) {
            StoreError::Corrupt { detail, .. } => StoreError::Corrupt { what: name, detail },
            error => error,
        },
        error => StoreError::Corrupt { what: name, detail: error.to_string() },
    }
}

fn damaged(detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt { what: "the ledger".into(), detail: detail.into() }
}

fn reading(error: redb::Error) -> StoreError {
    failed("reading the ledger", error)
}

fn failed(what: &'static str, error: redb::Error) -> StoreError {
    match error {
        redb::Error::Corrupted(detail) => damaged(detail),
        error @ (redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::TypeDefinitionChanged { .. }) => damaged(error.to_string()),
        error => StoreError::storage(what, error),
    }
}

fn classify(what: &'static str, error: StorageError) -> StoreError {
    match error {
        StorageError::Corrupted(detail) => damaged(detail),
        // redb recognises its own file by the first bytes and tells an alien one by this kind.
        StorageError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => damaged(error.to_string()),
        error => StoreError::storage(what, error),
    }
}

/// Makes a ledger look as if another version had written it.
#[cfg(test)]
pub(crate) fn write_schema_for_test(file: &MemoryFile, schema: u64) {
    let ledger = Ledger::open_memory(file, 1 << 20).expect("it opens");
    let transaction = ledger.database.begin_write().expect("writable");
    let mut meta = transaction.open_table(META).expect("there is one");
    meta.insert(META_SCHEMA, schema.to_be_bytes().as_slice()).expect("writable");
    drop(meta);
    transaction.commit().expect("writable");
}
