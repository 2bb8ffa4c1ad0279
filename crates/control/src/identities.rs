//! Identities of networks: issued by the members' authorities when a plan asks for them, kept encrypted, and used to sign.
//! A plan's passwords are kept with them: identities without a certificate.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use alloy_primitives::B256;
use driver::Signer;
use futures::future::BoxFuture;
use keys::{AccountKey, MasterKey, Token};
use pki::SecretKey;
use pki::authority::{self, Authority, AuthorityRequest, Purpose, Request, Role, Validity};
use store::accounts::Account;
use store::identities::{self, Identity};
use store::networks::{self, Network};
use store::{Connection, Store, Tx};
use types::{Id, Micros, now};
use workload::{IdentitySpec, Usage};
use zeroize::Zeroizing;

use crate::networks::network_spec;
use crate::{Control, Error, Result};

/// An authority outlives what it issues.
const AUTHORITY_DAYS: u32 = 20 * 365;
/// Nodes' certificates are in the channels' configuration: a short life would stop networks.
const IDENTITY_DAYS: u32 = 10 * 365;

/// An organisation's authorities.
const SIGNING: &str = "signing";
const TLS: &str = "tls";

/// The private keys of nodes and members, decrypted when they are needed. Hosts take secrets from it, ledgers identities.
#[derive(Clone)]
pub struct KeyStore {
    store: Store,
    master_key: Arc<MasterKey>,
}

impl KeyStore {
    /// The keys in a database, encrypted with a master key.
    pub fn new(store: Store, master_key: Arc<MasterKey>) -> Self {
        Self { store, master_key }
    }

    /// The identities of a network, for its ledgers.
    pub(crate) fn of_network(&self, network: &str) -> Arc<dyn driver::Identities> {
        Arc::new(NetworkIdentities { keys: self.clone(), network: network.into() })
    }

    async fn load(&self, network: &str, name: &str) -> Result<(Identity, Zeroizing<Vec<u8>>)> {
        let found = identities::get(&mut *self.store.read().await?, network, name).await?;
        let found = found.ok_or_else(|| Error::not_found("identity", name))?;
        let key = self.master_key.open(&identity_purpose(network, name), &found.secret)?;
        Ok((found, key))
    }
}

impl host::Secrets for KeyStore {
    fn resolve<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, host::Result<Zeroizing<Vec<u8>>>> {
        Box::pin(async move {
            let refused = |reason: String| host::Error::Secret { reference: reference.into(), reason };
            let (network, name) =
                reference.split_once('/').ok_or_else(|| refused("it names no network and identity".into()))?;
            let (found, secret) = self.load(network, name).await.map_err(|error| refused(error.chain()))?;
            let text = legible(&found, &secret).map_err(|error| refused(error.chain()))?;
            Ok(Zeroizing::new(text.as_bytes().to_vec()))
        })
    }
}

struct NetworkIdentities {
    keys: KeyStore,
    network: Id,
}

impl driver::Identities for NetworkIdentities {
    fn identity<'a>(&'a self, name: &'a str) -> BoxFuture<'a, driver::Result<Arc<dyn Signer>>> {
        Box::pin(async move {
            let failed = |reason: String| driver::Error::Protocol(format!("the identity {name}: {reason}"));
            let (found, der) = self.keys.load(&self.network, name).await.map_err(|error| failed(error.chain()))?;
            let key = SecretKey::from_pkcs8(&der).map_err(|error| failed(error.to_string()))?;
            Ok(Arc::new(IdentitySigner { address: name.into(), certificate: found.certificate, key })
                as Arc<dyn Signer>)
        })
    }
}

/// An identity with its key, decrypted.
struct IdentitySigner {
    address: String,
    certificate: String,
    key: SecretKey,
}

impl Signer for IdentitySigner {
    fn address(&self) -> &str {
        &self.address
    }

    fn certificate(&self) -> Option<&str> {
        Some(&self.certificate)
    }

    fn sign(&self, message: &[u8]) -> driver::Result<Vec<u8>> {
        self.key.sign_now(message).map_err(|error| driver::Error::Protocol(error.to_string()))
    }
}

/// An account with its key, decrypted.
struct AccountSigner {
    address: String,
    key: AccountKey,
}

impl Signer for AccountSigner {
    fn address(&self) -> &str {
        &self.address
    }

