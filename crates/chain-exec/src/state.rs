//! What execution reads and what it changes.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};

/// An account without its code and storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created by a contract.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// keccak-256 of the code; `KECCAK_EMPTY` for no code.
    pub code_hash: B256,
}

/// The state could not be read: a failed disk, a damaged file. Never the fault of a transaction.
#[derive(Debug, Clone, thiserror::Error)]
#[error("state: {0}")]
pub struct StateError(pub String);

impl revm::context::DBErrorMarker for StateError {}

/// The state after one block, read synchronously while transactions run.
pub trait StateReader: Send + Sync {
    /// The account, `None` when there is none.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError>;

    /// The value of a storage slot, zero when absent.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError>;

    /// The code with this hash. A hash that an account names has code.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn code(&self, code_hash: &B256) -> Result<Bytes, StateError>;

    /// The hash of an ancestor, zero when unknown. Asked for the last 256 blocks only.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn block_hash(&self, number: u64) -> Result<B256, StateError>;
}

/// What one block changed: only values that differ from before, in the order of their keys, so that
/// equal changes are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDelta {
    /// Changed accounts; `None` is a removed one.
    pub accounts: BTreeMap<Address, Option<Account>>,
    /// Changed slots; zero is a removed one.
    pub storage: BTreeMap<(Address, U256), U256>,
    /// Code that accounts name since this block, by its hash. It may be known from before.
    pub code: BTreeMap<B256, Bytes>,
}

impl StateDelta {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.storage.is_empty() && self.code.is_empty()
    }
}
