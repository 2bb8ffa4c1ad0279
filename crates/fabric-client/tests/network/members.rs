//! Organisations with their authorities, and what those issue.

use std::sync::Arc;
use std::time::SystemTime;

use fabric_client::authority::{self, Authority, AuthorityRequest, Purpose, Request, Role, Validity};
use fabric_client::msp::{Files, Msp};
use fabric_client::{ClientCertificate, Identity, SecretKey, Tls};

/// An organisation.
pub struct Member {
    pub name: String,
    pub msp: Msp,
    ca: (String, SecretKey),
    tls_ca: (String, SecretKey),
    pub admin: Identity,
    pub user: Identity,
    /// The administrator's folders, `msp` and `tls`.
    pub admin_folder: Files,
    admin_tls: (String, Arc<SecretKey>),
}

/// What one node is started with.
pub struct Issued {
    pub identity: String,
    pub identity_key: SecretKey,
    pub tls: String,
    pub tls_key: SecretKey,
}

impl Member {
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let validity = Validity::days(SystemTime::now(), 3650);
        let root = |purpose, prefix: &str| -> anyhow::Result<(String, SecretKey)> {
            let key = SecretKey::generate()?;
            let common_name = format!("{prefix}.{}", name.to_lowercase());
            let request = AuthorityRequest { common_name: &common_name, organisation: name, purpose, validity };
            Ok((authority::authority(&request, &key)?, key))
        };
        let (ca, tls_ca) = (root(Purpose::Identities, "ca")?, root(Purpose::Tls, "tlsca")?);
        let msp = Msp {
            id: format!("{name}MSP"),
            roots: vec![ca.0.clone()],
            tls_roots: vec![tls_ca.0.clone()],
            ..Msp::default()
        };
        let issue = |common_name: &str, role| issue(name, &ca, &tls_ca, common_name, role, &[]);
        let (admin, user) = (issue("admin", Role::Admin)?, issue("user", Role::Client)?);
        let mut admin_folder = msp.local_folder(&admin.identity, &admin.identity_key).under("msp");
        admin_folder.0.extend(msp.tls_folder(&admin.tls, &admin.tls_key).under("tls").0);
        Ok(Self {
            name: name.to_owned(),
            admin_folder,
            admin: Identity::new(&msp.id, admin.identity, Arc::new(admin.identity_key)),
            user: Identity::new(&msp.id, user.identity, Arc::new(user.identity_key)),
            admin_tls: (admin.tls, Arc::new(admin.tls_key)),
            msp,
            ca,
            tls_ca,
        })
    }

    /// Certificates for a node on this machine.
    pub fn issue(&self, common_name: &str, role: Role) -> anyhow::Result<Issued> {
        let names = [common_name.to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
        issue(&self.name, &self.ca, &self.tls_ca, common_name, role, &names)
    }

    /// Another user, and the certificate.
    pub fn another_user(&self) -> anyhow::Result<(Identity, String)> {
        let issued = issue(&self.name, &self.ca, &self.tls_ca, "former", Role::Client, &[])?;
        let identity = Identity::new(&self.msp.id, issued.identity.clone(), Arc::new(issued.identity_key));
        Ok((identity, issued.identity))
    }

    /// A list that revokes a certificate.
    pub fn revoke(&self, certificate: &str) -> anyhow::Result<String> {
        let (now, authority) = (SystemTime::now(), Authority { certificate: &self.ca.0, key: &self.ca.1 });
        Ok(authority::revocation_list(authority, &[(certificate, now)], 1, Validity::days(now, 30))?)
    }

    /// Trusts this organisation's nodes and shows its administrator's certificate.
    pub fn tls(&self) -> anyhow::Result<Tls> {
        let certificate = ClientCertificate { certificate: self.admin_tls.0.as_bytes(), key: self.admin_tls.1.clone() };
        Ok(Tls::new(&self.msp.tls_roots, Some(certificate))?)
    }

    /// Trusts this organisation's nodes and shows nothing of use.
    pub fn anonymous_tls(&self) -> anyhow::Result<Tls> {
        Ok(Tls::new(&self.msp.tls_roots, None)?)
    }
}

fn issue(
    organisation: &str,
    ca: &(String, SecretKey),
    tls_ca: &(String, SecretKey),
    common_name: &str,
    role: Role,
    names: &[String],
) -> anyhow::Result<Issued> {
    let (identity_key, tls_key) = (SecretKey::generate()?, SecretKey::generate()?);
    let validity = Validity::days(SystemTime::now(), 365);
    let request = |key| Request { common_name, organisation, role, names, public_key: key, validity };
    Ok(Issued {
        identity: authority::issue_identity(
            Authority { certificate: &ca.0, key: &ca.1 },
            &request(identity_key.public_key()),
        )?,
        tls: authority::issue_tls(
            Authority { certificate: &tls_ca.0, key: &tls_ca.1 },
            &request(tls_key.public_key()),
        )?,
        identity_key,
        tls_key,
    })
}
