//! Organisations' certificate authorities and the identities that they issued for networks. Keys are stored encrypted.

use sqlx::AnyConnection;
use types::{Id, Micros};

use crate::Result;

/// A certificate authority as stored.
#[derive(Clone, sqlx::FromRow)]
pub struct Authority {
    /// The organisation.
    pub organisation: Id,
    /// What for: `signing` or `tls`.
    pub usage: String,
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its private key, encrypted with the master key.
    pub secret: String,
    /// When created.
    pub created_at: Micros,
}

/// An identity as stored.
#[derive(Clone, sqlx::FromRow)]
pub struct Identity {
    /// The network's id.
    pub network: Id,
    /// Name in the network's plan.
    pub name: String,
    /// The organisation whose authority issued it.
    pub organisation: Id,
    /// Its certificate, PEM; empty for a password.
    pub certificate: String,
    /// Its private key or password, encrypted with the master key.
    pub secret: String,
    /// When its certificate ends.
    pub expires_at: Micros,
    /// When issued.
    pub created_at: Micros,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority")
            .field("organisation", &self.organisation)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("network", &self.network).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Stores an organisation's authority; one that is there stays.
pub async fn put_authority(conn: &mut AnyConnection, authority: &Authority) -> Result<()> {
    sqlx::query(
        "INSERT INTO authorities (organisation, usage, certificate, secret, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (organisation, usage) DO NOTHING",
    )
    .bind(&authority.organisation)
    .bind(&authority.usage)
    .bind(&authority.certificate)
    .bind(&authority.secret)
    .bind(authority.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// An organisation's authority.
pub async fn authority(conn: &mut AnyConnection, organisation: &str, usage: &str) -> Result<Option<Authority>> {
    Ok(sqlx::query_as("SELECT * FROM authorities WHERE organisation = $1 AND usage = $2")
        .bind(organisation)
        .bind(usage)
        .fetch_optional(conn)
        .await?)
}

/// Stores an identity; an earlier one of the name is replaced.
pub async fn put(conn: &mut AnyConnection, identity: &Identity) -> Result<()> {
    sqlx::query(
        "INSERT INTO identities (network, name, organisation, certificate, secret, expires_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (network, name) DO UPDATE SET organisation = excluded.organisation, certificate = excluded.certificate, \
         secret = excluded.secret, expires_at = excluded.expires_at, created_at = excluded.created_at",
    )
    .bind(&identity.network)
    .bind(&identity.name)
    .bind(&identity.organisation)
    .bind(&identity.certificate)
    .bind(&identity.secret)
    .bind(identity.expires_at)
    .bind(identity.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes an identity with its key.
pub async fn delete(conn: &mut AnyConnection, network: &str, name: &str) -> Result<()> {
    sqlx::query("DELETE FROM identities WHERE network = $1 AND name = $2")
        .bind(network)
        .bind(name)
        .execute(conn)
        .await?;
    Ok(())
}

/// An identity of a network.
pub async fn get(conn: &mut AnyConnection, network: &str, name: &str) -> Result<Option<Identity>> {
    Ok(sqlx::query_as("SELECT * FROM identities WHERE network = $1 AND name = $2")
        .bind(network)
        .bind(name)
        .fetch_optional(conn)
        .await?)
}

/// The identities that an organisation has on a network.
pub async fn of_member(conn: &mut AnyConnection, network: &str, organisation: &str) -> Result<Vec<Identity>> {
    Ok(sqlx::query_as("SELECT * FROM identities WHERE network = $1 AND organisation = $2 ORDER BY name")
        .bind(network)
        .bind(organisation)
        .fetch_all(conn)
        .await?)
}
