//! Sessions of signed-in users, found by the hash of their token.

use types::{Id, Micros};

use crate::{Connection, Result};

/// One session.
#[derive(Clone, Debug)]
pub struct Session {
    /// SHA-256 of the token, hex.
    pub token_hash: String,
    /// Whose it is.
    pub user: Id,
    /// When signed in.
    pub created_at: Micros,
    /// When last used, to the minute.
    pub used_at: Micros,
    /// When it ends if it is not used.
    pub expires_at: Micros,
}

/// Adds a session.
pub async fn insert(connection: &mut Connection, session: &Session) -> Result<()> {
    sqlx::query(
        "INSERT INTO sessions (token_hash, user_id, created_at, used_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&session.token_hash)
    .bind(&session.user)
    .bind(session.created_at)
    .bind(session.used_at)
    .bind(session.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// A session by the hash of its token.
pub async fn find(connection: &mut Connection, token_hash: &str) -> Result<Option<Session>> {
    let row: Option<(String, String, i64, i64, i64)> = sqlx::query_as(
        "SELECT token_hash, user_id, created_at, used_at, expires_at FROM sessions WHERE token_hash = $1",
    )
    .bind(token_hash)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(token_hash, user, created_at, used_at, expires_at)| Session {
        token_hash,
        user,
        created_at,
        used_at,
        expires_at,
    }))
}

/// Notes that a session was used and when it now ends.
pub async fn touch(connection: &mut Connection, token_hash: &str, used_at: Micros, expires_at: Micros) -> Result<()> {
    sqlx::query("UPDATE sessions SET used_at = $2, expires_at = $3 WHERE token_hash = $1")
        .bind(token_hash)
        .bind(used_at)
        .bind(expires_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a session.
pub async fn delete(connection: &mut Connection, token_hash: &str) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash).execute(connection).await?;
    Ok(())
}

/// Ends the sessions of a user, but for the one with the token hash given (none when it is empty).
pub async fn delete_of_user(connection: &mut Connection, user: &str, but: &str) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2")
        .bind(user)
        .bind(but)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes sessions that ended before `before`; answers how many.
pub async fn trim(connection: &mut Connection, before: Micros) -> Result<u64> {
    let done = sqlx::query("DELETE FROM sessions WHERE expires_at < $1").bind(before).execute(connection).await?;
    Ok(done.rows_affected())
}
