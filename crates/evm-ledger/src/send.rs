//! Signed transactions on their way to a node.

use alloy_consensus::{
    SignableTransaction as _, Transaction as _, TxEip1559, TxEnvelope, TxLegacy, transaction::SignerRecoverable as _,
};
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, Bytes, Signature as EthSignature, U256};
use alloy_rlp::Decodable as _;
use driver::{Error, Result, Signed};
use serde_json::json;
use types::Code;

use crate::ledger::{EvmLedger, busy};
use crate::outcome;
use crate::rpc::NodeError;

/// A transaction that waits for its signature.
pub(crate) struct Prepared {
    /// Encoded without it.
    pub unsigned: Vec<u8>,
    /// What is to be signed.
    pub digest: [u8; 32],
    /// Who has to.
    pub from: String,
}

/// Puts a signature in, as [`driver::Signer`] gives it.
pub(crate) fn assemble(prepared: &Prepared, signature: &[u8]) -> Result<Signed> {
    let damaged = || Error::Protocol("a prepared transaction does not decode".into());
    let signature: &[u8; 65] =
        signature.try_into().map_err(|_| Error::Protocol("a signature has not 65 bytes".into()))?;
    let (r, s) = (U256::from_be_slice(&signature[..32]), U256::from_be_slice(&signature[32..64]));
    let signature = EthSignature::new(r, s, signature[64] == 1);
    // EIP-2718: a type's byte, or the list that a transaction without a type is.
    let envelope = match prepared.unsigned.as_slice() {
        [2, fields @ ..] => {
            let transaction = TxEip1559::decode(&mut &*fields).map_err(|_| damaged())?;
            TxEnvelope::from(transaction.into_signed(signature))
        }
        mut list @ [0xc0..=0xff, ..] => {
            let transaction = TxLegacy::decode(&mut list).map_err(|_| damaged())?;
            TxEnvelope::from(transaction.into_signed(signature))
        }
        _ => return Err(damaged()),
    };
    let from = sender(&envelope)?;
    if from.to_string() != prepared.from {
        let detail = format!("The signature is of {from}, but the transaction is to be signed by {}.", prepared.from);
        return Err(Error::problem(Code::TransactionRefused, detail));
    }
    Ok(signed(&envelope, from))
}

pub(crate) fn read(chain_id: u64, raw: &[u8]) -> Result<Signed> {
    let envelope = TxEnvelope::decode_2718_exact(raw).map_err(|error| {
        Error::problem(Code::RequestInvalid, format!("This is not a signed transaction (EIP-2718): {error}."))
    })?;
    let refused = |detail: String| Err(Error::problem(Code::TransactionRefused, detail));
    match envelope.chain_id() {
        Some(given) if given == chain_id => {}
        Some(given) => {
            return refused(format!("The transaction is signed for chain id {given}; this network has {chain_id}."));
        }
        None => {
            return refused(format!(
                "The transaction is signed for no chain: sign it with chain id {chain_id} (EIP-155)."
            ));
        }
    }
    if envelope.is_eip4844() {
        return refused("The ledger takes no blob transactions.".into());
    }
    let from = sender(&envelope)?;
    Ok(signed(&envelope, from))
}

fn sender(envelope: &TxEnvelope) -> Result<Address> {
    envelope.recover_signer().map_err(|_| Error::problem(Code::TransactionRefused, "The signature is not valid."))
}

fn signed(envelope: &TxEnvelope, from: Address) -> Signed {
    Signed {
        id: envelope.tx_hash().to_string(),
        raw: envelope.encoded_2718(),
        from: from.to_string(),
        nonce: Some(envelope.nonce()),
        contract: envelope.is_create().then(|| from.create(envelope.nonce()).to_string()),
    }
}

