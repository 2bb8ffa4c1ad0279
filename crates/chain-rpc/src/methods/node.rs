//! The node itself: `net_`, `web3_`, `polder_` and what of `eth_` is about the node.

use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_rpc_types_eth::{SyncInfo, SyncStatus};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use crate::{
    NodeStatus, PoolCounts,
    api::{Api, Node},
};

#[rpc(server)]
pub(crate) trait NodeMethods {
    #[method(name = "eth_chainId")]
    fn chain_id(&self) -> RpcResult<U64>;

    #[method(name = "eth_syncing")]
    fn syncing(&self) -> RpcResult<SyncStatus>;

    #[method(name = "eth_accounts")]
    fn accounts(&self) -> RpcResult<Vec<Address>>;

    #[method(name = "net_version")]
    fn net_version(&self) -> RpcResult<String>;

    #[method(name = "net_listening")]
    fn net_listening(&self) -> RpcResult<bool>;

    #[method(name = "net_peerCount")]
    fn net_peer_count(&self) -> RpcResult<U64>;

    #[method(name = "web3_clientVersion")]
    fn client_version(&self) -> RpcResult<String>;

    #[method(name = "web3_sha3")]
    fn sha3(&self, bytes: Bytes) -> RpcResult<B256>;

    #[method(name = "polder_status", aliases = ["polder_nodeInfo"])]
    fn node_status(&self) -> RpcResult<NodeStatus>;
}

impl Node {
    pub(crate) fn node_status(&self) -> NodeStatus {
        let head = self.chain.head();
        let header = head.block.header();
        let pool = self.pool.status();
        NodeStatus {
            consensus: self.status.status(),
            chain_id: self.executor.chain_id(),
            genesis_hash: self.chain.genesis_hash(),
            height: header.number,
            head_hash: head.block.hash(),
            head_time: chain_types::timestamp_millis(header),
            state_root: header.state_root,
            durable_height: self.chain.durable_height(),
            pool: PoolCounts { pending: pool.pending, queued: pool.queued },
            version: self.config.version.clone(),
        }
    }

    /// `None` when the node is not behind.
    pub(crate) fn sync_info(&self) -> Option<SyncInfo> {
        let current = self.chain.head().block.number();
        let highest = self.status.status().syncing_to.filter(|highest| *highest > current)?;
        Some(SyncInfo { current_block: U256::from(current), highest_block: U256::from(highest), ..SyncInfo::default() })
    }
}

impl NodeMethodsServer for Api {
    fn chain_id(&self) -> RpcResult<U64> {
        Ok(U64::from(self.executor.chain_id()))
    }

    fn syncing(&self) -> RpcResult<SyncStatus> {
        Ok(self.sync_info().map_or(SyncStatus::None, |info| SyncStatus::Info(Box::new(info))))
    }

    fn accounts(&self) -> RpcResult<Vec<Address>> {
        Ok(Vec::new())
    }

    fn net_version(&self) -> RpcResult<String> {
        Ok(self.executor.chain_id().to_string())
    }

    fn net_listening(&self) -> RpcResult<bool> {
        Ok(true)
    }

    fn net_peer_count(&self) -> RpcResult<U64> {
        let peers = self.status.status().peers;
        Ok(U64::from(peers.iter().filter(|peer| peer.connected).count()))
    }

    fn client_version(&self) -> RpcResult<String> {
        Ok(self.config.version.clone())
    }

    fn sha3(&self, bytes: Bytes) -> RpcResult<B256> {
        Ok(keccak256(bytes))
    }

    fn node_status(&self) -> RpcResult<NodeStatus> {
        Ok(self.0.node_status())
    }
}
