//! Operations and their steps.

use sqlx::AnyConnection;
use types::{Id, Micros, OperationStatus, Problem, Step};

use crate::Result;
use crate::text::{self, placeholders};

/// An operation as stored.
#[derive(Clone, Debug)]
pub struct Operation {
    /// What the API shows, its steps included.
    pub shown: types::Operation,
    /// Of this one operation at a time is under way: the id of a network, or of an engine's version (`ENGINE@VERSION`).
    pub scope: Id,
    /// The network's consortium; empty for an engine.
    pub consortium: Id,
    /// Whether its steps are being taken back.
    pub undoing: bool,
    /// What it is to bring about, as far as its subject does not say it.
    pub details: serde_json::Value,
}

impl Operation {
    /// Id of the network that it changes, if it is one.
    pub fn network(&self) -> Option<&str> {
        (!self.consortium.is_empty()).then_some(self.scope.as_str())
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    kind: String,
    subject: String,
    subject_name: String,
    network: String,
    consortium: String,
    status: String,
    undoing: i64,
    details: String,
    error: Option<String>,
    actor: String,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct StepRow {
    name: String,
    title: String,
    status: String,
    message: Option<String>,
    attempts: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
}

async fn with_steps(conn: &mut AnyConnection, row: Row) -> Result<Operation> {
    let steps: Vec<StepRow> = sqlx::query_as(
        "SELECT name, title, status, message, attempts, started_at, finished_at FROM steps WHERE operation = $1 ORDER BY position",
    )
    .bind(&row.id)
    .fetch_all(conn)
    .await?;
    let steps = steps
        .into_iter()
        .map(|step| {
            Ok(Step {
                name: step.name,
                title: step.title,
                status: text::word(&step.status)?,
                message: step.message,
                attempts: u32::try_from(step.attempts).unwrap_or(u32::MAX),
                started_at: step.started_at,
                finished_at: step.finished_at,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Operation {
        scope: row.network,
        consortium: row.consortium,
        undoing: row.undoing != 0,
        details: text::json(&row.details)?,
        shown: types::Operation {
            id: row.id,
            kind: row.kind,
            subject: row.subject,
            subject_name: row.subject_name,
            status: text::word(&row.status)?,
            steps,
            error: row.error.as_deref().map(text::from_json).transpose()?,
            actor: row.actor,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        },
    })
}

/// Stores a new operation with its steps.
///
/// # Errors
/// A unique violation when another operation of the network has not ended.
pub async fn insert(conn: &mut AnyConnection, operation: &Operation) -> Result<()> {
    let shown = &operation.shown;
    sqlx::query(
        "INSERT INTO operations (id, kind, subject, subject_name, network, consortium, status, undoing, actor, created_at, details) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10)",
    )
    .bind(&shown.id)
    .bind(&shown.kind)
    .bind(&shown.subject)
    .bind(&shown.subject_name)
    .bind(&operation.scope)
    .bind(&operation.consortium)
    .bind(text::of(&shown.status))
    .bind(&shown.actor)
    .bind(shown.created_at)
    .bind(operation.details.to_string())
    .execute(&mut *conn)
    .await?;
    for (position, step) in (0i64..).zip(&shown.steps) {
        sqlx::query("INSERT INTO steps (operation, position, name, title, status) VALUES ($1, $2, $3, $4, $5)")
            .bind(&shown.id)
            .bind(position)
            .bind(&step.name)
            .bind(&step.title)
            .bind(text::of(&step.status))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// An operation by its id.
pub async fn get(conn: &mut AnyConnection, id: &str) -> Result<Option<Operation>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM operations WHERE id = $1").bind(id).fetch_optional(&mut *conn).await?;
    match row {
        Some(row) => Ok(Some(with_steps(conn, row).await?)),
        None => Ok(None),
    }
}

/// Operations that have not ended.
pub async fn active(conn: &mut AnyConnection) -> Result<Vec<Operation>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM operations WHERE status IN ('queued', 'running', 'waiting') ORDER BY id")
            .fetch_all(&mut *conn)
            .await?;
    let mut operations = Vec::with_capacity(rows.len());
    for row in rows {
        operations.push(with_steps(conn, row).await?);
    }
    Ok(operations)
}

/// The operation of a network that has not ended.
pub async fn active_of(conn: &mut AnyConnection, network: &str) -> Result<Option<Operation>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM operations WHERE network = $1 AND status IN ('queued', 'running', 'waiting')")
            .bind(network)
            .fetch_optional(&mut *conn)
            .await?;
    match row {
        Some(row) => Ok(Some(with_steps(conn, row).await?)),
        None => Ok(None),
    }
}

/// The newest operation of a network.
pub async fn newest_of(conn: &mut AnyConnection, network: &str) -> Result<Option<Operation>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM operations WHERE network = $1 ORDER BY id DESC LIMIT 1")
        .bind(network)
        .fetch_optional(&mut *conn)
        .await?;
    match row {
        Some(row) => Ok(Some(with_steps(conn, row).await?)),
        None => Ok(None),
    }
}

/// Which operations to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those of these consortia.
    pub consortia: Option<Vec<Id>>,
    /// Only those that change this or something of this network.
    pub subject: Option<Id>,
    /// Only those in this state.
    pub status: Option<OperationStatus>,
}

/// Operations, newest first, before an id (all when empty).
pub async fn list(conn: &mut AnyConnection, filter: &Filter, before: &str, limit: i64) -> Result<Vec<Operation>> {
    // An identifier never sorts after this one.
    let before = if before.is_empty() { "op_~" } else { before };
    let mut sql = String::from("SELECT * FROM operations WHERE id < $1");
    let mut values: Vec<String> = Vec::new();
    match filter.consortia.as_deref() {
        Some([]) => return Ok(Vec::new()),
        Some(ids) => {
            sql += &format!(" AND consortium IN ({})", placeholders(3, ids.len()));
            values.extend_from_slice(ids);
        }
        None => {}
    }
    if let Some(subject) = &filter.subject {
        sql += &format!(" AND (subject = ${0} OR network = ${0})", values.len() + 3);
        values.push(subject.clone());
    }
    if let Some(status) = &filter.status {
        sql += &format!(" AND status = ${}", values.len() + 3);
        values.push(text::of(status));
    }
    sql += " ORDER BY id DESC LIMIT $2";
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(before).bind(limit);
    for value in &values {
        query = query.bind(value);
    }
    let rows: Vec<Row> = query.fetch_all(&mut *conn).await?;
    let mut operations = Vec::with_capacity(rows.len());
    for row in rows {
        operations.push(with_steps(conn, row).await?);
    }
    Ok(operations)
}

/// Sets an operation's state, with an error or without. The first start and the newest end are kept.
pub async fn set_status(
    conn: &mut AnyConnection,
    id: &str,
    status: OperationStatus,
    error: Option<&Problem>,
    at: Micros,
) -> Result<()> {
    let ended = matches!(status, OperationStatus::Succeeded | OperationStatus::Failed | OperationStatus::Undone);
    sqlx::query("UPDATE operations SET status = $2, error = $3, started_at = COALESCE(started_at, $4), finished_at = $5 WHERE id = $1")
        .bind(id)
        .bind(text::of(&status))
        .bind(error.map(text::to_json))
        .bind(at)
        .bind(ended.then_some(at))
        .execute(conn)
        .await?;
    Ok(())
}

/// Puts an operation back into the queue, to go on or to be taken back.
pub async fn requeue(conn: &mut AnyConnection, id: &str, undoing: bool) -> Result<()> {
    sqlx::query(
        "UPDATE operations SET status = 'queued', undoing = $2, error = NULL, finished_at = NULL WHERE id = $1",
    )
    .bind(id)
    .bind(i64::from(undoing))
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks a step as begun and counts the attempt.
pub async fn begin_step(conn: &mut AnyConnection, operation: &str, step: &str, at: Micros) -> Result<()> {
    sqlx::query(
        "UPDATE steps SET status = 'running', attempts = attempts + 1, started_at = COALESCE(started_at, $3), finished_at = NULL, message = NULL \
         WHERE operation = $1 AND name = $2",
    )
    .bind(operation)
    .bind(step)
    .bind(at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets a step's state with a message.
pub async fn set_step(
    conn: &mut AnyConnection,
    operation: &str,
    step: &str,
    status: OperationStatus,
    message: Option<&str>,
    finished_at: Option<Micros>,
) -> Result<()> {
    sqlx::query("UPDATE steps SET status = $3, message = $4, finished_at = $5 WHERE operation = $1 AND name = $2")
        .bind(operation)
        .bind(step)
        .bind(text::of(&status))
        .bind(message)
        .bind(finished_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds a step at the end unless the operation has one of the name.
pub async fn add_step(conn: &mut AnyConnection, operation: &str, name: &str, title: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO steps (operation, position, name, title, status) \
         SELECT $1, COALESCE(MAX(position), -1) + 1, $2, $3, 'queued' FROM steps WHERE operation = $1 \
         HAVING COUNT(CASE WHEN name = $2 THEN 1 END) = 0",
    )
    .bind(operation)
    .bind(name)
    .bind(title)
    .execute(conn)
    .await?;
    Ok(())
}
