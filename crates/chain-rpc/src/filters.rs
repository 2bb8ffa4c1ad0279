//! Filters that clients poll: `eth_newFilter` and its siblings.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, U128};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};
use chain_types::Recovered;
use jsonrpsee::core::RpcResult;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::broadcast;

use crate::{RpcLimits, api::Node, error, log_query::Wanted};

/// What a filter watches, and how far its client has seen it.
enum Watched {
    Logs { filter: Box<Filter>, next: u64 },
    Blocks { next: u64 },
    Pending { news: broadcast::Receiver<Arc<Recovered>> },
}

struct Entry {
    watched: Watched,
    used: Instant,
}

/// The filters of all clients; one that nobody asks for is forgotten.
pub(crate) struct Filters {
    entries: Mutex<HashMap<U128, Entry>>,
    most: usize,
    expiry: Duration,
}

/// Answer of `eth_getFilterChanges`.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Changes {
    /// Blocks or waiting transactions.
    Hashes(Vec<B256>),
    /// Logs.
    Logs(Vec<Log>),
}

impl Filters {
    pub(crate) fn new(limits: &RpcLimits) -> Self {
        Self { entries: Mutex::default(), most: limits.filters, expiry: limits.filter_expiry }
    }

    fn add(&self, watched: Watched) -> RpcResult<U128> {
        let mut entries = self.entries.lock();
        entries.retain(|_, entry| entry.used.elapsed() < self.expiry);
        if entries.len() >= self.most {
            return Err(error::limit(format!("there are {} filters already; try again later", self.most)));
        }
        let id = U128::from(rand::random::<u128>());
        entries.insert(id, Entry { watched, used: Instant::now() });
        Ok(id)
    }

    pub(crate) fn remove(&self, id: &U128) -> bool {
        self.entries.lock().remove(id).is_some_and(|entry| entry.used.elapsed() < self.expiry)
    }
}

/// What is to be read outside the lock.
enum Step {
    Logs(Box<Filter>, u64),
    Blocks(u64),
    Hashes(Vec<B256>),
}

impl Node {
    pub(crate) fn new_log_filter(&self, filter: Filter) -> RpcResult<U128> {
        if matches!(filter.block_option, FilterBlockOption::AtBlockHash(_)) {
            return Err(error::invalid_params("a filter on one block has no changes: use eth_getLogs"));
        }
        let next = self.chain.head().block.number() + 1;
        self.filters.add(Watched::Logs { filter: Box::new(filter), next })
    }

    pub(crate) fn new_block_filter(&self) -> RpcResult<U128> {
        self.filters.add(Watched::Blocks { next: self.chain.head().block.number() + 1 })
    }

    pub(crate) fn new_pending_filter(&self) -> RpcResult<U128> {
        self.filters.add(Watched::Pending { news: self.pool.subscribe_pending() })
    }

    /// What happened since the last time. May search logs: for blocking threads. What a client was not told, because
    /// an answer has limits or something failed, it is told the next time.
    pub(crate) fn filter_changes(&self, id: &U128) -> RpcResult<Changes> {
        let head = self.chain.head().block.number();
        let step = {
            let mut entries = self.filters.entries.lock();
            let entry = live(&mut entries, id, self.filters.expiry)?;
            match &mut entry.watched {
                Watched::Logs { filter, next } => Step::Logs(filter.clone(), *next),
                Watched::Blocks { next } => Step::Blocks(*next),
                Watched::Pending { news } => Step::Hashes(drain(news)),
            }
        };
        let (changes, seen) = match step {
            Step::Logs(filter, from) => {
                let (first, last) = self.filter_range(&filter);
                let from = from.max(first);
                let (logs, to) = self.logs_that_fit(&Wanted::new(&filter), from, head.min(last))?;
                (Changes::Logs(logs), if to == last { head } else { to })
            }
            Step::Blocks(from) => {
                let hashes = (from..=head)
                    .filter_map(|number| self.chain.hash_by_number(number).map_err(error::store).transpose())
                    .collect::<RpcResult<_>>()?;
                (Changes::Hashes(hashes), head)
            }
            Step::Hashes(hashes) => return Ok(Changes::Hashes(hashes)),
        };
        if let Some(entry) = self.filters.entries.lock().get_mut(id) {
            match &mut entry.watched {
                Watched::Logs { next, .. } | Watched::Blocks { next } => *next = (*next).max(seen + 1),
                Watched::Pending { .. } => {}
            }
        }
        Ok(changes)
    }

    /// The logs from block `from` on as far as one answer takes them, up to `to`; and the last block that was searched.
    fn logs_that_fit(&self, wanted: &Wanted, from: u64, to: u64) -> RpcResult<(Vec<Log>, u64)> {
        let mut to = to.min(from.saturating_add(self.config.limits.log_blocks - 1));
        loop {
            match self.logs_between(wanted, from, to) {
                Err(refused) if error::is_limit(&refused) && to > from => to = from + (to - from) / 2,
                found => return found.map(|logs| (logs, to)),
            }
        }
    }

    /// Everything that a log filter matches. For blocking threads.
    pub(crate) fn filter_logs(&self, id: &U128) -> RpcResult<Vec<Log>> {
        let filter = {
            let mut entries = self.filters.entries.lock();
            match &live(&mut entries, id, self.filters.expiry)?.watched {
                Watched::Logs { filter, .. } => filter.clone(),
                _ => return Err(error::server("filter not found")),
            }
        };
        self.logs(&filter)
    }

    /// The blocks that a log filter may report: all new ones unless it names numbers.
    fn filter_range(&self, filter: &Filter) -> (u64, u64) {
        match filter.block_option {
            FilterBlockOption::Range { from_block, to_block } => (
                from_block.and_then(|tag| tag.as_number()).unwrap_or(0),
                to_block.and_then(|tag| tag.as_number()).unwrap_or(u64::MAX),
            ),
            FilterBlockOption::AtBlockHash(_) => (0, u64::MAX),
        }
    }
}

fn live<'a>(entries: &'a mut HashMap<U128, Entry>, id: &U128, expiry: Duration) -> RpcResult<&'a mut Entry> {
    let entry = entries.get_mut(id).filter(|entry| entry.used.elapsed() < expiry);
    let entry = entry.ok_or_else(|| error::server("filter not found"))?;
    entry.used = Instant::now();
    Ok(entry)
}

fn drain(news: &mut broadcast::Receiver<Arc<Recovered>>) -> Vec<B256> {
    let mut hashes = Vec::new();
    loop {
        match news.try_recv() {
            Ok(transaction) => hashes.push(transaction.hash()),
            // The oldest are lost to a client that did not ask for long.
            Err(broadcast::error::TryRecvError::Lagged(_)) => {}
            Err(_) => return hashes,
        }
    }
}