    fn sign(&self, message: &[u8]) -> driver::Result<Vec<u8>> {
        let digest = B256::try_from(message)
            .map_err(|_| driver::Error::Protocol("what is to be signed is no digest of 32 bytes".into()))?;
        let signature = self.key.sign_hash(&digest);
        let mut bytes = Vec::with_capacity(65);
        bytes.extend(signature.r().to_be_bytes::<32>());
        bytes.extend(signature.s().to_be_bytes::<32>());
        bytes.push(u8::from(signature.v()));
        Ok(bytes)
    }
}

impl Control {
    pub(crate) fn key_store(&self) -> KeyStore {
        KeyStore::new(self.store().clone(), self.shared_master_key())
    }

    /// Who signs for an account. The caller has to have the right to use it.
    pub(crate) async fn signer(&self, network: &Network, account: &Account) -> Result<Arc<dyn Signer>> {
        let spec = network_spec(network)?;
        let known = spec.accounts.into_iter().find(|known| known.address == account.address);
        let Some(name) = known.and_then(|known| known.identity) else {
            let key = AccountKey::open(self.master_key(), &account.id, &account.secret)?;
            return Ok(Arc::new(AccountSigner { address: account.address.clone(), key }));
        };
        let (found, der) = self.key_store().load(&network.id, &name).await?;
        let key = SecretKey::from_pkcs8(&der).map_err(unusable)?;
        Ok(Arc::new(IdentitySigner { address: account.address.clone(), certificate: found.certificate, key }))
    }

    /// The secrets of a member's identities on a network by name: private keys (PKCS #8, PEM) and passwords.
    pub(crate) async fn member_keys(
        &self,
        read: &mut Connection,
        network: &str,
        organisation: &str,
    ) -> Result<HashMap<String, Zeroizing<String>>> {
        let mut keys = HashMap::new();
        for identity in identities::of_member(read, network, organisation).await? {
            let secret = self.master_key().open(&identity_purpose(network, &identity.name), &identity.secret)?;
            let text = legible(&identity, &secret)?;
            keys.insert(identity.name, text);
        }
        Ok(keys)
    }

