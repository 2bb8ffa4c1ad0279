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
