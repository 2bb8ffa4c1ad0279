//! Chaincode packages: a gzipped tar of `metadata.json` and `code.tar.gz`, whose id is its label and the SHA-256 of its
//! bytes (Fabric's "Chaincode packaging" page).
//!
//! The same content always gives the same bytes, so that every organisation gets the same id: entries are sorted, times
//! and owners are zero, and nothing is compressed, because two versions of a compressor may differ.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use serde::Serialize;

use crate::codec::sha256;
use crate::{Error, Result};

/// A chaincode package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its id: label, colon, hash.
    pub id: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How a peer reaches a chaincode that runs as a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Host and port, as the peer sees them.
    pub address: String,
    /// How long the peer tries to connect, in Go's form (`10s`).
    pub dial_timeout: String,
    /// Whether the service speaks TLS.
    pub tls_required: bool,
    /// Whether it asks for the peer's certificate.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub client_auth_required: bool,
    /// Key that the peer shows it with, PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_key: String,
    /// Certificate that the peer shows, PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_cert: String,
    /// Root of the service's certificate, PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_cert: String,
}

impl Service {
    /// At an address, without TLS.
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            dial_timeout: "10s".to_owned(),
            tls_required: false,
            client_auth_required: false,
            client_key: String::new(),
            client_cert: String::new(),
            root_cert: String::new(),
        }
    }
}

/// Packages a chaincode that runs as a service.
///
/// `indexes` are files below `META-INF/` (CouchDB's indexes), by path.
pub fn service(label: &str, service: &Service, indexes: &BTreeMap<String, Vec<u8>>) -> Result<Package> {
    let invalid = |reason: String| Error::invalid("a package", reason);
    let connection = serde_json::to_vec(service).map_err(|failure| invalid(failure.to_string()))?;
    let mut code = BTreeMap::from([("connection.json".to_owned(), connection)]);
    for (path, contents) in indexes {
        if !path.starts_with("META-INF/") || path.split('/').any(|part| part.is_empty() || part == ".." || part == ".")
        {
            return Err(invalid(format!("`{path}` is no file below META-INF")));
        }
        code.insert(path.clone(), contents.clone());
    }
    package(label, "ccaas", &code)
}

/// Packages any files for a peer's builder of the given type.
pub fn package(label: &str, kind: &str, code: &BTreeMap<String, Vec<u8>>) -> Result<Package> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte);
    if !label.bytes().all(legal) || !label.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        let reason = format!("`{label}` is no label: a letter or digit, then such, dots, dashes, plus or underscores");
        return Err(Error::invalid("a package", reason));
    }
    #[derive(Serialize)]
    struct Metadata<'a> {
        r#type: &'a str,
        label: &'a str,
    }
    let metadata = serde_json::to_vec(&Metadata { r#type: kind, label })
        .map_err(|failure| Error::invalid("a package", failure.to_string()))?;
    let parts = [("metadata.json", metadata), ("code.tar.gz", archive(code.iter())?)];
    let bytes = archive(parts.iter().map(|(path, contents)| (path, contents)))?;
    Ok(Package { id: id(label, &bytes), bytes })
}

/// The id of a package with the given label.
pub fn id(label: &str, bytes: &[u8]) -> String {
    format!("{label}:{}", hex::encode(sha256(&[bytes])))
}

fn archive<'a>(files: impl Iterator<Item = (impl AsRef<str> + 'a, &'a Vec<u8>)>) -> Result<Vec<u8>> {
    let failed = |failure: std::io::Error| Error::invalid("a package", failure.to_string());
    let mut tar = tar::Builder::new(Vec::new());
    for (path, contents) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, path.as_ref(), contents.as_slice()).map_err(failed)?;
    }
    let bytes = tar.into_inner().map_err(failed)?;
    let mut gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::none());
    gzip.write_all(&bytes).map_err(failed)?;
    gzip.finish().map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;

    use super::*;

    fn unpack(bytes: &[u8]) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
        let mut files = BTreeMap::new();
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
        for entry in tar.entries()? {
            let mut entry = entry?;
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents)?;
            files.insert(entry.path()?.display().to_string(), contents);
        }
        Ok(files)
    }

    proptest! {
        #[test]
        fn the_same_files_give_the_same_package_and_come_out_again(
            code in prop::collection::btree_map("[a-z]{1,20}(/[a-z]{1,90}){0,3}", prop::collection::vec(any::<u8>(), 0..2000), 1..5)
        ) {
            let first = package("kv_1", "golang", &code).expect("a package");
            prop_assert_eq!(&first, &package("kv_1", "golang", &code).expect("a package"));
            let outer = unpack(&first.bytes).expect("an archive");
            prop_assert_eq!(&unpack(&outer["code.tar.gz"]).expect("an archive"), &code);
        }
    }

    #[test]
    fn a_service_s_package_is_pinned() -> anyhow::Result<()> {
        let package = service("kv_1", &Service::at("127.0.0.1:9999"), &BTreeMap::new())?;
        let outer = unpack(&package.bytes)?;
        assert_eq!(outer["metadata.json"], br#"{"type":"ccaas","label":"kv_1"}"#);
        let inner = unpack(&outer["code.tar.gz"])?;
        let connection = br#"{"address":"127.0.0.1:9999","dial_timeout":"10s","tls_required":false}"#;
        assert_eq!(inner["connection.json"], connection);
        // If this changes, organisations that upgrade at different times approve different packages.
        insta::assert_snapshot!(package.id, @"kv_1:d0efe7f3feddd998520ee1fca8ed7bb14f1655ccc51d793f38a70b259f84400f");
        Ok(())
    }

    #[test]
    fn bad_labels_and_paths_are_refused() {
        let at = Service::at("x:1");
        assert!(service("", &at, &BTreeMap::new()).is_err());
        assert!(service("a b", &at, &BTreeMap::new()).is_err());
        for path in ["index.json", "META-INF/../x", "META-INF//x", "META-INF/"] {
            let indexes = BTreeMap::from([(path.to_owned(), Vec::new())]);
            assert!(service("kv", &at, &indexes).is_err(), "{path}");
        }
    }
}
