//! What the network side keeps in memory. All of it can be lost: the truth is in the database, on the hosts and on the ledgers.

use std::collections::HashMap;
use std::sync::Arc;

use driver::Ledger;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use types::{Id, Micros, NodeLimits, Usage};

use crate::tasks::Tasks;

/// See the module.
#[derive(Default)]
pub(crate) struct Runtime {
    pub tasks: Tasks,
    /// Wakes the task that drives operations.
    pub operations_due: Arc<Notify>,
    /// Wakes the task that looks after nodes.
    pub nodes_due: Arc<Notify>,
    /// Wakes the task that watches attached networks.
    pub attached_due: Arc<Notify>,
    /// Operations that this server drives now, and how to stop that.
    pub driving: Mutex<HashMap<Id, CancellationToken>>,
    /// Newest usage sample by node.
    pub usage: Mutex<HashMap<Id, Usage>>,
    /// Limits of the nodes that run with some.
    pub limits: Mutex<HashMap<Id, NodeLimits>>,
    /// Nodes that could not be started: how often in a row, why, and when to try again.
    pub failed_starts: Mutex<HashMap<Id, FailedStart>>,
    /// By network, then by channel.
    ledgers: Mutex<HashMap<Id, Vec<OpenLedger>>>,
    turns: Mutex<HashMap<Id, Arc<Semaphore>>>,
}

/// A channel's name, none for a network without channels, and its ledger.
type OpenLedger = (Option<String>, Arc<dyn Ledger>);

/// A node that could not be started.
#[derive(Clone, Debug)]
pub(crate) struct FailedStart {
    pub times: u32,
    pub reason: String,
    pub again_at: Micros,
}

impl Runtime {
    /// The ledger of a network's channel, if it is open.
    pub fn ledger(&self, network: &str, channel: Option<&str>) -> Option<Arc<dyn Ledger>> {
        let ledgers = self.ledgers.lock();
        let open = ledgers.get(network)?;
        open.iter().find(|(name, _)| name.as_deref() == channel).map(|(_, ledger)| ledger.clone())
    }

    /// Keeps a ledger open; gives the one that is open already, if another was faster.
    pub fn keep_ledger(&self, network: &str, channel: Option<String>, opened: Arc<dyn Ledger>) -> Arc<dyn Ledger> {
        let mut ledgers = self.ledgers.lock();
        let open = ledgers.entry(network.into()).or_default();
        match open.iter().find(|(name, _)| *name == channel) {
            Some((_, ledger)) => ledger.clone(),
            None => {
                open.push((channel, opened.clone()));
                opened
            }
        }
    }

    /// Closes a network's ledgers: they are opened anew with what is recorded by then.
    pub fn reopen_ledgers(&self, network: &str) {
        self.ledgers.lock().remove(network);
    }

    /// Forgets what belongs to a network that is gone.
    pub fn forget(&self, network: &str, nodes: &[Id]) {
        self.reopen_ledgers(network);
        for node in nodes {
            self.usage.lock().remove(node);
            self.limits.lock().remove(node);
            self.failed_starts.lock().remove(node);
        }
    }

    /// Whose turn it is to use an account: one permit each, so that its counter is used by one transaction at a time.
    pub fn turns(&self, account: &str) -> Arc<Semaphore> {
        self.turns.lock().entry(account.into()).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
    }
}

/// Connects ledgers to nodes through a host.
pub(crate) fn connector(host: Arc<dyn host::Host>) -> driver::Connector {
    Arc::new(move |node: String, port: String| {
        let host = host.clone();
        Box::pin(async move {
            let stream = host.connect(&node, &port).await.map_err(std::io::Error::other)?;
            Ok(Box::new(stream) as Box<dyn driver::Connection>)
        })
    })
}
