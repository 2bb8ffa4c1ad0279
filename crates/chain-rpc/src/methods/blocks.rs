//! Blocks and what is in them.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::{Block, Header, Transaction, TransactionReceipt};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use crate::{api::Api, shapes};

#[rpc(server, namespace = "eth")]
pub(crate) trait Blocks {
    #[method(name = "blockNumber")]
    fn block_number(&self) -> RpcResult<U64>;

    #[method(name = "getBlockByNumber")]
    fn block_by_number(&self, number: BlockNumberOrTag, full: Option<bool>) -> RpcResult<Option<Block>>;

    #[method(name = "getBlockByHash")]
    fn block_by_hash(&self, hash: B256, full: Option<bool>) -> RpcResult<Option<Block>>;

    #[method(name = "getHeaderByNumber")]
    fn header_by_number(&self, number: BlockNumberOrTag) -> RpcResult<Option<Header>>;

    #[method(name = "getHeaderByHash")]
    fn header_by_hash(&self, hash: B256) -> RpcResult<Option<Header>>;

    #[method(name = "getBlockTransactionCountByNumber")]
    fn count_by_number(&self, number: BlockNumberOrTag) -> RpcResult<Option<U64>>;

    #[method(name = "getBlockTransactionCountByHash")]
    fn count_by_hash(&self, hash: B256) -> RpcResult<Option<U64>>;

    #[method(name = "getUncleCountByBlockNumber")]
    fn uncles_by_number(&self, number: BlockNumberOrTag) -> RpcResult<Option<U64>>;

    #[method(name = "getUncleCountByBlockHash")]
    fn uncles_by_hash(&self, hash: B256) -> RpcResult<Option<U64>>;

    #[method(name = "getTransactionByBlockNumberAndIndex")]
    fn transaction_by_number(&self, number: BlockNumberOrTag, index: U64) -> RpcResult<Option<Transaction>>;

    #[method(name = "getTransactionByBlockHashAndIndex")]
    fn transaction_by_block(&self, hash: B256, index: U64) -> RpcResult<Option<Transaction>>;

    #[method(name = "getBlockReceipts")]
    fn block_receipts(&self, block: BlockId) -> RpcResult<Option<Vec<TransactionReceipt>>>;
}

impl Api {
    fn count(&self, id: BlockId) -> RpcResult<Option<U64>> {
        Ok(self.block(id)?.map(|sealed| U64::from(sealed.block.transactions().len())))
    }

    fn uncles(&self, id: BlockId) -> RpcResult<Option<U64>> {
        Ok(self.block(id)?.map(|_| U64::ZERO))
    }

    fn indexed(&self, id: BlockId, index: U64) -> RpcResult<Option<Transaction>> {
        Ok(self.block(id)?.and_then(|sealed| shapes::transaction(&sealed, index.to())))
    }
}

impl BlocksServer for Api {
    fn block_number(&self) -> RpcResult<U64> {
        Ok(U64::from(self.chain.head().block.number()))
    }

    fn block_by_number(&self, number: BlockNumberOrTag, full: Option<bool>) -> RpcResult<Option<Block>> {
        Ok(self.block(number.into())?.map(|sealed| shapes::block(&sealed, full.unwrap_or(false))))
    }

    fn block_by_hash(&self, hash: B256, full: Option<bool>) -> RpcResult<Option<Block>> {
        Ok(self.block(hash.into())?.map(|sealed| shapes::block(&sealed, full.unwrap_or(false))))
    }

    fn header_by_number(&self, number: BlockNumberOrTag) -> RpcResult<Option<Header>> {
        Ok(self.block(number.into())?.map(|sealed| shapes::header(&sealed)))
    }

    fn header_by_hash(&self, hash: B256) -> RpcResult<Option<Header>> {
        Ok(self.block(hash.into())?.map(|sealed| shapes::header(&sealed)))
    }

    fn count_by_number(&self, number: BlockNumberOrTag) -> RpcResult<Option<U64>> {
        self.count(number.into())
    }

    fn count_by_hash(&self, hash: B256) -> RpcResult<Option<U64>> {
        self.count(hash.into())
    }

    fn uncles_by_number(&self, number: BlockNumberOrTag) -> RpcResult<Option<U64>> {
        self.uncles(number.into())
    }

    fn uncles_by_hash(&self, hash: B256) -> RpcResult<Option<U64>> {
        self.uncles(hash.into())
    }

    fn transaction_by_number(&self, number: BlockNumberOrTag, index: U64) -> RpcResult<Option<Transaction>> {
        self.indexed(number.into(), index)
    }

    fn transaction_by_block(&self, hash: B256, index: U64) -> RpcResult<Option<Transaction>> {
        self.indexed(hash.into(), index)
    }

    fn block_receipts(&self, block: BlockId) -> RpcResult<Option<Vec<TransactionReceipt>>> {
        Ok(self.block(block)?.map(|sealed| shapes::receipts(&sealed)))
    }
}
