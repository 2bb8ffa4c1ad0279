//! Consortia and their members.

use types::{Consortium, Id, Member};

use crate::{Connection, Result};

type Row = (String, String, String, i64);

/// Adds a consortium with its members, in order. [`crate::Error::Taken`] when the name is.
pub async fn insert(connection: &mut Connection, consortium: &Consortium, statement: &str) -> Result<()> {
    sqlx::query("INSERT INTO consortia (id, name, title, statement, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&consortium.id)
        .bind(&consortium.name)
        .bind(&consortium.title)
        .bind(statement)
        .bind(consortium.created_at)
        .execute(&mut *connection)
        .await?;
    for (position, member) in consortium.members.iter().enumerate() {
        sqlx::query(
            "INSERT INTO members (consortium, organisation, position, public_key, signature, joined_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&consortium.id)
        .bind(&member.organisation)
        .bind(position as i64)
        .bind(&member.public_key)
        .bind(&member.signature)
        .bind(member.joined_at)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A consortium by id or name.
pub async fn find(connection: &mut Connection, id_or_name: &str) -> Result<Option<Consortium>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT id, name, title, created_at FROM consortia WHERE id = $1 OR name = $1")
            .bind(id_or_name)
            .fetch_optional(&mut *connection)
            .await?;
    match row {
        Some(row) => Ok(Some(with_members(connection, row).await?)),
        None => Ok(None),
    }
}

/// The founding statement that the members signed.
pub async fn statement(connection: &mut Connection, id: &str) -> Result<Option<String>> {
    let row: Option<(String,)> =
        sqlx::query_as("SELECT statement FROM consortia WHERE id = $1").bind(id).fetch_optional(connection).await?;
    Ok(row.map(|(statement,)| statement))
}

/// Consortia by name after `after`; of all, or those with one of the organisations as a member.
pub async fn list(
    connection: &mut Connection,
    organisations: Option<&[Id]>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Consortium>> {
    let after = after.unwrap_or("");
    let mut rows: Vec<Row> = Vec::new();
    match organisations {
        None => {
            rows = sqlx::query_as(
                "SELECT id, name, title, created_at FROM consortia WHERE name > $1 ORDER BY name LIMIT $2",
            )
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&mut *connection)
            .await?;
        }
        Some(organisations) => {
            for organisation in organisations {
                let some: Vec<Row> = sqlx::query_as(
                    "SELECT id, name, title, created_at FROM consortia WHERE name > $1 AND EXISTS
                     (SELECT 1 FROM members WHERE members.consortium = consortia.id AND members.organisation = $3)
                     ORDER BY name LIMIT $2",
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
    let mut consortia = Vec::with_capacity(rows.len());
    for row in rows {
        consortia.push(with_members(connection, row).await?);
    }
    Ok(consortia)
}

/// Removes a consortium and its memberships; [`crate::Error::Referenced`] while it has networks.
pub async fn delete(connection: &mut Connection, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM consortia WHERE id = $1").bind(id).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

async fn with_members(connection: &mut Connection, (id, name, title, created_at): Row) -> Result<Consortium> {
    let rows: Vec<(String, String, String, String, String, i64)> = sqlx::query_as(
        "SELECT members.organisation, organisations.name, organisations.title, members.public_key, members.signature,
         members.joined_at FROM members JOIN organisations ON organisations.id = members.organisation
         WHERE members.consortium = $1 ORDER BY members.position",
    )
    .bind(&id)
    .fetch_all(connection)
    .await?;
    let members = rows
        .into_iter()
        .map(|(organisation, name, title, public_key, signature, joined_at)| Member {
            organisation,
            name,
            title,
            public_key,
            signature,
            joined_at,
        })
        .collect();
    Ok(Consortium { id, name, title, members, created_at })
}
