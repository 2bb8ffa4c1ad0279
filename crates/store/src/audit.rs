//! The audit log: append-only, each entry chained to the one before.
//!
//! Hash of an entry: SHA-256 over the 32 bytes of the hash before (zeros for the first), then of each field its length in
//! bytes as eight bytes, big-endian, and the field: sequence and time in decimal, actor, action, subject, organisation (empty
//! when there is none), details as compact JSON with its members in the order stored. The API answers the same fields, so that
//! whoever keeps a hash can later check that nothing up to it was rewritten.

use sha2::{Digest, Sha256};
use types::{AuditCheck, AuditEntry, Id, now};

use crate::{Connection, Error, NewAudit, Result};

const CHECK_BATCH: i64 = 1000;

type Row = (i64, i64, String, String, String, Option<String>, String, String);

pub(crate) async fn append(connection: &mut Connection, new: NewAudit) -> Result<()> {
    let (sequence,): (i64,) =
        sqlx::query_as("UPDATE counters SET value = value + 1 WHERE name = 'audit' RETURNING value")
            .fetch_one(&mut *connection)
            .await?;
    let before = hash_of(connection, sequence - 1).await?;
    let mut entry = AuditEntry {
        sequence,
        at: now(),
        actor: new.actor,
        action: new.action.into(),
        subject: new.subject,
        organisation: new.organisation,
        details: new.details,
        hash: String::new(),
    };
    entry.hash = chain(&before, &entry);
    sqlx::query(
        "INSERT INTO audit (sequence, at, actor, action, subject, organisation, details, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(entry.sequence)
    .bind(entry.at)
    .bind(entry.actor)
    .bind(entry.action)
    .bind(entry.subject)
    .bind(entry.organisation)
    .bind(entry.details.to_string())
    .bind(entry.hash)
    .execute(connection)
    .await?;
    Ok(())
}

async fn hash_of(connection: &mut Connection, sequence: i64) -> Result<String> {
    if sequence == 0 {
        return Ok(first());
    }
    let (hash,): (String,) =
        sqlx::query_as("SELECT hash FROM audit WHERE sequence = $1").bind(sequence).fetch_one(connection).await?;
    Ok(hash)
}

fn first() -> String {
    hex::encode([0u8; 32])
}

/// Hash of an entry that follows an entry with hash `before` (both hex).
pub fn chain(before: &str, entry: &AuditEntry) -> String {
    let mut digest = Sha256::new();
    digest.update(hex::decode(before).unwrap_or_default());
    for field in [
        entry.sequence.to_string().as_str(),
        entry.at.to_string().as_str(),
        &entry.actor,
        &entry.action,
        &entry.subject,
        entry.organisation.as_deref().unwrap_or(""),
        &entry.details.to_string(),
    ] {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field.as_bytes());
    }
    hex::encode(digest.finalize())
}

/// Entries, newest first, below sequence `before`; of all or of the organisations given.
pub async fn list(
    connection: &mut Connection,
    organisations: Option<&[Id]>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<AuditEntry>> {
    let before = before.unwrap_or(i64::MAX);
    let rows: Vec<Row> = match organisations {
        None => {
            sqlx::query_as(
                "SELECT sequence, at, actor, action, subject, organisation, details, hash FROM audit
                 WHERE sequence < $1 ORDER BY sequence DESC LIMIT $2",
            )
            .bind(before)
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?
        }
        Some(organisations) => {
            // One query per organisation: the list is short, and arrays have no common spelling.
            let mut rows: Vec<Row> = Vec::new();
            for organisation in organisations {
                let some: Vec<Row> = sqlx::query_as(
                    "SELECT sequence, at, actor, action, subject, organisation, details, hash FROM audit
                     WHERE organisation = $3 AND sequence < $1 ORDER BY sequence DESC LIMIT $2",
                )
                .bind(before)
                .bind(i64::from(limit))
                .bind(organisation)
                .fetch_all(&mut *connection)
                .await?;
                rows.extend(some);
            }
            rows.sort_by_key(|row| std::cmp::Reverse(row.0));
            rows.truncate(limit as usize);
            rows
        }
    };
    rows.into_iter().map(entry).collect()
}

fn entry((sequence, at, actor, action, subject, organisation, details, hash): Row) -> Result<AuditEntry> {
    let details = serde_json::from_str(&details).map_err(|error| Error::stored("audit entry", error))?;
    Ok(AuditEntry { sequence, at, actor, action, subject, organisation, details, hash })
}

/// Follows the chain from the first entry to the newest.
pub async fn check(connection: &mut Connection) -> Result<AuditCheck> {
    let (expected,): (i64,) =
        sqlx::query_as("SELECT value FROM counters WHERE name = 'audit'").fetch_one(&mut *connection).await?;
    let mut head = first();
    let mut entries = 0;
    let broken =
        |entries, head: &str, at| AuditCheck { entries, intact: false, head: head.to_owned(), broken_at: Some(at) };
    while entries < expected {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT sequence, at, actor, action, subject, organisation, details, hash FROM audit
             WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence LIMIT $3",
        )
        .bind(entries)
        .bind(expected)
        .bind(CHECK_BATCH)
        .fetch_all(&mut *connection)
        .await?;
        if rows.is_empty() {
            return Ok(broken(entries, &head, entries + 1));
        }
        for row in rows {
            let sequence = row.0;
            // An entry that cannot even be read does not fit either.
            let fits = match entry(row) {
                Ok(entry) if sequence == entries + 1 && chain(&head, &entry) == entry.hash => Some(entry.hash),
                _ => None,
            };
            match fits {
                Some(hash) => head = hash,
                None => return Ok(broken(entries, &head, entries + 1)),
            }
            entries += 1;
        }
    }
    Ok(AuditCheck { entries, intact: true, head, broken_at: None })
}
