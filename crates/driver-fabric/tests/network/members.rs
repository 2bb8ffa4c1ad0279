//! Members with their authorities: they issue what a plan asks for, and sign.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use driver::{Error, Identities, Signer};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use pki::SecretKey;
use pki::authority::{self, Authority, AuthorityRequest, Purpose, Request, Role, Validity};
use workload::{IdentitySpec, Outputs, Usage};
use zeroize::Zeroizing;

struct Own {
    identities: (String, SecretKey),
    tls: (String, SecretKey),
}

/// The authorities of all members, and the keys of all identities.
pub struct Members {
    own: BTreeMap<String, Own>,
    issued: Mutex<BTreeMap<String, Arc<Issued>>>,
    passwords: Mutex<BTreeMap<String, String>>,
}

/// An identity that was issued.
pub struct Issued {
    address: String,
    certificate: String,
    key: SecretKey,
}

impl Members {
    pub fn new(names: &[&str]) -> anyhow::Result<Self> {
        let validity = Validity::days(SystemTime::now(), 3650);
        let root = |member: &str, purpose| -> anyhow::Result<(String, SecretKey)> {
            let key = SecretKey::generate()?;
            let request = AuthorityRequest { common_name: "ca", organisation: member, purpose, validity };
            Ok((authority::authority(&request, &key)?, key))
        };
        let own = names.iter().map(|name| {
            let own = Own { identities: root(name, Purpose::Identities)?, tls: root(name, Purpose::Tls)? };
            Ok(((*name).to_owned(), own))
        });
        Ok(Self { own: own.collect::<anyhow::Result<_>>()?, issued: Mutex::default(), passwords: Mutex::default() })
    }

    /// Issues an identity, and gives what is recorded of it.
    pub fn issue(&self, wanted: &IdentitySpec, outputs: &mut Outputs) -> anyhow::Result<()> {
        let own = self.own.get(&wanted.member).context("a member")?;
        let role = match wanted.role.as_str() {
            "admin" => Role::Admin,
            "peer" => Role::Peer,
            "orderer" => Role::Orderer,
            _ => Role::Client,
        };
        let key = SecretKey::generate()?;
        let request = Request {
            common_name: &wanted.common_name,
            organisation: &wanted.member,
            role,
            names: &wanted.names,
            public_key: key.public_key(),
            validity: Validity::days(SystemTime::now(), 365),
        };
        let own_root;
        let (root, certificate) = match wanted.usage {
            Usage::Signing => {
                let (root, by) = &own.identities;
                (root, authority::issue_identity(Authority { certificate: root, key: by }, &request)?)
            }
            Usage::Tls => {
                let (root, by) = &own.tls;
                (root, authority::issue_tls(Authority { certificate: root, key: by }, &request)?)
            }
            Usage::Authority => {
                let (common_name, organisation) = (&wanted.common_name, &wanted.member);
                let request = AuthorityRequest {
                    common_name,
                    organisation,
                    purpose: Purpose::Delegated,
                    validity: request.validity,
                };
                own_root = authority::authority(&request, &key)?;
                (&own_root, own_root.clone())
            }
            Usage::Password => {
                self.passwords.lock().insert(wanted.name.clone(), format!("password-of-{}", wanted.member));
                outputs.insert(wanted.name.clone(), BTreeMap::new());
                return Ok(());
            }
        };
        let recorded = [("certificate".to_owned(), certificate.clone()), ("authority".to_owned(), root.clone())];
        outputs.insert(wanted.name.clone(), recorded.into());
        let issued = Issued { address: wanted.name.clone(), certificate, key };
        self.issued.lock().insert(wanted.name.clone(), Arc::new(issued));
        Ok(())
    }

    /// The private key of an identity, PKCS #8 as PEM, or its password.
    pub fn key(&self, name: &str) -> driver::Result<Zeroizing<String>> {
        if let Some(password) = self.passwords.lock().get(name) {
            return Ok(Zeroizing::new(password.clone()));
        }
        let issued = self.issued.lock().get(name).cloned();
        let issued = issued.ok_or_else(|| Error::Protocol(format!("{name} was not issued")))?;
        Ok(issued.key.pkcs8_pem())
    }

    /// The account of a member's user.
    pub fn account(&self, member: &str) -> Account {
        let issued = self.issued.lock()[&format!("{member}/user")].clone();
        Account { address: format!("{member}MSP/user"), issued }
    }
}

impl Identities for Members {
    fn identity<'a>(&'a self, name: &'a str) -> BoxFuture<'a, driver::Result<Arc<dyn Signer>>> {
        Box::pin(async move {
            let issued = self.issued.lock().get(name).cloned();
            issued.map(|issued| issued as Arc<dyn Signer>).ok_or(Error::Unsupported("this identity"))
        })
    }
}

impl Signer for Issued {
    fn address(&self) -> &str {
        &self.address
    }

    fn certificate(&self) -> Option<&str> {
        Some(&self.certificate)
    }

    fn sign(&self, message: &[u8]) -> driver::Result<Vec<u8>> {
        self.key.sign_now(message).map_err(|failure| Error::Protocol(failure.to_string()))
    }
}

/// A member's account on the ledger.
pub struct Account {
    address: String,
    issued: Arc<Issued>,
}

impl Signer for Account {
    fn address(&self) -> &str {
        &self.address
    }

    fn certificate(&self) -> Option<&str> {
        self.issued.certificate()
    }

    fn sign(&self, message: &[u8]) -> driver::Result<Vec<u8>> {
        self.issued.sign(message)
    }
}
