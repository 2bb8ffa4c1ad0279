//! The change feed: which things changed, in the order in which the changes became visible.

use std::time::Duration;

use tokio::sync::watch;
use types::{Change, Micros, now};

use crate::{Connection, Database, Result};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NewChange {
    pub kind: &'static str,
    pub id: String,
    pub network: Option<String>,
}

pub(crate) async fn append(connection: &mut Connection, change: NewChange) -> Result<i64> {
    // The counter's row stays locked until this transaction ends, so that a reader that has seen sequence n has seen
    // everything below n. A database sequence would not promise that.
    let (sequence,): (i64,) =
        sqlx::query_as("UPDATE counters SET value = value + 1 WHERE name = 'changes' RETURNING value")
            .fetch_one(&mut *connection)
            .await?;
    sqlx::query("INSERT INTO changes (sequence, at, kind, subject, network) VALUES ($1, $2, $3, $4, $5)")
        .bind(sequence)
        .bind(now())
        .bind(change.kind)
        .bind(change.id)
        .bind(change.network)
        .execute(connection)
        .await?;
    Ok(sequence)
}

/// Changes after `sequence`, oldest first, at most `limit`.
pub async fn after(connection: &mut Connection, sequence: i64, limit: u32) -> Result<Vec<Change>> {
    let rows: Vec<(i64, String, String, Option<String>)> = sqlx::query_as(
        "SELECT sequence, kind, subject, network FROM changes WHERE sequence > $1 ORDER BY sequence LIMIT $2",
    )
    .bind(sequence)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(sequence, kind, id, network)| Change { sequence, kind, id, network }).collect())
}

/// Sequence of the newest change; 0 before the first.
pub async fn newest(connection: &mut Connection) -> Result<i64> {
    let (sequence,): (i64,) =
        sqlx::query_as("SELECT value FROM counters WHERE name = 'changes'").fetch_one(connection).await?;
    Ok(sequence)
}

/// Sequence of the oldest change that is kept; null when none is.
pub async fn oldest(connection: &mut Connection) -> Result<Option<i64>> {
    let (sequence,): (Option<i64>,) = sqlx::query_as("SELECT MIN(sequence) FROM changes").fetch_one(connection).await?;
    Ok(sequence)
}

/// Removes changes older than `before`; answers how many.
pub async fn trim(connection: &mut Connection, before: Micros) -> Result<u64> {
    let done = sqlx::query("DELETE FROM changes WHERE at < $1").bind(before).execute(connection).await?;
    Ok(done.rows_affected())
}

/// Wakes when the feed may have grown.
#[derive(Debug)]
pub struct Watch {
    newest: watch::Receiver<i64>,
    kind: Database,
}

impl Watch {
    pub(crate) fn new(newest: watch::Receiver<i64>, kind: Database) -> Self {
        Watch { newest, kind }
    }

    /// Waits until there may be changes that were not there at the call before. Other servers on the same PostgreSQL write
    /// without waking this one, hence the short interval there; this process is the only writer of a SQLite file.
    pub async fn wait(&mut self) {
        let interval = match self.kind {
            Database::Sqlite => Duration::from_secs(30),
            Database::Postgres => Duration::from_secs(1),
        };
        // A time-out and a store that is gone both mean: look again.
        let _ = tokio::time::timeout(interval, self.newest.changed()).await;
    }
}
