//! Bytes of keys and small values.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use chain_exec::Account;

use crate::changes::Slot;

pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// Puts two pieces of fixed length behind each other; `N` is their sum.
fn join<const N: usize>(first: &[u8], second: &[u8]) -> [u8; N] {
    let mut joined = [0; N];
    joined[..first.len()].copy_from_slice(first);
    joined[first.len()..].copy_from_slice(second);
    joined
}

pub(super) fn slot_key((address, slot): &Slot) -> [u8; 52] {
    join(address.as_slice(), &slot.to_be_bytes::<32>())
}

pub(super) fn account_at(address: &Address, block: u64) -> [u8; 28] {
    join(address.as_slice(), &block.to_be_bytes())
}

pub(super) fn slot_at(slot: &Slot, block: u64) -> [u8; 60] {
    join(&slot_key(slot), &block.to_be_bytes())
}

/// Empty for no account.
pub(super) fn encode_account(account: Option<Account>) -> Vec<u8> {
    let Some(account) = account else { return Vec::new() };
    let mut bytes = Vec::with_capacity(72);
    bytes.extend(account.nonce.to_be_bytes());
    bytes.extend(account.balance.to_be_bytes::<32>());
    if account.code_hash != KECCAK256_EMPTY {
        bytes.extend(account.code_hash);
    }
    bytes
}

/// What [`encode_account`] wrote; the outer `None` says that it is not that.
pub(super) fn decode_account(bytes: &[u8]) -> Option<Option<Account>> {
    if bytes.is_empty() {
        return Some(None);
    }
    let (nonce, rest) = bytes.split_at_checked(8)?;
    let (balance, code_hash) = rest.split_at_checked(32)?;
    let code_hash = if code_hash.is_empty() { KECCAK256_EMPTY } else { B256::try_from(code_hash).ok()? };
    Some(Some(Account { nonce: number(nonce)?, balance: U256::from_be_slice(balance), code_hash }))
}

/// Eight bytes that stand for an address (`place` 0) or the topic at `place` 1 to 4 in the index of logs. Two things
/// may have the same tag: whoever finds a block by it looks at the block's logs themselves.
pub(crate) fn log_tag(place: u8, value: &[u8]) -> [u8; 8] {
    let mut bytes = [0; 33];
    bytes[0] = place;
    bytes[1..=value.len()].copy_from_slice(value);
    let hash = keccak256(&bytes[..=value.len()]);
    let mut tag = [0; 8];
    tag.copy_from_slice(&hash[..8]);
    tag
}

pub(super) fn log_key(tag: [u8; 8], block: u64) -> [u8; 16] {
    join(&tag, &block.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_come_back() {
        let plain = Account { nonce: 7, balance: U256::from(9), code_hash: KECCAK256_EMPTY };
        let contract = Account { code_hash: B256::repeat_byte(3), balance: U256::MAX, nonce: u64::MAX };
        for account in [None, Some(plain), Some(contract)] {
            assert_eq!(decode_account(&encode_account(account)), Some(account));
        }
        assert_eq!(decode_account(&[1, 2, 3]), None);
        assert_eq!(decode_account(&[0; 50]), None);
    }
}
