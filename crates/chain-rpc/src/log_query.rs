//! Log queries: from a filter's JSON to ranges that the index is asked for.

use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};
use jsonrpsee::core::RpcResult;

use crate::{api::Node, error, heavy::Deadline, shapes};

/// Blocks that are searched between two looks at the clock: of full ones, a fraction of a second.
const STEP: u64 = 64;

/// What a log must have.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    addresses: Vec<Address>,
    topics: [Vec<B256>; 4],
}

impl Wanted {
    pub(crate) fn new(filter: &Filter) -> Self {
        let topics = std::array::from_fn(|place| {
            filter.topics.get(place).map(|set| set.iter().copied().collect()).unwrap_or_default()
        });
        Self { addresses: filter.address.iter().copied().collect(), topics }
    }

    pub(crate) fn matches(&self, log: &Log) -> bool {
        (self.addresses.is_empty() || self.addresses.contains(&log.address()))
            && self.topics.iter().enumerate().all(|(place, wanted)| {
                wanted.is_empty() || log.topics().get(place).is_some_and(|topic| wanted.contains(topic))
            })
    }
}

impl Node {
    /// The logs that a filter asks for. Costs time: for blocking threads.
    pub(crate) fn logs(&self, filter: &Filter) -> RpcResult<Vec<Log>> {
        let head = self.chain.head().block.number();
        let (from, to) = match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let sealed = self.chain.sealed_by_hash(&hash).map_err(error::store)?;
                let number = sealed.ok_or_else(|| error::server("unknown block"))?.block.number();
                (number, number)
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let from = from_block.map_or(head, |tag| self.number(tag));
                let to = to_block.map_or(head, |tag| self.number(tag));
                if from > to {
                    return Err(error::invalid_params("invalid block range params: fromBlock is after toBlock"));
                }
                (from, to)
            }
        };
        self.logs_between(&Wanted::new(filter), from, to)
    }

    /// The logs of the blocks from `from` to `to`, both included, as far as they exist.
    pub(crate) fn logs_between(&self, wanted: &Wanted, from: u64, to: u64) -> RpcResult<Vec<Log>> {
        let limits = &self.config.limits;
        let to = to.min(self.chain.head().block.number());
        if from > to {
            return Ok(Vec::new());
        }
        if to - from >= limits.log_blocks {
            let message = format!("query exceeds max block range {}: {from} to {to}", limits.log_blocks);
            return Err(error::limit(message));
        }
        let deadline = Deadline::after(limits.call_time);
        let mut found = Vec::new();
        let mut start = from;
        while start <= to {
            deadline.check()?;
            let end = to.min(start + STEP - 1);
            let left = limits.logs - found.len();
            let step = self.chain.logs(start, end, &wanted.addresses, &wanted.topics, left);
            let step = step.map_err(|failed| match failed {
                chain_store::StoreError::TooManyLogs { .. } => {
                    error::limit(format!("query returned more than {} results", limits.logs))
                }
                other => error::store(other),
            })?;
            found.extend(step.into_iter().map(shapes::log));
            start = end + 1;
        }
        Ok(found)
    }
}
