//! Sending accounts with keys that are made from numbers, and signed transactions.

use alloy_consensus::{SignableTransaction as _, TxEnvelope, TxLegacy};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256, hex, keccak256};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

/// An account of the load.
#[derive(Clone)]
pub struct Account {
    secret: SecretKey,
    /// Its address.
    pub address: Address,
}

impl Account {
    /// The account of a number.
    pub fn new(number: u64) -> anyhow::Result<Self> {
        let secret = SecretKey::from_byte_array(keccak256(number.to_be_bytes()).0)?;
        let public = PublicKey::from_secret_key(SECP256K1, &secret).serialize_uncompressed();
        Ok(Self { secret, address: Address::from_slice(&keccak256(&public[1..])[12..]) })
    }

    /// A signed transaction without a price, as hex.
    pub fn sign(&self, chain_id: u64, nonce: u64, to: Option<Address>, gas_limit: u64, input: Bytes) -> String {
        let transaction = TxLegacy {
            chain_id: Some(chain_id),
            nonce,
            gas_price: 0,
            gas_limit,
            to: to.map_or(TxKind::Create, TxKind::Call),
            value: U256::ZERO,
            input,
        };
        let hash = transaction.signature_hash();
        let (recovery, compact) =
            SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &self.secret).serialize_compact();
        let signature = Signature::from_bytes_and_parity(&compact, i32::from(recovery) == 1);
        hex::encode_prefixed(TxEnvelope::from(transaction.into_signed(signature)).encoded_2718())
    }
}
