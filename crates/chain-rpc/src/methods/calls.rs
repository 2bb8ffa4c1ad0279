//! Calls that change nothing: all on blocking threads, within limits of gas and time.

use std::sync::Arc;

use alloy_eips::BlockId;
use alloy_eips::eip2930::AccessListResult;
use alloy_primitives::{Bytes, U64};
use alloy_rpc_types_eth::{
    Block, BlockOverrides, TransactionRequest,
    simulate::{SimulatePayload, SimulatedBlock},
    state::StateOverride,
};
use chain_exec::{CallContext, CallError};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use crate::{
    api::{Api, Node},
    error,
};

#[rpc(server, namespace = "eth")]
pub(crate) trait Calls {
    #[method(name = "call")]
    async fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<Box<BlockOverrides>>,
    ) -> RpcResult<Bytes>;

    #[method(name = "estimateGas")]
    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<Box<BlockOverrides>>,
    ) -> RpcResult<U64>;

    #[method(name = "createAccessList")]
    async fn create_access_list(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
    ) -> RpcResult<AccessListResult>;

    #[method(name = "simulateV1")]
    async fn simulate(&self, payload: SimulatePayload, block: Option<BlockId>)
    -> RpcResult<Vec<SimulatedBlock<Block>>>;
}

/// Changes for one call.
#[derive(Default)]
struct Overrides {
    state: Option<StateOverride>,
    block: Option<Box<BlockOverrides>>,
}

impl Api {
    async fn ask<T: Send + 'static>(
        &self,
        block: Option<BlockId>,
        overrides: Overrides,
        question: impl FnOnce(&Node, &CallContext<'_>) -> Result<T, CallError> + Send + 'static,
    ) -> RpcResult<T> {
        let node: Arc<Node> = self.0.clone();
        let work = move || {
            let (sealed, state) = node.state(block)?;
            let context = CallContext {
                state_overrides: overrides.state.as_ref(),
                block_overrides: overrides.block.as_deref(),
                ..node.context(&sealed, &*state)
            };
            question(&node, &context).map_err(error::call)
        };
        self.heavy.run(work).await
    }
}

#[jsonrpsee::core::async_trait]
impl CallsServer for Api {
    async fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<Box<BlockOverrides>>,
    ) -> RpcResult<Bytes> {
        let overrides = Overrides { state: state_overrides, block: block_overrides };
        self.ask(block, overrides, |node, context| Ok(node.executor.call(context, request)?.output)).await
    }

    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<Box<BlockOverrides>>,
    ) -> RpcResult<U64> {
        let overrides = Overrides { state: state_overrides, block: block_overrides };
        self.ask(block, overrides, |node, context| node.executor.estimate_gas(context, request).map(U64::from)).await
    }

    async fn create_access_list(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
    ) -> RpcResult<AccessListResult> {
        let overrides = Overrides { state: state_overrides, block: None };
        self.ask(block, overrides, |node, context| node.executor.create_access_list(context, request)).await
    }

    async fn simulate(
        &self,
        payload: SimulatePayload,
        block: Option<BlockId>,
    ) -> RpcResult<Vec<SimulatedBlock<Block>>> {
        self.ask(block, Overrides::default(), |node, context| node.executor.simulate(context, payload)).await
    }
}
