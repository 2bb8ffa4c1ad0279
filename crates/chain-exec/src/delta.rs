//! From revm's bundle to a [`StateDelta`].

use revm::{database::BundleState, primitives::KECCAK_EMPTY, state::AccountInfo};

use crate::{Account, StateDelta};

/// What differs between the state before the block and after it.
pub(crate) fn from_bundle(bundle: BundleState) -> StateDelta {
    let BundleState { state, contracts, .. } = bundle;
    let (mut accounts, mut storage) = (Vec::with_capacity(state.len()), Vec::new());
    for (address, changed) in state {
        let (before, after) = (changed.original_info.as_ref().map(plain), changed.info.as_ref().map(plain));
        if before != after {
            accounts.push((address, after));
        }
        // A contract that is gone was created in this block, so that it has no older storage; slots that
        // it wrote before it went are not in the bundle, or zero.
        storage.extend(
            changed
                .storage
                .into_iter()
                .filter(|(_, slot)| slot.is_changed())
                .map(|(key, slot)| ((address, key), slot.present_value)),
        );
    }
    let mut code: Vec<_> = contracts
        .into_iter()
        .filter(|(hash, _)| *hash != KECCAK_EMPTY)
        .map(|(hash, code)| (hash, code.original_bytes()))
        .collect();
    // A contract may have been created and destroyed again: its code is named by nobody.
    let named: std::collections::HashSet<_> =
        accounts.iter().filter_map(|(_, after)| after.map(|a| a.code_hash)).collect();
    code.retain(|(hash, _)| named.contains(hash));
    StateDelta {
        accounts: accounts.into_iter().collect(),
        storage: storage.into_iter().collect(),
        code: code.into_iter().collect(),
    }
}

fn plain(info: &AccountInfo) -> Account {
    Account { nonce: info.nonce, balance: info.balance, code_hash: info.code_hash }
}
