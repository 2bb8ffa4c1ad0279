//! Users and their grants.

use types::{Grant, Id, Role, User};

use crate::{Connection, Error, Result};

type Row = (String, String, i64);

/// Adds a user with its grants. `password` is the password's hash. [`Error::Taken`] when the name is.
pub async fn insert(connection: &mut Connection, user: &User, password: &str) -> Result<()> {
    sqlx::query("INSERT INTO users (id, name, password, created_at) VALUES ($1, $2, $3, $4)")
        .bind(&user.id)
        .bind(&user.name)
        .bind(password)
        .bind(user.created_at)
        .execute(&mut *connection)
        .await?;
    insert_grants(connection, &user.id, &user.grants).await
}

/// Replaces all grants of a user.
pub async fn replace_grants(connection: &mut Connection, user: &str, grants: &[Grant]) -> Result<()> {
    sqlx::query("DELETE FROM grants WHERE user_id = $1").bind(user).execute(&mut *connection).await?;
    insert_grants(connection, user, grants).await
}

async fn insert_grants(connection: &mut Connection, user: &str, grants: &[Grant]) -> Result<()> {
    for grant in grants {
        sqlx::query("INSERT INTO grants (user_id, role, organisation) VALUES ($1, $2, $3)")
            .bind(user)
            .bind(role_text(grant.role)?)
            .bind(grant.organisation.as_deref())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// A user by id or name.
pub async fn find(connection: &mut Connection, id_or_name: &str) -> Result<Option<User>> {
    let row: Option<Row> = sqlx::query_as("SELECT id, name, created_at FROM users WHERE id = $1 OR name = $1")
        .bind(id_or_name)
        .fetch_optional(&mut *connection)
        .await?;
    match row {
        Some(row) => Ok(Some(with_grants(connection, row).await?)),
        None => Ok(None),
    }
}

/// The hash of a user's password, by the user's id.
pub async fn password(connection: &mut Connection, user: &str) -> Result<Option<String>> {
    let row: Option<(String,)> =
        sqlx::query_as("SELECT password FROM users WHERE id = $1").bind(user).fetch_optional(connection).await?;
    Ok(row.map(|(hash,)| hash))
}

/// Sets the hash of a user's password.
pub async fn set_password(connection: &mut Connection, user: &str, hash: &str) -> Result<()> {
    sqlx::query("UPDATE users SET password = $2 WHERE id = $1").bind(user).bind(hash).execute(connection).await?;
    Ok(())
}

/// Users by name after `after`; of all, or those with a grant for one of the organisations.
pub async fn list(
    connection: &mut Connection,
    organisations: Option<&[Id]>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<User>> {
    let after = after.unwrap_or("");
    let mut rows: Vec<Row> = Vec::new();
    match organisations {
        None => {
            rows = sqlx::query_as("SELECT id, name, created_at FROM users WHERE name > $1 ORDER BY name LIMIT $2")
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&mut *connection)
                .await?;
        }
        Some(organisations) => {
            for organisation in organisations {
                let some: Vec<Row> = sqlx::query_as(
                    "SELECT id, name, created_at FROM users WHERE name > $1 AND EXISTS
                     (SELECT 1 FROM grants WHERE grants.user_id = users.id AND grants.organisation = $3)
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
    let mut users = Vec::with_capacity(rows.len());
    for row in rows {
        users.push(with_grants(connection, row).await?);
    }
    Ok(users)
}

/// Removes a user with its grants, sessions and access keys; answers whether it was there.
pub async fn delete(connection: &mut Connection, user: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM users WHERE id = $1").bind(user).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

/// How many users there are.
pub async fn count(connection: &mut Connection) -> Result<i64> {
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM users").fetch_one(connection).await?;
    Ok(count)
}

/// How many users hold a role.
pub async fn count_role(connection: &mut Connection, role: Role) -> Result<i64> {
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(DISTINCT user_id) FROM grants WHERE role = $1")
        .bind(role_text(role)?)
        .fetch_one(connection)
        .await?;
    Ok(count)
}

async fn with_grants(connection: &mut Connection, (id, name, created_at): Row) -> Result<User> {
    let rows: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT role, organisation FROM grants WHERE user_id = $1 ORDER BY role, COALESCE(organisation, '')",
    )
    .bind(&id)
    .fetch_all(connection)
    .await?;
    let grants = rows
        .into_iter()
        .map(|(role, organisation)| Ok(Grant { role: role_value(&role)?, organisation }))
        .collect::<Result<_>>()?;
    Ok(User { id, name, grants, created_at })
}

fn role_text(role: Role) -> Result<String> {
    match serde_json::to_value(role) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        other => Err(Error::stored("role", format!("{other:?}"))),
    }
}

fn role_value(text: &str) -> Result<Role> {
    serde_json::from_value(text.into()).map_err(|error| Error::stored("role", error))
}
