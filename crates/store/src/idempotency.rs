//! Answers to creations, kept for a while under the key that the client chose.

use types::{Micros, now};

use crate::{Connection, Result};

/// What was answered before.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Hash of the request that it answered.
    pub request_hash: String,
    /// The answer, JSON.
    pub answer: String,
}

/// The answer recorded for an owner's key.
pub async fn find(connection: &mut Connection, owner: &str, key: &str) -> Result<Option<Recorded>> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT request_hash, answer FROM idempotency WHERE owner = $1 AND key = $2")
            .bind(owner)
            .bind(key)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|(request_hash, answer)| Recorded { request_hash, answer }))
}

/// Records an answer. Fails with [`crate::Error::Taken`] when a concurrent request with the same key was first.
pub async fn insert(connection: &mut Connection, owner: &str, key: &str, recorded: &Recorded) -> Result<()> {
    sqlx::query("INSERT INTO idempotency (owner, key, request_hash, answer, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(owner)
        .bind(key)
        .bind(&recorded.request_hash)
        .bind(&recorded.answer)
        .bind(now())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes what is older than `before`; answers how many.
pub async fn trim(connection: &mut Connection, before: Micros) -> Result<u64> {
    let done = sqlx::query("DELETE FROM idempotency WHERE created_at < $1").bind(before).execute(connection).await?;
    Ok(done.rows_affected())
}
