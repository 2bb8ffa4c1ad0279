//! Accounts that the platform holds for members on networks. Their keys are stored encrypted.

use sqlx::AnyConnection;
use types::{Id, Micros};

use crate::Result;

/// An account as stored.
#[derive(Clone, sqlx::FromRow)]
pub struct Account {
    /// `acc_…`.
    pub id: Id,
    /// The network's id.
    pub network: Id,
    /// The member's organisation.
    pub organisation: Id,
    /// Address on the ledger.
    pub address: String,
    /// The private key, encrypted with the master key.
    pub secret: String,
    /// When created.
    pub created_at: Micros,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.id).field("address", &self.address).finish_non_exhaustive()
    }
}

/// Stores a new account.
pub async fn insert(conn: &mut AnyConnection, account: &Account) -> Result<()> {
    sqlx::query(
        "INSERT INTO accounts (id, network, organisation, address, secret, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&account.id)
    .bind(&account.network)
    .bind(&account.organisation)
    .bind(&account.address)
    .bind(&account.secret)
    .bind(account.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The accounts of a network, in the order of its members.
pub async fn of_network(conn: &mut AnyConnection, network: &str) -> Result<Vec<Account>> {
    Ok(sqlx::query_as(
        "SELECT a.* FROM accounts a JOIN network_members m ON m.network = a.network AND m.organisation = a.organisation \
         WHERE a.network = $1 ORDER BY m.position",
    )
    .bind(network)
    .fetch_all(conn)
    .await?)
}

/// An account by its id.
pub async fn get(conn: &mut AnyConnection, id: &str) -> Result<Option<Account>> {
    Ok(sqlx::query_as("SELECT * FROM accounts WHERE id = $1").bind(id).fetch_optional(conn).await?)
}
