//! Logs and polled filters.

use alloy_primitives::U128;
use alloy_rpc_types_eth::{Filter, Log};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use crate::{api::Api, filters::Changes};

#[rpc(server, namespace = "eth")]
pub(crate) trait FilterMethods {
    #[method(name = "getLogs")]
    async fn get_logs(&self, filter: Filter) -> RpcResult<Vec<Log>>;

    #[method(name = "newFilter")]
    fn new_filter(&self, filter: Filter) -> RpcResult<U128>;

    #[method(name = "newBlockFilter")]
    fn new_blocks(&self) -> RpcResult<U128>;

    #[method(name = "newPendingTransactionFilter")]
    fn new_pending(&self) -> RpcResult<U128>;

    #[method(name = "getFilterChanges")]
    async fn changes(&self, id: U128) -> RpcResult<Changes>;

    #[method(name = "getFilterLogs")]
    async fn get_filter_logs(&self, id: U128) -> RpcResult<Vec<Log>>;

    #[method(name = "uninstallFilter")]
    fn uninstall(&self, id: U128) -> RpcResult<bool>;
}

#[jsonrpsee::core::async_trait]
impl FilterMethodsServer for Api {
    async fn get_logs(&self, filter: Filter) -> RpcResult<Vec<Log>> {
        let node = self.0.clone();
        self.heavy.run(move || node.logs(&filter)).await
    }

    fn new_filter(&self, filter: Filter) -> RpcResult<U128> {
        self.new_log_filter(filter)
    }

    fn new_blocks(&self) -> RpcResult<U128> {
        self.new_block_filter()
    }

    fn new_pending(&self) -> RpcResult<U128> {
        self.new_pending_filter()
    }

    async fn changes(&self, id: U128) -> RpcResult<Changes> {
        let node = self.0.clone();
        self.heavy.run(move || node.filter_changes(&id)).await
    }

    async fn get_filter_logs(&self, id: U128) -> RpcResult<Vec<Log>> {
        let node = self.0.clone();
        self.heavy.run(move || node.filter_logs(&id)).await
    }

    fn uninstall(&self, id: U128) -> RpcResult<bool> {
        Ok(self.filters.remove(&id))
    }
}