    /// Issues what a plan asks for and records it as outputs of that name. `organisations` are the members by name.
    pub(crate) async fn issue(
        &self,
        network: &Network,
        organisations: &[(String, Id)],
        wanted: &[&IdentitySpec],
    ) -> Result<()> {
        let mut tx = self.store().begin().await?;
        for spec in wanted {
            let organisation = organisations.iter().find(|(name, _)| *name == spec.member).ok_or_else(|| {
                Error::Internal(format!("the plan asks for an identity of {}, who takes no part", spec.member), None)
            })?;
            self.issue_one(&mut tx, network, organisation, spec).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn issue_one(
        &self,
        tx: &mut Tx,
        network: &Network,
        organisation: &(String, Id),
        spec: &IdentitySpec,
    ) -> Result<()> {
        let made = match spec.usage {
            Usage::Signing | Usage::Tls => self.certified(tx, organisation, spec).await?,
            Usage::Authority => delegated(spec)?,
            Usage::Password => Made::password()?,
        };
        let identity = Identity {
            network: network.id.clone(),
            name: spec.name.clone(),
            organisation: organisation.1.clone(),
            certificate: made.certificate,
            secret: self.master_key().seal(&identity_purpose(&network.id, &spec.name), &made.secret)?,
            expires_at: made.expires_at,
            created_at: now(),
        };
        identities::put(tx, &identity).await?;
        Ok(networks::put_outputs(tx, &network.id, &spec.name, &made.outputs).await?)
    }

    /// A key with a certificate by the organisation's authority.
    async fn certified(&self, tx: &mut Tx, organisation: &(String, Id), spec: &IdentitySpec) -> Result<Made> {
        let (member, organisation) = organisation;
        let word = if spec.usage == Usage::Tls { TLS } else { SIGNING };
        let (root, root_key) = self.authority(tx, member, organisation, word).await?;
        let key = SecretKey::generate().map_err(unusable)?;
        let request = Request {
            common_name: &spec.common_name,
            organisation: member,
            role: role(&spec.role)?,
            names: &spec.names,
            public_key: key.public_key(),
            validity: Validity::days(SystemTime::now(), IDENTITY_DAYS),
        };
        let issuer = Authority { certificate: &root, key: &root_key };
        let issued = match spec.usage {
            Usage::Tls => authority::issue_tls(issuer, &request),
            _ => authority::issue_identity(issuer, &request),
        };
        Made::key(&key, issued.map_err(unusable)?, root)
    }

    /// An organisation's authority with its key; made when it is first needed.
    async fn authority(
        &self,
        tx: &mut Tx,
        member: &str,
        organisation: &str,
        word: &str,
    ) -> Result<(String, SecretKey)> {
        let (purpose, title) = if word == TLS { (Purpose::Tls, "TLS CA") } else { (Purpose::Identities, "CA") };
        let seal_purpose = format!("authority {organisation} {word}");
        if let Some(found) = identities::authority(tx, organisation, word).await? {
            let der = self.master_key().open(&seal_purpose, &found.secret)?;
            return Ok((found.certificate, SecretKey::from_pkcs8(&der).map_err(unusable)?));
        }
        let key = SecretKey::generate().map_err(unusable)?;
        let certificate = authority::authority(
            &AuthorityRequest {
                common_name: &format!("{title} of {member}"),
                organisation: member,
                purpose,
                validity: Validity::days(SystemTime::now(), AUTHORITY_DAYS),
            },
            &key,
        )
        .map_err(unusable)?;
        let stored = identities::Authority {
            organisation: organisation.into(),
            usage: word.into(),
            certificate: certificate.clone(),
            secret: self.master_key().seal(&seal_purpose, key.pkcs8_der())?,
            created_at: now(),
        };
        identities::put_authority(tx, &stored).await?;
        Ok((certificate, key))
    }
}

/// What is kept of an identity.
struct Made {
    /// PEM; empty for a password.
    certificate: String,
    secret: Zeroizing<Vec<u8>>,
    expires_at: Micros,
    outputs: BTreeMap<String, String>,
}

impl Made {
    fn key(key: &SecretKey, certificate: String, root: String) -> Result<Self> {
        let expires_at = authority::read(&certificate).map_err(unusable)?.valid_until.saturating_mul(1_000_000);
        let outputs = [("certificate".to_owned(), certificate.clone()), ("authority".to_owned(), root)].into();
        Ok(Self { certificate, secret: Zeroizing::new(key.pkcs8_der().to_vec()), expires_at, outputs })
    }

    fn password() -> Result<Self> {
        let secret = Zeroizing::new(Token::hex()?.expose().as_bytes().to_vec());
        Ok(Self { certificate: String::new(), secret, expires_at: Micros::MAX, outputs: BTreeMap::new() })
    }
}

/// A root for a program that issues. It is not below the organisation's own authority: a membership service provider takes
/// nothing from a root that has an authority below it, and Polder goes on issuing by the organisation's own.
fn delegated(spec: &IdentitySpec) -> Result<Made> {
    let key = SecretKey::generate().map_err(unusable)?;
    let request = AuthorityRequest {
        common_name: &spec.common_name,
        organisation: &spec.member,
        purpose: Purpose::Delegated,
        validity: Validity::days(SystemTime::now(), AUTHORITY_DAYS),
    };
    let certificate = authority::authority(&request, &key).map_err(unusable)?;
    Made::key(&key, certificate.clone(), certificate)
}

/// A secret as programs and people read it: a key as PEM, a password as it is.
fn legible(identity: &Identity, secret: &[u8]) -> Result<Zeroizing<String>> {
    if identity.certificate.is_empty() {
        let text = std::str::from_utf8(secret).map_err(|error| Error::internal("a password", error))?;
        return Ok(Zeroizing::new(text.to_owned()));
    }
    Ok(SecretKey::from_pkcs8(secret).map_err(unusable)?.pkcs8_pem())
}

fn role(word: &str) -> Result<Role> {
    [Role::Peer, Role::Orderer, Role::Client, Role::Admin]
        .into_iter()
        .find(|role| role.unit() == word)
        .ok_or_else(|| Error::Internal(format!("the plan asks for an identity with the role {word}"), None))
}

fn identity_purpose(network: &str, name: &str) -> String {
    format!("identity {network} {name}")
}

fn unusable(error: pki::Error) -> Error {
    Error::internal("a certificate or key", error)
}
