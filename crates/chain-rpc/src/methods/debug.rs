//! Traces and raw bytes.

use alloy_eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718};
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::geth::{GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceResult};
use chain_exec::CallContext;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use crate::{
    api::{Api, Node},
    error,
};

#[rpc(server, namespace = "debug")]
pub(crate) trait Debug {
    #[method(name = "traceTransaction")]
    async fn trace_transaction(&self, hash: B256, options: Option<GethDebugTracingOptions>) -> RpcResult<GethTrace>;

    #[method(name = "traceCall")]
    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> RpcResult<GethTrace>;

    #[method(name = "traceBlockByNumber")]
    async fn trace_block_by_number(
        &self,
        number: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>>;

    #[method(name = "traceBlockByHash")]
    async fn trace_block_by_hash(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>>;

    #[method(name = "getRawHeader")]
    fn raw_header(&self, block: BlockId) -> RpcResult<Bytes>;

    #[method(name = "getRawBlock")]
    fn raw_block(&self, block: BlockId) -> RpcResult<Bytes>;

    #[method(name = "getRawTransaction")]
    fn raw_transaction(&self, hash: B256) -> RpcResult<Bytes>;

    #[method(name = "getRawReceipts")]
    fn raw_receipts(&self, block: BlockId) -> RpcResult<Vec<Bytes>>;
}

/// The names on the wire.
pub(crate) const NAMES: [&str; 8] = [
    "debug_traceTransaction",
    "debug_traceCall",
    "debug_traceBlockByNumber",
    "debug_traceBlockByHash",
    "debug_getRawHeader",
    "debug_getRawBlock",
    "debug_getRawTransaction",
    "debug_getRawReceipts",
];

impl Node {
    fn trace_one(&self, hash: &B256, options: GethDebugTracingOptions) -> RpcResult<GethTrace> {
        let place = self.chain.transaction(hash).map_err(error::store)?;
        let (sealed, index) = place.ok_or_else(|| error::server("transaction not found"))?;
        // Block 0 has no transactions.
        let before = self.chain.state_at(sealed.block.number().saturating_sub(1)).map_err(error::store)?;
        let time = self.config.limits.call_time;
        self.executor
            .trace_transaction(&sealed.block, &sealed.senders, index, &*before, options, time)
            .map_err(error::call)
    }

    fn trace_all(&self, block: BlockId, options: GethDebugTracingOptions) -> RpcResult<Vec<TraceResult>> {
        let sealed = self.block(block)?.ok_or_else(error::header_not_found)?;
        let Some(parent) = sealed.block.number().checked_sub(1) else {
            return Err(error::server("genesis is not traceable"));
        };
        let before = self.chain.state_at(parent).map_err(error::store)?;
        let time = self.config.limits.call_time;
        self.executor.trace_block(&sealed.block, &sealed.senders, &*before, options, time).map_err(error::call)
    }
}

#[jsonrpsee::core::async_trait]
impl DebugServer for Api {
    async fn trace_transaction(&self, hash: B256, options: Option<GethDebugTracingOptions>) -> RpcResult<GethTrace> {
        let node = self.0.clone();
        self.heavy.run(move || node.trace_one(&hash, options.unwrap_or_default())).await
    }

    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> RpcResult<GethTrace> {
        let node = self.0.clone();
        let work = move || {
            let options = options.unwrap_or_default();
            if options.tx_index.is_some() {
                return Err(error::invalid_params("txIndex is not offered: the call is traced after the whole block"));
            }
            let (sealed, state) = node.state(block)?;
            let context = CallContext {
                state_overrides: options.state_overrides.as_ref(),
                block_overrides: options.block_overrides.as_ref(),
                ..node.context(&sealed, &*state)
            };
            node.executor.trace_call(&context, request, options.tracing_options.clone()).map_err(error::call)
        };
        self.heavy.run(work).await
    }

    async fn trace_block_by_number(
        &self,
        number: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>> {
        let node = self.0.clone();
        self.heavy.run(move || node.trace_all(number.into(), options.unwrap_or_default())).await
    }

    async fn trace_block_by_hash(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> RpcResult<Vec<TraceResult>> {
        let node = self.0.clone();
        self.heavy.run(move || node.trace_all(hash.into(), options.unwrap_or_default())).await
    }

    fn raw_header(&self, block: BlockId) -> RpcResult<Bytes> {
        let sealed = self.block(block)?.ok_or_else(error::header_not_found)?;
        Ok(alloy_rlp::encode(sealed.block.header()).into())
    }

    fn raw_block(&self, block: BlockId) -> RpcResult<Bytes> {
        let sealed = self.block(block)?.ok_or_else(error::header_not_found)?;
        let body = alloy_consensus::BlockBody {
            transactions: sealed.block.transactions().to_vec(),
            ommers: Vec::new(),
            withdrawals: Some(Default::default()),
        };
        Ok(alloy_rlp::encode(body.into_block(sealed.block.header().clone())).into())
    }

    fn raw_transaction(&self, hash: B256) -> RpcResult<Bytes> {
        if let Some((sealed, index)) = self.chain.transaction(&hash).map_err(error::store)?
            && let Some(transaction) = sealed.block.transactions().get(index)
        {
            return Ok(transaction.encoded_2718().into());
        }
        Ok(self.pool.get(&hash).map(|waiting| waiting.transaction.encoded_2718().into()).unwrap_or_default())
    }

    fn raw_receipts(&self, block: BlockId) -> RpcResult<Vec<Bytes>> {
        let sealed = self.block(block)?.ok_or_else(error::header_not_found)?;
        Ok(sealed.receipts.iter().map(|receipt| receipt.encoded_2718().into()).collect())
    }
}
