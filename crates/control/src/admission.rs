//! What the JSON-RPC ingress may let through: applications' credentials and networks' nodes, kept in memory so that a call
//! costs no query. All of it can be lost; what changes is forgotten, here at once and on other servers by the change feed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use keys::hash_token;
use parking_lot::Mutex;
use store::{applications, changes, networks, nodes};
use tokio_util::sync::CancellationToken;
use types::{Application, Change, Code, Id, NodeStatus, now};

use crate::applications::APPLICATION;
use crate::{Control, Error, Result};

const BATCH: u32 = 500;
const AGAIN: Duration = Duration::from_secs(1);

/// An application whose key was shown and fits.
#[derive(Debug)]
pub struct Admission {
    /// The application, as it was when it was last looked up.
    pub application: Application,
    /// Cancelled when its key ends: connections end with it.
    pub ended: CancellationToken,
    secret_hash: String,
    usage: Arc<Usage>,
}

impl Admission {
    /// Id of the network that a path names by names or ids, if the application may reach it.
    pub fn network(&self, consortium: &str, network: &str) -> Option<&Id> {
        let by_name = |name: &str| name.split_once('/') == Some((consortium, network));
        self.application.networks.iter().find(|one| by_name(&one.name)).map(|one| &one.id)
    }

    /// Counts calls.
    pub fn count(&self, calls: usize) {
        self.usage.calls.fetch_add(i64::try_from(calls).unwrap_or(i64::MAX), Ordering::Relaxed);
        self.usage.used_at.store(now(), Ordering::Relaxed);
    }
}

/// A node that answers JSON-RPC.
#[derive(Clone, Debug)]
pub struct RpcNode {
    /// The node's id.
    pub id: Id,
    /// The organisation that it belongs to.
    pub organisation: Id,
    /// Whether it ran when it was last observed.
    pub runs: bool,
    /// Name of its port for WebSocket.
    pub ws_port: &'static str,
}

#[derive(Debug, Default)]
struct Usage {
    calls: AtomicI64,
    used_at: AtomicI64,
}

/// What is known.
#[derive(Default)]
pub(crate) struct Admissions {
    known: Mutex<Known>,
    /// Calls that are not in the database yet.
    usage: Mutex<HashMap<Id, Arc<Usage>>>,
}

#[derive(Default)]
struct Known {
    /// Grows with each thing that is forgotten: what was read before is not kept.
    age: u64,
    admissions: HashMap<Id, Arc<Admission>>,
    nodes: HashMap<Id, Arc<[RpcNode]>>,
}

impl Admissions {
    /// Ends an application's admission; one that is still there is looked up again.
    pub fn forget(&self, application: &str) {
        let mut known = self.known.lock();
        known.age += 1;
        if let Some(admission) = known.admissions.remove(application) {
            admission.ended.cancel();
        }
    }

    /// An application with the calls that are not in the database yet.
    pub fn with_newest_use(&self, mut application: Application) -> Application {
        if let Some(usage) = self.usage.lock().get(&application.id) {
            application.calls += usage.calls.load(Ordering::Relaxed);
            let used_at = usage.used_at.load(Ordering::Relaxed);
            application.last_used_at = application.last_used_at.max((used_at > 0).then_some(used_at));
        }
        application
    }

    fn forget_all(&self) {
        let mut known = self.known.lock();
        known.age += 1;
        known.nodes.clear();
        for (_, admission) in known.admissions.drain() {
            admission.ended.cancel();
        }
    }

    fn heed(&self, change: &Change) {
        match change.kind.as_str() {
            "application" => self.forget(&change.id),
            // Rare, and they take networks away.
            "consortium" | "organisation" => self.forget_all(),
            "network" | "node" => {
                let mut known = self.known.lock();
                known.age += 1;
                if let Some(network) = &change.network {
                    known.nodes.remove(network);
                }
            }
            _ => {}
        }
    }
}

impl Control {
    /// Finds the application of a key (`polder_APPID_SECRET`); of this name, when one was given with it.
    ///
    /// Errors: `rpc.credential`.
    pub async fn admit(&self, name: Option<&str>, key: &str) -> Result<Arc<Admission>> {
        let wrong = || {
            Error::new(
                Code::RpcCredential,
                "The application's key is not one, was revoked or replaced, or is another application's.",
            )
        };
        let (id, secret) = key.strip_prefix("polder_").and_then(|rest| rest.rsplit_once('_')).ok_or_else(wrong)?;
        if !id.starts_with("app_") {
            return Err(wrong());
        }
        let known = self.admissions().known.lock().admissions.get(id).cloned();
        let admission = match known {
            Some(admission) => admission,
            None => self.look_up(id).await?.ok_or_else(wrong)?,
        };
        // Hashes of 256 random bits: comparing them tells nothing about the secret.
        let fits = hash_token(APPLICATION, secret) == admission.secret_hash;
        if !fits || name.is_some_and(|name| name != admission.application.name) {
            return Err(wrong());
        }
        Ok(admission)
    }

