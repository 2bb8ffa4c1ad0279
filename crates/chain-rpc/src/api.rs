//! What all methods share: the node's parts, and how block parameters are resolved.

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag, RpcBlockHash};
use chain_exec::{CallContext, CallLimits, Executor, StateReader};
use chain_pool::Pool;
use chain_store::{Chain, Sealed};
use jsonrpsee::core::RpcResult;

use crate::{RpcConfig, StatusSource, error, filters::Filters, heavy::Heavy, inclusion::Inclusion};

/// The node's parts, as the methods use them.
pub(crate) struct Node {
    pub(crate) config: RpcConfig,
    pub(crate) chain: Chain,
    pub(crate) executor: Executor,
    pub(crate) pool: Pool,
    pub(crate) status: Arc<dyn StatusSource>,
    pub(crate) heavy: Heavy,
    pub(crate) filters: Filters,
    pub(crate) inclusion: Inclusion,
}

/// A handle to the node for one group of methods.
#[derive(Clone)]
pub(crate) struct Api(pub(crate) Arc<Node>);

impl std::ops::Deref for Api {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.0
    }
}

impl Node {
    /// The block of a parameter, `None` when there is none. There are no reorganisations: `latest`,
    /// `safe` and `finalized` are the same, and `pending` is `latest` too.
    pub(crate) fn block(&self, id: BlockId) -> RpcResult<Option<Arc<Sealed>>> {
        let found = match id {
            BlockId::Hash(RpcBlockHash { block_hash, .. }) => self.chain.sealed_by_hash(&block_hash),
            BlockId::Number(BlockNumberOrTag::Number(number)) => self.chain.sealed_by_number(number),
            BlockId::Number(BlockNumberOrTag::Earliest) => self.chain.sealed_by_number(0),
            BlockId::Number(_) => return Ok(Some(self.chain.head())),
        };
        found.map_err(error::store)
    }

    /// The number of a parameter's tag.
    pub(crate) fn number(&self, tag: BlockNumberOrTag) -> u64 {
        match tag {
            BlockNumberOrTag::Number(number) => number,
            BlockNumberOrTag::Earliest => 0,
            _ => self.chain.head().block.number(),
        }
    }

    /// The block of a parameter and the state after it.
    pub(crate) fn state(&self, id: Option<BlockId>) -> RpcResult<(Arc<Sealed>, Arc<dyn StateReader>)> {
        match id.unwrap_or_default() {
            BlockId::Number(tag) if !matches!(tag, BlockNumberOrTag::Number(_) | BlockNumberOrTag::Earliest) => {
                Ok(self.chain.head_state())
            }
            id => {
                let sealed = self.block(id)?.ok_or_else(error::header_not_found)?;
                let state = self.chain.state_at(sealed.block.number()).map_err(error::store)?;
                Ok((sealed, state))
            }
        }
    }

    /// Limits of a call.
    pub(crate) fn call_limits(&self) -> CallLimits {
        CallLimits { gas: self.config.limits.call_gas, time: self.config.limits.call_time }
    }

    /// A call's surroundings without overrides.
    pub(crate) fn context<'a>(&self, sealed: &'a Sealed, state: &'a dyn StateReader) -> CallContext<'a> {
        CallContext {
            header: sealed.block.header(),
            state,
            state_overrides: None,
            block_overrides: None,
            limits: self.call_limits(),
        }
    }
}
