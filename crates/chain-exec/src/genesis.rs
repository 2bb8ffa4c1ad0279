//! Block 0 and the state after it.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, constants::EMPTY_WITHDRAWALS};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_genesis::GenesisAccount;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{Address, B256, U256, keccak256};
use chain_types::Genesis;
use revm::{bytecode::Bytecode, primitives::KECCAK_EMPTY};

use crate::{Account, ExecError, StateDelta, forks::Forks};

/// The genesis header with a state root of zero.
pub(crate) fn header(genesis: &Genesis, forks: &Forks) -> Header {
    let ethereum = &genesis.ethereum;
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: ethereum.coinbase,
        gas_limit: ethereum.gas_limit,
        timestamp: ethereum.timestamp,
        extra_data: ethereum.extra_data.clone(),
        mix_hash: ethereum.mix_hash,
        base_fee_per_gas: Some(genesis.polder.min_gas_price),
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: forks.is_prague_active_at_timestamp(ethereum.timestamp).then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

/// The allocations of the genesis as a change of the empty state.
pub(crate) fn delta(genesis: &Genesis) -> Result<StateDelta, ExecError> {
    let mut delta = StateDelta::default();
    for (address, given) in &genesis.ethereum.alloc {
        let code_hash = match given.code.as_ref().filter(|code| !code.is_empty()) {
            Some(code) => {
                Bytecode::new_raw_checked(code.clone())
                    .map_err(|error| ExecError::Genesis(format!("alloc {address}: not code: {error}")))?;
                let hash = keccak256(code);
                delta.code.insert(hash, code.clone());
                hash
            }
            None => KECCAK_EMPTY,
        };
        let account = Account { nonce: given.nonce.unwrap_or(0), balance: given.balance, code_hash };
        check_storage(*address, &account, given)?;
        for (slot, value) in given.storage.iter().flatten().filter(|(_, value)| !value.is_zero()) {
            delta.storage.insert((*address, U256::from_be_bytes(slot.0)), U256::from_be_bytes(value.0));
        }
        let empty = account.nonce == 0 && account.balance.is_zero() && code_hash == KECCAK_EMPTY;
        if !empty {
            delta.accounts.insert(*address, Some(account));
        }
    }
    Ok(delta)
}

/// Storage below an account that a contract creation could still claim would be hidden from the new
/// contract and yet stay in the state.
fn check_storage(address: Address, account: &Account, given: &GenesisAccount) -> Result<(), ExecError> {
    let has_storage = given.storage.as_ref().is_some_and(|slots| slots.values().any(|value| !value.is_zero()));
    if has_storage && account.nonce == 0 && account.code_hash == KECCAK_EMPTY {
        return Err(ExecError::Genesis(format!("alloc {address}: storage without code or a nonce")));
    }
    Ok(())
}
