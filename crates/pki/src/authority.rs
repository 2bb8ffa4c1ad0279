//! An organisation's certificate authorities and what they issue, as pure functions: certificates for identities and for
//! TLS, and revocation lists.
//!
//! An organisation has two authorities, one for identities and one for TLS, as Fabric's programs expect. An identity's
//! role is an organisational unit of its subject ("NodeOUs"). A CA key is only asked to sign.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData,
    RevokedCertParams, SanType, SerialNumber, SignatureAlgorithm, SigningKey,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::{Error, Result, SecretKey, low_s};

/// The P-256 key of a certificate authority, which may be held elsewhere.
pub trait IssuerKey: Send + Sync {
    /// The public key: an uncompressed point, 65 bytes.
    fn public_key(&self) -> &[u8];

    /// ECDSA signature of the SHA-256 of the message, in DER.
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;
}

impl IssuerKey for SecretKey {
    fn public_key(&self) -> &[u8] {
        SecretKey::public_key(self)
    }

    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.sign_now(message)?)
    }
}

/// What an authority is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Identities: what signs transactions and blocks.
    Identities,
    /// TLS.
    Tls,
    /// Identities that a program of its own issues: no authorities below it.
    Delegated,
}

/// The role of an identity in its organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May administer nodes and channels.
    Admin,
    /// Runs a peer: endorses.
    Peer,
    /// Runs an orderer: signs blocks.
    Orderer,
    /// Uses the network.
    Client,
}

impl Role {
    /// The organisational unit that stands for it.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Peer => "peer",
            Self::Orderer => "orderer",
            Self::Client => "client",
        }
    }
}

/// From when to when a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub from: SystemTime,
    /// The last.
    pub until: SystemTime,
}

impl Validity {
    /// From five minutes before the given moment, because clocks differ, for a number of days.
    pub fn days(now: SystemTime, days: u32) -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self { from: now - Duration::from_secs(300), until: now + day * days }
    }
}

/// The certificate of a new authority.
#[derive(Clone, Debug)]
pub struct AuthorityRequest<'a> {
    /// Its name.
    pub common_name: &'a str,
    /// The organisation that it belongs to.
    pub organisation: &'a str,
    /// What it is for.
    pub purpose: Purpose,
    /// How long.
    pub validity: Validity,
}

/// An authority that exists.
#[derive(Clone, Copy)]
pub struct Authority<'a> {
    /// Its certificate, PEM.
    pub certificate: &'a str,
    /// Its key.
    pub key: &'a dyn IssuerKey,
}

/// A certificate that is asked of an authority.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Subject's common name.
    pub common_name: &'a str,
    /// Subject's organisation.
    pub organisation: &'a str,
    /// Role: the organisational unit.
    pub role: Role,
    /// Names and IP addresses that the certificate is good for.
    pub names: &'a [String],
    /// The subject's public key: an uncompressed P-256 point.
    pub public_key: &'a [u8],
    /// How long.
    pub validity: Validity,
}

/// Makes the self-signed certificate of a new authority, PEM.
pub fn authority(request: &AuthorityRequest<'_>, key: &dyn IssuerKey) -> Result<String> {
    let mut params = params(request.common_name, request.organisation, None, request.validity)?;
    params.is_ca = IsCa::Ca(match request.purpose {
        Purpose::Delegated => BasicConstraints::Constrained(0),
        Purpose::Identities | Purpose::Tls => BasicConstraints::Unconstrained,
    });
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    if request.purpose == Purpose::Tls {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    }
    let certificate =
        params.self_signed(&Bridge(key)).map_err(|failure| Error::certificate("an authority", failure))?;
    Ok(certificate.pem())
}

/// Issues the certificate of an identity, PEM.
pub fn issue_identity(authority: Authority<'_>, request: &Request<'_>) -> Result<String> {
    let mut params = leaf(request)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    issue(authority, request, params)
}

/// Issues a TLS certificate, PEM, good for servers and for clients: orderers are both to each other.
pub fn issue_tls(authority: Authority<'_>, request: &Request<'_>) -> Result<String> {
    let mut params = leaf(request)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    issue(authority, request, params)
}

