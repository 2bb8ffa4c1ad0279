//! The first block's extra data: who validates, as each consensus writes it.

use alloy_primitives::{Address, Bytes};
use alloy_rlp::{Encodable, Header};

/// What a proposer may put in for itself: nothing.
const VANITY: [u8; 32] = [0; 32];
/// The place of a signature by secp256k1.
const SEAL: [u8; 65] = [0; 65];

/// QBFT: a list of vanity, validators, vote (none: an empty list), round and seals (Besu's documentation, "Extra data";
/// GoQuorum's `QBFTExtra`).
pub(crate) fn qbft(validators: &[Address]) -> Bytes {
    let none: [Address; 0] = [];
    list(|out| {
        VANITY.as_slice().encode(out);
        alloy_rlp::encode_list::<Address, Address>(validators, out);
        alloy_rlp::encode_list::<Address, Address>(&none, out);
        0_u32.encode(out);
        alloy_rlp::encode_list::<Address, Address>(&none, out);
    })
    .into()
}

/// IBFT as GoQuorum has it (EIP-650): vanity, then a list of validators, the proposer's seal and the committed seals.
pub(crate) fn ibft(validators: &[Address]) -> Bytes {
    let none: [Address; 0] = [];
    let mut extra = VANITY.to_vec();
    extra.extend(list(|out| {
        alloy_rlp::encode_list::<Address, Address>(validators, out);
        b"".as_slice().encode(out);
        alloy_rlp::encode_list::<Address, Address>(&none, out);
    }));
    extra.into()
}

/// Clique (EIP-225): vanity, the signers in ascending order, the place of a seal.
pub(crate) fn clique(signers: &[Address]) -> Bytes {
    let mut signers = signers.to_vec();
    signers.sort();
    let mut extra = VANITY.to_vec();
    extra.extend(signers.iter().flat_map(|signer| signer.0.0));
    extra.extend(SEAL);
    extra.into()
}

fn list(items: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut payload = Vec::new();
    items(&mut payload);
    let mut out = Vec::new();
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend(payload);
    out
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::*;

    fn validators() -> Vec<Address> {
        [0x44, 0x22, 0x33, 0x11].map(Address::repeat_byte).to_vec()
    }

    fn of_four(text: &str) -> String {
        text.replace("VALIDATORS", &["44", "22", "33", "11"].map(|byte| format!("94{}", byte.repeat(20))).join(""))
    }

    #[test]
    fn qbft_is_one_list() {
        let expected = of_four(&format!("f87aa0{}f854VALIDATORSc080c0", "00".repeat(32)));
        assert_eq!(hex::encode(qbft(&validators())), expected);
    }

    #[test]
    fn ibft_is_a_list_after_the_vanity() {
        let expected = of_four(&format!("{}f858f854VALIDATORS80c0", "00".repeat(32)));
        assert_eq!(hex::encode(ibft(&validators())), expected);
    }

    #[test]
    fn clique_sorts_its_signers() {
        let signers = ["11", "22", "33", "44"].map(|byte| byte.repeat(20)).join("");
        assert_eq!(hex::encode(clique(&validators())), format!("{}{signers}{}", "00".repeat(32), "00".repeat(65)));
    }
}
