//! Signed transactions on their way to a node.

use alloy_consensus::{
    SignableTransaction as _, Transaction as _, TxEip1559, TxEnvelope, transaction::SignerRecoverable as _,
};
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, Bytes, Signature as EthSignature, U256};
use alloy_rlp::Decodable as _;
use driver::{Error, Prepared, Result, Signature, Signed};
use serde_json::json;
use types::Code;

use crate::ledger::{NativeLedger, busy, outcome};

pub(super) fn assemble(prepared: &Prepared, signature: &Signature) -> Result<Signed> {
    let damaged = || Error::Protocol("a prepared transaction does not decode".into());
    let (kind, mut fields) = prepared.unsigned.split_first().ok_or_else(damaged)?;
    if *kind != 2 {
        return Err(damaged());
    }
    let transaction = TxEip1559::decode(&mut fields).map_err(|_| damaged())?;
    let (r, s) = (U256::from_be_slice(&signature[..32]), U256::from_be_slice(&signature[32..64]));
    let envelope = TxEnvelope::from(transaction.into_signed(EthSignature::new(r, s, signature[64] == 1)));
    let from = sender(&envelope)?;
    if from.to_string() != prepared.from {
        let detail = format!("The signature is of {from}, but the transaction is to be signed by {}.", prepared.from);
        return Err(Error::problem(Code::TransactionRefused, detail));
    }
    Ok(signed(&envelope, from))
}

pub(super) fn read(chain_id: u64, raw: &[u8]) -> Result<Signed> {
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
        nonce: envelope.nonce(),
        contract: envelope.is_create().then(|| from.create(envelope.nonce()).to_string()),
    }
}

/// Gives the transaction to the first node that takes it. The same bytes may go to several: they can be included once
/// only. What is never done is to call a transaction refused that a node may have.
pub(super) async fn send(ledger: &NativeLedger, signed: &Signed) -> Result<()> {
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
            Ok(Err(error)) if error.message.contains("already known") => return Ok(()),
            // Its disk or its state: another node may be well.
            Ok(Err(error)) if error.is_internal() => failed = Some(error.message),
            Ok(Err(error)) => {
                let refusal = match error.is_limit() {
                    true => busy(&error.message),
                    false => Error::problem(
                        Code::TransactionRefused,
                        format!("The ledger refused the transaction: {}.", error.message),
                    ),
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

fn unknown(signed: &Signed, reason: String) -> Error {
    Error::Unknown { id: signed.id.clone(), reason }
}
