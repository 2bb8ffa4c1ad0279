//! Transactions that went through the platform: recorded before they are sent, so that no crash loses sight of one.

use sqlx::AnyConnection;
use types::{Id, Micros};

use crate::text::{self, text_enum};
use crate::{Error, Result};

text_enum! {
    /// What is known of a transaction.
    pub enum State {
        Sending = "sending", Pending = "pending", Unknown = "unknown",
        Success = "success", Reverted = "reverted", Refused = "refused",
    }
}

impl State {
    /// Whether nothing more will happen to it.
    pub fn ended(self) -> bool {
        matches!(self, Self::Success | Self::Reverted | Self::Refused)
    }
}

/// What a deployment registers once its transaction is final.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Deployment {
    /// The contract's name.
    pub name: String,
    /// The contract's interface.
    pub interface: serde_json::Value,
}

/// A transaction as stored.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The network's id.
    pub network: Id,
    /// The ledger's id of it.
    pub hash: String,
    /// The account that signed, when held here.
    pub account: Option<Id>,
    /// The channel, where the network has channels.
    pub channel: Option<String>,
    /// The sender's counter.
    pub nonce: Option<u64>,
    /// The signed bytes, hex.
    pub raw: String,
    /// Set for a deployment.
    pub deploys: Option<Deployment>,
    /// What is known of it.
    pub state: State,
    /// Why it failed.
    pub message: Option<String>,
    /// How often it was handed to the ledger.
    pub offers: i64,
    /// When it was recorded.
    pub submitted_at: Micros,
    /// When its end became known here.
    pub finished_at: Option<Micros>,
    /// Block height.
    pub block: Option<u64>,
    /// Gas used.
    pub gas_used: Option<u64>,
    /// Address of the contract that it made.
    pub address: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    network: String,
    hash: String,
    account: Option<String>,
    channel: Option<String>,
    nonce: Option<i64>,
    raw: String,
    deploys: Option<String>,
    status: String,
    message: Option<String>,
    offers: i64,
    submitted_at: i64,
    finished_at: Option<i64>,
    block: Option<i64>,
    gas_used: Option<i64>,
    address: Option<String>,
}

impl TryFrom<Row> for Transaction {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            network: row.network,
            hash: row.hash,
            account: row.account,
            channel: row.channel,
            nonce: row.nonce.map(i64::cast_unsigned),
            raw: row.raw,
            deploys: row.deploys.as_deref().map(text::from_json).transpose()?,
            state: State::parse(&row.status)?,
            message: row.message,
            offers: row.offers,
            submitted_at: row.submitted_at,
            finished_at: row.finished_at,
            block: row.block.map(i64::cast_unsigned),
            gas_used: row.gas_used.map(i64::cast_unsigned),
            address: row.address,
        })
    }
}

/// Records a transaction that is about to be sent. One that is recorded already stays as it is, but for one that was refused:
/// the same transaction, signed again with the same counter, is the same bytes.
pub async fn record(conn: &mut AnyConnection, transaction: &Transaction) -> Result<()> {
    sqlx::query(
        "INSERT INTO transactions (network, hash, account, nonce, raw, deploys, status, submitted_at, offers, channel) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (network, hash) DO UPDATE SET status = excluded.status, deploys = excluded.deploys, message = NULL, finished_at = NULL, \
         submitted_at = excluded.submitted_at WHERE transactions.status = 'refused'",
    )
    .bind(&transaction.network)
    .bind(&transaction.hash)
    .bind(&transaction.account)
    .bind(transaction.nonce.map(u64::cast_signed))
    .bind(&transaction.raw)
    .bind(transaction.deploys.as_ref().map(text::to_json))
    .bind(transaction.state.as_str())
    .bind(transaction.submitted_at)
    .bind(transaction.offers)
    .bind(&transaction.channel)
    .execute(conn)
    .await?;
    Ok(())
}

/// A transaction by its hash.
pub async fn get(conn: &mut AnyConnection, network: &str, hash: &str) -> Result<Option<Transaction>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM transactions WHERE network = $1 AND hash = $2")
        .bind(network)
        .bind(hash)
        .fetch_optional(conn)
        .await?;
    row.map(Transaction::try_from).transpose()
}

/// What became known of a transaction.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What is known.
    pub state: State,
    /// Why it failed.
    pub message: Option<String>,
    /// When its end became known.
    pub finished_at: Option<Micros>,
    /// Block height.
    pub block: Option<u64>,
    /// Gas used.
    pub gas_used: Option<u64>,
    /// Address of the contract that it made.
    pub address: Option<String>,
}

impl Finding {
    /// Nothing but the state; an end is dated now.
    pub fn of(state: State) -> Self {
        let finished_at = state.ended().then(types::now);
        Self { state, message: None, finished_at, block: None, gas_used: None, address: None }
    }
}

/// Notes what became known; says whether this was the first to note an end.
pub async fn note(conn: &mut AnyConnection, network: &str, hash: &str, finding: &Finding) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE transactions SET status = $3, message = $4, finished_at = $5, block = $6, gas_used = $7, address = $8 \
         WHERE network = $1 AND hash = $2 AND status IN ('sending', 'pending', 'unknown')",
    )
    .bind(network)
    .bind(hash)
    .bind(finding.state.as_str())
    .bind(&finding.message)
    .bind(finding.finished_at)
    .bind(finding.block.map(u64::cast_signed))
    .bind(finding.gas_used.map(u64::cast_signed))
    .bind(&finding.address)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0 && finding.state.ended())
}

/// Counts that a transaction is handed to the ledger.
pub async fn count_offer(conn: &mut AnyConnection, network: &str, hash: &str) -> Result<()> {
    sqlx::query("UPDATE transactions SET offers = offers + 1 WHERE network = $1 AND hash = $2")
        .bind(network)
        .bind(hash)
        .execute(conn)
        .await?;
    Ok(())
}

/// Transactions of a network that have not ended, oldest first, recorded before a time.
pub async fn open(conn: &mut AnyConnection, network: &str, before: Micros, limit: i64) -> Result<Vec<Transaction>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM transactions WHERE network = $1 AND status IN ('sending', 'pending', 'unknown') AND submitted_at < $2 \
         ORDER BY submitted_at LIMIT $3",
    )
    .bind(network)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Transaction::try_from).collect()
}

/// The highest counter among an account's transactions that have not ended.
pub async fn highest_open_nonce(conn: &mut AnyConnection, account: &str) -> Result<Option<u64>> {
    let highest: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(nonce) FROM transactions WHERE account = $1 AND status IN ('sending', 'pending', 'unknown')",
    )
    .bind(account)
    .fetch_one(conn)
    .await?;
    Ok(highest.map(i64::cast_unsigned))
}

/// When each transaction that ended well or badly in a block since a time was submitted and known to be final.
pub async fn latencies(conn: &mut AnyConnection, network: &str, since: Micros) -> Result<Vec<(Micros, Micros)>> {
    Ok(sqlx::query_as(
        "SELECT submitted_at, finished_at FROM transactions \
         WHERE network = $1 AND finished_at >= $2 AND offers = 1 AND status IN ('success', 'reverted') ORDER BY finished_at",
    )
    .bind(network)
    .bind(since)
    .fetch_all(conn)
    .await?)
}

/// Removes transactions whose end became known before a time.
pub async fn prune(conn: &mut AnyConnection, before: Micros) -> Result<()> {
    sqlx::query("DELETE FROM transactions WHERE finished_at < $1").bind(before).execute(conn).await?;
    Ok(())
}
