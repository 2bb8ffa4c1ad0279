//! revm's view of a [`StateReader`], and a cache of analysed code.

use std::{fmt, num::NonZeroUsize};

use alloy_primitives::{Address, B256, U256};
use lru::LruCache;
use parking_lot::Mutex;
use revm::{Database, DatabaseRef, bytecode::Bytecode, database::State, primitives::KECCAK_EMPTY, state::AccountInfo};

use crate::{StateError, StateReader};

/// Entries kept; code is at most 24 KiB and its jump table an eighth of that.
const CODES: NonZeroUsize = NonZeroUsize::new(512).expect("not zero");

/// Code with its jump table, by hash: finding jump destinations costs a pass over the whole code, and
/// the same few contracts are called in every block.
pub(crate) struct CodeCache(Mutex<LruCache<B256, Bytecode>>);

impl Default for CodeCache {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(CODES)))
    }
}

impl CodeCache {
    fn get(&self, hash: &B256, reader: &dyn StateReader) -> Result<Bytecode, StateError> {
        if let Some(code) = self.0.lock().get(hash) {
            return Ok(code.clone());
        }
        let raw = reader.code(hash)?;
        let code = Bytecode::new_raw_checked(raw).map_err(|error| StateError(format!("code {hash}: {error}")))?;
        self.0.lock().put(*hash, code.clone());
        Ok(code)
    }
}

/// The state of a whole block or call: revm's cache over a reader.
pub(crate) type Overlay<'a> = State<Base<'a>>;

/// A reader as revm's database.
#[derive(Clone, Copy)]
pub(crate) struct Base<'a> {
    reader: &'a dyn StateReader,
    codes: &'a CodeCache,
    /// Number and hash of the parent: the header names it, so no reader needs to know it.
    parent: (u64, B256),
}

impl<'a> Base<'a> {
    pub(crate) fn new(reader: &'a dyn StateReader, codes: &'a CodeCache, parent: (u64, B256)) -> Self {
        Self { reader, codes, parent }
    }
}

impl fmt::Debug for Base<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base").field("parent", &self.parent).finish_non_exhaustive()
    }
}

impl DatabaseRef for Base<'_> {
    type Error = StateError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        let account = self.reader.account(&address)?;
        Ok(account.map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            // Loaded by hash when it runs, unless there is none.
            code: (account.code_hash == KECCAK_EMPTY).then(Bytecode::default),
            account_id: None,
        }))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, StateError> {
        if code_hash == KECCAK_EMPTY || code_hash.is_zero() {
            return Ok(Bytecode::default());
        }
        self.codes.get(&code_hash, self.reader)
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, StateError> {
        self.reader.storage(&address, &index)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, StateError> {
        if number == self.parent.0 {
            return Ok(self.parent.1);
        }
        self.reader.block_hash(number)
    }
}

impl Database for Base<'_> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        self.basic_ref(address)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, StateError> {
        self.code_by_hash_ref(code_hash)
    }

    fn storage(&mut self, address: Address, index: U256) -> Result<U256, StateError> {
        self.storage_ref(address, index)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        self.block_hash_ref(number)
    }
}
