//! Keys, signatures and identities: ECDSA on P-256 with SHA-256, in DER, with the lower of the two possible values of S,
//! which is the only one that Fabric accepts.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use futures::future::BoxFuture;
use p256::ecdsa::Signature;
use prost::Message as _;
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use crate::proto::msp::SerializedIdentity;
use crate::{Error, Result};

/// Signs with a key that may be held elsewhere.
pub trait Signer: Send + Sync {
    /// ECDSA signature on P-256 of the SHA-256 of the message, in DER. Either value of S will do.
    fn sign<'a>(
        &'a self,
        message: &'a [u8],
    ) -> BoxFuture<'a, std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>>;
}

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
        let signature = self
            .pair
            .sign(&SystemRandom::new(), message)
            .map_err(|failure| Error::Signing(failure.to_string().into()))?;
        low_s(signature.as_ref())
    }
}

impl Signer for SecretKey {
    fn sign<'a>(
        &'a self,
        message: &'a [u8],
    ) -> BoxFuture<'a, std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move { self.sign_now(message).map_err(Into::into) })
    }
}

/// The same signature with the lower value of S.
pub(crate) fn low_s(der: &[u8]) -> Result<Vec<u8>> {
    let signature = Signature::from_der(der).map_err(|failure| Error::Signing(failure.to_string().into()))?;
    Ok(signature.normalize_s().to_der().as_bytes().to_vec())
}

/// Somebody who signs: a certificate of an organisation's MSP and the key behind it.
#[derive(Clone)]
pub struct Identity {
    msp_id: String,
    creator: Arc<Vec<u8>>,
    signer: Arc<dyn Signer>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").field("msp_id", &self.msp_id).finish_non_exhaustive()
    }
}

impl Identity {
    /// The holder of a certificate (PEM).
    pub fn new(msp_id: impl Into<String>, certificate: impl Into<Vec<u8>>, signer: Arc<dyn Signer>) -> Self {
        let msp_id = msp_id.into();
        let creator = SerializedIdentity { mspid: msp_id.clone(), id_bytes: certificate.into() }.encode_to_vec();
        Self { msp_id, creator: Arc::new(creator), signer }
    }

    /// The organisation's MSP.
    pub fn msp_id(&self) -> &str {
        &self.msp_id
    }

    /// The serialised identity that goes into signed messages.
    pub fn creator(&self) -> &[u8] {
        &self.creator
    }

    /// Signs a message, DER, low S.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        low_s(&self.signer.sign(message).await.map_err(Error::Signing)?)
    }
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
