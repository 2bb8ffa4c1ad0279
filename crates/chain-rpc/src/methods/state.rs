//! Accounts, at any block.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_serde::JsonStorageKey;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use crate::{api::Api, error};

#[rpc(server, namespace = "eth")]
pub(crate) trait State {
    #[method(name = "getBalance")]
    fn balance(&self, address: Address, block: Option<BlockId>) -> RpcResult<U256>;

    #[method(name = "getTransactionCount")]
    fn transaction_count(&self, address: Address, block: Option<BlockId>) -> RpcResult<U64>;

    #[method(name = "getCode")]
    fn code(&self, address: Address, block: Option<BlockId>) -> RpcResult<Bytes>;

    #[method(name = "getStorageAt")]
    fn storage(&self, address: Address, slot: JsonStorageKey, block: Option<BlockId>) -> RpcResult<B256>;

    #[method(name = "getProof")]
    fn proof(&self, address: Address, slots: Vec<JsonStorageKey>, block: Option<BlockId>) -> RpcResult<()>;
}

impl StateServer for Api {
    fn balance(&self, address: Address, block: Option<BlockId>) -> RpcResult<U256> {
        let (_, state) = self.state(block)?;
        Ok(state.account(&address).map_err(error::state)?.map_or(U256::ZERO, |account| account.balance))
    }

    fn transaction_count(&self, address: Address, block: Option<BlockId>) -> RpcResult<U64> {
        if block == Some(BlockId::Number(BlockNumberOrTag::Pending)) {
            let next = self.pool.pending_nonce(&address);
            return next.map(U64::from).ok_or_else(|| error::internal(&"the pool cannot read the state"));
        }
        let (_, state) = self.state(block)?;
        let nonce = state.account(&address).map_err(error::state)?.map_or(0, |account| account.nonce);
        Ok(U64::from(nonce))
    }

    fn code(&self, address: Address, block: Option<BlockId>) -> RpcResult<Bytes> {
        let (_, state) = self.state(block)?;
        match state.account(&address).map_err(error::state)? {
            Some(account) if account.code_hash != alloy_primitives::KECCAK256_EMPTY => {
                state.code(&account.code_hash).map_err(error::state)
            }
            _ => Ok(Bytes::new()),
        }
    }

    fn storage(&self, address: Address, slot: JsonStorageKey, block: Option<BlockId>) -> RpcResult<B256> {
        let (_, state) = self.state(block)?;
        let slot = U256::from_be_bytes(slot.as_b256().0);
        Ok(state.storage(&address, &slot).map_err(error::state)?.into())
    }

    fn proof(&self, _: Address, _: Vec<JsonStorageKey>, _: Option<BlockId>) -> RpcResult<()> {
        Err(error::not_offered("eth_getProof is not offered: the state of this chain is not a Merkle-Patricia trie"))
    }
}
