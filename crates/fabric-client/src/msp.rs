//! Membership service providers: what makes an organisation's certificates known to others, as it stands in a channel's
//! configuration and as the folders that Fabric's programs read.

use std::collections::BTreeMap;

use prost::Message as _;
use zeroize::Zeroizing;

use crate::SecretKey;
use crate::authority::Role;
use crate::proto::msp::{FabricCryptoConfig, FabricMspConfig, FabricNodeOUs, FabricOuIdentifier, MspConfig};

/// An organisation's certificates, all PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Msp {
    /// Its id, such as `AlphaMSP`.
    pub id: String,
    /// Roots of its identities.
    pub roots: Vec<String>,
    /// Authorities between the roots and the identities.
    pub intermediates: Vec<String>,
    /// Roots of its TLS certificates.
    pub tls_roots: Vec<String>,
    /// Authorities between the TLS roots and its TLS certificates.
    pub tls_intermediates: Vec<String>,
    /// Revocation lists.
    pub revocation_lists: Vec<String>,
}

impl Msp {
    /// As it stands in a channel's configuration (`MSPConfig`), roles by organisational unit.
    pub fn config(&self) -> MspConfig {
        let unit = |role: Role| {
            // Without a certificate any of the organisation's authorities may give the role, so that an authority can be
            // replaced without touching the roles.
            Some(FabricOuIdentifier { certificate: Vec::new(), organizational_unit_identifier: role.unit().to_owned() })
        };
        let config = FabricMspConfig {
            name: self.id.clone(),
            root_certs: bytes(&self.roots),
            intermediate_certs: bytes(&self.intermediates),
            revocation_list: bytes(&self.revocation_lists),
            crypto_config: Some(FabricCryptoConfig {
                signature_hash_family: "SHA2".to_owned(),
                identity_identifier_hash_function: "SHA256".to_owned(),
            }),
            tls_root_certs: bytes(&self.tls_roots),
            tls_intermediate_certs: bytes(&self.tls_intermediates),
            fabric_node_ous: Some(FabricNodeOUs {
                enable: true,
                client_ou_identifier: unit(Role::Client),
                peer_ou_identifier: unit(Role::Peer),
                admin_ou_identifier: unit(Role::Admin),
                orderer_ou_identifier: unit(Role::Orderer),
            }),
            ..FabricMspConfig::default()
        };
        MspConfig { r#type: 0, config: config.encode_to_vec() }
    }

    /// The folder that makes the organisation known to a program that holds no key of it (`configtxgen`'s `MSPDir`).
    pub fn folder(&self) -> Files {
        let mut files = Files::default();
        let lists = [
            ("cacerts", "ca", &self.roots),
            ("intermediatecerts", "intermediate", &self.intermediates),
            ("tlscacerts", "tlsca", &self.tls_roots),
            ("tlsintermediatecerts", "tlsintermediate", &self.tls_intermediates),
            ("crls", "crl", &self.revocation_lists),
        ];
        for (folder, name, list) in lists {
            for (number, pem) in list.iter().enumerate() {
                files.put(format!("{folder}/{name}{number}.pem"), pem.as_bytes().to_vec());
            }
        }
        let mut config = String::from("NodeOUs:\n  Enable: true\n");
        for (name, role) in
            [("Client", Role::Client), ("Peer", Role::Peer), ("Admin", Role::Admin), ("Orderer", Role::Orderer)]
        {
            config.push_str(&format!("  {name}OUIdentifier:\n    OrganizationalUnitIdentifier: {}\n", role.unit()));
        }
        files.put("config.yaml".to_owned(), config.into_bytes());
        files
    }

    /// The local MSP of a node, an administrator or a user: the organisation's folder with one identity.
    pub fn local_folder(&self, certificate: &str, key: &SecretKey) -> Files {
        let mut files = self.folder();
        files.put("signcerts/cert.pem".to_owned(), certificate.as_bytes().to_vec());
        files.put_secret("keystore/key_sk".to_owned(), key.pkcs8_pem().as_bytes());
        files
    }

    /// The TLS folder of a node or a user: `ca.crt`, `server.crt`, `server.key`.
    pub fn tls_folder(&self, certificate: &str, key: &SecretKey) -> Files {
        let mut files = Files::default();
        files.put("ca.crt".to_owned(), self.tls_roots.concat().into_bytes());
        files.put("server.crt".to_owned(), certificate.as_bytes().to_vec());
        files.put_secret("server.key".to_owned(), key.pkcs8_pem().as_bytes());
        files
    }
}

fn bytes(pems: &[String]) -> Vec<Vec<u8>> {
    pems.iter().map(|pem| pem.as_bytes().to_vec()).collect()
}

/// One file of a folder.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// What is in it; wiped from memory when dropped.
    pub contents: Zeroizing<Vec<u8>>,
    /// Whether it holds a private key: to be readable by its owner only, and never stored in the clear.
    pub secret: bool,
}

impl std::fmt::Debug for File {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("File").field("length", &self.contents.len()).field("secret", &self.secret).finish()
    }
}

/// Files by path, relative and with forward slashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(pub BTreeMap<String, File>);

impl Files {
    /// The same files below a folder.
    pub fn under(self, folder: &str) -> Self {
        Self(self.0.into_iter().map(|(path, file)| (format!("{folder}/{path}"), file)).collect())
    }

    fn put(&mut self, path: String, contents: Vec<u8>) {
        self.0.insert(path, File { contents: Zeroizing::new(contents), secret: false });
    }

    fn put_secret(&mut self, path: String, contents: &[u8]) {
        self.0.insert(path, File { contents: Zeroizing::new(contents.to_vec()), secret: true });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_folder_is_as_fabric_reads_it() -> anyhow::Result<()> {
        let msp = Msp {
            id: "AlphaMSP".to_owned(),
            roots: vec!["root\n".to_owned()],
            tls_roots: vec!["tls root\n".to_owned()],
            ..Msp::default()
        };
        let files = msp.local_folder("certificate\n", &SecretKey::generate()?).under("msp");
        let list: Vec<String> =
            files.0.iter().map(|(path, file)| format!("{path}{}", if file.secret { " secret" } else { "" })).collect();
        insta::assert_snapshot!(list.join("\n"), @r"
        msp/cacerts/ca0.pem
        msp/config.yaml
        msp/keystore/key_sk secret
        msp/signcerts/cert.pem
        msp/tlscacerts/tlsca0.pem
        ");
        assert!(!format!("{files:?}").contains("PRIVATE"));
        Ok(())
    }
}
