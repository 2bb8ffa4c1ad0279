//! Keys: ECDSA on P-256 with SHA-256, in DER, with the lower of the two possible values of S, which is the only one that
//! some ledgers accept.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use p256::ecdsa::Signature;
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// A P-256 key in memory.
pub struct SecretKey {
    pair: EcdsaKeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey")
    }
}

impl SecretKey {
    /// A new key.
    pub fn generate() -> Result<Self> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
            .map_err(|failure| Error::certificate("a new key", failure.to_string()))?;
        Self::from_pkcs8(document.as_ref())
    }

    /// Reads a key from PKCS #8, DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der)
            .map_err(|failure| Error::certificate("a private key", failure.to_string()))?;
        Ok(Self { pair, pkcs8: Zeroizing::new(der.to_vec()) })
    }

    /// Reads a key from PKCS #8, PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let der =
            PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|failure| Error::certificate("a private key", failure))?;
        Self::from_pkcs8(der.secret_pkcs8_der())
    }

    /// PKCS #8, DER.
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.pkcs8
    }

    /// PKCS #8, PEM: the form that Fabric's programs read.
    pub fn pkcs8_pem(&self) -> Zeroizing<String> {
        use base64::Engine as _;
        let body = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(&*self.pkcs8));
        let mut pem = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
        for line in body.as_bytes().chunks(64) {
            pem.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        pem
    }

    /// The public key: an uncompressed point, 65 bytes.
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Signs the SHA-256 of the message, DER, low S.
    pub fn sign_now(&self, message: &[u8]) -> Result<Vec<u8>> {
        let signature =
            self.pair.sign(&SystemRandom::new(), message).map_err(|failure| Error::Signing(failure.to_string()))?;
        low_s(signature.as_ref())
    }
}

/// The same signature with the lower value of S.
pub fn low_s(der: &[u8]) -> Result<Vec<u8>> {
    let signature = Signature::from_der(der).map_err(|failure| Error::Signing(failure.to_string()))?;
    Ok(signature.normalize_s().to_der().as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{VerifyingKey, signature::Verifier as _};

    use super::*;

    #[test]
    fn signatures_are_low_and_verify() -> anyhow::Result<()> {
        let key = SecretKey::generate()?;
        let public = VerifyingKey::from_sec1_bytes(key.public_key())?;
        for number in 0..64_u8 {
            let message = [number; 40];
            let signature = Signature::from_der(&key.sign_now(&message)?)?;
            assert_eq!(signature.normalize_s(), signature, "S is not the lower one");
            public.verify(&message, &signature)?;
        }
        Ok(())
    }

    #[test]
    fn a_key_survives_its_pem_form() -> anyhow::Result<()> {
        let key = SecretKey::generate()?;
        let again = SecretKey::from_pem(key.pkcs8_pem().as_bytes())?;
        assert_eq!(key.public_key(), again.public_key());
        assert_eq!(format!("{key:?}"), "SecretKey");
        Ok(())
    }
}
