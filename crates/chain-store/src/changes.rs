//! What one block changed, with the values from before: the new ones make the overlay and the state root, the old ones
//! the history.

use alloy_primitives::{Address, B256, Bytes, U256};
use chain_exec::{Account, StateDelta, StateError, StateReader};

/// A storage slot's full name.
pub(crate) type Slot = (Address, U256);

/// Before and after. They differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change<T> {
    pub(crate) old: T,
    pub(crate) new: T,
}

/// Changes of one block, sorted by key. Only real changes are in it, so that a block's state root does not depend on
/// whether it was built or executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) accounts: Vec<(Address, Change<Option<Account>>)>,
    /// Zero stands for an absent slot.
    pub(crate) storage: Vec<(Slot, Change<U256>)>,
    pub(crate) code: Vec<(B256, Bytes)>,
}

impl Changes {
    /// Compares a delta with the state that it was made on.
    pub(crate) fn new(delta: StateDelta, parent: &dyn StateReader) -> Result<Self, StateError> {
        let mut changes = Self { code: delta.code.into_iter().collect(), ..Self::default() };
        changes.accounts.reserve(delta.accounts.len());
        for (address, new) in delta.accounts {
            let old = parent.account(&address)?;
            if old != new {
                changes.accounts.push((address, Change { old, new }));
            }
        }
        changes.storage.reserve(delta.storage.len());
        for (slot, new) in delta.storage {
            let old = parent.storage(&slot.0, &slot.1)?;
            if old != new {
                changes.storage.push((slot, Change { old, new }));
            }
        }
        Ok(changes)
    }

    pub(crate) fn account(&self, address: &Address) -> Option<Option<Account>> {
        let index = self.accounts.binary_search_by(|(key, _)| key.cmp(address)).ok()?;
        Some(self.accounts[index].1.new)
    }

    pub(crate) fn slot(&self, slot: &Slot) -> Option<U256> {
        let index = self.storage.binary_search_by(|(key, _)| key.cmp(slot)).ok()?;
        Some(self.storage[index].1.new)
    }

    pub(crate) fn code(&self, hash: &B256) -> Option<&Bytes> {
        let index = self.code.binary_search_by(|(key, _)| key.cmp(hash)).ok()?;
        Some(&self.code[index].1)
    }
}
