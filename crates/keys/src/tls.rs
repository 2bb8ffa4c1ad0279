//! The server's TLS certificate: given by the operator, or self-made and kept.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{Error, Result, files};

/// A certificate chain and its key, as DER.
#[derive(Debug)]
pub struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Reads a PEM chain and its PEM key.
pub fn load_certificate(chain: &Path, key: &Path) -> Result<Certificate> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| Error::File(path.to_owned(), error));
    let certificates = CertificateDer::pem_slice_iter(&read(chain)?)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| Error::Certificate(format!("{}: {error}", chain.display())))?;
    if certificates.is_empty() {
        return Err(Error::Certificate(format!("{} holds no certificate", chain.display())));
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|error| Error::Certificate(format!("{}: {error}", key.display())))?;
    Ok(Certificate { chain: certificates, key: private })
}

/// The self-made certificate of a directory (`cert.pem`, `key.pem` 0600), made when it is not there or does not name all of
/// `names` (host names and addresses). Kept over restarts, so that a client that pinned it stays content.
pub fn self_made_certificate(directory: &Path, names: &[String]) -> Result<Certificate> {
    let file = |name: &str| -> PathBuf { directory.join(name) };
    let (chain, key, listed) = (file("cert.pem"), file("key.pem"), file("names"));
    let wanted = names.join("\n");
    let kept = std::fs::read_to_string(&listed).is_ok_and(|text| text == wanted);
    if !(kept && chain.exists() && key.exists()) {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| Error::File(path, error)
        };
        std::fs::create_dir_all(directory).map_err(failed(directory))?;
        for old in [&listed, &chain, &key] {
            match std::fs::remove_file(old) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::File(old.clone(), error)),
            }
        }
        let (chain_pem, key_pem) = make(names)?;
        files::create_private(&key, key_pem.as_bytes())?;
        std::fs::write(&chain, chain_pem).map_err(failed(&chain))?;
        // Last: an interrupted run leaves no list, and the next makes a new pair.
        std::fs::write(&listed, wanted).map_err(failed(&listed))?;
    }
    load_certificate(&chain, &key)
}

fn make(names: &[String]) -> Result<(String, String)> {
    let failed = |error: rcgen::Error| Error::Certificate(error.to_string());
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Polder");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for name in names {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.as_str().try_into().map_err(failed)?),
        });
    }
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// TLS settings for an HTTP server: TLS 1.2 and 1.3, HTTP/2 and 1.1.
pub fn server_config(certificate: Certificate) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificate.chain, certificate.key))
        .map_err(|error| Error::Certificate(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_self_made_certificate_is_kept_until_its_names_change() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let first = self_made_certificate(dir.path(), &names).unwrap();
        let again = self_made_certificate(dir.path(), &names).unwrap();
        assert_eq!(first.chain, again.chain);
        let (_, parsed) = x509_parser::parse_x509_certificate(&first.chain[0]).unwrap();
        let listed = parsed.subject_alternative_name().unwrap().unwrap().value.general_names.len();
        assert_eq!(listed, 2);
        let other = self_made_certificate(dir.path(), &["example.org".to_owned()]).unwrap();
        assert_ne!(first.chain, other.chain);
        server_config(other).unwrap();
    }

    #[test]
    fn a_key_that_does_not_fit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (chain, _) = make(&["a".to_owned()]).unwrap();
        let (_, key) = make(&["a".to_owned()]).unwrap();
        std::fs::write(dir.path().join("c"), chain).unwrap();
        std::fs::write(dir.path().join("k"), key).unwrap();
        let certificate = load_certificate(&dir.path().join("c"), &dir.path().join("k")).unwrap();
        assert!(matches!(server_config(certificate), Err(Error::Certificate(_))));
    }
}
