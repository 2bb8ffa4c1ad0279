//! Reaching a node: the caller's byte stream, TLS over it, and gRPC or HTTP over that.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, SignatureAlgorithm, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::Channel;

use crate::{Error, Result, SecretKey, authority, codec};

/// Blocks and packages are far above gRPC's usual 4 MiB; Fabric's own limit is 100 MiB.
pub(crate) const LARGEST_MESSAGE: usize = 100 * 1024 * 1024;

/// A byte stream to a node.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens a byte stream to one port of one node, each time it is asked.
///
/// A TCP stream should have `TCP_NODELAY` set: without it each call waits some 40 ms for a delayed acknowledgement.
pub type Connector = Arc<dyn Fn() -> BoxFuture<'static, io::Result<Box<dyn Stream>>> + Send + Sync>;

/// Makes a [`Connector`] of any closure that opens a stream.
pub fn connector<F, Opening, S>(open: F) -> Connector
where
    F: Fn() -> Opening + Send + Sync + 'static,
    Opening: Future<Output = io::Result<S>> + Send + 'static,
    S: Stream + 'static,
{
    Arc::new(move || {
        let opening = open();
        Box::pin(async move { Ok(Box::new(opening.await?) as Box<dyn Stream>) })
    })
}

/// A client's TLS key, which may be held elsewhere.
pub trait TlsKey: Send + Sync {
    /// ECDSA signature on P-256 of the SHA-256 of the message, in DER. It is asked for in the middle of a handshake.
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;
}

impl TlsKey for SecretKey {
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.sign_now(message)?)
    }
}

/// What a client shows a server that asks who it is.
pub struct ClientCertificate<'a> {
    /// The certificate, PEM.
    pub certificate: &'a [u8],
    /// Its key.
    pub key: Arc<dyn TlsKey>,
}

/// How a node's TLS certificate is checked, and the certificate that is shown to it.
#[derive(Clone)]
pub struct Tls {
    grpc: Arc<ClientConfig>,
    http: Arc<ClientConfig>,
    certificate_hash: Vec<u8>,
}

impl Tls {
    /// Trusts the given roots (PEM, one or more certificates each).
    ///
    /// Without a certificate of the caller's a throw-away one is shown: a peer's discovery service refuses clients that
    /// show none, and asks nothing else of it.
    pub fn new(roots: &[impl AsRef<[u8]>], client: Option<ClientCertificate<'_>>) -> Result<Self> {
        let mut store = RootCertStore::empty();
        for pem in roots {
            for certificate in certificates("a TLS root", pem.as_ref())? {
                store.add(certificate).map_err(|failure| Error::certificate("a TLS root", failure))?;
            }
        }
        let (chain, key): (_, Arc<dyn TlsKey>) = match client {
            Some(client) => (certificates("the client's certificate", client.certificate)?, client.key),
            None => {
                let key = SecretKey::generate()?;
                let pem = authority::throw_away_certificate(&key)?;
                (certificates("the client's certificate", pem.as_bytes())?, Arc::new(key))
            }
        };
        let first = chain.first().ok_or_else(|| Error::certificate("the client's certificate", "it is empty"))?;
        let certificate_hash = codec::sha256(&[first]).to_vec();
        let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|failure| Error::certificate("the TLS library", failure))?
            .with_root_certificates(store)
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, Arc::new(Key(key))))));
        let http = Arc::new(config.clone());
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { grpc: Arc::new(config), http, certificate_hash })
    }
}

/// A client's key as the TLS library wants it.
struct Key(Arc<dyn TlsKey>);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key")
    }
}

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SCHEME).then(|| Box::new(Self(self.0.clone())) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

/// The one scheme of P-256 keys in TLS 1.3.
const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, rustls::Error> {
        self.0.sign(message).map_err(|failure| rustls::Error::General(failure.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(Error::certificate(what, "no certificate in it")),
        Ok(found) => Ok(found),
        Err(failure) => Err(Error::certificate(what, failure)),
    }
}

/// One port of one node: how to connect to it, and the name that its certificate must bear.
#[derive(Clone)]
pub struct Node {
    name: String,
    server: ServerName<'static>,
    connector: Connector,
    tls: Tls,
}

impl Node {
    /// Names the port of a node.
    pub fn new(name: impl Into<String>, connector: Connector, tls: Tls) -> Result<Self> {
        let name = name.into();
        let server =
            ServerName::try_from(name.clone()).map_err(|failure| Error::certificate("the server's name", failure))?;
        Ok(Self { name, server, connector, tls })
    }

    /// The name that the node's certificate must bear.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the certificate that is shown to the node: Fabric binds signed requests to it.
    pub(crate) fn certificate_hash(&self) -> Vec<u8> {
        self.tls.certificate_hash.clone()
    }

    /// A gRPC channel, opened at the first call and again when it broke.
    pub(crate) fn channel(&self) -> Channel {
        let node = self.clone();
        // TLS is below, so that the transport sees plain HTTP/2. The address is only a label.
        tonic::transport::Endpoint::from_static("http://node")
            .connect_timeout(Duration::from_secs(10))
            // Fabric's servers end connections that ping more often than once a minute.
            .http2_keep_alive_interval(Duration::from_secs(75))
            .keep_alive_timeout(Duration::from_secs(20))
            .connect_with_connector_lazy(tower::service_fn(move |_| {
                let node = node.clone();
                async move { node.open(node.tls.grpc.clone()).await.map(TokioIo::new) }
            }))
    }

    /// A TLS stream for HTTP/1.1.
    pub(crate) async fn http(&self) -> io::Result<Pin<Box<TlsStream<Box<dyn Stream>>>>> {
        self.open(self.tls.http.clone()).await.map(Box::pin)
    }

    async fn open(&self, config: Arc<ClientConfig>) -> io::Result<TlsStream<Box<dyn Stream>>> {
        let stream = (self.connector)().await?;
        TlsConnector::from(config).connect(self.server.clone(), stream).await
    }
}
