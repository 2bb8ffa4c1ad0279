//! Counted blocks of networks, and background tasks that a person stopped or started.

use sqlx::AnyConnection;
use types::Micros;

use crate::Result;

/// What was counted in one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Counted {
    /// Start of the interval.
    pub at: Micros,
    /// Blocks in it.
    pub blocks: i64,
    /// Transactions in it.
    pub transactions: i64,
    /// Sum of the times between each block and the one before it, in microseconds.
    pub interval_sum_us: i64,
    /// How many such times.
    pub intervals: i64,
}

/// Adds to what was counted and moves the mark up to which blocks are counted.
pub async fn add(conn: &mut AnyConnection, network: &str, counted: &[Counted], mark: u64) -> Result<()> {
    for interval in counted {
        sqlx::query(
            "INSERT INTO statistics (network, at, blocks, transactions, interval_sum_us, intervals) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (network, at) DO UPDATE SET blocks = statistics.blocks + excluded.blocks, \
             transactions = statistics.transactions + excluded.transactions, \
             interval_sum_us = statistics.interval_sum_us + excluded.interval_sum_us, intervals = statistics.intervals + excluded.intervals",
        )
        .bind(network)
        .bind(interval.at)
        .bind(interval.blocks)
        .bind(interval.transactions)
        .bind(interval.interval_sum_us)
        .bind(interval.intervals)
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query("UPDATE networks SET counted = $2 WHERE id = $1")
        .bind(network)
        .bind(mark.cast_signed())
        .execute(conn)
        .await?;
    Ok(())
}

/// What was counted since a time, oldest first.
pub async fn since(conn: &mut AnyConnection, network: &str, since: Micros) -> Result<Vec<Counted>> {
    Ok(sqlx::query_as(
        "SELECT at, blocks, transactions, interval_sum_us, intervals FROM statistics WHERE network = $1 AND at >= $2 ORDER BY at",
    )
    .bind(network)
    .bind(since)
    .fetch_all(conn)
    .await?)
}

/// Removes what was counted before a time.
pub async fn prune(conn: &mut AnyConnection, before: Micros) -> Result<()> {
    sqlx::query("DELETE FROM statistics WHERE at < $1").bind(before).execute(conn).await?;
    Ok(())
}

/// Whether a task should run, as a person last decided; none when nobody did.
pub async fn task_wanted(conn: &mut AnyConnection, name: &str) -> Result<Option<bool>> {
    let wanted: Option<i64> =
        sqlx::query_scalar("SELECT wanted FROM tasks WHERE name = $1").bind(name).fetch_optional(conn).await?;
    Ok(wanted.map(|wanted| wanted != 0))
}

/// Notes whether a task should run.
pub async fn set_task_wanted(conn: &mut AnyConnection, name: &str, wanted: bool) -> Result<()> {
    sqlx::query(
        "INSERT INTO tasks (name, wanted) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET wanted = excluded.wanted",
    )
    .bind(name)
    .bind(i64::from(wanted))
    .execute(conn)
    .await?;
    Ok(())
}
