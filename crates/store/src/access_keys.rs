//! Access keys of programs. Only the hash of a secret is stored.

use types::{AccessKey, Grant, Micros};

use crate::{Connection, Error, Result};

type Row = (String, String, String, String, i64, Option<i64>, Option<i64>);

/// Adds a key. [`Error::Taken`] when its user has one of that name.
pub async fn insert(connection: &mut Connection, key: &AccessKey, secret_hash: &str) -> Result<()> {
    let grants = serde_json::to_string(&key.grants).map_err(|error| Error::stored("grant", error))?;
    sqlx::query(
        "INSERT INTO access_keys (id, name, user_id, secret_hash, grants, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&key.id)
    .bind(&key.name)
    .bind(&key.user)
    .bind(secret_hash)
    .bind(grants)
    .bind(key.created_at)
    .bind(key.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// A key by its id.
pub async fn find(connection: &mut Connection, id: &str) -> Result<Option<AccessKey>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, name, user_id, grants, created_at, last_used_at, expires_at FROM access_keys WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    row.map(value).transpose()
}

/// The hash of a key's secret.
pub async fn secret_hash(connection: &mut Connection, id: &str) -> Result<Option<String>> {
    let row: Option<(String,)> =
        sqlx::query_as("SELECT secret_hash FROM access_keys WHERE id = $1").bind(id).fetch_optional(connection).await?;
    Ok(row.map(|(hash,)| hash))
}

/// Keys after id `after`, oldest first; of one user or of all.
pub async fn list(
    connection: &mut Connection,
    user: Option<&str>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<AccessKey>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, user_id, grants, created_at, last_used_at, expires_at FROM access_keys
         WHERE id > $1 AND (user_id = $2 OR $2 = '') ORDER BY id LIMIT $3",
    )
    .bind(after.unwrap_or(""))
    .bind(user.unwrap_or(""))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(value).collect()
}

/// Notes that a key was used.
pub async fn touch(connection: &mut Connection, id: &str, used_at: Micros) -> Result<()> {
    sqlx::query("UPDATE access_keys SET last_used_at = $2 WHERE id = $1")
        .bind(id)
        .bind(used_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a key; answers whether it was there.
pub async fn delete(connection: &mut Connection, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM access_keys WHERE id = $1").bind(id).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

fn value((id, name, user, grants, created_at, last_used_at, expires_at): Row) -> Result<AccessKey> {
    let grants: Vec<Grant> = serde_json::from_str(&grants).map_err(|error| Error::stored("grant", error))?;
    Ok(AccessKey { id, name, user, grants, created_at, last_used_at, expires_at, secret: None })
}