/// Revokes certificates (PEM): the whole list, PEM, to be put into the organisation's MSP.
pub fn revocation_list(
    authority: Authority<'_>,
    revoked: &[(&str, SystemTime)],
    number: u64,
    validity: Validity,
) -> Result<String> {
    let mut entries = Vec::new();
    for (pem, since) in revoked {
        entries.push(RevokedCertParams {
            serial_number: SerialNumber::from(read(pem)?.serial),
            revocation_time: OffsetDateTime::from(*since),
            reason_code: None,
            invalidity_date: None,
        });
    }
    let params = CertificateRevocationListParams {
        this_update: OffsetDateTime::from(validity.from),
        next_update: OffsetDateTime::from(validity.until),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: entries,
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list =
        params.signed_by(&issuer(authority)?).map_err(|failure| Error::certificate("a revocation list", failure))?;
    list.pem().map_err(|failure| Error::certificate("a revocation list", failure))
}

/// What a person wants to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The subject, as `CN=…, OU=…, O=…`.
    pub subject: String,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The subject's organisational units.
    pub units: Vec<String>,
    /// The issuer.
    pub issuer: String,
    /// Serial number, big-endian.
    pub serial: Vec<u8>,
    /// First second of its validity, since the epoch.
    pub valid_from: i64,
    /// Last second of its validity, since the epoch.
    pub valid_until: i64,
    /// The subject's public key: for P-256 an uncompressed point.
    pub public_key: Vec<u8>,
}

/// Reads a certificate, PEM.
pub fn read(pem: &str) -> Result<Certificate> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|failure| Error::certificate("a certificate", failure))?;
    let (_, parsed) =
        X509Certificate::from_der(&der).map_err(|failure| Error::certificate("a certificate", failure.to_string()))?;
    let subject = parsed.subject();
    Ok(Certificate {
        subject: subject.to_string(),
        common_name: subject.iter_common_name().find_map(|name| name.as_str().ok()).map(str::to_owned),
        units: subject.iter_organizational_unit().filter_map(|unit| unit.as_str().ok()).map(str::to_owned).collect(),
        issuer: parsed.issuer().to_string(),
        serial: parsed.raw_serial().to_vec(),
        valid_from: parsed.validity().not_before.timestamp(),
        valid_until: parsed.validity().not_after.timestamp(),
        public_key: parsed.public_key().subject_public_key.data.to_vec(),
    })
}

/// A self-signed certificate that vouches for nothing.
pub fn throw_away_certificate(key: &SecretKey) -> Result<String> {
    let params = params("client", "none", None, Validity::days(SystemTime::now(), 3650))?;
    let certificate =
        params.self_signed(&Bridge(key)).map_err(|failure| Error::certificate("the client's certificate", failure))?;
    Ok(certificate.pem())
}

fn params(common_name: &str, organisation: &str, unit: Option<&str>, validity: Validity) -> Result<CertificateParams> {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, organisation);
    if let Some(unit) = unit {
        name.push(DnType::OrganizationalUnitName, unit);
    }
    name.push(DnType::CommonName, common_name);
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.not_before = OffsetDateTime::from(validity.from);
    params.not_after = OffsetDateTime::from(validity.until);
    // Not derived from the key: a certificate that is renewed with the same key must be another one to a revocation
    // list. The first bit is off and the second on, so that the number is positive and has no leading zero.
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|failure| Error::certificate("a random number", failure.to_string()))?;
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn leaf(request: &Request<'_>) -> Result<CertificateParams> {
    let mut params = params(request.common_name, request.organisation, Some(request.role.unit()), request.validity)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    for name in request.names {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(
                name.as_str().try_into().map_err(|failure| Error::certificate("a name in a certificate", failure))?,
            ),
        });
    }
    Ok(params)
}

fn issue(authority: Authority<'_>, request: &Request<'_>, params: CertificateParams) -> Result<String> {
    let certificate = params
        .signed_by(&Point(request.public_key), &issuer(authority)?)
        .map_err(|failure| Error::certificate("a new certificate", failure))?;
    Ok(certificate.pem())
}

fn issuer(authority: Authority<'_>) -> Result<Issuer<'static, Bridge<'_>>> {
    if read(authority.certificate)?.public_key != authority.key.public_key() {
        return Err(Error::certificate("the authority", "its key does not belong to its certificate"));
    }
    Issuer::from_ca_cert_pem(authority.certificate, Bridge(authority.key))
        .map_err(|failure| Error::certificate("the authority's certificate", failure))
}

