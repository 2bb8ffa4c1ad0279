//! Where the listener's certificate comes from.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;

/// How the listener is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// By a certificate that the server makes for itself and keeps in the data directory. Clients do not trust it unasked.
    SelfMade,
    /// By a given certificate chain and its key, both PEM.
    Given {
        /// The chain, the server's own certificate first.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

impl Tls {
    pub(crate) fn server_config(&self, directory: &Path, listen: IpAddr) -> keys::Result<Arc<ServerConfig>> {
        let certificate = match self {
            Tls::Given { certificate, key } => keys::load_certificate(certificate, key)?,
            Tls::SelfMade => keys::self_made_certificate(directory, &names(listen))?,
        };
        keys::server_config(certificate)
    }
}

/// What a self-made certificate names: loopback, the machine's name, and the address that is listened on.
fn names(listen: IpAddr) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().to_owned();
    if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
        names.push(host);
    }
    if !listen.is_unspecified() && !listen.is_loopback() {
        names.push(listen.to_string());
    }
    names.dedup();
    names
}
