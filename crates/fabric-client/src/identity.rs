//! Who signs: a certificate of an organisation's MSP and the key behind it.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use pki::{SecretKey, low_s};
use prost::Message as _;

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

impl Signer for SecretKey {
    fn sign<'a>(
        &'a self,
        message: &'a [u8],
    ) -> BoxFuture<'a, std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move { self.sign_now(message).map_err(Into::into) })
    }
}

/// The holder of a certificate (PEM) as signed messages name it.
pub fn creator(msp_id: &str, certificate: impl Into<Vec<u8>>) -> Vec<u8> {
    SerializedIdentity { mspid: msp_id.to_owned(), id_bytes: certificate.into() }.encode_to_vec()
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
        let creator = Arc::new(creator(&msp_id, certificate));
        Self { msp_id, creator, signer }
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
        Ok(low_s(&self.signer.sign(message).await.map_err(Error::Signing)?)?)
    }
}