/// An issuer's key as the certificate library wants it.
struct Bridge<'a>(&'a dyn IssuerKey);

impl PublicKeyData for Bridge<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for Bridge<'_> {
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, rcgen::Error> {
        // Fabric rewrites a certificate whose signature has the higher S before it compares it with another: its bytes
        // would then differ from those in the channel's configuration.
        let signature = self.0.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)?;
        low_s(&signature).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// A public key by itself.
struct Point<'a>(&'a [u8]);

impl PublicKeyData for Point<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(key: &'a SecretKey, names: &'a [String]) -> Request<'a> {
        Request {
            common_name: "peer0",
            organisation: "Alpha",
            role: Role::Peer,
            names,
            public_key: key.public_key(),
            validity: Validity::days(SystemTime::now(), 365),
        }
    }

    fn ca(key: &SecretKey, purpose: Purpose) -> Result<String> {
        let validity = Validity::days(SystemTime::now(), 3650);
        authority(&AuthorityRequest { common_name: "ca.alpha", organisation: "Alpha", purpose, validity }, key)
    }

    #[test]
    fn what_an_authority_issues_is_verified_by_its_certificate() -> anyhow::Result<()> {
        let (ca_key, key) = (SecretKey::generate()?, SecretKey::generate()?);
        let root = ca(&ca_key, Purpose::Identities)?;
        let names = ["peer0.alpha".to_owned(), "127.0.0.1".to_owned()];
        let pem = issue_identity(Authority { certificate: &root, key: &ca_key }, &request(&key, &names))?;
        let read = read(&pem)?;
        assert_eq!(read.units, ["peer"]);
        assert_eq!(read.common_name.as_deref(), Some("peer0"));
        assert_eq!(read.public_key, key.public_key());
        let (root, leaf) =
            (CertificateDer::from_pem_slice(root.as_bytes())?, CertificateDer::from_pem_slice(pem.as_bytes())?);
        let (_, root) = X509Certificate::from_der(&root)?;
        let (_, leaf) = X509Certificate::from_der(&leaf)?;
        leaf.verify_signature(Some(root.public_key()))?;
        assert!(leaf.subject_alternative_name()?.is_some_and(|names| names.value.general_names.len() == 2));
        Ok(())
    }

    #[test]
    fn a_renewal_with_the_same_key_has_a_serial_number_of_its_own() -> anyhow::Result<()> {
        let (ca_key, key) = (SecretKey::generate()?, SecretKey::generate()?);
        let root = ca(&ca_key, Purpose::Identities)?;
        let authority = Authority { certificate: &root, key: &ca_key };
        let first = issue_identity(authority, &request(&key, &[]))?;
        let second = issue_identity(authority, &request(&key, &[]))?;
        assert_ne!(read(&first)?.serial, read(&second)?.serial);
        let list =
            revocation_list(authority, &[(&first, SystemTime::now())], 1, Validity::days(SystemTime::now(), 30))?;
        assert!(list.starts_with("-----BEGIN X509 CRL-----"));
        Ok(())
    }

    #[test]
    fn only_a_delegated_authority_has_none_below_it() -> anyhow::Result<()> {
        for (purpose, expected) in [(Purpose::Identities, None), (Purpose::Tls, None), (Purpose::Delegated, Some(0))] {
            let root = ca(&SecretKey::generate()?, purpose)?;
            let der = CertificateDer::from_pem_slice(root.as_bytes())?;
            let (_, parsed) = X509Certificate::from_der(&der)?;
            let constraints = parsed.basic_constraints()?.map(|own| own.value.path_len_constraint);
            assert_eq!(constraints, Some(expected), "{purpose:?}");
        }
        Ok(())
    }

    #[test]
    fn a_foreign_key_does_not_issue() -> anyhow::Result<()> {
        let (ca_key, other) = (SecretKey::generate()?, SecretKey::generate()?);
        let root = ca(&ca_key, Purpose::Tls)?;
        let refused = issue_tls(Authority { certificate: &root, key: &other }, &request(&other, &[]));
        assert!(matches!(refused, Err(Error::Certificate { .. })));
        Ok(())
    }
}
