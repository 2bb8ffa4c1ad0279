//! Organisations' signing keys: ed25519 (RFC 8032).

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::{Error, MasterKey, Result};

/// The private key of an organisation.
pub struct OrganisationKey(Ed25519KeyPair);

impl std::fmt::Debug for OrganisationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OrganisationKey({})", self.public_key())
    }
}

impl OrganisationKey {
    /// Makes a key.
    pub fn generate() -> Result<Self> {
        Ok(OrganisationKey(Ed25519KeyPair::generate()?))
    }

    /// The public key, hex.
    pub fn public_key(&self) -> String {
        hex::encode(self.0.public_key().as_ref())
    }

    /// Signs a message; the signature is 64 bytes, hex.
    pub fn sign(&self, message: &[u8]) -> String {
        hex::encode(self.0.sign(message).as_ref())
    }

    /// The seed, encrypted for an organisation.
    pub fn seal(&self, master: &MasterKey, organisation: &str) -> Result<String> {
        let seed = self.0.seed()?;
        master.seal(&purpose(organisation), seed.as_be_bytes()?.as_ref())
    }

    /// Decrypts the key of an organisation.
    pub fn open(master: &MasterKey, organisation: &str, sealed: &str) -> Result<Self> {
        let seed = master.open(&purpose(organisation), sealed)?;
        Ok(OrganisationKey(Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Error::KeyInvalid)?))
    }
}

fn purpose(organisation: &str) -> String {
    format!("organisation {organisation}")
}

/// Whether `signature` (hex) over `message` is by `public_key` (hex).
pub fn verify(public_key: &str, message: &[u8], signature: &str) -> bool {
    match (hex::decode(public_key), hex::decode(signature)) {
        (Ok(key), Ok(signature)) => UnparsedPublicKey::new(&ED25519, key).verify(message, &signature).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_sealing_and_signs() {
        let dir = tempfile::tempdir().unwrap();
        let master = MasterKey::generate(&dir.path().join("master.key")).unwrap();
        let key = OrganisationKey::generate().unwrap();
        let sealed = key.seal(&master, "org_1").unwrap();
        let opened = OrganisationKey::open(&master, "org_1", &sealed).unwrap();
        assert_eq!(opened.public_key(), key.public_key());
        let signature = opened.sign(b"statement");
        assert!(verify(&key.public_key(), b"statement", &signature));
        assert!(!verify(&key.public_key(), b"statement!", &signature));
        assert!(matches!(OrganisationKey::open(&master, "org_2", &sealed), Err(Error::Unsealable)));
    }
}
