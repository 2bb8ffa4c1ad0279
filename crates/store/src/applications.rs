//! Applications. Only the hash of a secret is stored.

use types::{Application, ApplicationNetwork, Id, Micros, rpc_path};

use crate::text::placeholders;
use crate::{Connection, Result};

type Row = (String, String, String, String, i64, i64, i64, Option<i64>);

const COLUMNS: &str = "SELECT a.id, a.name, o.name, a.organisation, a.inspect, a.calls, a.created_at, a.last_used_at
    FROM applications a JOIN organisations o ON o.id = a.organisation";

/// Adds an application with its networks. [`crate::Error::Taken`] when its member has one of that name.
pub async fn insert(connection: &mut Connection, application: &Application, secret_hash: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO applications (id, name, organisation, secret_hash, inspect, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&application.id)
    .bind(&application.name)
    .bind(&application.organisation)
    .bind(secret_hash)
    .bind(i64::from(application.inspect))
    .bind(application.created_at)
    .execute(&mut *connection)
    .await?;
    for network in &application.networks {
        sqlx::query("INSERT INTO application_networks (application, network) VALUES ($1, $2)")
            .bind(&application.id)
            .bind(&network.id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// An application by its id.
pub async fn get(connection: &mut Connection, id: &str) -> Result<Option<Application>> {
    let sql = format!("{COLUMNS} WHERE a.id = $1");
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *connection).await?;
    match row {
        Some(row) => Ok(Some(with_networks(connection, row).await?)),
        None => Ok(None),
    }
}

/// Applications of a name, of any member.
pub async fn by_name(connection: &mut Connection, name: &str) -> Result<Vec<Application>> {
    let sql = format!("{COLUMNS} WHERE a.name = $1 ORDER BY a.id");
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(name).fetch_all(&mut *connection).await?;
    all_with_networks(connection, rows).await
}

/// Applications of some organisations (of all when none are given), oldest first, after an id.
pub async fn list(
    connection: &mut Connection,
    organisations: Option<&[Id]>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Application>> {
    let filter = match organisations {
        Some([]) => return Ok(Vec::new()),
        Some(ids) => format!(" AND a.organisation IN ({})", placeholders(3, ids.len())),
        None => String::new(),
    };
    let sql = format!("{COLUMNS} WHERE a.id > $1{filter} ORDER BY a.id LIMIT $2");
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(after.unwrap_or("")).bind(i64::from(limit));
    for id in organisations.unwrap_or_default() {
        query = query.bind(id);
    }
    let rows: Vec<Row> = query.fetch_all(&mut *connection).await?;
    all_with_networks(connection, rows).await
}

/// The hash of an application's secret.
pub async fn secret_hash(connection: &mut Connection, id: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sqlx::query_as("SELECT secret_hash FROM applications WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(hash,)| hash))
}

/// Replaces the hash of an application's secret.
pub async fn set_secret_hash(connection: &mut Connection, id: &str, hash: &str) -> Result<()> {
    sqlx::query("UPDATE applications SET secret_hash = $2 WHERE id = $1")
        .bind(id)
        .bind(hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// Counts calls that an application made, the newest at `used_at`.
pub async fn count(connection: &mut Connection, id: &str, calls: i64, used_at: Micros) -> Result<()> {
    sqlx::query("UPDATE applications SET calls = calls + $2, last_used_at = $3 WHERE id = $1")
        .bind(id)
        .bind(calls)
        .bind(used_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes an application; answers whether it was there.
pub async fn delete(connection: &mut Connection, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM applications WHERE id = $1").bind(id).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

async fn all_with_networks(connection: &mut Connection, rows: Vec<Row>) -> Result<Vec<Application>> {
    let mut applications = Vec::with_capacity(rows.len());
    for row in rows {
        applications.push(with_networks(connection, row).await?);
    }
    Ok(applications)
}

/// Of the networks only those whose consortium the application's member still belongs to.
async fn with_networks(connection: &mut Connection, row: Row) -> Result<Application> {
    let (id, name, member, organisation, inspect, calls, created_at, last_used_at) = row;
    let networks: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT n.id, c.name, n.name FROM application_networks a JOIN networks n ON n.id = a.network
         JOIN consortia c ON c.id = n.consortium
         JOIN members m ON m.consortium = c.id AND m.organisation = $2
         WHERE a.application = $1 ORDER BY c.name, n.name",
    )
    .bind(&id)
    .bind(&organisation)
    .fetch_all(connection)
    .await?;
    let networks = networks
        .into_iter()
        .map(|(id, consortium, network)| ApplicationNetwork {
            id,
            name: format!("{consortium}/{network}"),
            rpc: rpc_path(&consortium, &network),
        })
        .collect();
    Ok(Application {
        id,
        name,
        member,
        organisation,
        networks,
        inspect: inspect != 0,
        calls,
        created_at,
        last_used_at,
        secret: None,
    })
}