    /// The nodes of a network that answer JSON-RPC, in the network's order.
    ///
    /// Errors: `not_found` when the network is gone, `request.invalid` where the engine has no JSON-RPC.
    pub async fn rpc_nodes(&self, network: &str) -> Result<Arc<[RpcNode]>> {
        let age = {
            let known = self.admissions().known.lock();
            if let Some(nodes) = known.nodes.get(network) {
                return Ok(nodes.clone());
            }
            known.age
        };
        let mut read = self.store().read().await?;
        let found = networks::get(&mut read, network).await?.ok_or_else(|| Error::not_found("network", network))?;
        if !self.speaks_json_rpc(&found.engine) {
            return Err(Error::new(Code::RequestInvalid, "The network's nodes do not speak Ethereum's JSON-RPC."));
        }
        let placements = networks::placements(&mut read, network).await?;
        let rows = nodes::of_network(&mut read, network).await?;
        drop(read);
        let node = |row: nodes::Node| {
            let ports = placements.get(&row.id).filter(|ports| ports.contains_key(driver::RPC_PORT))?;
            let ws_port = if ports.contains_key(driver::WS_PORT) { driver::WS_PORT } else { driver::RPC_PORT };
            Some(RpcNode {
                runs: row.status == NodeStatus::Running,
                id: row.id,
                organisation: row.organisation,
                ws_port,
            })
        };
        let nodes: Arc<[RpcNode]> = rows.into_iter().filter_map(node).collect();
        let mut known = self.admissions().known.lock();
        if known.age == age {
            known.nodes.insert(network.into(), nodes.clone());
        }
        Ok(nodes)
    }

    async fn look_up(&self, id: &str) -> Result<Option<Arc<Admission>>> {
        loop {
            let age = self.admissions().known.lock().age;
            let mut read = self.store().read().await?;
            let Some(application) = applications::get(&mut read, id).await? else { return Ok(None) };
            let Some(secret_hash) = applications::secret_hash(&mut read, id).await? else { return Ok(None) };
            drop(read);
            let usage = self.admissions().usage.lock().entry(id.into()).or_default().clone();
            let mut known = self.admissions().known.lock();
            // Something was forgotten meanwhile: it may have been this, and then nothing would end the admission.
            if known.age == age {
                let new = || Arc::new(Admission { application, ended: CancellationToken::new(), secret_hash, usage });
                return Ok(Some(known.admissions.entry(id.into()).or_insert_with(new).clone()));
            }
        }
    }

    /// Writes down how often applications called since the last time.
    pub(crate) async fn record_usage(&self) -> Result<()> {
        let all: Vec<(Id, Arc<Usage>)> =
            self.admissions().usage.lock().iter().map(|(id, usage)| (id.clone(), usage.clone())).collect();
        let due: Vec<_> = all.into_iter().filter(|(_, usage)| usage.calls.load(Ordering::Relaxed) > 0).collect();
        if due.is_empty() {
            return Ok(());
        }
        let mut tx = self.store().begin().await?;
        let mut written = Vec::new();
        for (id, usage) in due {
            let calls = usage.calls.load(Ordering::Relaxed);
            applications::count(&mut tx, &id, calls, usage.used_at.load(Ordering::Relaxed)).await?;
            written.push((usage, calls));
        }
        tx.commit().await?;
        for (usage, calls) in written {
            usage.calls.fetch_sub(calls, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Follows the change feed for as long as the server runs.
    pub(crate) async fn follow_admissions(&self) {
        loop {
            if let Err(error) = self.heed_changes().await {
                tracing::error!(error = error.chain(), "following changes of applications failed; it is tried again");
            }
            // What was missed is not known: everything is looked up again.
            self.admissions().forget_all();
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn heed_changes(&self) -> Result<()> {
        let mut watch = self.store().watch_changes();
        let mut after = changes::newest(&mut *self.store().read().await?).await?;
        self.admissions().forget_all();
        loop {
            let found = changes::after(&mut *self.store().read().await?, after, BATCH).await?;
            if found.is_empty() {
                watch.wait().await;
            }
            for change in &found {
                after = change.sequence;
                self.admissions().heed(change);
            }
        }
    }
}
