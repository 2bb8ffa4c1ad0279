//! The state after one block, as execution and JSON-RPC read it.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use chain_exec::{Account, StateError, StateReader};

use crate::{StoreError, ledger::Reader, tree::Candidate};

/// Overlays of blocks that the ledger did not have when the view was made, on the ledger's state at `height`. It stays
/// right whatever becomes final or is written afterwards.
pub(crate) struct View {
    /// Newest first; the lowest is block `height` + 1.
    pub(crate) overlays: Vec<Arc<Candidate>>,
    pub(crate) reader: Arc<Reader>,
    pub(crate) height: u64,
}

impl View {
    fn find<T>(&self, look: impl Fn(&Candidate) -> Option<T>) -> Option<T> {
        self.overlays.iter().find_map(|candidate| look(candidate))
    }
}

impl StateReader for View {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        match self.find(|candidate| candidate.changes.account(address)) {
            Some(account) => Ok(account),
            None => self.reader.account(address, self.height).map_err(failed),
        }
    }

    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        let slot = (*address, *slot);
        match self.find(|candidate| candidate.changes.slot(&slot)) {
            Some(value) => Ok(value),
            None => self.reader.slot(&slot, self.height).map_err(failed),
        }
    }

    fn code(&self, code_hash: &B256) -> Result<Bytes, StateError> {
        if *code_hash == KECCAK256_EMPTY || code_hash.is_zero() {
            return Ok(Bytes::new());
        }
        if let Some(code) = self.find(|candidate| candidate.changes.code(code_hash).cloned()) {
            return Ok(code);
        }
        let code = self.reader.code(code_hash).map_err(failed)?;
        code.ok_or_else(|| StateError(format!("code {code_hash} is missing")))
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        if number <= self.height {
            return Ok(self.reader.hash(number).map_err(failed)?.unwrap_or_default());
        }
        let found = self.find(|candidate| {
            let block = &candidate.sealed.block;
            (block.number() == number).then(|| block.hash())
        });
        Ok(found.unwrap_or_default())
    }
}

fn failed(error: StoreError) -> StateError {
    StateError(error.to_string())
}

/// The state before the genesis.
pub(crate) struct Nothing;

impl StateReader for Nothing {
    fn account(&self, _: &Address) -> Result<Option<Account>, StateError> {
        Ok(None)
    }

    fn storage(&self, _: &Address, _: &U256) -> Result<U256, StateError> {
        Ok(U256::ZERO)
    }

    fn code(&self, _: &B256) -> Result<Bytes, StateError> {
        Ok(Bytes::new())
    }

    fn block_hash(&self, _: u64) -> Result<B256, StateError> {
        Ok(B256::ZERO)
    }
}
