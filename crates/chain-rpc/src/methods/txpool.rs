//! The pool's content.

use std::collections::BTreeMap;

use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use alloy_rpc_types_txpool::{TxpoolContent, TxpoolContentFrom, TxpoolInspect, TxpoolInspectSummary, TxpoolStatus};
use chain_types::Recovered;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use crate::{api::Api, shapes};

#[rpc(server, namespace = "txpool")]
pub(crate) trait Txpool {
    #[method(name = "status")]
    fn status(&self) -> RpcResult<TxpoolStatus>;

    #[method(name = "content")]
    async fn content(&self) -> RpcResult<TxpoolContent>;

    #[method(name = "contentFrom")]
    fn content_from(&self, sender: Address) -> RpcResult<TxpoolContentFrom>;

    #[method(name = "inspect")]
    async fn inspect(&self) -> RpcResult<TxpoolInspect>;
}

/// The names on the wire.
pub(crate) const NAMES: [&str; 4] = ["txpool_status", "txpool_content", "txpool_contentFrom", "txpool_inspect"];

type ByNonce<T> = BTreeMap<u64, T>;
type Waiting = ByNonce<std::sync::Arc<Recovered>>;

fn one<T>(waiting: Waiting, shape: fn(&Recovered) -> T) -> BTreeMap<String, T> {
    waiting.into_iter().map(|(nonce, transaction)| (nonce.to_string(), shape(&transaction))).collect()
}

fn all<T>(waiting: BTreeMap<Address, Waiting>, shape: fn(&Recovered) -> T) -> BTreeMap<Address, BTreeMap<String, T>> {
    waiting.into_iter().map(|(sender, waiting)| (sender, one(waiting, shape))).collect()
}

fn summary(waiting: &Recovered) -> TxpoolInspectSummary {
    let transaction = &waiting.transaction;
    TxpoolInspectSummary {
        to: transaction.to(),
        value: transaction.value(),
        gas: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
    }
}

#[jsonrpsee::core::async_trait]
impl TxpoolServer for Api {
    fn status(&self) -> RpcResult<TxpoolStatus> {
        let status = self.pool.status();
        Ok(TxpoolStatus { pending: status.pending as u64, queued: status.queued as u64 })
    }

    async fn content(&self) -> RpcResult<TxpoolContent> {
        let pool = self.pool.clone();
        let work = move || {
            let content = pool.content();
            Ok(TxpoolContent {
                pending: all(content.pending, shapes::pending),
                queued: all(content.queued, shapes::pending),
            })
        };
        self.heavy.run(work).await
    }

    fn content_from(&self, sender: Address) -> RpcResult<TxpoolContentFrom> {
        let mut content = self.pool.content_of(&sender);
        let part =
            |part: &mut BTreeMap<Address, Waiting>| one(part.remove(&sender).unwrap_or_default(), shapes::pending);
        Ok(TxpoolContentFrom { pending: part(&mut content.pending), queued: part(&mut content.queued) })
    }

    async fn inspect(&self) -> RpcResult<TxpoolInspect> {
        let pool = self.pool.clone();
        let work = move || {
            let content = pool.content();
            Ok(TxpoolInspect { pending: all(content.pending, summary), queued: all(content.queued, summary) })
        };
        self.heavy.run(work).await
    }
}
