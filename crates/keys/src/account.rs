//! Members' accounts on EVM ledgers: secp256k1 keys.

use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use zeroize::Zeroizing;

use crate::{Error, MasterKey, Result};

/// The private key of an account.
pub struct AccountKey(SecretKey);

impl std::fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccountKey({})", self.address())
    }
}

impl Drop for AccountKey {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl AccountKey {
    /// Makes a key.
    pub fn generate() -> Result<Self> {
        loop {
            let mut bytes = Zeroizing::new([0u8; 32]);
            aws_lc_rs::rand::fill(bytes.as_mut())?;
            // Zero and numbers above the curve's order are no keys; 1 in 2^128 draws meets one.
            if let Ok(key) = SecretKey::from_byte_array(*bytes) {
                return Ok(AccountKey(key));
            }
        }
    }

    /// The address: the last 20 bytes of the Keccak-256 of the uncompressed public key.
    pub fn address(&self) -> Address {
        let public = PublicKey::from_secret_key(SECP256K1, &self.0).serialize_uncompressed();
        Address::from_slice(&keccak256(&public[1..])[12..])
    }

    /// Signs a 32-byte digest (deterministic nonce, RFC 6979; low s).
    pub fn sign_hash(&self, digest: &B256) -> Signature {
        let signed = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest.0), &self.0);
        let (recovery, bytes) = signed.serialize_compact();
        Signature::new(
            U256::from_be_slice(&bytes[..32]),
            U256::from_be_slice(&bytes[32..]),
            i32::from(recovery) & 1 == 1,
        )
    }

    /// The key, encrypted for an account id.
    pub fn seal(&self, master: &MasterKey, account: &str) -> Result<String> {
        let bytes = Zeroizing::new(self.0.secret_bytes());
        master.seal(&purpose(account), bytes.as_ref())
    }

    /// Decrypts the key of an account id.
    pub fn open(master: &MasterKey, account: &str, sealed: &str) -> Result<Self> {
        let bytes = master.open(&purpose(account), sealed)?;
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(bytes.as_slice().try_into().map_err(|_| Error::KeyInvalid)?);
        Ok(AccountKey(SecretKey::from_byte_array(*bytes).map_err(|_| Error::KeyInvalid)?))
    }
}

fn purpose(account: &str) -> String {
    format!("account {account}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_recover_to_the_address_after_sealing() {
        let dir = tempfile::tempdir().unwrap();
        let master = MasterKey::generate(&dir.path().join("master.key")).unwrap();
        let key = AccountKey::generate().unwrap();
        let opened = AccountKey::open(&master, "acc_1", &key.seal(&master, "acc_1").unwrap()).unwrap();
        let digest = keccak256(b"message");
        let signature = opened.sign_hash(&digest);
        let [_, compact @ ..] = [[0u8; 32], signature.r().to_be_bytes(), signature.s().to_be_bytes()];
        let recovery = secp256k1::ecdsa::RecoveryId::try_from(i32::from(signature.v())).unwrap();
        let recoverable = secp256k1::ecdsa::RecoverableSignature::from_compact(&compact.concat(), recovery).unwrap();
        let public = SECP256K1.recover_ecdsa(Message::from_digest(digest.0), &recoverable).unwrap();
        let address = Address::from_slice(&keccak256(&public.serialize_uncompressed()[1..])[12..]);
        assert_eq!(address, key.address());
    }

    #[test]
    fn the_address_of_a_known_key() {
        // The generator point is the public key of private key 1.
        let mut bytes = [0u8; 32];
        bytes[31] = 1;
        let key = AccountKey(SecretKey::from_byte_array(bytes).unwrap());
        assert_eq!(key.address().to_string(), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    }
}
