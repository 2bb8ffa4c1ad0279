//! Single values of the deployment.

use crate::{Connection, Result};

/// A value by its name.
pub async fn get(connection: &mut Connection, name: &str) -> Result<Option<String>> {
    let row: Option<(String,)> =
        sqlx::query_as("SELECT value FROM settings WHERE name = $1").bind(name).fetch_optional(connection).await?;
    Ok(row.map(|(value,)| value))
}

/// Sets a value.
pub async fn set(connection: &mut Connection, name: &str, value: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(connection)
    .await?;
    Ok(())
}

/// Sets a value that is not there yet; gives the one that stands.
pub async fn set_once(connection: &mut Connection, name: &str, value: &str) -> Result<String> {
    let (value,): (String,) = sqlx::query_as(
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = settings.value RETURNING value",
    )
    .bind(name)
    .bind(value)
    .fetch_one(connection)
    .await?;
    Ok(value)
}
