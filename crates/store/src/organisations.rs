//! Organisations and their sealed keys.

use types::Organisation;

use crate::{Connection, Result};

type Row = (String, String, String, String, i64);

/// Adds an organisation. `sealed_key` is its private key, encrypted. [`crate::Error::Taken`] when the name is.
pub async fn insert(connection: &mut Connection, organisation: &Organisation, sealed_key: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO organisations (id, name, title, public_key, sealed_key, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&organisation.id)
    .bind(&organisation.name)
    .bind(&organisation.title)
    .bind(&organisation.public_key)
    .bind(sealed_key)
    .bind(organisation.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// An organisation by id or name.
pub async fn find(connection: &mut Connection, id_or_name: &str) -> Result<Option<Organisation>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT id, name, title, public_key, created_at FROM organisations WHERE id = $1 OR name = $1")
            .bind(id_or_name)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(value))
}

/// An organisation's private key, encrypted.
pub async fn sealed_key(connection: &mut Connection, id: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sqlx::query_as("SELECT sealed_key FROM organisations WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(key,)| key))
}

/// Organisations by name after `after`; of all, or those that share a consortium with one of `near` and these themselves.
pub async fn list(
    connection: &mut Connection,
    near: Option<&[types::Id]>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Organisation>> {
    let after = after.unwrap_or("");
    let mut rows: Vec<Row> = Vec::new();
    match near {
        None => {
            rows = sqlx::query_as(
                "SELECT id, name, title, public_key, created_at FROM organisations WHERE name > $1 ORDER BY name LIMIT $2",
            )
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
        }
        Some(near) => {
            for organisation in near {
                let some: Vec<Row> = sqlx::query_as(
                    "SELECT id, name, title, public_key, created_at FROM organisations
                     WHERE name > $1 AND (id = $3 OR id IN
                     (SELECT other.organisation FROM members other JOIN members own ON own.consortium = other.consortium
                      WHERE own.organisation = $3)) ORDER BY name LIMIT $2",
                )
                .bind(after)
                .bind(i64::from(limit))
                .bind(organisation)
                .fetch_all(&mut *connection)
                .await?;
                rows.extend(some);
            }
            rows.sort_by(|a, b| a.1.cmp(&b.1));
            rows.dedup();
            rows.truncate(limit as usize);
        }
    }
    Ok(rows.into_iter().map(value).collect())
}

/// Whether two organisations share a consortium.
pub async fn share_consortium(connection: &mut Connection, one: &str, other: &str) -> Result<bool> {
    let row: Option<(i64,)> = sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM members a JOIN members b ON a.consortium = b.consortium
         WHERE a.organisation = $1 AND b.organisation = $2 LIMIT 1",
    )
    .bind(one)
    .bind(other)
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// Removes an organisation and all grants for it; [`crate::Error::Referenced`] while it is a member somewhere.
pub async fn delete(connection: &mut Connection, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM organisations WHERE id = $1").bind(id).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

fn value((id, name, title, public_key, created_at): Row) -> Organisation {
    Organisation { id, name, title, public_key, created_at }
}
