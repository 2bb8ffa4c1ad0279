//! Transactions and read connections.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Any, Transaction};
use tokio::sync::watch;
use types::Id;

use crate::{Connection, Result, audit, changes};

/// A transaction. Undone when it is dropped before [`Tx::commit`].
///
/// What is told to the audit log and the change feed is written when the transaction commits, in that order: their counters
/// put concurrent transactions in order, and taking them last and always in the same order cannot deadlock.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Any>,
    audit: Vec<NewAudit>,
    changes: Vec<changes::NewChange>,
    newest: Arc<watch::Sender<i64>>,
}

/// What to write to the audit log.
#[derive(Clone, Debug)]
pub struct NewAudit {
    /// Who: `user NAME`, `access key NAME of USER`, or `server`.
    pub actor: String,
    /// What was done, such as `network.create`.
    pub action: &'static str,
    /// Kind and id of what it was done to, such as `network net_…`.
    pub subject: String,
    /// Id of the organisation that it concerns, if one.
    pub organisation: Option<Id>,
    /// Details, without secrets.
    pub details: serde_json::Value,
}

impl Tx {
    pub(crate) fn new(inner: Transaction<'static, Any>, newest: Arc<watch::Sender<i64>>) -> Self {
        Tx { inner, audit: Vec::new(), changes: Vec::new(), newest }
    }

    /// Tells the audit log, when this transaction commits.
    pub fn audit(&mut self, entry: NewAudit) {
        self.audit.push(entry);
    }

    /// Tells the audit log of something that concerns several organisations: one entry for each, because each reads its own.
    pub fn audit_each(&mut self, organisations: &[Id], entry: NewAudit) {
        for organisation in organisations {
            self.audit(NewAudit { organisation: Some(organisation.clone()), ..entry.clone() });
        }
    }

    /// Tells the change feed, when this transaction commits. `kind` is a resource in the singular (`network`, `node`, …).
    pub fn change(&mut self, kind: &'static str, id: &str, network: Option<&str>) {
        let change = changes::NewChange { kind, id: id.to_owned(), network: network.map(str::to_owned) };
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// Makes the changes durable, then wakes those who follow the change feed.
    pub async fn commit(mut self) -> Result<()> {
        for entry in std::mem::take(&mut self.audit) {
            audit::append(&mut self.inner, entry).await?;
        }
        let mut newest = None;
        for change in std::mem::take(&mut self.changes) {
            newest = Some(changes::append(&mut self.inner, change).await?);
        }
        self.inner.commit().await?;
        if let Some(sequence) = newest {
            self.newest.send_modify(|known| *known = sequence.max(*known));
        }
        Ok(())
    }

    /// Undoes everything. Dropping does the same, a little later.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }
}

impl Deref for Tx {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.inner
    }
}

/// A connection for reading only.
#[derive(Debug)]
pub struct Read(PoolConnection<Any>);

impl Read {
    pub(crate) fn new(inner: PoolConnection<Any>) -> Self {
        Read(inner)
    }
}

impl Deref for Read {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Read {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}
