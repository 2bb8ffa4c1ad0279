//! Resolving once, and connecting to what was resolved.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{AllowList, Error, Location, Pinned, Result};

/// Longest that a name may take to be resolved.
const RESOLVE: Duration = Duration::from_secs(5);
/// Longest that a connection may take to open, TLS included.
const CONNECT: Duration = Duration::from_secs(5);

/// A byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Calls addresses that users give. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Outbound(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    allow: AllowList,
    /// Read when first needed: the machine's authorities.
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Outbound {
    /// With what the administrator allows.
    pub fn new(allow: AllowList) -> Self {
        Self(Arc::new(Inner { allow, tls: OnceLock::new() }))
    }

    /// The same with authorities of its own instead of the machine's.
    ///
    /// # Errors
    /// [`Error::Authorities`].
    pub fn with_authorities(allow: AllowList, authorities: Vec<CertificateDer<'static>>) -> Result<Self> {
        let tls = OnceLock::from(client_config(authorities)?);
        Ok(Self(Arc::new(Inner { allow, tls })))
    }

    /// What the administrator allows.
    pub fn allow_list(&self) -> &AllowList {
        &self.0.allow
    }

    /// Resolves a location's name, once: the first of its addresses that may be called.
    ///
    /// # Errors
    /// [`Error::Unresolved`], or why none of the addresses may be called.
    pub async fn pin(&self, location: &Location) -> Result<Pinned> {
        let host = &location.host;
        let unresolved = |reason: String| Error::Unresolved { host: host.clone(), reason };
        let found: Vec<IpAddr> = match host.parse() {
            Ok(ip) => vec![ip],
            Err(_) => {
                let looked_up = tokio::time::timeout(RESOLVE, tokio::net::lookup_host((host.as_str(), location.port)));
                let found = looked_up.await.map_err(|_| unresolved("no answer in time".into()))?;
                found.map_err(|error| unresolved(error.to_string()))?.map(|address| address.ip()).collect()
            }
        };
        let mut refused = None;
        for ip in found {
            match self.0.allow.check(host, ip) {
                Ok(()) => return Ok(Pinned { secure: location.secure, host: host.clone(), port: location.port, ip }),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or_else(|| unresolved("it has no address".into())))
    }

    /// Connects to what was pinned; what may be called is checked again, as the administrator may have changed it.
    ///
    /// # Errors
    /// It may no longer be called, does not answer, or has no certificate of its name.
    pub async fn connect(&self, pinned: &Pinned) -> io::Result<Box<dyn Stream>> {
        self.0.allow.check(&pinned.host, pinned.ip).map_err(io::Error::other)?;
        let opening = async {
            let stream = TcpStream::connect(SocketAddr::new(pinned.ip, pinned.port)).await?;
            stream.set_nodelay(true)?;
            if !pinned.secure {
                return Ok(Box::new(stream) as Box<dyn Stream>);
            }
            let name = ServerName::try_from(pinned.host.clone()).map_err(io::Error::other)?;
            let connector = TlsConnector::from(self.tls().map_err(io::Error::other)?);
            Ok(Box::new(connector.connect(name, stream).await?) as Box<dyn Stream>)
        };
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {} s", CONNECT.as_secs()));
        tokio::time::timeout(CONNECT, opening).await.map_err(late)?
    }

    fn tls(&self) -> Result<Arc<ClientConfig>> {
        if let Some(config) = self.0.tls.get() {
            return Ok(config.clone());
        }
        let config = client_config(rustls_native_certs::load_native_certs().certs)?;
        Ok(self.0.tls.get_or_init(|| config).clone())
    }
}

fn client_config(authorities: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(authorities);
    if added == 0 {
        return Err(Error::Authorities("there are none".into()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Authorities(error.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// A server with a certificate for `localhost` that says one word to each who connects.
    async fn server() -> (u16, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("fine");
        let config = builder.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).expect("they fit");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.write_all(b"hello").await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        (port, certificate)
    }

    #[tokio::test]
    async fn a_name_is_pinned_and_its_certificate_checked() {
        let (port, certificate) = server().await;
        let allow = || AllowList::parse(["127.0.0.0/8", "::1"]).expect("entries");
        let location = Location::parse(&format!("https://localhost:{port}/")).expect("an address");
        let outbound = Outbound::with_authorities(allow(), vec![certificate.clone()]).expect("an authority");
        let pinned = Pinned { ip: [127, 0, 0, 1].into(), ..outbound.pin(&location).await.expect("resolved") };
        let mut word = String::new();
        outbound.connect(&pinned).await.expect("connected").read_to_string(&mut word).await.expect("read");
        assert_eq!(word, "hello");
        let other = Pinned { host: "ledger.example".into(), ..pinned.clone() };
        assert!(outbound.connect(&other).await.is_err(), "the certificate is for another name");
        let stranger = rcgen::generate_simple_self_signed(["x".to_owned()]).expect("made").cert.der().clone();
        let strange = Outbound::with_authorities(allow(), vec![stranger]).expect("an authority");
        assert!(strange.connect(&pinned).await.is_err(), "signed by nobody who is trusted");
        let closed = Outbound::with_authorities(AllowList::default(), vec![certificate]).expect("an authority");
        assert!(closed.connect(&pinned).await.is_err(), "no longer allowed");
        assert!(matches!(closed.pin(&location).await, Err(Error::NotAllowed { .. })));
        let nowhere = Location::parse("http://no-such-host.invalid").expect("an address");
        assert!(matches!(outbound.pin(&nowhere).await, Err(Error::Unresolved { .. })));
    }
}
