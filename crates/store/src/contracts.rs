//! Contracts that are known here.

use sqlx::AnyConnection;
use types::{Id, Micros};

use crate::text;
use crate::{Error, Result};

/// A contract as stored.
#[derive(Clone, Debug)]
pub struct Contract {
    /// `ctr_…`.
    pub id: Id,
    /// The network's id.
    pub network: Id,
    /// Name to show.
    pub name: String,
    /// Address on the ledger, in its canonical form.
    pub address: String,
    /// The channel that it is on, where the network has channels.
    pub channel: Option<String>,
    /// Its interface.
    pub interface: serde_json::Value,
    /// Transaction that made it, when deployed from here.
    pub transaction_hash: Option<String>,
    /// Organisation that deployed it, when deployed from here.
    pub organisation: Option<Id>,
    /// When it became known here.
    pub created_at: Micros,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    network: String,
    name: String,
    address: String,
    channel: Option<String>,
    interface: String,
    transaction_hash: Option<String>,
    organisation: Option<String>,
    created_at: i64,
}

impl TryFrom<Row> for Contract {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            network: row.network,
            name: row.name,
            address: row.address,
            channel: row.channel,
            interface: text::json(&row.interface)?,
            transaction_hash: row.transaction_hash,
            organisation: row.organisation,
            created_at: row.created_at,
        })
    }
}

/// Stores a contract. One that is known at the address gets the new name and interface and keeps the rest.
pub async fn put(conn: &mut AnyConnection, contract: &Contract) -> Result<Contract> {
    let row: Row = sqlx::query_as(
        "INSERT INTO contracts (id, network, name, address, interface, transaction_hash, organisation, created_at, channel) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (network, address) DO UPDATE SET name = excluded.name, interface = excluded.interface RETURNING *",
    )
    .bind(&contract.id)
    .bind(&contract.network)
    .bind(&contract.name)
    .bind(&contract.address)
    .bind(contract.interface.to_string())
    .bind(&contract.transaction_hash)
    .bind(&contract.organisation)
    .bind(contract.created_at)
    .bind(&contract.channel)
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Contracts of a network that have this id, address or name.
pub async fn find(conn: &mut AnyConnection, network: &str, reference: &str) -> Result<Vec<Contract>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM contracts WHERE network = $1 AND (id = $2 OR LOWER(address) = LOWER($2) OR name = $2) ORDER BY id",
    )
    .bind(network)
    .bind(reference)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Contract::try_from).collect()
}

/// Contracts of a network, oldest first, after an id.
pub async fn list(conn: &mut AnyConnection, network: &str, after: &str, limit: i64) -> Result<Vec<Contract>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM contracts WHERE network = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(network)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Contract::try_from).collect()
}
