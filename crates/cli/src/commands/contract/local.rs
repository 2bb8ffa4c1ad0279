//! Signing here, with a key that stays here.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256, hex, keccak256};
use evm_abi::Artifact;
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use serde_json::Value;
use types::{Network, RawTransaction, TransactionDraft, TransactionResult, TransactionTerms};

use crate::{Error, client::Client};

/// A secp256k1 key of the user.
pub struct Key {
    secret: SecretKey,
    address: Address,
}

impl Key {
    /// Reads 64 hexadecimal digits, with or without 0x.
    pub fn read(path: &std::path::Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::file(path, error))?;
        let wrong = || Error::Usage(format!("{} holds no private key of 64 hexadecimal digits", path.display()));
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| wrong())?;
        let secret = SecretKey::from_byte_array(bytes).map_err(|_| wrong())?;
        let public = PublicKey::from_secret_key(SECP256K1, &secret).serialize_uncompressed();
        Ok(Self { secret, address: Address::from_slice(&keccak256(&public[1..])[12..]) })
    }

    /// Signs a transaction with the server's terms and sends it.
    pub async fn send(
        &self,
        client: &Client,
        network: &Network,
        to: Option<String>,
        data: Bytes,
        value: Option<String>,
    ) -> Result<TransactionResult, Error> {
        let path = format!("networks/{}/transactions", network.id);
        let amount: U256 = match &value {
            Some(text) => text.parse().map_err(|_| Error::Usage(format!("`{text}` is not an amount")))?,
            None => U256::ZERO,
        };
        let kind = match &to {
            Some(to) => TxKind::Call(to.parse().map_err(|_| Error::Usage(format!("`{to}` is not an address")))?),
            None => TxKind::Create,
        };
        let draft =
            TransactionDraft { from: self.address.to_string(), to, data: Some(hex::encode_prefixed(&data)), value };
        let terms: TransactionTerms = client.post(&format!("{path}/terms"), &draft).await?;
        if network.chain_id.is_some_and(|chain_id| chain_id != terms.chain_id) {
            return Err(Error::Answer("the terms are for another chain".into()));
        }
        let price: u128 =
            terms.gas_price.parse().map_err(|_| Error::Answer(format!("gas price `{}`", terms.gas_price)))?;
        let transaction = TxEip1559 {
            chain_id: terms.chain_id,
            nonce: terms.nonce,
            gas_limit: terms.gas,
            max_fee_per_gas: price,
            max_priority_fee_per_gas: 0,
            to: kind,
            value: amount,
            access_list: Default::default(),
            input: data,
        };
        let hash = transaction.signature_hash();
        let signed = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &self.secret);
        let (recovery, compact) = signed.serialize_compact();
        let signature = Signature::from_bytes_and_parity(&compact, i32::from(recovery) == 1);
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        let raw = hex::encode_prefixed(envelope.encoded_2718());
        client.post(&path, &RawTransaction { raw }).await
    }
}

/// Input data of a deployment.
pub fn deployment(artifact: &Value, args: Option<&Value>) -> Result<Bytes, Error> {
    let artifact = Artifact::from_json(artifact).map_err(usage)?;
    evm_abi::encode_deployment(&artifact, args).map_err(usage)
}

/// Input data of a call.
pub fn call(interface: &Value, function: &str, args: Option<&Value>) -> Result<Bytes, Error> {
    let abi = evm_abi::parse_interface(interface).map_err(usage)?;
    let given = args.and_then(Value::as_array).map_or(0, Vec::len);
    let function = evm_abi::find_function(&abi, function, given).map_err(usage)?;
    evm_abi::encode_call(function, args).map_err(usage)
}

fn usage(error: evm_abi::Error) -> Error {
    Error::Usage(error.to_string())
}