/// Gives the transaction to the first node that takes it. The same bytes may go to several: they can be included once
/// only. What is never done is to call a transaction refused that a node may have.
pub(crate) async fn send(ledger: &EvmLedger, signed: &Signed) -> Result<()> {
    let raw = Bytes::copy_from_slice(&signed.raw);
    let mut ambiguous = None;
    let mut failed = None;
    let mut reasons = Vec::new();
    for node in ledger.client.order() {
        match ledger.client.ask_node(node, ("eth_sendRawTransaction", json!([raw]))).await {
            Ok(Ok(_)) => {
                ledger.client.prefer(node);
                return Ok(());
            }
            Ok(Err(error)) if error.is_repetition() => return Ok(()),
            // Its disk or its state: another node may be well.
            Ok(Err(error)) if error.is_internal() => failed = Some(error.message),
            Ok(Err(error)) => {
                let refusal = match error.is_limit() {
                    true => busy(&error.message),
                    false => too_poor(&error, &signed.from).unwrap_or_else(|| {
                        let detail = format!("The ledger refused the transaction: {}.", error.message);
                        Error::problem(Code::TransactionRefused, detail)
                    }),
                };
                return match outcome::is_known(ledger, &signed.id).await {
                    // Sent before: it waits, or its nonce is used because it is included.
                    Ok(true) => Ok(()),
                    Ok(false) if ambiguous.is_none() => Err(refusal),
                    _ => Err(unknown(signed, ambiguous.unwrap_or(error.message))),
                };
            }
            Err(broken) if broken.sent => ambiguous = Some(broken.reason),
            Err(broken) => reasons.push(broken.reason),
        }
    }
    match (ambiguous, failed) {
        (Some(reason), _) => Err(unknown(signed, reason)),
        (None, Some(message)) => Err(busy(&message)),
        (None, None) if reasons.is_empty() => Err(Error::Unreachable("the network has no nodes".into())),
        (None, None) => Err(Error::Unreachable(reasons.join("; "))),
    }
}

/// The refusal of a sender that cannot pay, for a person.
pub(crate) fn too_poor(error: &NodeError, sender: &str) -> Option<Error> {
    // geth and what was made from it, Besu.
    let words = ["insufficient funds", "gas required exceeds allowance (0)", "upfront cost exceeds account balance"];
    let message = error.message.to_ascii_lowercase();
    words.iter().any(|words| message.contains(words)).then(|| {
        let detail = format!(
            "The account {sender} cannot pay for the transaction ({}). Gas has a price on this network: send the account \
             some of its currency first.",
            error.message
        );
        Error::problem(Code::AccountFunds, detail)
    })
}

fn unknown(signed: &Signed, reason: String) -> Error {
    Error::Unknown { id: signed.id.clone(), reason }
}

#[cfg(test)]
mod tests {
    use alloy_consensus::TxLegacy;
    use alloy_primitives::{TxKind, keccak256};
    use secp256k1::{Message, SECP256K1, SecretKey};

    use super::*;

    fn prepared(key: &SecretKey, chain_id: u64) -> Prepared {
        let transaction = TxLegacy {
            chain_id: Some(chain_id),
            nonce: 7,
            gas_price: 0,
            gas_limit: 100_000,
            to: TxKind::Create,
            value: U256::ZERO,
            input: Bytes::from_static(&[1, 2, 3]),
        };
        let public = key.public_key(SECP256K1).serialize_uncompressed();
        Prepared {
            unsigned: transaction.encoded_for_signing(),
            digest: transaction.signature_hash().0,
            from: Address::from_slice(&keccak256(&public[1..])[12..]).to_string(),
        }
    }

    fn sign(key: &SecretKey, digest: [u8; 32]) -> [u8; 65] {
        let (parity, bytes) = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest), key).serialize_compact();
        let mut signature = [0; 65];
        signature[..64].copy_from_slice(&bytes);
        signature[64] = i32::from(parity) as u8;
        signature
    }

    #[test]
    fn a_transaction_without_a_type_is_put_together_and_read() {
        let key = SecretKey::from_byte_array([7; 32]).expect("a key");
        let prepared = prepared(&key, 1337);
        let signed = assemble(&prepared, &sign(&key, prepared.digest)).expect("it fits");
        assert_eq!((signed.nonce, &signed.from), (Some(7), &prepared.from));
        assert!(signed.raw[0] >= 0xc0, "a list");
        assert_eq!(read(1337, &signed.raw).expect("it is for this chain"), signed);
        let elsewhere = read(1338, &signed.raw).expect_err("it is for another chain");
        assert_eq!(elsewhere.code(), Code::TransactionRefused);
        let other = SecretKey::from_byte_array([8; 32]).expect("a key");
        assert!(assemble(&prepared, &sign(&other, prepared.digest)).is_err(), "another's signature");
    }
}
